"""AugmentationDisplay and preview."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from skopt_wrap.exceptions import ParameterError
from skopt_wrap.sampling import AugmentingSampler, HorizontalFlip
from skopt_wrap.sampling._display import mark_differences


@pytest.fixture
def plt():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


@pytest.mark.parametrize("shape", [(6, 8, 8), (6, 8, 8, 1), (6, 8, 9, 3)])
def test_preview_draws_images_as_a_grid(plt, shape):
    X = np.random.default_rng(0).random(shape)
    flip = HorizontalFlip(probability=1.0)
    display = AugmentingSampler("image", [flip]).preview(
        X, ["a", "a", "a", "b", "b", "b"], n_samples=2, n_variants=3
    )
    np.testing.assert_array_equal(display.originals, X[[0, 3]])
    np.testing.assert_array_equal(display.variants[1, 2], X[3][:, ::-1])
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == ["a", "b"]
    assert len(display.ax_.get_xticklabels()) == 4
    canvas = display.ax_.get_images()[0].get_array()
    assert canvas.shape[:2] == (2 * 8 + 1, 4 * shape[2] + 3)


@pytest.mark.parametrize("shape", [(6, 30), (6, 30, 2)])
def test_preview_draws_series_as_lines(plt, shape):
    X = np.random.default_rng(0).random(shape)
    _, ax = plt.subplots()
    sampler = AugmentingSampler("series", random_state=0)
    display = sampler.preview(X, np.linspace(0, 1, 6), n_samples=3, n_variants=2, ax=ax)
    assert display.ax_ is ax and len(ax.lines) == 3 * 3
    assert not hasattr(sampler, "kind_")


def test_preview_writes_texts_with_their_differences(plt):
    display = AugmentingSampler("text", "random_swap", random_state=0).preview(
        ["a b", "c d"], [0, 1], n_samples=2, n_variants=1
    )
    assert str(display).splitlines()[0] == "0: a b"
    assert "[+" in display.ax_.texts[0].get_text()


def test_mark_differences_of_a_swap():
    assert mark_differences("the red fox", "the blue fox") == "the [-red-] [+blue+] fox"


@pytest.mark.parametrize(
    ("params", "message"),
    [({"n_samples": 0}, "n_samples"), ({"n_variants": 1.5}, "n_variants"), ({}, "tabular")],
)
def test_preview_refuses(params, message):
    with pytest.raises(ParameterError, match=message):
        AugmentingSampler().preview(np.zeros((4, 2)), [0, 0, 1, 1], **params)


def test_sampling_import_leaves_heavy_libraries_out():
    code = (
        "import sys, skopt_wrap.sampling; "
        "print([m for m in ('tensorflow', 'keras', 'matplotlib', 'optuna', 'polars') "
        "if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr
