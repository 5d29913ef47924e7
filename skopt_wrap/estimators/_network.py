"""From the `model` parameter to a built and compiled network."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._keras import (
    CustomObjects,
    OutputForm,
    compile_arguments,
    compile_settings,
    copy_by_parcel,
    is_adapted,
    keras_model_problem,
    load_keras,
    load_tensorflow,
    output_form,
    output_kind,
    training_loss,
    training_metrics,
)
from .._params import SUPPLIED, builder_parameters
from ..architectures import ARCHITECTURES, check_parameters
from ..exceptions import (
    BuilderError,
    ModelError,
    ParameterError,
    SkoptWrapError,
    UnknownParameterError,
    suggest,
)
from ._callbacks import constant_rate
from ._inputs._network_inputs import nested_rows
from ._losses import check_logits, is_one_hot_loss, label_encoding, make_loss
from ._outputs._compile import finish_outputs, setting_of_one, target_of_outputs
from ._outputs._metrics import check_compiled_metrics, make_metrics
from ._recipes import label_smoothing_of, metrics_of
from ._targets._one_hot import OneHotTarget, warn_of_one_hot

_USED_ATTRIBUTE = "_skopt_wrap_used"


def build_network(
    model: Any,
    parameters: Mapping[str, Any],
    meta: Mapping[str, Any],
    compile_kwargs: Mapping[str, Any],
    rows: Any,
) -> Any:
    """Return a built network, compiled or not.

    Parameters
    ----------
    model : str, callable or keras.Model
        Architecture name, builder, or a model to copy.
    parameters : mapping
        Keyword arguments of the builder.
    meta : mapping
        What is known of the data.
    compile_kwargs : mapping
        Optimizer, loss and metrics, for a builder that compiles by itself.
    rows : ndarray of shape (n, ...) or dict of them
        A few rows, to build a network that does not know its input shape.

    Raises
    ------
    BuilderError
        When the builder raises (its error is chained) or returns no Keras 3 model.
    ModelError
        When the network cannot take the rows.
    """
    if isinstance(model, str):
        _check_parameters(model, ARCHITECTURES[model], parameters)
        check_parameters(ARCHITECTURES[model], parameters)
        network = ARCHITECTURES[model](meta, **parameters)
    elif is_builder(model):
        network = _call_builder(model, parameters, meta, compile_kwargs)
    else:
        network = copy_model(model)
    if network.built:
        nested_rows(network, rows)
    else:
        try:
            network(rows)
        except Exception as error:
            shapes = (
                {name: part.shape[1:] for name, part in rows.items()}
                if isinstance(rows, Mapping)
                else rows.shape[1:]
            )
            raise ModelError(
                f"The network {network.name!r} cannot take rows of shape {shapes}: "
                f"{_first_line(error)}"
            ) from error
    return network


def is_builder(model: Any) -> bool:
    """Whether `model` is a callable that makes networks, and not a network itself."""
    return callable(model) and (inspect.isclass(model) or not hasattr(model, "get_weights"))


def _check_parameters(name: str, builder: Any, parameters: Mapping[str, Any]) -> None:
    known, open_ended = builder_parameters(builder)
    missing = [k for k, v in known.items() if v is inspect.Parameter.empty and k not in parameters]
    if missing:
        raise ParameterError(
            f"The builder {name!r} needs {missing}; give model__{missing[0]}=... to the estimator."
        )
    for parameter in parameters:
        if parameter not in known and not open_ended:
            raise UnknownParameterError(
                f"The builder {name!r} takes no {parameter!r}. "
                + suggest(f"model__{parameter}", [f"model__{k}" for k in known])
            )


def _call_builder(
    builder: Any, parameters: Mapping[str, Any], meta: Mapping[str, Any], compile_kwargs: Any
) -> Any:
    name = getattr(builder, "__name__", type(builder).__name__)
    _check_parameters(name, builder, parameters)
    supplied = {"meta": dict(meta), "compile_kwargs": dict(compile_kwargs)}
    wanted = inspect.signature(builder).parameters
    given = {key: supplied[key] for key in SUPPLIED if key in wanted}
    kinds = {parameter.kind for parameter in wanted.values()}
    asks = inspect.Parameter.VAR_KEYWORD in kinds and not inspect.isclass(builder)
    try:
        if asks and "meta" not in given:
            network = _call_with_meta(builder, {**given, **parameters}, supplied["meta"])
        else:
            network = builder(**given, **parameters)
    except SkoptWrapError:
        raise
    except Exception as error:
        raise BuilderError(
            f"The builder {name!r} raised {type(error).__name__}: {_first_line(error)}"
        ) from error
    problem = keras_model_problem(network)
    if problem is not None:
        raise BuilderError(f"The builder {name!r} must return a keras.Model, but {problem}.")
    if network.__dict__.get(_USED_ATTRIBUTE):
        raise BuilderError(
            f"The builder {name!r} returned a network that an earlier fit trains; build a new one "
            "in each call, or give the network itself as `model`, which is copied."
        )
    object.__setattr__(network, _USED_ATTRIBUTE, True)
    return network


def _call_with_meta(builder: Any, parameters: Mapping[str, Any], meta: dict[str, Any]) -> Any:
    """Call a builder that takes any name: with `meta`, which it may ask for.

    One that hands its names on to a layer, which refuses this one, is called without.
    """
    try:
        return builder(meta=meta, **parameters)
    except (TypeError, ValueError) as error:
        if "meta" not in str(error):
            raise
    return builder(**parameters)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def copy_model(model: Any) -> Any:
    """Return a copy of a Keras model with its weights and, if compiled, its compile settings.

    Raises
    ------
    ModelError
        When it is no Keras 3 model, or a subclassed one that cannot be copied.
    """
    problem = keras_model_problem(model)
    if problem is not None:
        raise ModelError(f"model cannot be used: {problem}.")
    with CustomObjects(model).scope():
        return _copied(model)


def _copied(model: Any) -> Any:
    """Return a copy, inside a scope that knows the classes of the user's in `model`."""
    keras = load_keras()
    if type(model) is not keras.Sequential and type(model).__name__ != "Functional":
        try:
            return copy_by_parcel(model)
        except Exception as error:
            raise ModelError(
                f"model={type(model).__name__} is a subclassed model that cannot be copied "
                f"({_first_line(error)}); pass a function that builds it instead."
            ) from error
    clone = copy.deepcopy(model) if is_adapted(model) else keras.models.clone_model(model)
    if model.built:
        if not clone.built:
            clone.build(model.input_shape)
        for variable, value in zip(clone.variables, model.variables, strict=True):
            variable.assign(value)
    if model.compiled:
        clone.compile(**compile_settings(model))
    return clone


