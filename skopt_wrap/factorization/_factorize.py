"""The function factorize, which replaces layers of a trained network by smaller ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from .._keras import (
    CustomObjects,
    compile_settings,
    load_keras,
    output_kind,
    seed_scope,
    table_layer,
)
from ..exceptions import DataError, ModelError, ParameterError
from ..training import TrainingData, train
from ._layer_selection import check_model, find_target_layers
from ._measure import divergence, latencies
from ._result import Candidate, FactorizationResult
from ._run_method import Observations, Outcome, carry_out
from ._specs import Factorization, as_factorization, check_count, is_number, with_target
from ._statistics import outputs_of

Array = np.ndarray

# Rows on which networks are compared, kept apart from those that the factors are fitted on.
_HELD_OUT = 512
# "auto": divergences that differ by less than this, absolute and relative, count as equal.
_SLACK, _RELATIVE_SLACK = 0.005, 1.25


def factorize(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    method: str | Factorization = "svd",
    target_params: float | None = None,
    layers: Iterable[str] | None = None,
    sample_weight: Any = None,
    loss: Any = None,
    fine_tune_epochs: int = 0,
    learning_rate: float = 1e-4,
    batch_size: int = 32,
    calibration_samples: int = 4096,
    random_state: Any = None,
) -> FactorizationResult:
    """Replace the layers of a trained network by factors with fewer parameters.

    Layers are taken in order from the input. Each is fitted to what it put out in the original
    network, on the inputs that the replaced layers in front of it now give: errors are weighed by
    the covariance of those inputs and by how much the network's output reacts to them, and the
    bias takes up what shifts. With `target_params`, ranks are shared out over the layers where
    the measured loss falls most per parameter.

    Parameters
    ----------
    model : keras.Model
        Built Sequential or Functional network with one input and one output. It is not changed.
    X : array-like of shape (n_rows, ...)
        Rows as the network takes them; a few thousand are enough, labels are not needed.
    y : array-like of shape (n_rows, ...), default=None
        Targets as the loss takes them, for fine-tuning. Without them, or without a loss, the
        network is tuned on the original's own outputs.
    method : {"svd", "tensor-train", "tucker", "cp", "auto"} or Factorization, default="svd"
        What layers become: a name, or :class:`SVD`, :class:`TensorTrain`, :class:`Tucker`,
        :class:`CP` with details. "auto" tries those that the network's layers allow and takes,
        among the networks whose outputs are nearest to the original's on rows kept apart, the
        fastest.
    target_params : float, default=None
        Fraction in (0, 1) of the whole network's parameters that remain, for a `method` given by
        name; None is 0.4.
    layers : iterable of str, default=None
        Names of the layers to replace; None takes all that can be.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows; rows of weight zero are left out.
    loss : str or keras.losses.Loss, default=None
        Loss for fine-tuning on `y`; None takes the one the model was compiled with.
    fine_tune_epochs : int, default=0
        Epochs of training of the factorized network, with Adam and a cosine schedule.
    learning_rate : float, default=1e-4
        Learning rate that fine-tuning begins with.
    batch_size : int, default=32
        Rows of one step of fine-tuning.
    calibration_samples : int, default=4096
        Rows that layers are fitted on, at most.
    random_state : int, RandomState instance or None, default=None
        Draws rows and projections, and seeds fine-tuning.

    Returns
    -------
    result : FactorizationResult
        The new network, compiled like the original, and what was done.

    Raises
    ------
    ParameterError
        If a parameter breaks its rule, a rank is above that of every layer, or a target cannot be
        met.
    ModelError
        If the network is not built, subclassed, has several inputs or outputs, or nothing in it
        can be factorized.
    DataError
        If there are no rows, rows do not fit the network, or a weight is not finite.

    See Also
    --------
    TensorTrainDense : The layer, to be used from the start.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from skopt_wrap import factorize
    >>> rng = np.random.default_rng(0)
    >>> model = keras.Sequential([keras.Input((30,)), keras.layers.Dense(40, name="hidden")])
    >>> low_rank = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 40))
    >>> model.set_weights([low_rank, np.zeros(40)])
    >>> X = rng.normal(size=(100, 30)).astype("float32")
    >>> result = factorize(model, X, target_params=0.3, random_state=0)
    >>> result.parameters_before, result.parameters_after, result.done
    (1240, 320, ['hidden'])
    >>> bool(np.allclose(result.model(X), model(X), atol=1e-3))
    True
    """
    spec = as_factorization(method)
    if target_params is not None:
        if isinstance(method, Factorization):
            raise ParameterError(
                "target_params belongs to the value object when method is one, got "
                f"target_params={target_params!r} and method={method!r}."
            )
        spec = None if spec is None else with_target(spec.method, target_params)
    auto = with_target("svd", target_params)  # checks the target, too
    fine_tune_epochs = check_count(fine_tune_epochs, "fine_tune_epochs", least=0)
    batch_size = check_count(batch_size, "batch_size")
    calibration_samples = check_count(calibration_samples, "calibration_samples")
    if not is_number(learning_rate) or not 0 < learning_rate < np.inf:
        raise ParameterError(f"learning_rate must be a positive number, got {learning_rate!r}.")
    check_model(model)
    x, y, weights = _checked_rows(model, X, y, sample_weight)
    targets, skipped = find_target_layers(model, layers)
    if not targets:
        raise ModelError(
            "model cannot be factorized: none of its layers can. "
            + "; ".join(f"{name}: {reason}" for name, reason in skipped.items())
        )
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    order = np.random.default_rng(seed).permutation(len(x))
    held_out = x[order[: min(_HELD_OUT, max(1, len(x) // 4))]]
    fitted = x[order[: calibration_samples + len(held_out)][len(held_out) :]]
    kind = output_kind(model, getattr(model, "loss", None))
    tuning = _Tuning(model, x, y, weights, loss, fine_tune_epochs, learning_rate, batch_size, seed)
    with CustomObjects(model).scope(), seed_scope(seed):
        seen = Observations(model, targets, fitted if len(fitted) else held_out, kind, seed)
        specs = [spec] if spec is not None else _candidates(seen, auto)
        outcomes = [(item.method, carry_out(seen, item)) for item in specs]
        if not any(outcome.rows for _, outcome in outcomes):
            reasons = {**skipped, **outcomes[0][1].skipped}
            raise ModelError(
                "nothing was factorized: "
                + "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
            )
        for _, outcome in outcomes:
            tuning.run(outcome.model)
    candidates = _measured(model, outcomes, held_out, kind)
    best = _pick(candidates[1:])
    name, outcome = outcomes[best]
    return FactorizationResult(
        model=outcome.model,
        method=name,
        rows=outcome.rows,
        skipped={**skipped, **outcome.skipped},
        parameters_before=model.count_params(),
        parameters_after=outcome.model.count_params(),
        candidates=candidates,
        notes=outcome.notes + _notes(candidates[0], candidates[1 + best], fine_tune_epochs),
    )


def _checked_rows(model: Any, X: Any, y: Any, sample_weight: Any) -> tuple[Array, Any, Array]:
    x = np.asarray(X)
    shape = tuple(model.inputs[0].shape[1:])
    fits = x.ndim == len(shape) + 1 and all(
        wanted in (None, got) for wanted, got in zip(shape, x.shape[1:], strict=True)
    )
    if not fits:
        raise DataError(f"X must have rows of shape {shape}, got an array of shape {x.shape}.")
    if not len(x):
        raise DataError("X holds no rows to factorize the network with.")
    if x.dtype.kind == "f":
        # A network that prepares tables takes gaps.
        gaps = np.isnan(x) if table_layer(model) is not None else False
        if not (np.isfinite(x) | gaps).all():
            raise DataError("X holds NaN or infinite values.")
        x = x.astype(model.inputs[0].dtype, copy=False)
    weights = np.ones(len(x), "float32")
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None and len(value) != len(x):
            raise DataError(f"X and {name} must have as many rows, got {len(x)} and {len(value)}.")
    if sample_weight is not None:
        weights = np.asarray(sample_weight, "float32")
        if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
            raise DataError("sample_weight must be finite, not negative and not all zero.")
    used = weights > 0
    return x[used], None if y is None else np.asarray(y)[used], weights[used]


class _Tuning:
    """Fine-tuning of factorized networks, and compiling them like the original."""

    def __init__(
        self,
        model: Any,
        x: Array,
        y: Array | None,
        weights: Array,
        loss: Any,
        epochs: int,
        learning_rate: float,
        batch_size: int,
        seed: int,
    ) -> None:
        self.original, self.x, self.weights = model, x, weights
        self.epochs, self.learning_rate = epochs, learning_rate
        self.batch_size, self.seed = batch_size, seed
        self.loss = getattr(model, "loss", None) if loss is None else loss
        self.y = y if self.loss is not None else None

    def run(self, model: Any) -> None:
        """Train `model` where epochs were asked for; compile it like the original."""
        if self.epochs:
            self._train(model)
        if self.original.compiled:
            model.compile(**compile_settings(self.original))

    def _train(self, model: Any) -> None:
        keras = load_keras()
        y, loss = self.y, self.loss
        if y is None:
            y = outputs_of(self.original, self.x).astype("float32")
            sums_to_one = y.shape[-1] > 1 and np.allclose(y.sum(axis=-1), 1, atol=1e-3)
            loss = "mse"
            if output_kind(self.original) == "probabilities":
                loss = "categorical_crossentropy" if sums_to_one else "binary_crossentropy"
        if not model.trainable_variables:
            raise ModelError("fine-tuning needs trainable layers; all layers are frozen.")
        steps = self.epochs * -(-len(self.x) // self.batch_size)
        rate = keras.optimizers.schedules.CosineDecay(self.learning_rate, steps)
        model.compile(keras.optimizers.Adam(rate), loss)
        data = TrainingData(self.x, y, self.weights)
        train(model, data, epochs=self.epochs, batch_size=self.batch_size, seed=self.seed)


def _candidates(seen: Observations, target: Factorization) -> list[Factorization]:
    """Return the methods that differ for the layers of a network."""
    kinds = {layer.kind for layer in seen.targets.values()}
    methods = ["svd"]
    methods += ["tensor-train"] if "dense" in kinds else []
    methods += ["tucker", "cp"] if "convolution" in kinds else []
    return [with_target(name, target.target_params) for name in methods]


def _measured(
    model: Any, outcomes: list[tuple[str, Outcome]], rows: Array, kind: str
) -> list[Candidate]:
    """Return the measurements of the original and of every outcome."""
    networks = [model, *(outcome.model for _, outcome in outcomes)]
    names = ["original", *(name for name, _ in outcomes)]
    outputs = [outputs_of(network, rows) for network in networks]
    return [
        Candidate(name, network.count_params(), divergence(outputs[0], output, kind), seconds)
        for name, network, output, seconds in zip(
            names, networks, outputs, latencies(networks, rows), strict=True
        )
    ]


def _pick(candidates: list[Candidate]) -> int:
    """Return the fastest of those whose outputs are nearest to the original's."""
    least = min(c.divergence for c in candidates)
    near = [
        index
        for index, c in enumerate(candidates)
        if c.divergence <= max(least + _SLACK, least * _RELATIVE_SLACK)
    ]
    return min(near, key=lambda index: (candidates[index].latency, candidates[index].parameters))


def _notes(original: Candidate, chosen: Candidate, epochs: int) -> list[str]:
    notes = [f"fine-tuned for {epochs} epochs"] if epochs else []
    if chosen.latency > 1.1 * original.latency:
        notes.append(
            f"slower than what it replaces: {chosen.latency * 1e3:.2f} ms instead of "
            f"{original.latency * 1e3:.2f} ms for 256 rows"
        )
    return notes
