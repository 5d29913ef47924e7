"""One parameter of a search: scipy, list and Optuna notation as a Keras Tuner hyperparameter.

Keras Tuner's oracles understand four kinds of hyperparameter. A distribution that is none of
them is searched by its quantile: the oracle proposes q in (0, 1) and the trial is trained with
the inverse distribution function of q, which is exact for random search and gives the
model-based strategies an evenly scaled axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras_tuner.engine import hyperparameters as kinds
from scipy.stats import rv_continuous, rv_discrete

from ...exceptions import ParameterError
from ._conditions import is_constant

_TAIL = 1e-3  # a quantile never asks for an infinite end of a distribution
TUNER_PREFIX = "tuner/"  # names that Keras Tuner's oracles use for their own bookkeeping


@dataclass(frozen=True)
class Dimension:
    """One parameter of a search.

    Attributes
    ----------
    hyperparameter : keras_tuner.engine.hyperparameters.HyperParameter
        What the oracle sees.
    decode : callable
        Turns the oracle's value into the parameter's value.
    forward : callable, default=None
        The distribution function of a parameter that is searched by its quantile.
    """

    hyperparameter: kinds.HyperParameter
    decode: Callable[[Any], Any]
    forward: Callable[[Any], Any] | None = None

    def encode(self, value: Any) -> Any:
        """Return the oracle's value for a value of the parameter; None where it has none."""
        item = self.hyperparameter
        if isinstance(item, kinds.Choice | kinds.Boolean | kinds.Fixed):
            labels = [label for label in item.values if among(self.decode(label), [value])]
            return labels[0] if labels else None
        if isinstance(value, bool | str) or not isinstance(value, int | float | np.number):
            return None
        label = value if self.forward is None else float(self.forward(value))
        if isinstance(item, kinds.Int) and label != int(label):
            return None
        inside = item.min_value <= label <= item.max_value
        if inside and item.step is not None and item.sampling in (None, "linear"):
            steps = (label - item.min_value) / item.step
            inside = abs(steps - round(steps)) < 1e-9
        same = inside and math.isclose(float(self.decode(label)), float(value), rel_tol=1e-6)
        return type(item.default)(label) if same else None


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


def _quantile(name: str, distribution: Any, discrete: bool) -> Dimension:
    inverse = distribution.ppf
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

    return Dimension(hyperparameter, decode, distribution.cdf)


def _from_scipy(name: str, distribution: Any) -> Dimension:
    kind = distribution.dist
    if isinstance(kind, rv_discrete) and kind.name == "randint":
        low, high = (int(end) for end in distribution.support())
        return Dimension(kinds.Int(name, low, high), _same)
    return _quantile(name, distribution, isinstance(kind, rv_discrete))


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


def among(value: Any, wanted: Sequence[Any]) -> bool:
    """Whether a value is one of those wanted; True is not 1."""
    return any(item is value or (type(item) is type(value) and item == value) for item in wanted)
