"""Networks that take batches of one fixed size, as stateful recurrent ones do."""

from __future__ import annotations

from typing import Any

from ..._keras import fixed_batch
from ...exceptions import DataError, ParameterError


def check_batches(fitting: Any) -> None:
    """Raise unless the batches of a fit have the size that the network is built for.

    Parameters
    ----------
    fitting : Fitting
        With its network.

    Raises
    ------
    ParameterError
        For another batch size.
    DataError
        For a number of rows that does not fill the batches.
    """
    size = fixed_batch(fitting.network)
    if size is None:
        return
    name = fitting.network.name
    if fitting.batch_size != size:
        raise ParameterError(
            f"batch_size={fitting.settings['batch_size']!r} does not suit the network {name!r}, "
            f"which takes batches of {size} rows; give batch_size={size}."
        )
    passed_on = fitting.settings["passed_on"]
    if passed_on.setdefault("validation_batch_size", size) != size:
        raise ParameterError(
            f"fit__validation_batch_size={passed_on['validation_batch_size']!r} does not suit the "
            f"network {name!r}, which takes batches of {size} rows."
        )
    parts = {"X": len(fitting.y)}
    if fitting.validation is not None:
        parts["X_val"] = len(fitting.validation[1])
    for part, n_rows in parts.items():
        if n_rows % size:
            raise DataError(
                f"{part} has {n_rows} rows, but the network {name!r} takes batches of {size}: give "
                f"{n_rows // size * size} or {-(-n_rows // size) * size} rows, without "
                "validation_split, or build the network without a fixed batch size."
            )
