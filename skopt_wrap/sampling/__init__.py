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
from ._text import KeyboardTypos, RandomCase, RandomDeletion, RandomSwap
from ._transform import Transform
from ._translate import BackTranslation
from ._warp import Rotation, Shear, Translation, Zoom
from ._windows import Permutation, WindowWarp
from ._words import RandomInsertion, SynonymReplacement

__all__ = [
    "AugmentationDisplay",
    "AugmentingSampler",
    "BackTranslation",
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
    "RandomCase",
    "RandomCrop",
    "RandomDeletion",
    "RandomInsertion",
    "RandomSwap",
    "Rotation",
    "Saturation",
    "Scaling",
    "SeriesFlip",
    "Shear",
    "SynonymReplacement",
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
