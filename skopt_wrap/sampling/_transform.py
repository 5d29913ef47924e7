"""What every transform is: a small frozen value object that maps a batch to a changed batch."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from ..exceptions import DataError, ParameterError, suggest

#: name -> transform class, filled by :func:`register`.
REGISTRY: dict[str, type[Transform]] = {}


def register(name: str) -> Callable[[type], type]:
    """Return a class decorator that enters a transform in the registry under `name`."""

    def enter(cls: type[Transform]) -> type[Transform]:
        cls.name = name
        REGISTRY[name] = cls
        return cls

    return enter


def check_fraction(owner: object, name: str, low: float = 0.0, high: float = math.inf) -> None:
    """Raise :class:`ParameterError` unless ``owner.name`` is a real number in [low, high]."""
    value = getattr(owner, name)
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= float(value) <= high:
        rule = f"a number >= {low:g}" if math.isinf(high) else f"a number in [{low:g}, {high:g}]"
        raise ParameterError(f"{type(owner).__name__}({name}=...) must be {rule}. Got {value!r}.")


def check_option(owner: object, name: str, options: Iterable[str]) -> None:
    """Raise :class:`ParameterError` unless ``owner.name`` is one of `options`."""
    value = getattr(owner, name)
    if value not in set(options):
        raise ParameterError(
            f"{type(owner).__name__}({name}={value!r}) is unknown. {suggest(str(value), options)}"
        )


@dataclass(frozen=True)
class Transform:
    """Base of the transforms: a value object that maps a batch and a generator to a batch.

    Values are checked when it is built, and cannot be changed afterwards. Your own transforms
    need no base: any callable on a batch will do.

    Parameters
    ----------
    probability : float, default=1.0
        Probability, in [0, 1], that a row of the batch is changed.
    """

    name: ClassVar[str] = ""
    kinds: ClassVar[tuple[str, ...]] = ()
    #: whether `_apply` computes with floats (integers are rounded back once, at the end).
    needs_float: ClassVar[bool] = True
    #: whether it runs code of the user's.
    calls_others: ClassVar[bool] = False
    max_magnitude: ClassVar[float] = math.inf

    probability: float = field(default=1.0, kw_only=True)

    def __post_init__(self) -> None:
        """Check the values."""
        check_fraction(self, "probability", 0.0, 1.0)
        if hasattr(self, "magnitude"):
            check_fraction(self, "magnitude", 0.0, self.max_magnitude)

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        if "__repr__" not in vars(cls):
            setattr(cls, "__repr__", Transform.__repr__)  # noqa: B010 - or dataclass writes one with every field

    def __repr__(self) -> str:
        """Return the magnitude, and what differs from its default."""
        shown = [
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if f.compare
            and f.repr
            and (f.name == "magnitude" or getattr(self, f.name) != f.default)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __call__(self, X, rng=None):
        """Return a changed copy of a batch.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Batch. It is not modified.
        rng : numpy.random.Generator, int or None, default=None
            Source of randomness.

        Returns
        -------
        X_new : ndarray of the same shape and dtype
            The changed batch.
        """
        values = np.array(X, dtype=object) if "text" in self.kinds else np.array(X)
        return Policy([self._bind(values)])(values, np.random.default_rng(rng))[0]

    def _scaled(self, factor: float) -> Transform:
        """Return the transform with its magnitude multiplied, kept within its legal range."""
        if factor == 1 or not hasattr(self, "magnitude"):
            return self
        changes: dict[str, Any] = {"magnitude": min(self.magnitude * factor, self.max_magnitude)}
        return replace(self, **changes)

    def _bind(self, X) -> Transform:
        """Return the transform with what it has to learn from all the data (ranges, scales)."""
        return self

    def _takes_bytes(self, X: np.ndarray) -> bool:
        """Say whether `_apply` takes these uint8 images although it needs floats otherwise."""
        return False

    def _reads_rows(self, values: Any) -> bool:
        """Say whether `_apply_rows` takes rows of these data."""
        return False

    def _apply_rows(self, values: np.ndarray, chosen: np.ndarray, X: np.ndarray, rng) -> Any:
        """Write changed copies of ``values[chosen]`` to `X`, with the transform's probability."""
        raise NotImplementedError

    def _apply(self, X, rng: np.random.Generator):
        """Change every row of the batch; `X` is a private copy and may be written to."""
        raise NotImplementedError

    def _apply_some(self, X, rng: np.random.Generator):
        """Change each row with the transform's probability."""
        if self.probability >= 1.0:
            return self._apply(X, rng)
        rows = np.flatnonzero(rng.random(X.shape[0]) < self.probability)
        if rows.size:
            X[rows] = self._apply(X[rows], rng)
        return X


@dataclass(frozen=True)
class Source:
    """Where the rows of a batch are, before they are copied into it.

    Attributes
    ----------
    values : ndarray of shape (n_rows, ...)
        Rows; they are never written to.
    chosen : ndarray of int, of shape (n,)
        Which of them the batch is made of.
    others : ndarray of int, of shape (n,), or None
        Which of them each is mixed with; None for others of the batch.
    other_labels : ndarray of shape (n, n_columns) or None
        Labels of `others`.
    """

    values: Any
    chosen: np.ndarray
    others: np.ndarray | None = None
    other_labels: np.ndarray | None = None


