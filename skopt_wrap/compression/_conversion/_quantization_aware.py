"""Quantization-aware training through TFMOT on a tf_keras copy, in the conversion process.

Layers that TFMOT knows train with the file's rounding. The others train in float, and the
converter measures their ranges on representative rows, as it does after ordinary training: the
file computes in integers throughout.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from tensorflow.lite.tools import flatbuffer_utils

from ...exceptions import ConversionError, UnsupportedLayerError
from .._fine_tuning_data import FineTuningData, check_finite
from .._litert._runtime import LiteRTModel
from .._serialization import from_payload, recurrent_layers
from .._specs import Quantization
from .._stages._masks import n_distinct
from ._convert import TOLERANCE, front_bytes, to_bytes, verify
from ._fine_tuning import fine_tune, outputs
from ._float_front import split_front, with_front
from ._lowering import LoweredModel
from ._operations import KerasOperation
from ._output_scaling import needed_scaling
from ._strip import strip
from ._tf_keras import check_copy, check_same, to_tf_keras
from ._tfmot import (
    is_folded,
    kernel_quantize_config,
    load_tfmot,
    quantize_configs,
    quantize_scheme,
)

# Learning rate of Adam at the first step.
LEARNING_RATE = 1e-4
_INT8 = 9  # of TensorType in the file format


def quantize_aware(
    network: dict[str, Any],
    spec: Quantization,
    tuning: FineTuningData,
    seed: int,
    check_x: np.ndarray,
    calibration: np.ndarray,
    sparsity: bool,
    clusters: bool,
) -> dict[str, Any]:
    """Fine-tune a network with the rounding of an int8 file, and make the file.

    Parameters
    ----------
    network : dict
        Made by ``to_payload``.
    spec : Quantization
        Form of the file; its mode is "int8".
    tuning : FineTuningData
        Rows and settings; its ``loss`` as ``portable_loss`` returns it.
    seed : int
        Of shuffling and dropout.
    check_x : ndarray
        Rows on which networks and file are compared.
    calibration : ndarray
        Representative rows for what is not trained with rounding.
    sparsity, clusters : bool
        Whether zeros and shared values of the kernels have to be kept.

    Returns
    -------
    answer : dict
        ``content`` (bytes), ``difference`` (float), ``done``, ``skipped``, ``notes`` (lists of
        str).

    Raises
    ------
    UnsupportedLayerError
        When the network cannot be trained in this way; it can still be quantized after training.
    """
    tfmot = load_tfmot()
    import tf_keras

    rows, split = check_x, split_front(network, "int8", spec.integer_io, tables=True)
    if split is not None:
        network, check_x = split.rest, split.prepared(check_x)
        calibration = split.prepared(calibration)
        tuning = replace(tuning, x=split.prepared(tuning.x))
    model = from_payload(network)
    stored = _stored(model)
    # Units that were removed leave no zeros to keep.
    sparsity = sparsity and any((values == 0).any() for values in stored)
    check_x = check_x.astype(model.inputs[0].dtype)
    recurrent = recurrent_layers(model)
    if recurrent:
        raise UnsupportedLayerError(
            f"layer {recurrent[0].name!r} ({type(recurrent[0]).__name__}) cannot be trained with "
            "rounding"
        )
    if needed_scaling(outputs(model, check_x), "int8") is not None:
        raise UnsupportedLayerError(
            "the outputs are far from zero, or of very different sizes, for how much they vary: "
            "their rounding would hide what is learned"
        )
    tf_keras.utils.set_random_seed(seed % 2**32)
    copy, layers = to_tf_keras(model)
    check_copy(model, copy, layers, check_x)
    scheme = quantize_scheme(tfmot, sparsity, clusters)
    names = {other.name: layer.name for layer, other in layers.items()}
    trained, done, skipped = _train_with_rounding(tfmot, copy, scheme, names, sparsity, clusters)
    notes = fine_tune(model, trained, tuning, LEARNING_RATE)
    check_finite(trained)
    if clusters:
        stripped = tfmot.experimental.combine.strip_clustering_cqat(trained)
        check_same(trained, stripped, check_x, "taking the clustering wrappers off")
        trained = stripped
    expected = outputs(trained, check_x)
    lowered = LoweredModel(lambda x: trained(x, training=False), model, trained, None)
    try:
        content = to_bytes(lowered, spec, calibration)
        _check_integer(content, spec)
        content = strip(content)
        if split is not None:
            content = with_front(strip(front_bytes(split.front, None)), content)
        difference = verify(content, TOLERANCE["int8"], rows, expected)
    except ConversionError as error:
        raise UnsupportedLayerError(f"once trained with rounding: {error}") from error
    unknown = check_kernels(content, stored, sparsity, clusters)
    kept = [what for what, on in (("zeros", sparsity), ("shared values", clusters)) if on]
    notes.append("trained with the file's rounding" + (f"; kept {', '.join(kept)}" if kept else ""))
    if kept and unknown:
        notes.append(
            f"not verified: {' and '.join(kept)} of kernels of "
            f"{', '.join(f'{size:,}' for size in unknown)} weights, which the file holds in "
            "another form"
        )
    notes.append(
        "parameters, non-zero and distinct are those of the network before this training; bytes, "
        "difference, score and latency are the file's"
    )
    return {
        "content": content,
        "difference": difference,
        "done": done,
        "skipped": skipped,
        "notes": notes,
    }


def _train_with_rounding(
    tfmot: Any, copy: Any, scheme: Any, names: dict[str, str], sparsity: bool, clusters: bool
) -> tuple[Any, list[str], list[str]]:
    """Return the copy with quantizers, the layers that have them, and the others."""
    import tf_keras

    quantization = tfmot.quantization.keras
    known = quantize_configs()
    registry = known.pop("registry")
    known["KerasOperation"] = KerasOperation
    done: list[str] = []
    skipped: list[str] = []

    def annotate(other: Any) -> Any:
        kind, name = type(other).__name__, names.get(other.name)
        if name is None:  # the input
            return other
        if kind == "Conv1D":
            config = kernel_quantize_config(sparsity, clusters)
            done.append(name)
            return quantization.quantize_annotate_layer(other, config)
        # Separable kernels are taken apart, normalizations folded into the layer before.
        if registry.supports(other) or kind == "SeparableConv2D" or is_folded(other):
            if other.weights:
                done.append(name)
            return quantization.quantize_annotate_layer(other)
        skipped.append(f"{name}: {kind} is quantized after training")
        return quantization.quantize_annotate_layer(other, known["NoOpQuantizeConfig"]())

    try:
        with quantization.quantize_scope(known):
            annotated = tf_keras.models.clone_model(copy, clone_function=annotate)
            annotated.set_weights(copy.get_weights())
            made = quantization.quantize_apply(annotated, scheme)
    except (ValueError, RuntimeError, TypeError, AttributeError, KeyError) as error:
        told = str(error).partition("You can quantize")[0].strip()[:300]
        raise UnsupportedLayerError(
            f"training with rounding refuses the network ({told})"
        ) from error
    return made, done, skipped


def _check_integer(content: bytes, spec: Quantization) -> None:
    """Raise when the file goes back to floating point before its end."""
    back = LiteRTModel(content).ops().count("DEQUANTIZE")
    if back > (0 if spec.integer_io else 1):
        raise UnsupportedLayerError("some layers of the trained network stay in floating point")


def _stored(model: Any) -> list[np.ndarray]:
    """Return every kernel of `model`."""
    arrays = [weight.numpy() for weight in model.weights]
    return [values for values in arrays if values.ndim > 1]


def check_kernels(
    content: bytes, before: list[np.ndarray], sparsity: bool, clusters: bool
) -> list[int]:
    """Raise unless the kernels in a file have the zeros and shared values of those before.

    Kernels are told apart by their sizes; of several equal ones, the sparsest must be as sparse as
    the sparsest was, and so on. Values are counted for each unit, as a unit has its own scale.

    Returns
    -------
    unknown : list of int
        Sizes of kernels that the converter merged or split, so that nothing is known of them.

    Raises
    ------
    UnsupportedLayerError
        When zeros or shared values were lost.
    """
    after = int8_constants(content)
    unknown = []
    for size in sorted({values.size for values in before}):
        old = [values for values in before if values.size == size]
        new = [values for values in after if values.size == size]
        if len(new) != len(old):
            unknown.append(size)  # the converter merged or split kernels
            continue
        if sparsity:
            zeros = sorted(int((values == 0).sum()) for values in old)
            kept = sorted(int((values == 0).sum()) for values in new)
            if any(a < b for a, b in zip(kept, zeros, strict=True)):
                raise UnsupportedLayerError(
                    f"training with rounding undid the pruning: {sum(kept)} zeros of {sum(zeros)} "
                    f"are left in kernels of {size} weights"
                )
        if clusters:
            shared = sorted(n_distinct(values) for values in old)
            found = sorted(max(n_distinct(unit) for unit in values) for values in new)
            if any(a > b for a, b in zip(found, shared, strict=True)):
                raise UnsupportedLayerError(
                    f"training with rounding undid the clustering: {max(found)} distinct values "
                    f"instead of {max(shared)} in kernels of {size} weights"
                )
    return unknown


def int8_constants(content: bytes) -> list[np.ndarray]:
    """Return the int8 kernels of a file."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    found = []
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            data = model.buffers[tensor.buffer].data
            if tensor.type == _INT8 and data is not None and tensor.shape is not None:
                values = np.frombuffer(bytes(data), dtype=np.int8)
                if len(tensor.shape) > 1 and values.size:
                    found.append(values.reshape(tensor.shape))
    return found
