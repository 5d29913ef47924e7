"""Pruning and clustering on Keras 3 itself, for networks without a twin in Keras 2.

The optimizer applies the constraint of a variable after each of its updates: the constraint puts
zeros back, or the mean of the weights that share a value into each of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..._keras import load_keras, trusted_config_scope
from ...exceptions import ConversionError, UnsupportedLayerError
from .._serialization import custom_objects
from .._specs import RAMP, Clustering, Pruning
from .._tuning import Tuning, check_finite
from ._fine_tuning import fine_tune_on
from ._masks import (
    has_pattern,
    keep_largest,
    n_distinct,
    pattern_problem,
    share_values,
    zero_fraction,
)

_LEFT_ALONE = ("depthwise_kernel", "gamma", "beta", "moving_mean", "moving_variance")

Answer = tuple[Any, list[str], list[str], list[str]]


def prune_natively(model: Any, spec: Pruning, tuning: Tuning, seed: int) -> Answer:
    """Return a copy of `model` with zeros in its kernels, fine-tuned.

    Parameters
    ----------
    model : keras.Model
        Not changed.
    spec : Pruning
        How sparse. The sparsity grows from epoch to epoch.
    tuning : Tuning
        Rows and settings for fine-tuning.
    seed : int
        Of shuffling and dropout.

    Returns
    -------
    network : keras.Model
        The sparse network.
    done, skipped, notes : list of str
        Layers that were pruned, layers that were not with the reason, and remarks.

    Raises
    ------
    UnsupportedLayerError
        When there is nothing to prune.
    """
    keras = load_keras()
    network = copy_of(model)
    chosen, done, skipped = _choose(network, "pruned", lambda v: v.name != "embeddings")
    masks = {v.path: keras.Variable(np.ones(v.shape, "float32"), trainable=False) for v in chosen}
    patterns = {}
    for variable in chosen:
        problem = pattern_problem(tuple(variable.shape), spec.block)
        patterns[variable.path] = None if problem else spec.block
        if problem:
            skipped.append(f"{variable.path}: {problem}; pruned without a pattern")

    constraint: Any = keras.constraints.Constraint

    class Zeros(constraint):
        def __init__(self, mask: Any, own: Any) -> None:
            self.mask, self.own = mask, own

        def __call__(self, value: Any) -> Any:
            value = value if self.own is None else self.own(value)
            return value * keras.ops.cast(self.mask, value.dtype)

    full = max(1, math.ceil(RAMP * tuning.epochs))

    def update(epoch: int) -> None:
        part = 1.0 if spec.schedule == "constant" else min(1.0, (epoch + 1) / full)
        sparsity = spec.sparsity * (1 - (1 - part) ** 3)
        for variable in chosen:
            values = variable.numpy()
            pattern = patterns[variable.path]
            mask = keep_largest(values, sparsity, pattern)
            masks[variable.path].assign(mask.astype("float32"))
            variable.assign(values * mask)

    for variable in chosen:
        variable.constraint = Zeros(masks[variable.path], variable.constraint)
    callback = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs=None: update(epoch))
    notes = fine_tune_on(
        model, network, tuning, spec.learning_rate, seed, [callback], constrained=True,
        hold=RAMP if spec.schedule == "polynomial" else 0.0,
    )  # fmt: skip
    for variable in chosen:
        values = variable.numpy()
        wanted = 0.5 if patterns[variable.path] == "2:4" else spec.sparsity
        reached = zero_fraction(values)
        step = 1 if patterns[variable.path] in (None, "2:4") else math.prod(spec.block or ())
        if reached < wanted - step / values.size or not has_pattern(
            values, patterns[variable.path]
        ):
            raise ConversionError(
                f"{variable.path} reached a sparsity of {reached:.3f} instead of {wanted:.3f}."
            )
    return _finished(model, network), done, skipped, notes


def cluster_natively(model: Any, spec: Clustering, tuning: Tuning, seed: int) -> Answer:
    """Return a copy of `model` whose kernels hold a few values, fine-tuned.

    Parameters
    ----------
    model : keras.Model
        Not changed.
    spec : Clustering
        How many values. Which weights share one is decided once, by k-means.
    tuning : Tuning
        Rows and settings for fine-tuning.
    seed : int
        Of k-means, shuffling and dropout.

    Returns
    -------
    network : keras.Model
        The clustered network.
    done, skipped, notes : list of str
        Layers that were clustered, layers that were not with the reason, and remarks.

    Raises
    ------
    UnsupportedLayerError
        When there is nothing to cluster.
    """
    keras = load_keras()
    network = copy_of(model)
    chosen, done, skipped = _choose(
        network,
        f"clustered: no kernel with more than {spec.n_clusters} weights",
        lambda v: math.prod(v.shape) > spec.n_clusters,
    )

    constraint: Any = keras.constraints.Constraint

    class Shared(constraint):
        def __init__(self, centers: np.ndarray, labels: np.ndarray, own: Any) -> None:
            self.own = own
            n = len(centers)
            self.labels = keras.ops.convert_to_tensor(labels.ravel().astype("int32"))
            counts = np.bincount(labels.ravel(), minlength=n)
            # A zero that has to stay is a value that is multiplied by zero.
            scale = np.where(fixed & (centers == 0), 0.0, 1.0) / np.maximum(counts, 1)
            self.scale = keras.ops.convert_to_tensor(scale.astype("float32"))
            self.n = n

        def __call__(self, value: Any) -> Any:
            value = value if self.own is None else self.own(value)
            flat = keras.ops.reshape(value, (-1,))
            sums = keras.ops.segment_sum(flat, self.labels, num_segments=self.n)
            means = sums * keras.ops.cast(self.scale, value.dtype)
            return keras.ops.reshape(keras.ops.take(means, self.labels), value.shape)

    zeros = {}
    for variable in chosen:
        values = variable.numpy()
        fixed = spec.sparsity_preserving and bool((values == 0).any())
        zeros[variable.path] = (values == 0) & fixed
        centers, labels = share_values(values, spec.n_clusters, spec.init, fixed, seed % 2**32)
        variable.constraint = Shared(centers, labels, variable.constraint)
        variable.assign(variable.constraint(variable.value))
    notes = fine_tune_on(model, network, tuning, spec.learning_rate, seed, constrained=True)
    for variable in chosen:
        values = variable.numpy()
        found = n_distinct(values)
        if found > spec.n_clusters or values[zeros[variable.path]].any():
            raise ConversionError(
                f"{variable.path} has {found} distinct values instead of "
                f"{spec.n_clusters}, or lost zeros."
            )
    return _finished(model, network), done, skipped, notes


def copy_of(model: Any, weights: list[np.ndarray] | None = None) -> Any:
    """Return a copy of `model` with its weights, or with `weights`."""
    keras = load_keras()
    with trusted_config_scope(), keras.saving.custom_object_scope(custom_objects(model)):
        copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights() if weights is None else weights)
    return copy


def _finished(model: Any, network: Any) -> Any:
    """Return a fresh copy of `model` with the weights of `network`, without constraints."""
    check_finite(network)
    return copy_of(model, network.get_weights())


def _choose(
    network: Any, what: str, wanted: Callable[[Any], bool]
) -> tuple[list[Any], list[str], list[str]]:
    """Return the weights to change, the names of their layers, and the others with the reason."""
    chosen, done, skipped = [], [], []
    for layer in network.layers:
        found = [
            variable
            for variable in layer.trainable_variables
            if len(variable.shape) > 1
            and "bias" not in variable.name
            and variable.name not in _LEFT_ALONE
            and not type(layer).__name__.startswith("Depthwise")
            and wanted(variable)
        ]
        chosen += found
        if found:
            done.append(layer.name)
        elif layer.weights:
            skipped.append(f"{layer.name}: {type(layer).__name__} is not {what.partition(':')[0]}")
    if not chosen:
        raise UnsupportedLayerError(f"the network has no layer that can be {what}.")
    return chosen, done, skipped
