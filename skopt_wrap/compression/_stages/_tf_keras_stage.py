"""Run a stage with TFMOT, on a tf_keras copy of the network in the conversion process."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..._keras import copy_network
from .._serialization import to_payload
from .._stage import StageContext, StageResult
from ._losses import portable_loss

_PACKAGE = "skopt_wrap.compression._conversion"


def run_with_tfmot(function: str, model: Any, spec: Any, context: StageContext) -> StageResult:
    """Return the network with the weights that TFMOT made.

    Parameters
    ----------
    function : str
        ``"module:name"`` in the package ``_conversion``.
    model : keras.Model
        The network; it is not changed.
    spec : object
        Settings of the stage.
    context : StageContext
        Rows and seed.

    Raises
    ------
    UnsupportedLayerError
        When the network has no tf_keras copy, or TFMOT no way to change it.
    """
    answer = context.run_in_process(
        f"{_PACKAGE}.{function}", tf_keras_request(model, spec, context)
    )
    changed = copy_network(model, answer["weights"])
    return StageResult(changed, answer["done"], answer["skipped"], answer["notes"])


def tf_keras_request(model: Any, spec: Any, context: StageContext) -> dict[str, Any]:
    """Return the arguments that every function with TFMOT takes."""
    tuning = context.training_data
    return {
        "network": to_payload(model),
        "spec": spec,
        "tuning": replace(tuning, loss=portable_loss(tuning.loss)),
        "seed": context.seed,
        "check_x": context.check_x,
    }