class MixingTransform:
    """Mixin of the transforms that combine rows, and with them their labels."""

    soft_labels: bool
    same_class: bool

    def _partners(self, n: int, rng: np.random.Generator, groups: np.ndarray | None) -> np.ndarray:
        """Return a random partner for each of n rows, of the same group if need be."""
        raise NotImplementedError

    def _mix(self, X, rng, labels, groups, source: Source | None = None):
        """Return the mixed batch and the mixed labels (None when there are none).

        With `source`, `X` does not hold the rows yet.
        """
        raise NotImplementedError


def as_float(X: np.ndarray) -> np.ndarray:
    """Return `X` in the float dtype used for computing: float32 up to 16 bits, else float64."""
    if X.dtype.kind == "f":
        return X.astype(np.float32) if X.dtype.itemsize < 4 else X
    return X.astype(np.float32 if X.dtype.itemsize <= 2 else np.float64)


def cast_to(X: Any, dtype: np.dtype) -> Any:
    """Return `X` as `dtype`; integers are rounded and clipped to their range."""
    if X.dtype == dtype:
        return X
    if sparse.issparse(X):
        return type(X)((cast_to(X.data, dtype), X.indices, X.indptr), shape=X.shape)
    if dtype.kind in "iu" and X.dtype.kind == "f":
        limits = np.iinfo(dtype)
        high = float(limits.max)
        if high > limits.max:  # int64's maximum is not a float64
            high = np.nextafter(high, 0)
        return np.clip(np.rint(X), limits.min, high).astype(dtype)
    return X.astype(dtype)


def _takes_rng(function: Callable) -> bool:
    """Say whether the user's callable has a parameter called ``rng``."""
    try:
        return "rng" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def _call_user(function: Callable, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Run a user's callable on a batch and check what it returns."""
    result = function(X, rng=rng) if _takes_rng(function) else function(X)
    if sparse.issparse(result):
        result = result.tocsr()
    else:
        result = np.asarray(result, dtype=object if X.dtype.kind == "O" else None)
        if not result.flags.writeable:  # the next transform may write to it
            result = result.copy()
        if sparse.issparse(X):
            result = sparse.csr_array(result)
    if result.shape != X.shape:
        raise DataError(
            f"The transform {function!r} returned shape {result.shape} for a batch of shape "
            f"{X.shape}; a transform must keep the shape."
        )
    values = result.data if sparse.issparse(result) else result
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise DataError(f"The transform {function!r} returned NaN or infinity.")
    return result


class Policy:
    """Transforms in a row, with a float conversion only where needed and one rounding at the end.

    Consecutive geometric transforms are fused into one interpolation.

    Parameters
    ----------
    steps : sequence of Transform or callable
        Bound transforms.
    """

    def __init__(self, steps: Sequence[Callable]) -> None:
        stages: list = []
        for step in steps:
            join = getattr(stages[-1], "_fuse", None) if stages else None
            fused = join(step) if join is not None else None
            if fused is None:
                stages.append(step)
            else:
                stages[-1] = fused
        self.stages = stages

    def mixes_first(self, values: Any) -> MixingTransform | None:
        """Return the first transform if it mixes rows, and can read them where they are."""
        first = self.stages[0] if self.stages else None
        return first if isinstance(first, MixingTransform) and self._starts_with(values) else None

    def needs_mixture(self, values: Any) -> bool:
        """Whether a batch has to hold rows of all classes: rows are mixed, or may be.

        A callable of the user's may do anything with its batch, and keep it.
        """
        return any(
            isinstance(stage, MixingTransform) or not isinstance(stage, Transform)
            for stage in self.stages[1 if self.mixes_first(values) else 0 :]
        )

    @property
    def calls_others(self) -> bool:
        """Whether callables of the user's take part, which may wait for something."""
        return any(getattr(stage, "calls_others", True) for stage in self.stages)

    def __call__(
        self,
        X,
        rng: np.random.Generator,
        labels=None,
        groups=None,
        source: Source | None = None,
    ):
        """Return the changed batch and labels; `X` may be written to, or returned.

        With `source`, `X` is an empty batch, C-contiguous; the first transform reads the rows
        where they are if it can.
        """
        dtype = X.dtype
        if not sparse.issparse(X):
            X = np.ascontiguousarray(X)  # OpenCV writes in place
        if source is not None and not self._starts_with(source.values):
            # Other modes make a copy.
            source.values.take(source.chosen, axis=0, out=X, mode="clip")
            source = None
        for stage in self.stages:
            if not isinstance(stage, Transform):
                X = _call_user(stage, cast_to(X, dtype), rng)
                continue
            if stage.needs_float and not (X.dtype == np.uint8 and stage._takes_bytes(X)):
                X = as_float(X)
            if isinstance(stage, MixingTransform):
                X, labels = stage._mix(X, rng, labels, groups, source)
            elif source is not None:
                X = stage._apply_rows(source.values, source.chosen, X, rng)
            else:
                X = stage._apply_some(X, rng)
            source = None
        return cast_to(X, dtype), labels

    def _starts_with(self, values: Any) -> bool:
        """Say whether the first transform reads rows of these data where they are."""
        first = self.stages[0] if self.stages else None
        if not isinstance(first, Transform) or not isinstance(values, np.ndarray):
            return False
        fits = (
            not first.needs_float
            or values.dtype in (np.float32, np.float64)
            or (values.dtype == np.uint8 and first._takes_bytes(values))
        )
        return fits and values.flags.c_contiguous and first._reads_rows(values)


def spread(values: np.ndarray, ndim: int) -> np.ndarray:
    """Reshape per-row values so that they broadcast against a batch of `ndim` dimensions."""
    return values.reshape(values.shape + (1,) * (ndim - values.ndim))
