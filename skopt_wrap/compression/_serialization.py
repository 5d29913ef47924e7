"""Check a Keras network, turn it into data for another process, build it again, count it."""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np

from .._keras import (
    CustomObjects,
    all_layers,
    built_shape,
    functional_class,
    keras_model_problem,
    load_keras,
    network_graph,
)
from ..exceptions import DataError, ModelError

_TEXT_LAYERS = ("TextVectorization", "StringLookup", "Hashing", "HashedCrossing")
_HALF = ("float16", "bfloat16")
RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")


def check_form(model: Any, name: str) -> None:
    """Raise unless `model` is of a form that the stages can take, built or not.

    Raises
    ------
    ModelError
        For something that is no Keras 3 network, or is a subclassed one without a `call`.
    """
    keras = load_keras()
    problem = keras_model_problem(model)
    if problem is not None:
        raise ModelError(f"{name} cannot be compressed: {problem}.")
    if not isinstance(model, (keras.Sequential, functional_class())):
        if type(model).call is keras.Model.call:
            raise _no_graph(model, name, "it has no call")
        return  # what its call does is known when it is built
    for layer in all_layers(model):
        if type(layer).__name__ in _TEXT_LAYERS and _takes_texts(layer):
            raise ModelError(
                f"{name} cannot be compressed: layer {layer.name!r} ({type(layer).__name__}) works "
                "on texts, and a .tflite file holds numbers only. Move it in front of the network: "
                "make_pipeline(FunctionTransformer(layer), network), and train a network that "
                "takes what the layer returns."
            )
        if getattr(layer, "stateful", False):
            raise ModelError(
                f"{name} cannot be compressed: layer {layer.name!r} ({type(layer).__name__}) is "
                "stateful, its outputs depend on the rows before. A file answers for each row "
                "alone: build the network with stateful=False."
            )
        if getattr(layer, "quantization_mode", None) is not None:
            raise ModelError(
                f"{name} cannot be compressed: layer {layer.name!r} is quantized already "
                f"({layer.quantization_mode!r})."
            )
        for key in ("activation", "recurrent_activation"):
            if getattr(getattr(layer, key, None), "__name__", "") == "<lambda>":
                raise ModelError(
                    f"{name} cannot be compressed: {key} of layer {layer.name!r} is a lambda, "
                    "which Keras can neither copy nor save. Write a function with a name."
                )
    CustomObjects(model)  # names a layer that has no configuration


def _takes_texts(layer: Any) -> bool:
    """Return whether a preprocessing layer is given texts; one that hashes may get numbers."""
    if type(layer).__name__ in ("TextVectorization", "StringLookup"):
        return True
    return str(getattr(layer, "input_dtype", "")) == "string"


def _no_graph(model: Any, name: str, reason: str) -> ModelError:
    return ModelError(
        f"{name} cannot be compressed: {type(model).__name__!r} is a subclassed model, and "
        f"{reason}. Write it with keras.Sequential or the functional API."
    )


def as_graph(model: Any, x: np.ndarray, name: str = "model") -> tuple[Any, list[str]]:
    """Return a network that the stages can take, with the shape of the rows, and notes.

    Parameters
    ----------
    model : keras.Model
        Expected: built, with one input.
    x : ndarray of shape (n_rows, ...)
        Rows as the network takes them.
    name : str, default="model"
        What to call it in the error message.

    Raises
    ------
    ModelError
        For a subclassed model whose `call` cannot be traced, and for all that
        :func:`check_network` refuses.
    DataError
        When a weight is NaN or infinite.
    """
    check_form(model, name)
    notes: list[str] = []
    if model.built:
        try:
            model, notes = network_graph(model, x)
        except ValueError as error:
            raise _no_graph(model, name, str(error)) from error
    check_network(model, name)
    return model, notes


def check_network(model: Any, name: str = "model") -> None:
    """Raise unless `model` is a network that the stages can take.

    Parameters
    ----------
    model : object
        Expected: a built Keras 3 Sequential or Functional model, one input and one output of
        fixed row shape, finite weights, not quantized yet.
    name : str, default="model"
        What to call it in the error message.

    Raises
    ------
    ModelError
        With the rule that is broken.
    DataError
        When a weight is NaN or infinite.
    """
    check_form(model, name)
    if not model.built or not getattr(model, "inputs", None):
        raise ModelError(
            f"{name} cannot be compressed: it is not built. Give it a keras.Input, or call it "
            "on data once."
        )
    for kind, tensors in (("input", model.inputs), ("output", model.outputs)):
        if len(tensors) != 1:
            raise ModelError(
                f"{name} cannot be compressed: it must have one {kind}, got {len(tensors)}."
            )
    if None in model.inputs[0].shape[1:]:
        raise ModelError(
            f"{name} cannot be compressed: every dimension of a row must be fixed, got the input "
            f"shape {model.inputs[0].shape}."
        )
    broken = [w.path for w in model.weights if not np.isfinite(_array(w)).all()]
    if broken:
        raise DataError(
            f"{name} cannot be compressed: NaN or infinite values in the weights "
            f"{', '.join(broken)}. The training diverged."
        )


