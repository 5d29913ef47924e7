"""Stages that work in the child process, as functions from network to network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .._keras import load_keras
from ._child import Child
from ._losses import portable_loss
from ._network import to_payload
from ._tuning import Tuning


def run_stage(
    child: Child,
    name: str,
    model: Any,
    spec: Any,
    tuning: Tuning,
    seed: int,
    check_x: np.ndarray,
) -> tuple[Any, list[str], list[str], list[str]]:
    """Run one stage in the child.

    Parameters
    ----------
    child : Child
        Where it runs.
    name : {"prune"}
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
    answer = child.run(
        name,
        {
            "network": to_payload(model),
            "spec": spec,
            "tuning": replace(tuning, loss=portable_loss(tuning.loss)),
            "seed": seed,
            "check_x": check_x,
        },
        stage=name,
    )
    changed = load_keras().models.clone_model(model)
    changed.set_weights(answer["weights"])
    return changed, answer["done"], answer["skipped"], answer["notes"]
