"""Transforms that choose other transforms at random for each image: RandAugment and AugMix."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np

from ...exceptions import ParameterError
from .._arrays import as_float, spread
from .._batch import Movement
from .._transform import Policy, Transform, register
from ._annotations import at_rows
from ._colour import Brightness, Contrast, Saturation
from ._geometry import Rotation, Shear, Translation, Zoom
from ._image import ImageTransform
from ._pixels import Cutout

#: Transforms to choose from, at full strength. Saturation is left out for grey images.
OPERATIONS: tuple[Transform, ...] = (
    Rotation(30.0),
    Shear(17.0),
    Translation(0.3),
    Zoom(0.3),
    Brightness(0.5),
    Contrast(0.9),
    Saturation(0.9),
    Cutout(0.3),
)


@dataclass(frozen=True)
class _Automatic(ImageTransform):
    """Base class: holds the transforms, and applies one of them to each image."""

    needs_float: ClassVar[bool] = False
    max_magnitude: ClassVar[float] = 1.0

    magnitude: float = 0.5
    transforms: tuple[Transform, ...] | None = field(default=None, kw_only=True)
    bound: Any = field(default=None, kw_only=True, repr=False, compare=False)
    value_range: Any = field(default=None, kw_only=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        for item in () if self.transforms is None else self.transforms:
            if not isinstance(item, Transform) or "image" not in item.kinds:
                raise ParameterError(
                    f"{type(self).__name__}(transforms=...) must hold transforms of images. Got "
                    f"{item!r}."
                )
        if self.transforms is not None and not len(self.transforms):
            raise ParameterError(f"{type(self).__name__}(transforms=...) must not be empty.")

    def _within(self, value_range: tuple[float, float]) -> Self:
        """Return the transform with all its transforms for pixels of this range."""
        return replace(self, value_range=value_range)

    def _bind(self, X: Any) -> Self:
        """Scale the transforms, and let them learn the range of the pixels."""
        operations = self.transforms
        if operations is None:
            colours = X.ndim == 4 and X.shape[3] == 3
            operations = tuple(op for op in OPERATIONS if colours or not isinstance(op, Saturation))
        if self.value_range is not None:
            operations = tuple(op._within(self.value_range) for op in operations)
        scaled = [op._scaled(self.magnitude)._bind(X) for op in operations]
        return replace(self, bound=tuple(Policy([op]) for op in scaled))

    def _one_each(
        self,
        X: np.ndarray,
        rng: np.random.Generator,
        rows: np.ndarray,
        track: list[Movement] | None = None,
    ) -> np.ndarray:
        """Change each of the `rows` of X by one transform drawn for it, in place."""
        drawn = rng.integers(len(self.bound), size=len(rows))
        for place, operation in enumerate(self.bound):
            chosen = rows[drawn == place]
            if len(chosen):
                part: list[Movement] | None = None if track is None else []
                X[chosen] = operation(X[chosen], rng, track=part)[0]
                if track is not None and part is not None:
                    track += at_rows(part, chosen)
        return X


def _check_count(owner: Any, name: str) -> None:
    """Raise :class:`ParameterError` unless ``owner.name`` is an integer of at least 1."""
    value = getattr(owner, name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ParameterError(
            f"{type(owner).__name__}({name}=...) must be an integer >= 1. Got {value!r}."
        )


@register("rand_augment")
@dataclass(frozen=True)
class RandAugment(_Automatic):
    """Change each image by a few transforms drawn at random, of one common strength [1]_.

    Draws, with replacement, from rotation, shear, translation, zoom, brightness, contrast,
    saturation (of RGB images) and cutout. Unlike in the publication, each draws its own amount,
    up to the common strength in both directions.

    Parameters
    ----------
    magnitude : float, default=0.5
        Strength of all transforms, in [0, 1]; 1 rotates by up to 30 degrees and shifts by up to
        30 %.
    n_operations : int, default=2
        Transforms of an image.
    transforms : tuple of transforms, default=None
        What to draw from instead, at full strength.
    probability : float, default=1.0
        Probability, in [0, 1], that an image is changed.

    References
    ----------
    .. [1] E. D. Cubuk, B. Zoph, J. Shlens, Q. V. Le, "RandAugment: practical automated data
       augmentation with a reduced search space", NeurIPS, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import RandAugment
    >>> RandAugment(0.5)(np.zeros((2, 8, 8, 3), dtype=np.uint8), rng=0).shape
    (2, 8, 8, 3)
    """

    n_operations: int = 2

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        _check_count(self, "n_operations")

    @property
    def moves_pixels(self) -> bool | None:  # type: ignore[override]
        """Whether some of the transforms moves pixels; None if it is not known of one of them."""
        moves = [op.moves_pixels for op in self.transforms or OPERATIONS]
        return None if None in moves else any(moves)

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Change every image."""
        for _ in range(self.n_operations):
            X = self._one_each(X, rng, np.arange(len(X)))
        return X

    def _apply_tracked(
        self, X: np.ndarray, rng: np.random.Generator, track: list[Movement]
    ) -> np.ndarray:
        """Return what `_apply_some` returns, and append to `track` how pixels were moved."""
        rows = np.arange(len(X))
        if self.probability < 1.0:
            rows = np.flatnonzero(rng.random(len(X)) < self.probability)
        if rows.size:
            part, moved = X[rows], list[Movement]()
            for _ in range(self.n_operations):
                part = self._one_each(part, rng, np.arange(len(part)), moved)
            X[rows] = part
            track += at_rows(moved, rows)
        return X


