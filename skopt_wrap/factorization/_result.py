"""The result of a factorization: the new network, and a table of its layers."""

from __future__ import annotations

import html
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class LayerRow:
    """One layer that was replaced.

    Parameters
    ----------
    layer : str
        Its name.
    method : str
        "svd", "tensor-train", "tucker" or "cp": what it became.
    ranks : tuple of int
        Ranks of the factors.
    parameters_before, parameters_after : int
        Weights of the layer, the bias included.
    output_error : float
        Root mean square error of the layer's outputs, before the activation, on the inputs that
        it had in the original network, divided by their standard deviation.
    """

    layer: str
    method: str
    ranks: tuple[int, ...]
    parameters_before: int
    parameters_after: int
    output_error: float


@dataclass(frozen=True)
class Candidate:
    """One method that ``method="auto"`` tried, or the original network.

    Parameters
    ----------
    method : str
        Name of the method, or "original".
    parameters : int
        Weights of the network.
    divergence : float
        How far the network's outputs are from the original's on rows kept apart: mean
        Kullback-Leibler divergence of probabilities, or mean squared error divided by the
        variance.
    latency : float
        Median seconds of a compiled call on 256 rows.
    """

    method: str
    parameters: int
    divergence: float
    latency: float


@dataclass
class FactorizationResult:
    """What :func:`factorize` returns.

    Parameters
    ----------
    model : keras.Model
        The factorized network, compiled like the original.
    method : str
        Method that was used; with "auto", the one that was picked.
    rows : list of LayerRow
        Layers that were replaced.
    skipped : dict of str to str
        Layers with a kernel that were kept, with the reason.
    parameters_before, parameters_after : int
        Weights of the whole network.
    candidates : list of Candidate
        The original network and every network that was tried, measured.
    notes : list of str
        What else there is to know.

    Examples
    --------
    >>> from skopt_wrap.factorization import FactorizationResult
    >>> result = FactorizationResult(None, "svd", [], {"lstm": "LSTM has no factorized form"}, 9, 9)
    >>> result.done, result.skipped
    ([], {'lstm': 'LSTM has no factorized form'})
    """

    model: Any
    method: str
    rows: list[LayerRow]
    skipped: dict[str, str]
    parameters_before: int
    parameters_after: int
    candidates: list[Candidate] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def done(self) -> list[str]:
        """Names of the layers that were replaced."""
        return [row.layer for row in self.rows]

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the table of layers as ``pandas.DataFrame`` takes it.

        Returns
        -------
        table : dict of str to list
            One list for each field of :class:`LayerRow`, one entry for each layer.
        """
        return {f.name: [getattr(row, f.name) for row in self.rows] for f in fields(LayerRow)}

    def _cells(self) -> list[list[str]]:
        return [
            ["layer", "method", "ranks", "before", "after", "output error"],
            *(
                [
                    row.layer,
                    row.method,
                    ", ".join(map(str, row.ranks)),
                    f"{row.parameters_before:,}",
                    f"{row.parameters_after:,}",
                    f"{row.output_error:.3f}",
                ]
                for row in self.rows
            ),
        ]

    def _remarks(self) -> list[str]:
        share = 1 - self.parameters_after / max(1, self.parameters_before)
        remarks = [
            f"{self.method}: {self.parameters_before:,} -> {self.parameters_after:,} parameters "
            f"(-{share:.1%})"
        ]
        for c in self.candidates:
            remarks.append(
                f"{c.method}: {c.parameters:,} parameters, divergence {c.divergence:.3g}, "
                f"{c.latency * 1e3:.2f} ms for 256 rows"
            )
        remarks += [f"kept {name}: {reason}" for name, reason in self.skipped.items()]
        return [*remarks, *self.notes]

    def __str__(self) -> str:
        """Return the table as text."""
        table = self._cells()
        widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
        lines = [
            "  ".join(
                cell.ljust(width) if i < 3 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in table
        ]
        return "\n".join([*lines, *self._remarks()])

    def __repr__(self) -> str:
        """Return a one-line summary."""
        return (
            f"FactorizationResult({self.method}: {len(self.rows)} layers, "
            f"{self.parameters_before:,} -> {self.parameters_after:,} parameters)"
        )

    def _repr_html_(self) -> str:
        head, *body = self._cells()
        cells = "".join(f"<th>{html.escape(name)}</th>" for name in head)
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line) + "</tr>"
            for line in body
        )
        remarks = "".join(f"<li>{html.escape(remark)}</li>" for remark in self._remarks())
        return f"<table><tr>{cells}</tr>{rows}</table><ul>{remarks}</ul>"
