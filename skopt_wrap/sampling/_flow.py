"""Batches for Keras that are augmented anew in every epoch.

This module imports Keras, so it is imported only when batches are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import keras
import numpy as np
from scipy import sparse

from .._keras import load_tensorflow
from .._sklearn import check_sample_weight, validate_parameter_constraints
from ..exceptions import DataError, ParameterError
from ._batch import Source
from ._columns import is_frame, missing_columns, numeric_columns, numeric_part
from ._containers import take
from ._over_samplers import Interpolation
from ._policies import makes_soft_labels
from ._strategy import Target, one_hot
from ._transform import Policy, Step


def make_flow(
    sampler: Any,
    X: Any,
    y: Any,
    batch_size: int,
    sample_weight: Any,
    shuffle: bool,
    **options: Any,
) -> AugmentedBatches:
    """Return the batches of ``AugmentingSampler.flow``; `options` are those of ``PyDataset``."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, Integral) or batch_size < 1:
        raise ParameterError(f"batch_size must be an int >= 1. Got {batch_size!r}.")
    validate_parameter_constraints(
        sampler._parameter_constraints, sampler.get_params(deep=False), type(sampler).__name__
    )
    data, target, generator, steps = sampler._prepare(X, y, {"sample_weight": sample_weight})
    if generator is not None and generator.cleaner is not None:
        raise ParameterError(
            f"{type(generator.cleaner).__name__} drops rows, so batches cannot be planned ahead; "
            f"use fit_resample, or an over-sampler without cleaning."
        )
    values = _network_table(data.values) if data.kind == "tabular" else data.values
    if sample_weight is not None:
        sample_weight = check_sample_weight(sample_weight, np.empty(data.n))
    totals = dict(sampler.sampling_strategy_)
    if sampler.keep_original and target.codes is not None:
        counts = np.bincount(target.codes).tolist()
        for label, count in zip(target.classes.tolist(), counts, strict=True):
            totals[label] = totals.get(label, 0) + count
    elif sampler.keep_original:
        totals[None] += data.n
    epoch = Epoch(values, target, sample_weight, steps, totals, generator)
    return AugmentedBatches(epoch, sampler._seed(), int(batch_size), bool(shuffle), **options)


def _network_table(X: Any) -> Any:
    """Return a table as an array or a sparse matrix of numbers without missing values."""
    if not sparse.issparse(X) and len(numeric_columns(X)) < X.shape[1]:
        raise DataError("flow makes batches for a network: every column of X must be numeric.")
    missing = missing_columns(X)
    if missing:
        raise DataError(
            f"flow makes batches for a network, which takes no missing values; the columns "
            f"{missing} have some. Fill them in first, for instance with SimpleImputer."
        )
    if not is_frame(X):
        return X
    plain = all(isinstance(dtype, np.dtype) for dtype in X.dtypes)
    return X.to_numpy() if plain else numeric_part(X)


@dataclass(frozen=True)
class Epoch:
    """What the samples of every epoch are made of.

    Attributes
    ----------
    values : ndarray or sparse matrix of shape (n_samples, ...)
        Original samples.
    target : Target
        Their target.
    weights : ndarray of shape (n_samples,) or None
        Their weights.
    steps : list of Transform or callable
        Transforms that have learned from the data.
    totals : dict
        Number of samples of each class in an epoch; under None where y has no classes.
    generator : Interpolation or None
        Over-sampler of imbalanced-learn that comes first.
    """

    values: Any
    target: Target
    weights: np.ndarray | None
    steps: list[Step]
    totals: dict[Any, int]
    generator: Interpolation | None


