"""Keras Tuner's model functions and HyperModels, unchanged: how they build, and how they train."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

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
    names = list(inspect.signature(model).parameters)
    return len(names) == 1 and names[0] in _HP_NAMES


def overrides_fit(hypermodel: Any) -> bool:
    """Whether a HyperModel trains in a way of its own."""
    fit = getattr(type(hypermodel), "fit", None)
    return fit is not None and getattr(fit, "__qualname__", "") != "HyperModel.fit"


def train_by(network: Any, hypermodel: Any, hyperparameters: Any) -> None:
    """Let the next ``network.fit`` call ``hypermodel.fit(hp, network, x, y, **kwargs)``.

    As in Keras Tuner, `x` and `y` are all training samples. What the HyperModel returns is not
    used: the score comes from the scorer. The search's number of epochs and batch size are used
    where its call of ``network.fit`` gives none.
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
            rows, targets, weights = x.arrays()
            arguments = (rows, targets)
            defaults["batch_size"] = x.batch_size
            if not (weights == 1).all():
                kwargs["sample_weight"] = weights
        held_out: Any = kwargs.get("validation_data")
        if hasattr(held_out, "arrays"):
            kwargs["validation_data"] = held_out.arrays()[:2]

        def inner(model: Any, *args: Any, **given: Any) -> Any:
            return original.fit(model, *args, **{**defaults, **given})

        self.__class__ = type("Network", (original,), {"fit": inner})
        try:
            return hypermodel.fit(hyperparameters, self, *arguments, **kwargs)
        finally:
            self.__class__ = original
            for callback in kwargs.get("callbacks", ()):
                if not hasattr(callback, "epoch") and type(callback).__name__ == "History":
                    callback.on_train_begin()  # never called: nothing is recorded

    network.__class__ = type("HyperModel", (original,), {"fit": fit})


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
    try:
        hypermodel.fit(hyperparameters, network, *data, validation_data=data, callbacks=[])
    except Exception:  # that of `stop`, or one of the zeros: real data will tell
        return
    finally:
        network.__class__ = original
