"""What scikit-learn's callbacks hear of a search: each trial is a task."""

from __future__ import annotations

from typing import Any


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
