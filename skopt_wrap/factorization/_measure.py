"""Measure how far outputs of two networks are apart, and how long a call takes."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np

from .._keras import load_tensorflow, traced

Array = np.ndarray

_ROWS = 256
_TINY = 1e-7


def divergence(original: Array, outputs: Array, kind: str) -> float:
    """Return how far outputs are from the original ones.

    Parameters
    ----------
    original, outputs : ndarray of shape (n_rows, ...)
        Raw outputs of both networks.
    kind : {"probabilities", "logits"}
        What they are. For probabilities the mean Kullback-Leibler divergence is returned, of
        single units where they do not sum to one; else the mean squared error divided by the
        variance of the original.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.factorization._measure import divergence
    >>> divergence(np.array([[0.5, 0.5]]), np.array([[0.5, 0.5]]), "probabilities")
    0.0
    >>> round(divergence(np.array([[0.0], [2.0]]), np.array([[1.0], [2.0]]), "logits"), 6)
    0.5
    """
    if kind != "probabilities":
        centred = original - original.mean(axis=0)
        return float(np.square(outputs - original).mean() / max(np.square(centred).mean(), _TINY))
    p, q = (np.clip(a, _TINY, 1.0) for a in (original, outputs))
    if original.shape[-1] > 1 and np.allclose(original.sum(axis=-1), 1, atol=1e-3):
        return max(0.0, float((p * np.log(p / q)).sum(axis=-1).mean()))
    rest_p, rest_q = (np.clip(1 - a, _TINY, 1.0) for a in (original, outputs))
    terms = p * np.log(p / q) + rest_p * np.log(rest_p / rest_q)
    return max(0.0, float(terms.mean()))


def latencies(models: list[Any], x: Array, rounds: int = 15) -> list[float]:
    """Return the median seconds of a compiled call on 256 rows, for each model.

    The models take turns, so that a slow moment of the machine meets all of them.

    Parameters
    ----------
    models : list of keras.Model
        Networks of equal input.
    x : ndarray of shape (n_rows, ...)
        Rows; repeated when there are fewer than 256.
    rounds : int, default=15
        Calls of each.
    """
    tf = load_tensorflow()
    rows = tf.constant(np.resize(x, (_ROWS, *x.shape[1:])))
    calls = [traced(lambda a, m=model: m(a, training=False)) for model in models]
    times: list[list[float]] = [[] for _ in models]
    for turn in range(rounds + 2):
        for call, taken in zip(calls, times, strict=True):
            start = perf_counter()
            call(rows).numpy()
            if turn >= 2:  # the first calls trace and allocate
                taken.append(perf_counter() - start)
    return [float(np.median(taken)) for taken in times]
