"""Find a learning rate by a range test, and show it."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from .._sklearn import check_matplotlib_support, validate_parameters
from ..exceptions import ParameterError
from ..training import range_losses
from ._base import BaseKerasEstimator
from ._fit_steps import FitRequest, prepare_fit

_STOP_FACTOR = 4.0
# Settings that have no part in a handful of steps.
_PLAIN = {
    "augment": None,
    "callbacks": None,
    "early_stopping": False,
    "learning_rate_schedule": None,
    "validation_split": 0.0,
    "verbose": 0,
    "warm_start": False,
}


@dataclass(frozen=True)
class LearningRateTest:
    """Outcome of a learning-rate range test.

    Made by :func:`find_learning_rate`.

    Parameters
    ----------
    rates_ : ndarray of shape (n_done,)
        Learning rates, ascending.
    losses_ : ndarray of shape (n_done,)
        Loss of the batch at each step, before its update.
    smoothed_losses_ : ndarray of shape (n_done,)
        Lines fitted to the losses around each step; NaN from a loss on that is not finite.
    suggestion_ : float or None
        Rate at which these lines fall fastest; None when the loss does not fall.
    diverged_ : bool
        Whether the test ended early, at a loss of four times the first one or not finite.

    See Also
    --------
    find_learning_rate : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.estimators import LearningRateTest
    >>> rates, losses = np.array([0.01, 0.1]), np.array([0.7, 0.6])
    >>> LearningRateTest(rates, losses, losses, 0.01, diverged_=False).suggestion_
    0.01
    """

    rates_: np.ndarray
    losses_: np.ndarray
    smoothed_losses_: np.ndarray
    suggestion_: float | None
    diverged_: bool

    def plot(self, ax: Any = None) -> LearningRateDisplay:
        """Draw loss against rate.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : LearningRateDisplay
            The plot.
        """
        return LearningRateDisplay(self).plot(ax)


class LearningRateDisplay:
    """Plot of a learning-rate range test.

    Use :meth:`from_estimator`, or :meth:`LearningRateTest.plot`.

    Parameters
    ----------
    result : LearningRateTest
        The test.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        Axes of the plot.
    figure_ : matplotlib.figure.Figure
        Figure of the plot.
    line_ : matplotlib.lines.Line2D
        The smoothed loss.
    suggestion_line_ : matplotlib.lines.Line2D or None
        Mark of the suggestion.

    See Also
    --------
    find_learning_rate : Makes the test.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.estimators import LearningRateDisplay, LearningRateTest
    >>> rates, losses = np.array([0.01, 0.1]), np.array([0.7, 0.6])
    >>> result = LearningRateTest(rates, losses, losses, 0.01, diverged_=False)
    >>> LearningRateDisplay(result).plot().ax_.get_xscale()
    'log'
    """

    def __init__(self, result: LearningRateTest) -> None:
        self.result = result

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, ax: Any = None, **params: Any
    ) -> LearningRateDisplay:
        """Run a range test and draw it.

        Parameters
        ----------
        estimator : KerasClassifier, KerasRegressor or Pipeline
            See :func:`find_learning_rate`.
        X, y : array-like
            Rows and target.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes a figure.
        **params : dict
            Further arguments of :func:`find_learning_rate`.

        Returns
        -------
        display : LearningRateDisplay
            The plot.
        """
        return cls(find_learning_rate(estimator, X, y, **params)).plot(ax)

    def plot(self, ax: Any = None) -> LearningRateDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        self : LearningRateDisplay
            With `ax_`, `figure_`, `line_` and `suggestion_line_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        check_matplotlib_support("LearningRateDisplay.plot")
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        result, self.suggestion_line_ = self.result, None
        ax.plot(result.rates_, result.losses_, color="C0", alpha=0.3, label="loss of a batch")
        (self.line_,) = ax.plot(
            result.rates_, result.smoothed_losses_, color="C0", label="smoothed"
        )
        if result.suggestion_ is not None:
            self.suggestion_line_ = ax.axvline(
                result.suggestion_,
                color="C1",
                linestyle="--",
                label=f"steepest fall, {result.suggestion_:.2g}",
            )
        values = result.losses_[np.isfinite(result.losses_)]
        before = values[: int(np.argmin(values)) + 1] if len(values) else values
        if len(before) > 1 and values.max() > before.max():  # divergence would hide the fall
            margin = 0.15 * (before.max() - before.min())
            ax.set_ylim(before.min() - margin, before.max() + margin)
        ax.set(xlabel="Learning rate", ylabel="Training loss", xscale="log")
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def find_learning_rate(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    sample_weight: Any = None,
    min_rate: float = 1e-6,
    max_rate: float = 1.0,
    n_steps: int = 100,
    smoothing: float = 0.2,
    random_state: Any = None,
) -> LearningRateTest:
    """Find a learning rate by a range test.

    A network as `fit` would build it is trained for `n_steps` batches, each at a greater rate
    than the one before [1]_. The suggestion is the rate at which the loss falls fastest as a
    function of the logarithm of the rate: the steepest of the least-squares lines through
    neighbouring steps, up to the least loss. It is a first guess that costs a fraction of one fit,
    not the result of a search; "one_cycle" and schedules with a warm-up stand a few times more.

    Nothing of `estimator` is changed. Schedule, callbacks, early stopping, augmentation and
    validation rows of the estimator take no part.

    Parameters
    ----------
    estimator : KerasClassifier, KerasRegressor or Pipeline
        Fitted or not. Steps of a pipeline before the network are fitted on `X` and `y`.
    X : {array-like, sparse matrix} of shape (n_samples, ...)
        Rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Target.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows; not with a pipeline that resamples.
    min_rate, max_rate : float, default=1e-6 and 1.0
        First and last rate.
    n_steps : int, default=100
        Steps, evenly spaced on the logarithmic scale. The test ends early when a loss is four
        times the first one, or not finite.
    smoothing : float, default=0.2
        Share of the steps that a line is fitted to, in (0, 1].
    random_state : int, RandomState instance or None, default=None
        Seed of the test; None takes the estimator's.

    Returns
    -------
    result : LearningRateTest
        With `rates_`, `losses_`, `suggestion_` and :meth:`~LearningRateTest.plot`.

    Raises
    ------
    ParameterError
        For rates that are not positive and ascending, fewer than ten steps, or an estimator that
        is no Keras network.
    ModelError
        When the optimizer has a schedule of its own.

    References
    ----------
    .. [1] L. N. Smith, "Cyclical learning rates for training neural networks", WACV 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skopt_wrap import KerasClassifier, find_learning_rate
    >>> X, y = load_iris(return_X_y=True)
    >>> result = find_learning_rate(KerasClassifier(random_state=0), X, y)
    >>> 1e-4 < result.suggestion_ < 0.1
    True
    """
    _check(min_rate, max_rate, n_steps, smoothing)
    network, X, y, sample_weight = _unwrap(estimator, X, y, sample_weight)
    seed = network.random_state if random_state is None else random_state
    seed = int(check_random_state(seed).randint(2**31 - 1))
    # Options of a schedule go with their schedule, which takes no part.
    network.set_params(**_PLAIN, random_state=seed)
    validate_parameters(network)
    fitting = prepare_fit(network, FitRequest(X, y, sample_weight))
    rates = np.geomspace(min_rate, max_rate, n_steps)
    with fitting.scope():
        fitting.build()
        losses = range_losses(
            fitting.network,
            fitting.data(),
            rates,
            batch_size=fitting.batch_size,
            seed=fitting.seed,
            stop_factor=_STOP_FACTOR,
        )
    rates = rates[: len(losses)]
    diverged = bool(not np.isfinite(losses[-1]) or losses[-1] > _STOP_FACTOR * losses[0])
    smoothed, slopes = fit_lines(rates, losses, max(5, round(smoothing * n_steps)))
    return LearningRateTest(rates, losses, smoothed, steepest(rates, smoothed, slopes), diverged)


def _check(min_rate: Any, max_rate: Any, n_steps: Any, smoothing: Any) -> None:
    real = all(isinstance(rate, Real) for rate in (min_rate, max_rate))
    if not real or not 0 < min_rate < max_rate < np.inf:
        raise ParameterError(
            "min_rate and max_rate must be numbers with 0 < min_rate < max_rate, got "
            f"{min_rate!r} and {max_rate!r}."
        )
    if not isinstance(n_steps, Integral) or n_steps < 10:
        raise ParameterError(f"n_steps must be an int >= 10, got {n_steps!r}.")
    if not isinstance(smoothing, Real) or not 0 < float(smoothing) <= 1:
        raise ParameterError(f"smoothing must be a number in (0, 1], got {smoothing!r}.")


def _unwrap(estimator: Any, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any, Any]:
    """Return a copy of the network's estimator, and the data as they reach it."""
    estimator = clone(estimator)
    while isinstance(estimator, Pipeline):
        *steps, (_, last) = estimator.steps
        for _, step in steps:
            if step is None or step == "passthrough":
                continue
            if hasattr(step, "fit_resample"):
                if sample_weight is not None:
                    raise ParameterError(
                        f"sample_weight cannot follow the rows that {step!r} makes; leave it out."
                    )
                X, y = step.fit_resample(X, y)
            else:
                X = step.fit(X, y).transform(X)
        estimator = last
    if not isinstance(estimator, BaseKerasEstimator):
        raise ParameterError(
            "estimator must be a KerasClassifier, a KerasRegressor or a Pipeline that ends in one, "
            f"got {estimator!r}."
        )
    return estimator, X, y, sample_weight


