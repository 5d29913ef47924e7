"""The first stage: the trained network as a float32 file, which the others are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._stage import FIRST, CompressionStage, StageContext, StageResult


@dataclass(frozen=True)
class Convert(CompressionStage):
    """Leave the network as it is: the pipeline makes the float32 file."""

    name = "convert"
    order = FIRST
    trains = False

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Convert:  # noqa: ARG003  it is always there
        """Return the stage."""
        return cls()

    def run(self, model: Any, context: StageContext) -> StageResult:
        """Return the network."""
        return StageResult(model)
