"""scikit-learn's callbacks (``set_callbacks``) on a fit: each epoch is a task of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .._keras import load_keras
from .._sklearn import callbacks_of, start_callback_context


@contextlib.contextmanager
def epoch_tasks(
    estimator: Any, data: tuple[Any, Any], epochs: int, learned: Callable[[], Mapping[str, Any]]
) -> Iterator[list[Any]]:
    """Yield the Keras callbacks that tell scikit-learn's callbacks of every epoch.

    Parameters
    ----------
    estimator : KerasClassifier or KerasRegressor
        Whose `fit` runs.
    data : tuple of X and y
        As `fit` was given them; None for batches.
    epochs : int
        The most epochs that will be run.
    learned : callable
        Returns attributes that a copy of the estimator needs, the network aside, to predict.
    """
    if not callbacks_of(estimator):
        yield []
        return
    X, y = data
    context = start_callback_context(estimator, task_name="fit", max_subtasks=epochs)
    context.call_on_fit_task_begin(estimator=estimator, X=X, y=y)
    teller = _teller(estimator, context, X, y, learned)
    yield [teller]
    context.call_on_fit_task_end(
        estimator=estimator,
        X=X,
        y=y,
        reconstruction_attributes=lambda: {**learned(), "model_": teller.model},
    )


def _teller(estimator: Any, context: Any, X: Any, y: Any, learned: Any) -> Any:
    base: Any = load_keras().callbacks.Callback

    class EpochTasks(base):
        """Begin and end a task of scikit-learn with every epoch."""

        task: Any = None

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.task = context.subcontext(task_name="epoch")
            self.task.call_on_fit_task_begin(estimator=estimator, X=X, y=y)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            stop = self.task.call_on_fit_task_end(
                estimator=estimator,
                X=X,
                y=y,
                reconstruction_attributes=lambda: {**learned(), "model_": self.model},
            )
            if stop:
                self.model.stop_training = True

    return EpochTasks()
