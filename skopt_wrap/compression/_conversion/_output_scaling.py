"""Outputs far from zero, or of different sizes, in files of small numbers.

A file has one scale for all outputs, and it must reach from zero to the largest of them: years near
2000 that differ by 4 would get five distinct values in int8. Where that is so, the network is
converted with standardized outputs, and the file ends in a multiplication and an addition in
float32 that bring back their units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

# Steps of the file's numbers that the spread of each output must have at least: rounding to a tenth
# of the standard deviation costs less than 0.1 % of R2.
_LEAST_STEPS = 10.0
# Distinct numbers between the smallest and the largest of a mode.
_STEPS = {"int8": 255.0, "int16x8": 65535.0, "float16": 2048.0}


@dataclass(frozen=True)
class OutputScaling:
    """Mean and standard deviation of each output.

    Attributes
    ----------
    mean, deviation : ndarray of shape (n_units,), float32
        Of the outputs of the network, on its last axis.
    """

    mean: np.ndarray
    deviation: np.ndarray


def needed_scaling(outputs: np.ndarray, mode: str | None) -> OutputScaling | None:
    """Return how outputs have to be standardized for a mode, None where they need not be.

    Parameters
    ----------
    outputs : ndarray of shape (n_rows, ..., n_units)
        What the network answers.
    mode : str or None
        Quantization of the file.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.compression._conversion._output_scaling import needed_scaling
    >>> years = np.array([[1996.0], [2000.0], [2004.0]])
    >>> needed_scaling(years, "int8").mean
    array([2000.], dtype=float32)
    >>> needed_scaling(years - 2000, "int8") is None
    True
    """
    if mode not in _STEPS or outputs.ndim < 2:
        return None
    if outputs.min(initial=0.0) >= 0 and outputs.max(initial=0.0) <= 1:
        return None  # probabilities: all have the unit of the others
    columns = outputs.reshape(-1, outputs.shape[-1]).astype(np.float64)
    mean, deviation = columns.mean(axis=0), columns.std(axis=0)
    reach = max(columns.max(), 0.0) - min(columns.min(), 0.0)
    # Float16 has steps that grow with a number; they are as fine as needed near zero.
    reaches = np.abs(columns).max(axis=0) if mode == "float16" else np.full_like(mean, reach)
    varied = deviation > 1e-6 * np.abs(columns).max(axis=0)
    if not (varied & (deviation * _STEPS[mode] < _LEAST_STEPS * reaches)).any():
        return None
    deviation = np.where(varied, deviation, 1.0)
    return OutputScaling(mean.astype("float32"), deviation.astype("float32"))


def append_scaling(content: bytes, scaling: OutputScaling) -> bytes:
    """Return a file that multiplies the outputs by their deviation and adds their mean.

    Parameters
    ----------
    content : bytes
        A ``.tflite`` file with one output in float32, standardized.
    scaling : OutputScaling
        What brings back the units.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    graph = model.subgraphs[0]
    last = int(graph.outputs[0])
    name = graph.tensors[last].name
    for kind, options, values in (
        ("MUL", schema.MulOptionsT, scaling.deviation),
        ("ADD", schema.AddOptionsT, scaling.mean),
    ):
        constant = _constant(model, values)
        result = schema.TensorT()
        source = graph.tensors[last]
        result.type, result.buffer = schema.TensorType.FLOAT32, 0
        result.shape, result.shapeSignature = source.shape, source.shapeSignature
        result.hasRank, result.name = source.hasRank, f"{kind.lower()}_units".encode()
        graph.tensors.append(result)
        operator = schema.OperatorT()
        operator.opcodeIndex = _code(model, getattr(schema.BuiltinOperator, kind))
        operator.inputs = np.array([last, constant], dtype=np.int32)
        operator.outputs = np.array([len(graph.tensors) - 1], dtype=np.int32)
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, options.__name__[:-1])
        operator.builtinOptions = options()
        graph.operators.append(operator)
        last = len(graph.tensors) - 1
    graph.tensors[last].name = name
    old = int(graph.outputs[0])
    graph.outputs = np.array([last], dtype=np.int32)
    for signature in model.signatureDefs or []:
        for output in signature.outputs:
            if output.tensorIndex == old:
                output.tensorIndex = last
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _constant(model: schema.ModelT, values: np.ndarray) -> int:
    """Add a constant to the first graph and return its number."""
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.astype("<f4").tobytes(), dtype=np.uint8)
    model.buffers.append(buffer)
    tensor = schema.TensorT()
    tensor.type, tensor.shape = schema.TensorType.FLOAT32, np.array(values.shape, dtype=np.int32)
    tensor.buffer, tensor.hasRank = len(model.buffers) - 1, True
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1


def _code(model: schema.ModelT, operation: int) -> int:
    """Return the number of an operation among those of the file; add it when it is missing."""
    for i, known in enumerate(model.operatorCodes):
        if known.builtinCode == operation and known.version == 1:
            return i
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = operation
    code.version = 1
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1
