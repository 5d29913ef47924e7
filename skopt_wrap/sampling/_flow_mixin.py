"""The ways into AugmentingSampler besides ``fit_resample``: batches for Keras, and a picture."""

from __future__ import annotations

from ._policies import mixes_labels


class Doors:
    """Methods `flow` and `preview`."""

    @property
    def mixes_labels(self):
        """Whether `flow` gives class probabilities instead of class labels."""
        return mixes_labels(self.transforms)

    def flow(
        self,
        X,
        y,
        batch_size=32,
        *,
        sample_weight=None,
        shuffle=True,
        workers=1,
        use_multiprocessing=False,
        max_queue_size=10,
    ):
        """Return batches for ``keras.Model.fit``, changed afresh in every epoch.

        An epoch has as many rows of each class as `fit_resample` returns, and every row is a
        changed copy: `keep_original` only counts. Each batch has the proportions of the whole
        epoch, to within a row, so batches are balanced where the classes are. The rows left over
        make a last, smaller batch.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Data; tables must be numeric.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target, as the network's loss takes it.
        batch_size : int, default=32
            Rows of a batch.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; each row has the weight of its source.
        shuffle : bool, default=True
            Use the rows in another order in every epoch.
        workers : int, default=1
            Threads, or processes, that prepare batches. The batches do not depend on it.
        use_multiprocessing : bool, default=False
            Whether the workers are processes.
        max_queue_size : int, default=10
            Batches that workers prepare ahead.

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

    def preview(self, X, y, *, n_samples=5, n_variants=4, ax=None):
        """Show originals beside changed copies of them.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Images, series or texts.
        y : array-like of shape (n_samples,)
            Target; rows of different classes are shown first.
        n_samples : int, default=5
            Number of originals.
        n_variants : int, default=4
            Number of copies of each.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : AugmentationDisplay
            The drawn display.
        """
        from ._display import AugmentationDisplay

        return AugmentationDisplay.from_estimator(
            self, X, y, n_samples=n_samples, n_variants=n_variants, ax=ax
        )
