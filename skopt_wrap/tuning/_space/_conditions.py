"""Entries of a space that depend on others: conditions, and one value for each layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from ...exceptions import ParameterError


class Removal(Enum):
    """The type of `REMOVE`; a member survives copying and pickling as itself."""

    REMOVE = "remove"

    def __repr__(self) -> str:
        return "REMOVE"


REMOVE = Removal.REMOVE
"""Takes a parameter out of a preset: ``space={"preset": "full", "model__l1": REMOVE}``."""


class Conditional:
    """Values that are searched only where other parameters have certain values.

    An entry of `space` may also be a list of them, one for each case.

    Parameters
    ----------
    values : list, scipy distribution, Optuna distribution or constant
        What is searched, as in any other entry.
    when : dict of str to value or list of values
        Names of other parameters of the space, mapped to the values (one of a list) at which this
        entry counts. All of them must hold. Where they do not, the parameter is left at the
        estimator's own value.

    Raises
    ------
    ParameterError
        When `when` is empty or no dict.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from skopt_wrap.tuning import Conditional
    >>> space = {
    ...     "optimizer": ["sgd", "adam"],
    ...     "optimizer__momentum": Conditional([0.0, 0.9], when={"optimizer": "sgd"}),
    ...     "optimizer__learning_rate": [
    ...         Conditional(loguniform(1e-3, 1), when={"optimizer": "sgd"}),
    ...         Conditional(loguniform(1e-4, 1e-2), when={"optimizer": "adam"}),
    ...     ],
    ... }
    >>> space["optimizer__momentum"]
    Conditional([0.0, 0.9], when={'optimizer': ['sgd']})
    """

    def __init__(self, values: Any, when: Mapping[str, Any]) -> None:
        if not isinstance(when, Mapping) or not when:
            raise ParameterError(
                f"when must map at least one parameter name to its values; got {when!r}."
            )
        self.values = values
        self.when = {
            name: list(wanted) if isinstance(wanted, (list, tuple, range)) else [wanted]
            for name, wanted in when.items()
        }

    def __repr__(self) -> str:
        return f"Conditional({self.values!r}, when={self.when!r})"


class PerLayer:
    """One value for each layer, searched layer by layer.

    The trial's parameter is a tuple, such as ``model__units=(128, 32)``.

    Parameters
    ----------
    values : list, scipy distribution or Optuna distribution
        What is searched for each layer.
    count : str
        Name of the parameter of the space that holds the number of layers: a list of ints.

    Examples
    --------
    >>> from skopt_wrap.tuning import PerLayer
    >>> {"model__n_layers": [1, 2, 3], "model__units": PerLayer([16, 32, 64], "model__n_layers")}
    {'model__n_layers': [1, 2, 3], 'model__units': PerLayer([16, 32, 64], 'model__n_layers')}
    """

    def __init__(self, values: Any, count: str) -> None:
        self.values = values
        self.count = count

    def __repr__(self) -> str:
        return f"PerLayer({self.values!r}, {self.count!r})"


def cases(spec: Any) -> list[Any]:
    """Return the Conditionals of an entry, or the entry itself in a list."""
    if isinstance(spec, Conditional):
        return [spec]
    if isinstance(spec, (list, tuple)) and any(isinstance(item, Conditional) for item in spec):
        if not all(isinstance(item, Conditional) for item in spec):
            raise ParameterError(f"a list mixes Conditional entries with others: {spec!r}.")
        return list(spec)
    return [spec]


def parents(spec: Any) -> list[str]:
    """Return the names of the parameters that an entry depends on."""
    names = []
    for case in cases(spec):
        if isinstance(case, Conditional):
            names += list(case.when)
            case = case.values
        if isinstance(case, PerLayer):
            names.append(case.count)
    return list(dict.fromkeys(names))


def in_order(space: Mapping[str, Any]) -> list[str]:
    """Return the names of a space, each after those that it depends on.

    Raises
    ------
    ParameterError
        For a condition on a name that is not in the space, and for conditions in a circle.
    """
    from ...exceptions import suggest

    ordered: list[str] = []
    waiting = list(space)
    for name in waiting:
        for parent in parents(space[name]):
            if parent not in space:
                raise ParameterError(
                    f"space[{name!r}] depends on {parent!r}, which is not in the space. "
                    + suggest(parent, space)
                )
    while waiting:
        ready = [name for name in waiting if set(parents(space[name])) <= set(ordered)]
        if not ready:
            raise ParameterError(f"space has conditions in a circle: {sorted(waiting)}.")
        ordered.append(ready[0])
        waiting.remove(ready[0])
    return ordered


def changed(preset: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a preset with entries fixed, widened, added and removed by name.

    Entries whose condition can no longer hold go as well, and a `PerLayer` whose number of layers
    is no longer searched becomes one value for all layers.

    Raises
    ------
    ParameterError
        When a name to remove is not in the preset.
    """
    from ...exceptions import UnknownParameterError, suggest

    space = dict(preset)
    for name, spec in changes.items():
        if spec is REMOVE and name not in space:
            raise UnknownParameterError(
                f"space removes {name!r}, which is not in the preset. {suggest(name, space)}"
            )
        if spec is REMOVE:
            del space[name]
        else:
            space[name] = spec
    for name in list(space):
        if name in changes:
            continue
        kept = [case for case in cases(space[name]) if _can_hold(case, space)]
        kept = [_without_count(case, space) for case in kept]
        if not kept:
            del space[name]
        elif kept != cases(space[name]):
            space[name] = kept[0] if len(kept) == 1 else kept
    return space


