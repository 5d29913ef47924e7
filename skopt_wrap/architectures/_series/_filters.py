"""Filters that are settled: they answer to rises, falls and peaks of several lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np


def rising(length: int) -> np.ndarray:
    """Return a filter of values -1 and 1 in turn, which answers to rises between steps.

    Examples
    --------
    >>> from skopt_wrap.architectures._series._filters import rising
    >>> rising(4).tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """
    return np.where(np.arange(length) % 2, 1.0, -1.0)


def peak(length: int) -> np.ndarray:
    """Return a filter with a hill in its middle third and valleys beside it, of sum 0.

    Examples
    --------
    >>> from skopt_wrap.architectures._series._filters import peak
    >>> peak(6).tolist()
    [-0.25, -1.0, 1.25, 1.25, -1.0, -0.25]
    """
    third = length // 3
    valley = -((np.arange(1, third + 1) / third) ** 2)
    hill = np.full(length - 2 * third, -2 * valley.sum() / (length - 2 * third))
    return np.concatenate([valley, hill, valley[::-1]])


@keras.saving.register_keras_serializable(package="skopt_wrap")
class SettledFilters(keras.initializers.Initializer):
    """Initialize a kernel with filters for rises, falls and peaks, the same for every channel.

    Parameters
    ----------
    trends : sequence of int
        Lengths of the filters for rises, and of those for falls.
    peaks : sequence of int
        Lengths of the filters for peaks.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.architectures import SettledFilters
    >>> np.asarray(SettledFilters([2], [])((2, 1, 2)))[:, 0].tolist()
    [[-1.0, 1.0], [1.0, -1.0]]
    """

    def __init__(self, trends: Sequence[int], peaks: Sequence[int]) -> None:
        self.trends, self.peaks = list(trends), list(peaks)

    @property
    def n_filters(self) -> int:
        """Number of filters."""
        return 2 * len(self.trends) + len(self.peaks)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return the kernel.

        Parameters
        ----------
        shape : tuple of int
            Length, channels and filters.
        dtype : str, default=None
            Type of the kernel.

        Returns
        -------
        kernel : tensor of shape (length, n_channels, n_filters)
            Each filter in the middle of its zeros.
        """
        length = int(shape[0])
        kernel = np.zeros(tuple(shape))
        rises = [rising(n) for n in self.trends]
        filters = [*rises, *(-rise for rise in rises), *(peak(n) for n in self.peaks)]
        for number, values in enumerate(filters):
            start = (length - len(values) + 1) // 2
            kernel[start : start + len(values), :, number] = values[:, None]
        return keras.ops.convert_to_tensor(kernel, dtype=dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor.

        Returns
        -------
        config : dict
            Arguments by name.
        """
        return {"trends": self.trends, "peaks": self.peaks}
