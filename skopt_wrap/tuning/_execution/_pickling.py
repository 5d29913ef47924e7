"""Pickle what workers run so that their tracebacks show the user's source lines.

cloudpickle sends the functions of notebooks and scripts by value. Since release 3.1.3 it leaves out
the name of their file, and a worker on another machine has no such file anyway. The name and the
lines of the file travel along here, whatever release of cloudpickle is installed.
"""

from __future__ import annotations

import io
import linecache
from collections import ChainMap
from collections.abc import Callable
from types import CodeType
from typing import Any

import cloudpickle

_MOST_CHARACTERS = 1_000_000  # of a file that is sent


def dumps(value: Any) -> bytes:
    """Return `value` pickled, functions that cannot be imported elsewhere by value.

    Parameters
    ----------
    value : object
        Anything that cloudpickle takes.

    Returns
    -------
    pickled : bytes
        ``pickle.loads`` reads it, in a process that can import this package.

    Examples
    --------
    >>> import pickle
    >>> from skopt_wrap.tuning._execution._pickling import dumps
    >>> pickle.loads(dumps(lambda x: x + 1))(1)
    2
    """
    file = io.BytesIO()
    _Pickler(file).dump(value)
    return file.getvalue()


class _Pickler(cloudpickle.Pickler):
    dispatch_table: Any

    def __init__(self, file: Any) -> None:
        lines: dict[str, str] = {}  # the same text for all functions of a file is pickled once

        def reduce_code(code: CodeType) -> Any:
            make, arguments, *_ = reduce_by_cloudpickle(code)
            name = code.co_filename
            if name not in lines:
                text = "".join(linecache.getlines(name))
                lines[name] = text if len(text) <= _MOST_CHARACTERS else ""
            return _make_code, (make, arguments, name, lines[name])

        reduce_by_cloudpickle: Any = cloudpickle.Pickler.dispatch_table[CodeType]
        self.dispatch_table = ChainMap({CodeType: reduce_code}, self.dispatch_table)
        super().__init__(file)  # reads the table


def _make_code(
    make: Callable[..., CodeType], arguments: tuple[Any, ...], file: str, text: str
) -> CodeType:
    """Return a code object that knows its file, and tell the lines of the file to tracebacks."""
    if text:
        # Without a time of change, `linecache` does not look for the file on the disk.
        entry = (len(text), None, text.splitlines(keepends=True), file)
        linecache.cache.setdefault(file, entry)
    return make(*arguments).replace(co_filename=file)
