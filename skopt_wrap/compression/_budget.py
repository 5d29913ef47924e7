"""Limits on the score, size and latency of a compressed network, and their check."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from ..exceptions import BudgetError, BudgetWarning, ParameterError, suggest
from ._report import CompressionReport
from ._specs import as_bytes, as_drop, as_seconds

ON_MISSED = ("raise", "warn")


@dataclass(frozen=True)
class Budget:
    """Limits on the result; None sets no limit."""

    max_score_drop: float | None = None
    max_size: int | None = None
    max_latency: float | None = None
    on_missed: str = "raise"

    @classmethod
    def of(
        cls,
        max_score_drop: float | None,
        max_size: int | str | None,
        max_latency: float | str | None,
        on_missed: str = "raise",
    ) -> Budget:
        """Return the budget of checked parameters.

        Raises
        ------
        ParameterError
            For a parameter outside its rule.
        """
        if on_missed not in ON_MISSED:
            raise ParameterError(
                f"on_missed_budget must be one of {ON_MISSED}, got {on_missed!r}. "
                + suggest(str(on_missed), ON_MISSED)
            )
        return cls(as_drop(max_score_drop), as_bytes(max_size), as_seconds(max_latency), on_missed)

    def holds(self, drop: float, size: float, latency: float) -> bool:
        """Return whether measured means are within the budget; NaN never is."""
        pairs = ((drop, self.max_score_drop), (size, self.max_size), (latency, self.max_latency))
        return not np.isnan(drop) and all(most is None or value <= most for value, most in pairs)

    def text(self) -> str:
        """Return the limits as text."""
        given = {
            "max_score_drop": self.max_score_drop,
            "max_size": self.max_size,
            "max_latency": self.max_latency,
        }
        return ", ".join(f"{name}={value:g}" for name, value in given.items() if value is not None)

    def missed(self, report: CompressionReport) -> list[str]:
        """Return a text for every limit that the last stage of `report` misses."""
        first, last = report.rows[0], report.rows[-1]
        missed = []
        if self.max_size is not None and last.bytes > self.max_size:
            missed.append(
                f"max_size={self.max_size:,} bytes: reached {last.bytes:,} bytes"
                f" ({_smaller(report)})"
            )
        if self.max_latency is not None and last.latency_p50 > self.max_latency:
            missed.append(
                f"max_latency={self.max_latency:.3g} s: reached {last.latency_p50:.3g} s "
                f"(median of one row; {_smaller(report)})"
            )
        if self.max_score_drop is not None and first.score is not None and last.score is not None:
            drop = first.score - last.score
            if not drop <= self.max_score_drop:
                missed.append(
                    f"max_score_drop={self.max_score_drop:g}: reached {drop:.4g} "
                    f"({first.score:.4g} -> {last.score:.4g}, {report.metric} on "
                    f"{report.scored_on}; {_costliest(report)})"
                )
        return missed

    def check(self, report: CompressionReport) -> None:
        """Raise a BudgetError, or warn, naming every limit that the last stage misses."""
        missed = self.missed(report)
        if not missed:
            return
        message = "the compressed model misses " + "; ".join(missed) + "."
        if self.on_missed == "raise":
            raise BudgetError(message)
        report.rows[-1].notes.append(message)
        warnings.warn(message, BudgetWarning, stacklevel=3)


def _smaller(report: CompressionReport) -> str:
    """Return which stage to try for a smaller and faster file."""
    stages = [row.stage for row in report.rows]
    before = report.rows[min(1, len(stages) - 1)].bytes
    if "quantize" not in stages or report.rows[-1].bytes > 0.4 * before:
        return "try quantization='int8' next"
    if "distil" not in stages:
        return "try a smaller network next: distillation=0.5"
    return "try Pruning(0.5, structured=True) next, or a smaller distillation"


def _costliest(report: CompressionReport) -> str:
    """Return which stage lost most of the score, and what to try instead."""
    losses = [
        (before.score - after.score, after)
        for before, after in zip(report.rows, report.rows[1:], strict=False)
        if before.score is not None and after.score is not None
    ]
    if not losses:
        return "score each stage to see where it was lost"
    lost, row = max(losses, key=lambda item: item[0])
    advice = {
        "quantize": "try quantization='dynamic' or 'float16', or quantization_aware=True",
        "prune": "try a lower sparsity, or more fine_tune_epochs",
        "cluster": "try more clusters, or more fine_tune_epochs",
        "factorize": "try a larger target_params, or more fine_tune_epochs",
        "distil": "try a larger student, or X_unlabelled",
    }.get(row.stage, "leave it out, or give more fine_tune_epochs")
    return f"stage {row.stage!r} lost {lost:.4g} of it: {advice}"
