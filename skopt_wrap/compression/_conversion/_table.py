"""The part of a network that prepares a table, in a file of its own numbers.

Columns of a table have units of their own, and codes are whole numbers: one scale for all of them,
as a file of small numbers has, would destroy both. So the preparation, and the embeddings of codes,
stay in float32: the network is cut behind them, the rest is converted as every other network, and
the two files are joined.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from tensorflow.lite.tools import flatbuffer_utils

from ..._keras import split_behind_table, table_layer
from ...exceptions import UnsupportedLayerError
from .._serialization import from_payload, to_payload

# Modes in which numbers of one tensor share a scale, or lose what float16 does not hold.
_SPLIT_MODES = ("int8", "int16x8", "float16")


@dataclass
class SplitNetwork:
    """A network cut in two.

    Attributes
    ----------
    front : keras.Model
        From the rows of the table to prepared columns.
    rest : dict
        From there on, as ``to_payload`` returns a network.
    """

    front: Any
    rest: dict[str, Any]

    def prepared(self, rows: np.ndarray) -> np.ndarray:
        """Return prepared columns for rows of the table."""
        parts = [
            np.asarray(self.front(rows[i : i + 1024], training=False))
            for i in range(0, len(rows), 1024)
        ]
        return np.concatenate(parts)


def split_table(
    network: dict[str, Any], mode: str | None, integer_io: bool = False
) -> SplitNetwork | None:
    """Return the two parts of a network that prepares tables, None where it stays whole.

    Parameters
    ----------
    network : dict
        Made by ``to_payload``.
    mode : str or None
        Quantization of the file.
    integer_io : bool, default=False
        Whether the file is asked to take integers.

    Raises
    ------
    UnsupportedLayerError
        When it cannot be cut behind its embeddings, or the file is asked to take integers.
    """
    if mode not in _SPLIT_MODES:
        return None
    model = from_payload(network)
    layer = table_layer(model)
    if layer is None:
        return None
    if integer_io:
        raise UnsupportedLayerError(
            f"layer {layer.name!r} prepares columns of different units, which have no common "
            "integers: integer_io=True cannot be had. Leave it out, or scale the table before the "
            "network and train with model__normalize=False."
        )
    parts = split_behind_table(model)
    if parts is None:
        raise UnsupportedLayerError(
            "codes of categories are embedded at several places of the network, so that it cannot "
            "be cut behind them. Take quantization='dynamic' or None."
        )
    front, rest = parts
    return SplitNetwork(front, {**to_payload(rest), "half": network["half"]})


def join_files(first: bytes, second: bytes) -> bytes:
    """Return one file that gives the output of the first file to the second.

    Parameters
    ----------
    first, second : bytes
        ``.tflite`` files with one input and one output; the output of the first is float32, as the
        input of the second.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(first))
    other = flatbuffer_utils.read_model_from_bytearray(bytearray(second))
    graph, added = model.subgraphs[0], other.subgraphs[0]
    buffers, codes, tensors = (
        len(model.buffers), len(model.operatorCodes), len(graph.tensors),
    )  # fmt: skip
    model.buffers += other.buffers
    model.operatorCodes += other.operatorCodes
    start, end = int(added.inputs[0]), int(graph.outputs[0])

    def place(index: int) -> int:
        if index < 0:
            return index  # an argument that is left out
        return end if index == start else tensors + index

    for tensor in added.tensors:
        tensor.buffer += buffers
    for operator in added.operators:
        operator.opcodeIndex += codes
        operator.inputs = np.array([place(int(i)) for i in operator.inputs], np.int32)
        operator.outputs = np.array([place(int(i)) for i in operator.outputs], np.int32)
    graph.tensors += added.tensors
    graph.operators += added.operators
    graph.outputs = np.array([place(int(added.outputs[0]))], np.int32)
    for signature in model.signatureDefs or []:
        for output in signature.outputs:
            output.tensorIndex = int(graph.outputs[0])
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
