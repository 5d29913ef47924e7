"""Keras Tuner's model functions and HyperModels, unchanged: how they build, and how they train."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...exceptions import ModelError

HELD_OUT = 0.2  # share of the samples for a `fit` that insists on validation data
_HP_NAMES = ("hp", "hps", "hyperparameters", "hyper_parameters")


class HyperModelBuilder:
    """A Keras Tuner model function with its hyperparameters set: a builder without arguments.

    Parameters
    ----------
    hypermodel : callable or keras_tuner.HyperModel
        ``build_model(hp)``, or an object with ``build(hp)``.
    values : mapping
        Hyperparameter names mapped to values; those left out take their defaults.
    """

    def __init__(self, hypermodel: Any, values: Mapping[str, Any]) -> None:
        self.hypermodel = hypermodel
        self.values = dict(values)

    def __call__(self) -> Any:
        """Build the network; a HyperModel with a `fit` of its own will train it."""
        from keras_tuner import HyperParameters

        hyperparameters = HyperParameters()
        hyperparameters.values = dict(self.values)
        declare_beforehand(self.hypermodel, hyperparameters)
        network = getattr(self.hypermodel, "build", self.hypermodel)(hyperparameters)
        if overrides_fit(self.hypermodel):
            train_by(network, self.hypermodel, hyperparameters)
        return network

    def __repr__(self) -> str:
        name = getattr(self.hypermodel, "__qualname__", type(self.hypermodel).__qualname__)
        return f"HyperModelBuilder({name}, {self.values!r})"


def is_hypermodel(model: Any) -> bool:
    """Whether `model` is a Keras Tuner ``build_model(hp)`` function or ``HyperModel``."""
    if isinstance(model, (str, type)) or hasattr(model, "get_params"):
        return False
    if any(base.__name__ == "HyperModel" for base in type(model).__mro__):
        return True
    if not inspect.isroutine(model):
        return False
    parameters = list(inspect.signature(model).parameters.values())
    if not parameters or parameters[0].name not in _HP_NAMES:
        return False
    return all(p.default is not inspect.Parameter.empty for p in parameters[1:])


def declare_beforehand(hypermodel: Any, hyperparameters: Any) -> None:
    """Let a HyperModel declare what it wants to have declared before it builds a network."""
    declare = getattr(hypermodel, "declare_hyperparameters", None)
    if declare is not None:
        declare(hyperparameters)


def overrides_fit(hypermodel: Any) -> bool:
    """Whether a HyperModel trains in a way of its own."""
    fit = getattr(type(hypermodel), "fit", None)
    return fit is not None and getattr(fit, "__qualname__", "") != "HyperModel.fit"


def train_by(network: Any, hypermodel: Any, hyperparameters: Any) -> None:
    """Let the next ``network.fit`` call ``hypermodel.fit(hp, network, x, y, **kwargs)``.

    As in Keras Tuner, `x` and `y` are all training samples. What the HyperModel returns is not
    used: the score comes from the scorer. The search's number of epochs and batch size are used
    where its call of ``network.fit`` gives none; a `fit` that has parameters of these names gets
    them. A `fit` that insists on `validation_data` gets some of the training samples where the
    search sets none apart.
    """
    # The class of the network is replaced: `build` has made it already, as an object of a class of
    # the user's or of Keras', and Keras has no hook for a training loop but a method of the class.
    original = type(network)

    def fit(self: Any, x: Any, _y: Any = None, **kwargs: Any) -> Any:
        self.__class__ = original
        defaults = {"epochs": kwargs.pop("epochs")}
        kwargs = {name: value for name, value in kwargs.items() if value is not None}
        kwargs.pop("shuffle", None)
        arguments: tuple[Any, ...] = (x,)
        if hasattr(x, "arrays"):
            samples, targets, weights = x.arrays()
            arguments = (samples, targets)
            defaults["batch_size"] = x.batch_size
            if not (weights == 1).all():
                kwargs["sample_weight"] = weights
        held_out: Any = kwargs.get("validation_data")
        if hasattr(held_out, "arrays"):
            kwargs["validation_data"] = held_out.arrays()[:2]
        arguments, kwargs = _as_declared(hypermodel, arguments, kwargs, defaults)
        with _callbacks_ready(self, kwargs.get("callbacks", ())) as by_keras:

            def inner(model: Any, *args: Any, **given: Any) -> Any:
                by_keras.append(True)
                return original.fit(model, *args, **{**defaults, **given})

            self.__class__ = type("Network", (original,), {"fit": inner})
            try:
                return hypermodel.fit(hyperparameters, self, *arguments, **kwargs)
            finally:
                self.__class__ = original

    network.__class__ = type("HyperModel", (original,), {"fit": fit})


def _as_declared(
    hypermodel: Any,
    arguments: tuple[Any, ...],
    kwargs: dict[str, Any],
    defaults: Mapping[str, Any],
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments that the signature of ``hypermodel.fit`` asks for."""
    parameters = inspect.signature(hypermodel.fit).parameters
    kwargs |= {name: value for name, value in defaults.items() if name in parameters}
    held_out = parameters.get("validation_data")
    needs = held_out is not None and held_out.default is inspect.Parameter.empty
    if needs and "validation_data" not in kwargs and len(arguments) == 2:
        arguments, kwargs = _set_apart(arguments, kwargs)
    if any(item.kind is inspect.Parameter.VAR_KEYWORD for item in parameters.values()):
        return arguments, kwargs
    if "sample_weight" in kwargs and "sample_weight" not in parameters:
        raise ModelError(
            "The HyperModel's fit takes no sample_weight, and this training has weights. Let fit "
            "take it, or **kwargs."
        )
    return arguments, {name: value for name, value in kwargs.items() if name in parameters}


