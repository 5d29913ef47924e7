"""Magnitude pruning through TFMOT on a tf_keras copy. Runs in the conversion process only."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._keras import all_layers
from ...exceptions import ConversionError, UnsupportedLayerError
from .._fine_tuning_data import FineTuningData, check_finite
from .._serialization import from_payload
from .._specs import RAMP, Pruning
from .._stages._masks import has_pattern, pattern_problem, zero_fraction
from ._fine_tuning import fine_tune, kernels
from ._tf_keras import check_copy, check_same, copy_back, to_tf_keras
from ._tfmot import load_tfmot

_PRUNABLE = ("Dense", "Conv1D", "Conv2D", "SeparableConv2D", "LSTM", "GRU", "SimpleRNN")
_MASK_UPDATES = 50


def prune(
    network: dict[str, Any],
    spec: Pruning,
    tuning: FineTuningData,
    seed: int,
    check_x: np.ndarray,
) -> dict[str, Any]:
    """Prune and fine-tune a network.

    Parameters
    ----------
    network : dict
        Made by ``to_payload``.
    spec : Pruning
        How sparse.
    tuning : FineTuningData
        Rows and settings; its ``loss`` as ``portable_loss`` returns it.
    seed : int
        Of shuffling and dropout.
    check_x : ndarray
        Rows on which both networks are compared after each step.

    Returns
    -------
    answer : dict
        ``weights`` (list of ndarray), ``done``, ``skipped``, ``notes`` (lists of str).
    """
    tfmot = load_tfmot()
    import tf_keras

    model = from_payload(network)
    check_x = check_x.astype(model.inputs[0].dtype)
    done: list[str] = []
    skipped: list[str] = []
    patterns: dict[str, Any] = {}
    schedule = make_schedule(tfmot, spec, tuning.n_steps)

    def wrap(layer: Any, copied_layer: Any) -> Any:
        kind = type(layer).__name__
        if kind in _PRUNABLE:
            done.append(layer.name)
            problems = [pattern_problem(values.shape, spec.block) for _, values in kernels(layer)]
            problem = next((problem for problem in problems if problem), None)
            if problem:
                skipped.append(f"{layer.name}: {problem}; pruned without a pattern")
                patterns[layer.name] = None
            else:
                patterns[layer.name] = spec.block
            return tfmot.sparsity.keras.prune_low_magnitude(
                copied_layer, pruning_schedule=schedule, **_pattern(patterns[layer.name])
            )
        if layer.weights:
            skipped.append(f"{layer.name}: {kind} is not pruned")
        return copied_layer

    tf_keras.utils.set_random_seed(seed % 2**32)
    copy, layers = to_tf_keras(model, wrap)
    if not done:
        raise UnsupportedLayerError(
            f"the network has no layer that can be pruned; those that can: {', '.join(_PRUNABLE)}."
        )
    check_copy(model, copy, layers, check_x)

    notes = fine_tune(
        model, copy, tuning, spec.learning_rate, [tfmot.sparsity.keras.UpdatePruningStep()],
        hold=RAMP if spec.schedule == "polynomial" else 0.0,
    )  # fmt: skip
    stripped = tfmot.sparsity.keras.strip_pruning(copy)
    copy_back(layers)
    check_same(stripped, model, check_x, "Keras 2 to Keras 3")
    check_finite(model)
    _check_sparsity(model, patterns, spec)
    return {"weights": model.get_weights(), "done": done, "skipped": skipped, "notes": notes}


def make_schedule(tfmot: Any, spec: Pruning, steps: int) -> Any:
    """Return TFMOT's schedule with its steps computed from the data.

    TFMOT's default updates masks every 100 steps: a short fit would end unpruned, silently.
    """
    frequency = max(1, steps // _MASK_UPDATES)
    if spec.schedule == "constant":
        return tfmot.sparsity.keras.ConstantSparsity(
            spec.sparsity, begin_step=0, end_step=-1, frequency=frequency
        )
    end = max(1, int(RAMP * steps) // frequency * frequency)
    return tfmot.sparsity.keras.PolynomialDecay(
        initial_sparsity=0.0,
        final_sparsity=spec.sparsity,
        begin_step=0,
        end_step=end,
        frequency=frequency,
    )


def _pattern(block: Any) -> dict[str, Any]:
    """Return TFMOT's settings for a pattern of zeros."""
    if block is None:
        return {}
    if block == "2:4":
        return {"sparsity_m_by_n": (2, 4)}
    return {"block_size": block, "block_pooling_type": "AVG"}


def _check_sparsity(model: Any, patterns: dict[str, Any], spec: Pruning) -> None:
    """Raise unless every kernel that was pruned has the zeros that were asked for."""
    for layer in all_layers(model):
        if layer.name not in patterns:
            continue
        block = patterns[layer.name]
        step = 1 if block in (None, "2:4") else block[0] * block[1]
        for name, values in kernels(layer):
            reached = zero_fraction(values)
            if reached < spec.sparsity - step / values.size - 1e-6:
                raise ConversionError(
                    f"layer {layer.name!r}: {name} reached a sparsity of {reached:.3f} "
                    f"instead of {spec.sparsity:.3f}."
                )
            if not has_pattern(values, block):
                raise ConversionError(
                    f"layer {layer.name!r}: the zeros of {name} lie in no pattern {block!r}."
                )