def _can_hold(case: Any, space: Mapping[str, Any]) -> bool:
    if not isinstance(case, Conditional):
        return True
    return all(
        name in space and any(_may_be(space[name], value) for value in wanted)
        for name, wanted in case.when.items()
    )


def _may_be(spec: Any, value: Any) -> bool:
    """Whether a parameter of the space can have a value; a distribution may have any."""
    for case in cases(spec):
        options = case.values if isinstance(case, Conditional) else case
        if not isinstance(options, (list, tuple, range)):
            options = [options] if is_constant(options) else [value]
        if any(option is value or option == value for option in options):
            return True
    return False


def _without_count(case: Any, space: Mapping[str, Any]) -> Any:
    inner = case.values if isinstance(case, Conditional) else case
    if not isinstance(inner, PerLayer) or inner.count in space:
        return case
    return Conditional(inner.values, case.when) if isinstance(case, Conditional) else inner.values


def is_constant(spec: Any) -> bool:
    """Whether an entry is a value that stays fixed."""
    import numbers

    return spec is None or isinstance(spec, (str, numbers.Number))


def describe(spec: Any) -> tuple[str, str]:
    """Return kind and values of an entry, as text for a table."""
    if isinstance(spec, PerLayer):
        kind, values = describe(spec.values)
        return f"{kind}, per layer", f"{values} for each of {spec.count}"
    if is_constant(spec):
        return "fixed", repr(spec)
    if isinstance(spec, (list, tuple, range)) or hasattr(spec, "tolist"):
        items: Sequence[Any] = spec.tolist() if hasattr(spec, "tolist") else list(spec)
        return ("fixed" if len(items) == 1 else "choice"), ", ".join(map(repr, items))
    if hasattr(spec, "dist"):
        arguments = [*map(repr, spec.args), *(f"{k}={v!r}" for k, v in spec.kwds.items())]
        discrete = not hasattr(spec.dist, "pdf")
        return ("integer" if discrete else "real"), f"{spec.dist.name}({', '.join(arguments)})"
    kind = type(spec).__name__
    kinds = {"IntDistribution": "integer", "Int": "integer", "FloatDistribution": "real"}
    kinds |= {"Float": "real", "Fixed": "fixed"}
    if kind in ("Choice", "CategoricalDistribution"):
        return "choice", ", ".join(map(repr, getattr(spec, "choices", None) or spec.values))
    if kind == "Boolean":
        return "choice", "False, True"
    return kinds.get(kind, "choice"), _range(spec)


def _range(spec: Any) -> str:
    """Return the bounds of an Optuna distribution or a Keras Tuner hyperparameter."""
    if hasattr(spec, "low"):
        low, high, log = spec.low, spec.high, spec.log
    elif hasattr(spec, "min_value"):
        low, high, log = spec.min_value, spec.max_value, spec.sampling != "linear"
    else:
        return repr(getattr(spec, "value", spec))
    step = f", step {spec.step}" if spec.step not in (None, 1) and not log else ""
    return f"{low} to {high}{step}{', log' if log else ''}"
