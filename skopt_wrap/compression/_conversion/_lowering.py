"""Rewrite a network so that it converts best. Runs in the conversion process only.

Flattening is written with the number of values, which Keras leaves to be computed in the file.
Recurrent layers are unrolled where they are short: the file then takes any number of rows, keeps no
state, and every quantization works. An LSTM can be fused into one operation by way of its Keras 2
copy, for one row at a time. Any other loop converts for one row at a time too, and the converter
crashes on its integer activations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from ..._keras import all_layers, is_called
from ...exceptions import ConversionError, SkoptWrapError, UnsupportedLayerError
from ...factorization import TensorTrainDense
from .._serialization import from_payload, recurrent_layers, time_steps
from .._specs import CALIBRATED, Quantization

MAX_UNROLLED_STEPS = 64
# What a float32 network may differ by after it was rebuilt.
SAME = 1e-4
# What half-precision networks may differ in besides.
HALF_TOLERANCE = 0.03


@dataclass
class LoweredModel:
    """A network ready for the converter.

    Attributes
    ----------
    call : callable
        Tensor of rows to tensor of outputs.
    model : keras.Model
        The network with all its layers.
    owned : object
        What the converter keeps the variables by.
    batch : int or None
        Rows of the file; None is any number.
    notes : list of str
        For the report.
    """

    call: Callable[[Any], Any]
    model: Any
    owned: Any
    batch: int | None
    notes: list[str] = field(default_factory=list)


def lower(
    network: dict[str, Any], quantization: Quantization, check_x: np.ndarray, check_raw: np.ndarray
) -> LoweredModel:
    """Return a network rewritten so that it converts best.

    Raises
    ------
    UnsupportedLayerError
        When no way is known for this quantization; the message names the alternatives.
    """
    model = from_payload(network)
    recurrent = recurrent_layers(model)
    if not recurrent:
        return lower_plain(model, None)
    steps, wanted = time_steps(model), quantization.recurrent
    same = SAME + (HALF_TOLERANCE if network["half"] else 0.0)
    reason = f"{steps} time steps, more than the {MAX_UNROLLED_STEPS} that are unrolled"
    if wanted == "unrolled" or (wanted == "auto" and steps <= MAX_UNROLLED_STEPS):
        if steps < 10**9:
            unrolled = from_payload(network, unroll=True)
            found = relative_difference(unrolled(check_x, training=False), check_raw)
            if found <= same:
                note = f"recurrent layers unrolled over {steps} time steps"
                return lower_plain(unrolled, None, note)
        reason = "unrolled, Keras computes something else (a masked Bidirectional does)"
        if wanted == "unrolled":
            raise UnsupportedLayerError(
                f"layer {recurrent[0].name!r}: {reason}. Use Quantization(recurrent='auto')."
            )
    obstacle = _unfusable(model)
    if obstacle is None:
        try:
            return _fused(model, check_x, check_raw, same)
        except SkoptWrapError as error:
            obstacle = str(error)
    if wanted == "fused":
        raise UnsupportedLayerError(
            f"recurrent layers cannot be fused: {obstacle}. Use Quantization(recurrent='auto')."
        )
    if quantization.mode in CALIBRATED:
        raise UnsupportedLayerError(
            f"layer {recurrent[0].name!r} ({type(recurrent[0]).__name__}) cannot be converted "
            f"with quantization={quantization.mode!r}: {reason}, and it cannot be fused "
            f"({obstacle}). Use quantization='float16' or 'dynamic', or shorter, unmasked "
            "sequences."
        )
    return lower_plain(model, 1, f"recurrent layers run as a loop, one row at a time: {reason}")


def lower_plain(model: Any, batch: int | None = None, *notes: str) -> LoweredModel:
    """Return a Keras 3 network as it is, but for flattening and for Tensor-Trains."""
    for layer in all_layers(model):
        if isinstance(layer, TensorTrainDense):
            # The converter would write a kernel that is computed from its cores as a constant.
            layer.contraction = "cores"
        elif batch is None and type(layer).__name__ in ("Flatten", "Reshape") and is_called(layer):
            shape = layer.output.shape[1:]
            if None not in shape:
                layer.call = _reshape(tuple(shape))
    holder = tf.Module()
    # The converter keeps the variables that a tf.Module tracks; it does not see those of a
    # Keras 3 model and would write a file without weights.
    holder.kept = [variable.value for variable in model.variables]
    return LoweredModel(lambda x: model(x, training=False), model, holder, batch, list(notes))


def _reshape(shape: tuple[int, ...]) -> Callable[[Any], Any]:
    return lambda x: tf.reshape(x, (-1, *shape))


def _unfusable(model: Any) -> str | None:
    """Return why the recurrent layers of `model` do not become one operation each, or None."""
    for layer in recurrent_layers(model):
        kind = type(layer).__name__
        if kind != "LSTM":
            return f"layer {layer.name!r} is a {kind}, only LSTM can be"
        usual = {
            "activation": "tanh",
            "recurrent_activation": "sigmoid",
            "use_bias": True,
            "go_backwards": False,
        }
        config = layer.get_config()
        for name, value in usual.items():
            if config[name] != value:
                return f"layer {layer.name!r} has {name}={config[name]!r} instead of {value!r}"
    for layer in all_layers(model):
        kind = type(layer).__name__
        if kind == "Bidirectional":
            return f"layer {layer.name!r} is Bidirectional"
        if getattr(layer, "mask_zero", False) or kind == "Masking":
            return f"layer {layer.name!r} makes a mask"
    return None


def _fused(model: Any, check_x: np.ndarray, check_raw: np.ndarray, same: float) -> LoweredModel:
    """Return the tf_keras copy, whose LSTM layers the converter knows as one operation."""
    from ._tf_keras import to_tf_keras

    copy, _ = to_tf_keras(model)
    found = relative_difference(np.asarray(copy(check_x, training=False)), check_raw)
    if not found <= same:
        raise ConversionError(f"the copy in Keras 2 differs by {found:.2g}")
    note = "LSTM layers are one operation each and run row by row"
    return LoweredModel(lambda x: copy(x, training=False), model, copy, 1, [note])


def relative_difference(
    found: np.ndarray, expected: np.ndarray, scale_of: np.ndarray | None = None
) -> float:
    """Return the root-mean-square difference, divided by the root mean square of the values.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.compression._conversion._lowering import relative_difference
    >>> relative_difference(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    0.0
    """
    reference = np.asarray(expected if scale_of is None else scale_of, dtype=np.float64)
    scale = float(np.sqrt(np.mean(reference**2))) or 1.0
    error = np.asarray(found, np.float64) - np.asarray(expected, np.float64)
    return float(np.sqrt(np.mean(error**2))) / scale
