"""Folds of a trial are trained together: same scores, no leak, errors of their own trial."""

from __future__ import annotations

import numpy as np
import pytest
from imblearn.base import BaseSampler
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import Pipeline as SamplingPipeline
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_selection import SelectKBest
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skopt_wrap import KerasClassifier, TunedClassifier
from skopt_wrap.exceptions import SkippedWarning
from skopt_wrap.tuning import TrialResult
from skopt_wrap.tuning._execution._evaluation import TimeIsUp, evaluate_trial
from skopt_wrap.tuning._trial import Task

pytestmark = pytest.mark.keras


def net(**params):
    return KerasClassifier("dense", **{"epochs": 3, "batch_size": 16, "random_state": 0, **params})


@pytest.mark.parametrize("parts", ["network", "preprocessor", "preprocessor and sampler"])
def test_folds_trained_together_score_as_grid_search_scores_them(parts, iris):
    X, y = iris
    X, y = X[5:], y[5:]  # classes and folds of unequal size
    scale = StandardScaler() if "preprocessor" in parts else None
    sample = RandomOverSampler(random_state=1) if "sampler" in parts else None
    grid = {"model__units": [8, 16], "batch_size": [8]}
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    steps = [("scale", scale), ("sample", sample), ("net", net())]
    pipe = SamplingPipeline([(name, step) for name, step in steps if step is not None])
    theirs = GridSearchCV(pipe, {f"net__{k}": v for k, v in grid.items()}, cv=cv).fit(X, y)
    ours = TunedClassifier(
        net(),
        tuner="grid",
        max_trials=None,
        cv=cv,
        space=grid,
        preprocessor=scale,
        sampler=sample,
        random_state=0,
    ).fit(X, y)
    for split in range(3):
        name = f"split{split}_test_score"
        np.testing.assert_allclose(ours.cv_results_[name], theirs.cv_results_[name], atol=1e-6)
    assert ours.cv_results_["fit_path"].shape == (2,)
    assert all(len(trial.fit_path) == 3 and all(trial.fit_path) for trial in ours.trials_)


class Picky(TransformerMixin, BaseEstimator):
    """Raises when the row that starts with 99 is among those it is fitted on."""

    def __init__(self, strict=False):
        self.strict = strict

    def fit(self, X, y=None):
        if self.strict and (X[:, 0] == 99.0).any():
            raise ZeroDivisionError("picky")
        self.fitted_ = True
        return self

    def transform(self, X):
        return X


def test_fold_that_fails_fails_its_trial_with_its_traceback(iris):
    X, y = iris
    X = X.copy()
    X[0, 0] = 99.0
    search = TunedClassifier(
        net(epochs=1),
        tuner="grid",
        space={"preprocessor__strict": [False, True]},
        preprocessor=Picky(),
        cv=2,
        random_state=0,
    )
    with pytest.warns(SkippedWarning, match="1 of 2 trials failed"):
        search.fit(X, y)
    assert list(search.cv_results_["state"]) == ["COMPLETED", "FAILED"]
    assert 'raise ZeroDivisionError("picky")' in search.trials_[1].traceback


class Peeking(BaseSampler):
    """A sampler that would leak: it adds a column with the class to every row it sees."""

    _sampling_type = "bypass"
    _parameter_constraints = {}  # noqa: RUF012

    def fit_resample(self, X, y):
        return self._fit_resample(X, y)

    def _fit_resample(self, X, y):
        X = np.array(X)
        X[:, 0] = 5.0 * y
        return X, y


@pytest.mark.parametrize("leak", ["preprocessor", "sampler"])
def test_planted_leak_does_not_score(leak):
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(60, 300)), rng.permutation(np.repeat([0, 1], 30))
    parts = {"preprocessor": SelectKBest(k=8)} if leak == "preprocessor" else {"sampler": Peeking()}
    search = TunedClassifier(
        net(epochs=12, optimizer__learning_rate=0.01),
        tuner="grid",
        space={"model__units": [16]},
        cv=4,
        random_state=0,
        **parts,
    ).fit(X, y)
    assert search.history_["loss"][-1] < 0.5  # it learns its training rows
    assert search.best_score_ < 0.68


def task_of(iris):
    X, y = iris
    splits = list(StratifiedKFold(2).split(X, y))
    return Task(X, y, splits, check_scoring(net(), "accuracy"), {}, {})


def test_pruned_trial_keeps_the_scores_of_its_last_checkpoint(iris):
    result, seen = TrialResult(0, {}), []

    def report(epoch, means):
        seen.append(epoch)
        return epoch < 4

    options = {"error_score": np.nan, "out_of_time": lambda: False}
    error = evaluate_trial(
        result,
        Pipeline([("scale", StandardScaler()), ("net", net(epochs=9))]),
        task_of(iris),
        checkpoint_epochs=[2, 4, 6],
        report=report,
        **options,
    )
    assert error is None and result.state == "PRUNED" and seen == [2, 4]
    assert result.reports[4]["score"] == pytest.approx(result.mean("score"))
    short = TrialResult(1, {})
    pipe = Pipeline([("scale", StandardScaler()), ("net", net(epochs=4))])
    evaluate_trial(short, pipe, task_of(iris), **options)
    assert short.scores == result.scores and short.state == "COMPLETED"


def test_trial_that_runs_out_of_time_is_dropped_between_epochs(iris):
    asked = []

    def out_of_time():
        asked.append(True)
        return len(asked) >= 8

    with pytest.raises(TimeIsUp):
        evaluate_trial(
            TrialResult(0, {}),
            net(epochs=500),
            task_of(iris),
            error_score=np.nan,
            out_of_time=out_of_time,
        )
    assert len(asked) == 8
