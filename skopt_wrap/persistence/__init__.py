"""Save fitted estimators to one file that runs no code when it is opened, and load them again."""

from ._load import load
from ._save import save
from ._summary import FileSummary, inspect

__all__ = ["FileSummary", "inspect", "load", "save"]
