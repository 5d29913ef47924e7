"""Questions about a Keras model that its public API answers only in part."""

from __future__ import annotations

import copy
import hashlib
import json
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..exceptions import ParameterError
from ._backend import load_keras

_KEY_ATTRIBUTE = "_skopt_wrap_key"


# Where a class came from, what it was built for, and bookkeeping: no part of what it computes.
_NO_STATE = frozenset(
    "_auto_config _build_shapes_dict _dropout_mask _inbound_nodes _input_spec _input_tensor "
    "_layers _loss_ids _losses _losses_override _metrics _non_trainable_variables _operations "
    "_outbound_nodes _parent_path _path _recurrent_dropout_mask _seed_generators _tracked "
    "_tracker _trainable_variables call_signature_parameters name".split()
)


class _NotComparable(Exception):
    """Something that the user defined, or that holds state which cannot be compared."""


def _from_keras(thing: object) -> bool:
    """Whether Keras or we define `thing`; ours hold all they compute in attributes."""
    return _is_known_module(str(getattr(thing, "__module__", "")))


def _is_known_module(module: str) -> bool:
    ours = (
        "skopt_wrap._keras.",
        "skopt_wrap.architectures.",
        "skopt_wrap.factorization.",
        "skopt_wrap.losses.",
    )
    return module.partition(".")[0] == "keras" or module.startswith(ours)


def _state(thing: Any) -> Any:
    """Return a description of `thing`, equal for things that compute the same.

    A configuration does not do: functions are written into it by name, and some classes leave
    out what they were given (``Huber(delta)``) or have learned (``Normalization.adapt``).

    Raises
    ------
    _NotComparable
        For functions and objects that Keras does not define.
    """
    keras = load_keras()
    if thing is None or isinstance(thing, (str, bool, int, float)):
        return [type(thing).__name__, thing]
    if isinstance(thing, (dict, list, tuple, set, frozenset)):
        if isinstance(thing, dict):
            return {str(key): _state(value) for key, value in thing.items()}
        states = [_state(item) for item in thing]
        return sorted(states, key=str) if isinstance(thing, (set, frozenset)) else states
    if isinstance(thing, keras.Variable):
        return [list(thing.shape), str(thing.dtype), thing.trainable]
    if isinstance(thing, (np.ndarray, np.generic)) or keras.ops.is_tensor(thing):
        return _digest(thing)
    if isinstance(thing, (keras.Layer, keras.Initializer, keras.random.SeedGenerator)):
        # Layers are compared one by one; the others leave their result in variables.
        if not _from_keras(type(thing)):
            raise _NotComparable
        return type(thing).__name__
    if isinstance(thing, (types.FunctionType, type)):
        if not _from_keras(thing):
            raise _NotComparable
        return [thing.__module__, thing.__qualname__]
    if not _from_keras(type(thing)):
        raise _NotComparable
    parts = (keras.Regularizer, keras.constraints.Constraint, keras.Loss, keras.DTypePolicy)
    if isinstance(thing, (*parts, keras.optimizers.schedules.LearningRateSchedule)):
        return [type(thing).__name__, _state({k: v for k, v in vars(thing).items() if k != "name"})]
    if isinstance(thing, keras.Metric):
        options = [getattr(thing, name, None) for name in ("_fn", "_fn_kwargs")]
        return [type(thing).__name__, _state(options)]
    return type(thing).__name__


def object_state(thing: Any) -> Any | None:
    """Return a description of `thing`, equal for things that compute the same.

    None for what Keras does not define, which cannot be compared.
    """
    try:
        return _state(thing)
    except _NotComparable:
        return None


def _digest(array: Any) -> str:
    array = np.ascontiguousarray(array)
    return f"{array.dtype}{array.shape}{hashlib.sha256(array.tobytes()).hexdigest()}"


def _layer_state(layer: Any) -> Any:
    if not _from_keras(type(layer)) or isinstance(layer, load_keras().layers.Lambda):
        raise _NotComparable
    if getattr(layer, "stateful", False):
        raise _NotComparable
    if getattr(layer, "inputs", None) is not None:
        return type(layer).__name__  # a network inside: its layers are compared
    parts = {
        name: value
        for name, value in vars(layer).items()
        if name not in _NO_STATE and not name.startswith(("_self_", "_call", "_saved_model_"))
    }
    return [type(layer).__name__, _state(parts)]


def _check_optimizer(optimizer: Any) -> None:
    """Raise unless the configuration of `optimizer` says all that it computes."""
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        _check_optimizer(inner)
    _state(getattr(optimizer, "_learning_rate", None))
    excluded = ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern")
    if not _from_keras(type(optimizer)) or any(getattr(optimizer, n, None) for n in excluded):
        raise _NotComparable


