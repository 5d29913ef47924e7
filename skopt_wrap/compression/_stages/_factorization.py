"""The stage that factorizes: layers become products of smaller ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...exceptions import ParameterError, suggest
from ...factorization import CP, SVD, Factorization, TensorTrain, Tucker, factorize
from .._stage import CompressionStage, StageContext, StageResult

METHODS = ("auto", *(cls.method for cls in (SVD, TensorTrain, Tucker, CP)))


@dataclass(frozen=True)
class Factorize(CompressionStage):
    """Replace layers by products of smaller ones.

    Parameters
    ----------
    spec : str or Factorization
        Method, and how small.
    """

    spec: str | Factorization
    name = "factorize"
    order = 100
    parameters = ("factorization",)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Factorize | None:
        """Return the stage that `factorization` asks for."""
        spec = as_factorization(settings["factorization"])
        return None if spec is None else cls(spec)

    def run(self, model: Any, context: StageContext) -> StageResult:
        """Factorize and fine-tune."""
        tuning = context.training_data
        result = factorize(
            model,
            tuning.x,
            tuning.y,
            method=self.spec,
            sample_weight=tuning.sample_weight,
            loss=tuning.loss,
            fine_tune_epochs=tuning.epochs,
            batch_size=tuning.batch_size,
            random_state=context.seed,
        )
        skipped = [f"{name}: {reason}" for name, reason in result.skipped.items()]
        notes = [f"method: {result.method}", *result.notes]
        return StageResult(result.model, result.done, skipped, notes)


def as_factorization(value: Any) -> str | Factorization | None:
    """Return `value` when it is a method's name, a value object or None, else raise."""
    if value is None or isinstance(value, Factorization) or value in METHODS:
        return value
    raise ParameterError(
        f"factorization must be None, one of {METHODS} or an object such as TensorTrain(...), got "
        f"{value!r}. {suggest(str(value), METHODS)}"
    )
