"""Dates into numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone

from ..._sklearn import HasMethods
from .._tables._column import Column
from ._base import ChangeLog, Learned, Operation, Step

_DAY = np.timedelta64(1, "D")


def date_parts(values: np.ndarray) -> dict[str, np.ndarray]:
    """Return the parts of dates as numbers.

    Parameters
    ----------
    values : ndarray of shape (n_samples,), datetime64
        Dates; NaT where missing.

    Returns
    -------
    parts : dict of str to ndarray of shape (n_samples,), float64
        "days" since 1970 with their fraction, "year", "month", "day", "weekday" (0 on Mondays),
        and "hour" with its fraction; NaN where missing.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality._operations._date_parts import date_parts
    >>> parts = date_parts(np.array(["2024-02-29T18:30"], dtype="datetime64[us]"))
    >>> {name: float(value[0]) for name, value in parts.items()}["weekday"]
    3.0
    """
    days = values.astype("datetime64[D]")
    months, years = days.astype("datetime64[M]"), days.astype("datetime64[Y]")
    whole = (days - np.datetime64(0, "D")) / _DAY
    hours = (values - days) / np.timedelta64(1, "h")
    return {
        "days": whole + hours / 24,
        "year": (years - np.datetime64(0, "Y")) / np.timedelta64(1, "Y") + 1970,
        "month": (months - years.astype("datetime64[M]")) / np.timedelta64(1, "M") + 1,
        "day": (days - months.astype("datetime64[D]")) / _DAY + 1,
        "weekday": (whole + 3) % 7,
        "hour": hours,
    }


@dataclass(frozen=True)
class _Parts(Step):
    parts: tuple[str, ...] = ()

    def apply(self, column: Column, log: ChangeLog) -> Column:
        return self.assemble(column, date_parts(column.values))

    def assemble(self, column: Column, numbers: dict[str, np.ndarray]) -> Column:
        """Return the parts as columns; the first takes the place of the date."""
        made = tuple(
            Column(f"{column.name}_{part}", "number", numbers[part]) for part in self.parts
        )
        first, *others = made
        return replace(first, extras=(*others, *column.extras))


@dataclass(frozen=True)
class _Encode(Step):
    encoder: Any = None
    names: tuple[str, ...] = ()

    def apply(self, column: Column, log: ChangeLog) -> Column:
        import narwhals as nw

        out = nw.from_native(self.encoder.transform(as_series(column)), eager_only=True)
        made = [
            Column(name, "number", series.to_numpy().astype(np.float64))
            for name, series in zip(self.names, out.iter_columns(), strict=True)
        ]
        return replace(made[0], extras=(*made[1:], *column.extras))


def as_series(column: Column) -> Any:
    """Return a column of dates as a series of pandas or polars, whichever is installed."""
    import importlib.util

    import narwhals as nw

    backend: Any = "pandas" if importlib.util.find_spec("pandas") else "polars"
    return nw.new_series(column.name, column.values, backend=backend).to_native()


class DateParts(Operation):
    """Dates become numbers: days since 1970, year, month, day, weekday, hour.

    Parts that are the same in all rows of `fit` are left out.

    Parameters
    ----------
    encoder : transformer or None, default=None
        What turns a series of dates (of pandas, or of polars where pandas is not installed) into
        a frame of numbers instead, such as :class:`skrub.DatetimeEncoder`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skopt_wrap.quality import DataCleaner, DateParts
    >>> X = pd.DataFrame({"seen": pd.to_datetime(["2024-02-28", "2024-03-01"])})
    >>> DataCleaner([DateParts()]).fit_transform(X).iloc[0].to_dict()
    {'seen_days': 19781.0, 'seen_month': 2.0, 'seen_day': 28.0, 'seen_weekday': 2.0}
    """

    name: ClassVar[str] = "date_parts"
    kinds: ClassVar[tuple[str, ...]] = ("date",)
    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "encoder": [HasMethods(["fit_transform", "transform"]), None]
    }

    def __init__(self, encoder: Any = None) -> None:
        self.encoder = encoder

    def learn_column(self, column: Column) -> Learned:
        """Look at one column; see :class:`Operation`."""
        if self.encoder is not None:
            return self._learn_encoder(column)
        numbers = date_parts(column.values)
        parts = []
        for name, values in numbers.items():
            known = values[~np.isnan(values)]
            if name == "days" or (len(known) and known.min() != known.max()):
                parts.append(name)
        step = _Parts(
            self.name, "date", "dates", f"made numbers: {', '.join(parts)}", column.n,
            parts=tuple(parts),
        )  # fmt: skip
        return step, step.assemble(column, numbers)

    def _learn_encoder(self, column: Column) -> Step:
        import narwhals as nw

        encoder = clone(self.encoder)
        out = nw.from_native(encoder.fit_transform(as_series(column)), eager_only=True)
        names = tuple(out.columns)
        return _Encode(
            self.name, "date", "dates", f"made numbers: {', '.join(names)}", column.n,
            encoder=encoder, names=names,
        )  # fmt: skip
