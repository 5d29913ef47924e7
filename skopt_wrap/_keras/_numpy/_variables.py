"""The values of variables, read again only where they have changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class VariableValues:
    """Values of Keras variables on the processor, and whether they are still those of before.

    A tensor that was read from a variable never changes: whatever writes into the variable, an
    assignment or a step of training, gives it other memory as long as the tensor is held. So the
    values are the same as long as a new reading has the memory of the held one.

    Parameters
    ----------
    variables : sequence of keras.Variable
        Of a built network.

    Raises
    ------
    ValueError
        When a variable is not in the memory of the processor, or holds no plain numbers.

    Examples
    --------
    >>> import keras
    >>> from skopt_wrap._keras._numpy._variables import VariableValues
    >>> variable = keras.Variable([1.0, 2.0])
    >>> values = VariableValues([variable])
    >>> values.changed(), values.changed()
    (True, False)
    >>> _ = variable.assign([3.0, 4.0])
    >>> values.changed(), values.arrays[0].tolist()
    (True, [3.0, 4.0])
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        from tensorflow.python.eager import context, execute

        self._variables = [variable.value for variable in variables]
        self._handles = [variable.handle for variable in self._variables]
        for variable in self._variables:
            if "CPU" not in variable.device or variable.dtype.name not in ("float32", "float64"):
                raise ValueError(f"{variable.name} is no float variable of the processor")
        self._attributes = (
            "N",
            len(self._variables),
            "dtypes",
            [variable.dtype.as_datatype_enum for variable in self._variables],
        )
        self._execute, self._context = execute.quick_execute, context.context()
        self._held: list[Any] = []
        self.arrays: list[np.ndarray] = []

    def _read(self) -> list[Any]:
        """Return a tensor of each variable, all by one operation."""
        n, handles = len(self._handles), self._handles
        if not n:
            return []
        found: list[Any] = self._execute(
            "_ReadVariablesOp", n, handles, self._attributes, self._context
        )
        return found

    def changed(self) -> bool:
        """Return whether values differ from those of the last call, and keep the new ones."""
        tensors = self._read()
        arrays = [tensor._numpy() for tensor in tensors]
        known = self.arrays
        if len(known) == len(arrays) and (
            all(map(np.may_share_memory, arrays, known)) or all(map(_equal, arrays, known))
        ):
            return False
        self._held, self.arrays = tensors, arrays
        return True


def _equal(new: np.ndarray, known: np.ndarray) -> bool:
    """Return whether a small variable holds the same numbers in other memory.

    Variables whose rows are updated one by one (embeddings) are copied whenever they are read.
    """
    return new.size < 2**18 and bool(np.array_equal(new, known))
