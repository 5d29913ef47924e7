"""Trials whose networks are trained together have the results of trials run one by one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skopt_wrap import KerasClassifier, TunedClassifier
from skopt_wrap.exceptions import SkippedWarning
from skopt_wrap.training import clear_graphs
from skopt_wrap.tuning._execution._executors import Serial
from skopt_wrap.tuning._execution._joint import Joint
from skopt_wrap.tuning._execution._limits import Limits
from skopt_wrap.tuning._execution._make_workers import make_workers
from skopt_wrap.tuning._trial import TrialResult

pytest.importorskip("keras")
pytestmark = pytest.mark.keras
SPACE = {
    "model__units": [4, 8, 16],
    "model__dropout": [0.0, 0.2],
    "optimizer__learning_rate": [0.003, 0.01],
    "batch_size": [16, 32],
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 5))
    return X, np.digitize(X[:, 0] + X[:, 1], [-0.5, 0.5])


def search(network=None, **options):
    if network is None:
        network = KerasClassifier(dtype="float64", epochs=4)
    given = {"tuner": "random", "max_trials": 8, "cv": 2, "refit": False}
    options = {**given, "max_joint_bytes": 2**30, **options}
    return TunedClassifier(network, random_state=0, **{"space": SPACE, **options})


def assert_same(one, other):
    assert [t.params for t in one.trials_] == [t.params for t in other.trials_]
    np.testing.assert_allclose(
        one.cv_results_["mean_test_score"], other.cv_results_["mean_test_score"], atol=1e-12
    )
    for mine, theirs in zip(one.trials_, other.trials_, strict=True):
        for history, its in zip(mine.histories, theirs.histories, strict=True):
            np.testing.assert_allclose(history["loss"], its["loss"], rtol=1e-5)


@pytest.mark.filterwarnings("ignore:The grid has")
@pytest.mark.parametrize("tuner", ["random", "grid", "tpe", "bayesian", "halving", "hyperband"])
def test_trials_together_have_the_scores_of_trials_one_by_one(data, tuner):
    options = {"tuner": tuner, "max_trials": None if tuner == "halving" else 6}
    network = KerasClassifier(dtype="float64", epochs=9 if tuner == "hyperband" else 4)
    together = search(network, **options).fit(*data)
    alone = search(network, **options, max_joint_bytes=0).fit(*data)
    if tuner == "hyperband":  # it hears of results later, and may promote others
        assert [t.params for t in together.trials_[:9]] == [t.params for t in alone.trials_[:9]]
    else:
        assert_same(together, alone)
    assert together.cv_results_["n_joint"].max() > 2
    assert alone.cv_results_["n_joint"].max() == 2


def test_pipelines_and_early_stopping(data):
    network = KerasClassifier(dtype="float64", epochs=6, early_stopping=1)
    for estimator in (network, make_pipeline(StandardScaler(), network)):
        space = SPACE if estimator is network else {}
        space = space or {f"kerasclassifier__{name}": v for name, v in SPACE.items()}
        together = search(estimator, space=space, max_trials=5).fit(*data)
        assert_same(
            together, search(estimator, space=space, max_trials=5, max_joint_bytes=0).fit(*data)
        )
        assert together.cv_results_["n_joint"].max() > 2


@pytest.mark.filterwarnings("ignore:.*trials failed")
def test_a_trial_that_fails_does_not_touch_the_others(data):
    space = {**SPACE, "model__units": [4, -1, 8]}
    together = search(space=space).fit(*data)
    alone = search(space=space, max_joint_bytes=0).fit(*data)
    states = [trial.state for trial in together.trials_]
    assert "FAILED" in states and "COMPLETED" in states
    assert states == [trial.state for trial in alone.trials_]
    assert [t.error for t in together.trials_] == [t.error for t in alone.trials_]


def test_the_same_search_gives_the_same_result(data):
    found = [search(KerasClassifier(epochs=4)).fit(*data) for _ in range(2)]
    for one, other in zip(*(each.trials_ for each in found), strict=True):
        assert (one.scores, one.histories) == (other.scores, other.histories)


def test_memory_bounds_how_many_are_trained_together(data):
    wide = search(max_joint_bytes=None).fit(*data).cv_results_["n_joint"]
    narrow = search(max_joint_bytes=1).fit(*data).cv_results_["n_joint"]
    assert wide.max() > 2
    assert narrow.max() == 1


@pytest.mark.parametrize("options", [{"pruner": "median"}, {"trial_timeout": 60}])
def test_what_concerns_single_trials_runs_them_one_by_one(data, options):
    assert search(**options, max_trials=3).fit(*data).cv_results_["n_joint"].max() == 2


def test_an_error_of_no_trial_in_particular(data, monkeypatch):
    def broken(*_args, **_options):
        raise RuntimeError("out of luck")
        yield

    monkeypatch.setattr("skopt_wrap.tuning._execution._evaluation.evaluate_candidates", broken)
    with pytest.warns(SkippedWarning, match="one by one from here on.*RuntimeError: out of luck"):
        found = search(max_trials=3).fit(*data)
    assert [trial.state for trial in found.trials_] == ["COMPLETED"] * 3


class Evaluation:
    def together(self, *_args):
        raise NotImplementedError


def test_time_decides_how_many_are_trained_together():
    limits = Limits(100.0)
    joint = Joint(Evaluation(), limits)
    assert not joint._enough(1e6, 2)
    limits.begin()
    assert joint._enough(1e6, 1)  # the first one, to learn how fast it is
    joint._speed = 1e6  # a second
    assert not joint._enough(9e6, 1)
    assert joint._enough(11e6, 1)
    limits._begin -= 99.0  # one second is left
    assert joint._enough(0.5e6, 1)


def test_who_runs_trials():
    assert type(make_workers(Evaluation(), None, 9, max_joint_bytes=0)) is Serial
    assert type(make_workers(Evaluation(), None, 9, max_joint_bytes=1)) is Joint
    assert type(make_workers(len, None, 9, max_joint_bytes=1)) is Serial
    few = make_workers(Evaluation(), None, 99, stored=True, batch=4)
    assert few.capacity == 4
    for number in range(9):
        assert few.is_free
        few.submit(TrialResult(number, {}), lambda: False)
    assert not few.is_free and few.running == list(range(9))
    few.stop()
    assert few.is_free and few.running == []


def test_graphs_are_few(data):
    from skopt_wrap.training._joint import _graph

    clear_graphs()
    search(max_trials=8).fit(*data)
    assert len(_graph._GRAPHS) <= 6  # with and without dropout and padding, not one for each width
