"""The names of TFMOT that its public API leaves out. Runs in the conversion process only.

TFMOT may change them in any release: they are imported here and nowhere else.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any


def load_tfmot() -> Any:
    """Import TFMOT and leave the environment and ``tf.keras`` as they were.

    Its import sets ``TF_USE_LEGACY_KERAS``, which would turn ``tf.keras`` into Keras 2 here and
    in every process started later.
    """
    import tensorflow as tf

    # The lazy loader settles on Keras 3 when it is asked for something before TFMOT is.
    _ = tf.keras.layers
    before = os.environ.get("TF_USE_LEGACY_KERAS")
    try:
        import tensorflow_model_optimization as tfmot
    finally:
        if before is None:
            os.environ.pop("TF_USE_LEGACY_KERAS", None)
        else:
            os.environ["TF_USE_LEGACY_KERAS"] = before
    return tfmot


def cluster_weights(layer: Any, n_clusters: int, init: Any, *, preserve_sparsity: bool) -> Any:
    """Return a wrapper of a tf_keras layer that clusters its weights; zeros stay on demand."""
    from tensorflow_model_optimization.python.core.clustering.keras.experimental import cluster

    return cluster.cluster_weights(layer, n_clusters, init, preserve_sparsity=preserve_sparsity)


def quantize_scheme(tfmot: Any, sparsity: bool, clusters: bool) -> Any:
    """Return how TFMOT quantizes every layer, keeping zeros and shared values where asked."""
    combine = tfmot.experimental.combine
    if clusters:
        return combine.Default8BitClusterPreserveQuantizeScheme(preserve_sparsity=sparsity)
    if sparsity:
        return combine.Default8BitPrunePreserveQuantizeScheme()
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_quantize_scheme as plain,
    )

    return plain.Default8BitQuantizeScheme()


def quantize_configs() -> dict[str, Any]:
    """Return the classes that say how a layer is quantized, and the registry of known layers."""
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_quantize_configs as configs,
    )
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_quantize_registry as registries,
    )

    return {
        "NoOpQuantizeConfig": configs.NoOpQuantizeConfig,
        "Default8BitQuantizeConfig": registries.Default8BitQuantizeConfig,
        "registry": registries.Default8BitQuantizeRegistry(),
    }


def kernel_quantize_config(sparsity: bool, clusters: bool) -> Any:
    """Return how a layer with a kernel and an activation is quantized."""
    config = quantize_configs()["Default8BitQuantizeConfig"](["kernel"], ["activation"], False)
    config.weight_quantizer = _quantizer(config.weight_quantizer, sparsity, clusters)
    return config


def is_folded(other: Any) -> bool:
    """Return whether a normalization follows a linear kernel, as TFMOT folds it."""
    if type(other).__name__ != "BatchNormalization":
        return False
    before = other._inbound_nodes[0].inbound_layers
    return (
        type(before).__name__ in ("Conv2D", "DepthwiseConv2D", "Conv2DTranspose", "Dense")
        and before.activation.__name__ == "linear"
        and len(before._outbound_nodes) == 1
    )


def _quantizer(plain: Any, sparsity: bool, clusters: bool) -> Any:
    """Return the quantizer of dense kernels that keeps what has to be kept."""
    start = "tensorflow_model_optimization.python.core.quantization.keras.collab_opts"
    if clusters:
        module = import_module(f"{start}.cluster_preserve.cluster_preserve_quantize_registry")
        return module.ClusterPreserveDefault8BitWeightsQuantizer(sparsity)
    if sparsity:
        module = import_module(f"{start}.prune_preserve.prune_preserve_quantize_registry")
        return module.PrunePreserveDefault8BitWeightsQuantizer()
    return plain
