"""diagnose: what is wrong with a fit, from its history or by cross-validation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import indexable

from .._pipelines import last_step
from ..exceptions import DataError, ParameterError
from ._baselines import make_baselines
from ._data_checks import check_data, has_clear_signal
from ._diagnosis import FitDiagnosis
from ._experiment import Experiment, Scores, make_scorer, make_splits
from ._findings import Finding, FitThresholds
from ._history import judge_history
from ._kinds import importance
from ._learning_curve import learning_curve
from ._network import constant_loss, input_scale, restores_best, seeded_clone
from ._scores import judge_scores
from ._signal import find_label_noise, find_no_signal
from ._single_feature import find_leak


def diagnose(
    fit: Any,
    X: Any = None,
    y: Any = None,
    *,
    cv: Any = None,
    scoring: Any = None,
    baselines: bool = True,
    train_sizes: Sequence[float] = (0.3, 0.6),
    thresholds: FitThresholds | None = None,
    random_state: Any = 0,
) -> FitDiagnosis:
    """Say what is wrong with a fit, with the numbers that say so.

    A fitted network, or its history, is judged from its curves at no cost. With data, clones are
    cross-validated beside three baselines (one that ignores X, a linear model, gradient-boosted
    trees) and on fewer rows, so that a network that lost to a simple model is seen.

    Parameters
    ----------
    fit : estimator, mapping or keras.callbacks.History
        A Keras estimator or a pipeline that ends in one, fitted unless data are given; or a
        history with "loss" and, for most findings, "val_loss". Other estimators can be diagnosed
        with data.
    X : array-like of shape (n_samples, ...), default=None
        Rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Target.
    cv : int, splitter or None, default=None
        Splits; an int is a number of shuffled folds, stratified for classes; None means 3.
    scoring : str, callable or None, default=None
        Score, greater is better. None takes balanced accuracy for classes, macro F1 for several
        labels and R2 for numbers.
    baselines : bool, default=True
        Whether to fit the linear model and the trees; the one that ignores X always is.
    train_sizes : sequence of float, default=(0.3, 0.6)
        Shares of the training rows for the learning curve, in (0, 1), rising; empty for none.
    thresholds : FitThresholds, default=None
        What counts as wrong; None takes the defaults.
    random_state : int, RandomState instance or None, default=0
        Seed of the folds and of an estimator that has none.

    Returns
    -------
    diagnosis : FitDiagnosis
        Findings, scores, curves; remedies.

    Raises
    ------
    ParameterError
        If a parameter breaks its rule.
    DataError
        If `fit` has no history and no data were given, or X and y do not fit together.
    sklearn.exceptions.NotFittedError
        For an estimator that was not fitted, without data.

    See Also
    --------
    FitDisplay : Draws what was judged.
    skopt_wrap.scoring.imbalance_report : Judges predictions instead of training.

    Notes
    -----
    Where several histories are judged (one a fold), a finding must occur in more than half of them.
    Rows held out never influence training: a fold's own rows are only recorded, and an estimator
    that holds out rows for early stopping goes on doing so inside its training rows.

    Examples
    --------
    >>> from skopt_wrap.diagnostics import diagnose
    >>> history = {
    ...     "loss": [0.7, 0.5, 0.3, 0.2, 0.1, 0.05],
    ...     "val_loss": [0.7, 0.6, 0.55, 0.6, 0.7, 0.9],
    ... }
    >>> print(diagnose(history))
    verdict: overfitting
    - overfitting: The validation loss rose by 64% after epoch 3 of 6, while the training loss fell
    to 0.05.
      The network remembers its training rows instead of learning a rule. It does worse on new rows.
      Stop earlier, or use dropout, a penalty, a smaller network or more rows.
    """
    limits = FitThresholds() if thresholds is None else thresholds
    if not isinstance(limits, FitThresholds):
        raise ParameterError(f"thresholds must be a FitThresholds or None, got {thresholds!r}.")
    if (X is None) != (y is None):
        raise DataError("X and y go together; one of them is missing.")
    sizes = _check_sizes(train_sizes)
    history = getattr(fit, "history", fit)
    if isinstance(history, Mapping):
        if X is not None:
            raise DataError("data are for diagnosing an estimator; a history is judged alone.")
        history = _check_history(history)
        return FitDiagnosis(judge_history(history, limits), history, thresholds=limits)
    if not hasattr(fit, "fit"):
        raise DataError(
            "diagnose takes an estimator, a history (dict) or a keras.callbacks.History, got "
            f"{type(fit).__name__}."
        )
    if X is None:
        return _from_fitted(fit, limits)
    X, y = indexable(X, y)
    estimator = seeded_clone(fit, random_state)
    experiment = Experiment(
        estimator,
        X,
        y,
        make_splits(estimator, X, y, cv, random_state),
        make_scorer(estimator, y, scoring),
        random_state,
    )
    return _from_data(experiment, bool(baselines), sizes, limits, _title(experiment, scoring))


def _check_sizes(train_sizes: Any) -> tuple[float, ...]:
    try:
        sizes = tuple(float(size) for size in train_sizes)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"train_sizes must hold numbers, got {train_sizes!r}.") from error
    if list(sizes) != sorted(set(sizes)) or not all(0 < size < 1 for size in sizes):
        raise ParameterError(f"train_sizes must rise within (0, 1), got {train_sizes!r}.")
    return sizes


def _check_history(history: Mapping[str, Any]) -> dict[str, list[float]]:
    if "loss" not in history or not len(history["loss"]):
        raise DataError(
            f"a history needs 'loss' with one number an epoch, got the keys {sorted(history)}."
        )
    return {name: [float(v) for v in values] for name, values in history.items()}


def _context(network: Any, n_rows: int | None = None, y: Any = None) -> dict[str, Any]:
    """Return what is known about a fitted network besides its history."""
    size = getattr(network, "batch_size", None)
    if size == "auto":
        size = getattr(network, "batch_size_", None)
    rows = n_rows if n_rows is not None else getattr(network, "X_shape_", (None,))[0]
    if size == -1:
        size = rows
    return {
        "constant_loss": constant_loss(network, y),
        "n_rows": rows,
        "batch_size": size,
        "restored": restores_best(network),
    }


def _from_fitted(fit: Any, limits: FitThresholds) -> FitDiagnosis:
    network = last_step(fit)
    if not hasattr(network, "history_"):
        if hasattr(network, "early_stopping"):
            raise NotFittedError(
                f"This {type(network).__name__} is not fitted; fit it, or give X and y."
            )
        raise DataError(
            f"{type(network).__name__} keeps no training history; give X and y to diagnose it by "
            "cross-validation."
        )
    history = _check_history(network.history_)
    findings = judge_history(history, limits, **_context(network))
    return FitDiagnosis(findings, history, thresholds=limits, estimator=clone(fit))


def _title(experiment: Experiment, scoring: Any) -> str:
    """Return what the scores are, for messages."""
    metric = getattr(experiment.scorer, "metric", None)
    if metric is not None:
        return metric if isinstance(metric, str) else str(getattr(metric, "name", "score"))
    if isinstance(scoring, str):
        return scoring
    return "r2" if scoring is None else "score"


def _from_data(
    experiment: Experiment,
    baselines: bool,
    sizes: tuple[float, ...],
    limits: FitThresholds,
    title: str,
) -> FitDiagnosis:
    """Cross-validate the estimator and simple models, and judge the scores and histories."""
    full = experiment.score(watch=True)
    models = {
        name: model
        for name, model in make_baselines(experiment).items()
        if baselines or name == "dummy"
    }
    simple = {name: experiment.score(model).validation for name, model in models.items()}
    finite = bool(np.isfinite(full.validation).all())
    curve = learning_curve(experiment, full, sizes) if finite and sizes else {}
    words = title.replace("_", " ").capitalize()
    findings = judge_scores(
        full.train, full.validation, simple, limits, curve=curve or None, title=words
    )
    histories = _judge_histories(experiment, full, limits)
    about_data = check_data(experiment, simple, models, limits)
    about_data += _judge_signal(experiment, {"network": full.validation, **simple}, limits, words)
    if any(finding.kind == "no_signal" for finding in about_data):
        # "larger layers" or "more epochs" would only make the network remember noise
        findings = [f for f in findings if f.kind in _WITHOUT_SIGNAL]
        histories = [[f for f in fold if f.kind in _WITHOUT_SIGNAL] for fold in histories]
    findings = _join(findings, about_data)
    return FitDiagnosis(
        findings=_merge(findings, histories),
        history=_check_history(full.histories[0]) if full.histories else {},
        scores={"train": full.train, "validation": full.validation, **simple},
        learning_curve=curve,
        thresholds=limits,
        scoring=title,
        estimator=experiment.estimator,
        input_scale=input_scale(experiment.X),
        _experiment=experiment,
    )


# What may be said of a network where there is nothing to learn.
_WITHOUT_SIGNAL = ("diverged", "leakage", "overfitting")


def _judge_signal(
    experiment: Experiment, scores: dict[str, np.ndarray], limits: FitThresholds, title: str
) -> list[Finding]:
    """Return what is known of leaks, of missing signal and of wrong labels."""
    leak = find_leak(experiment, scores, limits, title)
    if leak is not None:
        return [leak]
    if len(experiment.y) < limits.min_rows:  # too few to say anything
        return []
    if not has_clear_signal(scores, limits):
        nothing = find_no_signal(experiment, limits, title)
        if nothing is not None:
            return [nothing]
    noise = find_label_noise(experiment, limits)
    return [] if noise is None else [noise]


def _join(findings: list[Finding], others: list[Finding]) -> list[Finding]:
    """Add findings of other kinds; of one kind the first stands."""
    known = {finding.kind for finding in findings}
    return findings + [finding for finding in others if finding.kind not in known]


def _judge_histories(
    experiment: Experiment, full: Scores, limits: FitThresholds
) -> list[list[Finding]]:
    """Return the findings from the history of each fold."""
    return [
        judge_history(
            _check_history(history),
            limits,
            **_context(network, len(rows), _part(experiment.y, rows)),
        )
        for history, network, (rows, _) in zip(
            full.histories, full.networks, experiment.splits, strict=False
        )
    ]


def _part(y: Any, rows: np.ndarray) -> Any:
    values = np.asarray(y)
    return values[rows] if values.dtype.kind in "fiu" else None


def _merge(findings: list[Finding], judged: list[list[Finding]]) -> list[Finding]:
    """Join findings from scores with those of most histories; what both say stands once."""
    joined = {finding.kind: finding for finding in findings}
    counts = Counter(kind for fold in judged for kind in {f.kind for f in fold})
    for kind, count in counts.items():
        if count <= len(judged) / 2:
            continue
        found = next(f for fold in judged for f in fold if f.kind == kind)
        if kind in joined:
            said = joined[kind]
            found = replace(
                said,
                message=f"{said.message} {found.message}",
                evidence={**found.evidence, **said.evidence},
                thresholds={**found.thresholds, **said.thresholds},
            )
        joined[kind] = found
    return sorted(joined.values(), key=lambda finding: importance(finding.kind))
