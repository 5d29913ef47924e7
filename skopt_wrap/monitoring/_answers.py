"""From rows that were read to the report about them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import check_scoring

from ._columns import Column
from ._reference import Rows, batch_evidence, encoded_rows
from ._report import DriftReport
from ._state import Outcome
from ._statistics._domain import domain_evidence
from ._statistics._effects import check_thresholds
from ._statistics._multiple import e_bh, log_average
from ._statistics._sketch import Sketch

DEFAULT_RUN_LENGTH = 100_000
MULTIVARIATE = "multivariate"
_FEWEST_DOMAIN_ROWS = 20

Watched = list[tuple[Sketch, Column, np.ndarray]]  # reference, values, groups of the rows


def batch_report(monitor: Any, rows: Rows, outcome: Outcome | None, y: Any) -> DriftReport:
    """Return the report about one batch.

    Parameters
    ----------
    monitor : DriftMonitor
        Fitted.
    rows : Rows
        The batch.
    outcome : tuple or None
        Label and loss of the rows that have a label, and which rows these are.
    y : array-like or None
        Labels as they came.

    Returns
    -------
    report : DriftReport
        With the evidence of this batch alone.
    """
    reference = monitor._reference
    pairs = zip(reference.inputs, rows.inputs, strict=True)
    watched: Watched = [(sketch, column, rows.groups) for sketch, column in pairs]
    if outcome is not None and outcome[1].any():
        groups = rows.groups[outcome[1]]
        pairs = zip(reference.outcomes, outcome[0], strict=True)
        watched += [(sketch, column, groups) for sketch, column in pairs]
    values = [
        batch_evidence(sketch, column, groups, one_sided=reference.is_loss(sketch))
        for sketch, column, groups in watched
    ]
    names = [sketch.name for sketch, *_ in watched]
    performance = _performance(monitor, rows, outcome, y)
    if reference.kept is not None and rows.batch.n_rows >= _FEWEST_DOMAIN_ROWS:
        sketches = reference.inputs[: len(rows.batch.columns)]
        batch = encoded_rows(sketches, rows.batch.columns)
        performance["domain_auc"], log_e = domain_evidence(reference.kept, batch, 0)
        values.append(log_e)
        names.append(MULTIVARIATE)
    evidence = np.array(values)
    average = log_average(evidence)
    threshold = float(-np.log(monitor.alpha))
    return DriftReport(
        source="check",
        alarm=average >= threshold,
        log_e_value=average,
        log_threshold=threshold,
        guarantee=f"Without drift, the chance of this alarm is at most {monitor.alpha:g}.",
        names=names,
        log_e_values=evidence,
        changed=e_bh(evidence, monitor.alpha),
        n_rows=rows.batch.n_rows,
        performance=performance,
        **_common(monitor, rows, watched),
    )


def stream_report(monitor: Any, rows: Rows, outcome: Outcome | None, y: Any) -> DriftReport:
    """Return the report about a stream after the rows were taken; see :func:`batch_report`."""
    state = monitor._state
    values = state.log_values()
    changed = state.changed(values)
    guarantee = f"Without drift, the chance of ever an alarm is at most {monitor.alpha:g}."
    if state.restarting:
        length = monitor.run_length or DEFAULT_RUN_LENGTH
        guarantee = f"Without drift, an alarm comes after {length} rows or more in the mean."
    began, began_at = state.began(changed)
    return DriftReport(
        source="update",
        alarm=state.alarm_row is not None,
        log_e_value=log_average(values),
        log_threshold=state.log_threshold,
        guarantee=guarantee,
        names=list(state.names),
        log_e_values=values,
        changed=changed,
        n_rows=state.n_rows,
        alarm_row=state.alarm_row,
        began=began,
        began_at=began_at,
        performance=_performance(monitor, rows, outcome, y),
        **_common(monitor, rows, state.recent_columns(began)),
    )


def _common(monitor: Any, rows: Rows, watched: Watched) -> dict[str, Any]:
    """Return what the reports of a batch and of a stream have in common."""
    reference = monitor._reference
    counts = [np.bincount(groups, minlength=len(reference.groups)) for _, _, groups in watched]
    pairs = zip(reference.inputs, rows.batch.columns, strict=False)
    return {
        "n_reference": reference.n_rows,
        "thresholds": check_thresholds(monitor.effect_sizes),
        "dtype_changes": {s.name: (s.dtype, c.dtype) for s, c in pairs if s.dtype != c.dtype},
        "_sketches": [sketch for sketch, *_ in watched],
        "_columns": [column for _, column, _ in watched],
        "_shares": [count / max(count.sum(), 1) for count in counts],
    }


def _performance(monitor: Any, rows: Rows, outcome: Outcome | None, y: Any) -> dict[str, float]:
    """Return losses, scores and the accuracy expected without labels."""
    found = dict(monitor._reference.performance)
    expected = monitor._reference.expected_accuracy(rows.batch)
    if expected is not None:
        found["expected_accuracy"] = expected
    if outcome is not None and len(outcome[0]) > 1 and outcome[1].any():
        found["loss"] = float(outcome[0][1].values.mean())
        if monitor.scoring is not None and outcome[1].all():
            scorer = check_scoring(monitor.estimator, scoring=monitor.scoring)
            found["score"] = float(scorer(monitor.estimator, rows.batch.X, y))
    return found
