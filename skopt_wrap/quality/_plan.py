"""What DataCleaner learned about each column, and how it is repeated on new rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.base import clone

from ..exceptions import DataError, ParameterError, suggest
from ._operations._list import OPERATIONS, ChangeLog, Operation, Step
from ._tables._coerce import coerce
from ._tables._column import Column
from ._tables._read import Source


@dataclass
class ColumnPlan:
    """What is done with one column.

    Attributes
    ----------
    name, dtype, kind : str
        As found in `fit`.
    steps : list of Step
        What is done, in this order.
    kinds : list of str
        Kinds that the column has on its way, as found first.
    kept : numpy.dtype or None
        Its dtype, where `fit` left all values as they were: the result keeps it.
    outputs : tuple of str
        Names of what it becomes.
    """

    name: str
    dtype: str
    kind: str
    steps: list[Step] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    kept: np.dtype[Any] | None = None
    outputs: tuple[str, ...] = ()

    @property
    def dropped(self) -> bool:
        """Whether the column is left out."""
        return any(step.drops for step in self.steps)

    def run(self, column: Column, log: ChangeLog) -> Column:
        """Return what becomes of a column of new rows."""
        if column.kind != self.kind and column.missing().all():
            column = coerce(column, self.kind)[0]
        elif column.kind not in self.kinds:
            wanted = self.kinds[-1] if column.kind == "text" else self.kind
            came = column.kind
            column, lost = coerce(column, wanted)
            log.add(column.name, f"{came} instead of {self.kind}", column.n - lost, "converted")
            log.add(column.name, f"no {wanted}", lost, "set missing")
        elif column.kind != self.kind:
            log.add(
                column.name, f"{column.kind} instead of {self.kind}", column.n, "taken as it is"
            )
        for step in self.steps:
            if column.kind == step.kind:
                column = step.apply(column, log)
        return self.in_dtype(column)

    def in_dtype(self, column: Column) -> Column:
        """Return the column in the dtype that `fit` gave it, where it can hold the values."""
        if column.kind not in ("number", "boolean"):
            return column
        values = column.values
        if self.kept is None:
            if values.dtype.kind == "f":
                return column
            return column.changed(values.astype(np.float64), kind="number")
        if values.dtype == self.kept:
            return column
        if self.kept.kind in "iub":
            missing = column.missing()
            if missing.any() or (self.kept.kind != "b" and np.any(values != np.rint(values))):
                return column
        return column.changed(values.astype(self.kept))


def learn_plans(
    source: Source, operations: Sequence[Operation], passthrough: Iterable[int]
) -> tuple[list[ColumnPlan], list[Column]]:
    """Return what is to be done with each column, and what became of those of `source`.

    Parameters
    ----------
    source : Source
        The data of `fit`.
    operations : sequence of Operation
        What to look for, in this order.
    passthrough : iterable of int
        Places of columns that are left alone.

    Returns
    -------
    plans : list of ColumnPlan
        One a column.
    columns : list of Column
        The cleaned columns that are not dropped.
    """
    columns: list[Column | None] = [source.column(i) for i in range(len(source.names))]
    plans = [
        ColumnPlan(c.name, source.dtype(i), c.kind, kinds=[c.kind])
        for i, c in enumerate(columns)
        if c is not None
    ]
    alone = set(passthrough)
    log = ChangeLog()
    for operation in operations:
        seen = [None if i in alone else column for i, column in enumerate(columns)]
        for place, learned in operation.learn(seen).items():
            step, made = learned if isinstance(learned, tuple) else (learned, None)
            plans[place].steps.append(step)
            column = columns[place]
            if column is None or step.drops:
                columns[place] = None
                continue
            columns[place] = column = step.apply(column, log) if made is None else made
            if column.kind not in plans[place].kinds:
                plans[place].kinds.append(column.kind)
    names: set[str] = set()
    out = []
    for plan, column in zip(plans, columns, strict=True):
        if column is None:
            continue
        if column.native is not None or (
            column.kind == plan.kind and column.values.dtype.kind in "iub"
        ):
            plan.kept = column.values.dtype
        column = plan.in_dtype(column)
        plan.outputs = tuple(unused(c.name, names) for c in (column, *column.extras))
        out.append(column)
    return plans, out


def unused(name: str, names: set[str]) -> str:
    """Return a name that is not among `names` yet, and add it."""
    fresh, number = name, 2
    while fresh in names:
        fresh, number = f"{name}_{number}", number + 1
    names.add(fresh)
    return fresh


def flatten(columns: Iterable[Column]) -> list[Column]:
    """Return columns, each followed by those made of it."""
    return [c for column in columns for c in (replace(column, extras=()), *column.extras)]


def resolve(operations: Any) -> list[Operation]:
    """Return the operations that a parameter asks for, in the order in which they act.

    Parameters
    ----------
    operations : "all", list or dict
        See :class:`DataCleaner`.

    Returns
    -------
    operations : list of Operation
        Copies.

    Raises
    ------
    ParameterError
        For an unknown name, a name given twice, or something that is no operation.
    """
    known = {cls.name: cls for cls in OPERATIONS}
    if isinstance(operations, str):
        if operations != "all":
            raise ParameterError(
                f"operations={operations!r} is unknown; it must be 'all', a list or a dict. "
                f"A single operation is asked for by a list of one: "
                f"{suggest(operations, known)}"
            )
        return [cls() for cls in OPERATIONS]
    if isinstance(operations, Mapping):
        chosen: list[Any] = list(_changed(operations, known))
    else:
        chosen = [known[_checked(item, known)]() if isinstance(item, str) else item
                  for item in operations]  # fmt: skip
    for item in chosen:
        if not isinstance(item, Operation):
            raise ParameterError(
                f"operations must hold names or operations of skopt_wrap.quality; got {item!r}. "
                f"{suggest(str(item), known)}"
            )
        item.check()
    names = [item.name for item in chosen]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParameterError(f"operations holds {', '.join(map(repr, twice))} more than once.")
    return [clone(item) for item in _in_order(chosen)]


def _checked(name: str, known: Mapping[str, Any]) -> str:
    if name not in known:
        raise ParameterError(f"operations holds {name!r}, which is unknown. {suggest(name, known)}")
    return name


def _changed(changes: Mapping[str, Any], known: Mapping[str, type[Operation]]) -> Iterable[Any]:
    """Yield all operations, as changed by name."""
    for name in changes:
        _checked(name, known)
    for name, cls in known.items():
        change = changes.get(name, True)
        if change is False:
            continue
        if isinstance(change, Mapping):
            try:
                yield cls(**change)
            except TypeError as error:
                legal = cls._get_param_names()
                wrong = next(iter(set(change) - set(legal)), "")
                raise ParameterError(
                    f"operations[{name!r}] has an unknown setting. {suggest(wrong, legal)}"
                ) from error
        elif change is True:
            yield cls()
        elif isinstance(change, Operation) and change.name != name:
            raise ParameterError(
                f"operations[{name!r}] must be an operation of that name; got {change!r}."
            )
        else:
            yield change


def _in_order(chosen: Sequence[Operation]) -> list[Operation]:
    """Sort by the usual order; an operation of the caller stays behind the one before it."""
    order = {cls.name: i for i, cls in enumerate(OPERATIONS)}
    keys, last = [], -1
    for item in chosen:
        last = order.get(item.name, last)
        keys.append(last)
    return [chosen[i] for i in sorted(range(len(chosen)), key=lambda i: (keys[i], i))]


def report_changes(log: ChangeLog, on_change: str, category: type[Warning]) -> None:
    """Warn of what `fit` did not see, or refuse it.

    Raises
    ------
    DataError
        If `on_change` is "raise" and there is something.
    """
    if not log.entries:
        return
    shown = "; ".join(
        f"{column}: {change} ({n:,}), {rule}" for column, change, n, rule in log.entries[:5]
    )
    more = len(log.entries) - 5
    shown += f"; and {more} more" if more > 0 else ""
    if on_change == "raise":
        raise DataError(
            f"X has what fit did not see: {shown}. Mend the data, or pass on_change='adapt', which "
            f"applies these rules."
        )
    warnings.warn(
        f"transform met what fit did not see: {shown}. compare(X) lists all of it.",
        category,
        stacklevel=4,
    )
