"""Keras from scikit-learn: drop-in estimators, tuning, compression, augmentation, honest scores.

Importing this package loads neither TensorFlow nor Keras: public names are looked up when they
are first used (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .architectures import FineTuned as FineTuned
    from .compression import Clustering as Clustering
    from .compression import CompressedModel as CompressedModel
    from .compression import CompressionDisplay as CompressionDisplay
    from .compression import CompressionReport as CompressionReport
    from .compression import CompressionSearch as CompressionSearch
    from .compression import LiteRTModel as LiteRTModel
    from .compression import Pruning as Pruning
    from .compression import compress as compress
    from .diagnostics import Finding as Finding
    from .diagnostics import FitDiagnosis as FitDiagnosis
    from .diagnostics import FitDisplay as FitDisplay
    from .diagnostics import FitThresholds as FitThresholds
    from .diagnostics import Remedy as Remedy
    from .diagnostics import RemedyResults as RemedyResults
    from .diagnostics import diagnose as diagnose
    from .distillation import Distillation as Distillation
    from .distillation import DistillationResult as DistillationResult
    from .distillation import distill as distill
    from .estimators import KerasClassifier as KerasClassifier
    from .estimators import KerasRegressor as KerasRegressor
    from .estimators import LearningRateDisplay as LearningRateDisplay
    from .estimators import LearningRateTest as LearningRateTest
    from .estimators import find_learning_rate as find_learning_rate
    from .factorization import CP as CP
    from .factorization import SVD as SVD
    from .factorization import FactorizationResult as FactorizationResult
    from .factorization import TensorTrain as TensorTrain
    from .factorization import TensorTrainDense as TensorTrainDense
    from .factorization import Tucker as Tucker
    from .factorization import factorize as factorize
    from .losses import DistillationLoss as DistillationLoss
    from .losses import LogitAdjustedCrossentropy as LogitAdjustedCrossentropy
    from .losses import PriorCorrectedClassifier as PriorCorrectedClassifier
    from .losses import SparseCategoricalFocalCrossentropy as SparseCategoricalFocalCrossentropy
    from .losses import correct_prior as correct_prior
    from .losses import effective_class_weight as effective_class_weight
    from .losses import estimate_prior as estimate_prior
    from .monitoring import DriftDisplay as DriftDisplay
    from .monitoring import DriftMonitor as DriftMonitor
    from .monitoring import DriftReport as DriftReport
    from .monitoring import RetrainingClassifier as RetrainingClassifier
    from .monitoring import RetrainingRegressor as RetrainingRegressor
    from .persistence import CardSection as CardSection
    from .persistence import FileSummary as FileSummary
    from .persistence import ModelCard as ModelCard
    from .persistence import inspect as inspect
    from .persistence import load as load
    from .persistence import model_card as model_card
    from .persistence import save as save
    from .quality import CleaningReport as CleaningReport
    from .quality import DataCleaner as DataCleaner
    from .quality import DataFinding as DataFinding
    from .quality import QualityReport as QualityReport
    from .quality import RowCleaner as RowCleaner
    from .quality import RowReport as RowReport
    from .quality import make_preprocessor as make_preprocessor
    from .quality import quality_report as quality_report
    from .sampling import AugmentationDisplay as AugmentationDisplay
    from .sampling import AugmentingSampler as AugmentingSampler
    from .sampling import available_transforms as available_transforms
    from .scoring import BootstrapInterval as BootstrapInterval
    from .scoring import CalibrationDisplay as CalibrationDisplay
    from .scoring import ImbalanceAwareScorer as ImbalanceAwareScorer
    from .scoring import ImbalanceReport as ImbalanceReport
    from .scoring import PrecisionRecallDisplay as PrecisionRecallDisplay
    from .scoring import ThresholdDisplay as ThresholdDisplay
    from .scoring import bootstrap_interval as bootstrap_interval
    from .scoring import imbalance_report as imbalance_report
    from .scoring import list_metrics as list_metrics
    from .tuning import REMOVE as REMOVE
    from .tuning import Conditional as Conditional
    from .tuning import Genetic as Genetic
    from .tuning import Halving as Halving
    from .tuning import PerLayer as PerLayer
    from .tuning import SearchDisplay as SearchDisplay
    from .tuning import TunedClassifier as TunedClassifier
    from .tuning import TunedRegressor as TunedRegressor
    from .tuning import default_space as default_space
    from .tuning import parameter_importances as parameter_importances

# Public name -> subpackage that defines it. The API reference is generated from this table.
_EXPORTS = {
    "AugmentationDisplay": "sampling",
    "AugmentingSampler": "sampling",
    "BootstrapInterval": "scoring",
    "CP": "factorization",
    "CalibrationDisplay": "scoring",
    "CleaningReport": "quality",
    "CardSection": "persistence",
    "Clustering": "compression",
    "CompressedModel": "compression",
    "CompressionDisplay": "compression",
    "CompressionReport": "compression",
    "CompressionSearch": "compression",
    "DataCleaner": "quality",
    "DataFinding": "quality",
    "Conditional": "tuning",
    "Distillation": "distillation",
    "DistillationLoss": "losses",
    "DistillationResult": "distillation",
    "DriftDisplay": "monitoring",
    "DriftMonitor": "monitoring",
    "DriftReport": "monitoring",
    "FactorizationResult": "factorization",
    "FileSummary": "persistence",
    "Finding": "diagnostics",
    "FineTuned": "architectures",
    "FitDiagnosis": "diagnostics",
    "FitDisplay": "diagnostics",
    "FitThresholds": "diagnostics",
    "Genetic": "tuning",
    "Halving": "tuning",
    "ImbalanceAwareScorer": "scoring",
    "ImbalanceReport": "scoring",
    "KerasClassifier": "estimators",
    "KerasRegressor": "estimators",
    "LearningRateDisplay": "estimators",
    "LearningRateTest": "estimators",
    "LiteRTModel": "compression",
    "LogitAdjustedCrossentropy": "losses",
    "ModelCard": "persistence",
    "PerLayer": "tuning",
    "PrecisionRecallDisplay": "scoring",
    "PriorCorrectedClassifier": "losses",
    "Pruning": "compression",
    "QualityReport": "quality",
    "REMOVE": "tuning",
    "RowCleaner": "quality",
    "RowReport": "quality",
    "Remedy": "diagnostics",
    "RemedyResults": "diagnostics",
    "RetrainingClassifier": "monitoring",
    "RetrainingRegressor": "monitoring",
    "SVD": "factorization",
    "SearchDisplay": "tuning",
    "SparseCategoricalFocalCrossentropy": "losses",
    "TensorTrain": "factorization",
    "TensorTrainDense": "factorization",
    "ThresholdDisplay": "scoring",
    "Tucker": "factorization",
    "TunedClassifier": "tuning",
    "TunedRegressor": "tuning",
    "available_transforms": "sampling",
    "bootstrap_interval": "scoring",
    "compress": "compression",
    "correct_prior": "losses",
    "default_space": "tuning",
    "diagnose": "diagnostics",
    "distill": "distillation",
    "effective_class_weight": "losses",
    "estimate_prior": "losses",
    "factorize": "factorization",
    "find_learning_rate": "estimators",
    "imbalance_report": "scoring",
    "inspect": "persistence",
    "list_metrics": "scoring",
    "make_preprocessor": "quality",
    "parameter_importances": "tuning",
    "quality_report": "quality",
    "load": "persistence",
    "model_card": "persistence",
    "save": "persistence",
}

_SUBPACKAGES = (
    "architectures",
    "compression",
    "diagnostics",
    "distillation",
    "estimators",
    "exceptions",
    "factorization",
    "losses",
    "model_selection",
    "quality",
    "monitoring",
    "persistence",
    "sampling",
    "scoring",
    "training",
    "tuning",
)

__all__ = [*_EXPORTS, "exceptions"]


def __getattr__(name: str) -> object:
    if name in _EXPORTS:
        value = getattr(importlib.import_module(f"{__name__}.{_EXPORTS[name]}"), name)
        globals()[name] = value
        return value
    if name in _SUBPACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("skopt_wrap")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS, *_SUBPACKAGES, "__version__"})
