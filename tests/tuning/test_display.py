from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from skopt_wrap.exceptions import ParameterError, SkippedWarning
from skopt_wrap.tuning import SearchDisplay, TunedClassifier


@pytest.fixture
def searched(centroid, iris):
    pytest.importorskip("matplotlib").use("Agg")
    space = {"shift": [2.0, 0.0], "fail": [None, ValueError("boom")]}
    est = TunedClassifier(
        centroid, tuner="grid", cv=3, space=space, scoring=["accuracy", "f1_macro"],
        refit="f1_macro",
    )  # fmt: skip
    with pytest.warns(SkippedWarning):
        return est.fit(*iris)


def test_display_draws_trials_and_the_best_so_far(searched):
    import matplotlib.pyplot as plt

    display = SearchDisplay.from_estimator(searched)
    means = searched.cv_results_["mean_test_f1_macro"]
    np.testing.assert_allclose(display.line_.get_ydata(), np.fmax.accumulate(means))
    assert np.isnan(display.mean).tolist() == [False, True, False, True]
    assert display.ax_.get_ylabel() == "f1_macro"
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert set(labels) == {"trial (mean, sd)", "best so far", "not completed"}
    plt.close(display.figure_)


def test_display_takes_a_metric_and_axes(searched):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    display = SearchDisplay.from_estimator(searched, metric="accuracy", ax=ax, color="k")
    assert display.ax_ is ax and display.line_.get_color() == "k"
    plt.close(figure)
    with pytest.raises(ParameterError, match="Did you mean 'accuracy'"):
        SearchDisplay.from_estimator(searched, metric="accurcy")


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, skopt_wrap.tuning as t; t.TunedClassifier().get_params(); "
        "print([m for m in ('tensorflow', 'keras', 'keras_tuner', 'optuna', 'matplotlib', "
        "'imblearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
