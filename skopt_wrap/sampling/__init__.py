"""Augmentation and class balance for images, tables, time series and texts."""

from __future__ import annotations

from ._augmenting import AugmentingSampler
from ._colour import Blur, Hue, Saturation
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
from ._windows import Permutation, WindowWarp

__all__ = [
    "AugmentationDisplay",
    "AugmentingSampler",
    "Blur",
    "Brightness",
    "Contrast",
    "CutMix",
    "Cutout",
    "GaussianNoise",
    "HorizontalFlip",
    "Hue",
    "Jitter",
    "KeyboardTypos",
    "MagnitudeWarp",
    "MixUp",
    "Permutation",
    "PixelNoise",
    "RandomCrop",
    "RandomDeletion",
    "RandomSwap",
    "Rotation",
    "Saturation",
    "Scaling",
    "SeriesFlip",
    "Shear",
    "TimeMasking",
    "TimeWarp",
    "Transform",
    "Translation",
    "VerticalFlip",
    "WindowSlice",
    "WindowWarp",
    "Zoom",
    "available_transforms",
]
