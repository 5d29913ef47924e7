"""The operations of DataCleaner, one topic a file, in the order in which they act."""

from __future__ import annotations

from ._base import ChangeLog, Operation, Step
from ._categories import Categories
from ._constants import Constants
from ._date_parts import DateParts
from ._duplicates import Duplicates
from ._identifiers import Identifiers
from ._infinities import Infinities
from ._missing import Missing
from ._outliers import Outliers
from ._sentinels import Sentinels, TextSentinels
from ._text_types import TextBooleans, TextDates, TextNumbers

# The order matters: values are read before they are judged, columns are dropped before they are
# filled, and what is missing is filled before dates become numbers.
OPERATIONS: tuple[type[Operation], ...] = (
    TextSentinels,
    TextDates,
    TextNumbers,
    TextBooleans,
    Sentinels,
    Infinities,
    Constants,
    Identifiers,
    Categories,
    Duplicates,
    Outliers,
    Missing,
    DateParts,
)

__all__ = [
    "OPERATIONS",
    "Categories",
    "ChangeLog",
    "Constants",
    "DateParts",
    "Duplicates",
    "Identifiers",
    "Infinities",
    "Missing",
    "Operation",
    "Outliers",
    "Sentinels",
    "Step",
    "TextBooleans",
    "TextDates",
    "TextNumbers",
    "TextSentinels",
]
