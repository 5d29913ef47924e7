"""What Ctrl-C does while a search runs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Interrupt:
    """Ctrl-C: the first one lets the running trial finish, the second one stops at once.

    Until a trial has finished, and outside the main thread, Ctrl-C does what it always does.
    Training that restores the best weights catches KeyboardInterrupt and returns; `check` raises
    it again, so that what was cut short is never scored.
    """

    def __init__(self, can_keep: Callable[[], bool]) -> None:
        self.requested = False
        self.at_once = False
        self._can_keep = can_keep

    def _handle(self, signum: int, frame: Any) -> None:
        if self.requested or not self._can_keep():
            self.at_once = True
        self.requested = True
        self.check()

    def check(self) -> None:
        """Raise KeyboardInterrupt when the running trial is to be dropped."""
        if self.at_once:
            raise KeyboardInterrupt

    @contextmanager
    def watch(self) -> Iterator[Interrupt]:
        """Catch Ctrl-C inside the block, unless the program has a handler of its own."""
        ours = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if ours:
            signal.signal(signal.SIGINT, self._handle)
        try:
            yield self
        finally:
            if ours:
                signal.signal(signal.SIGINT, signal.default_int_handler)
