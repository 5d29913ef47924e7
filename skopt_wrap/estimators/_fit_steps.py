"""The steps of one fit: check the data, build the network, train it, store the result.

:meth:`BaseKerasEstimator._fit` takes the four steps in a row. :func:`fit_together` prepares several
fits, trains their networks jointly, and stores each.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from .._keras import dtype_scope, fixed_batch, seed_scope
from ..exceptions import DataError, ParameterError
from ..training import (
    NotJointlyTrainable,
    TrainingData,
    TrainingResult,
    TrainingSettings,
    progress_callbacks,
    train,
)
from ._epoch_tasks import epoch_tasks
from ._fit_dataset import train_augmented
from ._inputs._fixed_batch import check_batches
from ._inputs._sequences import warn_of_padding
from ._recipes import (
    finish_training,
    hold_out_some,
    is_auto,
    recipe_for,
    start_network,
)
from ._rows import check_weights
from ._targets._arrays import column_names
from ._targets._units import training_units


@dataclass(frozen=True)
class FitRequest:
    """What `fit` or `partial_fit` was called with.

    `keep` says whether to go on with the network that is there; `epochs`, where it is given, counts
    instead of the estimator's. With 0 epochs, no rows are held out. `advise` says whether warnings
    that are of use once may be given: the fits inside of a search give none.
    """

    X: Any
    y: Any
    sample_weight: Any = None
    X_val: Any = None
    y_val: Any = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    classes: Any = None
    keep: bool = False
    epochs: int | None = None
    advise: bool = False

    @classmethod
    def one_epoch(cls, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> FitRequest:
        """Return what `partial_fit` asks for: an epoch more on all samples that are given."""
        no_split = {"validation_split": 0.0}
        return cls(X, y, sample_weight, overrides=no_split, classes=classes, keep=True, epochs=1)


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
    given: tuple[Any, Any] = (None, None)

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
        if self.keep:
            self.network = estimator.model_
        else:
            X_val = None if self.validation is None else self.validation[0]
            self.network, self.target = estimator._new_network(self.X, self.y, self.target, X_val)
            estimator._place_target(self.network, self.target)
            warn_of_padding(estimator, self.network)
            estimator.epochs_, estimator.batch_size_ = self.settings["epochs"], self.batch_size
            start_network(estimator, self.network, self.data, self.seed)
        check_batches(self)
        self.callbacks, self.user_callbacks = estimator._new_callbacks(
            self.settings["callbacks"], self.validation is not None
        )
        self.callbacks += progress_callbacks(self.network)
        estimator._check_tokens(self.X, self.network)
        if self.validation is not None:
            estimator._check_tokens(self.validation[0], self.network)
            self.held_out = estimator._encode(*self.validation, self.target)

    def hold_out(self, rows: np.ndarray, held: np.ndarray) -> None:
        """Train on `rows`, and validate on the rows `held`."""
        X, y, weights = self.X, self.y, self.weights
        self.split = (rows, held)
        self.validation = (X[held], y[held], weights[held])
        self.X, self.y, self.weights = X[rows], y[rows], weights[rows]

    def data(self) -> TrainingData:
        """Return the training rows as network and loss take them."""
        balanced = self.estimator._class_weights(self.y, self.weights, self.target)
        return self.estimator._encode(self.X, self.y, balanced, self.target)

    def joint_data(self) -> TrainingData:
        """Return :meth:`data` for training with other networks.

        Raises
        ------
        NotJointlyTrainable
            Says what about this fit must happen by itself.
        """
        if self.estimator.augment is not None:
            raise NotJointlyTrainable("augment makes the batches")
        if self.keep:
            raise NotJointlyTrainable("training goes on with a fitted network")
        data = self.data()
        if not data.plain or fixed_batch(self.network) is not None:
            raise NotJointlyTrainable("the network has several inputs or outputs, text or states")
        return data

    @property
    def batch_size(self) -> int:
        """Rows per step."""
        given = self.settings["batch_size"]
        if is_auto(given):
            return recipe_for(self.estimator).rows_per_step(len(self.y))
        return len(self.y) if given == -1 else int(given)

    def train(self) -> Any:
        """Train the network by itself; return the result."""
        learned = {"target_encoder_": self.target, "history_": {}, "n_iter_": 0}
        with (
            training_units(self.network, self.target, self.keep),
            epoch_tasks(
                self.estimator, self.given, self.settings["epochs"], lambda: learned
            ) as tasks,
        ):
            result = self._train([*self.callbacks, *tasks])
            self.finish(self.held_out)
            return result

    def _train(self, callbacks: list[Any]) -> Any:
        if self.estimator.augment is not None:
            rows = (self.X, self.y, self.weights)
            return train_augmented(
                self.estimator,
                self.network,
                rows,
                self.target,
                {**self.settings, "batch_size": self.batch_size},
                self.held_out,
                callbacks,
                self.seed,
            )
        settings = self.training_settings()
        return train(
            self.network, self.data(), settings, validation=self.held_out, callbacks=callbacks
        )

    def finish(self, held_out: TrainingData | None) -> None:
        """Correct the trained network on the held-out rows, where its recipe does."""
        with dtype_scope(self.estimator.dtype):
            finish_training(self.estimator, self.network, held_out)

    def training_settings(self) -> TrainingSettings:
        """Return epochs, batch size and the like, as ``train`` takes them."""
        return TrainingSettings(
            epochs=self.settings["epochs"],
            batch_size=self.batch_size,
            seed=self.seed,
            shuffle=self.settings["shuffle"],
            drop_remainder=recipe_for(self.estimator).drop_remainder,
            verbose=int(self.settings["verbose"]),
            user_callbacks=self.user_callbacks,
            **self.settings["passed_on"],
        )

    def store(self, result: Any) -> None:
        """Let the estimator keep the trained network."""
        self.estimator._store(self.network, self.target, result, self.keep)


def prepare_fit(estimator: Any, request: FitRequest) -> Fitting:
    """Check settings and data of one fit and hold out its validation rows."""
    settings = estimator._settings(request.overrides, request.X_val, request.y_val)
    settings["epochs"] = request.epochs or settings["epochs"]
    keep = request.keep and hasattr(estimator, "model_")
    X, y = _training_arrays(estimator, request, keep)
    weights = check_weights(request.sample_weight, X, estimator._floatx)
    target = (
        estimator.target_encoder_
        if keep
        else estimator._make_target(y, weights, request.classes, column_names(request.y))
    )
    if keep:
        target.check(y)
    elif request.advise:
        estimator._advise(y, target, request)
    seed = int(check_random_state(estimator.random_state).randint(2**31 - 1))
    fitting = Fitting(estimator, X, y, weights, target, settings, seed, keep)
    fitting.given = (request.X, request.y)
    if request.X_val is not None:
        y_val = estimator._check_y(request.y_val)
        X_val = estimator._check_X(request.X_val, reset=False)
        check_lengths(X_val, y_val, "X_val", "y_val")
        target.check(y_val, "y_val")
        fitting.validation = (X_val, y_val, check_weights(None, X_val, estimator._floatx))
    elif request.epochs == 0:
        pass
    elif settings["validation_split"]:
        fitting.hold_out(*estimator._hold_out(y, target, settings, seed))
    elif settings["holdout"]:
        split = hold_out_some(estimator, y, target, settings, seed)
        if split is not None:
            fitting.hold_out(*split)
    elif request.epochs is None:  # `partial_fit` never validates
        _refuse_validation_options(settings["passed_on"])
    if not keep:
        estimator._learn_table(fitting)
        estimator._learn_target(fitting.y, fitting.weights, target)
    return fitting


def initialize(estimator: Any, X: Any, y: Any) -> Any:
    """Give `estimator` its network for these data, untrained; return the estimator."""
    if estimator.members not in (None, 1):
        raise ParameterError(
            f"initialize makes one network, but members={estimator.members!r}; call fit."
        )
    with estimator._unchanged_on_failure():
        request = FitRequest(X, y, epochs=0)
        fitting = prepare_fit(estimator, request)
        with fitting.scope():
            fitting.build()
            if not fitting.network.optimizer.built:
                fitting.network.optimizer.build(fitting.network.trainable_variables)
        fitting.store(TrainingResult(path="none"))
    return estimator


def _refuse_validation_options(passed_on: Mapping[str, Any]) -> None:
    """Raise for settings of a validation that does not take place."""
    given = {**passed_on, **passed_on.get("fit_options", {})}
    for name in ("validation_batch_size", "validation_freq", "validation_steps"):
        if name in given:
            raise ParameterError(
                f"fit__{name} has no effect: there are no validation data. Give X_val and y_val to "
                "fit, or validation_split."
            )


def _training_arrays(estimator: Any, request: FitRequest, keep: bool) -> tuple[Any, np.ndarray]:
    """Return X and y, checked by themselves and against each other."""
    X = estimator._check_X(request.X, reset=not keep)
    if request.y is None:
        raise DataError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None."
        )
    y = estimator._check_y(request.y)
    if X.shape[0] != len(y):
        _refuse_several_inputs(request.X, len(y))
    check_lengths(X, y, "X", "y")
    return X, y


def _refuse_several_inputs(X: Any, n_samples: int) -> None:
    """Raise for a list of arrays, one for each input of a network."""
    parts = X if isinstance(X, list | tuple) else ()
    lengths = [tuple(getattr(part, "shape", ()))[:1] for part in parts]
    if lengths and all(length == (n_samples,) for length in lengths):
        raise DataError(
            f"X is a list of {len(X)} arrays with {n_samples} rows each, but a network gets one "
            "array. Join them, for instance np.hstack(X), and let the network take them apart."
        )


def check_lengths(X: Any, y: np.ndarray, name_X: str, name_y: str) -> None:
    """Raise unless `X` and `y` have the same number of samples."""
    if X.shape[0] != len(y):
        raise DataError(
            f"Found input variables with inconsistent numbers of samples: {name_X} has "
            f"{X.shape[0]} rows, {name_y} has {len(y)}."
        )
