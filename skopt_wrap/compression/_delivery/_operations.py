"""Operations in front of a network and behind it, as data that becomes operations of a file.

Each is a callable of TensorFlow's module and a tensor of rows, ``operation(tf, x)``. It holds NumPy
arrays only, so that it can be sent to the conversion process, which has TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray
# Norms below this are taken for zero, as scikit-learn does.
_NO_NORM = 10 * float(np.finfo("float64").eps)


def _single(values: Any) -> Array:
    return np.asarray(values, dtype="float32")


def _absent(tf: Any, x: Any, missing: Array | None) -> Any:
    return tf.not_equal(x, x) if missing is None else tf.equal(x, _single(missing))


@dataclass(frozen=True)
class Take:
    """Columns, by their numbers."""

    columns: tuple[int, ...]

    def __call__(self, tf: Any, x: Any) -> Any:
        first, n = (self.columns[0] if self.columns else 0), len(self.columns)
        if self.columns == tuple(range(first, first + n)):
            return x if n == x.shape[1] else x[:, first : first + n]
        return tf.gather(x, list(self.columns), axis=1)


@dataclass(frozen=True)
class Scale:
    """``(x - center) * factor + offset``; any of them None for no such part."""

    center: Array | None = None
    factor: Array | None = None
    offset: Array | None = None

    def __call__(self, tf: Any, x: Any) -> Any:
        offset = None if self.offset is None else np.asarray(self.offset, dtype=np.float64)
        factor = None if self.factor is None else np.asarray(self.factor, dtype=np.float64)
        if self.center is not None and np.any(self.center):
            center = np.asarray(self.center, dtype=np.float64)
            x = x - _single(center)
            # What float32 leaves of the center goes into the offset, where it is small.
            rest = -(center - _single(center)) * (1.0 if factor is None else factor)
            if factor is not None:
                offset = rest if offset is None else offset + rest
        if factor is not None and np.any(factor != 1):
            x = x * _single(factor)
        return x if offset is None or not np.any(offset) else x + _single(offset)


@dataclass(frozen=True)
class Clip:
    """Values below `low` become `low`, those above `high` become `high`."""

    low: float
    high: float

    def __call__(self, tf: Any, x: Any) -> Any:
        return tf.minimum(tf.maximum(x, np.float32(self.low)), np.float32(self.high))


@dataclass(frozen=True)
class Fill:
    """A value for each column where the row has none.

    `missing` holds for each column what stands for no value; None means NaN in all of them.
    """

    values: Array
    missing: Array | None = None

    def __call__(self, tf: Any, x: Any) -> Any:
        return tf.where(_absent(tf, x, self.missing), _single(self.values), x)


@dataclass(frozen=True)
class Missing:
    """1 where a column has no value, else 0; see :class:`Fill`."""

    missing: Array | None = None

    def __call__(self, tf: Any, x: Any) -> Any:
        return tf.cast(_absent(tf, x, self.missing), tf.float32)


@dataclass(frozen=True)
class Product:
    """``x @ matrix``."""

    matrix: Array

    def __call__(self, tf: Any, x: Any) -> Any:
        return tf.matmul(x, _single(self.matrix))


@dataclass(frozen=True)
class Normalize:
    """Each row divided by its norm; a row of zeros stays."""

    norm: str

    def __call__(self, tf: Any, x: Any) -> Any:
        size = tf.abs(x)
        if self.norm == "max":
            norm = tf.reduce_max(size, axis=1, keepdims=True)
        elif self.norm == "l1":
            norm = tf.reduce_sum(size, axis=1, keepdims=True)
        else:
            norm = tf.sqrt(tf.reduce_sum(x * x, axis=1, keepdims=True))
        return x / tf.where(norm < np.float32(_NO_NORM), np.float32(1), norm)


@dataclass(frozen=True)
class Hits:
    """1 where a column has a value of its list, else 0: one output for each value.

    ``owners`` holds the column of each output, ``values`` the value; NaN stands for a missing one.
    """

    owners: tuple[int, ...]
    values: Array

    def __call__(self, tf: Any, x: Any) -> Any:
        values, spread = _single(self.values), Take(self.owners)(tf, x)
        absent = np.isnan(values)
        found = tf.equal(spread, np.where(absent, np.float32(0), values))
        if absent.any():
            wanted = np.broadcast_to(absent, (1, len(values)))
            found = tf.where(wanted, tf.not_equal(spread, spread), found)
        return tf.cast(found, tf.float32)


@dataclass(frozen=True)
class Lookup:
    """A number for each value of a column, another one for values that are not in its list.

    Parameters
    ----------
    values, numbers : sequence of ndarray
        For each column: the values it may have, and what they become.
    unknown : ndarray of shape (n_columns,)
        For other values; may be NaN.
    missing : ndarray of shape (n_columns,) or None
        For a missing value; None: as `unknown`.
    """

    values: tuple[Array, ...]
    numbers: tuple[Array, ...]
    unknown: Array
    missing: Array | None = None

    def __call__(self, tf: Any, x: Any) -> Any:
        outputs = []
        for i, (values, numbers) in enumerate(zip(self.values, self.numbers, strict=True)):
            column = x[:, i : i + 1]
            found = tf.cast(tf.equal(column, _single(values)[None]), tf.float32)
            known = tf.reduce_sum(found, axis=1, keepdims=True)
            chosen = tf.reduce_sum(found * _single(numbers)[None], axis=1, keepdims=True)
            chosen = tf.where(known > 0, chosen, np.float32(self.unknown[i]))
            if self.missing is not None:
                chosen = tf.where(tf.not_equal(column, column), np.float32(self.missing[i]), chosen)
            outputs.append(chosen)
        return outputs[0] if len(outputs) == 1 else tf.concat(outputs, axis=1)


@dataclass(frozen=True)
class Elementwise:
    """A function of each value, by its name in NumPy."""

    name: str

    def __call__(self, tf: Any, x: Any) -> Any:
        one = np.float32(1)
        functions = {
            "abs": tf.abs,
            "absolute": tf.abs,
            "cbrt": lambda t: tf.sign(t) * tf.pow(tf.abs(t), np.float32(1 / 3)),
            "exp": tf.exp,
            "expm1": lambda t: tf.exp(t) - one,
            "log": tf.math.log,
            "log10": lambda t: tf.math.log(t) * np.float32(1 / np.log(10)),
            "log1p": lambda t: tf.math.log(t + one),
            "log2": lambda t: tf.math.log(t) * np.float32(1 / np.log(2)),
            "negative": tf.negative,
            "reciprocal": lambda t: one / t,
            "sign": tf.sign,
            "sqrt": tf.sqrt,
            "square": lambda t: t * t,
            "tanh": tf.tanh,
        }
        return functions[self.name](x)


ELEMENTWISE = frozenset(
    "abs absolute cbrt exp expm1 log log10 log1p log2 negative reciprocal sign sqrt square "
    "tanh".split()
)


@dataclass(frozen=True)
class YeoJohnson:
    """The transformation of Yeo and Johnson, one exponent for each column."""

    exponents: Array

    def __call__(self, tf: Any, x: Any) -> Any:
        one, lam = np.float32(1), np.asarray(self.exponents, dtype=np.float64)
        up, down = tf.maximum(x, np.float32(0)) + one, one - tf.minimum(x, np.float32(0))
        flat, other = np.abs(lam) < 1e-12, np.abs(lam - 2) < 1e-12
        safe, rest = np.where(flat, 1.0, lam), np.where(other, 1.0, 2 - lam)
        above = (tf.pow(up, _single(safe)) - one) * _single(1 / safe)
        below = (one - tf.pow(down, _single(rest))) * _single(1 / rest)
        if flat.any():
            above = tf.where(flat[None], tf.math.log(up), above)
        if other.any():
            below = tf.where(other[None], -tf.math.log(down), below)
        return tf.where(x >= 0, above, below)


@dataclass(frozen=True)
class Above:
    """1 where a value is above `threshold`, else 0."""

    threshold: float

    def __call__(self, tf: Any, x: Any) -> Any:
        return tf.cast(x > np.float32(self.threshold), tf.float32)


@dataclass(frozen=True)
class Branches:
    """Several chains of operations of the same rows, beside each other."""

    chains: tuple[tuple[Any, ...], ...]

    def __call__(self, tf: Any, x: Any) -> Any:
        parts = [run(chain, tf, x) for chain in self.chains]
        return parts[0] if len(parts) == 1 else tf.concat(parts, axis=1)


@dataclass(frozen=True)
class Cast:
    """Values in another dtype."""

    dtype: str

    def __call__(self, tf: Any, x: Any) -> Any:
        return tf.cast(x, self.dtype)


@dataclass(frozen=True)
class Flat:
    """Each row as one line of numbers."""

    width: int

    def __call__(self, tf: Any, x: Any) -> Any:
        return tf.reshape(x, (-1, self.width))


@dataclass(frozen=True)
class Probabilities:
    """Outputs of a classifier as probabilities: "pair", "shares", "softmax" or "sigmoid".

    A "pair" is made of one output for two classes; "shares" are divided by their sum. `logits` says
    whether the outputs of a pair are logits.
    """

    form: str
    logits: bool = False

    def __call__(self, tf: Any, x: Any) -> Any:
        if self.form == "softmax":
            return tf.nn.softmax(x)
        if self.form == "sigmoid":
            return tf.sigmoid(x)
        if self.form == "pair":
            parts = [tf.sigmoid(-x), tf.sigmoid(x)] if self.logits else [np.float32(1) - x, x]
            return tf.concat(parts, axis=1)
        total = tf.reduce_sum(x, axis=1, keepdims=True)
        return x / tf.where(total > 0, total, np.float32(1))


@dataclass(frozen=True)
class Label:
    """The number of the predicted class, by probabilities p; int32.

    `rule` is "largest" (of p), "least cost" (of ``p @ values``), "largest ratio" (of
    ``p / values``), "each" (p > 0.5 for each label), or "threshold": class `positive` of two where
    its p is at least ``values[0]``, or above it where `strict`.
    """

    rule: str
    values: Array | None = None
    positive: int = 1
    strict: bool = False

    def __call__(self, tf: Any, p: Any) -> Any:
        if self.rule == "each":
            return tf.cast(p > np.float32(0.5), tf.int32)
        if self.rule == "threshold":
            assert self.values is not None
            toward, limit = p[:, self.positive], np.float32(self.values[0])
            chosen = tf.cast(toward > limit if self.strict else toward >= limit, tf.int32)
            return chosen if self.positive == 1 else 1 - chosen
        if self.rule == "least cost":
            return tf.argmin(tf.matmul(p, _single(self.values)), axis=1, output_type=tf.int32)
        if self.rule == "largest ratio":
            p = p * _single(1 / np.asarray(self.values, dtype=np.float64))
        return tf.argmax(p, axis=1, output_type=tf.int32)


def run(operations: Sequence[Any], tf: Any, x: Any) -> Any:
    """Return what a chain of operations makes of a tensor of rows."""
    for operation in operations:
        x = operation(tf, x)
    return x
