"""DataFinding: what was found, the evidence, what it means, and the code that mends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._tables._column import Column
from .._tables._read import Source


@dataclass(frozen=True)
class DataFinding:
    """One thing that is wrong with data, or may be. Made by :func:`quality_report`.

    Attributes
    ----------
    kind : str
        What it is, such as "leakage".
    severity : {"high", "medium", "low"}
        "high" makes scores wrong, "medium" costs score, "low" is good to know.
    columns : tuple of str
        The columns concerned; empty where it is about rows or the target.
    message : str
        What it is and why it matters, for a newcomer.
    evidence : dict
        The numbers.
    code : str
        Python that mends it, or looks closer.
    """

    kind: str
    severity: str
    columns: tuple[str, ...]
    message: str
    evidence: dict[str, Any] = field(default_factory=dict)
    code: str = ""


@dataclass
class Sample:
    """Data as the checks see them.

    Attributes
    ----------
    X : object
        The table as it came.
    source : Source
        The table, opened.
    columns : list of Column
        Its columns.
    codes : ndarray of shape (n_samples,) or None
        Classes as codes, or numbers as they are; None without y.
    classes : ndarray or None
        Labels; None for numbers as target.
    test : Source or None
        The rows held out, opened.
    rows : ndarray of int
        Places of the rows that models are fitted on.
    seed : int
        Seed.
    facts : dict
        What checks found in numbers, for the plots of the report.
    """

    X: Any
    source: Source
    columns: list[Column]
    codes: np.ndarray | None
    classes: np.ndarray | None
    test: Source | None
    rows: np.ndarray
    seed: int
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.source.n
