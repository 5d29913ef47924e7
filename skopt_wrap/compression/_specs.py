"""The value objects that set a compression, and the checks of its parameters."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from ..exceptions import ParameterError, suggest

QUANTIZATIONS = ("dynamic", "float16", "int8", "int16x8", "int4")
CALIBRATED = ("int8", "int16x8")
RECURRENT_FORMS = ("auto", "unrolled", "fused")
SCHEDULES = ("polynomial", "constant")
CENTROID_INITS = ("linear", "random", "density", "kmeans++")

# Part of the fine-tuning after which the polynomial ramp has reached its sparsity.
RAMP = 0.75
_BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20}
_SECONDS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


@dataclass(frozen=True)
class Pruning:
    """Magnitude pruning: the smallest weights of every kernel are set to zero while fine-tuning.

    Biases, normalization parameters and embeddings are left alone. Zeros do not shorten the
    ``.tflite`` file itself; they shorten it once it is compressed (gzip, an APK, a firmware
    image).

    Parameters
    ----------
    sparsity : float
        Fraction of every kernel that becomes zero, in [0, 1).
    schedule : {"polynomial", "constant"}, default="polynomial"
        "polynomial" raises the sparsity step by step with a cubic ramp that ends after three
        quarters of the fine-tuning; "constant" asks for all of it from the first step.
    learning_rate : float, default=1e-3
        Learning rate of Adam while fine-tuning. It stays until the ramp has ended, and falls to
        zero along a cosine then; with "constant" or `structured` it falls from the first step.
    structured : bool, default=False
        Remove whole units and channels instead, `sparsity` of every hidden Dense, Conv1D and Conv2D
        layer, those that the layers behind can best do without [2]_. The network itself becomes
        smaller and faster, in every format; `schedule` is not used.
    block : {"2:4"} or tuple (rows, columns), default=None
        Pattern of the zeros, for hardware that makes use of it. "2:4": two of every four inputs
        that follow each other, `sparsity` 0.5. A tuple: whole blocks of a Dense kernel. Layers
        whose kernel does not divide so are pruned without a pattern, and ``report_`` names them.

    References
    ----------
    .. [1] Zhu, M. and Gupta, S. "To prune, or not to prune: exploring the efficacy of pruning
       for model compression", ICLR workshop, 2018.
    .. [2] J.-H. Luo, J. Wu, W. Lin, "ThiNet: a filter level pruning method for deep neural network
       compression", ICCV, 2017.

    Examples
    --------
    >>> from skopt_wrap.compression import Pruning
    >>> Pruning(0.8)
    Pruning(sparsity=0.8, schedule='polynomial', learning_rate=0.001, structured=False, block=None)
    """

    sparsity: float
    schedule: str = "polynomial"
    learning_rate: float = 1e-3
    structured: bool = False
    block: str | tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """Check every field."""
        if not isinstance(self.structured, bool):
            raise ParameterError(
                f"pruning: structured must be True or False, got {self.structured!r}."
            )
        if not _is_number(self.sparsity) or not 0 <= self.sparsity < 1:
            raise ParameterError(
                f"pruning: sparsity must be a number in [0, 1), got {self.sparsity!r}."
            )
        if self.schedule not in SCHEDULES:
            raise ParameterError(
                f"pruning: unknown schedule {self.schedule!r}. "
                + suggest(str(self.schedule), SCHEDULES)
            )
        check_rate(self.learning_rate, "pruning")
        self._check_block()

    def _check_block(self) -> None:
        block = self.block
        if block is None:
            return
        if isinstance(block, (tuple, list)) and len(block) == 2:
            sizes = tuple(as_count(size, "pruning: every size in block") for size in block)
            object.__setattr__(self, "block", sizes)
        elif block != "2:4":
            raise ParameterError(
                f"pruning: block must be None, '2:4' or (rows, columns), got {block!r}."
            )
        elif self.sparsity != 0.5:
            raise ParameterError(
                f"pruning: block='2:4' sets half of the weights to zero: sparsity must be 0.5, "
                f"got {self.sparsity!r}."
            )
        if self.structured:
            raise ParameterError("pruning: structured=True removes whole units; use block=None.")


@dataclass(frozen=True)
class Clustering:
    """Weight clustering: every kernel keeps a few values only, which its weights share.

    The values are fine-tuned together with the biases. A file with few values does not shrink by
    itself; it shrinks once it is compressed (gzip, an APK, a firmware image), most of all after
    pruning and with ``quantization="int8"``.

    Parameters
    ----------
    n_clusters : int, default=16
        Distinct values that a kernel may hold, at least 2; the zero of a pruned kernel is one of
        them, and there must be at least 3 then.
    init : {"linear", "random", "density", "kmeans++"}, default="kmeans++"
        Where the values start: evenly spaced between the smallest and the largest weight, drawn
        uniformly between them, spaced by the distribution of the weights, or drawn from the
        weights far from each other [2]_.
    sparsity_preserving : bool, default=True
        Weights that an earlier pruning has set to zero stay zero.
    learning_rate : float, default=1e-4
        Learning rate of Adam while fine-tuning. It falls to zero along a cosine.

    References
    ----------
    .. [1] S. Han, H. Mao, W. J. Dally, "Deep compression: compressing deep neural networks with
       pruning, trained quantization and Huffman coding", ICLR, 2016.
    .. [2] D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA, 2007.

    Examples
    --------
    >>> from skopt_wrap.compression import Clustering
    >>> Clustering(8)
    Clustering(n_clusters=8, init='kmeans++', sparsity_preserving=True, learning_rate=0.0001)
    """

    n_clusters: int = 16
    init: str = "kmeans++"
    sparsity_preserving: bool = True
    learning_rate: float = 1e-4

    def __post_init__(self) -> None:
        """Check every field."""
        n = self.n_clusters
        if not isinstance(n, Integral) or isinstance(n, bool) or n < 2:
            raise ParameterError(
                f"clustering: n_clusters must be an integer of at least 2, got {n!r}."
            )
        object.__setattr__(self, "n_clusters", int(n))
        if self.init not in CENTROID_INITS:
            raise ParameterError(
                f"clustering: unknown init {self.init!r}. "
                + suggest(str(self.init), CENTROID_INITS)
            )
        as_flag(self.sparsity_preserving, "clustering: sparsity_preserving")
        check_rate(self.learning_rate, "clustering")


@dataclass(frozen=True)
class Quantization:
    """What the numbers of a ``.tflite`` file are, and the form that it has.

    Parameters
    ----------
    mode : {"dynamic", "float16", "int8", "int16x8", "int4"} or None, default="int8"
        As `quantization` of :class:`CompressedModel`.
    recurrent : {"auto", "unrolled", "fused"}, default="auto"
        Form of recurrent layers. "unrolled" writes a layer out, once a time step: the file takes
        many rows at once and is fast, and grows with the steps. "fused" keeps an LSTM as one
        operation that runs row by row: a small file, for any number of steps. "auto" unrolls up
        to 64 steps, fuses LSTM layers over more, and keeps other layers as loops.
    integer_io : bool, default=False
        Whether the file reads and writes int8 (int16 for "int16x8") instead of float32, for
        microcontrollers without floating-point arithmetic; "int8" and "int16x8" only.
        :class:`LiteRTModel` and the estimators convert to and from it.

    Examples
    --------
    >>> from skopt_wrap.compression import Quantization
    >>> Quantization("int8", integer_io=True)
    Quantization(mode='int8', recurrent='auto', integer_io=True)
    """

    mode: str | None = "int8"
    recurrent: str = "auto"
    integer_io: bool = False

    def __post_init__(self) -> None:
        """Check every field."""
        check_quantization(self.mode)
        if self.recurrent not in RECURRENT_FORMS:
            raise ParameterError(
                f"quantization: recurrent must be one of {RECURRENT_FORMS}, got "
                f"{self.recurrent!r}. " + suggest(str(self.recurrent), RECURRENT_FORMS)
            )
        as_flag(self.integer_io, "quantization: integer_io")
        if self.integer_io and self.mode not in CALIBRATED:
            raise ParameterError(
                f"quantization: integer_io needs a mode with integer activations {CALIBRATED}, "
                f"got {self.mode!r}."
            )


def as_pruning(value: float | Pruning | None) -> Pruning | None:
    """Return `value` as a Pruning; None, and a sparsity of zero, mean no pruning."""
    if value is None:
        return None
    spec = value if isinstance(value, Pruning) else Pruning(value)
    return spec if spec.sparsity > 0 else None


def as_clustering(value: int | Clustering | None) -> Clustering | None:
    """Return `value` as a Clustering; None means no clustering."""
    return value if value is None or isinstance(value, Clustering) else Clustering(value)


def check_rate(value: float, name: str) -> None:
    """Raise unless `value` is a positive number."""
    if not _is_number(value) or not 0 < value < math.inf:
        raise ParameterError(f"{name}: learning_rate must be a positive number, got {value!r}.")


def check_quantization(value: str | None) -> str | None:
    """Return `value` when it is a known mode, else raise naming the nearest."""
    if value is None or value in QUANTIZATIONS:
        return value
    raise ParameterError(
        f"quantization must be None or one of {QUANTIZATIONS}, got {value!r}. "
        + suggest(str(value), QUANTIZATIONS)
    )


def as_quantization(value: str | Quantization | None) -> Quantization:
    """Return `value` as a Quantization; None is a float32 file."""
    return value if isinstance(value, Quantization) else Quantization(value)


def as_count(value: int, name: str) -> int:
    """Return `value` as an int when it is a whole number of at least 1, else raise."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ParameterError(f"{name} must be a positive integer, got {value!r}.")
    return int(value)


