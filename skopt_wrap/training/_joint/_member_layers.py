"""The layers of networks whose members share weights, of several networks at once.

Values are (networks, rows, columns), or (networks, rows, members, columns) where members differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..._keras import load_tensorflow, metric_function, own_class_name
from ._layer_spec import LayerSpec


def _piecewise_embedding(layer: Any) -> list[LayerSpec]:
    n, weights = 0, tuple(layer.tables)
    stats: tuple[Any, ...] = ()
    if layer.n_numbers and layer.n_bins:
        n = layer.n_numbers
        weights = (layer.kernel, layer.slope, layer.bias, *weights)
        stats = (layer.lower, layer.upper, layer.factor)
    settings = (n, layer.n_bins, len(layer.tables))
    return [LayerSpec("PiecewiseEmbedding", settings, weights, stats)]


def _member_dense(layer: Any) -> list[LayerSpec]:
    weights = (layer.kernel, layer.inner, layer.outer, layer.bias)
    return [LayerSpec("MemberDense", (), weights)]


def _member_outputs(layer: Any) -> list[LayerSpec]:
    settings = (layer.average, int(layer.kernel.shape[0]), layer.units)
    return [LayerSpec("MemberOutputs", settings, (layer.kernel, layer.bias))]


DESCRIBERS: dict[str, Callable[[Any], list[LayerSpec]]] = {
    "PiecewiseEmbedding": _piecewise_embedding,
    "MemberDense": _member_dense,
    "MemberOutputs": _member_outputs,
}


def _embed(
    settings: tuple[Any, ...], x: Any, weights: list[Any], stats: list[Any], _training: bool
) -> Any:
    """Return embedded numbers, other columns and embedded codes, as ``PiecewiseEmbedding``."""
    tf, (n, bins, n_tables) = load_tensorflow(), settings
    shape, parts = tf.shape(x), []
    n_plain = x.shape[-1] - n_tables
    if n:
        lower, upper, factor = (tf.reshape(part, [-1, n, 1, bins]) for part in stats)
        kernel, slope, bias = weights[0], weights[1][:, :, None], weights[2][:, :, None]
        # One small product for each number: (networks, numbers, rows, bins).
        columns = tf.transpose(x[:, :, :n], (0, 2, 1))[..., None]
        shares = (tf.minimum(tf.maximum(columns, lower), upper) - lower) * factor
        values = tf.concat([shares, columns, tf.ones_like(columns)], -1)
        found = tf.transpose(values @ tf.concat([kernel, slope, bias], 2), (0, 2, 1, 3))
        parts.append(tf.reshape(found, [shape[0], shape[1], n * tf.shape(kernel)[-1]]))
    if n_plain > n:
        parts.append(x[:, :, n:n_plain])
    for i, table in enumerate(weights[len(weights) - n_tables :]):
        codes = tf.cast(x[:, :, n_plain + i], tf.int32)
        parts.append(tf.gather(table, codes, batch_dims=1))
    return tf.concat(parts, -1) if len(parts) > 1 else parts[0]


def _affine(
    _settings: tuple[Any, ...], x: Any, weights: list[Any], _stats: Any, _training: bool
) -> Any:
    """Return ``((x * inner) @ kernel) * outer + bias`` of every member."""
    tf, (kernel, inner, outer, bias) = load_tensorflow(), weights
    x = (x[:, :, None] if x.shape.rank == 3 else x) * inner[:, None]
    shape, units = tf.shape(x), tf.shape(kernel)[-1]
    z = tf.matmul(tf.reshape(x, [shape[0], -1, shape[3]]), kernel)
    return tf.reshape(z, [*tf.unstack(shape[:3]), units]) * outer[:, None] + bias[:, None]


def _answer(
    settings: tuple[Any, ...], x: Any, weights: list[Any], _stats: Any, training: bool
) -> Any:
    """Return what every member says while networks train, and the mean of it otherwise."""
    tf, (average, k, units) = load_tensorflow(), settings
    found = tf.transpose(tf.matmul(tf.transpose(x, (0, 2, 1, 3)), weights[0]), (0, 2, 1, 3))
    outputs = tf.ensure_shape(found + weights[1][:, None], [None, None, k, units])
    return outputs if training else averaged(outputs, average)


# Of settings, values, weights, what was learned without gradients, and whether networks train.
COMPUTED: dict[str, Callable[..., Any]] = {
    "PiecewiseEmbedding": _embed,
    "MemberDense": _affine,
    "MemberOutputs": _answer,
}


def averaged(outputs: Any, average: str) -> Any:
    """Return the mean of values, or of probabilities, over the last but one axis: the members."""
    tf = load_tensorflow()
    answers = {"values": tf.identity, "classes": tf.nn.softmax, "labels": tf.sigmoid}[average]
    return tf.reduce_mean(answers(outputs), -2)


def loss_of_one(loss: Any) -> Any:
    """Return the loss that each member has, or the loss itself."""
    return loss.of_one if own_class_name(loss) == "MemberLoss" else loss


def metric_of_one(metric: Any) -> Any:
    """Return the metric of the averaged answer, or the metric itself."""
    return metric.inner if own_class_name(metric) == "MemberMetric" else metric


def row_function(metric: Any) -> tuple[Callable[..., Any], Mapping[str, Any], Any]:
    """Return the function of targets and outputs that a metric averages, its options and dtype."""
    function, options = metric_function(metric_of_one(metric))
    if metric_of_one(metric) is metric:
        return function, options, metric.dtype
    average = metric.average

    def of_members(y: Any, outputs: Any, **given: Any) -> Any:
        answers = averaged(outputs, average) if outputs.shape.rank == 3 else outputs
        return function(y, answers, **given)

    return of_members, options, metric.dtype
