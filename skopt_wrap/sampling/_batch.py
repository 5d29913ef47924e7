"""What is known about a batch besides its values: where its samples are, and how pixels moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Movement:
    """How a transform moved the pixels of some images of a batch.

    Attributes
    ----------
    rows : ndarray of int, of shape (n,)
        Positions of the images in the batch.
    maps : ndarray of shape (n, 3, 3)
        For each of them the map from result to source in (row, column, 1), from the centre.
    fill : {"constant", "nearest", "reflect", "wrap"}
        What lies beyond the border.
    """

    rows: np.ndarray
    maps: np.ndarray
    fill: str


@dataclass(frozen=True)
class Source:
    """Where the samples of a batch are, before they are copied into it.

    Attributes
    ----------
    values : ndarray of shape (n_samples, ...)
        All samples; they are only read.
    chosen : ndarray of int, of shape (n,)
        Positions in `values` of the samples of the batch.
    others : ndarray of int, of shape (n,), or None
        Positions in `values` of the samples that each is mixed with. None: samples of the batch.
    other_labels : ndarray of shape (n, n_columns) or None
        Labels of `others`.
    """

    values: Any
    chosen: np.ndarray
    others: np.ndarray | None = None
    other_labels: np.ndarray | None = None
