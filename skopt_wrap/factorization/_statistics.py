"""Statistics of a network on rows: inputs of its layers, and sensitivity of its output to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._keras import load_keras, load_tensorflow, rebuild

Array = np.ndarray

# Widest layer input whose covariance is estimated: 8 bytes times its square.
MAX_INPUTS = 6000
_MAX_OUTPUTS = 6000
_BATCH = 256
# Patches of a convolution that a batch contributes at most.
_MAX_PATCHES = 8192


@dataclass
class TargetLayer:
    """A layer that may be factorized.

    Parameters
    ----------
    layer : keras.Layer
        In the network that was given.
    kind : {"dense", "convolution", "embedding"}
        What it is.
    """

    layer: Any
    kind: str

    @property
    def kernel(self) -> Array:
        """The kernel in float64, (k, c_in, c_out) for a convolution."""
        if self.kind == "embedding":
            return np.asarray(load_keras().ops.convert_to_numpy(self.layer.embeddings), float)
        kernel = np.asarray(load_keras().ops.convert_to_numpy(self.layer.kernel), float)
        return kernel.reshape(-1, *kernel.shape[-2:]) if self.kind == "convolution" else kernel

    @property
    def bias(self) -> Array | None:
        """The bias in float64, or None."""
        bias = getattr(self.layer, "bias", None)
        return None if bias is None else np.asarray(load_keras().ops.convert_to_numpy(bias), float)


class Network:
    """A copy of a network in which kernels can be exchanged, and layers be listened to.

    Activations of its layers stand apart, so that what a kernel computes is seen before them.

    Parameters
    ----------
    model : keras.Model
        Built Sequential or Functional.
    targets : dict of str to TargetLayer
        Layers by name.
    """

    def __init__(self, model: Any, targets: dict[str, TargetLayer]) -> None:
        keras = load_keras()
        parts: dict[str, list[Any]] = {}
        for name, target in targets.items():
            config = target.layer.get_config()
            if target.kind == "embedding":
                parts[name] = [type(target.layer).from_config(config)]
                continue
            plain = type(target.layer).from_config({**config, "activation": "linear"})
            after = keras.layers.Activation(
                target.layer.activation, name=f"{name}_activation", dtype=target.layer.dtype_policy
            )
            parts[name] = [plain, after]
        self.model = rebuild(model, parts, functional=True)
        self.layers = {name: chain[0] for name, chain in parts.items()}
        for name, target in targets.items():
            self.layers[name].set_weights(target.layer.get_weights())
        self._inputs = {name: layer.input for name, layer in self.layers.items()}
        self._outputs = {name: layer.output for name, layer in self.layers.items()}
        self._last = self.model.outputs[0]
        for name, chain in parts.items():
            is_last = len(chain) > 1 and chain[1].output is self.model.outputs[0]
            if is_last and _name_of(targets[name].layer.activation) in ("softmax", "sigmoid"):
                self._last = self._outputs[name]  # logits: probabilities saturate
        self._taps: dict[tuple[str, ...], Any] = {}

    def assign(self, name: str, kernel: Array, bias: Array | None = None) -> None:
        """Exchange the kernel, and the bias, of a layer."""
        layer = self.layers[name]
        variable = layer.embeddings if hasattr(layer, "embeddings") else layer.kernel
        variable.assign(kernel.reshape(variable.shape))
        if bias is not None:
            layer.bias.assign(bias)

    def outputs(self, x: Array) -> Array:
        """Return the network's outputs."""
        return outputs_of(self.model, x)

    def seen_by(self, name: str, x: Array) -> Iterator[Array]:
        """Yield what a layer gets, batch by batch."""
        keras = load_keras()
        key = ("seen", name)
        if key not in self._taps:
            self._taps[key] = keras.Model(self.model.inputs[0], self._inputs[name])
        for rows in batches(x):
            yield self._taps[key](rows, training=False)

    def output_metrics(self, x: Array, seed: int) -> dict[str, Array]:
        """Return, for each layer, the mean outer product of slopes at its outputs.

        The slopes are those of random projections of the network's output (before a softmax or
        sigmoid), one projection a row.
        """
        keras, tf = load_keras(), load_tensorflow()
        names = [n for n, t in self._outputs.items() if t.shape[-1] <= _MAX_OUTPUTS]
        tapped = keras.Model(self.model.inputs[0], [*(self._outputs[n] for n in names), self._last])
        sums: dict[str, Array] = {}
        rng = np.random.default_rng(seed)
        for rows in batches(x):
            with tf.GradientTape() as tape:
                # Watched through the inputs: frozen layers have no watched variables.
                fed = tf.convert_to_tensor(rows)
                if fed.dtype.is_floating:
                    tape.watch(fed)
                *targets, last = tapped(fed, training=False)
                probe = rng.choice([-1.0, 1.0], size=last.shape)
                if len(last.shape) == 2 and last.shape[-1] > 1:
                    probe -= probe.mean(axis=-1, keepdims=True)
                projected = tf.reduce_sum(tf.cast(last, "float32") * probe.astype("float32"))
            slopes = tape.gradient(projected, targets)
            for name, slope in zip(names, slopes, strict=True):
                if slope is None:
                    continue
                slope = tf.convert_to_tensor(slope)
                flat = np.asarray(slope, float).reshape(-1, slope.shape[-1])
                sums[name] = sums.get(name, 0) + flat.T @ flat
        return {name: total / len(x) for name, total in sums.items() if np.trace(total) > 0}


