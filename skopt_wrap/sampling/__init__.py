"""Augmentation and class balance for images, tables, time series and texts."""

from __future__ import annotations

from ._augmenting import AugmentingSampler
from ._display import AugmentationDisplay
from ._images._automatic import AugMix, RandAugment
from ._images._colour import Brightness, Contrast, Hue, Saturation
from ._images._geometry import (
    HorizontalFlip,
    ResizedCrop,
    Rotation,
    Shear,
    Translation,
    VerticalFlip,
    Zoom,
)
from ._images._noise import Blur, PixelNoise
from ._images._pixels import Cutout, RandomCrop, RandomErasing
from ._mix import CutMix, MixUp
from ._policies import available_transforms
from ._tabular import GaussianNoise, TabularMixUp
from ._texts._text import KeyboardTypos, RandomCase, RandomDeletion, RandomSwap
from ._texts._translate import BackTranslation
from ._texts._words import RandomInsertion, SynonymReplacement
from ._time_series._series import (
    Jitter,
    MagnitudeWarp,
    Scaling,
    SeriesFlip,
    TimeMasking,
    TimeWarp,
    WindowSlice,
)
from ._time_series._windows import Permutation, WindowWarp
from ._transform import Transform

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