def _set_apart(
    arguments: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the training data without a fifth of the samples, which become validation data."""
    import keras

    n_samples = len(arguments[1])
    order = np.random.RandomState(0).permutation(n_samples)
    n_held_out = max(1, round(HELD_OUT * n_samples))
    held_out, kept = np.sort(order[:n_held_out]), np.sort(order[n_held_out:])

    def take(data: Any, rows: Any) -> Any:
        return keras.tree.map_structure(lambda array: array[rows], data)

    kwargs = {**kwargs, "validation_data": take(arguments, held_out)}
    if "sample_weight" in kwargs:
        kwargs["sample_weight"] = kwargs["sample_weight"][kept]
    return take(arguments, kept), kwargs


@contextmanager
def _callbacks_ready(network: Any, callbacks: Sequence[Any]) -> Iterator[list[bool]]:
    """Prepare callbacks for a training loop that calls their methods by hand.

    Such a loop seldom calls ``on_train_begin`` and ``on_train_end``, without which Keras' history
    cannot record, and the best weights are not restored. Yields a list that stays empty when
    ``network.fit`` was not called.
    """
    import keras

    for callback in callbacks:
        if isinstance(callback, keras.callbacks.History):
            callback.on_train_begin()
    by_keras: list[bool] = []
    yield by_keras
    for callback in () if by_keras else callbacks:
        if isinstance(callback, keras.callbacks.EarlyStopping):
            callback.set_model(network)
            callback.on_train_end()


class _Declared(Exception):
    """Training would begin now, so that every hyperparameter is known."""


def declare_fit(hypermodel: Any, hyperparameters: Any, network: Any) -> None:
    """Let ``hypermodel.fit`` declare its hyperparameters, up to where training begins.

    It gets the network and a row of zeros. Errors that such data cause are left for the trials,
    which raise them with real data.
    """
    original = type(network)  # replaced for the reason that `train_by` has

    def stop(*_: Any, **__: Any) -> Any:
        raise _Declared

    methods = ("fit", "train_on_batch", "test_on_batch", "evaluate", "predict", "__call__")
    shape = getattr(network, "input_shape", None) or (None, 1)
    row = np.zeros((1, *(1 if n is None else n for n in shape[1:])), "float32")
    network.__class__ = type("Network", (original,), dict.fromkeys(methods, stop))
    data = (row, np.zeros(1, "int32"))
    given = {"validation_data": data, "callbacks": []}
    defaults = {"epochs": 1, "batch_size": 1}
    try:
        arguments, given = _as_declared(hypermodel, data, given, defaults)
        hypermodel.fit(hyperparameters, network, *arguments, **given)
    except Exception:  # that of `stop`, or one of the zeros: real data will tell
        return
    finally:
        network.__class__ = original
