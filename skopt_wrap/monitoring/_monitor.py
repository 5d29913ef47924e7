"""DriftMonitor: watches data, predictions and losses after deployment."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._sklearn import HasMethods, Interval, StrOptions, fit_context
from ..exceptions import ParameterError
from ._answers import DEFAULT_RUN_LENGTH, batch_report, stream_report
from ._groups import check_clock
from ._outputs import check_fitted
from ._reference import Reference, Rows, learn_reference
from ._report import DriftReport
from ._state import Outcome, StreamState
from ._statistics._effects import check_thresholds


class DriftMonitor(BaseEstimator):
    """Watch features, predictions and losses for drift, with a stated chance of a false alarm.

    Testing every batch at p < 0.05 raises a false alarm sooner or later. Here a stream may be
    looked at after every row: without drift, the chance of *ever* raising an alarm is at most
    `alpha`. A sketch of the reference is kept, not its rows.

    Parameters
    ----------
    estimator : estimator, default=None
        Fitted estimator whose predictions, confidence and, when labels come, losses are watched
        too. `clone` forgets what it learned; ``sklearn.frozen.FrozenEstimator(estimator)`` keeps
        it. None watches the data alone.
    features : "all" or list of str or int, default="all"
        Columns to watch.
    alpha : float, default=0.05
        Chance of ever raising an alarm without drift, and false discovery rate of the items that
        are declared changed, in (0, 1). With the Shiryaev-Roberts statistic it holds for `check`.
    statistics : {"auto", "martingale", "shiryaev_roberts"}, default="auto"
        Evidence of a stream. "martingale", which is "auto", bounds the chance of ever raising a
        false alarm. "shiryaev_roberts" bounds the mean run to a false alarm; it forgets a quiet
        past, and finds late changes faster.
    run_length : int, default=None
        With "shiryaev_roberts": fewest rows to a false alarm, in the mean. None means 100,000.
    effect_sizes : dict of str to float, default=None
        From where an effect size matters, where it differs from the defaults: "ks",
        "psi", "wasserstein" and "mean_shift" (in standard deviations of the reference),
        "jensen_shannon", "cramers_v", "new_values", "missing", "out_of_range". The reports' table
        "thresholds" tells the defaults and their sources.
    embedding : {"auto", "network"}, callable or None, default="auto"
        Numbers that stand for rows which are no table (images, series, texts). "auto" takes the
        last hidden layer of `estimator`, a Keras estimator or a pipeline that ends in one, for such
        rows alone; "network" for tables too. A callable takes X and returns an array of shape
        (n_rows, n_numbers). The first 16 principal components are watched.
    scoring : str, callable or None, default=None
        Score to report beside the loss when labels come, as in scikit-learn. It raises no alarm.
    reference_by : {"hour", "weekday", "month"}, name of a column, or None, default=None
        Compare rows with the reference rows of the same hour, weekday, month or value only. It
        needs times: `timestamp`, or a frame with a DatetimeIndex.
    window : int, default=1000
        Latest rows of a stream that effect sizes describe; they are kept as they came. With 0 none
        is kept, and effect sizes describe the rows of each update.
    keep_rows : int, default=0
        Rows of the reference to keep. With some, `check` also trains a classifier to tell the
        batch from them (multivariate drift).
    shuffle : bool, default=False
        Take the rows of each update in random order. For batches whose rows follow a cycle that is
        shorter than a batch, such as the hours of a day: the order within a batch then says
        nothing, and the start of a change is known to the batch only.
    random_state : int, RandomState instance or None, default=None
        Draws the rows that fix the cells of the sketch, and breaks ties.

    Attributes
    ----------
    items_ : list of str
        Items watched: columns, then "prediction" and "confidence", "label" and "loss".
    groups_ : list of str
        Groups of `reference_by`; one without a name otherwise.
    n_reference_ : int
        Rows of the reference.
    n_rows_ : int
        Rows of the stream so far.
    alarm_row_ : int or None
        Row of the stream at which the alarm was given.
    log_threshold_ : float
        Logarithm of the evidence from which a stream raises the alarm.
    history_ : dict of str to list
        After each update: "row", "log_e_value", "log_e_values" (n_items,), "time" if known.
    n_features_in_ : int
        Number of columns; not for rows that are no table.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if the reference had names.

    See Also
    --------
    DriftReport : What `check` and `update` return.
    DriftDisplay : Draws reports and streams.
    RetrainingClassifier : Acts on alarms.

    Notes
    -----
    The promise is about rows that are exchangeable as long as nothing has changed: their order says
    nothing. A column that counts the days, or an hour that follows the one before, is no such
    thing. Leave calendar columns out (`features`), compare like with like (`reference_by`), and
    `shuffle` batches that cover whole cycles.

    Give a reference that took no part in the training: an estimator is more confident, and has
    smaller losses, on rows it has seen.

    A fifth of the reference, at most 20,000 rows, fixes cells; the others are counted in them.
    The rank of a new value among the counted ones is a conformal p-value [1]_. Rows of the stream
    join the counts until an alarm, which makes the p-values of an item independent and uniform
    without drift, for any number of reference rows. Bets on them multiply the wealth of each item,
    which reaches 1 / `alpha` with probability `alpha` at most (Ville's inequality). The alarm is
    given by the average over the items; the items are declared by e-BH [2]_ at `alpha`. For a
    single item this is exact; how both behave for many dependent items is measured by
    ``benchmarks/drift.py``. In `check`, which looks once, both are exact in any case.

    References
    ----------
    .. [1] V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", Springer,
       2005.
    .. [2] R. Wang, A. Ramdas, "False discovery rate control with e-values", Journal of the Royal
       Statistical Society B, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap import DriftMonitor
    >>> rng = np.random.default_rng(0)
    >>> monitor = DriftMonitor(random_state=0).fit(rng.normal(size=(2000, 4)))
    >>> for week in range(10):
    ...     shift = 0.5 if week >= 6 else 0.0
    ...     report = monitor.update(rng.normal(size=(100, 4)) + [0, shift, 0, 0])
    >>> report.alarm, 600 < monitor.alarm_row_ <= 800, report.look_at_first
    (True, True, 'x1')
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["predict"]), None],
        "features": [StrOptions({"all"}), list, tuple, np.ndarray],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "statistics": [StrOptions({"auto", "martingale", "shiryaev_roberts"})],
        "run_length": [Interval(Integral, 2, None, closed="left"), None],
        "effect_sizes": [Mapping, None],
        "embedding": [StrOptions({"auto", "network"}), callable, None],
        "scoring": [str, callable, None],
        "reference_by": [str, None],
        "window": [Interval(Integral, 0, None, closed="left")],
        "keep_rows": [Interval(Integral, 0, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
    }

    # Learned by `fit`.
    _reference: Reference
    _state: StreamState
    _rng: np.random.Generator

    def __init__(
        self,
        estimator: Any = None,
        *,
        features: Any = "all",
        alpha: float = 0.05,
        statistics: str = "auto",
        run_length: int | None = None,
        effect_sizes: Mapping[str, float] | None = None,
        embedding: Any = "auto",
        scoring: Any = None,
        reference_by: str | None = None,
        window: int = 1000,
        keep_rows: int = 0,
        shuffle: bool = False,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.features = features
        self.alpha = alpha
        self.statistics = statistics
        self.run_length = run_length
        self.effect_sizes = effect_sizes
        self.embedding = embedding
        self.scoring = scoring
        self.reference_by = reference_by
        self.window = window
        self.keep_rows = keep_rows
        self.shuffle = shuffle
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags

    # The parameter estimator is fitted before.
    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, *, timestamp: Any = None) -> DriftMonitor:
        """Learn the reference.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, ...)
            Rows that took no part in the training of `estimator`. NaN and None are missing values.
        y : array-like of shape (n_rows,), default=None
            True labels or numbers; needed if y is to be watched later.
        timestamp : array-like of shape (n_rows,), default=None
            Time of each row, for `reference_by`; None takes the index of a frame.

        Returns
        -------
        self : DriftMonitor
            This monitor.

        Raises
        ------
        ParameterError
            If a parameter breaks its rule, or has no effect.
        DataError
            If the rows cannot be used.
        """
        self._check_parameters(y)
        rng = self._generator()
        self._reference = learn_reference(self, X, y, timestamp, rng)
        self._rng = rng
        self.items_ = self._reference.names
        self.groups_ = self._reference.groups
        self.n_reference_ = self._reference.n_rows
        return self.reset()

    def _check_parameters(self, y: Any) -> None:
        check_thresholds(self.effect_sizes)
        if self.run_length is not None and self.statistics != "shiryaev_roberts":
            raise ParameterError(
                f"run_length={self.run_length!r} has no effect with statistics="
                f'{self.statistics!r}; choose "shiryaev_roberts", or leave it at None.'
            )
        if self.estimator is not None:
            check_fitted(self.estimator)
        if self.scoring is not None:
            if self.estimator is None:
                raise ParameterError("scoring scores the estimator; give one, or no scoring.")
            check_scoring(self.estimator, scoring=self.scoring)
            if y is None:
                raise ParameterError("scoring needs labels of the reference; give y to fit.")

    def _generator(self) -> np.random.Generator:
        if self.random_state is None:
            return np.random.default_rng()
        return np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))

    def reset(self) -> DriftMonitor:
        """Forget the stream, keep the reference: after an alarm was dealt with.

        Returns
        -------
        self : DriftMonitor
            This monitor.
        """
        self._state = StreamState(
            self._reference,
            self.window,
            self.statistics == "shiryaev_roberts",
            self.log_threshold_,
            self.alpha,
            self.shuffle,
        )
        return self

    @property
    def n_rows_(self) -> int:
        """Rows of the stream so far."""
        return self._state.n_rows

    @property
    def alarm_row_(self) -> int | None:
        """Row of the stream at which the alarm was given."""
        return self._state.alarm_row

    @property
    def history_(self) -> dict[str, list[Any]]:
        """Evidence after each update."""
        return self._state.history

    def check(self, X: Any, y: Any = None, *, timestamp: Any = None) -> DriftReport:
        """Compare one batch with the reference; nothing is remembered.

        Without drift, the chance of an alarm is at most `alpha` for each call. Someone who checks
        one batch after the other will see a false alarm some day: use :meth:`update` for a stream.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, ...)
            Rows, as in `fit`.
        y : array-like of shape (n_rows,), default=None
            Labels; NaN or None for rows that have none yet.
        timestamp : array-like of shape (n_rows,), default=None
            Time of each row.

        Returns
        -------
        report : DriftReport
            What the batch says.

        Raises
        ------
        DataError
            If the rows are not like those of the reference.
        """
        check_is_fitted(self)
        rows = self._reference.read(self, X, timestamp)
        return batch_report(self, rows, self._outcome(rows, y), y)

    def update(self, X: Any, y: Any = None, *, timestamp: Any = None) -> DriftReport:
        """Take the next rows of the stream.

        May be called for single rows or whole batches, and looked at after each call.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, ...)
            Rows, as in `fit`, in the order of time.
        y : array-like of shape (n_rows,), default=None
            Labels; NaN or None for rows that have none yet.
        timestamp : array-like of shape (n_rows,), default=None
            Time of each row; must not go back.

        Returns
        -------
        report : DriftReport
            What the stream says so far.

        Raises
        ------
        DataError
            If the rows are not like those of the reference, or a time lies before an earlier one.
        """
        check_is_fitted(self)
        rows = self._reference.read(self, X, timestamp)
        latest = check_clock(rows.times, self._state.clock.latest)
        outcome = self._outcome(rows, y)
        self._state.clock.tick(self.n_rows_, rows.times, latest)
        self._state.take(rows, outcome, self._rng)
        return stream_report(self, rows, outcome, y)

    def update_labels(self, X: Any, y: Any, *, timestamp: Any = None) -> DriftReport:
        """Take labels that came later, with their rows; the rows themselves were taken before.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, ...)
            Rows given to :meth:`update` before, without labels.
        y : array-like of shape (n_rows,)
            Their labels.
        timestamp : array-like of shape (n_rows,), default=None
            Their times, needed with `reference_by`.

        Returns
        -------
        report : DriftReport
            What the stream says so far.

        Raises
        ------
        DataError
            If the reference has no labels, or the rows are not like those of the reference.
        """
        check_is_fitted(self)
        rows = self._reference.read(self, X, timestamp)
        outcome = self._reference.read_outcomes(self, rows, y)
        self._state.take_outcome(rows, outcome, self._rng)
        return stream_report(self, rows, outcome, y)

    @property
    def log_threshold_(self) -> float:
        """Logarithm of the evidence from which a stream raises the alarm."""
        if self.statistics == "shiryaev_roberts":
            return float(np.log(self.run_length or DEFAULT_RUN_LENGTH))
        return float(-np.log(self.alpha))

    def _outcome(self, rows: Rows, y: Any) -> Outcome | None:
        return None if y is None else self._reference.read_outcomes(self, rows, y)
