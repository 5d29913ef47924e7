"""Prefixed parameters, apart from any network."""

from __future__ import annotations

import functools

import pytest
from sklearn.base import BaseEstimator, clone

from skopt_wrap._params import PrefixedParamsMixin, builder_parameters
from skopt_wrap.exceptions import ParameterError, UnknownParameterError


def build(meta, units=8, *, rate):
    return meta, units, rate


class Estimator(PrefixedParamsMixin, BaseEstimator):
    def __init__(self, model=build, augment=None, **extra):
        self.model, self.augment = model, augment
        self._set_extra(extra)

    def _builder(self):
        return self.model if callable(self.model) else None

    def _model_usable(self):
        return self._builder() is not None


@pytest.mark.parametrize(
    "builder,names,open_ended",
    [
        (build, ["units", "rate"], False),
        (functools.partial(build, units=3), ["units", "rate"], False),
        (lambda **kw: None, [], True),
        (lambda *args, a=1, compile_kwargs=None: None, ["a"], False),
    ],
)
def test_parameters_of_a_builder(builder, names, open_ended):
    found, takes_any = builder_parameters(builder)
    assert list(found) == names and takes_any is open_ended


def test_both_spellings_of_a_parameter_are_one():
    estimator = Estimator(units=3)
    assert estimator.get_params()["units"] == 3
    estimator.set_params(model__units=5)
    assert estimator.get_params()["model__units"] == 5 and "units" not in estimator.get_params()
    with pytest.raises(ParameterError, match="same parameter"):
        Estimator(units=3, model__units=4)
    assert clone(estimator).get_params() == estimator.get_params()


def test_defaults_are_listed_and_missing_ones_are_not():
    params = Estimator().get_params()
    assert params["model__units"] == 8 and "model__rate" not in params
    assert "model__units" not in Estimator().get_params(deep=False)


@pytest.mark.parametrize("name", ["unit", "model__unit", "fit__epoch", "predict__size", "nothing"])
def test_unknown_names_are_refused_and_nothing_is_set(name):
    with pytest.raises(UnknownParameterError, match=name):
        Estimator(**{name: 1})
    estimator = Estimator(units=4)
    before = estimator.get_params()
    with pytest.raises(UnknownParameterError):
        estimator.set_params(augment="x", **{name: 1})
    assert estimator.get_params() == before


def test_another_model_drops_what_it_does_not_take():
    estimator = Estimator(rate=1, optimizer__learning_rate=0.1)
    estimator.set_params(model=lambda units=1: None)
    assert estimator._routed("model") == {}
    assert estimator._routed("optimizer") == {"learning_rate": 0.1}