def _check_config(config: Any) -> None:
    """Raise when a configuration names a function or class of the user's."""
    if isinstance(config, dict):
        kind, module = config.get("class_name"), config.get("module")
        if kind in ("function", "__lambda__") or config.get("registered_name") == "function":
            raise _NotComparable
        named = isinstance(kind, str) and isinstance(module, str) and module != "builtins"
        if named and not _is_known_module(str(module)):
            raise _NotComparable
        for item in config.values():
            _check_config(item)
    elif isinstance(config, (list, tuple)):
        for item in config:
            _check_config(item)


def shareable_key(model: Any) -> str | None:
    """Return a text equal for models that may share one traced graph, or None.

    Two models may share one when they are Sequential or Functional, made of Keras' own layers,
    and equal in everything but the values of their variables and a constant learning rate. The
    answer is remembered on the model object (never in its configuration or its file).
    """
    known = model.__dict__.get(_KEY_ATTRIBUTE, False)
    if known is not False:
        return known
    key = _compute_key(model)
    object.__setattr__(model, _KEY_ATTRIBUTE, key)
    return key


def forget_key(model: Any) -> None:
    """Drop the remembered key, after `model` was compiled anew or its layers were changed."""
    model.__dict__.pop(_KEY_ATTRIBUTE, None)


def _compute_key(model: Any) -> str | None:
    keras = load_keras()
    if is_subclassed(model) or not (model.built and model.compiled) or model.run_eagerly:
        return None
    given = model._compile_config.config
    own = [name for name, value in vars(model).items() if isinstance(value, types.FunctionType)]
    try:
        if any(not _from_keras(vars(model)[name]) for name in own):
            return None
        layers = model._flatten_layers(include_self=False)
        states = [[_layer_state(layer), layer.trainable] for layer in layers]
        settings = {name: given.get(name) for name in ("loss", "metrics", "weighted_metrics")}
        states.append(_state(settings))
        _check_optimizer(model.optimizer)
        config, compile_config = model.get_config(), model.get_compile_config()
        _check_config([config, compile_config])
        compile_config = json.loads(json.dumps(compile_config, default=_plain))
        optimizer = compile_config["optimizer"]
        options = optimizer["config"] if isinstance(optimizer, dict) else {}
        if isinstance(options.get("learning_rate"), float):
            # A constant rate is a variable of the optimizer: no part of the graph.
            options["learning_rate"] = None
        parts = [
            [type(model).__name__, config],
            compile_config,
            [(tuple(v.shape), str(v.dtype), v.trainable) for v in model.variables],
            states,
            model.trainable,
            keras.config.floatx(),
        ]
        return json.dumps(parts, sort_keys=True, default=_plain)
    except (_NotComparable, TypeError, ValueError, NotImplementedError):
        return None  # a part that Keras cannot describe either


def _plain(thing: Any) -> Any:
    """Return what JSON takes for `thing`."""
    if isinstance(thing, (np.ndarray, np.generic)) or load_keras().ops.is_tensor(thing):
        return _digest(thing)
    raise _NotComparable


def is_subclassed(model: Any) -> bool:
    keras = load_keras()
    functional = type(model).__name__ == "Functional" and _from_keras(type(model))
    return not (type(model) is keras.Sequential or functional)


def functional_class() -> Any:
    """Return the class of models made by ``keras.Model(inputs, outputs)``."""
    load_keras()
    from keras.src.models.functional import Functional

    return Functional


def output_units(model: Any, rows: Any) -> int | None:
    """Return the number of units of the only output of `model`, or None for several outputs.

    Parameters
    ----------
    model : keras.Model
        Built network.
    rows : ndarray of shape (n_rows, ...)
        A few rows; a subclassed model tells the shape of its output only when it is called.
    """
    if is_subclassed(model):
        outputs = model(rows)
        shape = getattr(outputs, "shape", None)
    elif len(model.inputs) != 1 or len(model.outputs) != 1:
        return None
    else:
        shape = model.output_shape
    if shape is None:
        return None
    return int(shape[-1]) if len(shape) > 1 else 1


