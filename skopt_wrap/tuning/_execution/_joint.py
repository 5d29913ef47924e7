"""Run trials in this process, the networks of several of them in one training."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from ...exceptions import SkippedWarning
from .._trial import TrialResult
from ._executors import Outcome, Serial
from ._limits import Limits, deadline

MOST_TRIALS = 64
# Trials that wait in a storage: another process may want some, and a crash loses them.
MOST_STORED = 9
# Multiplications and additions of the trials that are trained together: some seconds of a
# processor, so that results come in and Ctrl-C is answered.
_MOST_WORK = 2e11
_MOST_SECONDS = 10.0


class Joint(Serial):
    """Run trials here, and train the networks of those that wait together.

    Parameters
    ----------
    evaluate : Evaluation
        Evaluates one trial, or several together.
    limits : Limits, default=None
        Time limits; None for none. With a limit for each trial they run one by one. With a limit
        for all, the first trial runs alone, and then so many together that little is lost when
        the time is over.
    max_bytes : float or None, default=None
        Most memory of networks that are trained together; None for no limit.
    most : int, default=64
        Most trials that wait.
    batch : int, default=1
        Trials that a strategy which listens to results proposes before it hears of them.
    """

    def __init__(
        self,
        evaluate: Any,
        limits: Limits | None = None,
        *,
        max_bytes: float | None = None,
        most: int = MOST_TRIALS,
        batch: int = 1,
    ) -> None:
        super().__init__(evaluate, limits)
        self._together = evaluate.together
        self.capacity = min(batch, most)
        self._max_bytes, self._most = max_bytes, most
        self._waiting: list[TrialResult] = []
        self._begun: list[TrialResult] = []  # handed out together, without an outcome
        self._outcome_of: Iterator[tuple[TrialResult, Exception | None]] | None = None
        self._out_of_time: Callable[[], bool] = lambda: False
        self._training: tuple[float, float] | None = None  # its begin and its work
        self._speed: float | None = None
        self._one_by_one = False

    @property
    def running(self) -> list[int]:
        """Numbers of the trials that wait, run, or whose outcome was not fetched."""
        return [*super().running, *(result.number for result in [*self._waiting, *self._begun])]

    @property
    def is_free(self) -> bool:
        """Whether one more trial can be submitted."""
        return super().is_free and not self._begun and len(self._waiting) < self._most

    def submit(
        self,
        result: TrialResult,
        out_of_time: Callable[[], bool],
        pruning: Any = None,
        *,
        isolated: bool = False,
    ) -> None:
        """Let a trial wait; one that may be stopped early, or kill its process, runs at once."""
        if pruning is not None or isolated or self.limits.trial_seconds is not None:
            super().submit(result, out_of_time, pruning, isolated=isolated)
        else:
            self._out_of_time = out_of_time
            self._waiting.append(result)

    def wait(self, seconds: float) -> list[Outcome]:
        """Return what has run since the last call, or run trials until one has an outcome."""
        outcomes = super().wait(seconds)
        if outcomes or not (self._waiting or self._begun):
            return outcomes
        if not self._begun:
            self._begun, self._waiting = self._waiting, []
        if self._one_by_one or (len(self._begun) == 1 and self._outcome_of is None):
            return [self._run(self._begun.pop(0), self._out_of_time, None)]
        try:
            return [self._next()]
        except Exception as error:
            # Of no trial in particular: each by itself shows what it makes of it.
            self._one_by_one, self._outcome_of = True, None
            warnings.warn(
                f"Trials are run one by one from here on; together they raised "
                f"{type(error).__name__}: {error}",
                SkippedWarning,
                stacklevel=4,
            )
            return []

    def _next(self) -> Outcome:
        """Go on until one of the trials has an outcome."""
        began = time.monotonic()
        self.limits.begin(began)
        if self._outcome_of is None:
            self._outcome_of = self._together(
                list(self._begun), self._out_of_time, self._enough, self._max_bytes
            )
        with deadline(self.limits.end):
            result, error = next(self._outcome_of)
        if self._training is not None:
            begin, work = self._training
            self._speed = work / max(time.monotonic() - begin, 1e-3)
            self._training = None
        self._begun.remove(result)
        if not self._begun:
            self._outcome_of = None
        return Outcome(result.number, result, error)

    def _enough(self, work: float, n_trials: int) -> bool:
        """Whether the networks that wait are to be trained now."""
        most = _MOST_WORK
        if self.limits.end is not None:
            left = max(self.limits.end - time.monotonic(), 0.0)
            most = 0.0 if self._speed is None else self._speed * min(left / 4, _MOST_SECONDS)
        if work < most and n_trials < self._most:
            return False
        self._training = time.monotonic(), work
        return True

    def stop(self) -> None:
        """Drop the trials that wait and run."""
        self._waiting, self._begun, self._outcome_of = [], [], None
