"""RetrainingRegressor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin

from ..._sklearn import StrOptions
from ...exceptions import DataError
from .._monitor import DriftMonitor
from ._base import BaseRetraining
from ._losses import error_scale, number_losses


class RetrainingRegressor(RegressorMixin, BaseRetraining):
    """A deployed regressor that is retrained after drift, and replaced only by a better one.

    Parameters
    ----------
    estimator : estimator
        Regressor; clones of it are trained.
    monitor : DriftMonitor, default=None
        Monitor with its settings, without an estimator; None takes the defaults. A copy of it
        watches the champion of the day.
    alpha : float, default=0.05
        Chance that a challenger that is not better is ever promoted, in (0, 1); the same for a
        rollback.
    buffer : {"since_change", "window", "reservoir", "reference_and_recent"}, default="since_change"
        Rows that a challenger is trained on: the latest rows since the change began; the latest
        rows; a random sample of all rows so far; half a random sample of the rows of `fit` and half
        the latest rows.
    buffer_size : int, default=10000
        Most rows kept for training, and most rows that wait for their labels.
    min_rows : int, default=200
        Fewest labelled rows since the change before a challenger is trained.
    cooldown : int, default=500
        Fewest rows between two trainings.
    patience : int, default=3000
        A challenger that is not shown to be better within so many labelled rows is dropped. After
        a promotion, the model before is kept as long, in case of a rollback.
    reference_size : float, default=0.3
        Share of the rows that is held out of a training, as the monitor's reference, in (0, 1).
    warm_start : bool, default=False
        Train a challenger from the champion's weights. `estimator` must have the parameter
        `warm_start`.
    background : bool, default=False
        Train challengers in a thread, so that `observe` returns at once.
    loss : {"absolute", "squared"}, default="absolute"
        Loss that a challenger must lower. Errors beyond `error_scale_` count as this one: bets need
        bounded losses, and a single row must not decide.
    on_event : callable, default=None
        Called with each event, a dict: "row", "event" ("alarm", "training", "challenger",
        "promotion", "rejection", "rollback", "confirmation", "reference" or "failure"), "model",
        "duel_rows", "gain" and "detail".
    random_state : int, RandomState instance or None, default=None
        Splits the rows and samples the buffer.

    Attributes
    ----------
    champion_ : estimator
        The model that serves.
    monitor_ : DriftMonitor
        Watches it.
    n_rows_ : int
        Rows observed so far.
    events_ : pandas.DataFrame
        What has happened; `events_to_dict` gives the same without pandas.
    error_scale_ : float
        Four times the median absolute error of the first champion on its reference.
    n_features_in_ : int
        Number of columns, if the champion knows it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if the rows of `fit` had names.

    See Also
    --------
    DriftMonitor : Raises the alarm.
    RetrainingClassifier : The same for classes.

    Notes
    -----
    When the monitor raises an alarm, and enough labelled rows have come since the change, a
    challenger is trained. The champion goes on serving. Both are compared on rows that come *after*
    the training: each row's difference of losses is a bet, and the challenger is promoted when the
    wealth of these bets reaches ``1 / alpha`` [1]_. This may be looked at after every row. The
    promise is about each duel: the chance that a challenger is ever promoted whose mean loss, given
    the past, is never smaller is at most `alpha`.

    After a promotion the former champion goes on being compared, and returns when it is shown to be
    the better one. Labels that were poisoned teach a challenger that loses on correct rows. Where
    the poison lasts into the duel it may be promoted, and is rolled back on the rows after it.

    References
    ----------
    .. [1] I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting",
       Journal of the Royal Statistical Society B, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from skopt_wrap import RetrainingRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(600, 3))
    >>> served = RetrainingRegressor(Ridge(), random_state=0)
    >>> served = served.fit(X, X[:, 0] + rng.normal(scale=0.1, size=600))
    >>> for day in range(20):
    ...     X = rng.normal(size=(100, 3))
    ...     slope = 1 if day < 5 else 2
    ...     report = served.observe(X, slope * X[:, 0] + rng.normal(scale=0.1, size=100))
    >>> "promotion" in served.events_to_dict()["event"]
    True
    >>> float(np.abs(served.predict(X) - 2 * X[:, 0]).max()) < 0.5
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseRetraining._parameter_constraints,
        "loss": [StrOptions({"absolute", "squared"})],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        monitor: DriftMonitor | None = None,
        alpha: float = 0.05,
        buffer: str = "since_change",
        buffer_size: int = 10_000,
        min_rows: int = 200,
        cooldown: int = 500,
        patience: int = 3000,
        reference_size: float = 0.3,
        warm_start: bool = False,
        background: bool = False,
        loss: str = "absolute",
        on_event: Any = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.monitor = monitor
        self.alpha = alpha
        self.buffer = buffer
        self.buffer_size = buffer_size
        self.min_rows = min_rows
        self.cooldown = cooldown
        self.patience = patience
        self.reference_size = reference_size
        self.warm_start = warm_start
        self.background = background
        self.loss = loss
        self.on_event = on_event
        self.random_state = random_state

    def _check_target(self, y: np.ndarray) -> np.ndarray:
        try:
            numbers = np.asarray(y, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"y must hold numbers: {error}.") from error
        if not np.isfinite(numbers).all():
            raise DataError("Input y contains NaN or infinity. Drop these rows.")
        return numbers

    def _begin(self, X: Any, y: np.ndarray) -> None:
        self.error_scale_ = error_scale(self.champion_, X, y)

    def _losses(self, model: Any, X: Any, y: np.ndarray) -> np.ndarray:
        return number_losses(model, X, y, self.loss, self.error_scale_)
