"""The chain of stages over one trained network."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from ..._keras import predict_raw
from ...exceptions import DataError, SkoptWrapWarning, UnsupportedLayerError
from .._litert._latency import measure_latency
from .._litert._runtime import LiteRTModel
from .._plan import Plan
from .._process import Child
from .._report import CompressionReport, StageRow
from .._serialization import count_parameters, gzip_bytes, to_payload, weight_bytes
from .._specs import CALIBRATED, Quantization
from .._tuning import Tuning
from ._dispatch import run_stage, train_with_rounding

CHECK_ROWS = 64
# Difference of a quantized file, in units of the outputs' own size, that is worth a warning.
_NOTABLE = 0.25

Raw = Callable[[np.ndarray], np.ndarray]
Score = Callable[[Raw], float | None]


@dataclass
class Chain:
    """Runs the stages one after another and writes their rows into the report.

    The order is fixed: factorize, distil, prune, cluster, quantize. ``model`` is what the last
    stage that ended made, ``runtime`` its file: when a stage fails, they are those of the stage
    before. Chains over the same network, rows and seed may share a list ``kept``: stages that they
    begin with alike are then run once.
    """

    model: Any
    x: np.ndarray
    child: Child
    report: CompressionReport
    score: Score
    seed: int
    num_threads: int
    say: Callable[[str], None]
    kept: list[tuple[Any, Any]] | None = None

    def __post_init__(self) -> None:
        """Choose the rows on which files are compared with their network."""
        if not len(self.x):
            raise DataError("X holds no rows to compress the network with.")
        self._check_x = self.x[self._subset(CHECK_ROWS)]
        self.runtime: LiteRTModel | None = None
        self.form = Quantization(None)
        self._begun: list[Any] = []

    def run(self, plan: Plan, tuning: Callable[[], Tuning]) -> None:
        """Run every stage of `plan`; `tuning` is asked for rows only when a stage trains."""
        self.form = plan.quantization
        self.trained()
        self.convert()
        rows: Tuning | None = None
        for stage, spec in plan.changes:
            rows = tuning() if rows is None else rows
            self.change(stage, spec, rows)
        if plan.quantization.mode is not None:
            if plan.quantization_aware and rows is None:
                rows = tuning()
            self.quantize(
                plan.quantization.mode,
                plan.calibration_samples,
                rows if plan.quantization_aware else None,
            )

    def trained(self) -> None:
        """Measure the network as Keras runs it."""

        def raw(x: np.ndarray) -> np.ndarray:
            return predict_raw(self.model, x)

        start = perf_counter()
        size, packed = weight_bytes(self.model)
        self._row("trained", self.model, raw, size, packed, 0.0, start)

    def convert(self) -> None:
        """Make the network a float32 file."""
        model = self.model

        def made() -> tuple[Any, LiteRTModel, dict[str, Any], dict[str, list[str]]]:
            file, answer = self._file("convert", model, None, 0)
            return model, file, answer, {"notes": answer["notes"]}

        self._shared("convert", None, made)

    def change(self, stage: str, spec: Any, tuning: Tuning) -> None:
        """Replace the network by what a stage makes of it, and measure its float32 file."""

        def made() -> tuple[Any, LiteRTModel, dict[str, Any], dict[str, list[str]]]:
            self.say(f"{stage}: {spec!r}, {tuning.epochs} epochs")
            model, done, skipped, notes = run_stage(
                self.child, stage, self.model, spec, tuning, self.seed, self._check_x
            )
            file, answer = self._file(stage, model, None, 0)
            return (
                model,
                file,
                answer,
                {"done": done, "skipped": skipped, "notes": [*notes, *answer["notes"]]},
            )

        self._shared(stage, (spec, tuning.epochs), made)

    def _shared(self, stage: str, settings: Any, make: Callable[[], Any]) -> None:
        """Run a stage, or take what an equal chain made of it, and note its row."""
        kept = [] if self.kept is None else self.kept
        self._begun = [*self._begun, (stage, settings, self.form.recurrent, self.num_threads)]
        # Compared, not hashed: settings may hold networks and functions.
        found = next((made for begun, made in kept if begun == self._begun), None)
        if found is None:
            start = perf_counter()
            found = (*make(), perf_counter() - start)
            kept.append((self._begun, found))
        model, file, answer, lists, seconds = found
        lists = {name: list(items) for name, items in lists.items()}
        self._file_row(stage, model, file, answer, perf_counter() - seconds, **lists)

    def quantize(
        self, quantization: str, calibration_samples: int, tuning: Tuning | None = None
    ) -> None:
        """Quantize the network, while it is tuned on the rows of `tuning` or after training."""
        start = perf_counter()
        made: tuple[LiteRTModel, dict[str, Any]] | None = None
        why_not: list[str] = []
        if tuning is not None:
            made, why_not = self._aware(tuning, calibration_samples)
        if made is None:
            made = self._file("quantize", self.model, quantization, calibration_samples)
        file, answer = made
        notes = [quantization, *why_not, *answer["notes"]]
        if len(file.content) >= self.report.rows[-1].bytes:
            notes.append("this file is not smaller than the float32 one")
        if answer["difference"] > _NOTABLE:
            message = (
                f"the {quantization!r} file's outputs differ from the network's by "
                f"{answer['difference']:.2g} of their size. Scale the rows (StandardScaler), give "
                "more calibration_samples, or use quantization='float16'."
            )
            notes.append(message)
            warnings.warn(message, SkoptWrapWarning, stacklevel=2)
        lists = {name: answer.get(name, []) for name in ("done", "skipped")}
        self._file_row("quantize", self.model, file, answer, start, notes=notes, **lists)

    def _aware(
        self, tuning: Tuning, calibration_samples: int
    ) -> tuple[tuple[LiteRTModel, dict[str, Any]] | None, list[str]]:
        """Return the file of a network trained with rounding, or None and why there is none."""
        self.say(f"quantize: training with the file's rounding, {tuning.epochs} epochs")
        try:
            answer = train_with_rounding(
                self.child,
                self.model,
                self.form,
                tuning,
                self.seed,
                self._check_x,
                self.x[self._subset(calibration_samples)],
                [row.stage for row in self.report.rows],
            )
        except UnsupportedLayerError as error:  # a crash, or weights that diverged, is an error
            message = f"quantized after training, not while training: {error}"
            warnings.warn(message, SkoptWrapWarning, stacklevel=2)
            return None, [message]
        return (LiteRTModel(answer["content"], self.num_threads), answer), []

    def _subset(self, n: int) -> np.ndarray:
        """Return the indices of up to `n` rows, drawn with the seed, in order."""
        rng = np.random.default_rng(self.seed)
        return np.sort(rng.permutation(len(self.x))[:n])

    def _file(
        self, stage: str, model: Any, quantization: str | None, calibration_samples: int
    ) -> tuple[LiteRTModel, dict[str, Any]]:
        self.say(f"{stage}: {quantization or 'float32'} file")
        calibration = None
        integer_io = self.form.integer_io and quantization is not None
        if quantization in CALIBRATED:
            calibration = self.x[self._subset(calibration_samples)]
        check_raw = predict_raw(model, self._check_x)
        if not np.isfinite(check_raw).all():
            raise DataError(
                f"{stage}: the network's own outputs for rows of X are not finite. Are there NaN "
                "or infinite values in X?"
            )
        answer = self.child.run(
            "convert",
            {
                "network": to_payload(model),
                "quantization": replace(self.form, mode=quantization, integer_io=integer_io),
                "calibration": calibration,
                "check_x": self._check_x,
                "check_raw": check_raw,
            },
            stage=stage,
        )
        return LiteRTModel(answer["content"], self.num_threads), answer

    def _file_row(
        self,
        stage: str,
        model: Any,
        file: LiteRTModel,
        answer: dict[str, Any],
        start: float,
        **lists: list[str],
    ) -> None:
        size, packed = len(file.content), gzip_bytes(file.content)
        self._row(stage, model, file, size, packed, answer["difference"], start, **lists)
        self.model, self.runtime = model, file

    def _row(
        self,
        stage: str,
        model: Any,
        raw: Raw,
        size: int,
        packed: int,
        difference: float,
        start: float,
        **lists: list[str],
    ) -> None:
        seconds = perf_counter() - start
        parameters, nonzero, distinct = count_parameters(model)
        p50, p99, batch = measure_latency(raw, self._check_x)
        score = self.score(raw)
        self.report.rows.append(
            StageRow(
                stage, parameters, nonzero, distinct, size, packed, difference, score, p50, p99,
                batch, seconds, **lists,
            )
        )  # fmt: skip
