"""Where the classifier decides, and what other thresholds would give."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._pipelines import last_step
from .._displays._threshold_curves import threshold_curves
from .._displays._two_class_targets import tuned_threshold
from .._targets import Target, as_scalar
from .._tuned_threshold import TunedThresholdClassifier

__all__ = ["describe_decision", "threshold_curves_of"]

_N_THRESHOLDS = 200


def describe_decision(estimator: Any, target: Target, threshold: float | None) -> dict[str, Any]:
    """Return the threshold in use, with the constraint it was chosen under; empty if not known."""
    told: dict[str, Any] = {"constraint": "", "confidence": None, "kept": True}
    if threshold is not None:
        return {"threshold": float(threshold), "pos_label": target.pos_label, **told}
    last = last_step(estimator)
    if isinstance(last, TunedThresholdClassifier):
        scorer = last.scoring
        if isinstance(scorer.threshold, str) and scorer.threshold != "tuned":
            told["constraint"] = scorer.threshold
            told["confidence"], told["kept"] = scorer.confidence, last.constraint_kept_
        if last.best_threshold_ is None:
            return {}
        if np.ndim(last.best_threshold_):
            return {"threshold": last.best_threshold_.tolist(), "pos_label": None, **told}
    found = tuned_threshold(last, target) if target.kind == "binary" else None
    if found is None:
        return {}
    return {"threshold": found, "pos_label": as_scalar(target.pos_label), **told}


def threshold_curves_of(
    target: Target, probabilities: np.ndarray | None, weights: np.ndarray | None
) -> dict[str, np.ndarray]:
    """Return precision, recall and F1 at each threshold, of two classes with probabilities."""
    if target.kind != "binary" or probabilities is None:
        return {}
    names = ("precision", "recall", "f1")
    curves = threshold_curves(target, probabilities, names, weights, _N_THRESHOLDS)
    return {"threshold": curves.thresholds, **curves.scores}
