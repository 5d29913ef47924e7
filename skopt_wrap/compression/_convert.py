"""Keras to ``.tflite``, and the checks of the file. Runs in the child process only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from ..exceptions import ConversionError, UnsupportedLayerError
from ._difference import relative_difference
from ._network import from_payload, recurrent_layers, time_steps
from ._runtime import LiteRTModel
from ._specs import CALIBRATED

MAX_UNROLLED_STEPS = 64

# Largest root-mean-square difference to the network, in units of the outputs' own.
TOLERANCE = {None: 1e-4, "float16": 2e-2, "dynamic": 0.2, "int8": 0.3, "int16x8": 0.2}


def convert(
    network: dict[str, Any],
    quantization: str | None,
    calibration: np.ndarray | None,
    check_x: np.ndarray,
    check_raw: np.ndarray,
) -> dict[str, Any]:
    """Convert a network to one verified file.

    Parameters
    ----------
    network : dict
        Made by ``to_payload``.
    quantization : str or None
        Mode of quantization after training.
    calibration : ndarray or None
        Representative rows, for the modes that measure the range of activations.
    check_x, check_raw : ndarray
        Rows and what the network answers for them.

    Returns
    -------
    answer : dict
        ``content`` (bytes), ``difference`` (float, relative to the size of the outputs),
        ``notes`` (list of str).
    """
    model = from_payload(network)
    notes: list[str] = []
    batch: int | None = None
    if recurrent_layers(model):
        steps = time_steps(model)
        if steps <= MAX_UNROLLED_STEPS:
            model = from_payload(network, unroll=True)
            notes.append(f"recurrent layers unrolled over {steps} time steps")
        elif quantization in CALIBRATED:
            layer = recurrent_layers(model)[0]
            raise UnsupportedLayerError(
                f"layer {layer.name!r} ({type(layer).__name__}) runs over {steps} time steps: "
                f"quantization={quantization!r} takes recurrent layers of up to "
                f"{MAX_UNROLLED_STEPS} steps. Use quantization='dynamic' or 'float16', or "
                "shorter sequences."
            )
        else:
            batch = 1
            notes.append(f"recurrent layers run as a loop of {steps} steps, one row at a time")
    content = _to_bytes(model, quantization, calibration, batch)
    difference = verify(content, quantization, check_x, check_raw)
    return {"content": content, "difference": difference, "notes": notes}


def _to_bytes(
    model: Any, quantization: str | None, calibration: np.ndarray | None, batch: int | None
) -> bytes:
    spec = tf.TensorSpec((batch, *model.inputs[0].shape[1:]), model.inputs[0].dtype)
    function = tf.function(lambda x: model(x, training=False), autograph=False)
    concrete = function.get_concrete_function(spec)
    # The converter keeps the variables that a tf.Module tracks; it does not see those of a
    # Keras 3 model and would write a file without weights.
    holder = tf.Module()
    holder.kept = [variable.value for variable in model.variables]
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], holder)
    ops = tf.lite.OpsSet
    converter.target_spec.supported_ops = [ops.TFLITE_BUILTINS]
    if quantization is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantization == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if quantization in CALIBRATED:
        if calibration is None or not len(calibration):
            raise ConversionError(f"quantization={quantization!r} needs representative rows.")

        def rows() -> Iterator[list[np.ndarray]]:
            for i in range(len(calibration)):
                yield [calibration[i : i + 1].astype(spec.dtype.as_numpy_dtype)]

        converter.representative_dataset = rows
        converter.target_spec.supported_ops = [
            ops.TFLITE_BUILTINS_INT8
            if quantization == "int8"
            else ops.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]
    return bytes(converter.convert())


def verify(
    content: bytes, quantization: str | None, check_x: np.ndarray, check_raw: np.ndarray
) -> float:
    """Return how far the file's outputs are from the network's; raise when it is wrong."""
    model = LiteRTModel(content)
    flex = [op for op in model.ops() if op.startswith("Flex")]
    if flex:
        raise ConversionError(f"the file needs TensorFlow's own operations {sorted(set(flex))}.")
    many = model(check_x)
    few = min(3, len(check_x))
    single = np.concatenate([model(check_x[i : i + 1]) for i in range(few)])
    if many.shape != check_raw.shape:
        raise ConversionError(
            f"the file's outputs have shape {many.shape} instead of {check_raw.shape}."
        )
    if not (np.isfinite(many).all() and np.isfinite(single).all()):
        raise ConversionError("the file's outputs are not finite.")
    difference = max(
        relative_difference(many, check_raw),
        relative_difference(single, check_raw[:few], check_raw),
    )
    if difference > TOLERANCE[quantization]:
        raise ConversionError(
            f"the file's outputs differ from the network's by {difference:.3g} of their size; "
            f"at most {TOLERANCE[quantization]:g} is accepted for quantization={quantization!r}. "
            "Try another mode ('float16', 'int16x8'), or more calibration_samples."
        )
    return difference
