"""Accuracy without labels: what calibrated probabilities promise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import IsotonicRegression

_FEWEST_ROWS = 200  # of one predicted class, for a calibrator of its own
_KNOTS = 100


@dataclass
class AccuracyEstimate:
    """Expected accuracy of unlabelled rows, from confidence calibrated on labelled ones.

    The mean over rows of the calibrated probability that the predicted class is right [1]_. It
    follows a change of the features, and is blind to a change of what the features mean (concept
    drift): the probabilities are those of the reference.

    Parameters
    ----------
    knots : dict of str to ndarray of shape (2, n_knots)
        Confidence and probability of being right, by predicted class; "" for all classes.

    References
    ----------
    .. [1] J. Bialek, W. Kuberski, N. Perrakis, A. Bifet, "Estimating model performance under
       covariate shift without labels", 2024, arXiv:2401.08348.
    """

    knots: dict[str, np.ndarray]

    @classmethod
    def fit(
        cls, confidence: np.ndarray, predicted: np.ndarray, correct: np.ndarray
    ) -> AccuracyEstimate:
        """Calibrate on labelled rows.

        Parameters
        ----------
        confidence : ndarray of shape (n_rows,)
            Probability of the predicted class.
        predicted : ndarray of shape (n_rows,)
            Predicted class, as text.
        correct : ndarray of shape (n_rows,)
            1 where the prediction was right.

        Returns
        -------
        estimate : AccuracyEstimate
            One calibrator for all, and one for each class predicted for 200 rows or more.
        """
        knots = {"": _calibrate(confidence, correct)}
        for name in np.unique(predicted):
            rows = predicted == name
            if rows.sum() >= _FEWEST_ROWS:
                knots[str(name)] = _calibrate(confidence[rows], correct[rows])
        return cls(knots)

    def probability(self, confidence: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """Return the probability that each prediction is right."""
        found = np.interp(confidence, *self.knots[""])
        for name, knots in self.knots.items():
            rows = predicted == name
            if name and rows.any():
                found[rows] = np.interp(confidence[rows], *knots)
        return found

    def __call__(self, confidence: np.ndarray, predicted: np.ndarray) -> float:
        """Return the expected accuracy."""
        return float(self.probability(confidence, predicted).mean())


def _calibrate(confidence: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Return the knots of a rising calibration curve."""
    curve = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(confidence, correct)
    knots = np.stack([curve.X_thresholds_, curve.y_thresholds_]).astype(np.float64)
    if knots.shape[1] > _KNOTS:
        knots = knots[:, np.linspace(0, knots.shape[1] - 1, _KNOTS).round().astype(np.intp)]
    return knots
