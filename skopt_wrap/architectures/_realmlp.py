"""A network for tables that is good as it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._keras import load_keras, predict_raw
from ..exceptions import ModelError, ParameterError
from ._architecture import Architecture
from ._blocks import check_fraction, widths
from ._recipe import Recipe

# Rows from which the first weights are set.
_START_ROWS = 4096


def realmlp(
    meta: Mapping[str, Any],
    *,
    units: int | Sequence[int] = 256,
    n_layers: int = 3,
    activation: str = "auto",
    dropout: float = 0.15,
    n_frequencies: int = 16,
    frequency_scale: float = 0.1,
    embedding_width: int = 3,
    category_width: int = 8,
    scale_rate: float = 6.0,
    embedding_rate: float = 0.1,
    first_layer_rate: float = 1.0,
    label_smoothing: float | str = "auto",
) -> Any:
    r"""Build a fully connected network for tables whose defaults were tuned on many tables.

    RealMLP [1]_: numbers pass an embedding by cosines of their own and a layer of learned scales;
    three wide layers in neural tangent parametrisation follow, with an activation whose strength
    is learned for each unit, and dropout that fades out. Its recipe sets the first weights from
    training rows and trains it by Adam with rates and weight decay for each group of variables,
    along a learning rate of four cycles, with label smoothing. The weights of the epoch that is
    best on a fifth of the rows are kept, and a classifier's logits are divided by the temperature
    that minimises the log loss of these rows.

    Parameters
    ----------
    meta : mapping
        What the estimator knows of the data; see :class:`skopt_wrap.KerasClassifier`.
    units : int or sequence of int, default=256
        Width of every hidden layer, or one width per layer (then `n_layers` is not used).
    n_layers : int, default=3
        Number of hidden layers.
    activation : str, default="auto"
        Any Keras activation; "auto" takes "selu" for classes and "mish" for numbers.
    dropout : float, default=0.15
        Fraction of a hidden layer's outputs dropped while training, in [0, 1). It falls to 0 in
        the second half of the training.
    n_frequencies : int, default=16
        Cosines that embed each number; 0 leaves the embedding out.
    frequency_scale : float, default=0.1
        Standard deviation of the first frequencies.
    embedding_width : int, default=3
        Values that the cosines of a number are reduced to; the number itself is kept besides.
    category_width : int, default=8
        Values that stand for a category of many values.
    scale_rate : float, default=6.0
        Factor of the learning rate of the layer of scales.
    embedding_rate : float, default=0.1
        Factor of the learning rate of the embedding of numbers.
    first_layer_rate : float, default=1.0
        Factor of the learning rate of the first hidden layer's kernel.
    label_smoothing : float or "auto", default="auto"
        Share of a row's target that an estimator spreads over all classes while it trains, in
        [0, 1); "auto" takes that of the recipe, 0.1, which is good for accuracy. 0 is better for
        scores of probabilities: the best epoch is then the one of least log loss on the held-out
        rows. Numbers have no labels to smooth. The function itself does not use it.

    Returns
    -------
    model : keras.Model
        Uncompiled, ending in ``meta["n_outputs_expected_"]`` linear units.

    Raises
    ------
    ModelError
        When rows are no rows of a table.
    ParameterError
        When a parameter breaks its rule.

    References
    ----------
    .. [1] D. Holzmüller, L. Grinsztajn, I. Steinwart, "Better by default: strong pre-tuned MLPs
       and boosted trees on tabular data", NeurIPS 2024.

    Examples
    --------
    >>> from skopt_wrap.architectures import realmlp
    >>> meta = {"X_shape_": (150, 4), "n_outputs_expected_": 3, "target_type_": "multiclass"}
    >>> realmlp(meta, units=64).output_shape
    (None, 3)
    """
    keras = load_keras()
    from . import _hidden_layers as layers
    from ._table_layers import FeatureScale, TableEmbedding

    hidden = widths("units", units, n_layers)
    check_fraction("dropout", dropout)
    if label_smoothing != "auto":
        check_fraction("label_smoothing", label_smoothing)  # type: ignore[arg-type]
    for name, value in (
        ("frequency_scale", frequency_scale),
        ("scale_rate", scale_rate),
        ("embedding_rate", embedding_rate),
        ("first_layer_rate", first_layer_rate),
    ):
        check_positive(name, value)
    widths("embedding_width", embedding_width, 1)
    widths("category_width", category_width, 1)
    if isinstance(n_frequencies, bool) or not isinstance(n_frequencies, int) or n_frequencies < 0:
        raise ParameterError(f"model__n_frequencies must be an int >= 0, got {n_frequencies!r}.")
    if activation == "auto":
        activation = "mish" if is_regression(meta) else "selu"
    inputs, tensor, table = open_table("realmlp", meta)
    tensor = TableEmbedding(
        table.n_numbers,
        table.cardinalities,
        n_frequencies=n_frequencies,
        width=embedding_width,
        frequency_scale=frequency_scale,
        category_width=category_width,
        rate_factor=embedding_rate,
        name="embedding",
    )(tensor)
    tensor = FeatureScale(scale_rate, name="scale")(tensor)
    for i, width in enumerate(hidden):
        rate = 1.0 if i else first_layer_rate
        tensor = layers.TangentDense(width, rate, name=f"hidden_{i}")(tensor)
        tensor = layers.ParametricActivation(activation, name=f"activation_{i}")(tensor)
        if dropout:
            tensor = layers.FadingDropout(dropout, name=f"dropout_{i}")(tensor)
    outputs = layers.TangentDense(meta["n_outputs_expected_"], name="outputs")(tensor)
    return keras.Model(inputs, outputs, name="realmlp")


def check_positive(name: str, value: Any) -> None:
    """Raise unless `value` is a number above 0."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not 0 < value < np.inf:
        raise ParameterError(f"model__{name} must be a number > 0, got {value!r}.")


