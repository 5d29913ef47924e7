"""Weight clustering through TFMOT on a tf_keras copy. Runs in the conversion process only."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._keras import all_layers
from ...exceptions import ConversionError, UnsupportedLayerError
from .._fine_tuning_data import FineTuningData, check_finite
from .._serialization import from_payload
from .._specs import Clustering
from .._stages._masks import n_distinct
from ._fine_tuning import fine_tune, kernels
from ._tf_keras import check_copy, check_same, copy_back, to_tf_keras
from ._tfmot import cluster_weights, load_tfmot

CLUSTERABLE = (
    "Dense", "Conv1D", "Conv2D", "SeparableConv2D", "Embedding", "LSTM", "GRU", "SimpleRNN",
    "Bidirectional",
)  # fmt: skip


def cluster(
    network: dict[str, Any],
    spec: Clustering,
    tuning: FineTuningData,
    seed: int,
    check_x: np.ndarray,
) -> dict[str, Any]:
    """Cluster the weights of a network and fine-tune the values that they share.

    Parameters
    ----------
    network : dict
        Made by ``to_payload``.
    spec : Clustering
        How many values, and how they are chosen.
    tuning : FineTuningData
        Rows and settings; its ``loss`` as ``portable_loss`` returns it.
    seed : int
        Of the values, of shuffling and dropout.
    check_x : ndarray
        Rows on which both networks are compared after each step.

    Returns
    -------
    answer : dict
        ``weights`` (list of ndarray), ``done``, ``skipped``, ``notes`` (lists of str).
    """
    tfmot = load_tfmot()
    import tf_keras

    model = from_payload(network)
    check_x = check_x.astype(model.inputs[0].dtype)
    done, skipped = choose(model, spec)
    before = {layer: dict(kernels(layer)) for layer in all_layers(model)}
    tf_keras.utils.set_random_seed(seed % 2**32)
    # The wrapper reads the weights when it is built: they have to be there before.
    copy, layers = to_tf_keras(model)
    check_copy(model, copy, layers, check_x)
    chosen = {other.name: layer for layer, other in layers.items() if layer.name in done}
    init = tfmot.clustering.keras.CentroidInitialization(_INITS[spec.init])

    def wrap(other: Any) -> Any:
        if other.name not in chosen:
            return other
        sparse = any((values == 0).any() for values in before[chosen[other.name]].values())
        wrapper = cluster_weights(
            other,
            spec.n_clusters,
            init,
            preserve_sparsity=spec.sparsity_preserving and sparse and spec.n_clusters > 2,
        )
        # The wrapper would drop masks.
        wrapper.supports_masking = other.supports_masking
        wrapper.compute_mask = other.compute_mask
        return wrapper

    clustered = tf_keras.models.clone_model(copy, clone_function=wrap)
    notes = fine_tune(model, clustered, tuning, spec.learning_rate)
    stripped = tfmot.clustering.keras.strip_clustering(clustered)
    check_same(clustered, stripped, check_x, "taking the clustering wrappers off")
    copy_back({layer: stripped.get_layer(other.name) for layer, other in layers.items()})
    check_same(stripped, model, check_x, "Keras 2 to Keras 3")
    check_finite(model)
    check_clusters(model, done, spec, before)
    return {"weights": model.get_weights(), "done": done, "skipped": skipped, "notes": notes}


# Names of the initializations as TFMOT's enumeration has them.
_INITS = {
    "linear": "CentroidInitialization.LINEAR",
    "random": "CentroidInitialization.RANDOM",
    "density": "CentroidInitialization.DENSITY_BASED",
    "kmeans++": "CentroidInitialization.KMEANS_PLUS_PLUS",
}


def choose(model: Any, spec: Clustering) -> tuple[list[str], list[str]]:
    """Return the names of the layers to cluster, and the others with the reason.

    Parameters
    ----------
    model : keras.Model
        A Keras 3 network.
    spec : Clustering
        How many values a kernel may keep.

    Raises
    ------
    UnsupportedLayerError
        When there is none.
    """
    done, skipped = [], []
    for layer in _outer_layers(model):
        kind, found = type(layer).__name__, dict(kernels(layer))
        if not layer.weights:
            continue
        if kind not in CLUSTERABLE or not found:
            skipped.append(f"{layer.name}: {kind} is not clustered")
        elif all(values.size <= spec.n_clusters for values in found.values()):
            skipped.append(f"{layer.name}: it has no more than {spec.n_clusters} weights")
        else:
            done.append(layer.name)
    if not done:
        raise UnsupportedLayerError(
            "the network has no layer that can be clustered; those that can: "
            f"{', '.join(CLUSTERABLE)}, with more than {spec.n_clusters} weights."
        )
    return done, skipped


def _outer_layers(model: Any) -> list[Any]:
    """Return the layers of `model` and of networks in it, wrappers as one layer."""
    found = []
    for layer in model.layers:
        found += _outer_layers(layer) if hasattr(layer, "layers") else [layer]
    return found


def check_clusters(
    model: Any, done: list[str], spec: Clustering, before: dict[Any, dict[str, np.ndarray]]
) -> None:
    """Raise unless the kernels of `done` hold few values, and zeros where they held zeros."""
    for layer in all_layers(model):
        if layer.name not in done:
            continue
        for name, values in kernels(layer):
            found = n_distinct(values)
            if found > spec.n_clusters:
                raise ConversionError(
                    f"layer {layer.name!r}: {name} has {found} distinct values instead of "
                    f"{spec.n_clusters}."
                )
            old = before[layer].get(name)
            if spec.sparsity_preserving and old is not None and values[old == 0].any():
                lost = np.count_nonzero(values[old == 0])
                raise ConversionError(
                    f"layer {layer.name!r}: clustering gave values to {lost} weights of {name} "
                    "that pruning had set to zero."
                )
