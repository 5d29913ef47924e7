"""Which remedies are proposed for which finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sklearn.base import is_classifier

from .._pipelines import last_step
from ._findings import Finding
from ._network import parameter_prefix
from ._parameter_changes import Change, ParameterChanges
from ._remedy import Remedy

# Features beyond this mean or standard deviation make scaling the first remedy.
LARGE_INPUT = 5.0

# What may mend a finding, most promising first. To add a change of parameters, write a method of
# ParameterChanges and name it here.
CHANGES: dict[str, tuple[Callable[[ParameterChanges], Iterable[Change]], ...]] = {
    "imbalance": (ParameterChanges.class_weight,),
    "overfitting": (
        ParameterChanges.early_stopping,
        lambda c: c.dropout(more=True),
        lambda c: c.l2(more=True),
        lambda c: c.size(0.25),
        ParameterChanges.weight_decay,
        ParameterChanges.batch_norm,
        ParameterChanges.best_epochs,
    ),
    "underfitting": (
        lambda c: c.size(4),
        lambda c: c.epochs(4),
        lambda c: c.rate(10),
        ParameterChanges.layers,
        lambda c: c.dropout(more=False),
        lambda c: c.l2(more=False),
        ParameterChanges.batch_norm,
    ),
    "plateau": (
        lambda c: c.rate(10),
        lambda c: c.rate(0.1),
        ParameterChanges.batch_norm,
    ),
    "diverged": (
        lambda c: c.rate(0.1),
        lambda c: c.rate(0.01),
        ParameterChanges.clip,
        ParameterChanges.batch_norm,
    ),
    "unfinished": (
        lambda c: c.epochs(3),
        lambda c: c.rate(3),
        lambda c: c.batch(0.5),
    ),
    "batch_too_large": (lambda c: c.batch(0.25),),
    "batch_too_small": (
        lambda c: c.batch(4),
        lambda c: c.rate(0.3),
    ),
    "noisy_validation": (
        lambda c: c.rate(0.3),
        lambda c: c.batch(4),
    ),
    "too_few_rows": (
        lambda c: c.dropout(more=True),
        lambda c: c.l2(more=True),
    ),
    "baseline_wins": (
        ParameterChanges.early_stopping,
        lambda c: c.epochs(3),
    ),
}

# Changes that only a person can make.
_BY_HAND = {
    "duplicates": "remove repeated rows, or keep copies in one fold",
    "time_order": "folds in order of time (TimeSeriesSplit)",
    "no_signal": "other features, or a check that rows and labels belong together",
    "label_noise": "correct the labels that contradict the features",
}
_SCALABLE = ("diverged", "underfitting", "plateau", "unfinished", "baseline_wins")
_AUGMENTABLE = ("overfitting", "too_few_rows")


def list_remedies(
    estimator: Any,
    findings: Sequence[Finding],
    *,
    input_scale: float = 0.0,
    augmentable: bool = False,
    history: dict[str, list[float]] | None = None,
) -> list[Remedy]:
    """Return the remedies for findings, without repetition, most promising first.

    Parameters
    ----------
    estimator : estimator
        What the findings are about; only parameters that it has are changed.
    findings : sequence of Finding
        In order of importance.
    input_scale : float, default=0.0
        Greatest mean or standard deviation of a feature.
    augmentable : bool, default=False
        Whether an AugmentingSampler may be put before the estimator.
    history : dict, default=None
        History, to read the best epoch from.

    Returns
    -------
    remedies : list of Remedy
        Empty for no findings.
    """
    prefix = parameter_prefix(estimator)
    changes = ParameterChanges(last_step(estimator), prefix, history or {})
    remedies: list[Remedy] = []
    by_hand: list[Remedy] = []
    for finding in findings:
        kind = finding.kind
        if kind == "baseline_wins" and len(findings) > 1:
            continue  # the other findings say why
        if kind == "leakage":
            column = int(finding.evidence.get("feature", -1))
            by_hand.append(Remedy(f"look where feature {column} comes from", finding=kind))
            continue
        if kind in _BY_HAND:
            by_hand.append(Remedy(_BY_HAND[kind], finding=kind))
            continue
        if kind in _SCALABLE and input_scale > LARGE_INPUT and not prefix:
            remedies.append(Remedy("scaled features", finding=kind, wrapper="scale"))
        for change in CHANGES.get(kind, ()):
            remedies += [Remedy(name, params, kind) for name, params in change(changes)]
        if kind in _AUGMENTABLE and augmentable and is_classifier(estimator):
            remedies.append(Remedy("augmentation", finding=kind, wrapper="augment"))
        if kind == "imbalance":
            remedies.append(Remedy("oversampling", finding=kind, wrapper="oversample"))
            remedies.append(Remedy("tuned threshold", finding=kind, wrapper="threshold"))
        if kind == "too_few_rows":
            by_hand.append(Remedy("more rows", finding=kind))
    kept: list[Remedy] = []
    for remedy in [*remedies, *by_hand]:
        same = [(r.params, r.wrapper) for r in kept if r.runnable]
        if not remedy.runnable or (remedy.params, remedy.wrapper) not in same:
            kept.append(remedy)
    return kept
