"""How far two sets of outputs are apart."""

from __future__ import annotations

import numpy as np


def relative_difference(
    found: np.ndarray, expected: np.ndarray, scale_of: np.ndarray | None = None
) -> float:
    """Return the root-mean-square difference, divided by the root mean square of the values.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.compression._difference import relative_difference
    >>> relative_difference(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    0.0
    """
    reference = np.asarray(expected if scale_of is None else scale_of, dtype=np.float64)
    scale = float(np.sqrt(np.mean(reference**2))) or 1.0
    error = np.asarray(found, np.float64) - np.asarray(expected, np.float64)
    return float(np.sqrt(np.mean(error**2))) / scale
