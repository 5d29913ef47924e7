"""Augmentation and class balance for images, tables, time series and texts."""

from __future__ import annotations

from ._augmenting import AugmentingSampler
from ._display import AugmentationDisplay
from ._image import (
    Brightness,
    Contrast,
    Cutout,
    HorizontalFlip,
    PixelNoise,
    RandomCrop,
    VerticalFlip,
)
from ._mix import CutMix, MixUp
from ._policies import available_transforms
from ._series import (
    Jitter,
    MagnitudeWarp,
    Scaling,
    SeriesFlip,
    TimeMasking,
    TimeWarp,
    WindowSlice,
)
from ._tabular import GaussianNoise
from ._text import KeyboardTypos, RandomDeletion, RandomSwap
from ._transform import Transform
from ._warp import Rotation, Shear, Translation, Zoom

__all__ = [
    "AugmentationDisplay",
    "AugmentingSampler",
    "Brightness",
    "Contrast",
    "CutMix",
    "Cutout",
    "GaussianNoise",
    "HorizontalFlip",
    "Jitter",
    "KeyboardTypos",
    "MagnitudeWarp",
    "MixUp",
    "PixelNoise",
    "RandomCrop",
    "RandomDeletion",
    "RandomSwap",
    "Rotation",
    "Scaling",
    "SeriesFlip",
    "Shear",
    "TimeMasking",
    "TimeWarp",
    "Transform",
    "Translation",
    "VerticalFlip",
    "WindowSlice",
    "Zoom",
    "available_transforms",
]
