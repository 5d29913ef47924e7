"""Mode sizes of a two-core Tensor-Train: from balanced factors to those of a low-rank product.

A kernel of m inputs and n outputs is split as inputs ``(a, m / a)`` and outputs ``(n / b, b)``.
With a = b = 1 the train is ``(n x r)' (r x m)``: a low-rank product. Larger a and b give as many
parameters for a rank when a = b, and fit kernels that are sums of few Kronecker products.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, prod

import numpy as np
from scipy import linalg

from . import _tensor_train as tt
from ._low_rank import weighted_loss

Array = np.ndarray
Modes = tuple[tuple[int, ...], tuple[int, ...]]

# Between a low-rank product and balanced factors, on a logarithmic scale.
_LEVELS = (0.0, 0.25, 0.5, 1.0)
# Losses that count as equal: by a factor, and what single precision leaves of zero.
_SLACK, _ROUNDING = 1.02, 1e-6


def balanced_modes(n_inputs: int, n_outputs: int, n_cores: int) -> Modes:
    """Return balanced factors; the larger meets the smaller, so that ranks cost least.

    Examples
    --------
    >>> from skopt_wrap.factorization._modes import balanced_modes
    >>> balanced_modes(30, 24, 2)
    ((5, 6), (6, 4))
    """
    return tt.balanced_factors(n_inputs, n_cores), tt.balanced_factors(n_outputs, n_cores)[::-1]


def mode_candidates(n_inputs: int, n_outputs: int) -> list[Modes]:
    """Return a handful of mode sizes for two cores, the low-rank product first.

    Examples
    --------
    >>> from skopt_wrap.factorization._modes import mode_candidates
    >>> for modes in mode_candidates(100, 100):
    ...     print(modes)
    ((1, 100), (100, 1))
    ((2, 50), (50, 2))
    ((4, 25), (25, 4))
    ((10, 10), (10, 10))
    ((1, 100), (50, 2))
    ((2, 50), (100, 1))
    """
    sides = [[d for d in range(1, size + 1) if size % d == 0 and d * d <= size]
             for size in (n_inputs, n_outputs)]  # fmt: skip
    pairs = [tuple(_nearest(side, side[-1] ** level) for side in sides) for level in _LEVELS]
    pairs += [(1, sides[1][min(1, len(sides[1]) - 1)]), (sides[0][min(1, len(sides[0]) - 1)], 1)]
    return [((a, n_inputs // a), (n_outputs // b, b)) for a, b in dict.fromkeys(pairs)]


def _nearest(values: list[int], wanted: float) -> int:
    return min(values, key=lambda value: abs(log(value / wanted)))


def is_low_rank(inputs: Sequence[int], outputs: Sequence[int]) -> bool:
    """Whether a train of two cores of these mode sizes is a low-rank product."""
    return len(inputs) == 2 and inputs[0] == 1 and outputs[1] == 1


def kronecker_parts(metric: Array, factors: Sequence[int]) -> list[Array]:
    """Return one metric a factor, whose Kronecker product is near to `metric`.

    They are partial traces, of equal total trace; exact where `metric` is a Kronecker product or
    only one factor is above 1.

    Parameters
    ----------
    metric : ndarray of shape (n, n)
        Positive definite.
    factors : sequence of int
        Their product is n.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.factorization._modes import kronecker_parts
    >>> metric = np.kron(np.diag([1.0, 2.0]), np.diag([1.0, 2.0, 3.0]))
    >>> bool(np.allclose(np.kron(*kronecker_parts(metric, (2, 3))), metric))
    True
    """
    total = float(np.trace(metric))
    parts = []
    for k, size in enumerate(factors):
        before, after = prod(factors[:k]), prod(factors[k + 1 :])
        shape = (before, size, after)
        part = np.einsum("aibajb->ij", metric.reshape(*shape, *shape))
        parts.append(part / total if k else part)
    return parts


class Whitened:
    """A kernel in coordinates where its errors weigh nearly alike.

    Covariance and output metric are approximated by Kronecker products over the modes, whose
    roots turn a train into a train of the same ranks.

    Parameters
    ----------
    matrix : ndarray of shape (n_inputs, n_outputs)
        Kernel.
    inputs, outputs : sequence of int
        Mode sizes.
    covariance, output_metric : ndarray, default=None
        Positive definite, of shapes (n_inputs, n_inputs) and (n_outputs, n_outputs).
    """

    def __init__(
        self,
        matrix: Array,
        inputs: Sequence[int],
        outputs: Sequence[int],
        covariance: Array | None = None,
        output_metric: Array | None = None,
    ) -> None:
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        self._roots = [
            None
            if metric is None
            else [_root_and_inverse(part) for part in kronecker_parts(metric, factors)]
            for metric, factors in ((covariance, inputs), (output_metric, outputs))
        ]
        self.matrix = self._apply(matrix, 0)

    def _apply(self, matrix: Array, which: int) -> Array:
        """Multiply by the roots (0) or their inverses (1) on both sides."""
        left, right = self._roots
        if left is not None:
            matrix = _kronecker_times([pair[which] for pair in left], matrix)
        if right is not None:
            matrix = _kronecker_times([pair[which] for pair in right], matrix.T).T
        return matrix

    def back(self, matrix: Array) -> Array:
        """Return a matrix of these coordinates as a kernel."""
        return self._apply(matrix, 1)

    def covariance(self, covariance: Array) -> Array:
        """Return a covariance in these coordinates."""
        if self._roots[0] is None:
            return covariance
        inverse = [pair[1].T for pair in self._roots[0]]
        half = _kronecker_times(inverse, covariance)
        return _kronecker_times(inverse, np.ascontiguousarray(half.T))

    def into(self, cores: Sequence[Array]) -> list[Array]:
        """Return cores of the kernel as those of the matrix in these coordinates."""
        return self._cores(cores, 0)

    def out_of(self, cores: Sequence[Array]) -> list[Array]:
        """Return cores of the matrix in these coordinates as those of the kernel."""
        found = self._cores(cores, 1)
        if len(found) > 2:
            return found
        # The roots leave one core much larger than the other, which training would feel.
        return tt.scaled_cores(found[0][0].transpose(2, 0, 1), found[1][..., 0])

    def _cores(self, cores: Sequence[Array], which: int) -> list[Array]:
        left, right = self._roots
        found = []
        for k, core in enumerate(cores):
            if left is not None:
                core = np.einsum("xi,aijb->axjb", left[k][which], core, optimize=True)
            if right is not None:
                core = np.einsum("xj,aijb->aixb", right[k][which], core, optimize=True)
            found.append(core)
        return found

    def start(self, ranks: Sequence[int] | None = None) -> list[Array]:
        """Return cores of the kernel by TT-SVD in these coordinates."""
        if len(self.inputs) > 2:
            return self.out_of(tt.tt_svd(self.matrix, self.inputs, self.outputs, ranks))
        # Two cores: the singular vectors of the shorter side alone are several times faster.
        tensor = tt.to_tensor(self.matrix, self.inputs, self.outputs)
        wide = tensor.shape[0] <= tensor.shape[1]
        values, basis = linalg.eigh(
            tensor @ tensor.T if wide else tensor.T @ tensor, driver="evd", check_finite=False
        )
        kept = slice(None, None if ranks is None else ranks[0])
        values, basis = values[::-1][kept], basis[:, ::-1][:, kept]
        # Both cores get the root of the singular values, whose smallest are not known exactly.
        scale = np.maximum(values, max(values[0], np.finfo(float).tiny) * 1e-14) ** 0.25
        if wide:
            first, last = basis * scale, (basis.T @ tensor) / scale[:, None]
        else:
            first, last = (tensor @ basis) / scale, (basis * scale).T
        (i1, i2), (j1, j2) = self.inputs, self.outputs
        return self.out_of([first.reshape(1, i1, j1, -1), last.reshape(-1, i2, j2, 1)])


def _root_and_inverse(metric: Array) -> tuple[Array, Array]:
    """Return R with ``R' R`` the metric, and its inverse, in the metric's precision."""
    lower = linalg.cholesky(np.asarray(metric, float), lower=True, check_finite=False)
    inverse = linalg.solve_triangular(lower, np.eye(len(lower)), lower=True, check_finite=False)
    return lower.T.astype(metric.dtype), inverse.T.astype(metric.dtype)


def _kronecker_times(parts: Sequence[Array], matrix: Array) -> Array:
    """Return the Kronecker product of square matrices, times a matrix."""
    sizes = [len(part) for part in parts]
    for k, part in enumerate(parts):
        if len(part) == 1:
            matrix = part.item() * matrix
        else:
            shape = (prod(sizes[:k]), sizes[k], -1)
            matrix = (part @ matrix.reshape(shape)).reshape(matrix.shape)
    return matrix


def screened_loss(
    matrix: Array,
    modes: Modes,
    rank: int,
    covariance: Array | None,
    output_metric: Array | None,
) -> float:
    """Return the weighted loss of the two-core train that :meth:`Whitened.start` gives.

    In single precision: it is for comparison only.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.factorization._modes import screened_loss
    >>> kernel = np.kron(np.arange(6.0).reshape(2, 3), np.ones((3, 2)))
    >>> screened_loss(kernel, ((2, 3), (3, 2)), 1, None, None) < 1e-6
    True
    """
    matrix = matrix.astype(np.float32)
    covariance = None if covariance is None else covariance.astype(np.float32)
    output_metric = None if output_metric is None else output_metric.astype(np.float32)
    white = Whitened(matrix, *modes, covariance, output_metric)
    tensor = tt.to_tensor(white.matrix, *modes)
    wide = tensor.shape[0] <= tensor.shape[1]
    gram = tensor @ tensor.T if wide else tensor.T @ tensor
    size = len(gram)
    _, basis = linalg.eigh(
        gram, subset_by_index=(size - min(rank, size), size - 1), check_finite=False
    )
    near = basis @ (basis.T @ tensor) if wide else (tensor @ basis) @ basis.T
    return weighted_loss(matrix, white.back(tt.to_matrix(near, *modes)), covariance, output_metric)


def choose_modes(
    matrix: Array,
    ranks: Sequence[tuple[Modes, int]],
    covariance: Array | None,
    output_metric: Array | None,
) -> Modes:
    """Return the mode sizes whose train loses least; the first of those that lose nearly as little.

    Parameters
    ----------
    matrix : ndarray of shape (n_inputs, n_outputs)
        Kernel.
    ranks : sequence of (modes, rank)
        Candidates.
    covariance, output_metric : ndarray or None
        As :func:`screened_loss` takes them.
    """
    if len(ranks) == 1:
        return ranks[0][0]
    losses = [
        screened_loss(matrix, modes, rank, covariance, output_metric) for modes, rank in ranks
    ]
    limit = _SLACK * min(losses) + _ROUNDING
    return next(modes for (modes, _), loss in zip(ranks, losses, strict=True) if loss <= limit)
