"""The chain of stages over one trained network: convert, prune, quantize."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from .._keras import load_keras, predict_raw
from ..exceptions import BudgetError, DataError, SkoptWrapWarning
from ._child import Child
from ._losses import portable_loss
from ._network import count_parameters, gzip_bytes, to_payload, weight_bytes
from ._report import CompressionReport, StageRow
from ._runtime import LiteRTModel
from ._specs import CALIBRATED, Pruning
from ._timing import measure_latency

CHECK_ROWS = 64
# Difference of a quantized file, in units of the outputs' own size, that is worth a warning.
_NOTABLE = 0.25

Raw = Callable[[np.ndarray], np.ndarray]
Score = Callable[[Raw], float | None]


@dataclass(frozen=True)
class Tuning:
    """Rows and settings for fine-tuning."""

    x: np.ndarray
    y: np.ndarray | None
    sample_weight: np.ndarray | None
    loss: Any
    epochs: int
    batch_size: int


@dataclass(frozen=True)
class Budget:
    """Promises about the result; None promises nothing."""

    max_score_drop: float | None = None
    max_size: int | None = None
    max_latency: float | None = None

    def check(self, report: CompressionReport) -> None:
        """Raise a BudgetError that names every promise the last stage misses."""
        first, last = report.rows[0], report.rows[-1]
        missed = []
        if self.max_size is not None and last.bytes > self.max_size:
            missed.append(f"max_size={self.max_size:,} bytes: reached {last.bytes:,} bytes")
        if self.max_latency is not None and last.latency_p50 > self.max_latency:
            missed.append(
                f"max_latency={self.max_latency:.3g} s: reached {last.latency_p50:.3g} s "
                "(median of one row)"
            )
        if self.max_score_drop is not None and first.score is not None and last.score is not None:
            drop = first.score - last.score
            if not drop <= self.max_score_drop:
                missed.append(
                    f"max_score_drop={self.max_score_drop:g}: reached {drop:.4g} "
                    f"({first.score:.4g} -> {last.score:.4g}, {report.metric} on "
                    f"{report.scored_on})"
                )
        if missed:
            raise BudgetError("the compressed model misses " + "; ".join(missed) + ".")


@dataclass
class Chain:
    """Runs the stages one after another and writes their rows into the report."""

    model: Any
    x: np.ndarray
    child: Child
    report: CompressionReport
    score: Score
    seed: int
    num_threads: int
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        """Choose the rows on which files are compared with their network."""
        if not len(self.x):
            raise DataError("X holds no rows to compress the network with.")
        self._check_x = self.x[self._subset(CHECK_ROWS)]
        self.runtime: LiteRTModel | None = None

    def _subset(self, n: int) -> np.ndarray:
        """Return the indices of up to `n` rows, drawn with the seed, in order."""
        rng = np.random.default_rng(self.seed)
        return np.sort(rng.permutation(len(self.x))[:n])

    def trained(self) -> None:
        """Measure the network as Keras runs it."""

        def raw(x: np.ndarray) -> np.ndarray:
            return predict_raw(self.model, x)

        start = perf_counter()
        size, packed = weight_bytes(self.model)
        self._row("trained", raw, size, packed, 0.0, start)

    def convert(self) -> None:
        """Make the network a float32 file."""
        start = perf_counter()
        file, answer = self._file("convert", None, 0)
        self._file_row("convert", file, answer, start, notes=answer["notes"])

    def quantize(self, quantization: str, calibration_samples: int) -> None:
        """Quantize the network after training."""
        start = perf_counter()
        file, answer = self._file("quantize", quantization, calibration_samples)
        notes = [quantization, *answer["notes"]]
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
        self._file_row("quantize", file, answer, start, notes=notes)

    def prune(self, spec: Pruning, tuning: Tuning) -> None:
        """Replace the network by a sparse one, fine-tuned, and measure its float32 file."""
        start = perf_counter()
        self.say(f"prune to {spec.sparsity:.0%}, {tuning.epochs} epochs")
        answer = self.child.run(
            "prune",
            {
                "network": to_payload(self.model),
                "spec": spec,
                "tuning": replace(tuning, loss=portable_loss(tuning.loss)),
                "seed": self.seed,
                "check_x": self._check_x,
            },
            stage="prune",
        )
        keras = load_keras()
        pruned = keras.models.clone_model(self.model)
        pruned.set_weights(answer["weights"])
        self.model = pruned
        file, made = self._file("prune", None, 0)
        lists = {name: answer[name] for name in ("done", "skipped", "notes")}
        self._file_row("prune", file, made, start, **lists)

    def _file_row(
        self, stage: str, file: LiteRTModel, answer: dict[str, Any], start: float, **lists: Any
    ) -> None:
        size, packed = len(file.content), gzip_bytes(file.content)
        self._row(stage, file, size, packed, answer["difference"], start, **lists)
        self.runtime = file

    def _file(
        self, stage: str, quantization: str | None, calibration_samples: int
    ) -> tuple[LiteRTModel, dict[str, Any]]:
        self.say(f"{stage}: {quantization or 'float32'} file")
        calibration = None
        if quantization in CALIBRATED:
            calibration = self.x[self._subset(calibration_samples)]
        answer = self.child.run(
            "convert",
            {
                "network": to_payload(self.model),
                "quantization": quantization,
                "calibration": calibration,
                "check_x": self._check_x,
                "check_raw": predict_raw(self.model, self._check_x),
            },
            stage=stage,
        )
        return LiteRTModel(answer["content"], self.num_threads), answer

    def _row(
        self,
        stage: str,
        raw: Raw,
        size: int,
        packed: int,
        difference: float,
        start: float,
        **lists: list[str],
    ) -> None:
        seconds = perf_counter() - start
        parameters, nonzero = count_parameters(self.model)
        p50, p99, batch = measure_latency(raw, self._check_x)
        score = self.score(raw)
        self.report.rows.append(
            StageRow(
                stage, parameters, nonzero, size, packed, difference, score, p50, p99, batch,
                seconds, **lists,
            )
        )  # fmt: skip
