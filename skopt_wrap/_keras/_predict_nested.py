"""Raw outputs of networks with several inputs or outputs, with text, or with a fixed batch.

Rows are computed in blocks of one fixed size, as ``predict_raw`` does it and for the same reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ._backend import load_tensorflow, traced
from ._structure import reset_states

_CALL_ATTRIBUTE = "_skopt_wrap_nested_call"
_BLOCK_ROWS = 32


def predict_nested(model: Any, x: Any, *, rows: int | None = None) -> Any:
    """Return the raw outputs of `model` for the rows of `x`, nested as the outputs are.

    The states of stateful layers begin at zero, and go from one block of rows to the next.

    Parameters
    ----------
    model : keras.Model
        Built network.
    x : ndarray or dict of str to ndarray
        Rows as the network takes them; text as an array of Python objects.
    rows : int, default=None
        Rows computed together; None takes 32.

    Returns
    -------
    outputs : ndarray, or list or dict of ndarray, of shape (n_rows, ...)
        Raw outputs; float32 where the network computes in half precision.
    """
    tf = load_tensorflow()
    rows = _BLOCK_ROWS if rows is None else int(rows)
    call = model.__dict__.get(_CALL_ATTRIBUTE)
    if call is None:
        call = traced(lambda block: model(block, training=False))
        object.__setattr__(model, _CALL_ATTRIBUTE, call)
    reset_states(model)
    n_rows = len(next(iter(x.values())) if isinstance(x, Mapping) else x)
    parts = []
    for start in range(0, max(1, n_rows), rows):
        block = {name: _block(a, start, rows) for name, a in _named(x)}
        outputs = call(block if isinstance(x, Mapping) else block[""])
        parts.append(tf.nest.map_structure(lambda t: _full_precision(t.numpy()), outputs))
    return tf.nest.map_structure(lambda *pieces: np.concatenate(pieces)[:n_rows], *parts)


def _named(x: Any) -> Any:
    return x.items() if isinstance(x, Mapping) else [("", x)]


def _block(array: np.ndarray, start: int, rows: int) -> Any:
    """Return some rows as a tensor, the last one repeated where too few are left."""
    part = array[start : start + rows]
    missing = rows - len(part)
    if missing and len(part):
        part = np.concatenate([part, part[-1:].repeat(missing, axis=0)])
    return load_tensorflow().constant(part)


def _full_precision(outputs: np.ndarray) -> np.ndarray:
    short = outputs.dtype.kind not in "iub" and outputs.dtype.itemsize < 4
    return outputs.astype("float32") if short else outputs
