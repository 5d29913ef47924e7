from __future__ import annotations

import pytest

from skopt_wrap.compression import Pruning
from skopt_wrap.compression._specs import as_bytes, as_pruning, as_seconds, check_quantization
from skopt_wrap.exceptions import ParameterError


@pytest.mark.parametrize("sparsity", [-0.1, 1, 1.5, float("nan"), "half", True, None])
def test_pruning_refuses_a_sparsity_outside_its_range(sparsity):
    with pytest.raises(ParameterError, match=r"\[0, 1\)"):
        Pruning(sparsity)


def test_pruning_names_the_nearest_schedule():
    with pytest.raises(ParameterError, match="Did you mean 'polynomial'"):
        Pruning(0.5, schedule="polynomal")


@pytest.mark.parametrize("rate", [0, -1, float("inf"), "fast"])
def test_pruning_refuses_a_learning_rate(rate):
    with pytest.raises(ParameterError, match="learning_rate"):
        Pruning(0.5, learning_rate=rate)


def test_pruning_by_number_equals_the_object():
    assert as_pruning(0.5) == Pruning(0.5) == as_pruning(Pruning(0.5))
    assert as_pruning(None) is None
    assert as_pruning(0) is None


def test_quantization_names_the_nearest_mode():
    with pytest.raises(ParameterError, match="Did you mean 'float16'"):
        check_quantization("float_16")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("50 kB", 50_000), ("2KiB", 2048), ("1.5 MB", 1_500_000), (7, 7), ("100", 100), (None, None)],
)
def test_sizes_are_read(value, expected):
    assert as_bytes(value) == expected


@pytest.mark.parametrize("value", ["many", "-3 kB", 0, "1 ms", "1.2.3 kB", float("inf"), True])
def test_sizes_that_make_no_sense_are_refused(value):
    with pytest.raises(ParameterError, match="max_size"):
        as_bytes(value)


@pytest.mark.parametrize(
    ("value", "expected"), [("1 ms", 1e-3), ("20us", 2e-5), ("3 µs", 3e-6), (0.5, 0.5)]
)
def test_times_are_read(value, expected):
    assert as_seconds(value) == pytest.approx(expected)