def fit_lines(rates: np.ndarray, losses: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Return values and slopes of the least-squares lines through `window` steps around each.

    Unlike a moving average of the past, they do not lag behind (Savitzky-Golay filter).

    Parameters
    ----------
    rates : ndarray of shape (n,)
        Learning rates, evenly spaced on the logarithmic scale.
    losses : ndarray of shape (n,)
        Losses.
    window : int
        Steps that a line is fitted to; made odd, and cut to `n`.

    Returns
    -------
    smoothed : ndarray of shape (n,)
        Values of the lines; not finite from the first loss on that is not.
    slopes : ndarray of shape (n,)
        Change of the loss by the natural logarithm of the rate.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.estimators._learning_rate_finder import fit_lines
    >>> smoothed, slopes = fit_lines(np.exp(np.arange(5.0)), np.array([4.0, 3, 2, 1, 0]), 3)
    >>> (smoothed + 0).round(6).tolist(), slopes.round(6).tolist()
    ([4.0, 3.0, 2.0, 1.0, 0.0], [-1.0, -1.0, -1.0, -1.0, -1.0])
    """
    from scipy.signal import savgol_filter

    finite = np.isfinite(losses)
    n = len(losses) if finite.all() else int(np.argmin(finite))
    window = min(window, n)
    window -= 1 - window % 2
    smoothed, slopes = np.full(len(losses), np.nan), np.full(len(losses), np.nan)
    if window < 3:
        return smoothed, slopes
    gap = float(np.log(rates[1] / rates[0]))
    smoothed[:n] = savgol_filter(losses[:n], window, 1)
    slopes[:n] = savgol_filter(losses[:n], window, 1, deriv=1, delta=gap)
    return smoothed, slopes


def steepest(rates: np.ndarray, smoothed: np.ndarray, slopes: np.ndarray) -> float | None:
    """Return the rate at which the loss falls fastest before its least value.

    Parameters
    ----------
    rates, smoothed, slopes : ndarray of shape (n,)
        Learning rates, and what :func:`fit_lines` returned.

    Returns
    -------
    rate : float or None
        None when the loss does not fall.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.estimators._learning_rate_finder import steepest
    >>> smoothed, slopes = np.array([0.7, 0.69, 0.4, 0.3]), np.array([0.0, -0.1, -0.2, -0.1])
    >>> steepest(np.array([1e-3, 1e-2, 0.1, 1.0]), smoothed, slopes)
    0.1
    """
    values = np.where(np.isfinite(smoothed), smoothed, np.inf)
    least = int(np.argmin(values))
    # Single batches differ: a fall of less than a fiftieth is none.
    if least == 0 or values[least] > 0.98 * values[0]:
        return None
    return float(rates[int(np.argmin(slopes[: least + 1]))])
