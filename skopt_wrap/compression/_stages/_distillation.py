"""The stage that distils: a smaller network learns from the trained one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ...distillation import Distillation, distill
from .._stage import CompressionStage, StageContext, StageResult


@dataclass(frozen=True)
class Distil(CompressionStage):
    """Train a smaller network on the outputs of the trained one.

    Parameters
    ----------
    spec : Distillation
        The student, and how it learns.
    """

    spec: Distillation
    name = "distil"
    order = 200
    parameters = ("distillation",)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Distil | None:
        """Return the stage that `distillation` asks for."""
        spec = settings["distillation"]
        if spec is None:
            return None
        return cls(spec if isinstance(spec, Distillation) else Distillation(spec))

    def run(self, model: Any, context: StageContext) -> StageResult:
        """Train the student."""
        spec, tuning = self.spec, context.training_data
        settings = {item.name: getattr(spec, item.name) for item in fields(spec)}
        result = distill(
            model,
            x=tuning.x,
            y=tuning.y,
            loss=tuning.loss,
            sample_weight=tuning.sample_weight,
            x_unlabelled=tuning.x_unlabelled,
            random_state=context.seed,
            **{**settings, "batch_size": spec.batch_size or tuning.batch_size},
        )
        done = [layer.name for layer in result.model.layers]
        return StageResult(result.model, done, notes=result.notes)