def is_regression(meta: Mapping[str, Any]) -> bool:
    """Whether the target holds numbers and no classes."""
    return str(meta.get("target_type_", "")).startswith("continuous")


def open_table(name: str, meta: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Return the input tensor for rows of a table, the scaled rows, and how they are arranged.

    A table that the estimator has prepared is scaled already.
    """
    keras = load_keras()
    from ._table_layers import RobustScale
    from ._table_layout import TableLayout

    shape = tuple(meta["X_shape_"][1:])
    if len(shape) != 1:
        raise ModelError(
            f"model={name!r} takes tables, one row of numbers for each sample; X has shape "
            f"{tuple(meta['X_shape_'])}. Take 'cnn' or 'lstm' for images and sequences."
        )
    inputs = keras.Input(shape, dtype=keras.config.floatx())
    table = meta.get("table_")
    if table is not None:
        return inputs, inputs, table
    return inputs, RobustScale(name="robust_scale")(inputs), TableLayout(shape[0])


def start_table_network(network: Any, data: Any, rng: np.random.Generator) -> None:
    """Set scales and first weights of a network for tables from training rows, layer by layer."""
    weights = np.asarray(data.weights, float)
    if not weights.sum() > 0:
        weights = np.ones(len(data))
    n_drawn = min(_START_ROWS, int((weights > 0).sum()))
    used = np.flatnonzero(weights > 0)
    if len(used) > n_drawn or len(np.unique(weights[used])) > 1:
        # Drawn as often as their weights say, so that a weight of 2 counts like two equal rows.
        used = rng.choice(len(data), size=n_drawn, p=weights / weights.sum())
    values = None
    last = max(i for i, layer in enumerate(network.layers) if hasattr(layer, "start"))
    for layer in network.layers[1 : last + 1]:
        if values is None:
            values = data.take(np.sort(used))[0]
            if hasattr(layer, "learn"):
                everything = data.take(np.arange(len(data)))[0]
                layer.learn(np.asarray(everything, float), weights)
        if hasattr(layer, "start"):
            layer.start(np.asarray(values, float), rng)
        values = np.asarray(layer(values))


def fit_temperature(network: Any, held_out: Any) -> None:
    """Divide the logits of a classifier by the temperature of least log loss on held-out rows."""
    loss = network.loss
    sparse = type(loss).__name__ == "SparseCategoricalCrossentropy"  # of labels not smoothed
    if not sparse and type(loss).__name__ not in ("BinaryCrossentropy", "CategoricalCrossentropy"):
        return
    x, y, weights = held_out.take(np.arange(len(held_out)))
    logits = np.asarray(predict_raw(network, x), float)
    if sparse:
        y = np.eye(logits.shape[1])[np.ravel(y).astype(int)]
    factor = 1 / best_temperature(logits, y, np.asarray(weights, float))
    network.layers[-1].rescale(factor)


def best_temperature(logits: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    """Return the number by which to divide logits for the least log loss, in [1/5, 5].

    One more row, to which all classes are equally likely, keeps a few rows that are all right from
    asking for certainty.

    Parameters
    ----------
    logits : ndarray of shape (n_rows, n_units)
        Logits of classes, or of one or several independent labels.
    y : ndarray of shape (n_rows, n_units)
        Indicators of the classes (one in each row), or of the labels.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.

    Returns
    -------
    temperature : float
        Greater than 1 where the network is too sure.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.architectures._realmlp import best_temperature
    >>> logits, y = np.full((4, 1), 4.0), np.array([[1.0], [1.0], [1.0], [0.0]])
    >>> round(best_temperature(logits, y, np.ones(4)), 2)  # 4 / 4.72 gives probability 3.5/5
    4.72
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    y = np.asarray(y, float).reshape(logits.shape)
    independent = logits.shape[1] == 1 or not np.allclose(y.sum(axis=1), 1)
    n_classes = 2 if independent else logits.shape[1]
    y = (y * weights.sum() + 1 / n_classes) / (weights.sum() + 1)

    def log_loss(exponent: float) -> float:
        z = logits / np.exp(exponent)
        if independent:
            losses = (np.logaddexp(0.0, z) - y * z).sum(axis=1)
        else:
            losses = -(y * log_softmax(z, axis=1)).sum(axis=1)
        return float(losses @ weights / weights.sum())

    limit = np.log(5.0)
    found = minimize_scalar(log_loss, bounds=(-limit, limit), method="bounded")
    return float(np.exp(found.x))


def rows_per_step(n_rows: int) -> int:
    """Return the batch size for a number of training rows.

    Examples
    --------
    >>> from skopt_wrap.architectures._realmlp import rows_per_step
    >>> [rows_per_step(n) for n in (500, 20_000, 50_000, 10**6)]
    [256, 256, 512, 1024]
    """
    limits = ((30_000, 256), (100_000, 512))
    return next((size for limit, size in limits if n_rows <= limit), 1024)


def _optimizer(regression: bool) -> tuple[type, Mapping[str, Any]]:
    from ._grouped_adam import GroupedAdam

    return GroupedAdam, {"learning_rate": 0.2 if regression else 0.04, "decay": 0.02}


def _compact_space() -> dict[str, Any]:
    from scipy.stats import loguniform, uniform

    return {
        "model__frequency_scale": loguniform(0.01, 10.0),
        "model__dropout": uniform(0.0, 0.5),
        "optimizer__learning_rate": loguniform(0.02, 0.3),
        "optimizer__decay": loguniform(0.001, 0.05),
        "model__label_smoothing": [0.0, 0.1],
    }


def _full_space() -> dict[str, Any]:
    from scipy.stats import loguniform

    return {
        "model__n_layers": [2, 3, 4],
        "model__units": [128, 256, 384, 512],
        "model__activation": ["auto", "selu", "mish", "relu", "silu"],
        **_compact_space(),
        "model__n_frequencies": [8, 16, 32],
        "model__embedding_width": [3, 7, 15],
        "model__category_width": [4, 8, 16],
        "model__scale_rate": loguniform(2.0, 10.0),
        "model__embedding_rate": loguniform(0.05, 0.3),
        "model__first_layer_rate": loguniform(0.3, 1.5),
        "optimizer__beta_2": [0.95, 0.98, 0.995],
        "batch_size": [64, 128, 256],
    }


def _fits(shape: Sequence[int]) -> bool:
    return len(shape) == 1


REALMLP = Architecture(
    "realmlp",
    realmlp,
    _compact_space,
    _full_space,
    per_layer={"model__units": "model__n_layers"},
    fits=_fits,
    tables=True,
    recipe=Recipe(
        epochs=256,
        batch_size=rows_per_step,
        drop_remainder=True,
        optimizer=_optimizer,
        learning_rate_schedule="coslog",
        label_smoothing=0.1,
        holdout=0.2,
        start=start_table_network,
        finish=fit_temperature,
    ),
)
