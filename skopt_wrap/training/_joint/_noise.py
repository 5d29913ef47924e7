"""Dropout of several networks, drawn as Keras draws that of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..._keras import load_tensorflow, random_bytes


class Noise:
    """Dropout as Keras draws it: from the seed of each network's layer, one step further each time.

    Parameters
    ----------
    form : GraphForm
        Whether anything is dropped, and whether all networks have the same seeds.
    seeds : tensor of shape (networks, layers, 2)
        Seeds of this step; those of the next one are in the attribute `seeds`.
    given : dict
        Arguments of the graph: `dropout` (rate, and factor of what stays), `drawn` and `widths`.
    """

    def __init__(self, form: Any, seeds: Any, given: dict[str, Any]) -> None:
        self.seeds, self._form, self._given = seeds, form, given

    def of(self, layer: int) -> Callable[..., Any]:
        """Return the function that drops values of a layer's input, drawn in `shape`.

        Coarse dropout draws bytes, with rates in 256th.
        """

        def apply(x: Any, shape: Any = None, coarse: bool = False) -> Any:
            if not self._form.drops:
                return x
            tf = load_tensorflow()
            shape = tf.shape(x)[1:] if shape is None else shape
            if coarse:
                drawn = self._bytes(layer, shape)
            else:
                draw = self._alike if self._form.alike else self._each
                drawn = draw(layer, shape, x.dtype)
            ones = [1] * (x.shape.rank - 1)
            rate, scale = (
                tf.reshape(tf.cast(self._given["dropout"][:, layer, i], x.dtype), [-1, *ones])
                for i in range(2)
            )
            step = np.zeros((1, self.seeds.shape[1], 2), "int64")
            step[0, layer, 1] = 1
            self.seeds = self.seeds + tf.constant(step, self.seeds.dtype)
            none = tf.zeros([], x.dtype)
            if coarse:
                return x * tf.where(drawn >= tf.cast(rate, tf.uint8), scale, none)
            return tf.where(drawn >= rate, x * scale, none)

        return apply

    def _bytes(self, layer: int, shape: Any) -> Any:
        """Draw bytes, (networks or 1, *shape); such layers are never padded."""
        n_draws = 1 if self._form.alike else self._form.networks
        draws = [random_bytes(shape, self._seed(k, layer)) for k in range(n_draws)]
        return load_tensorflow().stack(draws)

    def _seed(self, network: int, layer: int) -> Any:
        tf = load_tensorflow()
        return tf.cast(tf.math.floormod(self.seeds[network, layer], tf.int32.max - 1), tf.int32)

    def _each(self, layer: int, shape: Any, dtype: Any) -> Any:
        """Draw for one network after the other, (networks, *shape)."""
        tf, found = load_tensorflow(), []
        for k in range(self._form.networks):
            own = shape
            if self._form.padded:
                own = tf.concat([shape[:-1], self._given["widths"][k, layer, None]], 0)
            drawn = tf.random.stateless_uniform(own, self._seed(k, layer), dtype=dtype)
            if self._form.padded:
                drawn = tf.gather(drawn, self._given["drawn"][layer][k], axis=-1)
            found.append(drawn)
        return tf.stack(found)

    def _alike(self, layer: int, shape: Any, dtype: Any) -> Any:
        """Draw once for all networks, (networks or 1, *shape).

        The draws of a narrow layer are the first ones of a wide layer, one row after the other.
        """
        tf, seed = load_tensorflow(), self._seed(0, layer)
        if not self._form.padded:
            return tf.random.stateless_uniform(shape, seed, dtype=dtype)[None]
        rows = tf.reduce_prod(shape[:-1])
        widths = self._given["widths"][:, layer]
        drawn = tf.random.stateless_uniform([rows * tf.reduce_max(widths)], seed, dtype=dtype)
        first = tf.range(rows)[None, :, None] * widths[:, None, None]
        found = tf.gather(drawn, first + self._given["drawn"][layer][:, None])
        return tf.reshape(found, tf.concat([tf.shape(widths), shape], 0))
