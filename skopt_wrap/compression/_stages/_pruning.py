"""The stage that prunes: weights of little size become zero, or whole units go."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..._keras import copy_network, load_keras
from ...exceptions import ConversionError, UnsupportedLayerError
from .._fine_tuning_data import FineTuningData
from .._specs import RAMP, Pruning, as_pruning
from .._stage import CompressionStage, StageContext, StageResult
from ._constrained_training import choose_kernels, finished
from ._fine_tuning import fine_tune_on
from ._masks import has_pattern, keep_largest, pattern_problem, zero_fraction
from ._structured_pruning import prune_units
from ._tf_keras_stage import run_with_tfmot


@dataclass(frozen=True)
class Prune(CompressionStage):
    """Set the smallest weights of every kernel to zero, or remove whole units.

    Parameters
    ----------
    spec : Pruning
        How much, and in which pattern.
    """

    spec: Pruning
    name = "prune"
    order = 300
    parameters = ("pruning",)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Prune | None:
        """Return the stage that `pruning` asks for."""
        spec = as_pruning(settings["pruning"])
        return None if spec is None else cls(spec)

    def run(self, model: Any, context: StageContext) -> StageResult:
        """Prune through TFMOT where it can, else on Keras 3 itself."""
        spec, tuning = self.spec, context.training_data
        if spec.structured:
            return prune_units(
                model, spec.sparsity, tuning, learning_rate=spec.learning_rate, seed=context.seed
            )
        try:
            return run_with_tfmot("_pruning:prune", model, spec, context)
        except UnsupportedLayerError as error:
            result = prune_natively(model, spec, tuning, context.seed)
            result.notes.insert(0, f"on Keras 3 itself: {str(error).rstrip('.')}")
            return result


def prune_natively(model: Any, spec: Pruning, tuning: FineTuningData, seed: int) -> StageResult:
    """Return a copy of `model` with zeros in its kernels, fine-tuned.

    Parameters
    ----------
    model : keras.Model
        Not changed.
    spec : Pruning
        How sparse. The sparsity grows from epoch to epoch.
    tuning : FineTuningData
        Rows and settings for fine-tuning.
    seed : int
        Of shuffling and dropout.

    Returns
    -------
    result : StageResult
        The sparse network, and what the report says of it.

    Raises
    ------
    UnsupportedLayerError
        When there is nothing to prune.
    """
    keras = load_keras()
    network = copy_network(model)
    chosen, done, skipped = choose_kernels(network, "pruned", lambda v: v.name != "embeddings")
    masks = {v.path: keras.Variable(np.ones(v.shape, "float32"), trainable=False) for v in chosen}
    patterns = {}
    for variable in chosen:
        problem = pattern_problem(tuple(variable.shape), spec.block)
        patterns[variable.path] = None if problem else spec.block
        if problem:
            skipped.append(f"{variable.path}: {problem}; pruned without a pattern")

    constraint: Any = keras.constraints.Constraint

    class Zeros(constraint):
        def __init__(self, mask: Any, own: Any) -> None:
            self.mask, self.own = mask, own

        def __call__(self, value: Any) -> Any:
            value = value if self.own is None else self.own(value)
            return value * keras.ops.cast(self.mask, value.dtype)

    full = max(1, math.ceil(RAMP * tuning.epochs))

    def update(epoch: int, logs: Any = None) -> None:  # noqa: ARG001  Keras gives both
        part = 1.0 if spec.schedule == "constant" else min(1.0, (epoch + 1) / full)
        sparsity = spec.sparsity * (1 - (1 - part) ** 3)
        for variable in chosen:
            values = variable.numpy()
            pattern = patterns[variable.path]
            mask = keep_largest(values, sparsity, pattern)
            masks[variable.path].assign(mask.astype("float32"))
            variable.assign(values * mask)

    for variable in chosen:
        variable.constraint = Zeros(masks[variable.path], variable.constraint)
    callback = keras.callbacks.LambdaCallback(on_epoch_begin=update)
    notes = fine_tune_on(
        model, network, tuning, spec.learning_rate, seed, [callback], constrained=True,
        hold=RAMP if spec.schedule == "polynomial" else 0.0,
    )  # fmt: skip
    for variable in chosen:
        values = variable.numpy()
        wanted = 0.5 if patterns[variable.path] == "2:4" else spec.sparsity
        reached = zero_fraction(values)
        step = 1 if patterns[variable.path] in (None, "2:4") else math.prod(spec.block or ())
        if reached < wanted - step / values.size or not has_pattern(
            values, patterns[variable.path]
        ):
            raise ConversionError(
                f"{variable.path} reached a sparsity of {reached:.3f} instead of {wanted:.3f}."
            )
    return StageResult(finished(model, network), done, skipped, notes)
