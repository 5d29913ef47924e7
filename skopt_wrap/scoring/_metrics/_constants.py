"""Scorers of the usual metrics, by name: ``scoring.F1``."""

from __future__ import annotations

# A name stands for a new scorer each time it is imported or read, so that changing one (say by
# set_params) changes no other.
CONSTANTS = {
    "AVERAGE_PRECISION": "average_precision",
    "BALANCED_ACCURACY": "balanced_accuracy",
    "BRIER_SCORE": "brier_score",
    "COHEN_KAPPA": "cohen_kappa",
    "EXPECTED_CALIBRATION_ERROR": "expected_calibration_error",
    "F1": "f1",
    "F2": "f2",
    "GEOMETRIC_MEAN": "geometric_mean",
    "LOG_LOSS": "log_loss",
    "MATTHEWS_CORRCOEF": "matthews_corrcoef",
    "PRECISION": "precision",
    "QUADRATIC_KAPPA": "cohen_kappa_quadratic",
    "RECALL": "recall",
    "ROC_AUC": "roc_auc",
}
