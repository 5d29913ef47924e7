from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.scoring import ImbalanceAwareScorer, ThresholdDisplay

pytest.importorskip("matplotlib").use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.mark.parametrize("pos_label", ["fraud", "ok"])
def test_display_curve_equals_the_scorer_at_each_threshold(rare, rare_model, pos_label):
    X, y = rare
    weight = np.random.default_rng(0).uniform(0, 2, len(y))
    names = ("precision", "recall", "f1", "cohen_kappa", "geometric_mean")
    display = ThresholdDisplay.from_estimator(
        rare_model, X, y, metrics=names, pos_label=pos_label, sample_weight=weight, plot=False
    )
    inner = [t for t in display.thresholds if 0 < t < 1][::80]
    assert len(inner) > 5
    for name in names:
        for threshold in inner:
            scorer = ImbalanceAwareScorer(name, threshold=threshold, pos_label=pos_label)
            at = display.scores[name][display.thresholds == threshold]
            assert at == pytest.approx(scorer(rare_model, X, y, sample_weight=weight), abs=1e-9)


def test_display_from_predictions_equals_from_estimator(rare, rare_model):
    X, y = rare
    one = ThresholdDisplay.from_estimator(rare_model, X, y, plot=False)
    proba = rare_model.predict_proba(X)
    for given in (proba, proba[:, 0]):  # 'fraud', the rare class, sorts first
        two = ThresholdDisplay.from_predictions(y, given, plot=False)
        assert two.pos_label == "fraud"
        np.testing.assert_allclose(one.scores["f1"], two.scores["f1"])


def test_display_best_threshold_is_the_argmax():
    y, proba = [0, 0, 0, 1, 1], [0.1, 0.4, 0.6, 0.5, 0.9]
    costs = ImbalanceAwareScorer("expected_cost", costs=[[0, 1], [10, 0]])
    display = ThresholdDisplay.from_predictions(y, proba, metrics=["f1", costs], plot=False)
    assert display.best_threshold("f1") == 0.5
    assert display.best_threshold("expected_cost") == 0.5
    assert display.scores["expected_cost"].min() == pytest.approx(0.2)
    with pytest.raises(ParameterError, match="got 'recall'"):
        display.best_threshold("recall")


def test_display_plots_lines_baseline_and_mark(rare, rare_model):
    scorer = ImbalanceAwareScorer("expected_cost", costs=[[0, 10], [1, 0]])
    display = ThresholdDisplay.from_estimator(
        rare_model, *rare, metrics=["f1", "recall", scorer], chosen_threshold=0.3
    )
    assert set(display.lines_) == {"f1", "recall", "expected_cost"}
    assert display.chosen_line_.get_xdata()[0] == 0.3
    labels = [t.get_text() for t in display.figure_.legends[0].get_texts()]
    prevalence = (rare[1] == "fraud").mean()
    assert labels == [
        "f1", "recall", "expected cost", "threshold 0.3", f"prevalence {prevalence:.3g}"
    ]  # fmt: skip
    assert display.ax_.get_xlabel() == "Decision threshold: probability of 'fraud'"
    assert len(display.figure_.axes) == 2
    import matplotlib.pyplot as plt

    ax = plt.figure().add_subplot()
    again = display.plot(ax, name="Held-out rows", linewidth=3)
    assert again.ax_ is ax and ax.get_title() == "Held-out rows"
    assert again.lines_["f1"].get_linewidth() == 3


def test_display_marks_the_tuned_threshold(rare):
    X, y = rare
    model = ImbalanceAwareScorer("f1", pos_label="fraud").tune(
        LogisticRegression(), cv=3, thresholds=20
    )
    model.fit(X, y)
    display = ThresholdDisplay.from_estimator(model, X, y, plot=False)
    assert display.chosen_threshold == pytest.approx(model.best_threshold_)
    other = ThresholdDisplay.from_estimator(model, X, y, pos_label="ok", plot=False)
    assert other.chosen_threshold is None


def test_display_limits_the_number_of_thresholds(rare, rare_model):
    display = ThresholdDisplay.from_estimator(rare_model, *rare, n_thresholds=20, plot=False)
    assert len(display.thresholds) <= 22


def test_display_refuses_what_it_cannot_show(rare, rare_model, three, three_model):
    X, y = rare
    with pytest.raises(ParameterError, match="does not depend on the"):
        ThresholdDisplay.from_estimator(rare_model, X, y, metrics=["roc_auc"])
    with pytest.raises(ParameterError, match="at least one metric"):
        ThresholdDisplay.from_estimator(rare_model, X, y, metrics=[])
    with pytest.raises(ParameterError, match="n_thresholds"):
        ThresholdDisplay.from_estimator(rare_model, X, y, n_thresholds=1)
    with pytest.raises(ParameterError, match="chosen_threshold"):
        ThresholdDisplay.from_estimator(rare_model, X, y, chosen_threshold=2)
    with pytest.raises(DataError, match="two classes"):
        ThresholdDisplay.from_estimator(three_model, *three)
    with pytest.raises(DataError, match="needs predict_proba"):
        ThresholdDisplay.from_estimator(LinearSVC().fit(X, y), X, y)
    with pytest.raises(DataError, match="NaN"):
        ThresholdDisplay.from_predictions([0, 1], [np.nan, 1.0])


def test_import_of_scoring_loads_no_heavy_library():
    code = (
        "import sys, os; before = dict(os.environ); import skopt_wrap.scoring\n"
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'imblearn', 'optuna'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert before == dict(os.environ)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
