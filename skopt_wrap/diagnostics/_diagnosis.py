"""FitDiagnosis: what was found, as text, tables and remedies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from sklearn.base import clone

from .._tables import as_frame
from ..exceptions import DataError, ParameterError, suggest
from ._baselines import make_baselines
from ._experiment import Experiment, Scores, make_splits
from ._findings import Finding, FitThresholds
from ._remedies import list_remedies
from ._remedy import Remedy, RemedyLike
from ._remedy_results import RemedyResults, check_remedies, try_all

_TABLES = ("findings", "scores", "learning_curve", "history")


@dataclass
class FitDiagnosis:
    """What is wrong with a fit, and what may mend it. Made by :func:`diagnose`.

    Prints as text, shows as HTML in notebooks.

    Parameters
    ----------
    findings : list of Finding
        Most important first; empty when nothing is wrong.
    history : dict of str to list of float
        History that was judged; empty for an estimator without one.
    scores : dict of str to ndarray of shape (n_splits,)
        "train" and "validation" of the estimator, and validation scores of the baselines "dummy"
        (ignores X), "linear" and "trees"; empty when no data were given.
    learning_curve : dict of str to ndarray
        "n_rows" (n_sizes,), "train" and "validation" (n_sizes, n_splits); empty when not asked.
    thresholds : FitThresholds
        What the numbers were compared with.
    scoring : str
        What the scores are.
    estimator : estimator or None
        Clone that was diagnosed; None for a history alone.
    input_scale : float
        Greatest mean or standard deviation of a feature; 0 when no table was given.
    """

    findings: list[Finding]
    history: dict[str, list[float]]
    scores: dict[str, np.ndarray] = field(default_factory=dict)
    learning_curve: dict[str, np.ndarray] = field(default_factory=dict)
    thresholds: FitThresholds = field(default_factory=FitThresholds)
    scoring: str = "score"
    estimator: Any = None
    input_scale: float = 0.0
    _experiment: Experiment | None = field(default=None, repr=False)
    _results: RemedyResults | None = field(default=None, repr=False)

    @property
    def verdict(self) -> str:
        """The kinds of the findings in a few words."""
        kinds = list(dict.fromkeys(finding.kind for finding in self.findings))
        return ", ".join(kind.replace("_", " ") for kind in kinds) or "nothing found"

    def has(self, kind: str) -> bool:
        """Tell whether something was found.

        Parameters
        ----------
        kind : str
            Kind of finding, such as "overfitting".

        Returns
        -------
        found : bool
            Whether it is among the findings.
        """
        return any(finding.kind == kind for finding in self.findings)

    def remedies(self) -> list[Remedy]:
        """Return concrete changes for this estimator, most promising first.

        Returns
        -------
        remedies : list of Remedy
            Empty when nothing was found.

        Raises
        ------
        DataError
            When only a history was diagnosed, so that there are no parameters to change.
        """
        if self.estimator is None:
            raise DataError("remedies change an estimator; give it to diagnose, not its history.")
        X = None if self._experiment is None else self._experiment.X
        return list_remedies(
            self.estimator,
            self.findings,
            input_scale=self.input_scale,
            augmentable=isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind == "f",
            history=self.history,
        )

    def try_remedies(
        self,
        cv: Any = None,
        *,
        remedies: Sequence[RemedyLike] | None = None,
        confidence_level: float = 0.95,
    ) -> RemedyResults:
        """Fit the estimator with each remedy and measure the gain on the same folds.

        Parameters
        ----------
        cv : int, splitter or None, default=None
            Splits; None takes those of the diagnosis, whose scores are then not computed again.
        remedies : sequence of Remedy, default=None
            Which ones; None takes all of :meth:`remedies`. Any object with a `name` and a method
            ``apply(estimator)``, which returns a changed clone, is a remedy.
        confidence_level : float, default=0.95
            Level of the intervals, in (0, 1).

        Returns
        -------
        results : RemedyResults
            Best first; the same object decides :meth:`best_remedy`. Where the estimator diverged,
            gains are over a predictor that ignores X.

        Raises
        ------
        DataError
            When no data were given to :func:`diagnose`.
        ParameterError
            If `confidence_level` is out of range, or an object is no remedy.

        References
        ----------
        .. [1] C. Nadeau, Y. Bengio, "Inference for the generalization error", Machine Learning,
           2003.
        """
        if self._experiment is None:
            raise DataError("trying remedies needs rows; give X and y to diagnose.")
        experiment = self._experiment
        if cv is None:
            before = Scores(self.scores["train"], self.scores["validation"])
        else:
            splits = make_splits(
                self.estimator, experiment.X, experiment.y, cv, experiment.random_state
            )
            experiment = experiment.with_splits(splits)
            before = experiment.score()
        if not np.isfinite(before.validation).all():
            before = experiment.score(make_baselines(experiment)["dummy"])
        chosen = check_remedies(self.remedies() if remedies is None else remedies)
        self._results = try_all(experiment, chosen, before, confidence_level)
        return self._results

    def best_remedy(self) -> Any:
        """Return the estimator with the remedy that gained most, not fitted.

        Tries the remedies first if :meth:`try_remedies` was not called. Look at its intervals: the
        best of several is chosen by the same folds, so its gain is a little flattering.

        Returns
        -------
        estimator : estimator
            A clone as it was when no remedy gained anything.

        Raises
        ------
        DataError
            When no data were given to :func:`diagnose`.
        """
        results = self.try_remedies() if self._results is None else self._results
        if results.remedies:
            score, gain = results.table["score"][0], results.table["gain"][0]
            if np.isfinite(score) and gain > 0:
                return results.remedies[0].apply(self.estimator)
        return clone(self.estimator)

    def to_dict(self, table: str = "findings") -> dict[str, list[Any]]:
        """Return a table as a dict of columns, ready for ``pandas.DataFrame``.

        Parameters
        ----------
        table : {"findings", "scores", "learning_curve", "history"}, default="findings"
            Which table.

        Returns
        -------
        columns : dict of str to list
            Columns of equal length; empty where there is nothing.

        Raises
        ------
        ParameterError
            If there is no table of this name.
        """
        if table not in _TABLES:
            raise ParameterError(f"table={table!r} is unknown. {suggest(str(table), _TABLES)}")
        if table == "findings":
            names = ("kind", "message", "meaning", "action", "evidence", "thresholds", "source")
            return {name: [getattr(f, name) for f in self.findings] for name in names}
        if table == "history":
            return {name: list(values) for name, values in self.history.items()}
        if table == "scores":
            return {
                "predictor": list(self.scores),
                "mean": [float(v.mean()) for v in self.scores.values()],
                "std": [float(v.std()) for v in self.scores.values()],
            }
        curve = self.learning_curve
        if not curve:
            return {}
        return {
            "n_rows": curve["n_rows"].tolist(),
            "train": curve["train"].mean(axis=1).tolist(),
            "validation": curve["validation"].mean(axis=1).tolist(),
        }

    def to_frame(self, table: str = "findings") -> Any:
        """Return a table as a pandas DataFrame; see :meth:`to_dict`.

        Parameters
        ----------
        table : {"findings", "scores", "learning_curve", "history"}, default="findings"
            Which table.

        Returns
        -------
        frame : pandas.DataFrame
            The table.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return as_frame(self.to_dict(table))

    def __str__(self) -> str:
        lines = [f"verdict: {self.verdict}"]
        for finding in self.findings:
            lines.append(f"- {finding.kind.replace('_', ' ')}: {finding.message}")
            lines += [f"  {text}" for text in (finding.meaning, finding.action) if text]
        if self.scores:
            lines.append(f"{self.scoring}, mean over {len(self.scores['validation'])} folds:")
            table = self.to_dict("scores")
            for name, mean, std in zip(*table.values(), strict=True):
                lines.append(f"  {name:12}{mean:7.3f} +- {std:.3f}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        items = "".join(
            f"<li><b>{escape(f.kind.replace('_', ' '))}</b>: {escape(f.message)} "
            f"{escape(f.meaning)} {escape(f.action)} "
            f"<small>{escape(f.source)}</small></li>"
            for f in self.findings
        )
        rows = zip(*self.to_dict("scores").values(), strict=True) if self.scores else ()
        body = "".join(
            f"<tr><td>{escape(name)}</td><td>{mean:.3f}</td><td>{std:.3f}</td></tr>"
            for name, mean, std in rows
        )
        table = (
            f"<table><thead><tr><th>{escape(self.scoring)}</th><th>mean</th><th>std</th></tr>"
            f"</thead><tbody>{body}</tbody></table>"
            if body
            else ""
        )
        return f"<div><p>Verdict: {escape(self.verdict)}</p><ul>{items}</ul>{table}</div>"
