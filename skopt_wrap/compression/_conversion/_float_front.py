"""Layers that prepare the columns of a row stay in float32. In the conversion process.

A file of small numbers has one scale for all columns of its input: an age and an income cannot
share it. Where a network begins with layers that bring columns to one scale, these are converted by
themselves, in float32, and the other layers read what they return.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._keras import split_columns
from .._litert._flatbuffer import join, read
from .._serialization import from_payload, to_payload
from .._specs import Quantization

_MODES = ("int8", "int16x8", "float16")


def split_front(
    network: dict[str, Any], quantization: Quantization
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the layers that prepare columns and all others, None where they need no splitting.

    Parameters
    ----------
    network : dict
        Made by ``to_payload``.
    quantization : Quantization
        Mode and form of the file.

    Returns
    -------
    front, rest : dict
        Two networks like `network`.
    """
    if quantization.mode not in _MODES or quantization.integer_io:
        return None
    parts = split_columns(from_payload(network))
    if parts is None:
        return None
    front, rest = ({**to_payload(part), "half": network["half"]} for part in parts)
    return front, rest


def run_front(front: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """Return what the layers in front make of rows."""
    return np.asarray(from_payload(front)(x, training=False))


def with_front(front: bytes, content: bytes) -> bytes:
    """Return a file that runs the layers in front, and then another file."""
    first, last = read(front).subgraphs[0], read(content).subgraphs[0]
    source, target = first.tensors[int(first.inputs[0])], last.tensors[int(last.outputs[0])]
    return join(front, content, None, ([_name(source, "row")], [_name(target, "output")]))


def _name(tensor: Any, default: str) -> str:
    return tensor.name.decode() if tensor.name else default
