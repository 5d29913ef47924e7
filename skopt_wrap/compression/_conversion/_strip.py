"""Remove the bytes of a ``.tflite`` file that no interpreter reads. In the conversion process.

The converter names every inner tensor, describes empty buffers and quantizations, and writes down
its own version: about 3 kB for a small network, which int8 weights alone may not fill. Names of
inputs, outputs and signatures stay.
"""

from __future__ import annotations

from typing import Any

from tensorflow.lite.tools import flatbuffer_utils

from .._litert._flatbuffer import write


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
    return write(model)


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
