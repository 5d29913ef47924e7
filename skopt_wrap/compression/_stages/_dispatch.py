"""Stages as functions from network to network: in this process, or in the child."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from ..._keras import load_keras
from ...distillation import Distillation, distill
from ...exceptions import UnsupportedLayerError
from ...factorization import factorize
from .._process import Child
from .._serialization import to_payload
from .._specs import Quantization
from .._tuning import Tuning
from ._losses import portable_loss
from ._pruning import cluster_natively, prune_natively
from ._structured_pruning import prune_units


def run_stage(
    child: Child,
    name: str,
    model: Any,
    spec: Any,
    tuning: Tuning,
    seed: int,
    check_x: np.ndarray,
) -> tuple[Any, list[str], list[str], list[str]]:
    """Run one stage.

    Parameters
    ----------
    child : Child
        Where Keras 2 works.
    name : {"factorize", "distil", "prune", "cluster"}
        Which stage.
    model : keras.Model
        The network; it is not changed.
    spec : object
        Settings of the stage.
    tuning : Tuning
        Rows and settings for fine-tuning.
    seed : int
        Of shuffling and dropout.
    check_x : ndarray
        Rows on which networks are compared after each hop.

    Returns
    -------
    model : keras.Model
        The changed network.
    done, skipped, notes : list of str
        Layers that were changed, layers that were not with the reason, and remarks.
    """
    if name == "factorize":
        return _factorize(model, spec, tuning, seed)
    if name == "distil":
        return _distil(model, spec, tuning, seed)
    if name == "prune" and spec.structured:
        return prune_units(
            model, spec.sparsity, tuning, learning_rate=spec.learning_rate, seed=seed
        )
    request = {
        "network": to_payload(model),
        "spec": spec,
        "tuning": replace(tuning, loss=portable_loss(tuning.loss)),
        "seed": seed,
        "check_x": check_x,
    }
    try:
        answer = child.run(name, request, stage=name)
    except UnsupportedLayerError as error:
        natively: Any = prune_natively if name == "prune" else cluster_natively
        changed, done, skipped, notes = natively(model, spec, tuning, seed)
        reason = str(error).rstrip(".")
        return changed, done, skipped, [f"on Keras 3 itself: {reason}", *notes]
    changed = load_keras().models.clone_model(model)
    changed.set_weights(answer["weights"])
    return changed, answer["done"], answer["skipped"], answer["notes"]


def train_with_rounding(
    child: Child,
    model: Any,
    spec: Quantization,
    tuning: Tuning,
    seed: int,
    check_x: np.ndarray,
    calibration: np.ndarray,
    earlier: Sequence[str],
) -> dict[str, Any]:
    """Return the int8 file of a network that was fine-tuned with its rounding.

    Parameters
    ----------
    child : Child
        Where Keras 2 works.
    model : keras.Model
        The network; it is not changed.
    spec : Quantization
        Form of the file.
    tuning : Tuning
        Rows and settings for fine-tuning.
    seed : int
        Of shuffling and dropout.
    check_x, calibration : ndarray
        Rows on which networks are compared, and on which ranges are measured.
    earlier : sequence of str
        Stages before; what "prune" and "cluster" made of the kernels is kept.

    Returns
    -------
    answer : dict
        ``content`` (bytes), ``difference`` (float), ``done``, ``skipped``, ``notes`` (lists of
        str).
    """
    answer: dict[str, Any] = child.run(
        "quantize_aware",
        {
            "network": to_payload(model),
            "spec": spec,
            "tuning": replace(tuning, loss=portable_loss(tuning.loss)),
            "seed": seed,
            "check_x": check_x,
            "calibration": calibration,
            "sparsity": "prune" in earlier,
            "clusters": "cluster" in earlier,
        },
        stage="quantize",
    )
    return answer


def _factorize(
    model: Any, spec: Any, tuning: Tuning, seed: int
) -> tuple[Any, list[str], list[str], list[str]]:
    result = factorize(
        model,
        tuning.x,
        tuning.y,
        method=spec,
        sample_weight=tuning.sample_weight,
        loss=tuning.loss,
        fine_tune_epochs=tuning.epochs,
        batch_size=tuning.batch_size,
        random_state=seed,
    )
    skipped = [f"{name}: {reason}" for name, reason in result.skipped.items()]
    return result.model, result.done, skipped, [f"method: {result.method}", *result.notes]


def _distil(
    teacher: Any, spec: Distillation, tuning: Tuning, seed: int
) -> tuple[Any, list[str], list[str], list[str]]:
    settings = {item.name: getattr(spec, item.name) for item in fields(spec)}
    result = distill(
        teacher,
        x=tuning.x,
        y=tuning.y,
        loss=tuning.loss,
        sample_weight=tuning.sample_weight,
        x_unlabelled=tuning.x_unlabelled,
        random_state=seed,
        **{**settings, "batch_size": spec.batch_size or tuning.batch_size},
    )
    return result.model, [layer.name for layer in result.model.layers], [], result.notes
