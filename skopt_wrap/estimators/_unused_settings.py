"""Settings that would have no effect are refused before training: one rule for each cause."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from .._keras import all_layers, compile_arguments, load_keras
from .._params import builder_parameters
from ..exceptions import ParameterError, UnknownParameterError
from ._losses import OWN_LOSSES, infer_loss, make_loss
from ._routed_objects import make_parts, options_of_each

# What a subclass for SciKeras may define -> what takes its place here.
_FOREIGN_HOOKS = {
    "_keras_build_fn": "give the function that builds the network as the parameter `model`",
    "_fit_keras_model": "override `fit`",
    "feature_encoder": "put a transformer before the network in a Pipeline",
    "target_encoder": (
        "put a sklearn.compose.TransformedTargetRegressor around a regressor; a classifier encodes "
        "labels of any type itself"
    ),
    "dataset_transformer": "change the data before `fit`, or give batches to `fit_dataset`",
    "scorer": "override the method `score`, or give `scoring` to the search",
}
# Parameters of the estimators that builders of the user's may have had before.
_LATER_NAMES = ("categorical_features", "members", "target_scaling")
_COMPILED_PARTS = ("optimizer", "loss", "metrics", "compile")


def check_hooks(estimator: Any) -> None:
    """Raise when a subclass defines what SciKeras calls and this package does not."""
    for name, instead in _FOREIGN_HOOKS.items():
        if hasattr(type(estimator), name):
            raise ParameterError(
                f"{type(estimator).__name__} defines {name}, which SciKeras calls but skopt_wrap "
                f"does not: {instead}."
            )


def check_builder_names(estimator: Any) -> None:
    """Raise when a builder has a parameter that is called like one of the estimator's.

    Names that estimators had from the beginning are not checked: builders use some of them.
    """
    builder = estimator._builder()
    if builder is None:
        return
    for name in set(_LATER_NAMES) & set(estimator._get_param_names()):
        prefixed = f"model__{name}"
        if name in builder_parameters(builder)[0] and prefixed not in estimator._extra_params:
            raise ParameterError(
                f"The builder {getattr(builder, '__name__', builder)!r} has a parameter {name!r}, "
                f"and so has {type(estimator).__name__}. Give the builder's as {prefixed}=..., or "
                "call it otherwise."
            )


def takes_compile_settings(builder: Any) -> bool:
    """Return whether a builder compiles its network with settings that it is given."""
    return builder is not None and "compile_kwargs" in inspect.signature(builder).parameters


def offered_settings(estimator: Any, target: Any, optimizer: Any) -> dict[str, Any]:
    """Return what a builder is given as ``compile_kwargs``: fresh objects, options applied.

    Raises
    ------
    ParameterError
        For a loss that needs to know the network's outputs.
    UnknownParameterError
        For an option that loss or metric does not take.
    """
    loss, options = estimator.loss, estimator._routed("loss")
    if isinstance(loss, str) and loss in OWN_LOSSES:
        raise ParameterError(
            f"loss={loss!r} is settled by the network's outputs, which a builder that compiles "
            "by itself hides; let the builder return a network that is not compiled."
        )
    if loss is None:
        loss = infer_loss(target, target.n_units)
    if isinstance(loss, Mapping | list | tuple):
        losses = [
            item if item is None else make_loss(item, own, target, target.n_units)
            for item, own in zip(
                _entries(loss), options_by_entry("loss", loss, options), strict=True
            )
        ]
        loss = dict(zip(loss, losses, strict=True)) if isinstance(loss, Mapping) else losses
    elif options or inspect.isclass(loss):
        loss = make_loss(loss, options, target, target.n_units)
    metrics, metric_options = estimator.metrics, estimator._routed("metrics")
    if metrics is not None or metric_options:
        metrics = _offered_metrics(metrics, metric_options)
    return {
        "optimizer": optimizer,
        "loss": loss,
        "metrics": metrics,
        **estimator._routed("compile"),
    }


def _entries(given: Any) -> list[Any]:
    return list(given.values() if isinstance(given, Mapping) else given)


def options_by_entry(name: str, given: Any, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the arguments of every entry of a list or dict: of all, or of one by position or key.

    Raises
    ------
    UnknownParameterError
        For a position or key that is not there.
    """
    keys = [str(key) for key in (given if isinstance(given, Mapping) else range(len(given)))]
    found, unknown = options_of_each(options, [(key,) for key in keys])
    if unknown:
        raise UnknownParameterError(
            f"{name}__{unknown[0]} names the entry {unknown[0].partition('__')[0]!r} of {name}, "
            f"which has {keys}."
        )
    return found


