"""Prefixed parameters: ``model__units``, ``optimizer__learning_rate``, ``fit__shuffle``.

They are ordinary parameters of the estimator: listed by ``get_params``, set by ``set_params``,
cloned, and checked by name as soon as they are given.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from .exceptions import ParameterError, UnknownParameterError, suggest

FIT_OPTIONS = (
    "batch_size",
    "epochs",
    "initial_epoch",
    "shuffle",
    "steps_per_epoch",
    "validation_batch_size",
    "validation_freq",
    "validation_steps",
)
COMPILE_OPTIONS = (
    "auto_scale_loss",
    "jit_compile",
    "loss_weights",
    "run_eagerly",
    "steps_per_execution",
    "weighted_metrics",
)
PREDICT_OPTIONS = ("batch_size",)
# Those of all schedules by name: a search over several gives each trial the options of all.
SCHEDULE_OPTIONS = (
    "decay_rate",
    "final",
    "m_mul",
    "n_cycles",
    "n_drops",
    "patience",
    "power",
    "start",
    "t_mul",
    "warmup",
)

# None: the names depend on a Keras class, and are checked when it is at hand (in `fit`).
_PREFIXES: dict[str, tuple[str, ...] | None] = {
    "callbacks": None,
    "compile": COMPILE_OPTIONS,
    "fit": FIT_OPTIONS,
    "learning_rate_schedule": SCHEDULE_OPTIONS,
    "loss": None,
    "metrics": None,
    "model": None,
    "optimizer": None,
    "predict": PREDICT_OPTIONS,
}

# Arguments of a builder that the estimator supplies.
SUPPLIED = ("meta", "compile_kwargs")


def builder_parameters(builder: Callable[..., Any]) -> tuple[dict[str, Any], bool]:
    """Return the keyword arguments of a builder with their defaults, and whether it takes any.

    An argument without a default is listed with ``inspect.Parameter.empty``.

    Examples
    --------
    >>> from skopt_wrap._params import builder_parameters
    >>> builder_parameters(lambda meta, units=8, **kwargs: None)
    ({'units': 8}, True)
    """
    parameters, open_ended = {}, False
    for parameter in inspect.signature(builder).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            open_ended = True
        elif parameter.kind is not parameter.VAR_POSITIONAL and parameter.name not in SUPPLIED:
            parameters[parameter.name] = parameter.default
    return parameters, open_ended


def class_arguments(kind: type) -> tuple[list[str], bool]:
    """Return the names that the constructor of a class takes, and whether it takes any name.

    A constructor with ``**kwargs`` hands them to the class above it, whose names count then.

    Examples
    --------
    >>> from skopt_wrap._params import class_arguments
    >>> class Base:
    ...     def __init__(self, monitor="loss"): ...
    >>> class Mine(Base):
    ...     def __init__(self, extra=1, **kwargs): ...
    >>> class_arguments(Mine)
    (['extra', 'monitor'], False)
    """
    names: dict[str, None] = {}
    of_keras = any(base.__module__.partition(".")[0] == "keras" for base in kind.__mro__)
    for base in kind.__mro__:
        if base is object:
            return list(names), not of_keras  # those of Keras check what is left over
        if "__init__" not in vars(base):
            continue
        parameters = list(inspect.signature(base).parameters.values())
        names |= dict.fromkeys(
            p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
        )
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return list(names), False
    return list(names), True


def takes_positional(kind: type) -> bool:
    """Return whether the constructor of a class takes arguments by position."""
    kinds = {p.kind for p in inspect.signature(kind).parameters.values()}
    return bool(kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_OR_KEYWORD})


class PrefixedParamsMixin:
    """``get_params`` and ``set_params`` for an estimator that takes prefixed parameters.

    The estimator's ``__init__`` ends with ``self._set_extra(extra)``; ``_builder()`` returns the
    callable that takes the ``model__`` parameters, or None; ``_model_usable()`` whether `model`
    is something that `fit` will take.
    """

    _extra_params: Mapping[str, Any] = MappingProxyType({})
    _get_param_names: Callable[[], list[str]]  # of BaseEstimator

    def _builder(self) -> Callable[..., Any] | None:
        raise NotImplementedError

    def _model_usable(self) -> bool:
        raise NotImplementedError

    def _set_extra(self, extra: Mapping[str, Any]) -> None:
        """Store `extra`, after checking each name.

        Raises
        ------
        UnknownParameterError
            For a name that no part takes.
        """
        checked = dict(self._extra_params)
        for name, value in extra.items():
            self._check_extra_name(name)
            bare = name.removeprefix("model__")
            for alias in {bare, f"model__{bare}"} - {name}:
                if alias in extra:
                    raise ParameterError(f"{name!r} and {alias!r} are the same parameter.")
                if name.startswith("model__") or "__" not in name:
                    checked.pop(alias, None)
            checked[name] = value
        self._extra_params = checked

    def _drop_foreign_parameters(self) -> None:
        """Forget the parameters of the model before, where the present one does not take them."""
        builder = self._builder()
        parameters, open_ended = builder_parameters(builder) if builder is not None else ({}, False)
        self._extra_params = {
            name: value
            for name, value in self._extra_params.items()
            if open_ended
            or ("__" in name and not name.startswith("model__"))
            or name.removeprefix("model__") in parameters
        }

    def _check_extra_name(self, name: str) -> None:
        if not self._model_usable():
            return  # `fit` refuses the model itself, which is the mistake to report
        prefix, separator, rest = name.partition("__")
        builder = self._builder()
        parameters, open_ended = builder_parameters(builder) if builder is not None else ({}, False)
        if not separator:
            if name in parameters or open_ended:
                return
        elif prefix in _PREFIXES:
            if prefix == "model":
                legal: Any = parameters
                if open_ended or rest in legal:
                    return
            else:
                legal = _PREFIXES[prefix]
                if legal is None or rest in legal:
                    return
            raise UnknownParameterError(
                f"{type(self).__name__} got an unknown parameter {name!r}. "
                + suggest(name, [f"{prefix}__{item}" for item in legal])
            )
        raise UnknownParameterError(
            f"{type(self).__name__} got an unknown parameter {name!r}. "
            + suggest(
                name,
                [*self._get_param_names(), *(f"model__{parameter}" for parameter in parameters)],
            )
        )

    def _routed(self, prefix: str) -> dict[str, Any]:
        """Return the parameters of one part, without their prefix."""
        head = f"{prefix}__"
        routed = {
            name.removeprefix(head): value
            for name, value in self._extra_params.items()
            if name.startswith(head)
        }
        if prefix == "model":
            routed |= {k: v for k, v in self._extra_params.items() if "__" not in k}
        return routed

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, prefixed ones and the builder's defaults included.

        Parameters
        ----------
        deep : bool, default=True
            Whether to list the builder's keyword arguments that were left at their defaults,
            as ``model__<name>``.

        Returns
        -------
        params : dict
            Parameter names mapped to their values.
        """
        params = super().get_params(deep=deep)  # type: ignore[misc]
        params.update(self._extra_params)
        builder = self._builder() if deep else None
        if builder is not None:
            for parameter, default in builder_parameters(builder)[0].items():
                if parameter not in params and default is not inspect.Parameter.empty:
                    params.setdefault(f"model__{parameter}", default)
        return params

    def set_params(self, **params: Any) -> Any:
        """Set parameters, prefixed ones included.

        Parameters
        ----------
        **params : dict
            Parameter names mapped to their new values.

        Returns
        -------
        self : estimator
            This estimator.

        Raises
        ------
        UnknownParameterError
            For a name that no part takes; nothing is set then.
        """
        own = set(self._get_param_names())
        plain = {name: value for name, value in params.items() if name in own}
        before = dict(vars(self))
        for name, value in plain.items():
            setattr(self, name, value)
        if "model" in plain:
            self._drop_foreign_parameters()
        nested: dict[str, dict[str, Any]] = {}  # of parameters that have parameters: augment
        extra = {}
        for name in [name for name in params if name not in own]:
            head, _, rest = name.partition("__")
            if head in own and head not in _PREFIXES and hasattr(getattr(self, head), "set_params"):
                nested.setdefault(head, {})[rest] = params[name]
            else:
                extra[name] = params[name]
        try:
            self._set_extra(extra)
            for name, values in nested.items():
                getattr(self, name).set_params(**values)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise
        return self
