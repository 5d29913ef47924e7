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

from ..._keras import split_behind_table, split_columns, table_layer
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
    parts = split_behind_table(model)
    if parts is None:
        raise UnsupportedLayerError(
            "codes of categories are embedded at several places of the network, so that it cannot "
            "be cut behind them. Take quantization='dynamic' or None."
        )
    return _split(*parts, network)


def _split(front: Any, rest: Any, network: dict[str, Any]) -> SplitNetwork:
    return SplitNetwork(front, {**to_payload(rest), "half": network["half"]})


def with_front(front: bytes, content: bytes) -> bytes:
    """Return a file that runs the layers in front, and then another file."""
    first, last = read(front).subgraphs[0], read(content).subgraphs[0]
    source, target = first.tensors[int(first.inputs[0])], last.tensors[int(last.outputs[0])]
    return join(front, content, None, ([_name(source, "row")], [_name(target, "output")]))


def _name(tensor: Any, default: str) -> str:
    return tensor.name.decode() if tensor.name else default
