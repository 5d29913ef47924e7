"""What AugmentingSampler refuses, and that the message tells the fix."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.under_sampling import RandomUnderSampler
from scipy import sparse

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.sampling import (
    AugmentingSampler,
    Brightness,
    CutMix,
    Cutout,
    GaussianNoise,
    MixUp,
    Permutation,
    Rotation,
    SeriesFlip,
    TimeWarp,
    WindowWarp,
    available_transforms,
)

Y = np.array([0] * 6 + [1] * 2)
IMAGES = np.zeros((8, 8, 8, 3), dtype=np.uint8)
TABLE = np.arange(16.0).reshape(8, 2)
SERIES = np.zeros((8, 10))
NAN = SERIES.copy()
NAN[2, 3] = np.nan


HUGE = SERIES.astype("float32")
HUGE[0, 0] = 1e38
MIXED = np.array([1, "a"] * 4, dtype=object)


@pytest.mark.parametrize(
    ("params", "X", "y", "error", "message"),
    [
        ({"kind": "series"}, HUGE, Y, DataError, r"1e\+38, whose variance cannot"),
        ({}, TABLE, MIXED, DataError, r"labels of several types \(int, str\)"),
        ({"kind": "imagee"}, IMAGES, Y, ParameterError, "Did you mean 'image'"),
        ({"transforms": ["rotaton"]}, IMAGES, Y, ParameterError, "Did you mean 'rotation'"),
        ({"transforms": "rotation"}, TABLE, Y, ParameterError, "for kind='image', and the data"),
        ({"transforms": [Rotation]}, IMAGES, Y, ParameterError, r"write Rotation\(\)"),
        ({"transforms": [3]}, IMAGES, Y, ParameterError, "Got 3"),
        ({"transforms": ["smote"]}, IMAGES, Y, ParameterError, "'smote' is for kind='tabular'"),
        (
            {"transforms": [RandomUnderSampler()]},
            TABLE,
            Y,
            ParameterError,
            "step of its own",
        ),
        ({"transforms": ["gaussian_noise", "smote"]}, TABLE, Y, ParameterError, "must be the firs"),
        ({"transforms": ["smote"]}, TABLE, Y, DataError, "needs more than 5 rows"),
        ({}, np.zeros(8), Y, DataError, "rank 1"),
        ({}, np.zeros((8, 2, 2, 2, 2)), Y, DataError, "rank 5"),
        ({"kind": "image"}, TABLE, Y, DataError, r"reshape\(-1, height, width\)"),
        ({"kind": "image"}, np.zeros((8, 3, 16, 16)), Y, DataError, "channels last"),
        ({"kind": "series"}, IMAGES, Y, DataError, "kind='series' needs"),
        ({"kind": "series"}, np.zeros((8, 1)), Y, DataError, "at least two time steps"),
        ({"kind": "series"}, sparse.csr_array(TABLE), Y, DataError, "dense"),
        ({"kind": "tabular"}, IMAGES, Y, DataError, "kind='tabular' needs"),
        ({"kind": "text"}, TABLE, Y, DataError, r"as X\[:, 0\]"),
        ({"kind": "image"}, np.full((8, 8, 8), "a"), Y, DataError, "needs numbers"),
        ({}, ["text"] * 7 + [None], Y, DataError, "Row 7 is None"),
        ({}, pd.Series(["text"] * 7 + [np.nan]), Y, DataError, "Row 7 is nan"),
        ({"kind": "series"}, NAN, Y, ValueError, "NaN"),
        ({"kind": "series"}, [[1, 2]] * 7 + [[1, 2, 3]], Y, DataError, "row 7 has 3"),
        ({"kind": "series"}, [[[1], [2, 3]]] * 8, Y, DataError, "ragged"),
        ({}, TABLE, np.linspace(0, 1, 8), DataError, "Pass factor="),
        ({}, TABLE, np.tile([[1, 1]], (8, 1)), DataError, "Pass factor="),
        (
            {"factor": 2, "sampling_strategy": 0.5},
            TABLE,
            np.linspace(0, 1, 8),
            DataError,
            "Leave sampling_strategy at 'auto'",
        ),
        ({}, TABLE, np.zeros(8), DataError, "one class only"),
        ({}, TABLE, None, DataError, "requires y"),
        ({}, TABLE, Y[:5], ValueError, "inconsistent numbers of samples"),
        ({"sampling_strategy": {0: 3}}, TABLE, Y, ParameterError, "6 samples and 3"),
        ({"sampling_strategy": {5: 30}}, TABLE, Y, ParameterError, "not present"),
        ({"sampling_strategy": 0.1}, TABLE, Y, ParameterError, "sampling_strategy=0.1"),
        ({"sampling_strategy": "most"}, TABLE, Y, ValueError, "must be"),
        ({"factor": 0.5}, TABLE, Y, ValueError, "'factor' parameter"),
        ({"magnitude": -1}, TABLE, Y, ValueError, "'magnitude' parameter"),
        ({"transforms": "smote", "factor": 2}, TABLE, np.linspace(0, 1, 8), DataError, "classes"),
        ({"transforms": [MixUp()]}, IMAGES, Y, ParameterError, "soft_labels=True"),
        ({"transforms": [CutMix()]}, IMAGES, Y, ParameterError, "same_class=True"),
        ({"transforms": lambda X: X[:, :2]}, TABLE[:, :1], Y, None, None),
        ({"transforms": lambda X: X[:1]}, TABLE, Y, DataError, "must keep the shape"),
        ({"transforms": lambda X: X * np.nan}, TABLE, Y, DataError, "returned NaN"),
        ({"transforms": [GaussianNoise(scale=[1.0])]}, TABLE, Y, DataError, "2 numeric"),
    ],
)
def test_sampler_refuses_bad_input(params, X, y, error, message):
    sampler = AugmentingSampler(random_state=0, **params)
    if error is None:
        sampler.fit_resample(X, y)
        return
    with pytest.raises(error, match=message):
        sampler.fit_resample(X, y)


def test_sampler_refuses_misaligned_arrays():
    with pytest.raises(DataError, match="sample_weight has 3 entries; X has 8 rows"):
        AugmentingSampler().fit_resample(TABLE, Y, sample_weight=[1, 2, 3])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rotation(-1), r"Rotation\(magnitude=...\) must be a number in \[0, 180\]. Got -1"),
        (lambda: Cutout(2), "magnitude"),
        (lambda: Rotation(True), "Got True"),
        (lambda: Rotation(probability=1.5), "probability"),
        (lambda: Rotation(fill="nearst"), "Did you mean 'nearest'"),
        (lambda: SeriesFlip("tme"), "Did you mean 'time'"),
        (lambda: TimeWarp(n_knots=1), "n_knots"),
        (lambda: Permutation(1), "n_segments"),
        (lambda: WindowWarp(window=2), "window"),
        (lambda: Brightness(value_range=(1, 0)), "low <= high"),
        (lambda: available_transforms("txt"), "Did you mean 'text'"),
    ],
)
def test_transform_checks_values_when_built(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


def test_sampler_names_class_sizes_that_smote_cannot_take():
    X, y = np.arange(40.0).reshape(20, 2), np.repeat([0, 1], [15, 5])
    with pytest.raises(DataError, match="one has 5"):
        AugmentingSampler("tabular", "smote").fit_resample(X, y)
    sampler = AugmentingSampler("tabular", [SMOTE(k_neighbors=3)], random_state=0)
    assert np.bincount(sampler.fit_resample(X, y)[1]).tolist() == [15, 15]
