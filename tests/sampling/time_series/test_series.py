"""Transforms of time series against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from skopt_wrap.sampling import (
    Jitter,
    MagnitudeWarp,
    Permutation,
    Scaling,
    SeriesFlip,
    TimeMasking,
    TimeWarp,
    WindowSlice,
    WindowWarp,
)
from skopt_wrap.sampling._time_series._series import read_at
from skopt_wrap.sampling._transform import REGISTRY

SERIES = sorted(name for name, cls in REGISTRY.items() if "series" in cls.kinds)


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("shape", [(30, 12), (30, 12, 3), (30, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_series_transform_keeps_shape_dtype_and_input(name, shape, dtype):
    X = (np.random.default_rng(0).standard_normal(shape) * 1000).astype(dtype)
    before = X.copy()
    result = REGISTRY[name]()(X, rng=0)
    assert result.shape == shape and result.dtype == dtype
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(result, REGISTRY[name]()(X, rng=0))


def test_read_at_interpolates_between_steps():
    X = np.array([[0.0, 10.0, 40.0]])
    np.testing.assert_allclose(read_at(X, np.array([[0.0, 0.5, 1.5, 2.0]])), [[0, 5, 25, 40]])
    two = np.stack([X, -X], axis=-1)
    np.testing.assert_allclose(read_at(two, np.array([[1.5]])), [[[25, -25]]])


def test_jitter_is_relative_to_each_series():
    X = np.random.default_rng(0).standard_normal((50, 400)) * np.array([[1.0], [100.0]] * 25)
    noise = (Jitter(0.1)(X, rng=1) - X).std(axis=1) / X.std(axis=1)
    np.testing.assert_allclose(noise, 0.1, rtol=0.15)


def test_scaling_multiplies_each_feature_by_one_positive_factor():
    X = np.random.default_rng(0).uniform(1, 2, size=(20, 5, 2))
    ratio = Scaling(0.5)(X, rng=0) / X
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :1], ratio.shape))
    assert (ratio > 0).all() and len(np.unique(ratio.round(9))) == 40


def test_magnitude_warp_is_smooth_and_positive():
    curve = MagnitudeWarp(0.3)(np.ones((20, 200)), rng=0)
    assert (curve > 0).all() and np.abs(np.diff(curve)).max() < 0.2


def test_time_warp_keeps_ends_and_order():
    X = np.tile(np.arange(50.0), (30, 1))
    result = TimeWarp(0.8)(X, rng=0)
    np.testing.assert_allclose(result[:, 0], 0)
    np.testing.assert_allclose(result[:, -1], 49)
    assert (np.diff(result, axis=1) > 0).all()
    assert np.abs(result - X).max() > 1


def test_window_slice_stretches_a_window():
    result = WindowSlice(0.25)(np.tile(np.arange(9.0), (100, 1)), rng=0)
    np.testing.assert_allclose(np.diff(result, axis=1), 0.75)
    assert result.min() >= 0 and result.max() <= 8
    assert np.ptp(result[:, 0]) > 1.5


def test_series_flip_turns_time_or_value():
    X = np.array([[[1.0, 5.0], [2.0, 7.0], [6.0, 9.0]]])
    time = SeriesFlip(probability=1.0)(X)
    np.testing.assert_array_equal(time[0], [[6, 9], [2, 7], [1, 5]])
    value = SeriesFlip("value", probability=1.0)(X)
    np.testing.assert_array_equal(value[0], [[5, 9], [4, 7], [0, 5]])


def test_time_masking_puts_the_mean_in_one_window():
    X = np.random.default_rng(0).standard_normal((100, 10, 2))
    result = TimeMasking(0.3)(X, rng=0)
    masked = (result != X).all(axis=2)
    assert (masked.sum(axis=1) == 3).all()
    assert (np.diff(np.flatnonzero(masked[0])) == 1).all()
    np.testing.assert_allclose(result[masked], np.repeat(X.mean(axis=1), 3, axis=0))


def test_window_warp_keeps_ends_and_order():
    X = np.tile(np.arange(50.0), (30, 1))
    result = WindowWarp(1.0, window=0.4)(X, rng=0)
    np.testing.assert_allclose(result[:, 0], 0)
    np.testing.assert_allclose(result[:, -1], 49)
    pace = np.diff(result, axis=1)
    assert (pace > 0).all() and pace.max() / pace.min() > 1.5
    # One window only: apart from its two borders there are two paces.
    assert all(len(np.unique(row.round(6))) <= 4 for row in pace)


def test_permutation_keeps_the_pieces():
    X = np.tile(np.arange(20), (300, 1))
    result = Permutation(3)(X, rng=0)
    assert (np.sort(result, axis=1) == X).all()
    breaks = (np.diff(result, axis=1) != 1).sum(axis=1)
    assert breaks.max() == 2 and (breaks == 2).mean() > 0.3
    two = np.stack([X, -X], axis=-1)
    both = Permutation(3)(two, rng=0)
    np.testing.assert_array_equal(both[..., 0], -both[..., 1])
