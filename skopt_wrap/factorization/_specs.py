"""The value objects that choose a method of factorization and its settings."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

from ..exceptions import ParameterError, suggest

MODE_SIZES = ("auto", "balanced")
METHODS = ("tensor-train", "svd", "tucker", "cp", "auto")

# Fraction of the parameters that stays when nothing else is asked for.
DEFAULT_TARGET = 0.4


def check_count(value: Any, name: str, least: int = 1) -> int:
    """Return `value` as an int when it is a whole number of at least `least`, else raise."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ParameterError(f"{name} must be an integer of at least {least}, got {value!r}.")
    return int(value)


def is_number(value: object) -> bool:
    """Whether `value` is a real number and no bool."""
    return isinstance(value, Real) and not isinstance(value, bool)


@dataclass(frozen=True)
class Factorization:
    """What all methods take: exactly one of rank, energy and target_params.

    Use a subclass: :class:`SVD`, :class:`TensorTrain`, :class:`Tucker`, :class:`CP`.

    Parameters
    ----------
    rank : int, default=None
        Rank of every layer.
    energy : float, default=None
        Fraction in (0, 1] of each layer's output variance, on its own inputs, that its low-rank
        form keeps; the rank follows, layer by layer.
    target_params : float, default=None
        Fraction in (0, 1) of the whole network's parameters that remain at most; ranks are
        shared out over the layers by measured loss. None, with no rank and no energy, is 0.4.
    """

    rank: int | None = None
    energy: float | None = None
    target_params: float | None = None

    method: ClassVar[str] = ""

    def __post_init__(self) -> None:
        """Check every field."""
        given = {
            name: value
            for name in ("rank", "energy", "target_params")
            if (value := getattr(self, name)) is not None
        }
        if len(given) > 1:
            raise ParameterError(
                f"factorization: give exactly one of rank, energy and target_params, got {given}."
            )
        if not given:
            object.__setattr__(self, "target_params", DEFAULT_TARGET)
        if self.rank is not None:
            check_count(self.rank, "factorization: rank")
        if self.energy is not None and not (is_number(self.energy) and 0 < self.energy <= 1):
            raise ParameterError(
                f"factorization: energy must be a number in (0, 1], got {self.energy!r}."
            )
        target = self.target_params
        if target is not None and not (is_number(target) and 0 < target < 1):
            raise ParameterError(
                f"factorization: target_params must be a number in (0, 1), got {target!r}."
            )


@dataclass(frozen=True)
class SVD(Factorization):
    """Low-rank factors: every layer becomes two smaller ones.

    Dense becomes two Dense layers, a convolution one with fewer channels and a 1x1 convolution,
    Embedding a narrower one and a Dense layer. The factors minimize the error of the layer's
    outputs on its own inputs, not that of the kernel. Smaller and faster.

    Parameters
    ----------
    rank, energy, target_params
        Exactly one; see :class:`Factorization`.

    Examples
    --------
    >>> from skopt_wrap.factorization import SVD
    >>> SVD(target_params=0.2)
    SVD(rank=None, energy=None, target_params=0.2)
    """

    method: ClassVar[str] = "svd"


@dataclass(frozen=True)
class TensorTrain(Factorization):
    """Dense kernels as Tensor-Trains (:class:`TensorTrainDense`).

    The cores are fitted to the layer's own outputs on its own inputs. Convolutions become
    Tucker-2, embeddings SVD. With balanced mode sizes it has fewer parameters and is no faster;
    with the most skewed ones it is a low-rank product. See the user guide before choosing it.

    Parameters
    ----------
    rank, energy, target_params
        Exactly one; see :class:`Factorization`.
    n_cores : int, default=2
        Number of cores of each kernel, 2 at least.
    max_sweeps : int, default=20
        Passes over the cores at most while they are fitted.
    mode_sizes : {"auto", "balanced"}, default="auto"
        How the sizes of a kernel are split into factors, one a core. "balanced" makes them as
        equal as can be. "auto" compares, for two cores, half a dozen splits from balanced ones to
        ``(1, n_inputs)`` with ``(n_outputs, 1)``, by the weighted error of a first fit at the
        rank, or at the number of parameters, that was asked for. The most skewed split is a
        low-rank product, as :class:`SVD` gives it, and the one that ordinary kernels get. Where
        `target_params` is so small that the network's outputs move far, balanced ones are tried
        as well, and the nearer network is taken. The notes of the result name what was. More than
        two cores are always balanced.

    Examples
    --------
    >>> from skopt_wrap.factorization import TensorTrain
    >>> TensorTrain(rank=8).mode_sizes
    'auto'
    """

    n_cores: int = 2
    max_sweeps: int = 20
    mode_sizes: str = "auto"

    method: ClassVar[str] = "tensor-train"

    def __post_init__(self) -> None:
        """Check every field."""
        super().__post_init__()
        check_count(self.n_cores, "factorization: n_cores", least=2)
        check_count(self.max_sweeps, "factorization: max_sweeps")
        if self.mode_sizes not in MODE_SIZES:
            raise ParameterError(
                f"factorization: mode_sizes must be one of {MODE_SIZES}, got {self.mode_sizes!r}. "
                + suggest(str(self.mode_sizes), MODE_SIZES)
            )


@dataclass(frozen=True)
class Tucker(Factorization):
    """Tucker-2 for convolutions: 1x1, a core with fewer channels, 1x1.

    Dense layers and embeddings become SVD, which is Tucker of a matrix.

    Parameters
    ----------
    rank, energy, target_params
        Exactly one; see :class:`Factorization`. `rank` is that of both sides of the core, less
        where a side has fewer channels.

    Examples
    --------
    >>> from skopt_wrap.factorization import Tucker
    >>> Tucker(energy=0.99)
    Tucker(rank=None, energy=0.99, target_params=None)
    """

    method: ClassVar[str] = "tucker"


@dataclass(frozen=True)
class CP(Factorization):
    """CP for convolutions: 1x1, depthwise, 1x1.

    Dense layers and embeddings become SVD, which is CP of a matrix.

    Parameters
    ----------
    rank, energy, target_params
        Exactly one; see :class:`Factorization`.

    Examples
    --------
    >>> from skopt_wrap.factorization import CP
    >>> CP(target_params=0.5).method
    'cp'
    """

    method: ClassVar[str] = "cp"


_CLASSES = {cls.method: cls for cls in (TensorTrain, SVD, Tucker, CP)}


def as_factorization(value: Any) -> Factorization | None:
    """Return `value` as a value object; None stands for "auto".

    Raises
    ------
    ParameterError
        For anything that is neither a value object nor the name of a method.
    """
    if isinstance(value, Factorization) and value.method:
        return value
    if isinstance(value, str) and value in METHODS:
        return None if value == "auto" else _CLASSES[value]()
    raise ParameterError(
        f"method must be one of {METHODS}, or SVD(...), TensorTrain(...), Tucker(...) or CP(...), "
        f"got {value!r}. " + (suggest(value, METHODS) if isinstance(value, str) else "")
    )


def with_target(method: str, target_params: float | None) -> Factorization:
    """Return the value object of a method with a target."""
    return _CLASSES[method](target_params=target_params)
