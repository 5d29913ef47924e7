"""Give the outputs of a network other units, in the weights of its last layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._backend import load_keras
from ._resize import applied_once

# Kernel and bias after the change, by which a second change of the same weights is seen.
_CHANGED = "_skopt_wrap_output_units"


def _last_dense(model: Any) -> Any:
    """Return the linear Dense layer that makes the only output of `model`, or None."""
    keras, layer = load_keras(), _output_layer(model)
    if layer is None:
        return None
    if getattr(layer, "linear_outputs", False):  # a layer of this package
        return layer if applied_once(layer) else None
    plain = (
        type(layer) is keras.layers.Dense
        and layer.activation is keras.activations.linear
        and layer.use_bias
        and layer.kernel_constraint is None
        and layer.bias_constraint is None
        and not getattr(layer, "lora_enabled", False)
        and applied_once(layer)
    )
    return layer if plain else None


def training_loss(model: Any, loss: Any) -> Any:
    """Return the loss for a network that returns something else while it trains.

    The layer that makes the only output says so with a method ``training_loss(loss)``; with
    ``training_metric(metric)`` it does the same for metrics.

    Parameters
    ----------
    model : keras.Model
        Built network.
    loss : str, callable or keras.losses.Loss
        Loss of its outputs.
    """
    layer = _output_layer(model)
    return layer.training_loss(loss) if hasattr(layer, "training_loss") else loss


def training_metrics(model: Any, metrics: Any) -> Any:
    """Return the metrics for a network that returns something else while it trains.

    Parameters
    ----------
    model : keras.Model
        Built network.
    metrics : list or None
        Metrics of its outputs.
    """
    layer = _output_layer(model)
    if metrics is None or not hasattr(layer, "training_metric"):
        return metrics
    return [layer.training_metric(metric) for metric in metrics]


def _output_layer(model: Any) -> Any:
    outputs: Any = getattr(model, "outputs", None) or ()
    return outputs[0]._keras_history[0] if len(outputs) == 1 else None


def takes_output_units(model: Any) -> bool:
    """Return whether the last layer of `model` can multiply its outputs and add to them.

    Parameters
    ----------
    model : keras.Model
        Built network.
    """
    return _last_dense(model) is not None


def enter_output_units(model: Any, scale: np.ndarray, offset: np.ndarray) -> None:
    """Change the last layer so that the network returns ``outputs * scale + offset``.

    Weights that were changed already, and not trained since, stay as they are.

    Parameters
    ----------
    model : keras.Model
        Network that ends in a linear Dense layer. It is changed.
    scale, offset : ndarray of shape (n_units,)
        Of each output.
    """
    layer = _last_dense(model)
    kernel, bias = (np.asarray(weight.numpy()) for weight in (layer.kernel, layer.bias))
    known = model.__dict__.get(_CHANGED)
    if known is not None and all(map(np.array_equal, known, (kernel, bias))):
        return
    new_kernel = (kernel.astype(np.float64) * scale).astype(kernel.dtype)
    new_bias = (bias.astype(np.float64) * scale + offset).astype(bias.dtype)
    layer.kernel.assign(new_kernel)
    layer.bias.assign(new_bias)
    object.__setattr__(model, _CHANGED, (new_kernel, new_bias))


def leave_output_units(model: Any, scale: np.ndarray, offset: np.ndarray) -> None:
    """Undo :func:`enter_output_units`, so that training can go on.

    Parameters
    ----------
    model : keras.Model
        Network that returns ``outputs * scale + offset``. It is changed.
    scale, offset : ndarray of shape (n_units,)
        Of each output.
    """
    layer = _last_dense(model)
    kernel, bias = (np.asarray(weight.numpy()) for weight in (layer.kernel, layer.bias))
    layer.kernel.assign((kernel.astype(np.float64) / scale).astype(kernel.dtype))
    layer.bias.assign(((bias.astype(np.float64) - offset) / scale).astype(bias.dtype))
    model.__dict__.pop(_CHANGED, None)
