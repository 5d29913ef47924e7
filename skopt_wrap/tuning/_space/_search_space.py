"""A search space: the parameters, their conditions, and what a model function declares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras_tuner
import numpy as np

from ...exceptions import ParameterError
from .._keras_tuner import Parent
from ._conditions import REMOVE, Conditional, PerLayer, cases, describe, in_order
from ._declared import declared_by, discover
from ._dimension import TUNER_PREFIX, Dimension, among, make_dimension


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
            label for label in item.hyperparameter.values if among(item.decode(label), wanted)
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

    def encode(self, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the oracle's values for some parameters; others have their first values.

        Parameters
        ----------
        parameters : mapping
            Values by name. Those of a `PerLayer` may be one for each layer, or one for all.

        Returns
        -------
        values : dict or None
            None where the space does not hold one of the parameters.
        """
        owners = {key: (name, i) for name, keys in self.keys.items() for i, key in enumerate(keys)}
        proposal = keras_tuner.HyperParameters()
        for item in self.hyperparameters.space:  # parents come before what depends on them
            proposal.merge([item])
            name, index = owners.get(item.name, (item.name, 0))
            if not proposal.is_active(item) or item.name not in owners or name not in parameters:
                continue
            value = parameters[name]
            if name in self.layered and isinstance(value, list | tuple):
                value = value[index] if index < len(value) else None
            encoded = self.dimensions[item.name].encode(value)
            if encoded is None:
                return None
            proposal.values[item.name] = encoded
        return dict(proposal.values)

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