@register("aug_mix")
@dataclass(frozen=True)
class AugMix(_Automatic):
    """Blend each image with mixtures of differently changed copies of it [1]_.

    ``w * x + (1 - w) * sum(v_k * chain_k(x))`` with w from Beta(1, 1) and v from a flat Dirichlet
    distribution; each chain is one to `depth` transforms, drawn as by :class:`RandAugment`.
    The label stays.

    Parameters
    ----------
    magnitude : float, default=0.3
        Strength of all transforms, in [0, 1]; see :class:`RandAugment`.
    width : int, default=3
        Number of chains.
    depth : int, default=3
        Most transforms in a chain.
    transforms : tuple of transforms, default=None
        What to draw from instead, at full strength.
    probability : float, default=1.0
        Probability, in [0, 1], that an image is changed.

    References
    ----------
    .. [1] D. Hendrycks et al., "AugMix: a simple data processing method to improve robustness and
       uncertainty", ICLR, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import AugMix
    >>> AugMix(0.3)(np.zeros((2, 8, 8), dtype=np.uint8), rng=0).dtype
    dtype('uint8')
    """

    needs_float: ClassVar[bool] = True
    magnitude: float = 0.3
    width: int = 3
    depth: int = 3

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        _check_count(self, "width")
        _check_count(self, "depth")

    def _takes_bytes(self, X: np.ndarray) -> bool:
        """Return True: the transforms change uint8, and their mixture is rounded once."""
        return True

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Change every image."""
        n = len(X)
        own = rng.random(n)
        shares = rng.dirichlet(np.ones(self.width), size=n) * (1 - own)[:, None]
        # All chains at once, so that each transform is called for many images.
        chains = np.concatenate([X] * self.width)
        depth = rng.integers(1, self.depth + 1, size=len(chains))
        for step in range(self.depth):
            self._one_each(chains, rng, np.flatnonzero(depth > step))
        whole = as_float(X)
        mixture = whole * spread(own.astype(whole.dtype), X.ndim)
        for k, share in enumerate(shares.T):
            mixture += chains[k * n : (k + 1) * n] * spread(share.astype(whole.dtype), X.ndim)
        return mixture


__all__ = ["AugMix", "RandAugment"]