class AugmentedBatches(keras.utils.PyDataset):
    """Batches of augmented samples.

    A batch depends on the seed, the number of the epoch and its own number only, so any number of
    workers may prepare them in any order.
    """

    def __init__(
        self,
        epoch: Epoch,
        seed: np.random.SeedSequence,
        batch_size: int,
        shuffle: bool,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._values, self._target, self._weights = epoch.values, epoch.target, epoch.weights
        self._policy, self._totals = Policy(epoch.steps), epoch.totals
        self._generator = epoch.generator
        self._labels = one_hot(epoch.target) if makes_soft_labels(epoch.steps) else None
        self._seed, self._batch_size, self._shuffle = seed, batch_size, shuffle
        self._epoch = 0
        self._plan: tuple[int, Any] | None = None

    def __len__(self) -> int:
        return -(-sum(self._totals.values()) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        epoch = self._epoch
        order, rows, sources = self._rows_of(epoch)
        chosen = order[index * self._batch_size : (index + 1) * self._batch_size]
        origin = sources[chosen]
        taken = chosen if rows is not self._values else origin
        rng = self._generator_of(1, epoch, index)
        codes, labels = self._target.codes, self._labels
        dense = isinstance(rows, np.ndarray)
        X, labels = self._policy(
            np.empty((len(taken), *rows.shape[1:]), rows.dtype) if dense else take(rows, taken),
            rng,
            None if labels is None else labels[origin],
            None if codes is None else codes[origin],
            Source(rows, taken) if dense else None,
        )
        if labels is None:
            labels = self._target.values[origin]
        elif self._target.values.ndim == 1 and self._target.codes is None:
            labels = labels[:, 0]
        if sparse.issparse(X):
            X = X.toarray()
        elif X.dtype.kind == "O":  # texts; Keras refuses arrays of objects
            X = load_tensorflow().constant(X.tolist())
        return (X, labels) if self._weights is None else (X, labels, self._weights[origin])

    def on_epoch_end(self) -> None:
        """Go on to the next epoch. Keras has stopped the workers by now."""
        self._epoch += 1

    def _generator_of(self, *key: int) -> np.random.Generator:
        seed = self._seed
        child = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, *key))
        return np.random.default_rng(child)

    def _rows_of(self, epoch: int) -> tuple[np.ndarray, Any, np.ndarray]:
        """Return the order of an epoch, the samples that it refers to, and their sources."""
        plan = self._plan  # two workers may both make it, but none reads it half made
        if plan is None or plan[0] != epoch:
            self._plan = plan = (epoch, self._new_plan(self._generator_of(0, epoch)))
        return plan[1]

    def _new_plan(self, rng: np.random.Generator) -> tuple[np.ndarray, Any, np.ndarray]:
        target, rows = self._target, self._values
        if self._generator is None:
            sources = np.arange(rows.shape[0])
            groups = [
                _repeat(_members(target, label, sources), number, rng)
                for label, number in self._totals.items()
            ]
        else:
            rows, codes, sources = self._interpolated(rng)
            groups = [np.flatnonzero(codes == code) for code in range(len(target.classes))]
        if self._shuffle:
            groups = [rng.permutation(group) for group in groups]
            rng.shuffle(groups)
        return interleave(groups), rows, sources

    def _interpolated(self, rng: np.random.Generator) -> tuple[Any, np.ndarray, np.ndarray]:
        """Return the originals and new rows of an over-sampler, their classes and sources."""
        codes, classes = self._target.codes, self._target.classes.tolist()
        assert codes is not None  # checked before: an over-sampler needs classes
        assert self._generator is not None
        counts = np.bincount(codes)
        wanted = {code: self._totals[label] - counts[code] for code, label in enumerate(classes)}
        new, new_codes, _ = self._generator.new_rows(
            self._values, codes, wanted, int(rng.integers(2**31)), sources=False
        )
        stack = sparse.vstack if sparse.issparse(new) else np.concatenate
        rows = stack([self._values, new])
        first = {code: np.flatnonzero(codes == code) for code in wanted}
        sources = [rng.choice(first[code]) for code in new_codes.tolist()]
        all_sources = np.concatenate([np.arange(len(codes)), np.array(sources, dtype=np.intp)])
        return rows, np.concatenate([codes, new_codes]), all_sources


def _members(target: Target, label: Any, rows: np.ndarray) -> np.ndarray:
    return rows if target.labels is None else np.flatnonzero(target.labels == label)


def _repeat(rows: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    """Return `number` of the rows; each is used equally often, to within one."""
    rounds, rest = divmod(number, len(rows))
    return np.concatenate([np.tile(rows, rounds), np.sort(rng.choice(rows, rest, replace=False))])


def interleave(groups: list[np.ndarray]) -> np.ndarray:
    """Return the members of all groups in an order that spreads each group evenly.

    Consecutive members therefore hold the groups in the proportions of the whole, to within about
    one member of each group.

    Parameters
    ----------
    groups : list of ndarray
        Members of each group. Their order within the group is kept.

    Returns
    -------
    order : ndarray
        All members.

    Examples
    --------
    >>> import numpy as np
    >>> interleave([np.arange(4), np.array([7, 8])]).tolist()
    [0, 7, 1, 2, 8, 3]
    """
    places = [(np.arange(len(group)) + 0.5) / max(1, len(group)) for group in groups]
    order = np.argsort(np.concatenate(places), kind="stable")
    return np.concatenate(groups)[order].astype(np.intp)
