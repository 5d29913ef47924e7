"""The columns of a table as a network takes them: scaled, without gaps, categories taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._backend import load_tensorflow

# Scaled numbers beyond it are as good as infinite for the clip, whose squares must be finite.
_FAR = 1e6
_NEVER = -1.0  # no code


@dataclass(frozen=True)
class Columns:
    """What becomes of each column of a matrix of numbers and codes.

    Code 0 of a category stands for missing and unknown values, others count from 1.

    Parameters
    ----------
    numbers : tuple of int, default=()
        Columns of numbers.
    one_hot : tuple of (int, int), default=()
        Columns of codes that become one column for each category, and how many categories there
        are. Two categories share a column, with the values -1 and 1.
    indicators : tuple of int, default=()
        Columns for which a further column says where values were missing.
    codes : tuple of (int, int), default=()
        Columns of codes that are passed on, and how many codes there are.

    Examples
    --------
    >>> from skopt_wrap._keras._tables._columns import Columns
    >>> Columns(numbers=(0, 2), one_hot=((1, 3),), indicators=(0,)).n_other
    4
    """

    numbers: tuple[int, ...] = ()
    one_hot: tuple[tuple[int, int], ...] = ()
    indicators: tuple[int, ...] = ()
    codes: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, config: dict[str, Any]) -> Columns:
        """Return columns from the lists of a configuration."""
        single = {name: tuple(map(int, config[name])) for name in ("numbers", "indicators")}
        pairs = {
            name: tuple((int(column), int(n)) for column, n in config[name])
            for name in ("one_hot", "codes")
        }
        return cls(**single, **pairs)  # type: ignore[arg-type]

    def config(self) -> dict[str, Any]:
        """Return what :meth:`of` takes, as lists."""
        return {
            "numbers": list(self.numbers),
            "one_hot": [list(pair) for pair in self.one_hot],
            "indicators": list(self.indicators),
            "codes": [list(pair) for pair in self.codes],
        }

    @property
    def n_other(self) -> int:
        """Columns of one-hot categories and of indicators."""
        return len(self.equal()[0]) + len(self.indicators)

    @property
    def n_columns(self) -> int:
        """Columns in all."""
        return len(self.numbers) + self.n_other + len(self.codes)

    def equal(self) -> tuple[list[int], list[float], list[float]]:
        """Return, for each one-hot column, its source and the codes for 1 and for -1."""
        found: list[tuple[int, float, float]] = []
        for column, n in self.one_hot:
            if n == 2:
                found.append((column, 2.0, 1.0))
            else:
                found += [(column, float(code), _NEVER) for code in range(1, n + 1)]
        sources, plus, minus = zip(*found, strict=True) if found else ((), (), ())
        return list(sources), list(plus), list(minus)


def prepare_columns(x: Any, center: Any, factor: Any, columns: Columns) -> Any:
    """Return the columns of a table as a network takes them.

    Numbers become ``z = (x - center) * factor``, gaps 0, and then ``z / sqrt(1 + (z / 3) ** 2)``,
    which is nearly `z` for small values and never beyond 3.

    Parameters
    ----------
    x : tensor of shape (..., n_features)
        Numbers and codes; NaN where a number is missing.
    center, factor : tensor, broadcast against (..., n_numbers)
        Of each column of numbers.
    columns : Columns
        What becomes of each column.

    Returns
    -------
    prepared : tensor of shape (..., n_columns)
        Numbers, one-hot columns, indicators, codes.
    """
    tf = load_tensorflow()
    parts = []
    if columns.numbers:
        z = (_taken(x, columns.numbers) - center) * factor
        z = tf.where(tf.math.is_nan(z), tf.zeros_like(z), z)
        z = tf.clip_by_value(z, -_FAR, _FAR)
        parts.append(z / tf.sqrt(1.0 + tf.square(z / 3.0)))
    sources, plus, minus = columns.equal()
    if sources:
        codes = _taken(x, sources)
        hot = tf.cast(tf.equal(codes, tf.constant(plus, x.dtype)), x.dtype)
        if any(code != _NEVER for code in minus):
            hot -= tf.cast(tf.equal(codes, tf.constant(minus, x.dtype)), x.dtype)
        parts.append(hot)
    if columns.indicators:
        parts.append(tf.cast(tf.math.is_nan(_taken(x, columns.indicators)), x.dtype))
    if columns.codes:
        parts.append(_taken(x, [column for column, _ in columns.codes]))
    return parts[0] if len(parts) == 1 else tf.concat(parts, -1)


def _taken(x: Any, columns: Sequence[int]) -> Any:
    """Return some columns of `x`."""
    if list(columns) == list(range(x.shape[-1])):
        return x
    return load_tensorflow().gather(x, list(columns), axis=-1)
