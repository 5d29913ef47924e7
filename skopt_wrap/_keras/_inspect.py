"""Questions about a Keras model that its public API answers only in part."""

from __future__ import annotations

import copy
import json
import types
from typing import Any

from ._backend import load_keras

_KEY_ATTRIBUTE = "_skopt_wrap_key"


def _is_own(thing: object) -> bool:
    """Whether `thing` is a plain value, or a function or an instance that Keras itself defines."""
    if isinstance(thing, types.FunctionType):
        return thing.__module__.partition(".")[0] == "keras"
    if isinstance(thing, (dict, list, tuple)):
        return all(_is_own(item) for item in (thing.values() if isinstance(thing, dict) else thing))
    if thing is None or isinstance(thing, (str, bool, int, float)):
        return True
    if type(thing).__module__.partition(".")[0] != "keras":
        return False
    # A wrapped function (keras.losses.LossFunctionWrapper(fn)) may still be the user's.
    return _is_own(getattr(thing, "fn", None)) and _is_own(getattr(thing, "_fn", None))


def _layer_is_own(layer: Any) -> bool:
    """Whether Keras defines the class of `layer` and every function and part it was given.

    Functions of the user's are written into a configuration by name only, and two different
    ones may share a name.
    """
    if type(layer).__module__.partition(".")[0] != "keras":
        return False
    for value in vars(layer).values():
        if isinstance(value, types.FunctionType) and not _is_own(value):
            return False
        if isinstance(value, _part_classes()) and not _is_own(value):
            return False
    return True


def _part_classes() -> tuple[type, ...]:
    keras = load_keras()
    return (keras.Initializer, keras.Regularizer, keras.constraints.Constraint)


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
    if _is_subclassed(model) or not (model.built and model.compiled) or model.run_eagerly:
        return None
    layers = model._flatten_layers()
    if any(isinstance(layer, keras.layers.Lambda) or not _layer_is_own(layer) for layer in layers):
        return None
    if not _is_own(model._compile_config.config):
        return None
    compile_config = json.loads(json.dumps(model.get_compile_config(), default=repr))
    optimizer = compile_config["optimizer"]
    if isinstance(optimizer, dict) and isinstance(optimizer["config"].get("learning_rate"), float):
        # A constant rate is a variable of the optimizer: its value is no part of the graph.
        optimizer["config"]["learning_rate"] = None
    return json.dumps(
        [
            [type(model).__name__, model.get_config()],
            compile_config,
            [(tuple(v.shape), str(v.dtype)) for v in model.variables],
            [layer.trainable for layer in layers],
            str(getattr(model.loss, "dtype", None)),
            keras.config.floatx(),
        ],
        sort_keys=True,
        default=repr,
    )


def _is_subclassed(model: Any) -> bool:
    keras = load_keras()
    functional = type(model).__name__ == "Functional" and _is_own(model)
    return not (type(model) is keras.Sequential or functional)


def output_units(model: Any, rows: Any) -> int | None:
    """Return the number of units of the only output of `model`, or None for several outputs.

    Parameters
    ----------
    model : keras.Model
        Built network.
    rows : ndarray of shape (n_rows, ...)
        A few rows; a subclassed model tells the shape of its output only when it is called.
    """
    if _is_subclassed(model):
        outputs = model(rows)
        shape = getattr(outputs, "shape", None)
    elif len(model.inputs) != 1 or len(model.outputs) != 1:
        return None
    else:
        shape = model.output_shape
    if shape is None:
        return None
    return int(shape[-1]) if len(shape) > 1 else 1


def output_kind(model: Any, loss: Any = None) -> str:
    """Say what the outputs of `model` mean: "logits" or "probabilities".

    The activation of the last layer decides. Where it does not tell (a subclassed model), the
    loss does: one with ``from_logits=True`` is fed logits.
    """
    keras = load_keras()
    layers = [layer for layer in getattr(model, "layers", [])]
    last = layers[-1] if layers and not _is_subclassed(model) else None
    while last is not None and getattr(last, "layers", None):
        last = last.layers[-1]
    if last is not None:
        if isinstance(last, keras.layers.Softmax):
            return "probabilities"
        activation = getattr(last, "activation", None)
        if activation in (keras.activations.sigmoid, keras.activations.softmax):
            return "probabilities"
        if activation is not None or type(last).__name__ in ("Rescaling", "Reshape", "Flatten"):
            return "logits"
    fn_kwargs = getattr(loss, "_fn_kwargs", None) or {}
    if getattr(loss, "from_logits", fn_kwargs.get("from_logits", False)):
        return "logits"
    return "probabilities"


def loss_classes() -> dict[str, type]:
    """Return the losses that Keras publishes, by the name of their function."""
    keras = load_keras()
    from keras.src.utils.naming import to_snake_case

    return {
        to_snake_case(name): cls
        for name, cls in vars(keras.losses).items()
        if isinstance(cls, type) and issubclass(cls, keras.losses.Loss) and cls is not keras.Loss
    }


def compile_settings(model: Any) -> dict[str, Any]:
    """Return fresh copies of what `model` was compiled with, for ``compile`` of another one.

    The optimizer starts anew; functions (a loss of the user's) are passed on as they are.
    """
    keras = load_keras()
    settings = dict(model._compile_config.config)
    if isinstance(settings["optimizer"], keras.optimizers.Optimizer):
        optimizer = settings["optimizer"]
        settings["optimizer"] = type(optimizer).from_config(optimizer.get_config())
    for part in ("loss", "metrics", "weighted_metrics"):
        settings[part] = copy.deepcopy(settings[part])
    return settings
