"""Random bytes for dropout: a quarter of the random numbers, and of their time."""

from __future__ import annotations

from typing import Any

from .._backend import load_tensorflow

BYTE = 256


def random_bytes(shape: Any, seed: Any) -> Any:
    """Return bytes drawn from a seed.

    Parameters
    ----------
    shape : tensor of int
        Shape of the result.
    seed : tensor of shape (2,), int
        As Keras' generators of seeds give it; another one for every draw.

    Returns
    -------
    drawn : tensor of uint8
        Uniform in 0 to 255.
    """
    tf = load_tensorflow()
    size = tf.reduce_prod(shape)
    seed = tf.cast(tf.math.floormod(seed, tf.int32.max - 1), tf.int32)  # as Keras does
    words = tf.random.stateless_uniform([(size + 3) // 4], seed, None, None, tf.uint32)
    return tf.reshape(tf.reshape(tf.bitcast(words, tf.uint8), [-1])[:size], shape)


def coarse_rate(rate: Any) -> Any:
    """Return how many of 256 values a rate of dropout drops; `rate` is a NumPy number or array."""
    return (rate * BYTE).round().clip(0, BYTE - 1)
