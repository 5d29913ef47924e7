"""The layers of this package's networks for tables, of several networks at once.

Values are (networks, rows, columns). What a layer learned without gradients comes flat, one row for
each network.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi
from typing import Any

from ..._keras import load_tensorflow, own_class_name
from ._layer_spec import LayerSpec, activated


def is_grouped(optimizer: Any) -> bool:
    """Return whether groups of variables have rates and decays of their own."""
    return own_class_name(optimizer) == "GroupedAdam"


def groups_of(optimizer: Any) -> list[tuple[float, float]]:
    """Return of each variable the factor of its rate, and its decay at a rate of 1."""
    left = optimizer.decay * float(optimizer.left)
    pairs = zip(optimizer.rate_factors, optimizer.decaying, strict=True)
    return [(factor, factor * left * decays) for factor, decays in pairs]


def _tangent_dense(layer: Any) -> list[LayerSpec]:
    return [LayerSpec("TangentDense", (float(layer.share),), (layer.kernel, layer.bias))]


def _parametric_activation(layer: Any) -> list[LayerSpec]:
    made = activated(layer)
    settings = made[0].settings if made else ()
    return [LayerSpec("ParametricActivation", settings, (layer.alpha,))]


def _fading_dropout(layer: Any) -> list[LayerSpec]:
    if not layer.rate:
        return []
    seed = layer.seed_generator.state
    return [LayerSpec("FadingDropout", seed=seed, rate=float(layer.rate), left=layer.left)]


def _feature_scale(layer: Any) -> list[LayerSpec]:
    return [LayerSpec("FeatureScale", (), (layer.scale,))]


def _robust_scale(layer: Any) -> list[LayerSpec]:
    return [LayerSpec("RobustScale", stats=(layer.center, layer.factor))]


def _table_embedding(layer: Any) -> list[LayerSpec]:
    n = layer.n_numbers if layer.n_frequencies else 0
    weights = tuple(layer.tables)
    if n:
        weights = (layer.frequencies, layer.phases, layer.kernel, layer.bias, *weights)
    return [LayerSpec("TableEmbedding", (n, len(layer.tables)), weights)]


DESCRIBERS: dict[str, Callable[[Any], list[LayerSpec]]] = {
    "TangentDense": _tangent_dense,
    "ParametricActivation": _parametric_activation,
    "FadingDropout": _fading_dropout,
    "FeatureScale": _feature_scale,
    "RobustScale": _robust_scale,
    "TableEmbedding": _table_embedding,
}


def _scaled_affine(settings: tuple[Any, ...], x: Any, weights: list[Any], _stats: Any) -> Any:
    """Return ``x @ kernel * share + bias``, whose gradient multiplies by `share` once."""
    tf, share = load_tensorflow(), settings[0]

    @tf.custom_gradient
    def affine(x: Any, kernel: Any, bias: Any) -> Any:
        def gradient(upstream: Any) -> tuple[Any, Any, Any]:
            scaled = upstream * share
            return (
                tf.raw_ops.BatchMatMul(x=scaled, y=kernel, adj_y=True),
                tf.raw_ops.BatchMatMul(x=x, y=scaled, adj_x=True),
                tf.reduce_sum(upstream, 1),
            )

        return tf.raw_ops.BatchMatMul(x=x, y=kernel) * share + bias[:, None], gradient

    return affine(x, *weights)


def _activate_in_part(settings: tuple[Any, ...], x: Any, weights: list[Any], _stats: Any) -> Any:
    activated = settings[0](x) if settings else x
    return x + weights[0][:, None] * (activated - x)


def _scale(_settings: tuple[Any, ...], x: Any, weights: list[Any], _stats: Any) -> Any:
    return x * weights[0][:, None]


def _scale_robustly(_settings: tuple[Any, ...], x: Any, _weights: Any, stats: list[Any]) -> Any:
    tf = load_tensorflow()
    z = (x - stats[0][:, None]) * stats[1][:, None]
    return z / tf.sqrt(1.0 + tf.square(z / 3.0))


def _embed(settings: tuple[Any, ...], x: Any, weights: list[Any], _stats: Any) -> Any:
    """Return embedded numbers, plain columns and embedded codes, as ``TableEmbedding``."""
    tf, (n, n_tables) = load_tensorflow(), settings
    shape, parts = tf.shape(x), []
    tables = weights[len(weights) - n_tables :]
    n_plain = x.shape[-1] - n_tables
    if n:
        frequencies, phases, kernel, bias = weights[:4]
        # Small products for each number, (networks, numbers, rows, k); gradients of products are
        # products, where those of a sum with a bias would add up rows.
        columns = tf.transpose(x[:, :, :n], (0, 2, 1))[..., None]
        ones = tf.ones_like(columns)
        angles = tf.concat([2 * pi * columns, ones], -1) @ tf.stack([frequencies, phases], 2)
        found = tf.concat([tf.cos(angles), ones], -1) @ tf.concat([kernel, bias[:, :, None]], 2)
        width = n * tf.shape(kernel)[-1]
        parts.append(tf.reshape(tf.transpose(found, (0, 2, 1, 3)), [shape[0], shape[1], width]))
    parts.append(x[:, :, :n_plain])
    for i, table in enumerate(tables):
        codes = tf.cast(x[:, :, n_plain + i], tf.int32)
        parts.append(tf.gather(table, codes, batch_dims=1))
    return tf.concat(parts, -1) if len(parts) > 1 else parts[0]


# Of settings, values, weights and what was learned without gradients.
COMPUTED: dict[str, Callable[..., Any]] = {
    "TangentDense": _scaled_affine,
    "ParametricActivation": _activate_in_part,
    "FeatureScale": _scale,
    "RobustScale": _scale_robustly,
    "TableEmbedding": _embed,
}
