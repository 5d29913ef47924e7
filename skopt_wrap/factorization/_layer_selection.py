"""Which layers of a network can be factorized, and why the others cannot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .._keras import functional_class, keras_model_problem, layer_calls, load_keras
from ..exceptions import DataError, ModelError, ParameterError, suggest
from ._statistics import TargetLayer

_HALF = ("float16", "bfloat16")


def check_model(model: Any) -> None:
    """Raise unless `model` is a network that can be taken apart.

    Raises
    ------
    ModelError
        For what is no built Sequential or Functional Keras 3 model with one input and one output.
    DataError
        When a weight is NaN or infinite.
    """
    keras = load_keras()
    problem = keras_model_problem(model)
    if problem is not None:
        raise ModelError(f"model cannot be factorized: {problem}.")
    if not isinstance(model, (keras.Sequential, functional_class())):
        raise ModelError(
            f"model cannot be factorized: {type(model).__name__!r} is a subclassed model, whose "
            "layers cannot be exchanged. Write it with keras.Sequential or the functional API."
        )
    if not model.built or not getattr(model, "inputs", None):
        raise ModelError(
            "model cannot be factorized: it is not built. Give it a keras.Input, or call it on "
            "data once."
        )
    for kind, tensors in (("input", model.inputs), ("output", model.outputs)):
        if len(tensors) != 1:
            raise ModelError(
                f"model cannot be factorized: it must have one {kind}, got {len(tensors)}."
            )
    broken = [
        weight.path
        for weight in model.weights
        if (value := _array(weight)).dtype.kind == "f" and not np.isfinite(value).all()
    ]
    if broken:
        raise DataError(
            "model cannot be factorized: NaN or infinite values in the weights "
            f"{', '.join(broken)}. The training diverged."
        )


def _array(variable: Any) -> np.ndarray:
    value = load_keras().ops.convert_to_numpy(variable)
    return value if value.dtype.kind in "fiub" else value.astype("float32")


def find_target_layers(
    model: Any, layers: Iterable[str] | None
) -> tuple[dict[str, TargetLayer], dict[str, str]]:
    """Return the layers that can be factorized, and the reason for every other with a kernel.

    Parameters
    ----------
    model : keras.Model
        Checked.
    layers : iterable of str or None
        Names of the layers to take; None takes all.

    Raises
    ------
    ParameterError
        For a name that no layer has.
    """
    calls = layer_calls(model)
    names = [layer.name for layer in model.layers]
    if isinstance(layers, str):
        layers = [layers]
    wanted = None if layers is None else list(layers)
    for name in wanted or ():
        if name not in names:
            raise ParameterError(
                f"layers: the model has no layer {name!r}. " + suggest(str(name), names)
            )
    targets, skipped = {}, {}
    for layer in model.layers:
        if not any(len(weight.shape) >= 2 for weight in layer.weights):
            continue
        kind, reason = _kind(layer)
        if wanted is not None and layer.name not in wanted:
            reason = "not named in layers"
        elif reason is None and calls[layer.name] > 1:
            reason = f"is called {calls[layer.name]} times: shared layers are kept"
        if reason is None:
            targets[layer.name] = TargetLayer(layer, kind)
        else:
            skipped[layer.name] = reason
    return targets, skipped


def _kind(layer: Any) -> tuple[str, str | None]:
    """Return what a layer is, and why it cannot be factorized."""
    keras = load_keras()
    kinds = {
        keras.layers.Dense: "dense",
        keras.layers.Conv1D: "convolution",
        keras.layers.Conv2D: "convolution",
        keras.layers.Embedding: "embedding",
    }
    kind = kinds.get(type(layer), "")
    if getattr(layer, "layers", None):
        return kind, "a nested model: factorize it by itself"
    if not kind:
        return kind, f"{type(layer).__name__} has no factorized form"
    if getattr(layer, "quantization_mode", None) is not None:
        return kind, f"is quantized ({layer.quantization_mode})"
    if getattr(layer, "lora_enabled", False):
        return kind, "has LoRA weights: merge them first"
    for name in ("kernel_constraint", "embeddings_constraint"):
        if getattr(layer, name, None) is not None:
            return kind, f"its {name} is about the whole kernel"
    if kind == "convolution":
        if layer.groups > 1:
            return kind, f"has {layer.groups} groups"
        if layer.data_format != "channels_last":
            return kind, "has channels first"
        if layer.padding not in ("same", "valid"):
            return kind, f"has padding {layer.padding!r}"
    return kind, None
