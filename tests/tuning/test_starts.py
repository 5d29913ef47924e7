"""Searches that start well: the untuned default, a portfolio, and many candidates on one epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import loguniform, randint, uniform
from sklearn.datasets import make_classification

from skopt_wrap import KerasClassifier, TunedClassifier
from skopt_wrap.exceptions import ParameterError
from skopt_wrap.tuning import Conditional, PerLayer, Screen, default_space
from skopt_wrap.tuning._candidate._pipeline import CandidatePipeline
from skopt_wrap.tuning._space import _starts
from skopt_wrap.tuning._space._portfolio import PORTFOLIOS
from skopt_wrap.tuning._space._search_space import SearchSpace

X, Y = make_classification(60, 5, random_state=0)
FIT = {"cv": 2, "epochs": 2, "refit": False, "random_state": 0}


def encoded(space: dict[str, Any], parameters: dict[str, Any]) -> Any:
    """Return what the oracle's values for some parameters stand for."""
    space_ = SearchSpace(space)
    values = space_.encode(parameters)
    return None if values is None else space_.decode(values)


@pytest.mark.parametrize(
    ("spec", "inside", "outside"),
    [
        ([16, 64], 64, 32),
        (["relu", None, (8, 4)], (8, 4), "tanh"),
        ([False, True], True, 1),
        (loguniform(1e-4, 1e-1), 0.003, 0.5),
        (uniform(0, 0.5), 0.0, 0.6),
        (randint(2, 9), 4, 9),
    ],
)
def test_values_of_a_space(spec: Any, inside: Any, outside: Any) -> None:
    assert encoded({"a": spec}, {"a": inside})["a"] == pytest.approx(inside)
    assert encoded({"a": spec}, {"a": outside}) is None


def test_conditions_and_layers() -> None:
    space = {
        "n": [1, 2, 3],
        "units": PerLayer([8, 16], "n"),
        "optimizer": ["adam", "sgd"],
        "momentum": Conditional([0.5, 0.9], when={"optimizer": ["sgd"]}),
    }
    assert encoded(space, {"n": 2, "units": (16, 8)})["units"] == (16, 8)
    assert encoded(space, {"n": 3, "units": 16})["units"] == (16, 16, 16)
    assert encoded(space, {"n": 3, "units": (16, 8)}) is None
    found = encoded(space, {"optimizer": "sgd", "momentum": 0.9})
    assert found["momentum"] == 0.9
    assert "momentum" not in encoded(space, {"optimizer": "adam", "momentum": 0.9})


@pytest.mark.parametrize("architecture", ["dense", "lstm", "realmlp"])
def test_the_untuned_default_is_in_the_compact_space(architecture: str) -> None:
    pipeline = CandidatePipeline(KerasClassifier(architecture), "", {}, None, 0)
    space = SearchSpace(default_space(architecture))
    first = space.decode(_starts.starting_values(space, pipeline)[0])
    untuned = _starts.untuned_parameters(pipeline, list(space.keys))
    assert first.keys() <= untuned.keys()
    for name, value in first.items():
        assert value == pytest.approx(untuned[name])


def test_what_the_data_settle_has_the_first_value_of_the_space() -> None:
    pipeline = CandidatePipeline(KerasClassifier("cnn"), "", {}, None, 0)
    space = SearchSpace(default_space("cnn"))
    first = space.decode(_starts.starting_values(space, pipeline)[0])
    untuned = _starts.untuned_parameters(pipeline, list(space.keys))
    assert first.pop("model__n_layers") == 1 and "model__n_layers" not in untuned
    assert {name: untuned[name] for name in first} == pytest.approx(first)


def test_portfolios_are_in_the_compact_space() -> None:
    for key, configurations in PORTFOLIOS.items():
        assert 2 <= len(configurations) <= 20
        for configuration in configurations:
            assert encoded(default_space(key[0]), dict(configuration)) is not None


