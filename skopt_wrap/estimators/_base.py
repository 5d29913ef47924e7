"""The base class of classifier and regressor: parameters, settings of a fit, and fitting."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.model_selection import train_test_split

from .._aliases import HINTS
from .._copying import CopyMixin
from .._keras import name_scope
from .._sklearn import HasMethods, Interval, Options, StrOptions, running_state
from ..architectures import ARCHITECTURES
from ..exceptions import DataError, ParameterError, UnknownParameterError, suggest
from ..training import EpochLogger, TrainingData
from ._callbacks import check_schedule, constant_rate, make_callbacks, needs_validation
from ._fit_dataset import fit_on_batches
from ._fit_steps import FitRequest, prepare_fit
from ._inputs._network_inputs import free_lengths, input_dtypes
from ._inputs._rows import as_network_input, first_rows
from ._inputs._select import check_inputs_parameter
from ._inputs._texts import learn_texts, reads_texts, text_meta
from ._members import fit_members, refuse_members, wants_members
from ._network import (
    build_network,
    finish_network,
    is_builder,
)
from ._outputs._form import encoded_target
from ._outputs._more_predictions import MorePredictions
from ._recipes import (
    AUTO,
    best_epoch_monitor,
    chooses_epoch,
    is_auto,
    optimizer_and_options,
    recipe_for,
    schedule_of,
)
from ._routed_objects import make_optimizer
from ._rows import RowsMixin
from ._tables._check import check_declared, learn_table, prepares_tables
from ._unused_settings import (
    check_builder_names,
    check_compiled,
    check_hooks,
    check_precision,
    offered_settings,
    takes_compile_settings,
)

# What a call of `fit` may override for itself, as users of SciKeras and keras.wrappers do.
_FIT_OVERRIDES = ("batch_size", "callbacks", "epochs", "shuffle", "validation_split", "verbose")
_DEFAULT_HOLDOUT = 0.1
_KERAS_BATCH = 32  # what None means in Keras
_ALL_ROWS = 2**31 - 1


class BaseKerasEstimator(
    CallbackSupportMixin, MorePredictions, RowsMixin, CopyMixin, BaseEstimator
):
    """Base of :class:`KerasClassifier` and :class:`KerasRegressor`."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "model": [StrOptions(set(ARCHITECTURES)), callable, HasMethods(["get_weights", "summary"])],
        "loss": [str, callable, type, dict, list, tuple, None],
        "optimizer": [str, type, HasMethods(["get_config", "apply"])],
        "metrics": [list, tuple, dict, str, callable, None],
        "epochs": [Interval(Integral, 1, None, closed="left"), StrOptions({AUTO})],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            Options(Integral, {-1}),
            StrOptions({AUTO}),
            None,
        ],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "validation_split": [Interval(Real, 0, 1, closed="left")],
        "early_stopping": [
            "boolean",
            StrOptions({AUTO}),
            Interval(Integral, 0, None, closed="left"),
            HasMethods(["on_epoch_end", "get_monitor_value"]),
        ],
        "learning_rate_schedule": [Interval(Real, 0, None, closed="neither"), str, callable, None],
        "callbacks": [list, tuple, dict, type, HasMethods(["on_epoch_end"]), EpochLogger, None],
        "augment": [HasMethods(["flow"]), None],
        "dtype": [
            StrOptions({"float32", "float64", "mixed_float16", "mixed_bfloat16"}),
            None,
        ],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "inputs": [object],  # check_inputs_parameter says what is wrong with it
        "members": [object],  # wants_members says what is wrong with it
    }

    # Learned by `fit`.
    history_: dict[str, list[float]]
    n_iter_: int
    X_shape_: tuple[int, ...]
    target_encoder_: Any

    def _builder(self) -> Callable[..., Any] | None:
        if isinstance(self.model, str):
            architectures: Mapping[str, Callable[..., Any]] = ARCHITECTURES
            return architectures.get(self.model)
        return self.model if is_builder(self.model) else None

    def _model_usable(self) -> bool:
        return self._builder() is not None or hasattr(self.model, "get_weights")

    # -- what the two kinds of estimator answer differently ---------------------------------

    def _check_y(self, y: Any) -> np.ndarray:
        raise NotImplementedError

    def _make_target(
        self, y: np.ndarray, weights: np.ndarray, classes: Any, names: Sequence[Any] = ()
    ) -> Any:
        raise NotImplementedError

    def _class_weights(self, y: np.ndarray, weights: np.ndarray, target: Any) -> np.ndarray:
        return weights

    def _advise(self, y: np.ndarray, target: Any, request: FitRequest) -> None:
        """Warn of what a user may not know of the target."""

    def _stratify(self, y: np.ndarray, target: Any) -> np.ndarray | None:
        return None

    def _check_split(self, y_train: np.ndarray, target: Any) -> None:
        """Raise when training rows do not serve after validation rows were held out."""

    def _learn_table(self, fitting: Any) -> None:
        """Learn from the training rows how the network prepares them."""
        learn_table(self, fitting)
        learn_texts(self, fitting)

    def _learn_target(self, y: np.ndarray, weights: np.ndarray, target: Any) -> None:
        """Learn from the training rows what the target needs to know of them."""

    def _place_target(self, network: Any, target: Any) -> None:
        """Settle, for a new network, what it does to the target."""

    def _training_target(self, y: np.ndarray, target: Any) -> Any:
        """Return `y` as the loss takes it while the network trains, nested as the outputs are."""
        return encoded_target(target, self.output_form_, y, self._floatx)

    def _finish_target(self, network: Any, target: Any) -> None:
        """Let a trained network return what :attr:`target_encoder_` expects."""

    # -- fitting ------------------------------------------------------------------------------

    def _fit(self, request: FitRequest) -> Any:
        """Fit, and change nothing of this estimator unless training succeeds."""
        with self._unchanged_on_failure():
            if wants_members(self):
                fit_members(self, request)
                return self
            fitting = prepare_fit(self, request)
            with fitting.scope():
                fitting.build()
                result = fitting.train()
            fitting.store(result)
        return self

    def _new_network(
        self, X: Any, y: np.ndarray, target: Any, X_val: Any = None
    ) -> tuple[Any, Any]:
        """Return a network for the data, built and compiled, and the target that suits it.

        The estimator learns what a builder is told of the data. Validation rows count only for the
        ids that an embedding must know.
        """
        self._describe(X, y, target)
        with name_scope():
            network, settled = self._build(X, y, target, X_val)
        if settled is not target:
            self._describe(X, y, settled)
        self.input_dtype_ = input_dtypes(network, X, self._floatx)
        self.free_lengths_ = free_lengths(network, X)
        return network, settled

    def _new_callbacks(self, callbacks: Any, validated: bool) -> tuple[list[Any], bool]:
        return make_callbacks(
            callbacks,
            self._routed("callbacks"),
            early_stopping=self.early_stopping,
            best_epoch=best_epoch_monitor(self) if validated else None,
            patience=recipe_for(self).patience,
            schedule=schedule_of(self),
            options_of_schedule=self._routed("learning_rate_schedule"),
            validated=validated,
        )

    def _fit_dataset(
        self, dataset: Any, classes: Any, validation_data: Any, steps_per_epoch: int | None
    ) -> Any:
        refuse_members(self, "fit_dataset")
        with self._unchanged_on_failure():
            fit_on_batches(self, dataset, classes, validation_data, steps_per_epoch)
        return self

    @contextlib.contextmanager
    def _unchanged_on_failure(self) -> Iterator[None]:
        """Put every attribute back when the block raises."""
        before, state = dict(vars(self)), self.__dict__
        try:
            yield
        except BaseException:
            running = running_state(self)  # scikit-learn ends its callbacks after this
            state.clear()
            state.update({**before, **running})
            raise

    def _settings(self, overrides: Mapping[str, Any], X_val: Any, y_val: Any) -> dict[str, Any]:
        """Return epochs, batch size and the like for this fit, checked together."""
        for name in overrides:
            if name not in _FIT_OVERRIDES:
                arguments = (*_FIT_OVERRIDES, "sample_weight", "X_val", "y_val")
                instead = HINTS.get(name) or suggest(name, arguments)
                raise UnknownParameterError(f"fit() got an unexpected argument {name!r}. {instead}")
        if (X_val is None) != (y_val is None):
            raise DataError("X_val and y_val go together; one of them is missing.")
        check_hooks(self)
        check_inputs_parameter(self)
        check_builder_names(self)
        check_declared(self)
        check_schedule(self.learning_rate_schedule, self._routed("learning_rate_schedule"))
        fit = self._routed("fit")
        settings = {
            "epochs": fit.pop("epochs", self.epochs),
            "batch_size": fit.pop("batch_size", self.batch_size),
            "shuffle": fit.pop("shuffle", True),
            "validation_split": self.validation_split,
            "callbacks": self.callbacks,
            "verbose": self.verbose,
            "holdout": 0.0,
        }
        settings.update(overrides)
        if settings["batch_size"] is None:
            settings["batch_size"] = _KERAS_BATCH
        if is_auto(settings["epochs"]):
            settings["epochs"] = recipe_for(self).epochs
        for name, minimum in (("epochs", 1), ("batch_size", 1)):
            value = settings[name]
            if name == "batch_size" and is_auto(value):
                continue  # depends on the number of training rows
            whole = isinstance(value, Integral) and not isinstance(value, bool)
            if not whole or (value < minimum and (name, value) != ("batch_size", -1)):
                raise ParameterError(f"{name} must be an int >= {minimum}, got {value!r}.")
        watched = needs_validation(self.early_stopping)
        if watched and X_val is None and not settings["validation_split"]:
            settings["validation_split"] = _DEFAULT_HOLDOUT
        open_choice = X_val is None and not settings["validation_split"]
        if open_choice and "validation_split" not in overrides and chooses_epoch(self):
            settings["holdout"] = recipe_for(self).holdout
        known = {"validation_batch_size", "validation_freq"}
        settings["passed_on"] = {name: fit.pop(name) for name in known & set(fit)}
        if settings["passed_on"].get("validation_batch_size") == -1:
            settings["passed_on"]["validation_batch_size"] = _ALL_ROWS
        if fit:
            settings["passed_on"]["fit_options"] = fit
        return settings

    def _keeps_best_epoch(self) -> bool:
        """Return whether the recipe keeps the weights of the best epoch without being asked."""
        return chooses_epoch(self)

    def _holds_out(self) -> bool:
        """Return whether `fit` sets rows aside for validation."""
        watched = needs_validation(self.early_stopping) or self._keeps_best_epoch()
        return bool(watched or self.validation_split)

    def _hold_out(
        self,
        y: np.ndarray,
        target: Any,
        settings: Mapping[str, Any],
        seed: int,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return positions of training rows, and of validation rows in the classes' proportions."""
        share = settings["validation_split"]
        try:
            split = train_test_split(
                np.arange(len(y)),
                test_size=share,
                random_state=seed,
                stratify=self._stratify(y, target),
            )
        except ValueError as error:
            raise DataError(
                f"validation_split={share} of {len(y)} rows cannot be held out so that training "
                f"and validation rows both hold every class ({error}) Give a larger share, more "
                "rows, or X_val and y_val."
            ) from error
        rows, held = (np.sort(part) for part in split)
        self._check_split(y[rows], target)
        return rows, held

    def _describe(self, X: Any, y: np.ndarray, target: Any) -> None:
        """Learn what a builder may ask for as `meta`."""
        self.X_shape_ = tuple(X.shape)
        self.X_dtype_ = np.dtype(X.dtype)
        self.y_dtype_ = np.dtype(y.dtype)
        self.target_type_ = target.target_type_
        self.n_outputs_ = target.n_outputs_
        self.n_outputs_expected_ = target.n_units

    def _meta(self, X: Any, X_val: Any = None) -> dict[str, Any]:
        names = (
            "n_features_in_ feature_names_in_ X_shape_ X_dtype_ y_dtype_ classes_ n_classes_ "
            "target_type_ n_outputs_ n_outputs_expected_"
        )
        names += " input_shapes_ sequence_length_"
        meta = {name: getattr(self, name) for name in names.split() if hasattr(self, name)}
        if self.X_dtype_.kind in "iu":
            parts = [part for part in (X, X_val) if part is not None and part.shape[0]]
            meta["X_max_"] = max((int(part.max()) for part in parts), default=0)
        meta.update(text_meta(self.text_encoder_))
        return meta if self.table_ is None else {**meta, **self.table_.meta(X.shape[0])}

    def _build(self, X: Any, y: np.ndarray, target: Any, X_val: Any = None) -> tuple[Any, Any]:
        """Return the network, built and compiled, and the target that suits it."""
        rate = constant_rate(self.learning_rate_schedule)
        wanted, options = optimizer_and_options(self, self._routed("optimizer"), rate)
        optimizer = make_optimizer(wanted, options, rate)
        offered = None
        if takes_compile_settings(self._builder()):
            offered = offered_settings(self, target, optimizer)
        rows = first_rows(X, self._floatx)
        network = build_network(
            self.model,
            self._routed("model"),
            self._meta(X, X_val),
            offered or {},
            rows if self.table_ is None else self.table_.blank_rows(self._floatx),
        )
        if self.table_ is not None:
            network = self.table_.put_in(network)
        check_precision(self, network)
        if network.compiled:
            check_compiled(self, network, offered)
        return network, finish_network(self, network, target, optimizer, rows, y)

    def _encode(self, X: Any, y: np.ndarray, weights: np.ndarray, target: Any) -> TrainingData:
        dtype = self._floatx
        return TrainingData(
            as_network_input(X, self.input_dtype_),
            self._training_target(y, target),
            weights.astype(dtype, copy=False),
        )

    def _store(self, network: Any, target: Any, result: Any, keep: bool) -> None:
        history = self.history_ if keep else {}
        self._finish_target(network, target)
        self.model_ = network
        self.target_encoder_ = target
        self.history_ = {
            name: [*history.get(name, []), *values] for name, values in result.history.items()
        }
        self.n_iter_ = result.n_epochs + (self.n_iter_ if keep else 0)
        self.fit_path_ = result.path if result.reason is None else f"fit: {result.reason}"

    def __copy__(self) -> Any:
        new: Any = type(self).__new__(type(self))
        new.__dict__.update(self.__dict__)
        return new

    def _network_dtype(self) -> str | None:
        return self.dtype

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.inputs is None
        # A network of the user's may begin with a layer for text.
        tags.input_tags.string = not isinstance(self.model, str)
        if self._model_usable() and prepares_tables(self):
            tags.input_tags.allow_nan = tags.input_tags.categorical = True
        if self._model_usable() and reads_texts(self):
            tags.input_tags.allow_nan = tags.input_tags.string = True
            tags.input_tags.sparse = False
        tags.target_tags.required = True
        return tags
