"""What TunedThresholdClassifierCV reads from a scorer, so that it can score labels itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..exceptions import ParameterError
from ._metrics._evaluate import evaluate, warn_missing
from ._parameters import (
    CONSTRAINT_PENALTY,
    Checked,
    check_scorer,
    check_target,
    is_number,
    make_settings,
)
from ._responses import read_labels
from ._targets import Target, check_weights

__all__ = ["LabelScorerMixin"]


class LabelScorerMixin:
    """The scoring of arrays, under the names that scikit-learn gives to it."""

    metric: Any
    average: str
    beta: float | None
    pos_label: Any
    threshold: Any
    costs: Any
    zero_division: float
    confidence: float | None

    _sign = 1

    def _accept_sample_weight(self) -> bool:
        return True

    @property
    def _kwargs(self) -> dict[str, Any]:
        given = not (isinstance(self.pos_label, str) and self.pos_label == "auto")
        return {"pos_label": self.pos_label} if given else {}

    @property
    def _score_func(self) -> Callable[..., float]:
        record = check_scorer(self).record
        if record.needs != "labels":
            raise ParameterError(
                f"metric {record.name!r} judges {record.needs} and does not depend on the decision "
                "threshold, so no threshold can be tuned for it; choose a metric of labels such "
                "as 'f1'."
            )
        if is_number(self.threshold):
            raise ParameterError(
                f"threshold={self.threshold!r} is fixed in the scorer; leave it at None to tune it."
            )
        return self._score_labels

    def _score_labels(
        self, y_true: Any, y_pred: Any, pos_label: Any = None, sample_weight: Any = None
    ) -> float:
        checked = check_scorer(self)
        target, output = read_labels(y_pred, y_true, None, self._kwargs.get("pos_label", "auto"))
        check_target(self, checked, target)
        weights = check_weights(sample_weight, target.n_samples)
        if checked.constraint is not None:
            shortfall = checked.constraint.shortfall(self, target, output, weights)
            if shortfall > 0:  # below every value of a metric, and worse the further off
                return CONSTRAINT_PENALTY * (1 + shortfall)
        return self._score(checked, target, output, weights)

    def _score(
        self,
        checked: Checked,
        target: Target,
        output: np.ndarray,
        weights: np.ndarray | None,
    ) -> float:
        """Compute the score of arrays, and tell of missing classes."""
        record = checked.record
        value = evaluate(record, target, output, make_settings(self, checked, target, weights))
        missing = target.missing
        if missing or target.n_classes < 2:
            warn_missing(record, target, missing, value)
        return value if record.greater_is_better else -value
