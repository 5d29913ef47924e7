"""Convert a network to a ``.tflite`` file, and check it. Runs in the conversion process only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from ..._keras import all_layers, fold_affine, use_one_scale_for_dense_kernels
from ...exceptions import ConversionError
from .._differences import output_difference
from .._litert._runtime import LiteRTModel
from .._serialization import from_payload, to_payload
from .._specs import CALIBRATED, Quantization
from ._float_front import split_front, with_front
from ._lowering import HALF_TOLERANCE, SAME, LoweredModel, lower, lower_plain, relative_difference
from ._output_scaling import OutputScaling, append_scaling, needed_scaling
from ._strip import strip

# Largest root-mean-square difference to the network, in units of the outputs' own. A file that is
# further away than 0 everywhere would be is wrong; what integers lose below that is data's doing
# (rows that were never scaled), and is warned of.
TOLERANCE = {None: SAME, "float16": 2e-2, "dynamic": 1.0, "int8": 1.0, "int16x8": 1.0, "int4": 1.0}
# Largest noise of a unit's weights, in units of their own size, for one scale per dense kernel.
_EVEN = 0.05


def convert(
    network: dict[str, Any],
    quantization: Quantization,
    calibration: np.ndarray | None,
    check_x: np.ndarray,
    check_raw: np.ndarray,
) -> dict[str, Any]:
    """Convert a network to one verified file.

    Parameters
    ----------
    network : dict
        Made by ``to_payload``.
    quantization : Quantization
        Mode of quantization after training, and form of the file.
    calibration : ndarray or None
        Representative rows, for the modes that measure the range of activations.
    check_x, check_raw : ndarray
        Rows and what the network answers for them.

    Returns
    -------
    answer : dict
        ``content`` (bytes), ``difference`` (float, in units of the spread of the outputs),
        ``notes`` (list of str).
    """
    rows, raw = check_x, check_raw
    split = split_front(network, quantization.mode, quantization.integer_io)
    if split is not None:
        network, check_x = split.rest, split.prepared(check_x)
        calibration = None if calibration is None else split.prepared(calibration)
    scaling = None if quantization.integer_io else needed_scaling(check_raw, quantization.mode)
    standardized = None if scaling is None else _standardized(network, scaling)
    if scaling is not None and standardized is not None:
        expected = (check_raw - scaling.mean) / scaling.deviation
        lowered = lower(standardized, quantization, check_x, expected)
        lowered.notes.append("the file standardizes outputs inside and ends in their units")
    else:
        lowered = lower(network, quantization, check_x, check_raw)
    notes = lowered.notes
    if network["half"]:
        notes = [*notes, "the network computes in half precision, the file in float32"]
    if quantization.mode == "int4":
        from ._int4 import to_int4

        content = to_int4(to_bytes(lowered, Quantization(None), None))
    else:
        content = to_bytes(lowered, quantization, calibration)
        if scaling is not None and standardized is not None:
            content = append_scaling(content, scaling)
    content = strip(content)
    if split is not None:
        content = with_front(strip(front_bytes(split.front, lowered.batch)), content)
        notes = [*notes, "the layers that prepare columns compute in float32"]
    tolerance = TOLERANCE[quantization.mode] + (HALF_TOLERANCE if network["half"] else 0.0)
    difference = verify(content, tolerance, rows, raw)
    return {"content": content, "difference": difference, "notes": notes}


def front_bytes(front: Any, batch: int | None) -> bytes:
    """Return the file of the part of a network that prepares columns, in float32."""
    return to_bytes(lower_plain(front, batch), Quantization(None), None)


def _standardized(network: dict[str, Any], scaling: OutputScaling) -> dict[str, Any] | None:
    """Return a network with standardized outputs, None where its last layers are not linear."""
    mean, deviation = (part.astype(float) for part in (scaling.mean, scaling.deviation))
    model = fold_affine(from_payload(network), 1 / deviation, -mean / deviation)
    return None if model is None else {**to_payload(model), "half": network["half"]}


def to_bytes(
    lowered: LoweredModel, quantization: Quantization, calibration: np.ndarray | None
) -> bytes:
    """Return the converter's file.

    Raises
    ------
    ConversionError
        With the converter's reason and an alternative.
    """
    mode, start = quantization.mode, lowered.model.inputs[0]
    spec = tf.TensorSpec((lowered.batch, *start.shape[1:]), start.dtype)
    concrete = tf.function(lowered.call, autograph=False).get_concrete_function(spec)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], lowered.owned)
    ops = tf.lite.OpsSet
    converter.target_spec.supported_ops = [ops.TFLITE_BUILTINS]
    # One scale for a whole kernel is 12 bytes less a unit and all that older runtimes know.
    use_one_scale_for_dense_kernels(converter, _is_even(lowered.model))
    if mode is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if mode in CALIBRATED:
        if calibration is None or not len(calibration):
            raise ConversionError(f"quantization={mode!r} needs representative rows.")

        def rows() -> Iterator[list[np.ndarray]]:
            for i in range(len(calibration)):
                yield [calibration[i : i + 1].astype(spec.dtype.as_numpy_dtype)]

        converter.representative_dataset = rows
        converter.target_spec.supported_ops = [
            ops.TFLITE_BUILTINS_INT8
            if mode == "int8"
            else ops.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]
        if quantization.integer_io:
            whole = tf.int8 if mode == "int8" else tf.int16
            if spec.dtype.is_floating:
                converter.inference_input_type = whole
            converter.inference_output_type = whole
    try:
        return bytes(converter.convert())
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        told = [line for line in lines if "error:" in line] or lines
        reason = re.sub(r"^loc\(.*\): ", "", told[0])[:400] if told else ""
        reason = reason.rstrip(". ") or f"{type(error).__name__} without a reason"
        hint = "" if mode is None else " Use quantization='float16' or None."
        raise ConversionError(
            f"the converter refuses the network with quantization={mode!r}: {reason}.{hint}"
        ) from error


def _is_even(model: Any) -> bool:
    """Return whether the units of every dense layer have weights of similar size."""
    for layer in all_layers(model):
        if type(layer).__name__ != "Dense":
            continue
        kernel = np.asarray(layer.kernel, dtype=np.float64)
        sizes = np.sqrt(np.mean(kernel**2, axis=0))
        noise = np.abs(kernel).max(initial=0.0) / 127 / np.sqrt(12)
        # A unit that is nearly off does not count: its error is as small as it is.
        alive = sizes > 1e-3 * sizes.max(initial=0.0)
        if (noise > _EVEN * sizes[alive]).any():
            return False
    return True


def verify(content: bytes, tolerance: float, check_x: np.ndarray, check_raw: np.ndarray) -> float:
    """Return how far the file's outputs are from the network's, in units of their spread.

    Raises
    ------
    ConversionError
        When the file is wrong: its outputs are not finite, or far away.
    """
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
    return output_difference(many, check_raw)
