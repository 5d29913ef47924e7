"""scikit-learn's and imbalanced-learn's common checks over every public class, discovered.

A class is checked as soon as it can be fitted and is exported; nothing is listed by hand but what
a meta-estimator is built around.
"""

from __future__ import annotations

import importlib
import inspect
import re

import pytest
from imblearn.base import SamplerMixin
from imblearn.utils.estimator_checks import estimator_checks_generator as imblearn_checks
from sklearn.base import BaseEstimator, clone
from sklearn.utils.estimator_checks import estimator_checks_generator as sklearn_checks

import skopt_wrap

# Exact comparisons of sample weights (1e-7) need float64 and full batches; the rest keeps each of
# the hundreds of fits that the checks make small. A setting is applied where a class has it.
SETTINGS = {
    "batch_size": -1,
    "cv": 2,
    "dtype": "float64",
    "epochs": 40,
    "max_trials": 2,
    "optimizer__learning_rate": 0.02,
    "param_grid": {"quantization": [None]},
    "random_state": 0,
    "space": {"optimizer__learning_rate": [0.02, 0.03]},
    "tuner": "random",
}


def public_estimators():
    """Yield every public class with `fit`."""
    for package in skopt_wrap._SUBPACKAGES:
        module = importlib.import_module(f"skopt_wrap.{package}")
        for name in module.__all__:
            item = getattr(module, name)
            if inspect.isclass(item) and issubclass(item, BaseEstimator) and hasattr(item, "fit"):
                yield item


def network(cls):
    """Return the network that suits a class of this name, small and exact."""
    kind = "KerasRegressor" if "Regressor" in cls.__name__ else "KerasClassifier"
    return configure(getattr(skopt_wrap, kind)())


def configure(estimator):
    """Return the estimator with the settings above that it has."""
    names = estimator.get_params()
    prefixed = hasattr(estimator, "_set_extra")
    chosen = {
        name: value
        for name, value in SETTINGS.items()
        if name in names or (prefixed and name.startswith("optimizer__"))
    }
    return clone(estimator).set_params(**chosen)


def instances(cls):
    """Yield what is checked of a class: as it is, or around a classifier and a regressor."""
    required = [
        parameter.name
        for parameter in inspect.signature(cls).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    ]
    if required:
        assert required == ["estimator"], f"{cls.__name__} needs {required}"
        yield configure(cls(network(cls)))
        if cls.__name__ == "CompressedModel":
            yield configure(cls(configure(skopt_wrap.KerasRegressor())))
    elif "model" in cls().get_params() and "cv" in cls().get_params():
        yield configure(cls(network(cls)))
    else:
        yield configure(cls())


ESTIMATORS = list(public_estimators())
INSTANCES = [instance for cls in ESTIMATORS for instance in instances(cls)]


def cases():
    for instance in INSTANCES:
        checks = list(sklearn_checks(instance))
        if isinstance(instance, SamplerMixin):
            checks += imblearn_checks(instance)
        for estimator, check in checks:
            name = getattr(check, "func", check).__name__
            wrapped = getattr(instance, "estimator", getattr(instance, "model", ""))
            label = type(instance).__name__
            if isinstance(wrapped, BaseEstimator):
                label += f"({type(wrapped).__name__})"
            yield pytest.param(estimator, check, id=f"{label}-{name}")


@pytest.mark.keras
@pytest.mark.filterwarnings("ignore::skopt_wrap.exceptions.SkoptWrapWarning")  # odd data
@pytest.mark.parametrize(("estimator", "check"), list(cases()))
def test_estimator_passes_common_check(estimator, check, monkeypatch):
    monkeypatch.setattr(
        "skopt_wrap.compression._litert._latency._SECONDS", 0.001
    )  # of no interest here
    check(estimator)


def test_every_exported_estimator_is_discovered():
    names = {cls.__name__ for cls in ESTIMATORS}
    assert {"KerasClassifier", "KerasRegressor", "TunedClassifier", "CompressedModel"} <= names
    assert {"TunedRegressor", "AugmentingSampler"} <= names


def test_samplers_are_checked_by_both_libraries():
    checked = [case.id for case in cases() if case.id.startswith("AugmentingSampler-")]
    assert len(checked) > 50
    assert any("check_samplers" in name for name in checked), "those of imbalanced-learn"
    assert any("check_estimator" in name for name in checked), "those of scikit-learn"


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda i: type(i).__name__)
def test_parameters_are_documented_and_constrained(instance):
    documented = inspect.getdoc(type(instance)).partition("Parameters\n")[2]
    documented = documented.partition("\nAttributes\n")[0]
    names = set(re.findall(r"[\w]+", "\n".join(re.findall(r"^([\w, ]+) :", documented, re.M))))
    assert set(type(instance)._get_param_names()) - names == set()
    assert set(type(instance)._get_param_names()) - set(instance._parameter_constraints) == set()
