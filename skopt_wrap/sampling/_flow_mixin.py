"""Methods of AugmentingSampler besides ``fit_resample``: batches for Keras, and a preview plot."""

from __future__ import annotations

from typing import Any

from ._display import AugmentationDisplay
from ._policies import mixes_labels


class FlowMixin:
    """Mixin of samplers: `flow` gives batches for Keras, `preview` draws changed copies."""

    transforms: Any

    @property
    def mixes_labels(self) -> bool:
        """Whether `flow` gives class probabilities instead of class labels."""
        return mixes_labels(self.transforms)

    def flow(
        self,
        X: Any,
        y: Any,
        batch_size: int = 32,
        *,
        sample_weight: Any = None,
        shuffle: bool = True,
        workers: int = 1,
        use_multiprocessing: bool = False,
        max_queue_size: int = 10,
    ) -> Any:
        """Return batches for ``keras.Model.fit``; every epoch has new changes.

        An epoch has as many samples of each class as `fit_resample` returns, and every one of them
        is a changed copy: `keep_original` decides about their number only. Each batch holds the
        classes in the proportions of the whole epoch, to within one sample, so batches are balanced
        where the classes are. The samples left over make a last, smaller batch.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Data; tables must be numeric.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target, as the network's loss takes it.
        batch_size : int, default=32
            Number of samples in a batch.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; each new sample has the weight of its source.
        shuffle : bool, default=True
            Whether every epoch has its samples in another order.
        workers : int, default=1
            Number of threads, or processes, that prepare batches. The batches do not depend on it.
        use_multiprocessing : bool, default=False
            Whether the workers are processes.
        max_queue_size : int, default=10
            Number of batches that the workers prepare ahead.

        Returns
        -------
        batches : keras.utils.PyDataset
            Batches ``(X, y)`` or ``(X, y, sample_weight)`` of arrays.

        Examples
        --------
        >>> import numpy as np
        >>> from skopt_wrap.sampling import AugmentingSampler
        >>> images, labels = np.zeros((12, 8, 8, 1), "float32"), np.array([0] * 9 + [1] * 3)
        >>> batches = AugmentingSampler(random_state=0).flow(images, labels, batch_size=8)
        >>> [np.bincount(batches[i][1]).tolist() for i in range(len(batches))]
        [[4, 4], [4, 4], [1, 1]]
        """
        from ._flow import make_flow

        return make_flow(
            self,
            X,
            y,
            batch_size,
            sample_weight,
            shuffle,
            workers=workers,
            use_multiprocessing=use_multiprocessing,
            max_queue_size=max_queue_size,
        )

    def preview(
        self, X: Any, y: Any, *, n_samples: int = 5, n_variants: int = 4, ax: Any = None
    ) -> AugmentationDisplay:
        """Draw a few samples beside changed copies of them.

        Look at it before you train: it shows whether a changed copy still deserves its label.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Images, series or texts.
        y : array-like of shape (n_samples,)
            Target; samples of different classes are drawn first.
        n_samples : int, default=5
            Number of samples drawn.
        n_variants : int, default=4
            Number of changed copies of each.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        display : AugmentationDisplay
            The drawn display.
        """
        return AugmentationDisplay.from_estimator(
            self, X, y, n_samples=n_samples, n_variants=n_variants, ax=ax
        )
