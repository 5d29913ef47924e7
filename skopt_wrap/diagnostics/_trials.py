"""What remedies gain, measured on the same folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from .._tables import as_frame
from ..exceptions import ParameterError
from ._evidence import Scores, Split, score_folds
from ._remedies import Remedy


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
    >>> from skopt_wrap.diagnostics._trials import gain_interval
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

    remedies: list[Remedy]
    table: dict[str, list]
    before: float
    skipped: list[str]
    confidence_level: float

    def to_dict(self) -> dict[str, list]:
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
        width = max([len("remedy"), *(len(r.name) for r in self.remedies)])
        level = f"{self.confidence_level:.0%} interval"
        lines = [f"{'remedy':{width}}  score    gain  {level}", ""]
        lines[-1] = f"{'as it was':{width}}  {self.before:.3f}"
        rows = zip(*(self.table[c] for c in ("remedy", "score", "gain", "gain_low", "gain_high")),
                   strict=True)  # fmt: skip
        lines += [
            f"{name:{width}}  {score:.3f}  {gain:+.3f}  [{low:+.3f}, {high:+.3f}]"
            for name, score, gain, low, high in rows
        ]
        lines += [f"not tried: {name}" for name in self.skipped]
        return "\n".join(lines)


def try_all(
    estimator: Any,
    remedies: list[Remedy],
    X: Any,
    y: Any,
    splits: list[Split],
    scorer: Any,
    before: Scores,
    confidence_level: float,
) -> RemedyResults:
    """Fit every runnable remedy on every split and tabulate the gains."""
    number = isinstance(confidence_level, int | float | np.floating)
    if not number or not 0 < confidence_level < 1:
        raise ParameterError(
            f"confidence_level must be a number in (0, 1), got {confidence_level!r}."
        )
    base = before.validation
    rows: list[dict[str, Any]] = []
    for remedy in (r for r in remedies if r.runnable):
        found = score_folds(remedy.apply(estimator), X, y, splits, scorer)
        gain, low, high = gain_interval(found.validation - base, splits, confidence_level)
        rows.append(
            {
                "remedy": remedy.name,
                "finding": remedy.finding,
                "params": dict(remedy.params),
                "gain": gain,
                "gain_low": low,
                "gain_high": high,
                "score": float(found.validation.mean()),
                "train_score": float(found.train.mean()),
                "_remedy": remedy,
            }
        )
    # A remedy that diverges sorts last.
    rows.sort(key=lambda row: -row["score"] if np.isfinite(row["score"]) else np.inf)
    columns = ("remedy", "finding", "params", "gain", "gain_low", "gain_high", "score",
               "train_score")  # fmt: skip
    return RemedyResults(
        remedies=[row["_remedy"] for row in rows],
        table={name: [row[name] for row in rows] for name in columns},
        before=float(base.mean()),
        skipped=[r.name for r in remedies if not r.runnable],
        confidence_level=float(confidence_level),
    )