def finish_network(
    estimator: Any, network: Any, target: Any, optimizer: Any, rows: Any, y: np.ndarray
) -> Any:
    """Compile `network` unless its builder did, and settle how `target` is encoded for it.

    Parameters
    ----------
    estimator : KerasClassifier or KerasRegressor
        Its loss, metrics and compile settings are used.
    network : keras.Model
        Built.
    target : ClassTarget or ValueTarget
        Its encoding is settled.
    optimizer : keras.optimizers.Optimizer
        For a network that is not compiled.
    rows : ndarray of shape (n, ...) or dict of them
        A few rows.
    y : ndarray of shape (n_samples,) or (n_samples, n_columns)
        All labels or numbers.

    Returns
    -------
    target : object
        `target`, or another one that suits the outputs of the network.

    Raises
    ------
    ModelError
        When outputs, loss and target do not suit each other.
    """
    rows = nested_rows(network, rows)
    form = output_form(network, rows)
    if not len(form):
        raise ModelError(
            f"The outputs of the network {network.name!r} are nested deeper than one list or dict "
            "of tensors; return the tensors themselves."
        )
    for shape in form.shapes:
        if len(shape) > 2:
            raise ModelError(
                f"An output of the network {network.name!r} has shape {(None, *shape[1:])}, but a "
                "row needs one vector of outputs. Let the network end in Flatten or pooling, a "
                "recurrent layer in return_sequences=False."
            )
    target = target_of_outputs(target, form, y)
    compiled = network.compiled
    if form.kind == "one":
        target = _finish_one(estimator, network, target, optimizer, form, y)
    else:
        settings = {"jit_compile": _jit_compile(), **estimator._routed("compile")}
        finish_outputs(estimator, network, target, form, {"optimizer": optimizer, **settings})
    rate = constant_rate(estimator.learning_rate_schedule)
    if compiled and rate is not None:
        network.optimizer.learning_rate = rate
    if _single(network.loss) is None or network.optimizer is None:
        raise ModelError(
            f"The builder compiled {network.name!r} without a loss or an optimizer; give both, "
            "or leave compiling to the estimator."
        )
    estimator.output_form_ = form
    return target


