"""What a ``.tflite`` file says of itself: written into it as JSON, with a checksum of the whole.

The checksum is SHA-256 of the file with the checksum's own digits set to zero.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from flatbuffers import encode, packer
from flatbuffers.table import Table

from ...exceptions import ConversionError
from ._flatbuffer import add_metadata

NAME = "skopt_wrap"
_DIGITS = 64
_BLANK = b'"sha256": "' + b"0" * _DIGITS + b'"'
# Places in the tables of the format: model, entry of metadata, buffer.
_BUFFERS, _METADATA, _NAME, _BUFFER, _DATA = 12, 16, 4, 6, 4


def describe(content: bytes, description: Mapping[str, Any]) -> bytes:
    """Return the file with a description in it.

    Parameters
    ----------
    content : bytes
        A ``.tflite`` file.
    description : mapping
        What JSON can hold; it must not contain "sha256".
    """
    text = json.dumps({**description, "sha256": "0" * _DIGITS}, ensure_ascii=False, allow_nan=False)
    blank = add_metadata(content, NAME, text.encode())
    # The last one: texts of the user's stand before it.
    place = blank.rindex(_BLANK)
    digits = hashlib.sha256(blank).hexdigest().encode()
    start = place + _BLANK.index(b"0")
    return blank[:start] + digits + blank[start + _DIGITS :]


def read_description(content: bytes) -> dict[str, Any] | None:
    """Return the description of a file, None where it has none.

    Raises
    ------
    ConversionError
        When the file was changed after it was written.
    """
    found = _entry(content)
    if found is None:
        return None
    start, stop = found
    damaged = ConversionError(
        "the file was changed after it was written: its checksum does not fit. Export it again."
    )
    try:
        description = json.loads(content[start:stop].decode())
        digits = description["sha256"].encode()
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise damaged from error
    place = content.rfind(b'"sha256": "' + digits, start, stop)
    if place < 0 or len(digits) != _DIGITS:
        raise damaged
    place += _BLANK.index(b"0")
    blank = content[:place] + b"0" * _DIGITS + content[place + _DIGITS :]
    if hashlib.sha256(blank).hexdigest().encode() != digits:
        raise damaged
    return dict(description)


def _entry(content: bytes) -> tuple[int, int] | None:
    """Return where the description begins and ends in a file."""
    try:
        model = Table(content, encode.Get(packer.uoffset, content, 0))
        place = model.Offset(_METADATA)
        for i in range(model.VectorLen(place) if place else 0):
            entry = Table(content, model.Indirect(model.Vector(place) + 4 * i))
            name = entry.Offset(_NAME)
            if not name or entry.String(entry.Pos + name) != NAME.encode():
                continue
            number_at = entry.Offset(_BUFFER)
            number = encode.Get(packer.uint32, content, entry.Pos + number_at) if number_at else 0
            buffers = model.Offset(_BUFFERS)
            buffer = Table(content, model.Indirect(model.Vector(buffers) + 4 * int(number)))
            data = buffer.Offset(_DATA)
            return buffer.Vector(data), buffer.Vector(data) + buffer.VectorLen(data)
    except Exception as error:  # a damaged file may point anywhere
        raise ConversionError(
            f"content is not a whole .tflite file: its metadata cannot be read ({error})."
        ) from error
    return None
