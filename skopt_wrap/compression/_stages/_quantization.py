"""The last stage: the file's numbers become smaller, after training or while tuning."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...exceptions import ParameterError, SkoptWrapWarning, UnsupportedLayerError
from .._specs import Quantization, as_flag, as_quantization
from .._stage import LAST, CompressionStage, StageContext, StageResult
from ._tf_keras_stage import tf_keras_request

# Difference of a quantized file, in units of the spread of an output, that is worth a warning.
_NOTABLE = 0.25
_QUANTIZE_AWARE = "skopt_wrap.compression._conversion._quantization_aware:quantize_aware"


@dataclass(frozen=True)
class Quantize(CompressionStage):
    """Make the network a file of smaller numbers.

    Parameters
    ----------
    spec : Quantization
        Mode and form of the file.
    aware : bool, default=False
        Whether the network is fine-tuned with the rounding of the file.
    """

    spec: Quantization
    aware: bool = False
    name = "quantize"
    order = LAST
    parameters = ("quantization", "quantization_aware")

    @property
    def trains(self) -> bool:  # type: ignore[override]
        """Whether it fine-tunes the network with the rounding of the file."""
        return self.aware

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Quantize | None:
        """Return the stage that `quantization` and `quantization_aware` ask for."""
        aware = as_flag(settings["quantization_aware"], "quantization_aware")
        spec = as_quantization(settings["quantization"])
        if spec.mode == "int4":
            _require_int4()
        if aware and spec.mode != "int8":
            raise ParameterError(
                "quantization_aware=True needs quantization='int8', the one mode whose rounding "
                f"can be trained with; got quantization={spec.mode!r}."
            )
        return None if spec.mode is None else cls(spec, aware)

    def run(self, model: Any, context: StageContext) -> StageResult:
        """Make the file, and warn when it answers otherwise than the network."""
        answer, why_not = self._aware(model, context) if self.aware else (None, [])
        if answer is None:
            answer = context.convert(model, self.spec.mode)
        content, difference = answer["content"], answer["difference"]
        notes = [str(self.spec.mode), *why_not, *answer["notes"]]
        if context.file is not None and len(content) >= len(context.file.content):
            notes.append("this file is not smaller than the float32 one")
        if difference > _NOTABLE:
            message = (
                f"the {self.spec.mode!r} file's outputs differ from the network's by "
                f"{difference:.2g} of their spread. Scale the rows (StandardScaler), give "
                "more calibration_samples, or use quantization='float16'."
            )
            notes.append(message)
            warnings.warn(message, SkoptWrapWarning, stacklevel=2)
        return StageResult(
            model,
            done=answer.get("done", []),
            skipped=answer.get("skipped", []),
            notes=notes,
            content=content,
            difference=difference,
            quantization=self.spec.mode,
        )

    def _aware(self, model: Any, context: StageContext) -> tuple[dict[str, Any] | None, list[str]]:
        """Return the file of a network trained with rounding, or None and why there is none."""
        epochs = context.training_data.epochs
        context.say(f"quantize: training with the file's rounding, {epochs} epochs")
        request = {
            **tf_keras_request(model, self.spec, context),
            "calibration": context.draw(context.calibration_samples),
            "sparsity": "prune" in context.earlier,
            "clusters": "cluster" in context.earlier,
        }
        try:
            answer = context.run_in_process(_QUANTIZE_AWARE, request)
        except UnsupportedLayerError as error:  # a crash, or weights that diverged, is an error
            message = f"quantized after training, not while training: {error}"
            warnings.warn(message, SkoptWrapWarning, stacklevel=2)
            return None, [message]
        return answer, []


def _require_int4() -> None:
    """Raise unless the library that makes int4 files is installed."""
    if importlib.util.find_spec("ai_edge_quantizer") is None:
        raise ParameterError(
            "quantization='int4' needs ai-edge-quantizer: pip install 'skopt_wrap[int4]'. "
            "'int8' and 'dynamic' need nothing further."
        )
