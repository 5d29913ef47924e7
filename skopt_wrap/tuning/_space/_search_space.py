"""Search spaces: scipy, list and Optuna notation turned into Keras Tuner hyperparameters.

Keras Tuner's oracles understand four kinds of hyperparameter. A distribution that is none of
them is searched by its quantile: the oracle proposes q in (0, 1) and the trial is trained with
the inverse distribution function of q, which is exact for random search and gives the
model-based strategies an evenly scaled axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine import hyperparameters as kinds
from scipy.stats import rv_continuous, rv_discrete

from ...exceptions import ParameterError
from .._keras_tuner import Parent
from ._conditions import REMOVE, Conditional, PerLayer, cases, describe, in_order, is_constant
from ._declared import declared_by, discover

_TAIL = 1e-3  # a quantile never asks for an infinite end of a distribution
TUNER_PREFIX = "tuner/"  # names that Keras Tuner's oracles use for their own bookkeeping


def resource_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the strategy gave a trial to train with, out of the oracle's values.

    Examples
    --------
    >>> from skopt_wrap.tuning._space._search_space import resource_of
    >>> resource_of({"units": 8, "tuner/epochs": 3, "tuner/trial_id": "0001"})
    {'epochs': 3}
    """
    named = {name: TUNER_PREFIX + name for name in ("epochs", "samples", "iter")}
    return {name: values[key] for name, key in named.items() if key in values}


@dataclass(frozen=True)
class Dimension:
    """One parameter of a search.

    Attributes
    ----------
    hyperparameter : keras_tuner.engine.hyperparameters.HyperParameter
        What the oracle sees.
    decode : callable
        Turns the oracle's value into the parameter's value.
    """

    hyperparameter: kinds.HyperParameter
    decode: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def _plain(value: Any) -> Any:
    """Return a NumPy scalar as the Python number it holds."""
    return value.item() if isinstance(value, np.generic) else value


def _choice(name: str, options: Sequence[Any]) -> Dimension:
    if len(options) == 0:
        raise ParameterError(f"space[{name!r}] is an empty list; it needs at least one value.")
    plain = [_plain(option) for option in options]
    if len({type(option) for option in plain}) == 1 and type(plain[0]) in (int, float, str):
        labels: list[Any] = list(dict.fromkeys(plain))
        table = dict(zip(reversed(plain), reversed(list(options)), strict=True))
    else:  # Keras Tuner takes neither None, nor tuples, nor mixed types, and turns bools into ints
        labels = [f"{index}: {option!r}" for index, option in enumerate(plain)]
        table = dict(zip(labels, options, strict=True))
    return Dimension(kinds.Choice(name, labels), table.__getitem__)


