"""Bad input: one clear error each, naming the parameter, the rule and what was received."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron
from sklearn.svm import LinearSVC

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.scoring import (
    ImbalanceAwareScorer,
    bootstrap_interval,
    expected_calibration_error,
    expected_cost_score,
    lift_at_k_score,
    list_metrics,
    precision_at_recall_score,
    recall_at_precision_score,
)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"metric": "avrage_precision"}, "Did you mean 'average_precision'"),
        ({"metric": 3}, "must be a name"),
        ({"metric": "f1=3"}, "takes no number"),
        ({"metric": "lift_at_k=200"}, r"in \(0, 100\]"),
        ({"metric": "precision_at_recall=high"}, r"in \(0, 1\]"),
        ({"average": "macros"}, "Did you mean 'macro'"),
        ({"metric": "cohen_kappa", "average": "macro"}, "average must be 'auto'"),
        ({"metric": "roc_auc", "average": "samples"}, "average must be one of"),
        ({"metric": "fbeta"}, "beta must be a positive number"),
        ({"metric": "fbeta", "beta": -1}, "got -1"),
        ({"metric": "f1", "beta": 2}, "beta applies to metric 'fbeta' only"),
        ({"metric": "expected_cost"}, "costs must be given"),
        ({"costs": [[0, 1], [1, 0]]}, "costs must be given"),
        ({"metric": "expected_cost", "costs": [[0, 1, 2], [1, 0, 2]]}, r"shape \(2, 2\).*\(2, 3\)"),
        ({"metric": "expected_cost", "costs": [[0, np.nan], [1, 0]]}, "finite"),
        ({"metric": "expected_cost", "costs": "high"}, "square matrix"),
        ({"zero_division": np.nan}, "zero_division must be 0.0 or 1.0"),
        ({"zero_division": 0.5}, "got 0.5"),
        ({"threshold": 1.0}, "got 1.0"),
        ({"threshold": True}, "got True"),
        ({"threshold": "best"}, "got 'best'"),
        ({"threshold": "precisions>=0.9"}, "Did you mean 'precision'"),
        ({"threshold": "precision>=2"}, r"in \(0, 1\]"),
        ({"threshold": "precision>=0.9.1"}, r"in \(0, 1\]"),
        ({"metric": "roc_auc", "threshold": 0.5}, "applies to metrics of labels"),
    ],
)
def test_scorer_refuses_parameter(rare, rare_model, params, message):
    with pytest.raises(ParameterError, match=message):
        ImbalanceAwareScorer(**params)(rare_model, *rare)


@pytest.mark.parametrize("metric", ["brier_score", "log_loss", "expected_calibration_error"])
def test_missing_probabilities_name_method_and_remedy(rare, metric):
    model = LinearSVC().fit(*rare)
    with pytest.raises(DataError, match=r"needs predict_proba, which LinearSVC.*CalibratedClassif"):
        ImbalanceAwareScorer(metric)(model, *rare)


def test_missing_scores_name_both_methods(rare, fixed):
    with pytest.raises(DataError, match="needs decision_function or predict_proba"):
        ImbalanceAwareScorer("roc_auc")(fixed(predict=rare[1]), *rare)


def test_number_threshold_needs_probabilities(rare):
    with pytest.raises(DataError, match="needs predict_proba, which Perceptron"):
        ImbalanceAwareScorer("f1", threshold=0.3)(Perceptron().fit(*rare), *rare)


@pytest.mark.parametrize("metric", ["f1", "roc_auc", "log_loss"])
def test_unfitted_estimator_is_refused(rare, metric):
    with pytest.raises(NotFittedError):
        ImbalanceAwareScorer(metric)(LogisticRegression(), *rare)


def test_pos_label_outside_y_is_refused(rare, rare_model):
    with pytest.raises(DataError, match=r"pos_label must be one of .*'fraud', 'ok'.*got 'theft'"):
        ImbalanceAwareScorer("f1", pos_label="theft")(rare_model, *rare)


def test_pos_label_of_several_classes_is_refused(three, three_model):
    with pytest.raises(DataError, match="pos_label applies to a binary target"):
        ImbalanceAwareScorer("f1", pos_label=1)(three_model, *three)


def test_binary_average_and_threshold_of_several_classes_are_refused(three, three_model):
    with pytest.raises(ParameterError, match="average='binary' needs a binary target"):
        ImbalanceAwareScorer("f1", average="binary")(three_model, *three)
    with pytest.raises(ParameterError, match="needs a binary or multilabel target"):
        ImbalanceAwareScorer("f1", threshold=0.5)(three_model, *three)
    with pytest.raises(ParameterError, match="average='samples' needs a multilabel"):
        ImbalanceAwareScorer("f1", average="samples")(three_model, *three)


@pytest.mark.parametrize(
    "metric", sorted(set(list_metrics("binary")) - set(list_metrics("multilabel")))
)
def test_multilabel_target_with_single_label_metric_is_refused(fixed, metric):
    Y = np.array([[0, 1], [1, 1]])
    params = {"costs": np.eye(2)} if metric == "expected_cost" else {}
    with pytest.raises(DataError, match="binary and multiclass targets, got a multilabel one"):
        ImbalanceAwareScorer(metric, **params)(fixed(predict=Y), None, Y)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (-1.0, "not negative"),
        (np.nan, "finite"),
        (0.0, "all zero"),
    ],
)
def test_bad_weights_are_refused(rare, rare_model, weight, message):
    with pytest.raises(DataError, match=message):
        ImbalanceAwareScorer()(rare_model, *rare, sample_weight=np.full(600, weight))


def test_weights_of_wrong_shape_are_refused(rare, rare_model):
    with pytest.raises(DataError, match=r"shape \(600,\), got \(3,\)"):
        ImbalanceAwareScorer()(rare_model, *rare, sample_weight=[1, 2, 3])
    with pytest.raises(DataError, match="must hold numbers"):
        ImbalanceAwareScorer()(rare_model, *rare, sample_weight=["a"] * 600)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0.5, 1.5, 2.5], "continuous"),
        ([0, np.nan, 1], "finite labels"),
        (["a", None, "b"], "None or NaN"),
        ([], "at least one row"),
        ([[0, 1, 2], [1, 0, 2], [0, 0, 1]], "multiclass-multioutput"),
    ],
)
def test_target_that_is_no_classification_target_is_refused(fixed, y, message):
    with pytest.raises(DataError, match=message):
        ImbalanceAwareScorer()(fixed(predict=[0, 1, 0]), None, y)


def test_predictions_that_do_not_fit_are_refused(fixed):
    y = [0, 1, 1]
    with pytest.raises(DataError, match="2 rows for 3"):
        ImbalanceAwareScorer()(fixed(predict=[0, 1]), None, y)
    with pytest.raises(DataError, match="continuous values"):
        ImbalanceAwareScorer()(fixed(predict=[0.1, 0.7, 0.2]), None, y)
    with pytest.raises(DataError, match="one label a row"):
        ImbalanceAwareScorer()(fixed(predict=np.eye(3)[:, :2]), None, y)
    with pytest.raises(DataError, match="both text and numbers"):
        ImbalanceAwareScorer()(fixed(predict=["a", "b", "b"]), None, y)
    with pytest.raises(DataError, match="needs predict"):
        ImbalanceAwareScorer()(fixed(predict_proba=np.eye(3)), None, y)
    with pytest.raises(DataError, match="continuous values"):
        ImbalanceAwareScorer()(LinearRegression().fit([[0], [1], [5]], y), [[0], [1], [5]], y)


@pytest.mark.parametrize(
    ("proba", "message"),
    [
        ([[0.5, 0.5], [np.nan, 1], [0, 1]], "NaN or infinity"),
        ([[0.5, 0.5], [2, -1], [0, 1]], r"\[0, 1\]"),
        ([[0.5, 0.5], [0.2, 0.2], [0, 1]], "sum to 1"),
        ([[0.5, 0.25, 0.25]] * 3, "one column a class"),
        ([[0.5, 0.5]] * 2, "2 rows for 3"),
    ],
)
def test_probabilities_that_cannot_be_are_refused(fixed, proba, message):
    estimator = fixed(classes=[0, 1], predict_proba=np.array(proba))
    with pytest.raises(DataError, match=message):
        ImbalanceAwareScorer("log_loss")(estimator, None, [0, 1, 1])


def test_functions_refuse_bad_arguments():
    with pytest.raises(ParameterError, match=r"recall must be a number in \(0, 1\]"):
        precision_at_recall_score([0, 1], [0.1, 0.2], recall=0)
    with pytest.raises(ParameterError, match="precision must be"):
        recall_at_precision_score([0, 1], [0.1, 0.2], precision="0.5")
    with pytest.raises(ParameterError, match="k must be a percentage"):
        lift_at_k_score([0, 1], [0.1, 0.2], k=0)
    with pytest.raises(ParameterError, match="zero_division"):
        lift_at_k_score([0, 1], [0.1, 0.2], zero_division=2)
    with pytest.raises(ParameterError, match="n_bins"):
        expected_calibration_error([0, 1], [0.1, 0.2], n_bins=0)
    with pytest.raises(DataError, match=r"\[0, 1\]"):
        expected_calibration_error([0, 1], [0.1, 1.2])
    with pytest.raises(DataError, match="non-empty 1-D array of 0"):
        lift_at_k_score([0, 2], [0.1, 0.2])
    with pytest.raises(DataError, match="y_score must have"):
        lift_at_k_score([0, 1], [0.1])
    with pytest.raises(ParameterError, match="costs must have shape"):
        expected_cost_score([0, 1], [0, 1], [[0]])
    with pytest.raises(ParameterError, match="target='regression'"):
        list_metrics("regression")


def test_bootstrap_refuses_bad_arguments():
    with pytest.raises(ParameterError, match="n_resamples"):
        bootstrap_interval([0, 1], [0, 1], n_resamples=0)
    with pytest.raises(ParameterError, match="confidence_level"):
        bootstrap_interval([0, 1], [0, 1], confidence_level=95)
    with pytest.raises(DataError, match="multilabel"):
        bootstrap_interval([[0, 1], [1, 0]], [[0, 1], [1, 0]])
    with pytest.raises(DataError, match="two or more classes"):
        bootstrap_interval([1, 1], [0.2, 0.3], "roc_auc")
    with pytest.raises(DataError, match="y_output must be finite"):
        bootstrap_interval([0, 1], [0.2, np.nan], "roc_auc")
    with pytest.raises(ParameterError, match="threshold must be None"):
        bootstrap_interval([0, 1], [0, 1], ImbalanceAwareScorer(threshold=0.3))
