"""Time limits of a search and of a single trial, and how they end what runs in this process."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...exceptions import TrialTimeoutError

_SIGNAL = signal.SIGUSR2
_AGAIN_SECONDS = 1.0  # after which code that caught the first exception gets another one


class TimeIsUp(BaseException):
    """A time limit passed while a trial was running.

    It is no Exception, so that an estimator which catches those does not go on training.
    """


@dataclass
class Limits:
    """Time limits in seconds.

    Attributes
    ----------
    max_seconds : float or None, default=None
        Of the search, from the moment at which its first trial began to run.
    trial_seconds : float or None, default=None
        Of each trial.
    """

    max_seconds: float | None = None
    trial_seconds: float | None = None
    _begin: float | None = None

    def begin(self, moment: float | None = None) -> None:
        """Note that a trial runs since `moment` (of ``time.monotonic``), by default since now."""
        if self._begin is None:
            self._begin = time.monotonic() if moment is None else moment

    @property
    def end(self) -> float | None:
        """The moment at which the search ends; None where there is none."""
        if self._begin is None or self.max_seconds is None:
            return None
        return self._begin + self.max_seconds

    def is_over(self) -> bool:
        """Whether the search has had its time."""
        return self.end is not None and time.monotonic() >= self.end

    def end_of_trial(self, begin: float) -> float | None:
        """Return the moment at which a trial that began at `begin` has had its time."""
        return None if self.trial_seconds is None else begin + self.trial_seconds

    def trial_error(self, number: int) -> TrialTimeoutError:
        """Return the error of a trial that took too long."""
        return TrialTimeoutError(
            f"trial {number} was ended after trial_timeout={self.trial_seconds:g} s."
        )


@contextmanager
def deadline(end: float | None) -> Iterator[None]:
    """Raise TimeIsUp inside the block when `end` has passed, wherever the block is by then.

    A thread sends this process a signal, whose handler raises: that ends a sleep and any loop of
    Python at once, and TensorFlow when its running operation has ended. It needs the main thread
    and a signal that the program does not use; elsewhere the limit is checked after every epoch
    and every split only.

    Parameters
    ----------
    end : float or None
        A moment of ``time.monotonic``; None for no limit.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if end is None or not in_main or signal.getsignal(_SIGNAL) is not signal.SIG_DFL:
        yield
        return
    over, main = threading.Event(), threading.get_ident()
    armed = True

    def wake() -> None:
        seconds = end - time.monotonic()
        while not over.wait(max(seconds, 0.0)):
            signal.pthread_kill(main, _SIGNAL)
            seconds = _AGAIN_SECONDS

    def stop(_number: int, _frame: Any) -> None:
        if armed:
            raise TimeIsUp

    signal.signal(_SIGNAL, stop)
    thread = threading.Thread(target=wake, daemon=True, name="skopt_wrap-deadline")
    thread.start()
    try:
        yield
    finally:
        armed = False
        over.set()
        thread.join()
        signal.signal(_SIGNAL, signal.SIG_DFL)