def _quantile(name: str, inverse: Callable[[float], Any], discrete: bool) -> Dimension:
    ends = [float(inverse(0.0)), float(inverse(1.0))]
    low = 0.0 if math.isfinite(ends[0]) else _TAIL
    high = 1.0 if math.isfinite(ends[1]) else 1.0 - _TAIL
    grid = sorted(kinds.Float(name, low, high).values)
    # A grid search starts from the default, and repeats no value when it is a point of the grid.
    hyperparameter = kinds.Float(name, low, high, default=grid[len(grid) // 2])
    smallest = float(inverse(np.nextafter(0.0, 1.0))) if discrete else ends[0]

    def decode(quantile: float) -> Any:
        value = float(inverse(quantile))
        return int(max(value, smallest)) if discrete else value

    return Dimension(hyperparameter, decode)


def _from_scipy(name: str, distribution: Any) -> Dimension:
    kind = distribution.dist
    if isinstance(kind, rv_discrete) and kind.name == "randint":
        low, high = (int(end) for end in distribution.support())
        return Dimension(kinds.Int(name, low, high), _same)
    return _quantile(name, distribution.ppf, isinstance(kind, rv_discrete))


def _from_optuna(name: str, distribution: Any) -> Dimension:
    kind = type(distribution).__name__
    if kind == "CategoricalDistribution":
        return _choice(name, distribution.choices)
    make = kinds.Int if kind == "IntDistribution" else kinds.Float
    sampling = "log" if distribution.log else "linear"
    step = None if distribution.log else distribution.step
    hyperparameter = make(name, distribution.low, distribution.high, step=step, sampling=sampling)
    return Dimension(hyperparameter, _same)


def _is_scipy(spec: Any) -> bool:
    return isinstance(getattr(spec, "dist", None), (rv_continuous, rv_discrete))


def _is_optuna(spec: Any) -> bool:
    return type(spec).__module__ == "optuna.distributions" and hasattr(spec, "single")


def make_dimension(
    name: str, spec: Any, conditions: Sequence[Any] = (), *, key: str | None = None
) -> Dimension:
    """Turn one entry of a space into a dimension.

    Parameters
    ----------
    name : str
        Parameter name, such as ``"model__units"``.
    spec : list, tuple, 1-D array, constant, distribution or HyperParameter
        The values to search; a distribution is a frozen one of scipy or one of Optuna.
    conditions : sequence of keras_tuner conditions, default=()
        What must hold for the parameter to count.
    key : str, default=None
        The oracle's name for it; None is `name`.

    Returns
    -------
    dimension : Dimension
        The hyperparameter for the oracle and the way back.

    Raises
    ------
    ParameterError
        For anything else, and for an empty list.
    """
    dimension = _unconditional(name, spec)
    dimension.hyperparameter.conditions = list(conditions)
    dimension.hyperparameter.name = key or name
    return dimension


def _unconditional(name: str, spec: Any) -> Dimension:
    if not isinstance(name, str) or name.startswith(TUNER_PREFIX):
        raise ParameterError(f"space has the key {name!r}; keys are parameter names.")
    if isinstance(spec, kinds.HyperParameter):
        return Dimension(type(spec).from_config({**spec.get_config(), "name": name}), _same)
    if _is_optuna(spec):
        return _from_optuna(name, spec)
    if _is_scipy(spec):
        return _from_scipy(name, spec)
    if isinstance(spec, np.ndarray) and spec.ndim == 1:
        return _choice(name, spec.tolist())
    if isinstance(spec, (list, tuple, range)):
        return _choice(name, list(spec))
    if is_constant(spec):
        return _choice(name, [spec])
    raise ParameterError(
        f"space[{name!r}] must be a list of values, a constant, a frozen scipy distribution such "
        f"as loguniform(1e-4, 1e-1), or an Optuna distribution; got {spec!r}. A constant of "
        "another kind is a list of one value."
    )


def _among(value: Any, wanted: Sequence[Any]) -> bool:
    """Whether a value is one of those wanted; True is not 1."""
    return any(item is value or (type(item) is type(value) and item == value) for item in wanted)


def _in_words(when: Mapping[str, Sequence[Any]]) -> str:
    """Return a condition as text."""
    return " and ".join(
        f"{name} = {wanted[0]!r}" if len(wanted) == 1 else f"{name} in {list(wanted)!r}"
        for name, wanted in when.items()
    )


class SearchSpace:
    """The parameters of a search, those of a Keras Tuner model function included.

    Parameters
    ----------
    space : mapping
        Parameter names mapped to lists, distributions, constants, `Conditional` or `PerLayer`.
    hypermodel : callable or HyperModel, default=None
        A ``build_model(hp)`` function or a Keras Tuner ``HyperModel``, which declares further
        hyperparameters when it is called.
    seed : int, default=0
        Seed of the networks built to find those hyperparameters.
    """

    def __init__(self, space: Mapping[str, Any], hypermodel: Any = None, seed: int = 0) -> None:
        self.given = {name: spec for name, spec in space.items() if spec is not REMOVE}
        # Keras Tuner drops a value when one of several conditions of its name does not hold, so
        # that each case, and each layer, has a key of its own.
        self.dimensions: dict[str, Dimension] = {}
        self.keys: dict[str, list[str]] = {}
        self.layered: dict[str, list[Any]] = {}  # parameter -> conditions of its cases
        for name in in_order(self.given):
            several = cases(self.given[name])
            for index, case in enumerate(several):
                key = name if len(several) == 1 else f"{name} #{index}"
                self._add(name, key, case)
        self.hypermodel = hypermodel
        self.seed = seed
        self.declared: set[str] = set()  # names that the model function declares
        self.tailored: set[str] = set()  # those of them that the caller gave values
        self.hyperparameters = keras_tuner.HyperParameters()
        self.hyperparameters.merge([item.hyperparameter for item in self.dimensions.values()])
        if hypermodel is not None:
            self._discover()

    def _add(self, name: str, key: str, case: Any) -> None:
        """Add the dimensions of one case of a parameter."""
        conditions, spec = [], case
        if isinstance(case, Conditional):
            conditions = [self._condition(name, *item) for item in case.when.items()]
            spec = case.values
        keys = self.keys.setdefault(name, [])
        if not isinstance(spec, PerLayer):
            self.dimensions[key] = make_dimension(name, spec, conditions, key=key)
            keys.append(key)
            return
        counts = self.values_of(spec.count)
        if not all(isinstance(n, (int, np.integer)) and n >= 0 for n in counts):
            raise ParameterError(
                f"space[{name!r}] has one value for each of {spec.count!r}, which must then be a "
                f"list of ints; got {self.given[spec.count]!r}."
            )
        any_count = self._condition(name, spec.count, counts)
        self.layered.setdefault(name, []).append([*conditions, any_count])
        for index in range(max(counts)):
            enough = self._condition(name, spec.count, [n for n in counts if n > index])
            layer = f"{key}[{index}]"
            self.dimensions[layer] = make_dimension(
                name, spec.values, [*conditions, enough], key=layer
            )
            keys.append(layer)

    def _condition(self, name: str, parent: str, wanted: Sequence[Any]) -> Any:
        """Return a condition on a parameter as one on the oracle's values."""
        if self.keys[parent] != [parent]:
            raise ParameterError(
                f"space[{name!r}] depends on {parent!r}, which has several cases or layers itself; "
                "depend on what those depend on."
            )
        item = self.dimensions[parent]
        labels = [
            label for label in item.hyperparameter.values if _among(item.decode(label), wanted)
        ]
        if not labels:
            raise ParameterError(
                f"space[{name!r}] counts when {parent!r} is one of {list(wanted)!r}, which it "
                "never is."
            )
        return Parent(parent, labels)

    def decode(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters that the oracle's values stand for."""
        decoded = {
            name: value
            for name, value in values.items()
            if name not in self.dimensions and not name.startswith(TUNER_PREFIX)
        }
        for name, keys in self.keys.items():
            found = [self.dimensions[key].decode(values[key]) for key in keys if key in values]
            if name not in self.layered:
                decoded.update({name: found[0]} if found else {})
            elif any(all(item.is_active(values) for item in case) for case in self.layered[name]):
                decoded[name] = tuple(found)
        return decoded

    def values_of(self, name: str) -> list[Any]:
        """Return the values that a parameter can take, on a grid where they are continuous."""
        return [
            self.dimensions[key].decode(value)
            for key in self.keys.get(name, ())
            for value in self.dimensions[key].hyperparameter.values
        ]

    def default(self) -> dict[str, Any]:
        """Return one legal set of parameters."""
        return self.decode(self.hyperparameters.values)

    def examples(self) -> list[dict[str, Any]]:
        """Return legal sets of parameters in which each conditional parameter stands once."""
        sets = [self.default()]
        for item in self.dimensions.values():
            waiting = list(item.hyperparameter.conditions)
            if waiting:
                scratch = keras_tuner.HyperParameters()
                while waiting:
                    condition = waiting.pop()
                    scratch.values.setdefault(condition.name, condition.values[0])
                    waiting += self.dimensions[condition.name].hyperparameter.conditions
                scratch.merge(self.hyperparameters.space, overwrite=False)
                sets.append(self.decode(scratch.values))
        return sets

    def size(self) -> int:
        """Return the number of points of the grid; conditions are not taken off."""
        return math.prod(len(list(item.values)) for item in self.hyperparameters.space)

    def table(self, hyperparameters: Any) -> dict[str, list[str]]:
        """Return what was searched, one row for each parameter and condition.

        Parameters
        ----------
        hyperparameters : keras_tuner.HyperParameters
            The space at the end of the search, which knows what the model function declared.

        Returns
        -------
        table : dict of str to list of str
            ``name``, ``kind``, ``values`` and ``condition``.
        """
        rows = []
        for name, spec in self.given.items():
            for case in cases(spec):
                when = case.when if isinstance(case, Conditional) else {}
                kind, values = describe(case.values if when else case)
                rows.append((name, kind, values, _in_words(when)))
        for item in hyperparameters.space:
            if item.name not in self.dimensions:
                when = {parent.name: parent.values for parent in item.conditions}
                rows.append((item.name, *describe(item), _in_words(when)))
        columns = zip(*rows, strict=True) if rows else ((), (), (), ())
        names = ("name", "kind", "values", "condition")
        return {name: list(column) for name, column in zip(names, columns, strict=True)}

    def declare(self, hyperparameters: Any) -> None:
        """Call the model function with a trial's values; add what it declares to the trial."""
        if self.hypermodel is None:
            return
        values = self.decode(hyperparameters.values)
        found = declared_by(self.hypermodel, values, self.seed)
        new = [item for item in found.space if item.name not in self.keys]
        hyperparameters.merge(new, overwrite=False)

    def _discover(self) -> None:
        """Find what the model function declares; entries of the caller's replace it."""
        found = discover(self.hypermodel, self.seed)
        self.declared = {item.name for item in found}
        self.tailored = self.declared & self.keys.keys()
        for item in found:
            for parent in item.conditions:
                if parent.name in self.tailored and not self._is_plain(parent.name):
                    raise ParameterError(
                        f"space has {parent.name!r}, which the model function declares and which "
                        f"{item.name!r} depends on there; its values must then be numbers or "
                        "texts of one type."
                    )
        layered = sorted(self.tailored & self.layered.keys())
        if layered:
            raise ParameterError(
                f"space has a PerLayer for {layered}, which the model function declares as "
                "single hyperparameters; give each of them values by its name."
            )
        new = [item for item in found if item.name not in self.keys]
        self.hyperparameters.merge(new, overwrite=False)

    def _is_plain(self, name: str) -> bool:
        """Whether the oracle's values of a parameter are those of the parameter."""
        return all(
            self.dimensions[key].decode(value) is value
            for key in self.keys[name]
            for value in self.dimensions[key].hyperparameter.values
        )
