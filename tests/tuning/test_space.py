from __future__ import annotations

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from scipy import stats

from skopt_wrap.exceptions import BuilderError, ParameterError
from skopt_wrap.tuning._space._presets import default_space
from skopt_wrap.tuning._space._search_space import SearchSpace, make_dimension


def draw(spec, n=400):
    dimension = make_dimension("p", spec)
    return [dimension.decode(dimension.hyperparameter.random_sample(i)) for i in range(n)]


@pytest.mark.parametrize(
    "options",
    [
        [1, 2, 3],
        [0.1, 0.2],
        ["relu", "tanh"],
        [True, False],
        [None, 0.5],
        [(64,), (64, 32)],
        [1, "auto", 2.5],
        np.array([16, 32]),
        (3, 3, 5),
        range(2, 5),
    ],
    ids=str,
)
def test_choice_gives_back_the_very_values(options):
    values = draw(options)
    assert {repr(v) for v in values} == {repr(v) for v in list(options)} or isinstance(
        options, np.ndarray
    )
    assert set(map(str, values)) == set(map(str, options))


def test_choice_of_bools_stays_bool():
    assert all(isinstance(value, bool) for value in draw([True, False]))


@pytest.mark.parametrize(
    "distribution",
    [stats.uniform(-1, 3), stats.loguniform(1e-4, 1e-1), stats.norm(2, 3), stats.expon()],
    ids=["uniform", "loguniform", "norm", "expon"],
)
def test_continuous_distribution_is_sampled_exactly(distribution):
    assert stats.kstest(draw(distribution), distribution.cdf).pvalue > 0.01


@pytest.mark.parametrize(
    "distribution",
    [stats.randint(2, 6), stats.binom(5, 0.4), stats.poisson(3)],
    ids=["randint", "binom", "poisson"],
)
def test_discrete_distribution_gives_ints_of_its_support(distribution):
    values = draw(distribution)
    assert all(type(value) is int for value in values)
    assert np.all(distribution.pmf(values) > 0)
    assert abs(np.mean(values) - distribution.mean()) < 4 * distribution.std() / 20


def test_quantile_grid_has_ten_values_and_starts_inside():
    dimension = make_dimension("p", stats.loguniform(1e-4, 1e-1))
    values = list(dimension.hyperparameter.values)
    assert len(values) == 10
    assert dimension.hyperparameter.default in values


def test_optuna_distributions_keep_bounds_steps_and_scale():
    integers = draw(IntDistribution(2, 11, step=3))
    assert set(integers) == {2, 5, 8, 11}
    logs = np.log(draw(FloatDistribution(1e-4, 1.0, log=True)))
    assert stats.kstest(logs, stats.uniform(np.log(1e-4), -np.log(1e-4)).cdf).pvalue > 0.01
    assert set(draw(CategoricalDistribution([None, "x"]))) == {None, "x"}
    assert max(draw(IntDistribution(1, 64, log=True))) <= 64


@pytest.mark.parametrize("spec", [object(), stats.uniform, []])
def test_bad_entry_names_the_parameter(spec):
    with pytest.raises(ParameterError, match=r"space\['model__units'\]"):
        make_dimension("model__units", spec)


def test_model_function_declares_conditional_hyperparameters():
    calls = []

    def build(hp):
        calls.append(1)
        kind = hp.Choice("kind", ["a", "b"])
        with hp.conditional_scope("kind", ["b"]):
            if kind == "b":
                hp.Int("hidden", 4, 16)

    space = SearchSpace({"batch_size": [8, 16]}, build)
    assert [item.name for item in space.hyperparameters.space] == ["batch_size", "kind", "hidden"]
    assert space.default() == {"batch_size": 8, "kind": "a"}
    assert len(calls) == 2


def test_scope_that_never_opens_ends_the_discovery():
    def build(hp):
        hp.Boolean("flag")
        with hp.conditional_scope("flag", ["never"]):
            hp.Int("hidden", 4, 16)

    assert SearchSpace({}, build).size() >= 2


def test_name_in_the_space_and_in_the_model_function_takes_the_values_of_the_space():
    seen = []
    space = SearchSpace(
        {"units": [16, 32], "epochs": [1, 2]}, lambda hp: seen.append(hp.Choice("units", [4, 8]))
    )
    assert {"units", "epochs"} <= set(space.keys)
    assert space.tailored == {"units"}
    assert set(seen) <= {4, 8, 16, 32}


def test_model_function_that_raises_is_a_builder_error():
    def build(hp):
        raise KeyError("oops")

    with pytest.raises(BuilderError, match="KeyError"):
        SearchSpace({}, build)


@pytest.mark.parametrize("architecture", ["dense", "cnn", "lstm"])
def test_default_space_names_knobs_of_the_architecture(architecture):
    from skopt_wrap import KerasClassifier

    space = default_space(architecture)
    known = KerasClassifier(architecture).get_params()
    assert all(name in known for name in space if name.startswith("model__"))
    SearchSpace(space)


def test_default_space_refuses_an_unknown_architecture():
    with pytest.raises(ParameterError, match="Did you mean 'dense'"):
        default_space("denze")
