"""Structured pruning: whole units and channels are removed, so that every file format shrinks.

For each hidden layer the units that matter least to the layers behind it are taken out, and those
layers' kernels are fitted anew, by least squares, to give from the units that stay what they gave
from all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import qr

from ..._keras import (
    applied_once,
    is_table_layer,
    layer_width,
    load_keras,
    next_operations,
    output_layers,
    predict_raw,
    resized,
)
from ...exceptions import UnsupportedLayerError
from .._fine_tuning_data import FineTuningData
from .._stage import StageResult
from ._fine_tuning import fine_tune_on

_PRUNED = ("Dense", "Conv1D", "Conv2D")
_WEIGHING = (*_PRUNED, "LSTM", "GRU", "SimpleRNN")
# Layers that keep channels apart, on the last axis, and have no weights.
_PASSED = frozenset(
    "Activation AveragePooling1D AveragePooling2D AlphaDropout Cropping1D Cropping2D Dropout ELU "
    "GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D "
    "GlobalMaxPooling1D GlobalMaxPooling2D LeakyReLU MaxPooling1D MaxPooling2D ReLU Rescaling "
    "SpatialDropout1D SpatialDropout2D UpSampling1D UpSampling2D ZeroPadding1D "
    "ZeroPadding2D".split()
)
_NORMALIZED = ("BatchNormalization", "LayerNormalization")
_ROWS = 512  # rows on which activations are measured
_MAX_FEATURES = 4096  # of a kernel that is fitted anew; larger ones are only cut
_RIDGE = 1e-6  # of the mean square of the activations


@dataclass
class _Route:
    """Where the units of one layer go.

    Attributes
    ----------
    layer : keras.Layer
        Owner of the units.
    consumers : list of (layer, int)
        Layers that weigh the units, and at how many positions a flattened row repeats them.
    between : list of keras.Layer
        Normalizations that hold a number for each unit.
    problem : str or None
        Why no unit can be removed.
    """

    layer: Any
    consumers: list[tuple[Any, int]] = field(default_factory=list)
    between: list[Any] = field(default_factory=list)
    problem: str | None = None


def prune_units(
    model: Any, sparsity: float, tuning: FineTuningData, *, learning_rate: float, seed: int
) -> StageResult:
    """Return a narrower network, fine-tuned.

    Parameters
    ----------
    model : keras.Model
        Built network with one input and one output; it is not changed.
    sparsity : float
        Fraction of the units of each hidden layer that are removed, in (0, 1).
    tuning : FineTuningData
        Rows and settings for fine-tuning.
    learning_rate : float
        Of Adam; falls to zero along a cosine.
    seed : int
        Of the rows that are measured, of shuffling and dropout.

    Returns
    -------
    result : StageResult
        The narrower network, layers that lost units, and layers that did not with the reason.

    Raises
    ------
    UnsupportedLayerError
        When no layer can lose a unit.

    References
    ----------
    .. [1] J.-H. Luo, J. Wu, W. Lin, "ThiNet: a filter level pruning method for deep neural network
       compression", ICCV, 2017.
    """
    routes, skipped = find_routes(model)
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(len(tuning.x))[:_ROWS])
    x = tuning.x[rows].astype(str(model.inputs[0].dtype), copy=False)
    weights = {layer.name: layer.get_weights() for layer in model.layers}
    kept: dict[str, np.ndarray] = {}
    done = []
    for route in routes:
        width = layer_width(route.layer) or 0
        n_kept = max(1, round(width * (1 - sparsity)))
        if n_kept == width:
            skipped.append(f"{route.layer.name}: too narrow ({width} units) to lose one")
            continue
        kept[route.layer.name] = _choose(model, route, weights, x, n_kept)
        done.append(f"{route.layer.name}: {width} -> {n_kept} units")
    if not done:
        raise UnsupportedLayerError(
            "structured pruning: no layer of the network can lose units: " + "; ".join(skipped)
        )
    for name, units in kept.items():
        weights[name] = [part[..., units] for part in weights[name]]
    network = resized(model, {name: len(units) for name, units in kept.items()})
    for old, new in zip(model.layers, network.layers, strict=True):
        new.set_weights(weights[old.name])  # an input layer may be called otherwise now
    notes = fine_tune_on(model, network, tuning, learning_rate, seed)
    return StageResult(network, done, skipped, notes)


def find_routes(model: Any) -> tuple[list[_Route], list[str]]:
    """Return the layers that can lose units with where these go, and the others with the reason.

    Parameters
    ----------
    model : keras.Model
        Built Sequential or Functional network.
    """
    follow, outputs = next_operations(model), output_layers(model)
    routes, skipped = [], []
    for layer in model.layers:
        if not layer.weights or type(layer).__name__ in _NORMALIZED or is_table_layer(layer):
            continue
        if type(layer).__name__ not in _PRUNED:
            skipped.append(f"{layer.name}: {type(layer).__name__} keeps its units")
            continue
        route = _Route(layer)
        if layer.name in outputs:
            route.problem = "its units are the network's outputs"
        elif not applied_once(layer):
            route.problem = "it is applied more than once"
        elif getattr(layer, "groups", 1) != 1 or _channels_first(layer):
            route.problem = "it has groups, or its channels come first"
        else:
            _walk(layer, 1, route, follow)
        if route.problem is None and not route.consumers:
            route.problem = "nothing weighs its units"
        if route.problem is None:
            routes.append(route)
        else:
            skipped.append(f"{layer.name}: {route.problem}")
    return routes, skipped


def _walk(operation: Any, positions: int, route: _Route, follow: dict[str, list[Any]]) -> None:
    """Follow the units of ``route.layer`` from `operation` to the layers that weigh them."""
    for after in follow[operation.name]:
        kind = type(after).__name__
        if kind in _WEIGHING and applied_once(after) and getattr(after, "groups", 1) == 1:
            route.consumers.append((after, positions))
        elif not applied_once(after):
            route.problem = f"{after.name!r} behind it is applied more than once"
        elif kind in _NORMALIZED and positions == 1 and _on_last_axis(after):
            route.between.append(after)
            _walk(after, positions, route, follow)
        elif kind == "Flatten" and not _channels_first(after):
            shape = after.input.shape
            _walk(after, positions * int(np.prod(shape[1:-1], dtype=int)), route, follow)
        elif kind in _PASSED and not _channels_first(after):
            _walk(after, positions, route, follow)
        else:
            route.problem = f"{kind} {after.name!r} behind it needs them all"


def _channels_first(layer: Any) -> bool:
    return getattr(layer, "data_format", None) == "channels_first"


def _on_last_axis(layer: Any) -> bool:
    axis = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    return list(axis) in ([-1], [len(layer.input.shape) - 1])


def _choose(
    model: Any, route: _Route, weights: dict[str, list[np.ndarray]], x: np.ndarray, n_kept: int
) -> np.ndarray:
    """Choose the units that stay, and fit the layers behind to them; change `weights`."""
    keras = load_keras()
    width = layer_width(route.layer) or 0
    gram = np.zeros((width, width))
    seen = []
    for consumer, positions in route.consumers:
        inputs = predict_raw(keras.Model(model.inputs[0], consumer.input), x).astype(float)
        kernel = np.asarray(weights[consumer.name][0], dtype=float)
        # One row of numbers for each input channel of the kernel.
        by_channel = np.moveaxis(kernel, -2, 0).reshape(kernel.shape[-2], -1)
        weighed = inputs.reshape(-1, inputs.shape[-1]) * np.linalg.norm(by_channel, axis=1)
        weighed = (weighed - weighed.mean(axis=0)).reshape(-1, width)
        gram += weighed.T @ weighed
        seen.append((consumer, positions, inputs, kernel))
    units = np.sort(spanning(gram)[:n_kept])
    for consumer, positions, inputs, kernel in seen:
        channels = (np.arange(positions)[:, None] * width + units).ravel()
        _cut_inputs(consumer, weights, inputs, kernel, channels)
    for layer in route.between:
        weights[layer.name] = [part[units] for part in weights[layer.name]]
    return units


def spanning(gram: np.ndarray) -> np.ndarray:
    """Order features so that the first ones say most of what all of them say.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features)
        Inner products of the features.

    Returns
    -------
    order : ndarray of shape (n_features,)
        Each next feature is the one that those before it explain least, as in a QR decomposition
        with pivoting: of two features that repeat each other one comes late.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.compression._stages._structured_pruning import spanning
    >>> spanning(np.array([[9.0, 9.0, 0.0], [9.0, 9.0, 0.0], [0.0, 0.0, 1.0]])).tolist()
    [0, 2, 1]
    """
    values, vectors = np.linalg.eigh(gram)
    root = np.sqrt(np.clip(values, 0.0, None))[:, None] * vectors.T
    order: np.ndarray = qr(root, mode="r", pivoting=True)[1]
    return order


def _cut_inputs(
    consumer: Any,
    weights: dict[str, list[np.ndarray]],
    inputs: np.ndarray,
    kernel: np.ndarray,
    channels: np.ndarray,
) -> None:
    """Let `consumer` take the `channels` of its input alone, and give nearly what it gave."""
    stay = np.take(kernel, channels, axis=-2)
    patches = _patches(consumer, inputs)
    if patches is not None:
        n_in, n_out = kernel.shape[-2:]
        flat = kernel.reshape(-1, n_out)
        places = np.arange(len(flat)).reshape(-1, n_in)[:, channels].ravel()
        fitted, shift = refit(patches, flat, places)
        stay = fitted.reshape(stay.shape)
        own = weights[consumer.name]
        if getattr(consumer, "use_bias", False):
            bias = own[-1]
            moved = bias[0] + shift if bias.ndim == 2 else bias + shift
            own[-1] = np.stack([moved, bias[1]]) if bias.ndim == 2 else moved
    weights[consumer.name][0] = stay.astype(weights[consumer.name][0].dtype)


def _patches(consumer: Any, inputs: np.ndarray) -> np.ndarray | None:
    """Return what the kernel of `consumer` is multiplied with, or None when that is too wide."""
    if type(consumer).__name__ not in ("Conv1D", "Conv2D"):
        return inputs.reshape(-1, inputs.shape[-1])
    size = consumer.kernel_size
    if int(np.prod(size)) * inputs.shape[-1] > _MAX_FEATURES or consumer.padding == "causal":
        return None
    strides, dilation = consumer.strides, consumer.dilation_rate
    if len(size) == 1:
        inputs = inputs[:, None]
        size, strides, dilation = (1, *size), (1, *strides), (1, *dilation)
    found = load_keras().ops.image.extract_patches(
        inputs.astype("float32"), size, strides, max(dilation), consumer.padding, "channels_last"
    )
    found = np.asarray(found, dtype=float)
    return found.reshape(-1, found.shape[-1])


def refit(
    features: np.ndarray, kernel: np.ndarray, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the kernel on some features that comes nearest to the kernel on all of them.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
        What the kernel is multiplied with.
    kernel : ndarray of shape (n_features, n_outputs)
        The kernel on all features.
    kept : ndarray of shape (n_kept,), int
        Features that stay.

    Returns
    -------
    fitted : ndarray of shape (n_kept, n_outputs)
        Solution of a ridge regression on centered features.
    shift : ndarray of shape (n_outputs,)
        What the bias has to grow by.

    Examples
    --------
    A feature that repeats another one can go:

    >>> import numpy as np
    >>> from skopt_wrap.compression._stages._structured_pruning import refit
    >>> a = np.random.default_rng(0).normal(size=(100, 1))
    >>> fitted, shift = refit(np.hstack([a, a]), np.array([[1.0], [2.0]]), np.array([0]))
    >>> fitted.round(2).tolist()
    [[3.0]]
    """
    mean = features.mean(axis=0)
    centered = features - mean
    gram = centered.T @ centered / len(features)
    ridge = _RIDGE * float(np.mean(np.diag(gram))) + np.finfo(float).tiny
    inner = gram[np.ix_(kept, kept)] + ridge * np.eye(len(kept))
    # The kept part of the kernel is the starting point: what data do not say stays as it was.
    rest = gram[kept] @ kernel - gram[np.ix_(kept, kept)] @ kernel[kept]
    fitted = kernel[kept] + np.linalg.solve(inner, rest)
    return fitted, mean @ kernel - mean[kept] @ fitted
