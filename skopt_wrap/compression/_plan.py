"""What a compression is asked to do: the parameters of every stage, checked before any work."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any

from ..distillation import Distillation
from ..exceptions import ParameterError, suggest
from ..factorization import CP, SVD, Factorization, TensorTrain, Tucker
from ._specs import (
    Clustering,
    Pruning,
    Quantization,
    as_clustering,
    as_count,
    as_flag,
    as_pruning,
    as_quantization,
)

METHODS = ("auto", *(cls.method for cls in (SVD, TensorTrain, Tucker, CP)))
RUNTIMES = ("litert",)
# The parameters of CompressedModel that make_plan takes.
PLANNED = (
    "factorization",
    "distillation",
    "pruning",
    "clustering",
    "quantization",
    "quantization_aware",
    "fine_tune_epochs",
    "calibration_samples",
    "runtime",
    "num_threads",
)


def require_int4() -> None:
    """Raise unless the library that makes int4 files is installed."""
    if importlib.util.find_spec("ai_edge_quantizer") is None:
        raise ParameterError(
            "quantization='int4' needs ai-edge-quantizer: pip install 'skopt_wrap[int4]'. "
            "'int8' and 'dynamic' need nothing further."
        )


@dataclass(frozen=True)
class Plan:
    """Stages in their order, with the settings of each; None leaves a stage out."""

    factorization: Any
    distillation: Any
    pruning: Pruning | None
    clustering: Clustering | None
    quantization: Quantization
    quantization_aware: bool
    fine_tune_epochs: int
    calibration_samples: int
    num_threads: int

    @property
    def changes(self) -> list[tuple[str, Any]]:
        """Stages that make a Keras network of a Keras network, in order, with their settings."""
        stages = {
            "factorize": self.factorization,
            "distil": self.distillation,
            "prune": self.pruning,
            "cluster": self.clustering,
        }
        return [(name, spec) for name, spec in stages.items() if spec is not None]


def make_plan(
    *,
    factorization: Any,
    distillation: Any,
    pruning: Any,
    clustering: Any,
    quantization: Any,
    quantization_aware: bool,
    fine_tune_epochs: int,
    calibration_samples: int,
    runtime: str,
    num_threads: int,
) -> Plan:
    """Return the plan of checked parameters; they are those of :class:`CompressedModel`.

    Raises
    ------
    ParameterError
        For a parameter outside its rule, or a stage that does not go with another.
    """
    if runtime not in RUNTIMES:
        raise ParameterError(
            f"runtime must be one of {RUNTIMES}, got {runtime!r}. {suggest(str(runtime), RUNTIMES)}"
        )
    aware = as_flag(quantization_aware, "quantization_aware")
    settings = as_quantization(quantization)
    if settings.mode == "int4":
        require_int4()
    if aware and settings.mode != "int8":
        raise ParameterError(
            "quantization_aware=True needs quantization='int8', the one mode whose rounding can "
            f"be trained with; got quantization={settings.mode!r}."
        )
    sparse, clusters = as_pruning(pruning), as_clustering(clustering)
    if clusters and sparse and not sparse.structured and clusters.sparsity_preserving:
        if clusters.n_clusters < 3:
            raise ParameterError(
                f"clustering: n_clusters must be at least 3 after pruning (zero is one of them), "
                f"got {clusters.n_clusters}."
            )
    return Plan(
        factorization=as_factorization(factorization),
        distillation=as_distillation(distillation),
        pruning=sparse,
        clustering=clusters,
        quantization=settings,
        quantization_aware=aware,
        fine_tune_epochs=as_count(fine_tune_epochs, "fine_tune_epochs"),
        calibration_samples=as_count(calibration_samples, "calibration_samples"),
        num_threads=as_count(num_threads, "num_threads"),
    )


def as_factorization(value: Any) -> str | Factorization | None:
    """Return `value` when it is a method's name, a value object or None, else raise."""
    if value is None or isinstance(value, Factorization) or value in METHODS:
        return value
    raise ParameterError(
        f"factorization must be None, one of {METHODS} or an object such as TensorTrain(...), got "
        f"{value!r}. {suggest(str(value), METHODS)}"
    )


def as_distillation(value: Any) -> Distillation | None:
    """Return `value` as a Distillation; None means no distillation."""
    return value if value is None or isinstance(value, Distillation) else Distillation(value)
