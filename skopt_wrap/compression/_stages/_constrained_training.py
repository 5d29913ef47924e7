"""Pruning and clustering on Keras 3 itself: what both do before and after their training.

They train with constraints: the optimizer applies the constraint of a variable after each of its
updates, which puts zeros back, or the mean of the weights that share a value into each of them.
This serves networks that cannot be converted to tf_keras, where TFMOT works.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._keras import copy_network
from ...exceptions import UnsupportedLayerError
from .._fine_tuning_data import check_finite

_LEFT_ALONE = ("depthwise_kernel", "gamma", "beta", "moving_mean", "moving_variance")


def finished(model: Any, network: Any) -> Any:
    """Return a fresh copy of `model` with the weights of `network`, without constraints."""
    check_finite(network)
    return copy_network(model, network.get_weights())


def choose_kernels(
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
