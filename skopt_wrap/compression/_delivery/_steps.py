"""Fitted steps of a pipeline as operations of a file: pipelines, column transformers, choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import FeatureUnion, Pipeline

from ._categories import CATEGORIES
from ._columns import CannotFoldError, Column
from ._numbers import NUMBERS, Fold, Folded
from ._operations import Branches, Scale, Take


def fold_step(step: Any, columns: list[Column]) -> Folded:
    """Return the operations of a fitted step, and the columns behind it.

    Parameters
    ----------
    step : transformer
        Fitted; a pipeline or a column transformer too.
    columns : list of Column
        What stands in front of it.

    Raises
    ------
    CannotFoldError
        When a file cannot hold the step; the message names the step and the reason.
    """
    if step is None or isinstance(step, str):
        return [], columns
    for kind, fold in _KINDS.items():
        if isinstance(step, kind) and _made_by(step, kind):
            try:
                return fold(step, columns)
            except CannotFoldError as error:
                if error.step is not None:
                    raise
                raise CannotFoldError(str(error), type(step).__name__) from error
    raise CannotFoldError("no operations of a file are known for it", type(step).__name__)


def _made_by(step: Any, kind: type) -> bool:
    """Return whether `kind`, and no class derived from it, says what `transform` does."""
    for owner in type(step).__mro__:
        if "transform" in vars(owner):
            known = kind is Pipeline and owner.__module__.startswith(("imblearn.", "skopt_wrap."))
            return known or owner in kind.__mro__
    return False


def _pipeline(step: Any, columns: list[Column]) -> Folded:
    operations: list[Any] = []
    for _, inner in step.steps:
        if hasattr(inner, "fit_resample"):
            continue
        more, columns = fold_step(inner, columns)
        operations += more
    return operations, columns


def _selection(step: Any, columns: list[Column]) -> Folded:
    places = tuple(int(i) for i in step.get_support(indices=True))
    return [Take(places)], [columns[i] for i in places]


def _union(step: Any, columns: list[Column]) -> Folded:
    weights = step.transformer_weights or {}
    chains, after = [], []
    for name, inner in step.transformer_list:
        if isinstance(inner, str) and inner == "drop":
            continue
        operations, found = fold_step(inner, columns)
        chains.append((*operations, *_weight(weights.get(name))))
        after += found
    return [Branches(tuple(chains))], after


def _weight(weight: float | None) -> tuple[Any, ...]:
    return () if weight is None else (Scale(factor=np.array([float(weight)])),)


def _column_transformer(step: Any, columns: list[Column]) -> Folded:
    names = [str(name) for name in getattr(step, "feature_names_in_", ())]
    weights = step.transformer_weights or {}
    chains, after = [], []
    for name, inner, chosen in step.transformers_:
        places = _places(chosen, names, len(columns))
        if not places or (isinstance(inner, str) and inner == "drop"):
            continue
        operations, found = fold_step(inner, [columns[i] for i in places])
        chains.append((Take(places), *operations, *_weight(weights.get(name))))
        after += found
    if not chains:
        raise CannotFoldError("it leaves no column")
    return [Branches(tuple(chains))], after


def _places(chosen: Any, names: list[str], n: int) -> tuple[int, ...]:
    """Return the numbers of the columns that a column transformer chose."""
    if isinstance(chosen, slice):
        start, stop = chosen.start, chosen.stop
        start = names.index(start) if isinstance(start, str) else start
        stop = names.index(stop) + 1 if isinstance(stop, str) else stop
        return tuple(range(n)[start : stop : chosen.step])
    if isinstance(chosen, (str, int, np.integer)):
        chosen = [chosen]
    parts = list(chosen)
    if parts and all(isinstance(part, (bool, np.bool_)) for part in parts):
        return tuple(int(i) for i in np.flatnonzero(parts))
    return tuple(
        names.index(part) if isinstance(part, str) else range(n)[int(part)] for part in parts
    )


_KINDS: dict[type, Fold] = {
    Pipeline: _pipeline,
    ColumnTransformer: _column_transformer,
    FeatureUnion: _union,
    SelectorMixin: _selection,
    **NUMBERS,
    **CATEGORIES,
}


def fold_steps(
    steps: Sequence[Any], make_columns: Any
) -> tuple[list[Any], list[Column], int, list[str | None]]:
    """Return the operations of the steps directly in front of a network.

    As many of the last steps are taken as a file can hold: a step in front of one that it cannot
    hold has to stay in front of the file too.

    Parameters
    ----------
    steps : sequence of transformers
        Fitted, in order; no samplers.
    make_columns : callable
        Takes the number of steps that stay in front, and returns the raw columns behind them.

    Returns
    -------
    operations : list
        Of the file.
    raw : list of Column
        What the file reads.
    n_kept : int
        Steps that stay in front of the file.
    reasons : list of str or None
        For each step, why it stays; None for those in the file.
    """
    reasons: list[str | None] = [None] * len(steps)
    for n_kept in range(len(steps)):
        columns = raw = make_columns(n_kept)
        operations: list[Any] = []
        for i in range(n_kept, len(steps)):
            try:
                more, columns = fold_step(steps[i], columns)
            except CannotFoldError as error:
                reasons[i] = str(error)
                break
            operations += more
        else:
            texts = [column.raw.name for column in columns if column.holds_texts and column.raw]
            if not texts:
                for column in columns:
                    column.use()
                for i in range(n_kept):
                    reasons[i] = reasons[i] or "it stands in front of a step that stays"
                return operations, raw, n_kept, reasons
            reasons[-1] = f"{type(steps[-1]).__name__}: texts of {texts} reach the network"
    for i in range(len(steps)):
        reasons[i] = reasons[i] or "it stands in front of a step that stays"
    return [], make_columns(len(steps)), len(steps), reasons