def output_kind(model: Any, loss: Any = None, tensor: Any = None) -> str:
    """Say what the outputs of `model` mean: "logits" or "probabilities".

    `tensor` is the output in question; None takes the first.

    The last activation decides. Where it does not tell (a subclassed model, a function of the
    user's), the loss does: one with ``from_logits=True`` is fed logits.
    """
    keras = load_keras()
    last = _last_operation(model, tensor)
    if type(last).__name__ in ("HardSigmoid", "Sigmoid", "Softmax", "Sparsemax"):
        return "probabilities"
    activation = getattr(last, "activation", None)
    names = ("hard_sigmoid", "sigmoid", "softmax", "sparsemax")
    if activation in [getattr(keras.activations, name) for name in names]:
        return "probabilities"
    if activation is not None and _from_keras(activation):
        return "logits"
    return "logits" if from_logits(loss) else "probabilities"


def from_logits(loss: Any) -> bool | None:
    """Return whether a loss object takes logits; None where it does not say."""
    loss = getattr(loss, "of_one", loss)  # the loss of one of several members
    arguments = getattr(loss, "_fn_kwargs", None) or {}
    return getattr(loss, "from_logits", arguments.get("from_logits"))


def _last_operation(model: Any, tensor: Any = None) -> Any:
    """Return the layer or operation that makes the output, or None when it cannot be told."""
    if is_subclassed(model):
        return None
    tensor = model.outputs[0] if tensor is None else tensor
    while True:
        operation, node, _ = tensor._keras_history
        if getattr(operation, "layers", None) and not is_subclassed(operation):
            return _last_operation(operation)
        if type(operation).__name__ not in ("Flatten", "Reshape"):
            return operation
        tensor = operation._inbound_nodes[node].input_tensors[0]


def loss_classes() -> dict[str, type]:
    """Return the losses that Keras publishes, by the name of their function."""
    keras = load_keras()
    return _published(keras.losses, keras.losses.Loss)


def metric_classes() -> dict[str, type]:
    """Return the metrics that Keras publishes, by their name in small letters."""
    keras = load_keras()
    return _published(keras.metrics, keras.metrics.Metric)


def _published(module: Any, base: type) -> dict[str, type]:
    from keras.src.utils.naming import to_snake_case

    return {
        to_snake_case(name): cls
        for name, cls in vars(module).items()
        if isinstance(cls, type) and issubclass(cls, base) and cls is not base
    }


def copy_optimizer(optimizer: Any, options: Mapping[str, Any]) -> Any:
    """Return a fresh optimizer like `optimizer`, with the arguments `options` changed.

    Raises
    ------
    ParameterError
        When variables, which belong to one model, are excluded from weight decay.
    """
    keras = load_keras()
    config = optimizer.get_config()
    rate = getattr(optimizer, "_learning_rate", None)
    if rate is not None and not isinstance(rate, keras.Variable):
        config["learning_rate"] = rate  # a schedule or a function: without a state, so shared
    fresh = type(optimizer).from_config({**config, **options})
    source, copied = optimizer, fresh
    while source is not None:
        # The configuration leaves out what is excluded from weight decay.
        if getattr(source, "_exclude_from_weight_decay", None):
            raise ParameterError(
                "optimizer excludes variables of one model from weight decay; exclude them by "
                "name, exclude_from_weight_decay(var_names=[...]), which serves every copy."
            )
        pattern = getattr(source, "_exclude_from_weight_decay_pattern", None)
        if pattern is not None:
            copied.exclude_from_weight_decay(var_names=[pattern.pattern])
        source = getattr(source, "inner_optimizer", None)
        copied = getattr(copied, "inner_optimizer", None)
    return fresh


def all_finite(model: Any) -> bool:
    """Return whether the weights of `model` are numbers that it can predict with.

    No trained weight may be NaN or infinite; other weights may hold an infinity, as masks do.
    """
    ops = load_keras().ops

    def floats(variables: Any) -> Any:
        return (v for v in variables if "float" in str(v.dtype))

    return all(
        bool(ops.all(ops.isfinite(v))) for v in floats(model.trainable_variables)
    ) and not any(bool(ops.any(ops.isnan(v))) for v in floats(model.non_trainable_variables))


def is_adapted(model: Any) -> bool:
    """Whether a layer of `model` may have learned, by ``adapt``, what is in no variable."""
    return any(hasattr(layer, "adapt") for layer in model._flatten_layers())


def compile_settings(model: Any) -> dict[str, Any]:
    """Return fresh copies of what `model` was compiled with, for ``compile`` of another one.

    The optimizer starts anew; functions (a loss of the user's) are passed on as they are.
    """
    keras = load_keras()
    settings = dict(model._compile_config.config)
    if isinstance(settings["optimizer"], keras.optimizers.Optimizer):
        settings["optimizer"] = copy_optimizer(settings["optimizer"], {})
    for part in ("loss", "metrics", "weighted_metrics"):
        settings[part] = copy.deepcopy(settings[part])
    return settings
