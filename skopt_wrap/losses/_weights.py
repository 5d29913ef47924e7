"""Class weights from the effective number of samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..exceptions import DataError, ParameterError

DEFAULT_BETA = 0.999


def effective_weights(counts: np.ndarray, beta: float = DEFAULT_BETA) -> np.ndarray:
    """Return one weight a class, of mean 1 over the rows.

    Parameters
    ----------
    counts : ndarray of shape (n_classes,)
        Rows (or summed weights) of each class, positive.
    beta : float, default=0.999
        In [0, 1].

    Returns
    -------
    weights : ndarray of shape (n_classes,), float64
        Proportional to ``(1 - beta) / (1 - beta ** counts)``.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.losses._weights import effective_weights
    >>> effective_weights(np.array([1000, 10]), 0.99).round(2)
    array([0.91, 9.56])
    """
    number = isinstance(beta, int | float | np.floating) and not isinstance(beta, bool)
    if not number or not 0 <= beta <= 1:
        raise ParameterError(f"beta must be a number in [0, 1], got {beta!r}.")
    counts = np.asarray(counts, dtype=np.float64)
    if beta == 1:
        weights = 1 / counts  # the limit
    else:
        log_beta = np.log(beta) if beta > 0 else -np.inf
        # expm1 keeps the digits where beta ** counts is nearly 1
        weights = (1 - beta) / -np.expm1(counts * log_beta)
    return weights * (counts.sum() / (weights @ counts))


def effective_class_weight(
    y: Any, *, beta: float = DEFAULT_BETA, sample_weight: Any = None
) -> dict[Any, float]:
    r"""Return class weights by the effective number of rows, for any `class_weight` parameter.

    Each further row of a class adds less than the one before, because rows overlap: :math:`n` rows
    count as :math:`E_n = (1 - \beta^n) / (1 - \beta)`, and a class is weighted by
    :math:`1 / E_n` [1]_. With ``beta=0`` all classes weigh the same; ``beta=1`` gives
    scikit-learn's "balanced" weights; values between are milder than "balanced" for very rare
    classes. ``KerasClassifier(class_weight="effective")`` uses the default.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels.
    beta : float, default=0.999
        In [0, 1]; the paper tries 0.9, 0.99, 0.999 and 0.9999.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows; their sums take the place of the counts.

    Returns
    -------
    class_weight : dict of label to float
        Scaled so that the mean over the rows is 1, as in scikit-learn.

    Raises
    ------
    ParameterError
        If `beta` is out of range.
    DataError
        If `y` has not one dimension, or a class has no positive weight.

    See Also
    --------
    sklearn.utils.class_weight.compute_class_weight : "balanced" weights.

    References
    ----------
    .. [1] Y. Cui, M. Jia, T.-Y. Lin, Y. Song, S. Belongie, "Class-balanced loss based on effective
       number of samples", CVPR, 2019.

    Examples
    --------
    >>> from skopt_wrap.losses import effective_class_weight
    >>> weights = effective_class_weight(["no"] * 1000 + ["yes"] * 10, beta=0.99)
    >>> {label: round(weight, 2) for label, weight in weights.items()}
    {'no': 0.91, 'yes': 9.56}
    """
    y = np.asarray(y)
    if y.ndim != 1 or not len(y):
        raise DataError(f"y must hold one label a row, got an array of shape {y.shape}.")
    classes, codes = np.unique(y, return_inverse=True)
    weights = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weights is not None and weights.shape != y.shape:
        raise DataError(f"sample_weight must have shape {y.shape}, got {weights.shape}.")
    counts = np.bincount(codes, weights=weights)
    if (counts <= 0).any():
        raise DataError(
            f"every class of y needs a positive weight, got {counts.tolist()} for "
            f"{classes.tolist()}."
        )
    return dict(zip(classes.tolist(), effective_weights(counts, beta).tolist(), strict=True))