def test_auto_begins_with_the_default_and_the_portfolio(monkeypatch: pytest.MonkeyPatch) -> None:
    good = ({"model__units": 8}, {"model__units": 32}, {"model__units": 16, "epochs": 9})
    monkeypatch.setattr(_starts, "PORTFOLIOS", {("dense", "classes"): good})
    space = {"model__units": [4, 8, 16, 64], "optimizer__learning_rate": loguniform(1e-4, 1e-2)}

    def search() -> TunedClassifier:
        return TunedClassifier(tuner="auto", space=space, max_trials=6, **FIT).fit(X, Y)

    found = search()
    results = found.cv_results_
    assert list(results["param_model__units"][:2]) == [64, 8]  # 32 is not in the space, 9 neither
    rates = np.array(results["param_optimizer__learning_rate"], float)
    np.testing.assert_allclose(rates[:2], 1e-3)
    assert len(results["params"]) == 6
    assert search().cv_results_["params"] == results["params"]


def test_auto_goes_on_from_a_storage(tmp_path: Any) -> None:
    space = {"model__units": [4, 8, 16, 32, 64, 128]}
    settings = {"tuner": "auto", "space": space, "storage": str(tmp_path / "log.jsonl"), **FIT}
    first = TunedClassifier(max_trials=2, **settings).fit(X, Y)
    second = TunedClassifier(max_trials=4, **settings).fit(X, Y)
    params = second.cv_results_["params"]
    assert params[:2] == first.cv_results_["params"]
    assert params[0] == {"model__units": 64}
    assert len({item["model__units"] for item in params}) == 4


def test_a_space_without_the_default_is_searched_at_once() -> None:
    pipeline = CandidatePipeline(KerasClassifier("dense"), "", {}, None, 0)
    space = SearchSpace({"model__units": [3, 5]})
    assert _starts.starting_values(space, pipeline) == []
    search = TunedClassifier(tuner="auto", space={"model__units": [3, 5]}, max_trials=2, **FIT)
    assert len(search.fit(X, Y).cv_results_["params"]) == 2


def test_screen_trains_many_for_one_epoch_and_finishes_the_best() -> None:
    space = {"model__units": [4, 8, 16, 32], "optimizer__learning_rate": loguniform(1e-4, 1e-1)}
    settings = {**FIT, "epochs": 4}
    search = TunedClassifier(
        tuner=Screen(n_candidates=5, n_finalists=2), space=space, max_trials=None, **settings
    ).fit(X, Y)
    results = search.cv_results_
    assert list(results["n_epochs"]) == [1] * 5 + [4] * 2
    scores = np.asarray(results["mean_test_score"])
    assert search.best_index_ in (5, 6)
    best = sorted(range(5), key=lambda i: -scores[i])[:2]
    for place, winner in zip((5, 6), best, strict=True):
        finalist, candidate = results["params"][place], results["params"][winner]
        assert finalist["model__units"] == candidate["model__units"]
        assert finalist["epochs"] == 4


def test_screen_counts() -> None:
    assert Screen().sizes(20, epochs=50) == (100, 5)
    assert Screen().sizes(None, epochs=2) == (30, 5)
    assert Screen().sizes(1, epochs=5) == (5, 1)
    with pytest.raises(ParameterError, match="n_candidates"):
        Screen(n_candidates=0)
    with pytest.raises(ParameterError, match="n_finalists"):
        Screen(n_candidates=2, n_finalists=3)


@pytest.mark.parametrize(
    "scoring,refit,first",
    [
        (None, True, 0.1),
        ("accuracy", True, 0.1),
        ("neg_log_loss", True, 0.0),
        ("roc_auc_ovr", True, 0.0),
        (["accuracy", "neg_log_loss"], "neg_log_loss", 0.0),
        (["accuracy", "neg_log_loss"], "accuracy", 0.1),
    ],
)
def test_a_score_of_probabilities_starts_without_label_smoothing(
    scoring: Any, refit: Any, first: float
) -> None:
    space = SearchSpace({"model__label_smoothing": [0.0, 0.05, 0.1]})
    pipeline = CandidatePipeline(KerasClassifier("realmlp"), "", {}, None, 0)
    probabilities = _starts.scores_probabilities(scoring, refit)
    [start] = _starts.starting_values(space, pipeline, probabilities=probabilities)
    assert space.decode(start) == {"model__label_smoothing": first}
