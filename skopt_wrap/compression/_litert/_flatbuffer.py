"""Read, join and write the flat buffer that a ``.tflite`` file is."""

from __future__ import annotations

import copy
from typing import Any

import flatbuffers
import numpy as np

ALIGNMENT = 16  # of constants, as the format and TensorFlow Lite for Microcontrollers ask for


class Builder(flatbuffers.Builder):
    """Writes equal vectors once: shapes, and the zero points of every channel, are repeated."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: np.ndarray) -> int:
        """Write a vector, or return where an equal one stands.

        Parameters
        ----------
        x : ndarray of one dimension
            The vector.

        Returns
        -------
        place : int
            Where it stands.
        """
        key = (x.dtype.str, x.tobytes())
        if key not in self._written:
            if x.dtype == np.uint8:
                # What the next vector begins at is aligned as a constant must be.
                self.Prep(ALIGNMENT, x.size)
            self._written[key] = super().CreateNumpyVector(x)
        return self._written[key]


def read(content: bytes) -> Any:
    """Return the file as objects of its schema, which can be changed."""
    from ai_edge_litert import schema_py_generated as schema

    return schema.ModelT.InitFromPackedBuf(bytearray(content), 0)


def write(model: Any) -> bytes:
    """Return the file of objects of its schema."""
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def add_metadata(content: bytes, name: str, value: bytes) -> bytes:
    """Return the file with an entry of metadata; one of the same name is replaced."""
    from ai_edge_litert import schema_py_generated as schema

    model = read(content)
    kept = [entry for entry in model.metadata or [] if entry.name != name.encode()]
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(value, dtype=np.uint8)
    model.buffers.append(buffer)
    entry.name, entry.buffer = name, len(model.buffers) - 1
    model.metadata = [*kept, entry]
    return write(model)


def join(
    front: bytes | None, core: bytes, end: bytes | None, names: tuple[list[str], list[str]]
) -> bytes:
    """Return one file that runs up to three files one after another.

    Parameters
    ----------
    front : bytes or None
        A file with one output, which is the input of `core`; without control flow.
    core : bytes
        A file with one input and one output. Its operations and constants stay as they are.
    end : bytes or None
        A file that reads the output of `core`; without control flow.
    names : tuple of (list of str, list of str)
        Names of the inputs and of the outputs of the new file.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = read(core)
    graph = model.subgraphs[0]
    start, stop = int(graph.inputs[0]), int(graph.outputs[0])
    inputs, outputs, operators = [start], [stop], list(graph.operators)
    if front is not None:
        part = read(front)
        first = part.subgraphs[0]
        if int(first.outputs[0]) != int(first.inputs[0]):
            before, place = _added(model, part, {int(first.outputs[0]): start})
            inputs, operators = [place[int(first.inputs[0])]], [*before, *operators]
    if end is not None:
        part = read(end)
        last = part.subgraphs[0]
        after, place = _added(model, part, {int(last.inputs[0]): stop})
        # The converter orders outputs as it likes: numbers come before the label, an integer.
        floats = schema.TensorType.FLOAT32
        found = sorted(last.outputs, key=lambda i: last.tensors[int(i)].type != floats)
        outputs, operators = [place[int(i)] for i in found], [*operators, *after]
    graph.operators = operators
    graph.inputs = np.array(inputs, dtype=np.int32)
    graph.outputs = np.array(outputs, dtype=np.int32)
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    for places, given, ends in ((inputs, names[0], "inputs"), (outputs, names[1], "outputs")):
        maps = []
        for place_of, name in zip(places, given, strict=True):
            graph.tensors[place_of].name = name
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = name, place_of
            maps.append(entry)
        setattr(signature, ends, maps)
    model.signatureDefs = [signature]
    return write(model)


def _added(model: Any, part: Any, same: dict[int, int]) -> tuple[list[Any], dict[int, int]]:
    """Add the tensors of a file's only graph to the first graph of `model`.

    `same` names tensors of the part that the model has already. Returned are the operators, which
    point to the new places, and the places.
    """
    graph, own = model.subgraphs[0], part.subgraphs[0]
    place = dict(same)
    for i, tensor in enumerate(own.tensors):
        if i in place:
            continue
        tensor = copy.copy(tensor)
        data = part.buffers[tensor.buffer].data
        if data is None or not len(data):
            tensor.buffer = 0
        else:
            model.buffers.append(part.buffers[tensor.buffer])
            tensor.buffer = len(model.buffers) - 1
        graph.tensors.append(tensor)
        place[i] = len(graph.tensors) - 1
    operators = []
    for operator in own.operators:
        operator = copy.copy(operator)
        operator.opcodeIndex = _code(model, part.operatorCodes[operator.opcodeIndex])
        for ends in ("inputs", "outputs", "intermediates"):
            indices = getattr(operator, ends)
            if indices is not None and len(indices):
                moved = [place[int(i)] if i >= 0 else -1 for i in indices]
                setattr(operator, ends, np.array(moved, dtype=np.int32))
        operators.append(operator)
    return operators, place


def _code(model: Any, code: Any) -> int:
    """Return the place of an operation among those of the file; add it when it is missing."""
    for i, known in enumerate(model.operatorCodes):
        if (known.builtinCode, known.version, known.customCode) == (
            code.builtinCode,
            code.version,
            code.customCode,
        ):
            return i
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1
