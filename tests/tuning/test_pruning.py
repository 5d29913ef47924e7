from __future__ import annotations

import pickle

import numpy as np
import optuna
import pytest
from sklearn.base import clone

from skopt_wrap.exceptions import ParameterError, SearchError, SkippedWarning
from skopt_wrap.tuning import Halving, TrialResult, TunedClassifier
from skopt_wrap.tuning._strategies._factory import make_oracle
from skopt_wrap.tuning._strategies._pruners import Pruning, checkpoint_epochs

RATES = [0.05, 0.03, 0.02, 1e-6, 2e-6, 3e-6]  # the last three learn nothing


def only(metrics):
    return metrics[0]


def run(pruning, curves):
    """Feed learning curves; return the epoch at which each trial was stopped, or None."""
    stops = []
    for number, curve in enumerate(curves):
        result = TrialResult(number, {})
        watch = pruning.watch(result)
        stops.append(None)
        for epoch in watch["checkpoint_epochs"]:
            result.reports[epoch] = {"score": curve(epoch)}
            if not watch["report"](epoch, result.reports[epoch]):
                stops[-1], result.state = epoch, "PRUNED"
                break
        else:
            result.scores = {"score": [curve(100)]}
        pruning.finish(result)
    return stops


def test_median_stops_what_is_worse_than_half_of_the_trials_before():
    good = [lambda e, k=k: k + e / 100 for k in range(5)]
    stops = run(Pruning("median", 20, only), [*good, lambda e: 1.5 + e / 100, lambda e: 9.0])
    assert stops == [None] * 5 + [2, None]


def test_successive_halving_stops_at_its_rungs():
    curves = [lambda e, k=k: -float(k) for k in range(9)]  # ever worse
    stops = run(Pruning("successive_halving", 27, only), curves)
    assert stops[0] is None
    assert all(stop in (1, 3, 9) for stop in stops[3:])


@pytest.mark.parametrize("pruner", ["median", "successive_halving", "hyperband"])
def test_a_copy_fed_with_results_decides_as_the_original(pruner):
    rng = np.random.RandomState(0)
    curves = [lambda e, a=a: a * e for a in rng.uniform(size=14)]
    first = Pruning(pruner, 27, only)
    other = pickle.loads(pickle.dumps(Pruning(pruner, 27, only)))
    stops = run(first, curves[:8])
    for number, (curve, stop) in enumerate(zip(curves[:8], stops, strict=True)):
        reports = {e: {"score": curve(e)} for e in first.checkpoints if stop is None or e <= stop}
        result = TrialResult(number, {}, "PRUNED" if stop else "COMPLETED", reports=reports)
        result.scores = {"score": [curve(stop or 100)]}
        other.finish(result)
    assert run(first, curves[8:]) == run(other, curves[8:])


def test_checkpoints_lie_inside_the_training():
    for pruner in ("median", "successive_halving", "hyperband", optuna.pruners.NopPruner()):
        for epochs in (1, 2, 5, 9, 50, 1000):
            points = checkpoint_epochs(pruner, epochs)
            assert all(1 <= point < epochs for point in points)
            assert len(points) <= 20
            assert epochs < 3 or points


@pytest.mark.keras
@pytest.mark.parametrize("tuner", ["bayesian", "tpe"])
def test_hopeless_trials_are_pruned_with_every_strategy(tuner, iris):
    est = TunedClassifier(
        tuner=tuner,
        max_trials=6,
        pruner="successive_halving",
        cv=2,
        space={"optimizer__learning_rate": RATES},
        epochs=9,
        random_state=0,
    ).fit(*iris)
    states = est.cv_results_["state"]
    assert set(states) == {"COMPLETED", "PRUNED"}
    assert states[est.best_index_] == "COMPLETED"
    for trial in est.trials_:
        epoch = est.cv_results_["n_epochs"][trial.number]
        if trial.state == "PRUNED":
            assert epoch == max(trial.reports) in (1, 3)
            last = trial.reports[epoch]["score"]
            assert trial.mean("score") == pytest.approx(last)
        else:
            assert epoch is np.ma.masked and sorted(trial.reports) == [1, 3]
    pruned = states == "PRUNED"
    ranks = est.cv_results_["rank_test_score"]
    assert ranks[pruned].min() > ranks[~pruned].max()
    told = [trial.score for trial in est.oracle_.trials.values()]
    np.testing.assert_allclose(told, est.cv_results_["mean_test_score"])
    if tuner == "tpe":
        kinds = [trial.state.name for trial in est.oracle_.study.trials if trial.params]
        assert kinds.count("PRUNED") == pruned.sum()
        again = clone(est).fit(*iris)
        np.testing.assert_array_equal(
            again.cv_results_["mean_test_score"], est.cv_results_["mean_test_score"]
        )


@pytest.mark.keras
def test_search_whose_trials_are_all_pruned_says_so(iris):
    never = optuna.pruners.ThresholdPruner(lower=2.0)
    est = TunedClassifier(pruner=never, tuner="grid", space={"batch_size": [20, 30]}, epochs=3)
    with pytest.raises(SearchError, match="all 2 trials were pruned"):
        est.set_params(cv=2).fit(*iris)


def test_pruner_needs_epochs_and_a_strategy_that_has_none_of_its_own(iris, centroid):
    base = TunedClassifier(centroid, space={"power": [1.0, 2.0]}, cv=2, pruner="median")
    with pytest.raises(ParameterError, match="stops bad candidates itself"):
        clone(base).set_params(tuner=Halving(resource="samples")).fit(*iris)
    with pytest.raises(ParameterError, match="stops bad candidates itself"):
        clone(base).set_params(tuner="hyperband").fit(*iris)
    from sklearn.linear_model import RidgeClassifier

    with pytest.raises(ParameterError, match="parameter named 'epochs'"):
        clone(base).set_params(model=RidgeClassifier(), space={"alpha": [1.0, 2.0]}).fit(*iris)
    with pytest.warns(SkippedWarning, match="never asked"):
        clone(base).set_params(tuner="grid").fit(*iris)


def test_pruned_reports_of_a_hyperparameter_that_appeared_late():
    import keras_tuner

    from skopt_wrap.tuning._keras_tuner import temporary_folder

    oracle, _ = make_oracle("tpe", keras_tuner.HyperParameters(), max_trials=3, epochs=None, seed=1)
    with temporary_folder(oracle):
        while (trial := oracle.create_trial("t")).status == "RUNNING":
            trial.hyperparameters.Int("late", 1, 100)
            oracle.set_reports(trial.trial_id, {2: 0.5})
            oracle.update_trial(trial.trial_id, {"score": 0.5})
            trial.status = "COMPLETED"
            oracle.end_trial(trial)
    pruned = [t for t in oracle.study.trials if t.state.name == "PRUNED"]
    assert len(pruned) == 3
    assert all(t.intermediate_values == {2: 0.5} for t in pruned)


@pytest.mark.keras
def test_pruner_looks_at_the_score_of_every_architecture(iris):
    est = TunedClassifier(
        "auto", tuner="grid", pruner="median", cv=2, epochs=2, space={"batch_size": [20]},
        random_state=0,
    ).fit(*iris)  # fmt: skip
    assert [list(means) for means in est.trials_[0].reports.values()] == [["score"]]
    assert est.model_.count_params() in est.families_["n_parameters"].tolist()
