"""From the outputs of a classifier to its probabilities and labels, by what wraps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Decision:
    """What stands between the probabilities of a network and the labels.

    Attributes
    ----------
    priors : list of ndarray of shape (n_classes,)
        Factors of the probabilities, which are then divided by their sum, in order: the real share
        of each class divided by the share that the network was trained with.
    threshold : float or None
        Probability of class `positive` of two from which on it is predicted; None: 0.5, which must
        be exceeded by that of the second class.
    positive : int
        Place of that class.
    ratios : ndarray of shape (n_classes,) or None
        The class with the largest ratio of probability and number is predicted.
    costs : ndarray of shape (n_classes, n_classes) or None
        The class with the least expected cost is predicted.
    """

    priors: list[np.ndarray] = field(default_factory=list)
    threshold: float | None = None
    positive: int = 1
    ratios: np.ndarray | None = None
    costs: np.ndarray | None = None

    @property
    def own_rule(self) -> bool:
        """Whether labels are not those of the network's own rule."""
        rules = (self.threshold, self.ratios, self.costs)
        return bool(self.priors) or any(rule is not None for rule in rules)

    def probabilities(self, target: Any, raw: np.ndarray) -> np.ndarray:
        """Return class probabilities for raw outputs.

        Parameters
        ----------
        target : ClassTarget
            Of the network.
        raw : ndarray of shape (n_rows, n_units)
            Outputs of the network.
        """
        values: np.ndarray = target.probabilities(raw)
        for factors in self.priors:
            values = values * factors
            values = values / values.sum(axis=1, keepdims=True)
        return values

    def scores(self, target: Any, raw: np.ndarray) -> np.ndarray:
        """Return the confidence in each class, shifted as the probabilities are."""
        values: np.ndarray = target.decision(raw)
        for factors in self.priors:
            shift = np.log(factors)
            values = values + (shift[1] - shift[0] if values.ndim == 1 else shift)
        return values

    def labels(self, target: Any, raw: np.ndarray) -> np.ndarray:
        """Return labels for raw outputs."""
        if not self.own_rule:
            labels: np.ndarray = target.labels(raw)
            return labels
        values = self.probabilities(target, raw)
        if self.costs is not None:
            index = (values @ self.costs).argmin(axis=1)
        elif self.ratios is not None:
            index = (values / self.ratios).argmax(axis=1)
        elif self.threshold is not None:
            chosen = values[:, self.positive] >= self.threshold
            index = np.where(chosen, self.positive, 1 - self.positive)
        else:
            index = values.argmax(axis=1)
        found: np.ndarray = target.classes_[index]
        return found

    def add_prior(self, fitted: Any) -> None:
        """Take up a fitted correction of shares, as the wrapper nearest to the network so far."""
        self.priors.insert(0, np.asarray(fitted.prior_) / np.asarray(fitted.resampled_prior_))

    def add_rule(self, fitted: Any) -> None:
        """Take up a fitted search of the threshold."""
        classes, best = np.asarray(fitted.classes_), fitted.best_threshold_
        if best is None:
            self.costs = np.asarray(fitted.costs_, dtype=np.float64)
        elif np.ndim(best):
            self.ratios = np.asarray(best, dtype=np.float64)
        else:
            self.threshold = float(best)
            label = getattr(fitted, "pos_label_", None)
            if label is not None:
                self.positive = int(np.flatnonzero(classes == label)[0])
