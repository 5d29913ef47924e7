"""Tables as DataFrames; pandas is optional."""

from __future__ import annotations

from typing import Any


def as_frame(columns: dict[str, Any]) -> Any:
    """Return columns as a pandas DataFrame.

    Raises
    ------
    ImportError
        If pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("to_frame needs pandas; to_dict gives the same table.") from error
    return pd.DataFrame(columns)
