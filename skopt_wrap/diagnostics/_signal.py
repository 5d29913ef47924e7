"""Whether there is anything to learn: a permutation test, and a test for wrong labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import check_random_state

from ._experiment import Experiment
from ._findings import Finding, FitThresholds, make_finding

_N_PERMUTATIONS = 39
_MAX_ROWS = 2000  # of the permutation test
_TOP = 0.2  # share of the rows of which the model is surest
_FLAT = 0.65  # errors there, relative to those of all rows


def as_table(X: Any) -> np.ndarray | None:
    """Return features as numbers in two dimensions, or None where there are none."""
    if sp.issparse(X):
        return None
    try:
        values = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError):  # text, or categories
        return None
    values = values.reshape(len(values), -1)
    return values if np.isfinite(values).all() else None


def find_no_signal(experiment: Experiment, limits: FitThresholds, title: str) -> Finding | None:
    """Return a finding when models do no better with the labels than with shuffled ones.

    A linear model and a small tree are cross-validated with the true target and with permutations
    of it; the better of the two scores counts.
    """
    values = as_table(experiment.X)
    if values is None or np.ndim(experiment.y) != 1:
        return None
    y = np.asarray(experiment.y)
    classifier = experiment.is_classifier
    models: list[Any] = [
        make_pipeline(
            StandardScaler(), LogisticRegression(max_iter=200) if classifier else Ridge()
        ),
        (DecisionTreeClassifier if classifier else DecisionTreeRegressor)(
            max_depth=4, random_state=0
        ),
    ]
    splits = [(train[:_MAX_ROWS], test[:_MAX_ROWS]) for train, test in experiment.splits]

    def best(target: np.ndarray) -> float:
        return max(
            float(
                np.mean(
                    [
                        experiment.scorer(
                            clone(model).fit(values[train], target[train]),
                            values[test],
                            target[test],
                        )
                        for train, test in splits
                    ]
                )
            )
            for model in models
        )

    rng = check_random_state(0)
    true = best(y)
    chance = np.array([best(rng.permutation(y)) for _ in range(_N_PERMUTATIONS)])
    p_value = (1 + int((chance >= true).sum())) / (1 + _N_PERMUTATIONS)
    if p_value <= limits.p_value:
        return None
    return make_finding(
        "no_signal",
        f"No signal found: simple models reach {true:.3f} ({title.lower()}) with the true target, "
        f"and {chance.mean():.3f} on average when the target is shuffled (p = {p_value:.2f}).",
        {"score": true, "shuffled_score": chance.mean(), "p_value": p_value},
        limits.pick("p_value"),
    )


def confident_joint(codes: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return how many rows of each label are confidently of each class.

    A row counts for the class of the greatest probability among those that reach the mean
    probability of their own rows (confident learning).

    Parameters
    ----------
    codes : ndarray of int, shape (n_samples,)
        Labels as positions of classes.
    probabilities : ndarray of shape (n_samples, n_classes)
        Predicted by models that did not see the row.

    Returns
    -------
    joint : ndarray of shape (n_classes, n_classes)
        Labels in rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.diagnostics._signal import confident_joint
    >>> stated = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.9, 0.1]])
    >>> confident_joint(np.array([0, 0, 1, 1]), stated)
    array([[1, 0],
           [1, 1]])
    """
    n_classes = probabilities.shape[1]
    least = np.array([probabilities[codes == c, c].mean() for c in range(n_classes)])
    reaching = np.where(probabilities >= least, probabilities, -1.0)
    sure = reaching.max(axis=1) >= 0
    joint = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(joint, (codes[sure], reaching[sure].argmax(axis=1)), 1)
    return joint


def find_label_noise(experiment: Experiment, limits: FitThresholds) -> Finding | None:
    """Return a finding when labels contradict a model even where it is surest.

    Where classes overlap, a model errs where it is unsure. Where labels are wrong, it seems to err
    as often where it is sure.
    """
    values = as_table(experiment.X)
    if values is None or not experiment.is_classifier or np.ndim(experiment.y) != 1:
        return None
    classes, codes = np.unique(np.asarray(experiment.y), return_inverse=True)
    held = np.concatenate([test for _, test in experiment.splits])
    if len(np.unique(held)) != len(held) or len(held) != len(codes):
        return None  # not each row is held out once
    models: list[Any] = [
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
        RandomForestClassifier(n_estimators=50, min_samples_leaf=5, random_state=0),
    ]
    best, loss = None, np.inf
    for model in models:
        stated = np.zeros((len(codes), len(classes)))
        for train, test in experiment.splits:
            if len(np.unique(codes[train])) < len(classes):
                return None
            fitted = clone(model).fit(values[train], codes[train])
            stated[test] = fitted.predict_proba(values[test])
        own = -np.log(np.clip(stated[np.arange(len(codes)), codes], 1e-6, 1)).mean()
        if own < loss:
            best, loss = stated, own
    assert best is not None
    wrong = best.argmax(axis=1) != codes
    sure = np.argsort(-best.max(axis=1), kind="stable")[: max(1, int(_TOP * len(codes)))]
    overall, at_top = float(wrong.mean()), float(wrong[sure].mean())
    error = np.sqrt(max(at_top * (1 - at_top), 1e-12) / len(sure))
    if at_top - error <= limits.label_noise or at_top < _FLAT * overall:
        return None
    joint = confident_joint(codes, best)
    rate = 1 - np.trace(joint) / max(joint.sum(), 1)
    return make_finding(
        "label_noise",
        f"Where a simple model is surest ({len(sure)} rows), {at_top:.0%} of the labels say "
        f"something else; of all rows it is {overall:.0%}. About {rate:.0%} of the labels may be "
        "wrong.",
        {"error_of_sure_rows": at_top, "error": overall, "estimated_noise": rate},
        limits.pick("label_noise"),
    )
