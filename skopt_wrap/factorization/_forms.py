"""The ways to factorize the kernel of one layer: ranks, parameters, fit. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from . import _tensor_train as tt
from ._convolution import cp, tucker2
from ._low_rank import rank_for_energy, weighted_loss, whitened_svd
from ._modes import Modes, Whitened, balanced_modes, choose_modes, is_low_rank, mode_candidates

Array = np.ndarray
Ranks = tuple[int, ...]

# Sizes of the candidates that are measured, as fractions of a layer's own parameters.
_FRACTIONS = (0.02, 0.04, 0.07, 0.11, 0.17, 0.25, 0.35, 0.5, 0.7, 0.9)


@dataclass(frozen=True)
class Problem:
    """One kernel, and what its errors cost.

    Parameters
    ----------
    kind : {"dense", "convolution", "embedding"}
        What the layer is.
    kernel : ndarray
        Of shape (n_inputs, n_outputs) for dense and embedding, (k, c_in, c_out) for convolution.
    covariance : ndarray of shape (n_inputs, n_inputs), default=None
        Of the rows, patches or tokens that the kernel is applied to.
    output_metric : ndarray of shape (n_outputs, n_outputs), default=None
        How strongly the network reacts to errors of the layer.
    """

    kind: str
    kernel: Array
    covariance: Array | None = None
    output_metric: Array | None = None

    @property
    def matrix(self) -> Array:
        """The kernel of shape (n_inputs, n_outputs)."""
        return self.kernel.reshape(-1, self.kernel.shape[-1])

    def loss(self, approximation: Array) -> float:
        """Return the relative squared error of a kernel."""
        return weighted_loss(
            self.matrix,
            approximation.reshape(self.matrix.shape),
            self.covariance,
            self.output_metric,
        )


@dataclass(frozen=True)
class Factors:
    """A fitted form.

    Parameters
    ----------
    form : str
        "svd", "tensor-train", "tucker" or "cp".
    ranks : tuple of int
        Ranks of the form.
    arrays : tuple of ndarray
        Factors in the order in which they are applied.
    kernel : ndarray of shape (n_inputs, n_outputs)
        What they multiply to.
    """

    form: str
    ranks: Ranks
    arrays: tuple[Array, ...]
    kernel: Array = field(repr=False)


class Form:
    """How a kind of kernel is factorized; one object a layer.

    Parameters
    ----------
    problem : Problem
        Only its shapes and kind are kept.
    """

    name = ""
    quick_sweeps = 1  # for a candidate that is measured only

    @property
    def note(self) -> str | None:
        """What the report says of the layer."""
        return None

    def __init__(self, problem: Problem) -> None:
        self.shape = problem.kernel.shape
        self.size = problem.kernel.size

    def settle(
        self, problem: Problem, rank: int | None, energy: float | None, share: float
    ) -> None:
        """Choose what else is open, for the rank, the energy or else the share of parameters."""

    def limit(self) -> int:
        """Return the largest rank that a user may ask for."""
        raise NotImplementedError

    def ranks(self, rank: int) -> Ranks:
        """Return the ranks meant by one number."""
        return (rank,)

    def ranks_for(self, parameters: float) -> Ranks | None:
        """Return the largest ranks with at most so many parameters, or None."""
        raise NotImplementedError

    def parameters(self, ranks: Ranks) -> int:
        """Return the number of entries of all factors."""
        raise NotImplementedError

    def fit(self, problem: Problem, ranks: Ranks, sweeps: int) -> Factors:
        """Return the factors; `sweeps` bounds the effort of alternating fits."""
        raise NotImplementedError

    def grid(self) -> list[Ranks]:
        """Return the ranks worth a measurement, by increasing parameters, all below full size."""
        found = [self.ranks_for(fraction * self.size) for fraction in _FRACTIONS]
        least = self.ranks(1)
        ranks = {r for r in [least, *found] if r is not None and self.parameters(r) < self.size}
        return sorted(ranks, key=self.parameters)

    def for_energy(self, problem: Problem, energy: float) -> Ranks:
        """Return the smallest ranks of a fine grid that keep that much of the output variance."""
        steps = np.unique(np.geomspace(1, self.limit(), 40).astype(int))
        low, high = 0, len(steps) - 1
        while low < high:
            middle = (low + high) // 2
            if self._keeps(problem, self.ranks(int(steps[middle])), energy):
                high = middle
            else:
                low = middle + 1
        return self.ranks(int(steps[low]))

    def _keeps(self, problem: Problem, ranks: Ranks, energy: float) -> bool:
        return problem.loss(self.fit(problem, ranks, 2).kernel) <= 1 - energy + 1e-12


class SVDForm(Form):
    """Two factors of a matrix; for a convolution, one with fewer channels and a 1x1."""

    name = "svd"

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._edge = sum(problem.matrix.shape)
        self._limit = min(problem.matrix.shape)
        self._known: tuple[Problem, Any] | None = None

    def limit(self) -> int:
        return self._limit

    def ranks_for(self, parameters: float) -> Ranks | None:
        rank = min(self._limit, int(parameters // self._edge))
        return (rank,) if rank else None

    def parameters(self, ranks: Ranks) -> int:
        return ranks[0] * self._edge

    def _svd(self, problem: Problem) -> Any:
        if self._known is None or self._known[0] is not problem:  # one SVD serves all ranks
            svd = whitened_svd(problem.matrix, problem.covariance, problem.output_metric)
            self._known = (problem, svd)
        return self._known[1]

    def fit(self, problem: Problem, ranks: Ranks, sweeps: int) -> Factors:
        left, right, _ = self._svd(problem)
        left, right = left[:, : ranks[0]], right[: ranks[0]]
        return Factors(self.name, ranks, (left, right), left @ right)

    def for_energy(self, problem: Problem, energy: float) -> Ranks:
        return (rank_for_energy(self._svd(problem)[2], energy),)


class TensorTrainForm(Form):
    """Cores of a Dense kernel.

    Parameters
    ----------
    problem : Problem
        Of kind "dense".
    n_cores : int
        Number of cores.
    mode_sizes : {"auto", "balanced"}
        How the sizes of the kernel are split; "auto" is settled by :meth:`settle`.
    """

    name = "tensor-train"
    quick_sweeps = 0

    def __init__(self, problem: Problem, n_cores: int, mode_sizes: str = "balanced") -> None:
        super().__init__(problem)
        n_inputs, n_outputs = problem.matrix.shape
        self._take(balanced_modes(n_inputs, n_outputs, n_cores))
        self._compares = mode_sizes == "auto" and n_cores == 2
        self._known: tuple[Problem, Whitened, list[Array]] | None = None

    def _take(self, modes: Modes) -> None:
        self.modes = modes
        self._limits = tt.full_ranks(*modes)

    def settle(
        self, problem: Problem, rank: int | None, energy: float | None, share: float
    ) -> None:
        if not self._compares:
            return
        candidates = mode_candidates(*problem.matrix.shape)
        if rank is not None:
            fitting = [(m, rank) for m in candidates if rank <= max(tt.full_ranks(*m))]
            fitting.sort(key=lambda item: tt.count_parameters(item[0][0], item[0][1], (rank,)))
        else:
            budget = share * self.size
            if energy is not None:  # half of what a low-rank product needs
                plain = SVDForm(problem)
                budget = plain.parameters(plain.for_energy(problem, energy)) / 2
            costs = [(m, tt.count_parameters(*m, (1,))) for m in candidates]
            fitting = [(m, int(budget // cost)) for m, cost in costs if cost <= budget]
        if fitting:
            metrics = (problem.covariance, problem.output_metric)
            self._take(choose_modes(problem.matrix, fitting, *metrics))

    @property
    def note(self) -> str | None:
        inputs, outputs = (" x ".join(map(str, sizes)) for sizes in self.modes)
        if is_low_rank(*self.modes):
            return f"mode sizes {inputs} and {outputs}: a low-rank product"
        return f"mode sizes {inputs} and {outputs}"

    def limit(self) -> int:
        return max(self._limits)

    def ranks(self, rank: int) -> Ranks:
        return tuple(min(rank, limit) for limit in self._limits)

    def ranks_for(self, parameters: float) -> Ranks | None:
        return _largest(self, parameters)

    def parameters(self, ranks: Ranks) -> int:
        return tt.count_parameters(*self.modes, ranks)

    def _start(self, problem: Problem, ranks: Ranks) -> tuple[Whitened, list[Array]]:
        if self._known is None or self._known[0] is not problem:
            white = Whitened(problem.matrix, *self.modes, problem.covariance, problem.output_metric)
            full = white.start() if len(ranks) == 1 else []
            self._known = (problem, white, full)
        _, white, full = self._known
        if len(ranks) > 1:
            return white, white.start(ranks)
        # Two cores of full rank hold those of every lower one.
        return white, [full[0][..., : ranks[0]], full[1][: ranks[0]]]

    def fit(self, problem: Problem, ranks: Ranks, sweeps: int) -> Factors:
        white, cores = self._start(problem, ranks)
        # The start of a low-rank product is the best there is.
        if problem.covariance is not None and sweeps and not is_low_rank(*self.modes):
            fitted = tt.fit_cores(
                white.matrix,
                white.into(cores),
                white.covariance(problem.covariance),
                max_sweeps=sweeps,
            )
            fitted = white.out_of(fitted)
            cores = min(cores, fitted, key=lambda found: problem.loss(tt.contract(found)))
        ranks = tuple(core.shape[3] for core in cores[:-1])
        return Factors(self.name, ranks, tuple(cores), tt.contract(cores))


class TuckerForm(Form):
    """1x1, core, 1x1 of a convolution."""

    name = "tucker"

    def limit(self) -> int:
        return max(self.shape[1:])

    def ranks(self, rank: int) -> Ranks:
        return (min(rank, self.shape[1]), min(rank, self.shape[2]))

    def _of_share(self, share: float) -> Ranks:
        return tuple(max(1, round(share * size)) for size in self.shape[1:])

    def ranks_for(self, parameters: float) -> Ranks | None:
        # Both sides of the core keep the same share of their channels.
        shares = np.linspace(1, 0, 4 * max(self.shape[1:]), endpoint=False)
        fitting = (r for s in shares if self.parameters(r := self._of_share(s)) <= parameters)
        return next(fitting, None)

    def parameters(self, ranks: Ranks) -> int:
        (k, c_in, c_out), (r_in, r_out) = self.shape, ranks
        return c_in * r_in + k * r_in * r_out + r_out * c_out

    def for_energy(self, problem: Problem, energy: float) -> Ranks:
        grid = [self._of_share(s) for s in np.linspace(1 / 16, 1, 16)]
        return next((r for r in grid if self._keeps(problem, r, energy)), grid[-1])

    def fit(self, problem: Problem, ranks: Ranks, sweeps: int) -> Factors:
        assert len(ranks) == 2
        found = tucker2(
            problem.kernel, (ranks[0], ranks[1]), problem.covariance, problem.output_metric, sweeps
        )
        return Factors(self.name, ranks, tuple(found), found.kernel().reshape(problem.matrix.shape))


class CPForm(Form):
    """1x1, depthwise, 1x1 of a convolution."""

    name = "cp"

    def limit(self) -> int:
        sizes = sorted(self.shape)
        return prod(sizes[:2])

    def ranks_for(self, parameters: float) -> Ranks | None:
        rank = min(self.limit(), int(parameters // sum(self.shape)))
        return (rank,) if rank else None

    def parameters(self, ranks: Ranks) -> int:
        return ranks[0] * sum(self.shape)

    def fit(self, problem: Problem, ranks: Ranks, sweeps: int) -> Factors:
        found = cp(problem.kernel, ranks[0], problem.covariance, problem.output_metric, 3 * sweeps)
        return Factors(self.name, ranks, tuple(found), found.kernel().reshape(problem.matrix.shape))


def _largest(form: Form, parameters: float) -> Ranks | None:
    low, high = 0, form.limit()
    while low < high:
        middle = (low + high + 1) // 2
        if form.parameters(form.ranks(middle)) <= parameters:
            low = middle
        else:
            high = middle - 1
    return form.ranks(low) if low else None


def form_for(problem: Problem, method: str, n_cores: int = 2, mode_sizes: str = "balanced") -> Form:
    """Return the form that a method gives a layer.

    Tensor-Train stands for Tucker-2 where it meets a convolution. CP and Tucker of a matrix are
    its SVD; so is Tucker-2 of a convolution of one position or of very few input channels,
    where a factor in front of the core could save nothing.

    Parameters
    ----------
    problem : Problem
        Kernel.
    method : {"svd", "tensor-train", "tucker", "cp"}
        What was asked for.
    n_cores : int, default=2
        Cores of a Tensor-Train.
    mode_sizes : {"auto", "balanced"}, default="balanced"
        Mode sizes of a Tensor-Train.
    """
    if problem.kind == "dense" and method == "tensor-train":
        return TensorTrainForm(problem, n_cores, mode_sizes)
    if problem.kind == "convolution" and problem.kernel.shape[0] > 1:
        if method == "cp":
            return CPForm(problem)
        if method in ("tensor-train", "tucker") and problem.kernel.shape[1] > 4:
            return TuckerForm(problem)
    return SVDForm(problem)
