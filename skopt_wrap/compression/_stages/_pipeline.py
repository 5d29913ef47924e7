"""Run the stages of a compression over one trained network, and measure what each of them made.

Nothing here knows a stage by its name: see :mod:`.._stage` for what a stage is.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import numpy as np

from ..._keras import CustomObjects, predict_raw
from ...exceptions import DataError, ParameterError, SkoptWrapWarning
from .._differences import output_difference
from .._fine_tuning_data import FineTuningData
from .._litert._latency import measure_latency
from .._litert._runtime import LiteRTModel
from .._plan import Plan
from .._process import ConversionProcess
from .._report import CompressionReport, StageRow
from .._serialization import count_parameters, gzip_bytes, weight_bytes
from .._stage import CompressionStage, StageContext, StageResult, draw_rows

CHECK_ROWS = 64
# Loss of score by quantization, in units of the score or of 1, that is worth a warning.
_NOTABLE_DROP = 0.05
_NO_DELEGATE = (
    "LiteRT's default delegate (XNNPACK) refuses this file: it runs without it, more slowly"
)

Raw = Callable[[np.ndarray], np.ndarray]
Score = Callable[[Raw], float | None]


class StageCache:
    """What stages made, for chains over the same network, rows and seed.

    Stages that two chains begin with alike are run once.
    """

    def __init__(self) -> None:
        self._made: list[tuple[Any, StageResult, float]] = []

    def get(self, begun: Any) -> tuple[StageResult, float] | None:
        """Return what a chain that began so made, and the seconds it took, or None."""
        # Compared, not hashed: settings may hold networks and functions.
        return next((made[1:] for made in self._made if made[0] == begun), None)

    def put(self, begun: Any, result: StageResult, seconds: float) -> None:
        """Keep what a stage made."""
        self._made.append((begun, result, seconds))


@dataclass
class StagePipeline:
    """Runs the stages of a plan one after another and writes their rows into the report.

    ``model`` is what the last stage that ended made, ``runtime`` its file, ``quantization`` the
    mode of the file: when a stage fails, they are those of the stage before.
    """

    plan: Plan
    model: Any
    x: np.ndarray
    process: ConversionProcess
    report: CompressionReport
    score: Score
    seed: int
    say: Callable[[str], None]
    cache: StageCache = field(default_factory=StageCache)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Choose the rows on which files are compared with their network."""
        if not len(self.x):
            raise DataError("X holds no rows to compress the network with.")
        self._check_x = self.x[draw_rows(len(self.x), CHECK_ROWS, self.seed)]
        self.runtime: LiteRTModel | None = None
        self.quantization: str | None = None
        self._begun: list[Any] = []
        self._training_data: FineTuningData | None = None

    def run(self, make_training_data: Callable[[], FineTuningData]) -> None:
        """Run every stage; rows for fine-tuning are made only when a stage asks for them."""
        self._measure_trained()
        for stage in self.plan.stages:
            self._run_stage(stage, make_training_data)

    def _measure_trained(self) -> None:
        """Measure the network as Keras runs it."""

        def raw(x: np.ndarray) -> np.ndarray:
            return predict_raw(self.model, x)

        start = perf_counter()
        self._trained_raw = raw(self._check_x)
        result = StageResult(self.model, notes=self.notes)
        self._add_row("trained", result, raw, weight_bytes(self.model), perf_counter() - start)

    def _run_stage(
        self, stage: CompressionStage, make_training_data: Callable[[], FineTuningData]
    ) -> None:
        """Run one stage, or take what an equal chain made of it, and note its row."""
        stage.check(self.model)
        settings = (self.plan.file_settings.recurrent, self.plan.num_threads)
        counts = (self.plan.fine_tune_epochs, self.plan.calibration_samples)
        self._begun = [*self._begun, (stage, settings, counts)]
        found = self.cache.get(self._begun)
        if found is None:
            start = perf_counter()
            result = self._made_by(stage, make_training_data)
            found = result, perf_counter() - start
            self.cache.put(self._begun, *found)
        result, seconds = found
        assert result.content is not None
        runtime = LiteRTModel(result.content, self.plan.num_threads)
        size = len(result.content), gzip_bytes(result.content)
        if not runtime.delegated:
            result = replace(result, notes=[*result.notes, _NO_DELEGATE])
        self._add_row(stage.name, result, runtime, size, seconds)
        self.model, self.runtime, self.quantization = result.model, runtime, result.quantization
        if result.quantization is not None:
            self._warn_of_lost_score()

    def _warn_of_lost_score(self) -> None:
        """Warn when the last file scores much less than the network before it."""
        before, after = self.report.rows[-2].score, self.report.rows[-1].score
        if before is None or after is None:
            return
        if before - after > _NOTABLE_DROP * max(1.0, abs(before)):
            message = (
                f"the {self.quantization!r} file scores {after:.4g} ({self.report.metric} on "
                f"{self.report.scored_on}), the file before it {before:.4g}. Use "
                "quantization='float16' or 'dynamic', give more calibration_samples, or set "
                "max_score_drop to make this an error."
            )
            self.report.rows[-1].notes.append(message)
            warnings.warn(message, SkoptWrapWarning, stacklevel=2)

    def _made_by(
        self, stage: CompressionStage, make_training_data: Callable[[], FineTuningData]
    ) -> StageResult:
        """Return what a stage makes of the network, with its file."""

        def shared_training_data() -> FineTuningData:
            if self._training_data is None:
                self._training_data = make_training_data()
            return self._training_data

        context = StageContext(
            x=self.x,
            check_x=self._check_x,
            seed=self.seed,
            make_training_data=shared_training_data,
            process=self.process,
            stage=stage.name,
            file_settings=self.plan.file_settings,
            calibration_samples=self.plan.calibration_samples,
            num_threads=self.plan.num_threads,
            say=self.say,
            earlier=tuple(row.stage for row in self.report.rows),
            file=self.runtime,
        )
        self.say(f"{stage.name}: {stage!r}")
        # A stage may copy layers of the user's in its own way: it finds their classes here.
        with CustomObjects(self.model).scope():
            result = stage.run(self.model, context)
        if not isinstance(result, StageResult):
            raise ParameterError(
                f"stages: run of {stage.name!r} must return a StageResult, got "
                f"{type(result).__name__}."
            )
        if result.content is None:
            answer = context.convert(result.model)
            result.content, result.difference = answer["content"], answer["difference"]
            result.notes = [*result.notes, *answer["notes"]]
        return result

    def _distance(self, raw: Raw) -> float:
        """Return how far outputs are from those of the trained network."""
        found = raw(self._check_x)
        if found.shape != self._trained_raw.shape:
            return float("nan")
        return output_difference(found, self._trained_raw)

    def _add_row(
        self,
        stage: str,
        result: StageResult,
        raw: Raw,
        size: tuple[int, int],
        seconds: float,
    ) -> None:
        """Measure a network and its file, and write the row of a stage."""
        parameters, nonzero, distinct = count_parameters(result.model)
        p50, p99, batch = measure_latency(raw, self._check_x)
        self.report.rows.append(
            StageRow(
                stage=stage,
                parameters=parameters,
                nonzero=nonzero,
                distinct=distinct,
                bytes=size[0],
                gzip_bytes=size[1],
                difference=result.difference,
                score=self.score(raw),
                latency_p50=p50,
                latency_p99=p99,
                latency_batch=batch,
                seconds=seconds,
                done=list(result.done),
                skipped=list(result.skipped),
                notes=list(result.notes),
                from_trained=self._distance(raw),
            )
        )
