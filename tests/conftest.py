"""Data and networks that the whole suite shares: small, seeded, quick."""

from __future__ import annotations

import os

# No GPU, no notes of TensorFlow's on the machine it runs on; both before it is imported.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")
# scikit-learn skips its array API checks without it, and SciPy reads it at import.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.preprocessing import StandardScaler


@pytest.fixture(scope="session")
def blobs():
    """Three separable classes: X (90, 4) float64, y (90,) int."""
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    X = rng.normal(size=(90, 4)) + 3 * np.eye(4)[y]
    return X, y


@pytest.fixture(scope="session")
def binary():
    """Breast cancer, scaled: X (569, 30), y (569,)."""
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="session")
def digits():
    """Digits in [0, 1]: X (1797, 64), y (1797,)."""
    X, y = load_digits(return_X_y=True)
    return X / 16, y


@pytest.fixture(scope="session")
def line():
    """A noisy plane: X (80, 3), y (80,)."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(80, 3))
    return X, X @ np.array([1.0, -2.0, 0.5]) + 0.05 * rng.normal(size=80)
