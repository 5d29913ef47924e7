"""The base class of transforms, and `Policy`, which applies several of them one after the other."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from numbers import Real
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from scipy import sparse

from ..exceptions import DataError, ParameterError, suggest
from ._arrays import as_float, cast_to
from ._batch import Movement, Source

#: Transform classes by name. :func:`register` fills it.
REGISTRY: dict[str, type[Transform]] = {}

T = TypeVar("T", bound="Transform")

#: What a policy is made of: transforms, and callables of the user's on a batch.
Step = Callable[..., Any]


def register(name: str) -> Callable[[type[T]], type[T]]:
    """Return a class decorator that makes a transform available under `name`."""

    def enter(cls: type[T]) -> type[T]:
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
    """Base class of the transforms, each of which changes a batch of samples at random.

    A transform is a frozen dataclass: its parameters are checked when it is built, and cannot be
    changed afterwards. It holds no random state; the random generator is passed to each call.

    Parameters
    ----------
    probability : float, default=1.0
        Probability, in [0, 1], that a sample of the batch is changed.

    Notes
    -----
    A plain callable on a batch is enough for many purposes. Derive a class from this one if your
    transform shall have a probability and a magnitude that ``AugmentingSampler(magnitude=...)``
    multiplies, or if it has to look at all the data before it changes a batch:

    - Decorate the class with ``dataclass(frozen=True)``; the fields are its parameters.
    - Set ``kinds`` to the kinds of data that it takes, for instance ``("image",)``. An empty tuple
      stands for all kinds.
    - Write ``_apply(self, X, rng)``. It receives a batch, which it may overwrite, and returns a
      changed batch of the same shape. Integers arrive as floats, and are rounded and cast back
      after the last transform; set ``needs_float = False`` to receive them as they are. Of a
      table, it receives the numeric columns.
    - Optional: write ``_bind(self, X)``, which receives all the data and returns a copy of the
      transform (:func:`dataclasses.replace`) that holds what it learned from them.
    - Optional: ``max_magnitude`` is the largest legal `magnitude`.
    - Optional: ``moves_pixels = False`` says that pixels of images stay in their places. Masks,
      boxes and key points then stay as they are; otherwise they are refused.

    See Also
    --------
    AugmentingSampler : Takes transforms, and applies them in turn.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from skopt_wrap.sampling import AugmentingSampler, Transform
    >>> @dataclass(frozen=True)
    ... class Offset(Transform):
    ...     kinds = ("series",)
    ...     magnitude: float = 1.0
    ...
    ...     def _apply(self, X, rng):
    ...         return X + rng.uniform(-self.magnitude, self.magnitude, size=(len(X), 1))
    >>> sampler = AugmentingSampler("series", [Offset(5.0)], factor=2, random_state=0)
    >>> sampler.fit_resample(np.zeros((2, 4)), [0, 1])[0].shape
    (4, 4)
    """

    #: Name of the transform in ``AugmentingSampler(transforms=[...])``; set by :func:`register`.
    name: ClassVar[str] = ""
    #: Kinds of data that the transform takes; empty for all.
    kinds: ClassVar[tuple[str, ...]] = ()
    #: Whether `_apply` needs floats. Integers are then rounded back, once, at the end.
    needs_float: ClassVar[bool] = True
    #: Whether it runs code of the user's, which may wait for something else than the processor.
    calls_others: ClassVar[bool] = False
    #: Whether it moves pixels of images. True: `_apply_tracked` tells how. None: not known, so that
    #: masks, boxes and key points cannot be moved along.
    moves_pixels: ClassVar[bool | None] = None
    #: Largest legal value of `magnitude`.
    max_magnitude: ClassVar[float] = math.inf

    probability: float = field(default=1.0, kw_only=True)

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_fraction(self, "probability", 0.0, 1.0)
        if hasattr(self, "magnitude"):
            check_fraction(self, "magnitude", 0.0, self.max_magnitude)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__repr__" not in vars(cls):
            # Without it, the dataclass decorator writes one that shows every field.
            setattr(cls, "__repr__", Transform.__repr__)  # noqa: B010

    def __repr__(self) -> str:
        """Return the name with the magnitude and the parameters that are not at their default."""
        shown = [
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if f.compare
            and f.repr
            and (f.name == "magnitude" or getattr(self, f.name) != f.default)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __call__(self, X: Any, rng: Any = None) -> np.ndarray:
        """Return a changed copy of a batch.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Batch. It is not modified.
        rng : numpy.random.Generator, int or None, default=None
            Random generator, or a seed for a new one.

        Returns
        -------
        X_new : ndarray of the same shape and dtype
            The changed batch.
        """
        values = np.array(X, dtype=object) if "text" in self.kinds else np.array(X)
        return Policy([self._bind(values)])(values, np.random.default_rng(rng))[0]

    def _scaled(self, factor: float) -> Self:
        """Return the transform with its magnitude multiplied, up to `max_magnitude`."""
        if factor == 1 or not hasattr(self, "magnitude"):
            return self
        changes: dict[str, Any] = {"magnitude": min(self.magnitude * factor, self.max_magnitude)}
        return replace(self, **changes)

    def _bind(self, X: Any) -> Self:
        """Return the transform with what it has to learn from all the data, such as ranges."""
        return self

    def _within(self, value_range: tuple[float, float]) -> Self:
        """Return the transform for pixels of this range; most transforms need not know it."""
        return self

    def _takes_bytes(self, X: np.ndarray) -> bool:
        """Return whether `_apply` takes these uint8 images, although it needs floats otherwise."""
        return False

    def _reads_rows(self, values: Any) -> bool:
        """Return whether `_apply_rows` can read samples of this array in place."""
        return False

    def _apply_rows(
        self, values: np.ndarray, chosen: np.ndarray, X: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Write changed copies of ``values[chosen]`` to `X`, and return it.

        The transform's probability holds here too. This avoids a copy of the batch.
        """
        raise NotImplementedError

    def _apply(self, X: Any, rng: np.random.Generator) -> Any:
        """Return the changed batch; `X` is a private copy and may be overwritten."""
        raise NotImplementedError

    def _apply_some(self, X: Any, rng: np.random.Generator) -> Any:
        """Return the batch, each sample changed with the transform's probability."""
        if self.probability >= 1.0:
            return self._apply(X, rng)
        rows = np.flatnonzero(rng.random(X.shape[0]) < self.probability)
        if rows.size:
            X[rows] = self._apply(X[rows], rng)
        return X

    def _apply_tracked(self, X: Any, rng: np.random.Generator, track: list[Movement]) -> Any:
        """Return what `_apply_some` returns, and append to `track` how pixels were moved."""
        return self._apply_some(X, rng)


