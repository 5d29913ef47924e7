"""What a compression is asked to do: every stage, checked before any work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..exceptions import ParameterError, suggest
from ._specs import Quantization, as_count, as_quantization
from ._stage import CompressionStage, check_stages
from ._stages._stages import STAGES

RUNTIMES = ("litert",)
_COUNTS = ("fine_tune_epochs", "calibration_samples", "num_threads")
# The parameters of CompressedModel that make_plan takes.
PLANNED = (*(name for stage in STAGES for name in stage.parameters), "stages", *_COUNTS, "runtime")


@dataclass(frozen=True)
class Plan:
    """Stages in their order, and what all of them share."""

    stages: tuple[CompressionStage, ...]
    file_settings: Quantization
    fine_tune_epochs: int
    calibration_samples: int
    num_threads: int


def make_plan(settings: Mapping[str, Any]) -> Plan:
    """Return the plan of checked parameters.

    Parameters
    ----------
    settings : mapping of str to object
        The parameters `PLANNED` of :class:`CompressedModel`.

    Raises
    ------
    ParameterError
        For a parameter outside its rule, or a stage that does not go with another.
    """
    runtime = settings["runtime"]
    if runtime not in RUNTIMES:
        raise ParameterError(
            f"runtime must be one of {RUNTIMES}, got {runtime!r}. {suggest(str(runtime), RUNTIMES)}"
        )
    made = [stage.of(settings) for stage in STAGES]
    stages = [*(stage for stage in made if stage is not None), *check_stages(settings["stages"])]
    names = ["trained", *(stage.name for stage in stages)]
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"stages: two stages of one chain have the name {name!r}.")
    counts = {name: as_count(settings[name], name) for name in _COUNTS}
    return Plan(
        stages=tuple(sorted(stages, key=lambda stage: stage.order)),
        file_settings=as_quantization(settings["quantization"]),
        **counts,
    )
