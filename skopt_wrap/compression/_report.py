"""The table of a compression: size, score and latency after each stage."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, field, fields
from typing import Any

from ..exceptions import ParameterError


@dataclass
class StageRow:
    """One stage of a compression.

    Parameters
    ----------
    stage : str
        "trained" (the network as Keras runs it), "convert" (the same as a float32 file),
        "distil", "prune", "cluster" or "quantize".
    parameters, nonzero : int
        Weights of the network, and those of them that are not zero. Of training with rounding: of
        the network before it.
    distinct : int
        Different values among the weights, counted in each array (a kernel, a bias) by itself and
        summed.
    bytes, gzip_bytes : int
        Size of the stage's ``.tflite`` file, plain and after gzip; for "trained", of the
        weights in memory.
    difference : float
        How far the file's outputs are from those of the network that it was made from: the
        root-mean-square difference of an output in units of the standard deviation of that output,
        the largest of all outputs. It tells what the conversion cost, and nothing about what
        pruning or factorization did to the network.
    score : float or None
        Score on the rows named by :attr:`CompressionReport.scored_on`.
    latency_p50, latency_p99, latency_batch : float
        Median and 99th percentile for one row, median for 256 rows; seconds.
    seconds : float
        Time the stage took.
    done : list of str
        Layers that the stage changed.
    skipped : list of str
        Layers that it left alone, each with the reason.
    notes : list of str
        What else there is to know.
    from_trained : float
        How far the file's outputs are from those of the *trained* network, in the same units: what
        all stages up to this one cost together. NaN where it was not measured.
    """

    stage: str
    parameters: int
    nonzero: int
    distinct: int
    bytes: int
    gzip_bytes: int
    difference: float
    score: float | None
    latency_p50: float
    latency_p99: float
    latency_batch: float
    seconds: float
    done: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    from_trained: float = math.nan


_HEADINGS = (
    "stage",
    "parameters",
    "non-zero",
    "distinct",
    "bytes",
    "gzip",
    "file-network",
    "file-trained",
    "score",
    "1 row p50",
    "p99",
    "256 rows",
    "seconds",
)


class CompressionReport:
    """Size, score and latency after each stage of a compression.

    Parameters
    ----------
    scored_on : str
        Which rows the scores were computed on.
    metric : str
        Name of the score.

    Attributes
    ----------
    rows : list of StageRow
        One a stage, in order. The first is the trained network as Keras runs it.

    See Also
    --------
    CompressionDisplay : Draws score against size or latency.

    Examples
    --------
    >>> from skopt_wrap.compression import CompressionReport
    >>> report = CompressionReport(scored_on="training rows", metric="accuracy")
    >>> len(report), report.to_dict()["stage"]
    (0, [])
    """

    def __init__(self, scored_on: str, metric: str) -> None:
        self.scored_on = scored_on
        self.metric = metric
        self.rows: list[StageRow] = []

    def __len__(self) -> int:
        """Return the number of stages."""
        return len(self.rows)

    def __getitem__(self, stage: str) -> StageRow:
        """Return the row of a stage.

        Raises
        ------
        ParameterError
            When there is none of that name.
        """
        for row in self.rows:
            if row.stage == stage:
                return row
        names = [row.stage for row in self.rows]
        raise ParameterError(f"the report has no stage {stage!r}; it has {names}.")

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the table as ``pandas.DataFrame`` takes it.

        Returns
        -------
        table : dict of str to list
            One list for each field of :class:`StageRow`, one entry for each stage.
        """
        return {f.name: [getattr(row, f.name) for row in self.rows] for f in fields(StageRow)}

    def _cells(self) -> list[list[str]]:
        return [
            [
                row.stage,
                f"{row.parameters:,}",
                f"{row.nonzero:,}",
                f"{row.distinct:,}",
                f"{row.bytes:,}",
                f"{row.gzip_bytes:,}",
                f"{row.difference:.1e}",
                "-" if math.isnan(row.from_trained) else f"{row.from_trained:.1e}",
                "-" if row.score is None else f"{row.score:.4f}",
                _time(row.latency_p50),
                _time(row.latency_p99),
                _time(row.latency_batch),
                f"{row.seconds:.2f}",
            ]
            for row in self.rows
        ]

    def _remarks(self) -> list[str]:
        remarks = [
            f"score: {self.metric} on {self.scored_on}",
            "file-network, file-trained: how far the file's outputs are from those of its own "
            "network, and from those of the trained network, in standard deviations",
        ]
        for row in self.rows:
            if row.done:
                remarks.append(f"{row.stage}: {len(row.done)} layers ({', '.join(row.done)})")
            remarks += [f"{row.stage}: skipped {item}" for item in row.skipped]
            remarks += [f"{row.stage}: {note}" for note in row.notes]
        return remarks

    def __str__(self) -> str:
        """Return the table as text."""
        table = [list(_HEADINGS), *self._cells()]
        widths = [max(len(line[i]) for line in table) for i in range(len(_HEADINGS))]
        lines = [
            "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in table
        ]
        return "\n".join([*lines, *self._remarks()])

    def __repr__(self) -> str:
        """Return a one-line summary."""
        if not self.rows:
            return "CompressionReport(no stage)"
        last = self.rows[-1]
        return (
            f"CompressionReport({' -> '.join(row.stage for row in self.rows)}: "
            f"{last.bytes:,} bytes)"
        )

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in _HEADINGS)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line) + "</tr>"
            for line in self._cells()
        )
        remarks = "".join(f"<li>{html.escape(remark)}</li>" for remark in self._remarks())
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><ul>{remarks}</ul>"
        )


def _time(seconds: float) -> str:
    for factor, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= factor:
            return f"{seconds / factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def scoring_name(scoring: Any) -> str:
    """Return what a report calls a score that a user gave."""
    if isinstance(scoring, str):
        return scoring
    name = getattr(scoring, "metric", getattr(scoring, "__name__", None))
    return name if isinstance(name, str) else repr(scoring)
