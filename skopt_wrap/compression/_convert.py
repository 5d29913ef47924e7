"""Keras to ``.tflite``, and the checks of the file. Runs in the child process only."""

from __future__ import annotations

import re
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

# Largest root-mean-square difference to the network, in units of the outputs' own. A file that is
# further away than 0 everywhere would be is wrong; what integers lose below that is data's doing
# (rows that were never scaled), and is warned of.
TOLERANCE = {None: 1e-4, "float16": 2e-2, "dynamic": 1.0, "int8": 1.0, "int16x8": 1.0}
# What half-precision networks may differ in besides.
HALF_TOLERANCE = 0.03


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
    model, batch, notes = _exportable(network, quantization, check_x, check_raw)
    if network["half"]:
        notes = [*notes, "the network computes in half precision, the file in float32"]
    content = _to_bytes(model, quantization, calibration, batch)
    tolerance = TOLERANCE[quantization] + (HALF_TOLERANCE if network["half"] else 0.0)
    difference = verify(content, tolerance, check_x, check_raw)
    return {"content": content, "difference": difference, "notes": notes}


def _exportable(
    network: dict[str, Any], quantization: str | None, check_x: np.ndarray, check_raw: np.ndarray
) -> tuple[Any, int | None, list[str]]:
    """Return the network in the form that converts best, its batch size, and notes.

    Recurrent layers are unrolled: the file then takes any number of rows, keeps no state, and
    every quantization works. As a loop they convert for one row at a time only, and the
    converter crashes on integer activations.
    """
    model = from_payload(network)
    recurrent = recurrent_layers(model)
    if not recurrent:
        return model, None, []
    steps = time_steps(model)
    reason = f"{steps} time steps, more than the {MAX_UNROLLED_STEPS} that are unrolled"
    if steps <= MAX_UNROLLED_STEPS:
        unrolled = from_payload(network, unroll=True)
        same = relative_difference(unrolled(check_x, training=False), check_raw)
        if same <= TOLERANCE[None] + (HALF_TOLERANCE if network["half"] else 0.0):
            return unrolled, None, [f"recurrent layers unrolled over {steps} time steps"]
        reason = "unrolled, Keras computes something else (a masked Bidirectional does)"
    if quantization in CALIBRATED:
        raise UnsupportedLayerError(
            f"layer {recurrent[0].name!r} ({type(recurrent[0]).__name__}) cannot be converted "
            f"with quantization={quantization!r}: {reason}. Use quantization='float16' or "
            "'dynamic', or shorter, unmasked sequences."
        )
    return model, 1, [f"recurrent layers run as a loop, one row at a time: {reason}"]


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
    try:
        return bytes(converter.convert())
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        told = [line for line in lines if "error:" in line] or lines
        reason = re.sub(r"^loc\(.*\): ", "", told[0])[:400] if told else ""
        reason = reason.rstrip(". ") or f"{type(error).__name__} without a reason"
        hint = "" if quantization is None else " Use quantization='float16' or None."
        raise ConversionError(
            f"the converter refuses the network with quantization={quantization!r}: {reason}.{hint}"
        ) from error


def verify(content: bytes, tolerance: float, check_x: np.ndarray, check_raw: np.ndarray) -> float:
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
    if not difference <= tolerance:
        raise ConversionError(
            f"the file's outputs differ from the network's by {difference:.3g} of their size; at "
            f"most {tolerance:g} is accepted for this quantization. Try another one ('float16', "
            "'int16x8'), or more calibration_samples."
        )
    return difference
