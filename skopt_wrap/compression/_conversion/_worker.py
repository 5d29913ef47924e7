"""What the conversion process runs; ``_process.py`` says why there is one and how long it lives."""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import queue
import re
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO


def _function(given: Any) -> Callable[..., Any]:
    """Return the function of an order: itself, or what "package.module:name" names."""
    if not isinstance(given, str):
        return given
    module, _, name = given.partition(":")
    return getattr(importlib.import_module(module), name)


def _message(error: BaseException) -> str:
    """Return the message of `error` without the compiler's pages of locations."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    told = [re.sub(r"^.*\): (error: )", r"\1", line) for line in lines if "error:" in line]
    text = "\n".join(dict.fromkeys(told)) if told else "\n".join(lines[:12])
    return text[:1500]


def _perform(folder: Path) -> None:
    try:
        path, order = pickle.loads((folder / "order.pkl").read_bytes())
        # In the order of the parent, so that a name means the same module in both.
        sys.path[:] = [*path, *(entry for entry in sys.path if entry not in path)]
        function, request = pickle.loads(order)
        answer = ("answer", _function(function)(**request))
    except Exception as error:
        import traceback

        traceback.print_exc()
        answer = ("error", (type(error).__name__, _message(error)))
    part = folder / "answer.part"
    part.write_bytes(pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL))
    part.rename(folder / "answer.pkl")


def _read_orders(orders: queue.Queue[str], folder: str) -> None:
    for line in sys.stdin:
        orders.put(line.strip())
    # The parent is gone, whatever this process is busy with, and cannot clean up.
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def main(folder: str) -> None:
    """Read folders from standard input, one a line; answer "done" for each.

    Parameters
    ----------
    folder : str
        Made by the parent for the temporary files of this process; removed when the parent dies.
    """
    # Libraries print on standard output: it becomes standard error, and answers get their own.
    answers: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    orders: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read_orders, args=(orders, folder), daemon=True).start()
    with contextlib.suppress(ImportError):  # found later, with the search path of an order
        import keras  # noqa: F401  loaded while the parent still trains

    while True:
        order = orders.get()
        os.ftruncate(2, 0)
        os.lseek(2, 0, os.SEEK_SET)
        _perform(Path(order))
        answers.write("done\n")
        answers.flush()
