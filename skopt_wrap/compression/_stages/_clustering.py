"""The stage that clusters: every kernel keeps a few values, which its weights share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..._keras import copy_network, load_keras
from ...exceptions import ConversionError, ParameterError, UnsupportedLayerError
from .._fine_tuning_data import FineTuningData
from .._specs import Clustering, as_clustering, as_pruning
from .._stage import CompressionStage, StageContext, StageResult
from ._constrained_training import choose_kernels, finished
from ._fine_tuning import fine_tune_on
from ._masks import n_distinct, share_values
from ._tf_keras_stage import run_with_tfmot


@dataclass(frozen=True)
class Cluster(CompressionStage):
    """Let the weights of every kernel share a few values.

    Parameters
    ----------
    spec : Clustering
        How many, and how they are chosen.
    """

    spec: Clustering
    name = "cluster"
    order = 400
    parameters = ("clustering",)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Cluster | None:
        """Return the stage that `clustering` asks for."""
        spec, sparse = as_clustering(settings["clustering"]), as_pruning(settings["pruning"])
        if spec is None:
            return None
        if sparse and not sparse.structured and spec.sparsity_preserving and spec.n_clusters < 3:
            raise ParameterError(
                f"clustering: n_clusters must be at least 3 after pruning (zero is one of them), "
                f"got {spec.n_clusters}."
            )
        return cls(spec)

    def run(self, model: Any, context: StageContext) -> StageResult:
        """Cluster through TFMOT where it can, else on Keras 3 itself."""
        spec, tuning = self.spec, context.training_data
        try:
            return run_with_tfmot("_clustering:cluster", model, spec, context)
        except UnsupportedLayerError as error:
            result = cluster_natively(model, spec, tuning, context.seed)
            result.notes.insert(0, f"on Keras 3 itself: {str(error).rstrip('.')}")
            return result


def cluster_natively(
    model: Any, spec: Clustering, tuning: FineTuningData, seed: int
) -> StageResult:
    """Return a copy of `model` whose kernels hold a few values, fine-tuned.

    Parameters
    ----------
    model : keras.Model
        Not changed.
    spec : Clustering
        How many values. Which weights share one is decided once, by k-means.
    tuning : FineTuningData
        Rows and settings for fine-tuning.
    seed : int
        Of k-means, shuffling and dropout.

    Returns
    -------
    result : StageResult
        The clustered network, and what the report says of it.

    Raises
    ------
    UnsupportedLayerError
        When there is nothing to cluster.
    """
    keras = load_keras()
    network = copy_network(model)
    chosen, done, skipped = choose_kernels(
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
    return StageResult(finished(model, network), done, skipped, notes)
