"""Hand the loss and metrics of every epoch to a logger of another library."""

from __future__ import annotations

from typing import Any

from ..exceptions import ParameterError


class EpochLogger:
    """Callback that hands loss and metrics of every epoch to an object with a method ``log``.

    Runs of Weights & Biases are such objects, and so are many others. Give it as one of the
    `callbacks` of an estimator. Copies of the estimator, those in a search for instance, log to
    the same object; it is never copied.

    Parameters
    ----------
    logger : object
        ``logger.log(values, step=epoch)`` is called after every epoch, with a dict of names and
        floats, and the number of the epoch, counted from 0. What it raises ends the fit.
    prefix : str, default=""
        Put before every name.

    Raises
    ------
    ParameterError
        When `logger` has no method ``log``; raised by ``fit``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skopt_wrap import KerasClassifier
    >>> from skopt_wrap.training import EpochLogger
    >>> class Notebook:
    ...     def log(self, values, step):
    ...         print(step, sorted(values))
    >>> network = KerasClassifier(epochs=2, callbacks=[EpochLogger(Notebook(), "iris/")])
    >>> network = network.fit(*load_iris(return_X_y=True))
    0 ['iris/loss']
    1 ['iris/loss']
    """

    def __init__(self, logger: Any, prefix: str = "") -> None:
        self.logger = logger
        self.prefix = prefix

    def __repr__(self) -> str:
        prefix = f", prefix={self.prefix!r}" if self.prefix else ""
        return f"EpochLogger({self.logger!r}{prefix})"

    def __deepcopy__(self, memo: dict[int, Any]) -> EpochLogger:
        return EpochLogger(self.logger, self.prefix)

    def as_callback(self) -> Any:
        """Return a Keras callback.

        Returns
        -------
        callback : keras.callbacks.Callback
            It logs after every epoch.
        """
        from ._callback_classes import LogEpochs

        if not callable(getattr(self.logger, "log", None)):
            raise ParameterError(
                "EpochLogger takes an object with a method log(values, step), got "
                f"{self.logger!r}. Write a small class that has one and calls what you want."
            )
        return LogEpochs(self.logger, self.prefix)
