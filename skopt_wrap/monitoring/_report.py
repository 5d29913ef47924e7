"""DriftReport: has something changed, what, since when, and does it matter."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from .._tables import as_frame
from ..exceptions import ParameterError, suggest
from ._columns import Column
from ._statistics._effects import SHARES, THRESHOLDS, effect_sizes, exceeded
from ._statistics._sketch import Sketch

_TABLES = ("items", "thresholds", "distributions")
_EFFECTS = ("ks", "psi", "wasserstein", "jensen_shannon", "mean_shift", "cramers_v", "chi2",
            "new_values", "missing_rate", "missing", "out_of_range")  # fmt: skip


@dataclass
class DriftReport:
    """What a batch, or a stream so far, says about drift. Made by :class:`DriftMonitor`.

    Two questions are answered apart. *Has something changed?* is answered by evidence with a
    guarantee (`alarm`, and "changed" of each item). *Does it matter?* is answered by effect sizes
    and their thresholds ("matters" of each item). Prints as text, shows as HTML in notebooks.

    Parameters
    ----------
    source : {"check", "update"}
        One batch, or a stream.
    alarm : bool
        Whether a change is shown. It stays True in a stream once it was.
    log_e_value : float
        Logarithm of the evidence now: the average of the items.
    log_threshold : float
        The alarm is given when the evidence reaches it.
    guarantee : str
        What the alarm promises.
    names : list of str
        Items watched: features, "prediction", "confidence", "label", "loss".
    log_e_values : ndarray of shape (n_items,)
        Logarithm of the evidence of each item.
    changed : ndarray of shape (n_items,), dtype bool
        Items declared changed.
    n_rows : int
        Rows of the batch, or of the stream so far.
    n_reference : int
        Rows of the reference.
    thresholds : dict of str to float
        From where an effect size matters.
    alarm_row : int or None
        Row of the stream at which the alarm was given.
    began : dict of str to int
        Row of the stream at which each changed item most likely began to change.
    began_at : dict of str to str
        The same as times, where rows have times.
    performance : dict of str to float
        "reference_loss" and "loss" when labels came; "reference_accuracy" and "expected_accuracy"
        (without labels); "reference_score" and "score" with `scoring`; "domain_auc" with
        `keep_rows`.
    dtype_changes : dict of str to tuple of str
        Type in the reference and now, for columns whose type changed.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap import DriftMonitor
    >>> rng = np.random.default_rng(0)
    >>> monitor = DriftMonitor(random_state=0).fit(rng.normal(size=(1000, 3)))
    >>> report = monitor.check(rng.normal(size=(200, 3)) + [0, 0, 1])
    >>> report.alarm, report.to_dict()["changed"], report.look_at_first
    (True, [False, False, True], 'x2')
    >>> print(report.verdict)
    Changed, and it matters: x2 (wasserstein 1.1).
    """

    source: str
    alarm: bool
    log_e_value: float
    log_threshold: float
    guarantee: str
    names: list[str]
    log_e_values: np.ndarray
    changed: np.ndarray
    n_rows: int
    n_reference: int
    thresholds: dict[str, float]
    alarm_row: int | None = None
    began: dict[str, int] = field(default_factory=dict)
    began_at: dict[str, str] = field(default_factory=dict)
    performance: dict[str, float] = field(default_factory=dict)
    dtype_changes: dict[str, tuple[str, str]] = field(default_factory=dict)
    _sketches: list[Sketch] = field(default_factory=list, repr=False)
    _columns: list[Column] = field(default_factory=list, repr=False)
    _shares: list[np.ndarray] = field(default_factory=list, repr=False)
    _effects: dict[str, dict[str, Any]] | None = field(default=None, repr=False)

    @property
    def effects(self) -> dict[str, dict[str, Any]]:
        """Effect sizes of each item that has rows, by name; computed when first asked for."""
        if self._effects is None:
            sources = zip(self._sketches, self._columns, self._shares, strict=True)
            self._effects = {
                sketch.name: effect_sizes(sketch, column, shares)
                for sketch, column, shares in sources
            }
        return self._effects

    @property
    def matters(self) -> dict[str, list[str]]:
        """Effect sizes that reach their threshold, of each item that has some."""
        found = {name: exceeded(values, self.thresholds) for name, values in self.effects.items()}
        return {name: sizes for name, sizes in found.items() if sizes}

    @property
    def e_value(self) -> float:
        """Evidence now: how much a bet against "nothing has changed" has multiplied its stake."""
        return float(np.exp(min(self.log_e_value, 700.0)))

    @property
    def look_at_first(self) -> str | None:
        """The item to look at first: declared changed, and with the most evidence and effect."""
        matters = self.matters
        order = sorted(
            range(len(self.names)),
            key=lambda i: (
                not self.changed[i],
                self.names[i] not in matters,
                -float(self.log_e_values[i]),
            ),
        )
        first = self.names[order[0]]
        return first if self.alarm or self.changed.any() or first in self._loud() else None

    def _loud(self) -> dict[str, list[str]]:
        """Return what is told always: missing values, new values, values out of range."""
        found = {name: [s for s in sizes if s in SHARES] for name, sizes in self.matters.items()}
        return {name: sizes for name, sizes in found.items() if sizes}

    @property
    def verdict(self) -> str:
        """The answer in a sentence or two."""
        matters = self.matters
        changed = [n for n, flag in zip(self.names, self.changed, strict=True) if flag]
        changed.sort(key=lambda n: -float(self.log_e_values[self.names.index(n)]))
        if not self.alarm and not changed:
            text = "No change is shown."
        elif not changed:
            text = "Changed, but the evidence does not single out an item."
        elif serious := [n for n in changed if n in matters]:
            text = f"Changed, and it matters: {self._listing(serious, matters)}."
        else:
            names = ", ".join(changed[:5])
            text = f"Changed, but every effect size is below its threshold: {names}."
        starts = [self.began[n] for n in changed if n in self.began]
        if starts:
            first = min(starts)
            name = next(n for n in changed if self.began.get(n) == first)
            when = self.began_at.get(name)
            text += f" It most likely began at row {first}{f' ({when})' if when else ''}."
        loud = {n: s for n, s in self._loud().items() if n not in changed}
        if loud:
            text += f" Look also at {self._listing(list(loud), loud)}."
        if self.dtype_changes:
            text += f" The type changed of {', '.join(self.dtype_changes)}."
        return text

    def _listing(self, names: list[str], sizes: dict[str, list[str]]) -> str:
        parts = []
        for name in names[:5]:
            effect = sizes[name][0]
            parts.append(f"{name} ({effect.replace('_', ' ')} {self.effects[name][effect]:.2g})")
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        return ", ".join(parts) + more

    def to_dict(self, table: str = "items") -> dict[str, list[Any]]:
        """Return a table as a dict of columns, ready for ``pandas.DataFrame``.

        Parameters
        ----------
        table : {"items", "thresholds", "distributions"}, default="items"
            Items with their evidence and effect sizes; thresholds with their sources; or the
            shares of reference and batch in the bins that PSI compares.

        Returns
        -------
        columns : dict of str to list
            Columns of equal length.

        Raises
        ------
        ParameterError
            If there is no table of this name.
        """
        if table not in _TABLES:
            raise ParameterError(f"table={table!r} is unknown. {suggest(str(table), _TABLES)}")
        if table == "thresholds":
            return {
                "effect": list(self.thresholds),
                "threshold": list(self.thresholds.values()),
                "source": [
                    source if self.thresholds[name] == value else "set by the user"
                    for name, (value, source) in THRESHOLDS.items()
                ],
            }
        effects = self.effects
        if table == "distributions":
            rows = [
                (name, str(bin_name), float(p), float(q))
                for name, values in effects.items()
                for bin_name, p, q in zip(
                    values["bins"], values["reference_share"], values["batch_share"], strict=True
                )
            ]
            keys = ("item", "bin", "reference_share", "batch_share")
            return {key: [row[i] for row in rows] for i, key in enumerate(keys)}
        matters = self.matters
        return {
            "item": list(self.names),
            "log_e_value": [round(float(v), 4) for v in self.log_e_values],
            "changed": [bool(v) for v in self.changed],
            "matters": [", ".join(matters.get(name, [])) for name in self.names],
            **{
                effect: [_number(effects.get(name, {}).get(effect)) for name in self.names]
                for effect in _EFFECTS
            },
            "began": [self.began.get(name) for name in self.names],
            "began_at": [self.began_at.get(name) for name in self.names],
        }

    def to_frame(self, table: str = "items") -> Any:
        """Return a table as a pandas DataFrame; see :meth:`to_dict`.

        Parameters
        ----------
        table : {"items", "thresholds", "distributions"}, default="items"
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

    def to_json(self, *, indent: int | None = None) -> str:
        """Return everything as JSON.

        Parameters
        ----------
        indent : int, default=None
            Spaces of indentation; None writes one line.

        Returns
        -------
        text : str
            JSON; numbers that are not finite are null.
        """
        table = self.to_dict()
        items = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
        content = {
            "source": self.source,
            "verdict": self.verdict,
            "alarm": self.alarm,
            "log_e_value": _number(self.log_e_value),
            "log_threshold": _number(self.log_threshold),
            "guarantee": self.guarantee,
            "n_rows": self.n_rows,
            "n_reference": self.n_reference,
            "alarm_row": self.alarm_row,
            "look_at_first": self.look_at_first,
            "performance": {name: _number(v) for name, v in self.performance.items()},
            "dtype_changes": {name: list(pair) for name, pair in self.dtype_changes.items()},
            "thresholds": self.thresholds,
            "items": items,
        }
        return json.dumps(content, indent=indent, allow_nan=False)

    def __str__(self) -> str:
        lines = [self.verdict, f"{self._evidence()} {self.guarantee}"]
        lines += [f"{k.replace('_', ' ')}: {v:.4g}" for k, v in self.performance.items()]
        lines.append(f"{'item':20}{'log e':>9}  {'changed':8}{'matters'}")
        for i in self._order()[:12]:
            name = self.names[i]
            sizes = ", ".join(
                f"{s.replace('_', ' ')} {self.effects[name][s]:.2g}"
                for s in self.matters.get(name, [])[:3]
            )
            flag = "yes" if self.changed[i] else "no"
            lines.append(f"{name[:19]:20}{self.log_e_values[i]:9.2f}  {flag:8}{sizes}".rstrip())
        if len(self.names) > 12:
            lines.append(f"and {len(self.names) - 12} more items; to_frame() has all")
        return "\n".join(lines)

    def _evidence(self) -> str:
        rows = f"{self.n_rows} rows against {self.n_reference} of the reference"
        sign = ">=" if self.log_e_value >= self.log_threshold else "<"
        return f"{rows}: log evidence {self.log_e_value:.2f} {sign} {self.log_threshold:.2f}."

    def _order(self) -> list[int]:
        keys = [(not c, -float(e)) for c, e in zip(self.changed, self.log_e_values, strict=True)]
        return sorted(range(len(keys)), key=keys.__getitem__)

    def _repr_html_(self) -> str:
        rows = ""
        for i in self._order():
            name = self.names[i]
            sizes = ", ".join(
                f"{s.replace('_', ' ')} {self.effects[name][s]:.2g}"
                for s in self.matters.get(name, [])
            )
            flag = "yes" if self.changed[i] else "no"
            cells = (name, f"{self.log_e_values[i]:.2f}", flag, sizes)
            rows += "<tr>" + "".join(f"<td>{escape(c)}</td>" for c in cells) + "</tr>"
        values = "".join(
            f"<li>{escape(k.replace('_', ' '))}: {v:.4g}</li>" for k, v in self.performance.items()
        )
        return (
            f"<div><p><b>{escape(self.verdict)}</b></p><p>{escape(self._evidence())} "
            f"{escape(self.guarantee)}</p><ul>{values}</ul><table><thead><tr><th>item</th>"
            "<th>log e</th><th>changed</th><th>matters</th></tr></thead>"
            f"<tbody>{rows}</tbody></table></div>"
        )


def _number(value: Any) -> float | None:
    """Return a finite number, or None."""
    if value is None or not np.isfinite(value):
        return None
    return round(float(value), 10)
