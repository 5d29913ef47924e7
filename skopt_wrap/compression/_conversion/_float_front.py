"""The part of a network that prepares columns, in a file of its own numbers.

Columns of a table have units of their own, and codes are whole numbers: one scale for all of them,
as a file of small numbers has, would destroy both. So layers that bring columns to one scale, and
embeddings of codes, stay in float32: the network is cut behind them, the rest is converted as every
other network, and the two files are joined.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

<<<<<<< HEAD:skopt_wrap/compression/_conversion/_float_front.py
from ..._keras import split_columns, table_layer
=======
from ..._keras import split_behind_table, table_layer
>>>>>>> s2-tables:skopt_wrap/compression/_conversion/_table.py
from ...exceptions import UnsupportedLayerError
from .._litert._flatbuffer import join, read
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


def split_front(
    network: dict[str, Any], mode: str | None, integer_io: bool = False, *, tables: bool = False
) -> SplitNetwork | None:
    """Return the two parts of a network that prepares columns, None where it stays whole.

    Parameters
    ----------
    network : dict
        Made by ``to_payload``.
    mode : str or None
        Quantization of the file.
    integer_io : bool, default=False
        Whether the file is asked to take integers.
    tables : bool, default=False
        Whether to cut only behind the layer that prepares tables, and not behind others that treat
        each column in its own way.

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
        parts = None if tables or integer_io else split_columns(model)
        return None if parts is None else _split(*parts, network)
    if integer_io:
        raise UnsupportedLayerError(
            f"layer {layer.name!r} prepares columns of different units, which have no common "
            "integers: integer_io=True cannot be had. Leave it out, or scale the table before the "
            "network and train with model__normalize=False."
        )
<<<<<<< HEAD:skopt_wrap/compression/_conversion/_float_front.py
    tensor = _cut(model, layer)
    front = keras.Model(model.inputs[0], tensor)
    return _split(front, keras.Model(tensor, model.outputs[0]), network)


def _split(front: Any, rest: Any, network: dict[str, Any]) -> SplitNetwork:
    return SplitNetwork(front, {**to_payload(rest), "half": network["half"]})


def _cut(model: Any, layer: Any) -> Any:
    """Return the tensor behind preparation and embeddings through which all values pass."""
    operations = [op for op in model.operations if op._inbound_nodes]
    embeddings = [op for op in operations if type(op).__name__ == "Embedding"]
    if not embeddings:
        return layer.output
    for operation in operations[operations.index(layer) :]:
        tensor = operation.output
        behind = _makers(tensor)
        if not all(embedding in behind for embedding in embeddings):
            continue
        # What does not go through the tensor would need the parts in front of it.
        rest = _makers(model.outputs[0], stop=operation)
        if not rest & (behind - {operation}):
            return tensor
    raise UnsupportedLayerError(
        f"layer {embeddings[0].name!r} embeds codes of categories at several places. Take "
        "quantization='dynamic' or None."
    )


def _makers(tensor: Any, stop: Any = None) -> set[Any]:
    """Return the operations by which a tensor is made, without those before `stop`."""
    found: set[Any] = set()
    waiting = [tensor]
    while waiting:
        operation = waiting.pop()._keras_history[0]
        if operation in found:
            continue
        found.add(operation)
        if operation is not stop:
            waiting += [t for node in operation._inbound_nodes for t in node.input_tensors]
    return found


def with_front(front: bytes, content: bytes) -> bytes:
    """Return a file that runs the layers in front, and then another file."""
    first, last = read(front).subgraphs[0], read(content).subgraphs[0]
    source, target = first.tensors[int(first.inputs[0])], last.tensors[int(last.outputs[0])]
    return join(front, content, None, ([_name(source, "row")], [_name(target, "output")]))
=======
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
>>>>>>> s2-tables:skopt_wrap/compression/_conversion/_table.py


def _name(tensor: Any, default: str) -> str:
    return tensor.name.decode() if tensor.name else default
