"""Remove the bytes of a ``.tflite`` file that no interpreter reads. In the conversion process.

The converter names every inner tensor, describes empty buffers and quantizations, and writes down
its own version: about 3 kB for a small network, which int8 weights alone may not fill. Names of
inputs, outputs and signatures stay.
"""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from tensorflow.lite.tools import flatbuffer_utils

_ALIGNMENT = 16  # of constants, as the format asks for


class _Builder(flatbuffers.Builder):
    """Writes equal vectors once: shapes, and the zero points of every channel, are repeated."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: np.ndarray) -> int:
        key = (x.dtype.str, x.tobytes())
        if key not in self._written:
            if x.dtype == np.uint8:
                # What the next vector begins at is aligned as a constant must be.
                self.Prep(_ALIGNMENT, x.size)
            self._written[key] = super().CreateNumpyVector(x)
        return self._written[key]


def strip(content: bytes) -> bytes:
    """Return the file without what is not needed to run it."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    model.description = None
    model.metadata = None
    for graph in model.subgraphs:
        graph.name = None
        ends = {*graph.inputs, *graph.outputs}
        for index, tensor in enumerate(graph.tensors):
            if index not in ends:
                tensor.name = None
            quantization = tensor.quantization
            if quantization is not None and quantization.scale is None and not quantization.details:
                tensor.quantization = None
            elif quantization is not None:
                quantization.min = quantization.max = None
            signature = tensor.shapeSignature
            if tensor.hasRank and signature is not None and list(signature) == list(tensor.shape):
                tensor.shapeSignature = None
    _share_buffers(model)
    builder = _Builder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _share_buffers(model: Any) -> None:
    """Let every tensor without a constant point to the first buffer, which is empty by rule."""
    kept, place = [model.buffers[0]], {0: 0}
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            data = model.buffers[tensor.buffer].data
            if data is None or not len(data):
                tensor.buffer = 0
                continue
            if tensor.buffer not in place:
                place[tensor.buffer] = len(kept)
                kept.append(model.buffers[tensor.buffer])
            tensor.buffer = place[tensor.buffer]
    model.buffers = kept
