"""A network for tables that is many networks in one, which share most of their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._keras import load_keras
from ...exceptions import ParameterError
from .._architecture import Architecture
from .._blocks import check_fraction, widths
from .._realmlp import is_regression, open_table, start_table_network
from .._recipe import Recipe

# Values that embed all numbers together, above which numbers are passed on as they are.
_MOST_EMBEDDED = 2048


def tabm(
    meta: Mapping[str, Any],
    *,
    units: int | Sequence[int] = 256,
    n_layers: int = 2,
    n_members: int = 16,
    activation: str = "relu",
    dropout: float = 0.1,
    n_bins: int | str = "auto",
    embedding_width: int = 16,
    category_width: int = 8,
) -> Any:
    r"""Build a network for tables whose members share the weights of their hidden layers.

    TabM [1]_: every member multiplies inputs and outputs of a shared layer by factors of its own,
    and has biases and a last layer of its own. Training minimises the mean of the members' losses;
    the network answers with the mean of their probabilities or values. Numbers pass a piecewise
    linear embedding. The recipe trains by AdamW with clipped gradients, stops after 16 epochs
    without a better answer on held-out rows, and keeps the weights of the best epoch.

    Parameters
    ----------
    meta : mapping
        What the estimator knows of the data; see :class:`skopt_wrap.KerasClassifier`.
    units : int or sequence of int, default=256
        Width of every hidden layer, or one width per layer (then `n_layers` is not used).
    n_layers : int, default=2
        Number of hidden layers.
    n_members : int, default=16
        Number of members.
    activation : str, default="relu"
        Any Keras activation.
    dropout : float, default=0.1
        Fraction of a hidden layer's outputs dropped while training, in [0, 1).
    n_bins : int or "auto", default="auto"
        Bins of the piecewise linear embedding of each number; 0 leaves the embedding out. "auto"
        takes 48, and 0 for tables of so many numbers that their embedding is wider than 2048.
    embedding_width : int, default=16
        Values that stand for a number.
    category_width : int, default=8
        Values that stand for a category of many values.

    Returns
    -------
    model : keras.Model
        Uncompiled, with ``meta["n_outputs_expected_"]`` values or probabilities for each row. In
        training mode it returns what every member says, values or logits of shape
        (n_rows, n_members, n_outputs).

    Raises
    ------
    ModelError
        When rows are no rows of a table.
    ParameterError
        When a parameter breaks its rule.

    References
    ----------
    .. [1] Y. Gorishniy, A. Kotelnikov, A. Babenko, "TabM: advancing tabular deep learning with
       parameter-efficient ensembling", ICLR 2025.

    Examples
    --------
    >>> from skopt_wrap.architectures import tabm
    >>> meta = {"X_shape_": (150, 4), "n_outputs_expected_": 3, "target_type_": "multiclass"}
    >>> tabm(meta, units=64, n_members=8).output_shape
    (None, 3)
    """
    keras = load_keras()
    from . import _layers as layers
    from ._embedding import PiecewiseEmbedding

    hidden = widths("units", units, n_layers)
    check_fraction("dropout", dropout)
    for name, value in (
        ("n_members", n_members),
        ("embedding_width", embedding_width),
        ("category_width", category_width),
    ):
        widths(name, value, 1)
    inputs, tensor, table = open_table("tabm", meta)
    bins = check_bins(n_bins, table.n_numbers * embedding_width)
    embedding = PiecewiseEmbedding(
        table.n_numbers,
        table.cardinalities,
        n_bins=bins,
        width=embedding_width,
        category_width=category_width,
        name="embedding",
    )
    tensor = embedding(tensor)
    for i, width in enumerate(hidden):
        first: dict[str, Any] = {}
        if i == 0:
            first = {"start": "normal" if bins else "signs", "groups": embedding.groups}
        tensor = layers.MemberDense(width, n_members, name=f"hidden_{i}", **first)(tensor)
        tensor = keras.layers.Activation(activation, name=f"activation_{i}")(tensor)
        if dropout:
            tensor = keras.layers.Dropout(dropout, name=f"dropout_{i}")(tensor)
    if not hidden:
        tensor = keras.layers.RepeatVector(n_members, name="members")(tensor)
    n_units = meta["n_outputs_expected_"]
    outputs = layers.MemberOutputs(n_units, average=_answers(meta, n_units), name="outputs")(tensor)
    return keras.Model(inputs, outputs, name="tabm")


def check_bins(n_bins: Any, width: int) -> int:
    """Return the number of bins, for embedded numbers of a width in all.

    Examples
    --------
    >>> from skopt_wrap.architectures._tabm._network import check_bins
    >>> check_bins("auto", 160), check_bins("auto", 16_000), check_bins(8, 16_000)
    (48, 0, 8)
    """
    if n_bins == "auto":
        return 48 if width <= _MOST_EMBEDDED else 0
    if isinstance(n_bins, bool) or not isinstance(n_bins, int) or n_bins < 0:
        raise ParameterError(f"model__n_bins must be 'auto' or an int >= 0, got {n_bins!r}.")
    return n_bins


def _answers(meta: Mapping[str, Any], n_units: int) -> str:
    """Return what the outputs are, as :class:`MemberOutputs` names it."""
    if is_regression(meta):
        return "values"
    labels = n_units == 1 or meta.get("target_type_") == "multilabel-indicator"
    return "labels" if labels else "classes"


def rows_per_step(n_rows: int) -> int:
    """Return the batch size for a number of training rows.

    Examples
    --------
    >>> from skopt_wrap.architectures._tabm._network import rows_per_step
    >>> [rows_per_step(n) for n in (500, 5000, 20_000, 50_000, 10**6)]
    [64, 128, 256, 512, 1024]
    """
    limits = ((1024, 64), (8192, 128), (30_000, 256), (100_000, 512))
    return next((size for limit, size in limits if n_rows <= limit), 1024)


def _optimizer(regression: bool) -> tuple[type, Mapping[str, Any]]:  # noqa: ARG001
    optimizer = load_keras().optimizers.AdamW
    return optimizer, {"learning_rate": 2e-3, "weight_decay": 3e-4, "global_clipnorm": 1.0}


def _compact_space() -> dict[str, Any]:
    from scipy.stats import loguniform

    return {
        "model__units": [64, 128, 256, 512],
        "model__n_layers": [1, 2, 3],
        "model__n_bins": [0, 8, 24, 48],
        "optimizer__learning_rate": loguniform(1e-4, 5e-3),
    }


def _full_space() -> dict[str, Any]:
    from scipy.stats import loguniform, uniform

    return {
        **_compact_space(),
        "model__n_layers": [1, 2, 3, 4],
        "model__activation": ["relu", "silu", "gelu"],
        "model__dropout": uniform(0.0, 0.5),
        "model__n_bins": [0, 2, 8, 16, 32, 48, 64, 128],
        "model__embedding_width": [8, 12, 16, 24, 32],
        "model__category_width": [4, 8, 16],
        "optimizer__weight_decay": loguniform(1e-5, 0.1),
        "batch_size": [64, 128, 256],
    }


def _fits(shape: Sequence[int]) -> bool:
    return len(shape) == 1


TABM = Architecture(
    "tabm",
    tabm,
    _compact_space,
    _full_space,
    per_layer={"model__units": "model__n_layers"},
    fits=_fits,
    tables=True,
    recipe=Recipe(
        epochs=200,
        batch_size=rows_per_step,
        optimizer=_optimizer,
        holdout=0.2,
        patience=16,
        start=start_table_network,
    ),
)
