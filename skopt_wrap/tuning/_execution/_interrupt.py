"""Who looks on while a search runs: Ctrl-C, and scikit-learn's callbacks."""

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


class Tasks:
    """The trials as scikit-learn's callbacks see them: tasks of a search.

    Parameters
    ----------
    estimator : TunedClassifier or TunedRegressor
        Whose callbacks are called.
    root : sklearn.callback.CallbackContext
        The task that the search belongs to.
    n_trials : int or None
        Number of trials, where it is known.
    """

    def __init__(self, estimator: Any, root: Any, n_trials: int | None) -> None:
        self.estimator = estimator
        self.search = root.subcontext("search", max_subtasks=n_trials, sequential_subtasks=False)
        self.trials: dict[int, Any] = {}
        self.stop = False

    def __enter__(self) -> Tasks:
        self.search.call_on_fit_task_begin(estimator=self.estimator)
        return self

    def __exit__(self, kind: Any, *args: Any) -> None:
        if kind is None:
            self.search.call_on_fit_task_end(estimator=self.estimator)

    def begin(self, number: int) -> None:
        """Tell that a trial begins."""
        self.trials[number] = self.search.subcontext("trial", task_id=number)
        self.trials[number].call_on_fit_task_begin(estimator=self.estimator)

    def end(self, number: int) -> None:
        """Tell that a trial has ended; a callback may want no more."""
        trial = self.trials.pop(number)
        self.stop = trial.call_on_fit_task_end(estimator=self.estimator) or self.stop