def _offered_metrics(metrics: Any, options: Mapping[str, Any]) -> Any:
    """Return fresh metrics, nested by outputs as the user gave them."""
    base = load_keras().metrics.Metric
    nested = isinstance(metrics, Mapping | list | tuple) and any(
        isinstance(item, list | tuple) for item in _entries(metrics)
    )
    if not nested:
        made = make_parts("metrics", metrics, options, base, text=True)
        return dict(zip(metrics, made, strict=True)) if isinstance(metrics, Mapping) else made
    parts = [
        make_parts("metrics", item, own, base, text=True)
        for item, own in zip(
            _entries(metrics), options_by_entry("metrics", metrics, options), strict=True
        )
    ]
    return dict(zip(metrics, parts, strict=True)) if isinstance(metrics, Mapping) else parts


def check_compiled(estimator: Any, network: Any, offered: Mapping[str, Any] | None) -> None:
    """Raise when a setting did not reach a network that was compiled before.

    Parameters
    ----------
    estimator : KerasClassifier or KerasRegressor
        With the settings.
    network : keras.Model
        Compiled by its builder, or given compiled.
    offered : mapping or None
        What a builder was given as ``compile_kwargs``.

    Raises
    ------
    ParameterError
        Names the setting, and what to do.
    """
    used = compile_arguments(network)
    for name in _given_settings(estimator):
        part, _, option = name.partition("__")
        if offered is not None:
            key = option if part == "compile" else part
            if _reached(key, offered[key], used.get(key), network):
                continue
            raise ParameterError(
                f"{name} did not reach the network {network.name!r}: its builder takes "
                f"`compile_kwargs`, but compiles without compile_kwargs[{key!r}]. Use "
                "model.compile(**compile_kwargs)."
            )
        raise ParameterError(
            f"{_shown(estimator, name)} cannot reach the network {network.name!r}, which is "
            "compiled already. Leave compiling to the estimator, or let the builder take "
            f"`compile_kwargs`.{_own_parameter(estimator, part)}"
        )


def _given_settings(estimator: Any) -> list[str]:
    """Return the settings of compiling that differ from the defaults."""
    routed = [n for n in estimator._extra_params if "__" in n]  # others are the builder's own
    names = [n for n in routed if n.partition("__")[0] in _COMPILED_PARTS]
    names += [n for n in ("loss", "metrics") if getattr(estimator, n) is not None]
    default = inspect.signature(type(estimator)).parameters.get("optimizer")
    given = estimator.optimizer
    if default is None or not isinstance(given, str) or given != default.default:
        names.append("optimizer")
    return names


def _shown(estimator: Any, name: str) -> str:
    if "__" in name:
        return name
    value = getattr(estimator, name)
    return f"{name}={value!r}" if isinstance(value, str) else name


def _own_parameter(estimator: Any, part: str) -> str:
    """Return the hint for a builder with a parameter that is called like the setting."""
    builder = estimator._builder()
    if builder is None or part not in inspect.signature(builder).parameters:
        return ""
    return f" The parameter {part!r} of the builder itself is set as model__{part}."


def _reached(name: str, offered: Any, used: Any, network: Any) -> bool:
    if name == "optimizer":
        optimizer = network.optimizer
        return offered in (optimizer, getattr(optimizer, "inner_optimizer", None))
    if name in ("metrics", "weighted_metrics"):
        found = _flat(used)
        return all(any(item is own or item == own for own in found) for item in _flat(offered))
    return used is offered or bool(used == offered)


def _flat(metrics: Any) -> list[Any]:
    if metrics is None:
        return []
    if isinstance(metrics, Mapping):
        metrics = list(metrics.values())
    if not isinstance(metrics, list | tuple):
        return [metrics]
    return [item for group in metrics for item in _flat(group)]


def check_precision(estimator: Any, network: Any) -> None:
    """Raise when no layer of `network` computes in the precision that was asked for.

    Single layers may differ: a last layer in float32 is good practice in mixed precision.
    """
    if estimator.dtype is None:
        return
    layers = [layer for layer in all_layers(network)[1:] if layer.weights]
    policies = {layer.dtype_policy.name for layer in layers}
    if policies and estimator.dtype not in policies:
        raise ParameterError(
            f"dtype={estimator.dtype!r} cannot change the network {network.name!r}, whose layers "
            f"compute in {', '.join(sorted(policies))}. Give a function that builds the network, "
            "which is called in that precision, or build it so and leave dtype=None."
        )
