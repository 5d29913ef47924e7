from __future__ import annotations

import re
import signal
import time

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from skopt_wrap.exceptions import (
    SearchError,
    SkippedWarning,
    TrainingInterruptedWarning,
    UnknownParameterError,
)
from skopt_wrap.tuning import TunedClassifier

SPACE = {"shift": stats.uniform(-3, 6), "power": [1.0, 2.0]}


def tuned(model, **kwargs):
    settings = {"tuner": "random", "max_trials": 4, "cv": 3, "space": SPACE, "random_state": 0}
    return TunedClassifier(model, **{**settings, **kwargs})


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"scoring": ["accuracy", "f1_macro"]}, "refit"),
        ({"scoring": ["accuracy", "f1_macro"], "refit": "f1_makro"}, "Did you mean 'f1_macro'"),
        ({"scoring": "roc_auc"}, "multi_class"),
        ({"scoring": lambda estimator, X, y: "good"}, "must return a number"),
        ({"scoring": []}, "at least one"),
        ({"space": {"power": 2.0}}, "list of one value"),
        ({"space": {}}, "nothing to search"),
        ({"space": None}, "space=None"),
        ({"max_trials": None}, "max_trials=None"),
        ({"tuner": "hyperband", "space": {"epochs": [1, 2]}}, "hyperband"),
        ({"tuner": "hyperband", "model": StandardScaler()}, "predict"),
        ({"tuner": "annealing"}, "tuner"),
        ({"cv": 1.5}, "cv"),
        ({"model": Ridge()}, "wrong kind"),
    ],
    ids=lambda value: re.sub(r"0x\w+", "", str(value))[:40],
)
def test_wrong_parameter_raises_before_training(centroid, iris, kwargs, match, explosive):
    kwargs.setdefault("preprocessor", explosive())
    with pytest.raises(ValueError, match=match):
        tuned(**{"model": centroid, **kwargs}).fit(*iris)
    assert explosive.count == 0


def test_unknown_parameter_in_the_space_raises_before_training(centroid, iris, explosive):
    with pytest.raises(ValueError, match="powr"):
        tuned(centroid, space={"powr": [1, 2]}, preprocessor=explosive()).fit(*iris)
    from skopt_wrap import KerasClassifier

    with pytest.raises(UnknownParameterError, match="model__units"):
        tuned(KerasClassifier(), space={"model__unit": [1]}, preprocessor=explosive()).fit(*iris)
    assert explosive.count == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_values_raise_before_training(centroid, iris, bad):
    X, y = iris
    X = X.copy()
    X[0, 0] = bad
    with pytest.raises(ValueError, match="X contains"):
        tuned(centroid).fit(X, y)
    with pytest.raises(ValueError, match="class"):
        tuned(centroid).fit(X[1:], np.zeros(len(X) - 1))


def test_scorer_that_looks_inside_the_estimator_is_accepted(centroid, iris):
    est = tuned(centroid, scoring=lambda e, X, y: float(-abs(e.centroids_).sum())).fit(*iris)
    assert est.best_score_ < 0


def test_failed_trials_fail_alone(centroid, iris):
    space = {"fail": [None, ValueError("boom"), KeyError("bang")]}
    with pytest.warns(SkippedWarning, match="2 of 3 trials failed.*boom"):
        est = tuned(centroid, space=space, tuner="grid", error_score=-1.0).fit(*iris)
    assert [trial.state for trial in est.trials_] == ["COMPLETED", "FAILED", "FAILED"]
    assert "raise self.fail" in est.trials_[1].traceback
    assert est.trials_[2].error.startswith("KeyError")
    assert est.best_index_ == 0
    np.testing.assert_array_equal(est.cv_results_["mean_test_score"][1:], -1.0)


def test_failed_trial_is_never_the_best(centroid, iris):
    space = {"fail": [None, ValueError("boom")]}
    with pytest.warns(SkippedWarning):
        est = tuned(centroid, space=space, tuner="grid", error_score=2.0).fit(*iris)
    assert est.best_index_ == 0 and est.best_params_ == {"fail": None}


def test_all_trials_failed_raises_the_first_error(centroid, iris):
    space = {"fail": [ValueError("first"), KeyError("second")]}
    with pytest.raises(ValueError, match="first") as caught:
        tuned(centroid, space=space, tuner="grid").fit(*iris)
    assert "All 2 trials" in caught.value.__notes__[0]


def test_error_score_raise_ends_at_once(centroid, iris):
    space = {"fail": [None, ValueError("boom")]}
    with pytest.raises(ValueError, match="boom"):
        tuned(centroid, space=space, tuner="grid", error_score="raise").fit(*iris)


def test_score_that_is_not_finite_fails_the_trial(centroid, iris):
    with pytest.raises(SearchError, match="not finite"):
        tuned(centroid, scoring=lambda e, X, y: float("nan")).fit(*iris)


def test_time_limit_keeps_what_is_done(centroid, iris, explosive):
    slow = explosive(lambda: time.sleep(0.2), when=4)  # the first split of the second trial
    with pytest.warns(TrainingInterruptedWarning, match="max_time"):
        est = tuned(centroid, preprocessor=slow, max_time=0.1, max_trials=50).fit(*iris)
    assert 1 <= len(est.trials_) < 50
    assert est.predict(iris[0]).shape == (60,)


def test_ctrl_c_lets_the_running_trial_finish(centroid, iris, explosive):
    stop = explosive(lambda: signal.raise_signal(signal.SIGINT), when=4)
    with pytest.warns(TrainingInterruptedWarning, match="interrupted"):
        est = tuned(centroid, preprocessor=stop).fit(*iris)
    assert len(est.trials_) == 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_second_ctrl_c_drops_the_running_trial(centroid, iris, explosive):
    def twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.warns(TrainingInterruptedWarning):
        est = tuned(centroid, preprocessor=explosive(twice, when=4)).fit(*iris)
    assert len(est.trials_) == 1


def test_ctrl_c_in_the_first_trial_is_raised(centroid, iris, explosive):
    stop = explosive(lambda: signal.raise_signal(signal.SIGINT), when=2)
    with pytest.raises(KeyboardInterrupt):
        tuned(centroid, preprocessor=stop).fit(*iris)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
