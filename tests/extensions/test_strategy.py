"""Search strategies from outside the package, used through the public classes."""

from __future__ import annotations

import keras_tuner
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from skopt_wrap.exceptions import ParameterError, SearchError
from skopt_wrap.tuning import TunedClassifier

SPACE = {"C": [0.001, 0.01, 0.1, 1.0, 10.0], "fit_intercept": [True, False]}


class HillClimber:
    """Changes one value of the best trial so far; knows nothing of Keras Tuner's oracles."""

    def start(self, space, *, max_trials, seed, directions):
        self.space = {item.name: list(item.values) for item in space}
        self.random_state = np.random.RandomState(seed)
        self.best, self.best_score = None, -np.inf
        self.heard = []
        assert max_trials == 6 and directions == ("maximize",)

    def ask(self):
        values = {name: options[0] for name, options in self.space.items()}
        if self.best is not None:
            values = dict(self.best)
            name = self.random_state.choice(list(self.space))
            values[name] = self.space[name][self.random_state.randint(len(self.space[name]))]
        return values

    def tell(self, values, score):
        self.heard.append(score)
        if score is not None and score > self.best_score:
            self.best, self.best_score = values, score


class FromTheEnd:
    """Tries the values of each list from its end; makes an oracle of its own."""

    ends_itself = True

    def make_oracle(self, search):
        class Oracle(keras_tuner.Oracle):
            def populate_space(self, trial_id):
                number = len(self.trials)
                if number == 3:
                    return {"status": "STOPPED", "values": None}
                values = {item.name: item.values[-1 - number] for item in self.get_space().space}
                return {"status": "RUNNING", "values": values}

            def save(self):
                pass

            def _save_trial(self, trial):
                pass

        return Oracle(max_trials=search.max_trials, **search.oracle_arguments())


def search(tuner, **kwargs):
    settings = {"cv": 3, "space": SPACE, "max_trials": 6, "random_state": 0, **kwargs}
    return TunedClassifier(LogisticRegression(max_iter=50), tuner=tuner, **settings)


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return X[::3], y[::3]


def test_object_with_ask_and_tell_proposes_the_trials(iris):
    mine = HillClimber()
    est = search(mine).fit(*iris)
    assert len(est.trials_) == 6
    assert est.trials_[0].params == {"C": 0.001, "fit_intercept": True}
    heard = est.oracle_.strategy.heard
    np.testing.assert_allclose(heard, est.cv_results_["mean_test_score"])
    assert est.best_score_ == max(heard) > heard[0]
    assert vars(mine) == {}  # it is copied
    again = clone(est).fit(*iris)
    assert [t.params for t in again.trials_] == [t.params for t in est.trials_]


def test_object_with_ask_and_tell_works_with_storage_and_in_workers(iris, tmp_path):
    whole = search(HillClimber()).fit(*iris)
    search(HillClimber(), storage=tmp_path).fit(*iris)
    again = search(HillClimber(), storage=tmp_path).fit(*iris)
    assert [t.params for t in again.trials_] == [t.params for t in whole.trials_]
    parallel = search(HillClimber(), n_jobs=2, refit=False).fit(*iris)
    assert len(parallel.trials_) == 6


def test_failed_trial_is_told_as_none(iris):
    with pytest.warns(UserWarning, match="failed"):
        est = search(HillClimber(), space={"C": [-1.0, 1.0]}, refit=False, max_trials=6).fit(*iris)
    assert est.oracle_.strategy.heard[0] is None


def test_unknown_name_of_a_proposal_is_refused(iris):
    class Wrong(HillClimber):
        def ask(self):
            return {"c": 1.0}

    with pytest.raises(SearchError, match=r"returned \['c'\], which are no hyperparameters"):
        search(Wrong()).fit(*iris)


def test_object_that_makes_an_oracle(iris):
    est = search(FromTheEnd(), max_trials=None, space={"C": [0.1, 1.0, 10.0]}).fit(*iris)
    assert [t.params["C"] for t in est.trials_] == [10.0, 1.0, 0.1]
    with pytest.raises(ParameterError, match="single objective"):
        search(FromTheEnd(), objectives=["score", "latency"]).fit(*iris)


def test_max_trials_none_needs_a_strategy_that_ends(iris):
    with pytest.raises(ParameterError, match="max_trials=None"):
        search(HillClimber(), max_trials=None).fit(*iris)
