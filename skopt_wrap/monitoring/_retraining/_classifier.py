"""RetrainingClassifier."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted

from ..._sklearn import StrOptions
from ...exceptions import DataError, ParameterError
from .._monitor import DriftMonitor
from ._base import BaseRetraining
from ._losses import class_losses


def _has_probabilities(self: Any) -> bool:
    return hasattr(getattr(self, "champion_", self.estimator), "predict_proba")


class RetrainingClassifier(ClassifierMixin, BaseRetraining):
    """A deployed classifier that is retrained after drift, and replaced only by a better one.

    Parameters
    ----------
    estimator : estimator
        Classifier; clones of it are trained.
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
    loss : {"zero_one", "brier"}, default="zero_one"
        Loss that a challenger must lower: wrong labels, or half the Brier score of the
        probabilities, which needs fewer rows.
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
    classes_ : ndarray of shape (n_classes,)
        Classes of the rows of `fit`.
    n_features_in_ : int
        Number of columns, if the champion knows it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if the rows of `fit` had names.

    See Also
    --------
    DriftMonitor : Raises the alarm.
    RetrainingRegressor : The same for numbers.

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
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skopt_wrap import RetrainingClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(600, 3))
    >>> served = RetrainingClassifier(LogisticRegression(), random_state=0).fit(X, X[:, 0] > 0)
    >>> for day in range(20):
    ...     X = rng.normal(size=(100, 3))
    ...     sign = 1 if day < 5 else -1  # on day 5 the meaning of the first feature is reversed
    ...     predicted = served.predict(X)
    ...     report = served.observe(X, sign * X[:, 0] > 0)
    >>> served.events_to_dict()["event"][:5]
    ['alarm', 'training', 'challenger', 'promotion', 'reference']
    >>> float((served.predict(X) == (-X[:, 0] > 0)).mean()) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseRetraining._parameter_constraints,
        "loss": [StrOptions({"zero_one", "brier"})],
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
        loss: str = "zero_one",
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
        if not hasattr(self, "champion_"):
            check_classification_targets(y)
        return y

    def _stratify(self, y: np.ndarray) -> np.ndarray:
        return y

    def _begin(self, X: Any, y: np.ndarray) -> None:
        self.classes_ = np.asarray(getattr(self.champion_, "classes_", unique_labels(y)))
        if self.loss == "brier" and not hasattr(self.champion_, "predict_proba"):
            raise ParameterError(
                f'loss="brier" needs predict_proba, which {type(self.champion_).__name__} lacks. '
                'Choose "zero_one".'
            )

    def _losses(self, model: Any, X: Any, y: np.ndarray) -> np.ndarray:
        return class_losses(model, X, y, self.loss)

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of the champion's class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes), float64
            Columns in the order of ``classes_``.
        """
        return np.log(np.maximum(self.predict_proba(X), np.finfo("float64").tiny))

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict probabilities with the champion.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, ...)
            Rows.

        Returns
        -------
        proba : ndarray of shape (n_rows, n_classes)
            Probabilities, in the order of `classes_`. A class that a champion has not seen has 0.

        Raises
        ------
        DataError
            If the champion knows a class that `fit` did not.
        """
        check_is_fitted(self)
        champion = self.champion_
        proba = np.asarray(champion.predict_proba(X))
        known = np.asarray(champion.classes_)
        if len(known) == len(self.classes_) and (known == self.classes_).all():
            return proba
        places = np.searchsorted(self.classes_, known)
        if not np.isin(known, self.classes_).all():
            raise DataError("the champion knows classes that fit did not; fit again.")
        every = np.zeros((len(proba), len(self.classes_)), dtype=proba.dtype)
        every[:, places] = proba
        return every
