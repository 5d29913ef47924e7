from __future__ import annotations

import contextlib
import re
import signal
import time

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skopt_wrap import KerasClassifier
from skopt_wrap.exceptions import (
    SearchError,
    SkippedWarning,
    TrainingInterruptedWarning,
    UnknownParameterError,
)
from skopt_wrap.tuning import TunedClassifier
from skopt_wrap.tuning._execution._worker_process import start_worker

NESTED = {"kerasclassifier__batch_size": [8, 16]}
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
        ({"space": {"power": object()}}, "list of one value"),
        ({"space": {}}, "nothing to search"),
        ({"space": None}, "space=None"),
        ({"max_trials": None}, "max_trials=None"),
        ({"tuner": "hyperband", "space": {"epochs": [1, 2]}}, "hyperband"),
        ({"tuner": "hyperband", "model": StandardScaler()}, "predict"),
        (
            {"tuner": "hyperband", "model": make_pipeline(KerasClassifier()), "space": NESTED},
            "a parameter named 'epochs'",
        ),
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
    slow = explosive(lambda: time.sleep(600), when=4)  # the first split of the second trial
    with pytest.warns(TrainingInterruptedWarning, match="max_time"):
        est = tuned(centroid, preprocessor=slow, max_time=2.0, max_trials=50).fit(*iris)
    assert 1 <= len(est.trials_) < 50
    assert est.predict(iris[0]).shape == (60,)


class Listener(BaseEstimator):
    """Notes whether it can be interrupted."""

    def fit(self, X, y):
        self.heard = 0
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            self.heard = 1
        return self


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


@pytest.mark.parametrize(("when", "n_signals"), [(1, 1), (3, 1), (6, 2)])
def test_ctrl_c_that_training_swallows_is_not_lost(centroid, iris, explosive, when, n_signals):
    def swallow():  # as a network does that restores its best weights
        for _ in range(n_signals):
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)

    search = tuned(centroid, preprocessor=explosive(swallow, when=when))  # three splits a trial
    if n_signals == 1:
        with pytest.raises(KeyboardInterrupt):
            search.fit(*iris)
    else:
        with pytest.warns(TrainingInterruptedWarning):
            search.fit(*iris)
        assert len(search.trials_) == 1
    assert explosive.count == when + (n_signals == 2)  # nothing else was fitted but the best


def test_workers_do_not_hear_ctrl_c():
    assert Listener().fit(None, None).heard == 1
    start_worker(None, [])  # in a worker, this process is one no longer than this test runs
    assert Listener().fit(None, None).heard == 0


def test_trial_without_memory_fails_alone(centroid, iris):
    import tensorflow as tf

    exhausted = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
    space = {"fail": [None, MemoryError("no room"), exhausted]}
    with pytest.warns(SkippedWarning, match="2 of 3 trials failed.*MemoryError: no room"):
        est = tuned(centroid, space=space, tuner="grid").fit(*iris)
    assert "ResourceExhaustedError" in est.trials_[2].error


def test_progress_is_shown_only_when_asked_for(centroid, iris, capfd):
    tuned(centroid).fit(*iris)
    assert capfd.readouterr() == ("", "")
    best = tuned(centroid, verbose=1).fit(*iris).best_score_
    shown = capfd.readouterr().err
    assert "4/4" in shown and f"best={best:.4f}" in shown and "s/trial" in shown
