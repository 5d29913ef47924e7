"""Displays built on scikit-learn's, displays of cross-validation, named constants."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict, cross_validate

from skopt_wrap import scoring
from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.scoring import (
    CalibrationDisplay,
    ImbalanceAwareScorer,
    PrecisionRecallDisplay,
    ThresholdDisplay,
    expected_calibration_error,
)

pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def close_figures():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


@pytest.fixture(scope="module")
def folds(rare):
    X, y = rare
    return cross_validate(
        LogisticRegression(), X, y, cv=3, return_estimator=True, return_indices=True
    )


@pytest.mark.parametrize(
    "display",
    [CalibrationDisplay, PrecisionRecallDisplay, ThresholdDisplay],
    ids=lambda d: d.__name__,
)
def test_displays_of_two_classes_name_themselves(display):
    with pytest.raises(DataError, match=f"^{display.__name__} needs rows of two classes"):
        display.from_predictions([0, 1, 2], [0.1, 0.2, 0.3])


def test_precision_recall_takes_the_rare_class_and_marks_predict(rare, rare_model):
    X, y = rare
    display = PrecisionRecallDisplay.from_estimator(rare_model, X[300:], y[300:])
    truth, stated = y[300:] == "fraud", rare_model.predict_proba(X[300:])[:, 0]
    assert display.pos_label == "fraud"
    assert display.average_precision == pytest.approx(
        metrics.average_precision_score(truth, stated)
    )
    predicted = rare_model.predict(X[300:]) == "fraud"
    assert display.chosen_point_ == pytest.approx(
        (metrics.recall_score(truth, predicted), metrics.precision_score(truth, predicted))
    )
    assert display.chosen_mark_.get_label() == "predict"
    assert display.chance_level_.get_ydata()[0] == pytest.approx(truth.mean())


def test_precision_recall_marks_a_tuned_threshold(rare):
    X, y = rare
    tuned = ImbalanceAwareScorer("f1", pos_label="fraud").tune(LogisticRegression(), cv=3)
    display = PrecisionRecallDisplay.from_estimator(tuned.fit(X[:300], y[:300]), X[300:], y[300:])
    assert display.chosen_mark_.get_label() == f"threshold {tuned.best_threshold_:.3g}"


def test_precision_recall_of_predictions():
    y, scores = [0, 0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.6, 0.9]
    display = PrecisionRecallDisplay.from_predictions(y, scores, chosen_threshold=0.65)
    assert display.chosen_point_ == (0.5, 0.5)
    assert PrecisionRecallDisplay.from_predictions(y, scores).chosen_point_ is None


def test_displays_of_cross_validation_use_rows_held_out(rare, folds):
    X, y = rare
    curves = PrecisionRecallDisplay.from_cv_results(folds, X, y)
    assert len(curves.precision) == 3 and curves.pos_label == "fraud"
    stated = cross_val_predict(LogisticRegression(), X, y, cv=3, method="predict_proba")[:, 0]
    truth = (y == "fraud").astype(int)
    calibrated = CalibrationDisplay.from_cv_results(folds, X, y)
    assert calibrated.expected_calibration_error_ == pytest.approx(
        expected_calibration_error(truth, stated)
    )
    display = ThresholdDisplay.from_cv_results(folds, X, y, plot=False)
    direct = ThresholdDisplay.from_predictions(y, stated, pos_label="fraud", plot=False)
    np.testing.assert_allclose(display.scores["f1"], direct.scores["f1"])
    assert display.pos_label == "fraud"


def test_calibration_states_error_and_prevalence(rare, rare_model):
    X, y = rare
    display = CalibrationDisplay.from_estimator(rare_model, X[300:], y[300:], n_bins=5)
    stated = rare_model.predict_proba(X[300:])[:, 0]
    assert display.prevalence_ == pytest.approx(np.mean(y[300:] == "fraud"))
    assert len(display.prob_true) == 5
    np.testing.assert_allclose(np.mean(display.prob_pred), stated.mean(), rtol=0.05)
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert any("ECE" in label for label in labels)


@pytest.mark.parametrize(
    "call,error,message",
    [
        (
            lambda X, y: ThresholdDisplay.from_cv_results({"test_score": [1]}, X, y),
            DataError,
            "return_estimator=True",
        ),
        (
            lambda X, y: PrecisionRecallDisplay.from_predictions(y, X),
            DataError,
            r"y_score must have shape",
        ),
        (
            lambda X, y: PrecisionRecallDisplay.from_predictions(y, X[:, 0], chosen_threshold="a"),
            ParameterError,
            "chosen_threshold must be a number",
        ),
        (
            lambda X, y: CalibrationDisplay.from_predictions(np.arange(len(y)), X[:, 0]),
            DataError,
            "two classes",
        ),
    ],
)
def test_bad_input_is_named(rare, call, error, message):
    with pytest.raises(error, match=message):
        call(*rare)


def test_results_of_other_rows_are_refused(rare, folds):
    X, y = rare
    with pytest.raises(DataError, match="but y has 200 rows"):
        CalibrationDisplay.from_cv_results(folds, X[:200], y[:200])


def test_named_constants_are_fresh_scorers(rare, rare_model):
    from skopt_wrap.scoring import F1

    X, y = rare
    assert F1(rare_model, X, y) == ImbalanceAwareScorer("f1")(rare_model, X, y)
    F1.set_params(average="macro")
    assert scoring.F1.average == "auto"
    for name, metric in scoring._CONSTANTS.items():
        assert getattr(scoring, name).describe(y)["metric"] == metric and name in dir(scoring)
    with pytest.raises(AttributeError, match="no attribute 'F3'"):
        scoring.F3  # noqa: B018
