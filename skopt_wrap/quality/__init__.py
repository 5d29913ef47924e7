"""Data quality before training: mend columns, mend rows, report what is wrong.

:class:`DataCleaner` mends columns in a pipeline; :class:`RowCleaner` removes or flags rows while
training; :func:`quality_report` says what is wrong, why it matters, and which code mends
it; :func:`make_preprocessor` chooses a pipeline for the data and for what follows it.
"""

from __future__ import annotations

from ._changes import ChangeReport
from ._checks._list import DataFinding
from ._cleaner import DataCleaner
from ._cleaning_report import CleaningReport
from ._operations._list import (
    Categories,
    Constants,
    DateParts,
    Duplicates,
    Identifiers,
    Infinities,
    Missing,
    Operation,
    Outliers,
    Sentinels,
    TextBooleans,
    TextDates,
    TextNumbers,
    TextSentinels,
)
from ._preprocessor import make_preprocessor
from ._quality_report import QualityReport, quality_report
from ._row_cleaner import RowCleaner
from ._row_report import RowReport

__all__ = [
    "Categories",
    "ChangeReport",
    "CleaningReport",
    "Constants",
    "DataCleaner",
    "DataFinding",
    "DateParts",
    "Duplicates",
    "Identifiers",
    "Infinities",
    "Missing",
    "Operation",
    "Outliers",
    "QualityReport",
    "RowCleaner",
    "RowReport",
    "Sentinels",
    "TextBooleans",
    "TextDates",
    "TextNumbers",
    "TextSentinels",
    "make_preprocessor",
    "quality_report",
]