def _array(variable: Any) -> np.ndarray:
    value = load_keras().ops.convert_to_numpy(variable)
    return value if value.dtype.kind in "fiub" else value.astype("float32")


def to_payload(model: Any) -> dict[str, Any]:
    """Return configuration, weights and custom objects of `model`, ready to be pickled.

    ``half`` says whether it computes in half precision: its float32 copy then agrees less well.
    """
    objects = CustomObjects(model)
    return {
        "sequential": isinstance(model, load_keras().Sequential),
        "config": objects.config(model),
        "weights": [_array(weight) for weight in model.weights],
        "custom_objects": objects,
        "half": any(layer.compute_dtype in _HALF for layer in all_layers(model)),
    }


def from_payload(payload: dict[str, Any], *, unroll: bool = False) -> Any:
    """Return the network of a payload, in float32.

    Parameters
    ----------
    payload : dict
        Made by :func:`to_payload`.
    unroll : bool, default=False
        Write recurrent layers out, one copy of the cell a time step. The weights stay the same.
    """
    keras = load_keras()
    # Equal networks give equal files, whatever they are called.
    config = {**_edited(payload["config"], unroll), "name": "network"}
    owner = keras.Sequential if payload["sequential"] else keras.Model
    model = payload["custom_objects"].build(owner, config)
    weights = payload["weights"]
    if len(weights) != len(model.weights):
        raise ModelError(
            f"the network was rebuilt with {len(model.weights)} weights instead of {len(weights)}."
        )
    for variable, value in zip(model.weights, weights, strict=True):
        variable.assign(value)
    return model


def _edited(config: Any, unroll: bool) -> Any:
    """Return `config` with every dtype policy float32, and recurrent layers unrolled on demand."""
    if isinstance(config, (list, tuple)):
        return type(config)(_edited(item, unroll) for item in config)
    if not isinstance(config, dict):
        return config
    if config.get("class_name") in ("DTypePolicy", "FloatDTypePolicy", "DTypePolicyMap"):
        return "float32"
    edited = {key: _edited(value, unroll) for key, value in config.items()}
    if edited.get("class_name") in RECURRENT and unroll and "unroll" in edited.get("config", {}):
        edited["config"]["unroll"] = True
    if edited.get("class_name") == "InputLayer" and _is_float(edited["config"].get("dtype")):
        edited["config"]["dtype"] = "float32"
    if edited.get("class_name") == "__keras_tensor__" and _is_float(edited["config"].get("dtype")):
        edited["config"]["dtype"] = "float32"
    return edited


def _is_float(dtype: object) -> bool:
    return isinstance(dtype, str) and dtype.startswith(("float", "bfloat"))


def recurrent_layers(model: Any) -> list[Any]:
    """Return the recurrent layers of `model`, those inside wrappers too."""
    return [layer for layer in all_layers(model) if type(layer).__name__ in RECURRENT]


def time_steps(model: Any) -> int:
    """Return the largest number of time steps that a recurrent layer of `model` sees."""
    steps = [0]
    for layer in recurrent_layers(model):
        shape = built_shape(layer)
        steps.append(shape[1] if shape and len(shape) > 1 and shape[1] else 10**9)
    return max(steps)


def count_parameters(model: Any) -> tuple[int, int, int]:
    """Return the number of weights of `model`, how many are not zero, and how many are distinct.

    Distinct values are counted in each array by itself and summed.
    """
    arrays = [_array(weight) for weight in model.weights]
    return (
        sum(a.size for a in arrays),
        sum(int(np.count_nonzero(a)) for a in arrays),
        sum(len(np.unique(a)) for a in arrays),
    )


def weight_bytes(model: Any) -> tuple[int, int]:
    """Return the bytes of the weights as they are stored, plain and after gzip."""
    content = b"".join(np.ascontiguousarray(_array(weight)).tobytes() for weight in model.weights)
    return len(content), gzip_bytes(content)


def gzip_bytes(content: bytes) -> int:
    """Return the length of `content` after gzip."""
    return len(gzip.compress(content, mtime=0))
