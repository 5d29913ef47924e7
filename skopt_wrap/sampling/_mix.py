"""Transforms that mix pairs of samples and their labels: MixUp and CutMix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ._arrays import spread
from ._batch import Source
from ._images._kernels import blend_with_opencv
from ._images._opencv import opencv_for_rows
from ._images._pixels import random_boxes
from ._transform import MixingTransform, Transform, register

#: Shares of uint8 samples are multiples of 1 / STEPS, so that a pixel times a share fits 16 bits.
STEPS = 256
#: Number of array elements that NumPy blends at once; so many stay in the cache.
ELEMENTS_AT_ONCE = 2**16


@dataclass(frozen=True)
class Mix(MixingTransform, Transform):
    """Base class: draws a partner and a share for each sample, and mixes the labels."""

    magnitude: float = 0.2
    soft_labels: bool = False
    same_class: bool = False

    def _partners(self, n: int, rng: np.random.Generator, groups: np.ndarray | None) -> np.ndarray:
        """Return the position of a random partner for each sample; see `same_class`."""
        if groups is None or not self.same_class:
            return rng.permutation(n)
        partner = np.arange(n)
        for group in np.unique(groups):
            rows = np.flatnonzero(groups == group)
            partner[rows] = rng.permutation(rows)
        return partner

    def _mix(
        self,
        X: Any,
        rng: np.random.Generator,
        labels: np.ndarray | None,
        groups: np.ndarray | None,
        source: Source | None = None,
    ) -> tuple[Any, np.ndarray | None]:
        """Return the batch and the labels, each mixed with its partner's."""
        n = X.shape[0]
        share = rng.beta(self.magnitude, self.magnitude, size=n) if self.magnitude else np.ones(n)
        # The sample itself keeps at least half, so that its own label has the largest share.
        share = np.maximum(share, 1 - share)
        if self.probability < 1.0:
            share[rng.random(n) >= self.probability] = 1.0
        if source is None:
            source = Source(X.copy(), np.arange(n))
        others, other_labels = source.others, source.other_labels
        if others is None:
            partner = self._partners(n, rng, groups)
            others = source.chosen[partner]
            other_labels = None if labels is None else labels[partner]
        X, share = self._blend(X, share, source.values, source.chosen, others, rng)
        if labels is not None:
            weight = share[:, None]
            labels = weight * labels + (1 - weight) * other_labels
        return X, labels

    def _reads_rows(self, values: Any) -> bool:
        """Return True: samples can be read in place from every array."""
        return True

    def _apply(self, X: Any, rng: np.random.Generator) -> Any:
        """Return the mixed batch where there are no labels."""
        return self._mix(X, rng, None, None)[0]

    def _apply_some(self, X: Any, rng: np.random.Generator) -> Any:
        """Return the mixed batch where there are no labels; `_mix` applies the probability."""
        return self._apply(X, rng)

    def _blend(
        self,
        X: Any,
        share: np.ndarray,
        values: Any,
        chosen: np.ndarray,
        others: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[Any, np.ndarray]:
        """Return ``values[chosen]`` mixed with ``values[others]``, and the shares that were kept.

        The result may be written to `X`.
        """
        raise NotImplementedError


@register("mixup")
@dataclass(frozen=True)
class MixUp(Mix):
    """Blend each sample with another one, and their labels in the same way [1]_.

    ``w * x_i + (1 - w) * x_j`` with w from Beta(magnitude, magnitude), taken as the larger of w
    and 1 - w, so that a sample's own label keeps the largest share.

    Parameters
    ----------
    magnitude : float, default=0.2
        Both parameters of the Beta distribution; 0 mixes nothing.
    soft_labels : bool, default=False
        Allow class labels to become class probabilities: ``fit_resample`` then returns y of
        shape (n_samples, n_classes), float, with columns in the order of ``classes_``. Needed
        with hard labels unless ``same_class=True``; regression targets are mixed as they are.
    same_class : bool, default=False
        Mix samples of one class only, which leaves hard labels as they are. Partners are drawn
        from all samples if this transform comes first, otherwise from a block of samples (at least
        64 images, 8 large ones), and in ``flow`` from the batch. A sample without another one of
        its class there stays as it is.
    probability : float, default=1.0
        Probability, in [0, 1], that a sample is mixed.

    References
    ----------
    .. [1] H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, "mixup: beyond empirical risk
       minimization", ICLR, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import AugmentingSampler, MixUp
    >>> X = np.arange(8.0).reshape(4, 1, 2, 1)
    >>> sampler = AugmentingSampler("image", [MixUp(0.4, soft_labels=True)], factor=2,
    ...                             random_state=0)
    >>> X_new, y_new = sampler.fit_resample(X, ["a", "a", "b", "b"])
    >>> y_new[:2].tolist(), y_new.sum(axis=1).round(6).tolist()
    ([[1.0, 0.0], [1.0, 0.0]], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    """

    kinds: ClassVar[tuple[str, ...]] = ("image", "series")

    def _takes_bytes(self, X: np.ndarray) -> bool:
        """Return True: uint8 is blended in 16 bits, with weights in steps of 1/256."""
        return True

    def _blend(
        self,
        X: Any,
        share: np.ndarray,
        values: Any,
        chosen: np.ndarray,
        others: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[Any, np.ndarray]:
        if X.dtype == np.uint8:
            share = np.rint(share * STEPS) / STEPS
        return blend(values, chosen, others, share, X), share


@register("cutmix")
@dataclass(frozen=True)
class CutMix(Mix):
    """Paste a box of another image into each image, labels mixed by area [1]_.

    The box has the area ``1 - w`` of the image, w as in :class:`MixUp`, with a uniform centre;
    labels are weighted by the area really pasted.

    Parameters
    ----------
    magnitude : float, default=1.0
        Both parameters of the Beta distribution; 0 mixes nothing.
    soft_labels : bool, default=False
        Allow class labels to become class probabilities; see :class:`MixUp`.
    same_class : bool, default=False
        Mix images of one class only, which leaves hard labels as they are.
    probability : float, default=1.0
        Probability, in [0, 1], that an image is mixed.

    References
    ----------
    .. [1] S. Yun et al., "CutMix: regularization strategy to train strong classifiers with
       localizable features", ICCV, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import CutMix
    >>> images = np.arange(3, dtype=np.uint8).repeat(16).reshape(3, 4, 4)
    >>> np.unique(CutMix()(images, rng=0)).tolist()
    [0, 1, 2]
    """

    kinds: ClassVar[tuple[str, ...]] = ("image",)
    needs_float: ClassVar[bool] = False
    magnitude: float = 1.0

    def _blend(
        self,
        X: Any,
        share: np.ndarray,
        values: Any,
        chosen: np.ndarray,
        others: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[Any, np.ndarray]:
        height, width = X.shape[1:3]
        # Rounded down, so that the image keeps at least half of its area.
        sizes = np.floor(np.sqrt(1 - share)[:, None] * (height, width))
        edges = random_boxes(rng, sizes, height, width)
        values.take(chosen, axis=0, out=X, mode="clip")
        boxes = zip(X, others.tolist(), edges.tolist(), strict=True)
        for result, j, (top, bottom, left, right) in boxes:
            result[top:bottom, left:right] = values[j, top:bottom, left:right]
        pasted = (edges[:, 1] - edges[:, 0]) * (edges[:, 3] - edges[:, 2])
        return X, 1 - pasted / (height * width)


def blend(
    values: np.ndarray,
    chosen: np.ndarray,
    others: np.ndarray,
    share: np.ndarray,
    out: np.ndarray,
) -> np.ndarray:
    """Return ``share * values[chosen] + (1 - share) * values[others]``, sample by sample.

    Parameters
    ----------
    values : ndarray of shape (n_samples, ...), C-contiguous
        Samples, float or uint8.
    chosen, others : ndarray of int, of shape (n,)
        Positions of the two samples of each mixture.
    share : ndarray of shape (n,)
        Shares, in [0, 1]; for uint8 multiples of ``1 / STEPS``.
    out : ndarray of shape (n, ...), C-contiguous, of the same dtype
        Receives the mixtures.

    Returns
    -------
    out : ndarray
        The mixtures; uint8 is rounded.
    """
    cv2 = opencv_for_rows(out)
    if cv2 is not None:
        flat = (-1, out.shape[1], out[0].size // out.shape[1])
        values = values.reshape(flat)
        rows, partners = ([values[i] for i in places.tolist()] for places in (chosen, others))
        blend_with_opencv(cv2, rows, partners, out.reshape(flat), share)
        return out
    step = max(1, ELEMENTS_AT_ONCE // (out[0].size or 1)) if len(out) else 1
    for start in range(0, len(out), step):
        part = slice(start, start + step)
        first, second = values[chosen[part]], values[others[part]]
        if out.dtype == np.uint8:
            steps = np.rint(share[part] * STEPS).astype(np.uint16)
            mixed, second = first.astype(np.uint16), second.astype(np.uint16)
            mixed *= spread(steps, out.ndim)
            second *= spread(STEPS - steps, out.ndim)
            mixed += second
            mixed += STEPS // 2
            mixed >>= STEPS.bit_length() - 1
        else:
            mixed = second
            mixed -= first
            mixed *= spread((1 - share[part]).astype(out.dtype), out.ndim)
            mixed += first
        out[part] = mixed
    return out


__all__ = ["CutMix", "MixUp"]
