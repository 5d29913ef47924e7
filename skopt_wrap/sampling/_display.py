"""AugmentationDisplay: a plot of samples beside changed copies of them."""

from __future__ import annotations

import difflib
from typing import Any, Self

import numpy as np
from sklearn.base import clone

from ..exceptions import ParameterError
from ._strategy import Target
from ._transform import Policy


class AugmentationDisplay:
    """Plot of samples beside changed copies of them.

    Images are drawn as a grid, series as lines; of texts, the words that differ are marked.

    It is recommended to use :meth:`from_estimator` or
    :meth:`~skopt_wrap.sampling.AugmentingSampler.preview`.

    Parameters
    ----------
    kind : {"image", "series", "text"}
        Kind of data.
    originals : ndarray of shape (n_samples, ...)
        Samples as they were.
    variants : ndarray of shape (n_samples, n_variants, ...)
        Changed copies of each sample.
    labels : sequence of length n_samples
        Target of each sample.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        Their figure.

    Examples
    --------
    >>> from skopt_wrap.sampling import AugmentationDisplay
    >>> display = AugmentationDisplay("text", ["a b"], [["b a"]], ["x"])
    >>> print(display)
    x: a b
       [+b+] a [-b-]
    """

    def __init__(self, kind: str, originals: Any, variants: Any, labels: Any) -> None:
        self.kind = kind
        self.originals = originals
        self.variants = variants
        self.labels = labels

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        n_samples: int = 5,
        n_variants: int = 4,
        ax: Any = None,
    ) -> Self:
        """Draw a few samples beside changed copies of them.

        Parameters
        ----------
        estimator : AugmentingSampler
            The sampler. A clone of it is used, so the sampler itself is not fitted.
        X : array-like of shape (n_samples, ...)
            Images, series or texts.
        y : array-like of shape (n_samples,)
            Target; samples of different classes are drawn first.
        n_samples : int, default=5
            Number of samples drawn.
        n_variants : int, default=4
            Number of changed copies of each.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : AugmentationDisplay
            The drawn display.
        """
        for name, number in (("n_samples", n_samples), ("n_variants", n_variants)):
            if isinstance(number, bool) or not isinstance(number, int) or number < 1:
                raise ParameterError(f"{name} must be an integer >= 1. Got {number!r}.")
        sampler = clone(estimator).set_params(factor=1, sampling_strategy="auto")
        # Read all the data, so that the transforms learn the same ranges as in fit_resample.
        data, target, _, steps = sampler._prepare(X, y, {})
        if data.kind == "tabular":
            raise ParameterError(
                "preview draws images, series and texts; the data are kind='tabular'."
            )
        rows = _first_of_each_class(target, n_samples)
        sources = np.repeat(rows, n_variants)
        groups = None if target.codes is None else target.codes[sources]
        rng = np.random.default_rng(sampler._seed())
        changed = Policy(steps)(data.values[sources], rng, groups=groups)[0]
        variants = changed.reshape(len(rows), n_variants, *data.values.shape[1:])
        labels = (target.values if target.labels is None else target.labels)[rows]
        display = cls(data.kind, data.values[rows], variants, labels)
        return display.plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the samples and their copies.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : AugmentationDisplay
            The display, with `ax_` and `figure_` set.
        """
        import matplotlib.pyplot as plt

        if ax is None:
            n, columns = len(self.originals), len(self.variants[0]) + 1
            size = {"image": (1.2 * columns + 0.6, 1.2 * n + 0.5), "text": (8, 0.3 * n * columns)}
            _, ax = plt.subplots(figsize=size.get(self.kind, (7, 1.5 * n)), layout="constrained")
        {"image": self._plot_images, "series": self._plot_series, "text": self._plot_texts}[
            self.kind
        ](ax)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def __str__(self) -> str:
        """Return, of texts, one line for each sample and copy, with the differences marked."""
        if self.kind != "text":
            return object.__repr__(self)
        lines = []
        for label, original, variants in zip(
            self.labels, self.originals, self.variants, strict=True
        ):
            head = f"{label}: "
            lines.append(head + str(original))
            lines += [" " * len(head) + mark_differences(original, text) for text in variants]
        return "\n".join(lines)

    def _plot_images(self, ax: Any) -> None:
        """Draw one picture: each sample in a row, its copies to the right."""
        height, width = self.originals.shape[1:3]
        n, columns = len(self.originals), self.variants.shape[1] + 1
        gap = max(1, round(0.06 * max(height, width)))
        tail = self.originals.shape[3:]
        white = 255 if self.originals.dtype == np.uint8 else self.originals.max()
        canvas = np.full(
            (n * (height + gap) - gap, columns * (width + gap) - gap, *tail),
            white,
            dtype=self.originals.dtype,
        )
        for i in range(n):
            for j in range(columns):
                picture = self.originals[i] if j == 0 else self.variants[i, j - 1]
                top, left = i * (height + gap), j * (width + gap)
                canvas[top : top + height, left : left + width] = picture
        if tail and tail[0] not in (3, 4):
            canvas = canvas.mean(axis=-1)
        elif tail and canvas.dtype != np.uint8:
            low, high = self.originals.min(), self.originals.max()
            canvas = np.clip((canvas - low) / max(high - low, 1e-12), 0, 1)
        ax.imshow(canvas, cmap="gray", interpolation="nearest")
        ax.set_xticks(
            [width / 2 + j * (width + gap) for j in range(columns)],
            ["original", *(f"copy {j}" for j in range(1, columns))],
        )
        ax.xaxis.tick_top()
        ax.set_yticks([height / 2 + i * (height + gap) for i in range(n)], self.labels)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)

    def _plot_series(self, ax: Any) -> None:
        """Draw the first feature of each series, one above the other, copies as thin lines."""
        originals, variants = np.asarray(self.originals), np.asarray(self.variants)
        if originals.ndim == 3:
            originals, variants = originals[..., 0], variants[..., 0]
        span = max(np.ptp(np.concatenate([originals[:, None], variants], axis=1)), 1e-12) * 1.1
        places = []
        for i, (original, copies) in enumerate(zip(originals, variants, strict=True)):
            shift = -i * span
            ax.plot(copies.T + shift, color="C1", linewidth=0.8, alpha=0.6)
            ax.plot(original + shift, color="C0", linewidth=1.6)
            places.append(float(original.mean()) + shift)
        ax.set_yticks(places, self.labels)
        ax.set_xlabel("time step")
        ax.set_title("originals (thick) and copies")

    def _plot_texts(self, ax: Any) -> None:
        """Write ``str(display)`` on the axes."""
        ax.text(0, 1, str(self), family="monospace", va="top", transform=ax.transAxes, wrap=True)
        ax.set_axis_off()


def mark_differences(old: str, new: str) -> str:
    """Return the new text with deleted words as ``[-word-]`` and added ones as ``[+word+]``."""
    before, after = old.split(), new.split()
    words = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for action, i, j, k, m in matcher.get_opcodes():
        if action == "equal":
            words += before[i:j]
            continue
        words += [f"[-{word}-]" for word in before[i:j]]
        words += [f"[+{word}+]" for word in after[k:m]]
    return " ".join(words)


def _first_of_each_class(target: Target, n_samples: int) -> np.ndarray:
    """Return positions: the first sample of each class, then the second of each, and so on."""
    n = len(target.values)
    if target.codes is None:
        return np.arange(min(n, n_samples))
    turn = np.zeros(n, dtype=int)
    for code in range(target.classes.size):
        rows = np.flatnonzero(target.codes == code)
        turn[rows] = np.arange(rows.size)
    return np.lexsort((target.codes, turn))[:n_samples]
