"""Augmentation and class balance for images, tables, time series and texts."""

from __future__ import annotations

from ._augmenting import AugmentingSampler
from ._automatic import AugMix, RandAugment
from ._colour import Brightness, Contrast, Hue, Saturation
from ._display import AugmentationDisplay
from ._geometry import (
    HorizontalFlip,
    ResizedCrop,
    Rotation,
    Shear,
    Translation,
    VerticalFlip,
    Zoom,
)
from ._mix import CutMix, MixUp
from ._noise import Blur, PixelNoise
from ._pixels import Cutout, RandomCrop, RandomErasing
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
from ._tabular import GaussianNoise, TabularMixUp
from ._text import KeyboardTypos, RandomCase, RandomDeletion, RandomSwap
from ._transform import Transform
from ._translate import BackTranslation
from ._windows import Permutation, WindowWarp
from ._words import RandomInsertion, SynonymReplacement

__all__ = [
    "AugMix",
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
    "RandAugment",
    "RandomCase",
    "RandomCrop",
    "RandomDeletion",
    "RandomErasing",
    "RandomInsertion",
    "RandomSwap",
    "ResizedCrop",
    "Rotation",
    "Saturation",
    "Scaling",
    "SeriesFlip",
    "Shear",
    "SynonymReplacement",
    "TabularMixUp",
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
