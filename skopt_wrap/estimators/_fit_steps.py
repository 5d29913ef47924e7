"""One fit taken apart: check, build, train, store.

:meth:`BaseKerasEstimator._fit` does the four in a row; :func:`fit_together` prepares several fits
and trains their networks at the same time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from .._keras import dtype_scope, seed_scope
from ..exceptions import DataError
from ..training import TrainingData, train
from ._fit_dataset import train_augmented
from ._rows import check_weights


@dataclass
class Fitting:
    """A fit whose data are checked; :meth:`build` adds what training needs."""

    estimator: Any
    X: Any
    y: np.ndarray
    weights: np.ndarray
    target: Any
    settings: dict[str, Any]
    seed: int
    keep: bool
    validation: tuple[Any, np.ndarray, np.ndarray] | None = None
    network: Any = None
    callbacks: list[Any] = field(default_factory=list)
    user_callbacks: bool = False
    held_out: TrainingData | None = None
    split: tuple[np.ndarray | None, np.ndarray | None] = (None, None)

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Seed and precision of this fit, in which its network is built and trained."""
        with seed_scope(self.seed), dtype_scope(self.estimator.dtype):
            yield

    def build(self) -> None:
        """Build network and callbacks, and encode the validation rows."""
        estimator = self.estimator
        if not self.keep and getattr(estimator.augment, "mixes_labels", False):
            self.target.soft_ = self.target.target_type_ in ("binary", "multiclass")
        self.network = (
            estimator.model_ if self.keep else estimator._new_network(self.X, self.y, self.target)
        )
        self.callbacks, self.user_callbacks = estimator._new_callbacks(
            self.settings["callbacks"], self.validation is not None
        )
        estimator._check_tokens(self.X, self.network)
        if self.validation is not None:
            self.held_out = estimator._encode(*self.validation, self.target)

    def data(self) -> TrainingData:
        """Return the training rows as network and loss take them."""
        balanced = self.estimator._class_weights(self.y, self.weights, self.target)
        return self.estimator._encode(self.X, self.y, balanced, self.target)

    @property
    def batch_size(self) -> int:
        """Rows per step."""
        given = self.settings["batch_size"]
        return len(self.y) if given == -1 else int(given)

    def train(self) -> Any:
        """Train the network by itself; return the result."""
        settings = self.settings
        if self.estimator.augment is not None:
            return train_augmented(
                self.estimator,
                self.network,
                (self.X, self.y, self.weights),
                self.target,
                settings,
                self.held_out,
                self.callbacks,
                self.seed,
            )
        return train(self.network, self.data(), **self.options())

    def options(self) -> dict[str, Any]:
        """Return the keyword arguments of ``train``."""
        return {
            "epochs": self.settings["epochs"],
            "batch_size": self.batch_size,
            "seed": self.seed,
            "validation": self.held_out,
            "callbacks": self.callbacks,
            "user_callbacks": self.user_callbacks,
            "shuffle": self.settings["shuffle"],
            "verbose": int(self.settings["verbose"]),
            **self.settings["passed_on"],
        }

    def store(self, result: Any) -> None:
        """Let the estimator keep the trained network."""
        self.estimator._store(self.network, self.target, result, self.keep)


def prepare_fit(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    X_val: Any,
    y_val: Any,
    overrides: Mapping[str, Any],
    *,
    classes: Any = None,
    keep: bool = False,
    epochs: int | None = None,
) -> Fitting:
    """Check settings and data of one fit and hold out its validation rows."""
    settings = estimator._settings(overrides, X_val, y_val)
    settings["epochs"] = epochs or settings["epochs"]
    keep = keep and hasattr(estimator, "model_")
    X = estimator._check_X(X, reset=not keep)
    if y is None:
        raise DataError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None."
        )
    y = estimator._check_y(y)
    if X.shape[0] != len(y):
        raise DataError(
            "Found input variables with inconsistent numbers of samples: X has "
            f"{X.shape[0]} rows, y has {len(y)}."
        )
    weights = check_weights(sample_weight, X, estimator._floatx)
    target = estimator.target_encoder_ if keep else estimator._make_target(y, weights, classes)
    seed = int(check_random_state(estimator.random_state).randint(2**31 - 1))
    validation = rows = held = None
    if X_val is not None:
        y_val = estimator._check_y(y_val)
        X_val = estimator._check_X(X_val, reset=False)
        validation = (X_val, y_val, check_weights(None, X_val, estimator._floatx))
    elif settings["validation_split"]:
        rows, held = estimator._hold_out(y, target, settings, seed)
        validation = (X[held], y[held], weights[held])
        X, y, weights = X[rows], y[rows], weights[rows]
    return Fitting(
        estimator, X, y, weights, target, settings, seed, keep, validation, split=(rows, held)
    )