def as_flag(value: bool, name: str) -> bool:
    """Return `value` as a bool when it is True or False, else raise."""
    if not isinstance(value, (bool, np.bool_)):
        raise ParameterError(f"{name} must be True or False, got {value!r}.")
    return bool(value)


def as_drop(value: float | None) -> float | None:
    """Return `value` when it is None or a number of at least 0, else raise."""
    if value is not None and not (_is_number(value) and value >= 0):
        raise ParameterError(f"max_score_drop must be at least 0 or None, got {value!r}.")
    return value


def as_bytes(value: int | str | None, name: str = "max_size") -> int | None:
    """Return a size in bytes.

    Parameters
    ----------
    value : int, str or None
        Bytes, or text such as "50 kB" (1000 bytes each) or "50 KiB" (1024 bytes each).
    name : str, default="max_size"
        Name of the parameter, for the error message.

    Examples
    --------
    >>> from skopt_wrap.compression._specs import as_bytes
    >>> as_bytes("50 kB"), as_bytes("1.5 KiB"), as_bytes(300)
    (50000, 1536, 300)
    """
    number = _quantity(value, name, _BYTES, "bytes, or text such as '50 kB'")
    return None if number is None else int(number)


def as_seconds(value: float | str | None, name: str = "max_latency") -> float | None:
    """Return a time in seconds.

    Parameters
    ----------
    value : float, str or None
        Seconds, or text such as "1 ms".
    name : str, default="max_latency"
        Name of the parameter, for the error message.

    Examples
    --------
    >>> from skopt_wrap.compression._specs import as_seconds
    >>> as_seconds("1 ms"), as_seconds(0.5)
    (0.001, 0.5)
    """
    return _quantity(value, name, _SECONDS, "seconds, or text such as '1 ms'")


def _quantity(value: object, name: str, units: Mapping[str, float], rule: str) -> float | None:
    if value is None:
        return None
    number = math.nan
    if _is_number(value):
        number = float(value)  # type: ignore[arg-type]
    elif isinstance(value, str):
        match = re.fullmatch(r"\s*([0-9.]+(?:e[+-]?\d+)?)\s*([a-zµ]*)\s*", value, re.IGNORECASE)
        if match and match[2].lower() in units:
            try:
                number = float(match[1]) * units[match[2].lower()]
            except ValueError:
                number = math.nan
    if not 0 < number < math.inf:
        raise ParameterError(f"{name} must be positive {rule}, got {value!r}.")
    return number


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