def _finish_one(
    estimator: Any, network: Any, target: Any, optimizer: Any, form: OutputForm, y: np.ndarray
) -> Any:
    """Do what :func:`finish_network` does for a network with one output."""
    compiled, units = network.compiled, form.units[0]
    routed, further = estimator._routed("loss"), estimator._routed("compile")
    loss, options = setting_of_one("loss", estimator.loss, routed, form)
    smoothing = label_smoothing_of(estimator)
    kind = output_kind(network, _single(network.loss) if compiled else loss)
    # Checked first: a wrong number of units is a more common mistake than a wrong loss.
    target.match(units=units, encoding="", output_kind=kind)
    if not compiled:
        made = make_loss(loss, options, target, units, kind, smoothing)
        encoding = label_encoding(made, target, units)
        suits: dict[str, Any] = {"form": encoding, "units": units, "kind": kind}
        metrics, options = setting_of_one(
            "metrics", metrics_of(estimator), estimator._routed("metrics"), form
        )
        if "weighted_metrics" in further:
            further["weighted_metrics"] = make_metrics(
                further["weighted_metrics"], {}, name="compile__weighted_metrics", **suits
            )
        network.compile(
            optimizer=optimizer,
            loss=training_loss(network, made),
            metrics=training_metrics(network, make_metrics(metrics, options, **suits)),
            **{"jit_compile": _jit_compile(), **further},
        )
        if loss is None:
            warn_of_one_hot(target)
    used = _single(network.loss) if compiled else made
    if compiled and used is None:
        return target
    if compiled and target.target_type_ == "multilabel-indicator" and is_one_hot_loss(used):
        target = OneHotTarget(y, target.column_names_) if target.one_hot_ else target
    check_logits(used, kind, network)
    encoding = label_encoding(used, target, units)
    if compiled:
        for name in ("metrics", "weighted_metrics"):
            check_compiled_metrics(compile_arguments(network).get(name), encoding, units)
    target.match(units=units, encoding=encoding, output_kind=kind)
    return target


def _single(loss: Any) -> Any:
    """Return the loss of the only output, which a builder may give in a list or dict of one."""
    if isinstance(loss, Mapping):
        loss = list(loss.values())
    return loss[0] if isinstance(loss, list | tuple) and len(loss) == 1 else loss


def _jit_compile() -> bool | str:
    """XLA only where a GPU is: on a CPU it costs 0.3-0.8 s a trace and makes no step faster."""
    return "auto" if load_tensorflow().config.list_physical_devices("GPU") else False


def first_embedding(network: Any) -> Any:
    """Return the embedding layer that reads the network's input, or None."""
    keras = load_keras()
    for layer in getattr(network, "layers", ()):
        if isinstance(layer, keras.layers.InputLayer):
            continue
        return layer if isinstance(layer, keras.layers.Embedding) else None
    return None
