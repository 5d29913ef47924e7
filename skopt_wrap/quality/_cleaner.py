"""DataCleaner: one step of a pipeline that mends columns and says what it did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from .._sklearn import StrOptions, fit_context
from ..exceptions import DataChangedWarning, DataError, ParameterError, suggest
from ._changes import ChangeReport
from ._cleaning_report import CleaningReport, ReportRow
from ._operations._list import ChangeLog
from ._plan import flatten, learn_plans, report_changes, resolve
from ._tables._column import Column
from ._tables._read import Source, open_table, read_array
from ._tables._write import write_array, write_frame


class DataCleaner(TransformerMixin, BaseEstimator):
    """Mend columns: what is learned on training rows is repeated on all others.

    Finds words and numbers that mean "missing"; numbers, booleans and dates kept as text, with
    their units; infinities; columns that are constant, equal to another one or an identifier;
    one category in many spellings; outliers; missing values; dates. It never drops a row.

    Arrays give arrays; frames of pandas, polars or another library that narwhals knows give frames
    of that library, with their index. A column in which nothing is changed keeps its dtype; what
    becomes a number is float64. Texts stay texts: an encoder, or a network of this package, takes
    them from there.

    Parameters
    ----------
    operations : "all", list or dict, default="all"
        What to look for. A list of names or operations asks for these only. A dict changes all
        operations by name: False switches one off, a dict or an operation gives its settings, as
        ``{"identifiers": False, "outliers": {"action": "flag"}}``. Names, in the order in which
        they act: "text_sentinels", "text_dates", "text_numbers", "text_booleans", "sentinels",
        "infinities", "constants", "identifiers", "categories", "duplicates", "outliers",
        "missing", "date_parts". The order of a list does not matter.
    passthrough : sequence of str or int, default=()
        Names or places of columns that are returned as they are.
    on_change : {"adapt", "raise"}, default="adapt"
        What `transform` does with what `fit` did not see. "adapt" applies the rules below and
        warns with the counts; "raise" refuses.

    Attributes
    ----------
    report_ : CleaningReport
        What was found and done, one row a column.
    operations_ : list of Operation
        The operations in use.
    n_features_in_ : int
        Number of columns of the data of `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of a frame, if all are str.

    Raises
    ------
    DataError
        For a frame without rows or columns, with two columns of one name, with lists, dicts or
        bytes as values, or in which no column holds any information.
    ParameterError
        For an unknown operation, setting or column.

    Warns
    -----
    DataChangedWarning
        When `transform` meets what `fit` did not see; the counts are part of the message.

    See Also
    --------
    RowCleaner : The same for rows, while training only.
    quality_report : What is wrong with data, and the code that mends it.

    Notes
    -----
    The rules for what `fit` did not see, each counted by :meth:`compare`:

    * *Columns in another order* are taken by name; *further columns* are left out; a *missing
      column* is filled like a missing value. Arrays are taken by place, and must have the same
      number of columns.
    * *Another dtype* is converted ("3" to 3); what cannot be converted becomes missing.
    * *A new spelling* of a known category is joined with it; *a new category* is kept (or set
      missing, see :class:`Categories`).
    * *Text that is no number* in a column of numbers kept as text becomes missing.
    * *Missing values* in a column that had none are filled; *infinite values* become missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from skopt_wrap import DataCleaner
    >>> X = pd.DataFrame({
    ...     "weight": ["12 kg", "9.5 kg", "n/a", "800 g"],
    ...     "city": ["Oslo", "oslo ", "Bergen", "Oslo"],
    ...     "source": ["web"] * 4,
    ... })
    >>> cleaner = DataCleaner()
    >>> cleaner.fit_transform(X)
       weight  weight_missing    city
    0    12.0             0.0    Oslo
    1     9.5             0.0    Oslo
    2     9.5             1.0  Bergen
    3     0.8             0.0    Oslo
    >>> print(cleaner.report_)
    3 columns of 4 rows: 3 with findings, 1 dropped
    weight (str, text): 'n/a' in 1 row; numbers kept as text, unit kg (also g, converted); 1 missing
    value (25.0%) -> set missing; made a number; filled with 9.5, marked
    city (str, text): 3 spellings of 2 categories, such as 'Oslo' and 'oslo ' -> joined
    source (str, text): always 'web' -> dropped
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "operations": [str, list, tuple, dict],
        "passthrough": [list, tuple, np.ndarray],
        "on_change": [StrOptions({"adapt", "raise"})],
    }

    def __init__(
        self,
        operations: Any = "all",
        *,
        passthrough: Sequence[str | int] = (),
        on_change: str = "adapt",
    ) -> None:
        self.operations = operations
        self.passthrough = passthrough
        self.on_change = on_change

    def fit(self, X: Any, y: Any = None) -> DataCleaner:
        """Learn what is to be mended.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Data; not changed.
        y : None
            Ignored.

        Returns
        -------
        self : DataCleaner
            The fitted cleaner.
        """
        self._learn(X)
        return self

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """Learn what is to be mended and return the mended data.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Data; not changed.
        y : None
            Ignored.
        **fit_params : dict
            None is taken.

        Returns
        -------
        X_new : array or frame of shape (n_samples, n_columns)
            The mended data, in the library of X.
        """
        if fit_params:
            raise ParameterError(f"fit_transform takes no {next(iter(fit_params))!r}.")
        source, columns = self._learn(X)
        return self._write(source, columns)

    def transform(self, X: Any) -> Any:
        """Return mended data.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Data; not changed.

        Returns
        -------
        X_new : array or frame of shape (n_samples, n_columns)
            The mended data, in the library of X.

        Raises
        ------
        DataError
            For what `fit` did not see, with ``on_change="raise"``.

        Warns
        -----
        DataChangedWarning
            For what `fit` did not see, with ``on_change="adapt"``.
        """
        source, columns, log = self._apply(X)
        report_changes(log, self.on_change, DataChangedWarning)
        return self._write(source, columns)

    def compare(self, X: Any) -> ChangeReport:
        """Return what new rows have that `fit` did not see, and what is done with it.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Data; not changed.

        Returns
        -------
        changes : ChangeReport
            One row a change, with its count; of length 0 where there is none.
        """
        return ChangeReport(tuple(self._apply(X)[2].entries))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X. They must be those of `fit` where it saw names.

        Returns
        -------
        names : ndarray of shape (n_columns,) of str
            The names.
        """
        check_is_fitted(self, "_plans")
        names = [plan.name for plan in self._plans]
        if input_features is None:
            renamed = dict(zip(names, names, strict=True))
        else:
            given = [str(name) for name in input_features]
            if len(given) != len(names):
                raise ValueError(
                    f"input_features should have length equal to number of features "
                    f"({len(names)}), got {len(given)}"
                )
            if hasattr(self, "feature_names_in_") and given != names:
                raise ValueError("input_features is not equal to feature_names_in_")
            renamed = dict(zip(names, given, strict=True))
        out = [
            renamed[plan.name] + output.removeprefix(plan.name)
            for plan in self._plans
            for output in plan.outputs
        ]
        return np.array(out, dtype=object)

    @fit_context(prefer_skip_nested_validation=True)
    def _learn(self, X: Any) -> tuple[Source, list[Column]]:
        """Fit, and return the data read and the mended columns."""
        operations = resolve(self.operations)
        source = open_table(X)
        validate_data(self, X=X if source.array is None else source.array, skip_check_array=True)
        if source.array is not None and hasattr(X, "columns"):
            validate_data(self, X=X, skip_check_array=True)
        alone = [_place(item, source.names) for item in self.passthrough]
        plans, columns = learn_plans(source, operations, alone)
        if not columns:
            reasons = "; ".join(f"{p.name}: {p.steps[-1].found}" for p in plans[:3])
            raise DataError(
                f"No column of X holds any information ({reasons}). Check the data, or switch the "
                f"operations that drop columns off: operations={{'constants': False, "
                f"'identifiers': False, 'duplicates': False}}."
            )
        self.operations_ = operations
        self._plans = plans
        self._by_name = source.array is None
        self.report_ = CleaningReport(
            tuple(
                ReportRow(
                    plan.name,
                    plan.dtype,
                    plan.kind,
                    "; ".join(step.found for step in plan.steps if step.found),
                    "; ".join(step.done for step in plan.steps if step.done),
                    sum(step.n for step in plan.steps),
                    ", ".join(plan.outputs),
                )
                for plan in plans
            ),
            source.n,
        )
        return source, columns

    def _apply(self, X: Any) -> tuple[Source, list[Column], ChangeLog]:
        """Return new data read, the mended columns, and what `fit` did not see."""
        check_is_fitted(self, "_plans")
        source, log = open_table(X), ChangeLog()
        places = self._places(X, source, log)
        columns = []
        for plan, place in zip(self._plans, places, strict=True):
            if plan.dropped:
                continue
            if place is None:
                log.add(plan.name, "column is missing", source.n, "taken as missing values")
                column = read_array(plan.name, np.full(source.n, np.nan), None)
                quiet = ChangeLog()
                columns.append(plan.run(column, quiet))
                continue
            columns.append(plan.run(source.column(place, plan.name), log))
        return source, columns, log

    def _places(self, X: Any, source: Source, log: ChangeLog) -> list[int | None]:
        """Return where each column of `fit` stands in new data; None where it is missing."""
        if source.array is not None or not self._by_name:
            values = X if source.array is None else source.array
            validate_data(self, X=values, reset=False, skip_check_array=True)
            return list(range(len(self._plans)))
        where = {name: place for place, name in enumerate(source.names)}
        places = [where.get(plan.name) for plan in self._plans]
        known = [place for place in places if place is not None]
        if not known:
            raise DataError(
                f"X has none of the columns of fit. Expected {[p.name for p in self._plans[:5]]}; "
                f"got {source.names[:5]}."
            )
        if known != sorted(known):
            log.add("columns", "other order", len(known), "taken by name")
        fitted = {plan.name for plan in self._plans}
        for name in source.names:
            if name not in fitted:
                log.add(name, "further column", source.n, "left out")
        return places

    def _write(self, source: Source, columns: list[Column]) -> Any:
        flat = flatten(columns)
        if source.array is not None:
            return write_array(source.array, flat)
        names = [output for plan in self._plans for output in plan.outputs]
        return write_frame(source, flat, names)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _place(item: Any, names: list[str]) -> int:
    """Return the place of a column given by name or place."""
    if isinstance(item, int | np.integer) and not isinstance(item, bool):
        if not -len(names) <= item < len(names):
            raise ParameterError(
                f"passthrough holds place {item}; X has columns 0 to {len(names) - 1}."
            )
        return int(item) % len(names)
    if str(item) not in names:
        raise ParameterError(
            f"passthrough holds {item!r}, which is no column of X. {suggest(str(item), names)}"
        )
    return names.index(str(item))