class MixingTransform:
    """Mixin of the transforms that mix samples, and with them their labels."""

    soft_labels: bool
    same_class: bool

    def _partners(self, n: int, rng: np.random.Generator, groups: np.ndarray | None) -> np.ndarray:
        """Return the position of a random partner for each of n samples, maybe of its group."""
        raise NotImplementedError

    def _mix(
        self,
        X: Any,
        rng: np.random.Generator,
        labels: np.ndarray | None,
        groups: np.ndarray | None,
        source: Source | None = None,
    ) -> tuple[Any, np.ndarray | None]:
        """Return the mixed batch and the mixed labels (None when there are none).

        With `source`, `X` is empty, and the samples are still where `source` says.
        """
        raise NotImplementedError


def _takes_rng(function: Callable[..., Any]) -> bool:
    """Return whether the user's callable has a parameter called ``rng``."""
    try:
        return "rng" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def _call_user(function: Callable[..., Any], X: Any, rng: np.random.Generator) -> Any:
    """Run a user's callable on a batch and check what it returns."""
    result = function(X, rng=rng) if _takes_rng(function) else function(X)
    if sparse.issparse(result):
        result = result.tocsr()
    else:
        result = np.asarray(result, dtype=object if X.dtype.kind == "O" else None)
        if not result.flags.writeable:
            result = result.copy()  # the next transform may overwrite it
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
    """Several transforms, applied one after the other.

    Integers become floats only where a transform needs it, and are rounded once, at the end.
    Consecutive geometric transforms are fused, so that pixels are interpolated only once.

    Parameters
    ----------
    steps : sequence of Transform or callable
        Transforms that have learned from the data (`Transform._bind`).
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        stages: list[Step] = []
        for step in steps:
            join = getattr(stages[-1], "_fuse", None) if stages else None
            fused = join(step) if join is not None else None
            if fused is None:
                stages.append(step)
            else:
                stages[-1] = fused
        self.stages = stages

    def mixes_first(self, values: Any) -> MixingTransform | None:
        """Return the first transform if it mixes samples and can read them in place, else None."""
        first = self.stages[0] if self.stages else None
        return first if isinstance(first, MixingTransform) and self._starts_with(values) else None

    def needs_mixture(self, values: Any) -> bool:
        """Return whether the result depends on which samples are in a batch together.

        A batch must then hold samples of all classes. It does not for transforms that change each
        sample alone. A callable of the user's may do anything with its batch.
        """
        return any(
            isinstance(stage, MixingTransform) or not isinstance(stage, Transform)
            for stage in self.stages[1 if self.mixes_first(values) else 0 :]
        )

    @property
    def calls_others(self) -> bool:
        """Whether code of the user's takes part, which may wait for something."""
        return any(getattr(stage, "calls_others", True) for stage in self.stages)

    def __call__(
        self,
        X: Any,
        rng: np.random.Generator,
        labels: np.ndarray | None = None,
        groups: np.ndarray | None = None,
        source: Source | None = None,
        track: list[Movement] | None = None,
    ) -> tuple[Any, np.ndarray | None]:
        """Return the changed batch and labels; `X` may be overwritten, or returned.

        `track` receives how the pixels of images were moved.

        With `source`, `X` is an empty batch, C-contiguous. The first transform then reads the
        samples where they are, if it can; otherwise they are copied into `X` first.
        """
        dtype = X.dtype
        if not sparse.issparse(X):
            X = np.ascontiguousarray(X)  # OpenCV writes in place, into such arrays only
        if source is not None and (track is not None or not self._starts_with(source.values)):
            # mode="clip": with the default mode, `take` makes one more copy.
            source.values.take(source.chosen, axis=0, out=X, mode="clip")
            source = None
        for stage in self.stages:
            if not isinstance(stage, Transform):
                X = _call_user(stage, cast_to(X, dtype), rng)
                continue
            if stage.needs_float and not (X.dtype == np.uint8 and stage._takes_bytes(X)):
                X = as_float(X)
            shape = X.shape
            if isinstance(stage, MixingTransform):
                X, labels = stage._mix(X, rng, labels, groups, source)
            elif track is not None:
                X = stage._apply_tracked(X, rng, track)
            elif source is not None:
                X = stage._apply_rows(source.values, source.chosen, X, rng)
            else:
                X = stage._apply_some(X, rng)
            if X.shape != shape:
                raise DataError(
                    f"The transform {stage!r} returned shape {X.shape} for a batch of shape "
                    f"{shape}; a transform must keep the shape."
                )
            source = None
        return cast_to(X, dtype), labels

    def _starts_with(self, values: Any) -> bool:
        """Return whether the first transform can read samples of this array in place."""
        first = self.stages[0] if self.stages else None
        if not isinstance(first, Transform) or not isinstance(values, np.ndarray):
            return False
        fits = (
            not first.needs_float
            or values.dtype in (np.float32, np.float64)
            or (values.dtype == np.uint8 and first._takes_bytes(values))
        )
        return fits and values.flags.c_contiguous and first._reads_rows(values)
