"""What remedies gain, measured on the folds of the diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from .._tables import as_frame, format_table
from ..exceptions import ParameterError
from ._experiment import Experiment, Scores, Split
from ._remedy import RemedyLike

_COLUMNS = (
    "remedy", "finding", "params", "gain", "gain_low", "gain_high", "score", "train_score",
)  # fmt: skip


def gain_interval(
    gains: np.ndarray, splits: list[Split], confidence_level: float
) -> tuple[float, float, float]:
    """Return the mean gain over folds and its interval, corrected for overlapping training rows.

    The variance of the mean is ``(1 / k + n_test / n_train) * s**2`` [1]_: folds share training
    rows, so their gains are not independent.

    References
    ----------
    .. [1] C. Nadeau, Y. Bengio, "Inference for the generalization error", Machine Learning, 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.diagnostics._remedy_results import gain_interval
    >>> splits = [(np.arange(8), np.arange(4))] * 3
    >>> [round(v, 3) for v in gain_interval(np.array([0.1, 0.2, 0.3]), splits, 0.95)]
    [0.2, -0.193, 0.593]
    """
    mean, k = float(gains.mean()), len(gains)
    if k < 2 or not np.isfinite(mean):
        return mean, float("nan"), float("nan")
    share = float(np.mean([len(held) / len(rows) for rows, held in splits]))
    spread = float(np.sqrt((1 / k + share) * gains.var(ddof=1)))
    reach = float(student.ppf(0.5 + confidence_level / 2, k - 1)) * spread
    return mean, mean - reach, mean + reach


@dataclass(frozen=True)
class RemedyResults:
    """Measured gain of each remedy, best first.

    Parameters
    ----------
    remedies : list of Remedy
        In the order of the rows.
    table : dict of str to list
        Columns remedy, finding, params, gain, gain_low, gain_high, score, train_score. Gains are
        differences of validation scores from the estimator as it was, on the same folds.
    before : float
        Mean validation score of the estimator as it was, or of a predictor that ignores X where it
        diverged.
    skipped : list of str
        Remedies that only you can try.
    confidence_level : float
        Level of the intervals.
    """

    remedies: list[RemedyLike]
    table: dict[str, list[Any]]
    before: float
    skipped: list[str]
    confidence_level: float

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the table as a dict of columns, ready for ``pandas.DataFrame``.

        Returns
        -------
        columns : dict of str to list
            Columns of equal length.
        """
        return {name: list(column) for name, column in self.table.items()}

    def to_frame(self) -> Any:
        """Return the table as a pandas DataFrame.

        Returns
        -------
        frame : pandas.DataFrame
            One row a remedy.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return as_frame(self.to_dict())

    def __str__(self) -> str:
        header = ["remedy", "score", "gain", f"{self.confidence_level:.0%} interval"]
        columns = (self.table[c] for c in ("remedy", "score", "gain", "gain_low", "gain_high"))
        rows = [["as it was", f"{self.before:.3f}", "", ""]]
        rows += [
            [name, f"{score:.3f}", f"{gain:+.3f}", f"[{low:+.3f}, {high:+.3f}]"]
            for name, score, gain, low, high in zip(*columns, strict=True)
        ]
        return "\n".join([format_table(header, rows), *(f"not tried: {n}" for n in self.skipped)])


def check_remedies(remedies: Any) -> list[RemedyLike]:
    """Return remedies as a list, or raise ParameterError for what is none."""
    chosen = list(remedies)
    for remedy in chosen:
        if not isinstance(remedy, RemedyLike):
            raise ParameterError(
                f"a remedy must have a name and a method apply(estimator), got {remedy!r}."
            )
    return chosen


def _is_runnable(remedy: RemedyLike) -> bool:
    return bool(getattr(remedy, "runnable", True))


def try_all(
    experiment: Experiment, remedies: list[RemedyLike], before: Scores, confidence_level: float
) -> RemedyResults:
    """Fit every runnable remedy on every fold, and tabulate the gains."""
    number = isinstance(confidence_level, int | float | np.floating)
    if not number or not 0 < confidence_level < 1:
        raise ParameterError(
            f"confidence_level must be a number in (0, 1), got {confidence_level!r}."
        )
    base = before.validation
    tried: list[tuple[RemedyLike, dict[str, Any]]] = []
    for remedy in filter(_is_runnable, remedies):
        found = experiment.score(remedy.apply(experiment.estimator))
        gain, low, high = gain_interval(
            found.validation - base, experiment.splits, confidence_level
        )
        row = {
            "remedy": remedy.name,
            "finding": getattr(remedy, "finding", ""),
            "params": dict(getattr(remedy, "params", {})),
            "gain": gain,
            "gain_low": low,
            "gain_high": high,
            "score": float(found.validation.mean()),
            "train_score": float(found.train.mean()),
        }
        tried.append((remedy, row))
    # A remedy that diverges sorts last.
    tried.sort(key=lambda pair: -pair[1]["score"] if np.isfinite(pair[1]["score"]) else np.inf)
    return RemedyResults(
        remedies=[remedy for remedy, _ in tried],
        table={name: [row[name] for _, row in tried] for name in _COLUMNS},
        before=float(base.mean()),
        skipped=[remedy.name for remedy in remedies if not _is_runnable(remedy)],
        confidence_level=float(confidence_level),
    )
