"""How the targets of a regressor are scaled while its network trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

_MOST_KNOTS = 1000


@dataclass(frozen=True)
class StandardScaling:
    """Targets of mean 0 and standard deviation 1, each column by itself.

    Parameters
    ----------
    mean, scale : ndarray of shape (n_outputs,)
        Weighted mean, and weighted standard deviation, which divides by the sum of the weights. A
        constant column has the scale 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.estimators._targets._scaling import StandardScaling
    >>> scaling = StandardScaling.of(np.array([[1.0], [3.0]]), np.ones(2))
    >>> scaling.scaled(np.array([[1.0], [3.0]])).ravel()
    array([-1.,  1.])
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, table: np.ndarray, weights: np.ndarray) -> StandardScaling:
        """Learn mean and deviation from weighted rows."""
        weights = np.asarray(weights, dtype="float64")
        mean = np.average(table, axis=0, weights=weights)
        scale = np.sqrt(np.average((table - mean) ** 2, axis=0, weights=weights))
        # Rounding of equal numbers is no deviation.
        varies = scale > 1e-12 * np.abs(table).max(axis=0, initial=0.0)
        return cls(mean, np.where(varies, scale, 1.0))

    def scaled(self, table: np.ndarray) -> np.ndarray:
        """Return numbers in units of the deviation, from the mean."""
        return np.asarray((table - self.mean) / self.scale)

    def unscaled(self, table: np.ndarray) -> np.ndarray:
        """Return scaled numbers in their own units."""
        return np.asarray(table * self.scale + self.mean)


@dataclass(frozen=True)
class QuantileScaling:
    """Targets whose ranks become those of a normal distribution, each column by itself.

    Between known values the transform is linear. Predictions stay between the smallest and the
    largest target of the training rows.

    Parameters
    ----------
    knots : list of (ndarray, ndarray)
        For each column: increasing target values, and their normal quantiles.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.estimators._targets._scaling import QuantileScaling
    >>> incomes = np.array([[1.0], [2.0], [1000.0]])
    >>> QuantileScaling.of(incomes, np.ones(3)).scaled(incomes).ravel().round(2)
    array([-0.97,  0.  ,  0.97])
    """

    knots: list[tuple[np.ndarray, np.ndarray]]

    @classmethod
    def of(cls, table: np.ndarray, weights: np.ndarray) -> QuantileScaling:
        """Learn the quantiles of weighted rows; a row of weight 2 counts as two rows."""
        return cls([_knots(column, np.asarray(weights, "float64")) for column in table.T])

    def scaled(self, table: np.ndarray) -> np.ndarray:
        """Return normal quantiles."""
        return self._mapped(table, 0)

    def unscaled(self, table: np.ndarray) -> np.ndarray:
        """Return the targets of normal quantiles."""
        return self._mapped(table, 1)

    @property
    def scale(self) -> np.ndarray:
        """1 for each column: scaled targets have no unit."""
        return np.ones(len(self.knots))

    def _mapped(self, table: np.ndarray, source: int) -> np.ndarray:
        columns: list[Any] = [
            np.interp(column, pair[source], pair[1 - source])
            for column, pair in zip(np.asarray(table).T, self.knots, strict=True)
        ]
        return np.stack(columns, axis=1)


def _knots(column: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return distinct values and the normal quantiles of the middle of their ranks."""
    kept = weights > 0
    values, places = np.unique(column[kept], return_inverse=True)
    counts = np.bincount(places, weights=weights[kept])
    normal = ndtri((np.cumsum(counts) - counts / 2) / counts.sum())
    if len(values) > _MOST_KNOTS:
        chosen = np.unique(np.linspace(0, len(values) - 1, _MOST_KNOTS).round().astype(int))
        values, normal = values[chosen], normal[chosen]
    return values, normal
