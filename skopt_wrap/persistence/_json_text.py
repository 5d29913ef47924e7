"""Read JSON texts of a file whose size, depth and number of items are bounded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..exceptions import LoadError

MOST_JSON_BYTES = 32 << 20
# Each comma or bracket of a JSON text may become a Python object of some 60 bytes.
MOST_JSON_ITEMS = 2_000_000
# Python's own reader of JSON would reach the limit of recursion, which is not safe to reach in C.
MOST_JSON_DEPTH = 500
_JSON_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def parse_json(content: bytes, name: str) -> Any:
    """Return the value of a JSON text whose size is bounded.

    Parameters
    ----------
    content : bytes
        UTF-8.
    name : str
        The part's name, for errors.

    Returns
    -------
    value : object
        The value.

    Raises
    ------
    LoadError
        The text is too large, nested too deeply, or no JSON.
    """
    if is_too_large(content):
        raise LoadError(f"{name!r} is too large: {len(content):,} bytes.")
    if json_depth(content) > MOST_JSON_DEPTH:
        raise LoadError(f"{name!r} is nested too deeply.")
    try:
        return json.loads(content, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except ValueError as error:
        raise LoadError(f"{name!r} is no valid JSON: {first_line(error)}") from error


def is_too_large(content: bytes) -> bool:
    """Whether a JSON text has more bytes or items than are read."""
    items = sum(content.count(sign) for sign in (b",", b"[", b"{", b":"))
    return len(content) > MOST_JSON_BYTES or items > MOST_JSON_ITEMS


def json_depth(content: bytes) -> int:
    """Return how deeply the brackets of a JSON text are nested.

    Parameters
    ----------
    content : bytes
        The text; it need not be valid.

    Returns
    -------
    depth : int
        The largest number of brackets that are open at once; those inside texts do not count.

    Examples
    --------
    >>> from skopt_wrap.persistence._json_text import json_depth
    >>> json_depth(b'{"a": [1, "[[["]}')
    2
    """
    signs = np.frombuffer(_JSON_TEXT.sub(b"", content), dtype=np.uint8)
    opened = np.isin(signs, list(b"[{")).astype(np.int32)
    closed = np.isin(signs, list(b"]}")).astype(np.int32)
    return int(np.cumsum(opened - closed).max(initial=0))


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return value


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or its class where it has none."""
    return (str(error) or type(error).__name__).splitlines()[0]