def _name_of(activation: Any) -> str:
    return getattr(activation, "__name__", type(activation).__name__)


def outputs_of(model: Any, x: Array) -> Array:
    """Return what a network answers for the rows of `x`, in float64."""
    keras = load_keras()
    parts = [model(rows, training=False) for rows in batches(x)]
    return np.concatenate([keras.ops.convert_to_numpy(part) for part in parts]).astype(float)


def batches(x: Array) -> Iterator[Array]:
    """Yield up to 256 rows at a time."""
    for start in range(0, len(x), _BATCH):
        yield x[start : start + _BATCH]


def as_rows(target: TargetLayer, seen: Any, seed: int) -> Array:
    """Return what the kernel of a layer is multiplied with: rows, or patches of images.

    Parameters
    ----------
    target : TargetLayer
        Dense or convolution.
    seen : tensor of shape (n_rows, ..., n_channels)
        What the layer gets.
    seed : int
        Draws the patches; equal seeds draw the same.
    """
    tf = load_tensorflow()
    seen = tf.cast(seen, "float32")
    if target.kind == "dense":
        return np.asarray(seen, float).reshape(-1, seen.shape[-1])
    layer = target.layer
    size, strides, rates = layer.kernel_size, layer.strides, layer.dilation_rate
    if len(size) == 1:
        seen = seen[:, None]
        size, strides, rates = ((1, *pair) for pair in (size, strides, rates))
    patches = tf.image.extract_patches(
        seen, (1, *size, 1), (1, *strides, 1), (1, *rates, 1), layer.padding.upper()
    )
    flat = tf.reshape(patches, (-1, patches.shape[-1]))
    if len(flat) > _MAX_PATCHES:
        rows = np.random.default_rng(seed).choice(len(flat), _MAX_PATCHES, replace=False)
        flat = tf.gather(flat, np.sort(rows))
    return np.asarray(flat, float)


@dataclass
class Moments:
    """First and second moments of what a layer gets.

    Parameters
    ----------
    mean, mean_before : ndarray of shape (n_inputs,)
        Of the inputs now, and before the layers in front were replaced; zero for a layer without
        a bias that could take up a shift.
    covariance : ndarray of shape (n_inputs, n_inputs) or (n_inputs,)
        Around the mean; for an embedding, the frequencies of its tokens.
    cross : ndarray of shape (n_inputs, n_inputs)
        Covariance between the inputs now (rows) and before (columns).
    """

    mean: Array
    mean_before: Array
    covariance: Array
    cross: Array


def moments(target: TargetLayer, before: Network, now: Network | None, x: Array) -> Moments | None:
    """Return the moments of a layer's inputs, or None where it has too many.

    Parameters
    ----------
    target : TargetLayer
        The layer.
    before : Network
        The network as it was.
    now : Network or None
        The network whose layers in front are replaced; None is `before` itself.
    x : ndarray of shape (n_rows, ...)
        Rows.
    """
    name, kernel = target.layer.name, target.kernel
    size = kernel.reshape(-1, kernel.shape[-1]).shape[0]
    if target.kind == "embedding":
        counts = np.ones(size)  # every token counts at least once
        for seen in before.seen_by(name, x):
            counts += np.bincount(np.asarray(seen, int).ravel(), minlength=size)[:size]
        covariance = counts / counts.sum()
        return Moments(np.zeros(size), np.zeros(size), covariance, covariance)
    if size > MAX_INPUTS:
        return None
    n, total, total_before = 0, np.zeros(size), np.zeros(size)
    square, mixed = np.zeros((size, size)), np.zeros((size, size))
    others: Any = before.seen_by(name, x)
    current = now.seen_by(name, x) if now is not None else None
    for index, seen in enumerate(others):
        rows = as_rows(target, seen, index)
        ours = rows if current is None else as_rows(target, next(current), index)
        n += len(rows)
        total_before += rows.sum(axis=0)
        total += ours.sum(axis=0)
        square += ours.T @ ours
        if current is not None:
            mixed += ours.T @ rows
    mean, mean_before = total / n, total_before / n
    if target.bias is None:
        mean, mean_before = 0 * mean, 0 * mean_before
    covariance = square / n - np.outer(mean, mean)
    cross = covariance if current is None else mixed / n - np.outer(mean, mean_before)
    return Moments(mean, mean_before, covariance, cross)
