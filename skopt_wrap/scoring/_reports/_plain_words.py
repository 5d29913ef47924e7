"""The report in plain words and in counts, for a reader who knows no statistics."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["cost_lines", "per_thousand", "plain_words", "threshold_line"]

CASES = 1000


def per_thousand(confusion: np.ndarray) -> np.ndarray:
    """Return a confusion matrix as counts of 1,000 cases."""
    return confusion / confusion.sum() * CASES


def plain_words(report: Any) -> str:
    """Return one paragraph about what the classifier does with 1,000 cases."""
    if report.confusion.ndim == 3:
        return (
            f"Each case may have several labels. Of {CASES:,} cases like these, the classifier "
            f"gets all labels right in about {report.metrics['accuracy']['value'] * CASES:.0f}."
        )
    counts = per_thousand(np.asarray(report.confusion, dtype=np.float64))
    if report.pos_label is None:
        return _several(report, counts)
    p = report.classes.index(report.pos_label)
    n = 1 - p
    hits, missed, alarms = counts[p, p], counts[p, n], counts[n, p]
    name = repr(report.pos_label)
    text = (
        f"Of {CASES:,} cases like these, about {hits + missed:.0f} are {name}. The classifier "
        f"finds {hits:.0f} of them and misses {missed:.0f}. It also calls {alarms:.0f} other cases "
        f"{name} by mistake."
    )
    if hits + alarms > 0:
        text += (
            f" So of 10 cases that it calls {name}, about {10 * hits / (hits + alarms):.0f} are."
        )
    recall = report.metrics["recall"]
    if recall["low"] is not None:
        text += (
            f" These figures come from {report.n_rows} cases, {report.counts[p]} of them {name}; "
            f"with other cases it may find between {recall['low']:.0%} and {recall['high']:.0%} of "
            "them."
        )
    trivial = report.metrics["accuracy"]["majority"]
    return text + (
        f" Do not judge by accuracy alone: somebody who never says {name} is right in "
        f"{trivial:.0%} of the cases and finds none."
        if report.counts[p] <= report.counts[n]
        else ""
    )


def _several(report: Any, counts: np.ndarray) -> str:
    right = np.diag(counts).sum()
    found = report.per_class["recall"]
    worst, best = int(np.argmin(found)), int(np.argmax(found))
    return (
        f"Of {CASES:,} cases like these, the classifier puts about {right:.0f} into the right "
        f"class. It is best at {report.classes[best]!r} (it finds {found[best]:.0%} of them) and "
        f"worst at {report.classes[worst]!r} (it finds {found[worst]:.0%})."
    )


def threshold_line(report: Any) -> str:
    """Return where the decisions are made, and which constraint was kept; "" when not known."""
    chosen = report.decision
    if not chosen:
        return ""
    threshold = chosen["threshold"]
    if isinstance(threshold, list):
        shares = zip(report.classes, threshold, strict=True)
        text = "Thresholds of the classes: " + ", ".join(f"{c!r} {t:.3g}" for c, t in shares) + "."
        return f"{text} The class with the greatest probability / threshold is chosen."
    label = repr(chosen["pos_label"])
    text = f"A case is called {label} when its probability is at least {threshold:.3g}."
    if not chosen["constraint"]:
        return text
    text += f" It was chosen on training rows under the constraint {chosen['constraint']}"
    if chosen["confidence"] is not None:
        text += f" with a confidence of {chosen['confidence']:.0%}"
    kept = "It was kept there." if chosen["kept"] else "No threshold kept it; this is the nearest."
    return f"{text}. {kept}"


def cost_lines(report: Any) -> list[list[str]]:
    """Return rows of the table of costs per 1,000 cases; empty without costs."""
    row = report.metrics.get("expected_cost")
    if row is None:
        return []
    named = (
        ("this classifier", "value"),
        ("always the most frequent class", "majority"),
        ("at random, as often as each class occurs", "random"),
    )
    return [[name, f"{CASES * row[key]:,.0f}"] for name, key in named]
