"""Networks for images on top of a backbone that was trained elsewhere, or is to be."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from .._keras import copy_network, load_keras, predict_raw
from ..exceptions import ModelError, ParameterError
from ._blocks import check_fraction, refuse_rank, row_shape, widths
from ._recipe import Recipe

_PLAN = "_skopt_wrap_head"


class FineTuned:
    """Builder of networks that adapt a backbone: its head is trained first, then the rest.

    Give it as `model`. Before the training proper, a new head is trained on what the backbone
    returns for the training rows, which is computed once. Then head and backbone are trained
    together at a low rate. Batch normalization of the backbone keeps its statistics. The arguments
    are parameters of the estimator too: ``model__freeze``, ``model__head`` and so on.

    Parameters
    ----------
    backbone : callable or keras.Model
        A function of ``keras.applications``, or another one that returns a network for
        ``input_shape=``; or a network, such as a backbone of KerasHub, which is copied for each
        fit. It returns maps of features, tokens or one vector for each image.
    freeze : "all" or int, default="all"
        "all": the backbone is not trained. A number: its first layers that are not, 0 trains all.
    head : int or sequence of int, default=()
        Widths of dense layers between backbone and outputs.
    dropout : float, default=0.2
        Fraction dropped in front of each layer of the head while training, in [0, 1).
    head_epochs : int, default=20
        Epochs in which the head is trained by itself; 0 leaves them out.
    head_rate : float, default=0.001
        Learning rate of these epochs (Adam).
    weights : str or None, default=None
        Handed to a function that has such an argument: None begins with random weights, a path
        reads a file, and "imagenet" makes Keras download.
    image_size : sequence of int, default=None
        Height and width that images are resized to, inside the network.
    rescale : sequence of float, default=None
        Factor and offset of pixels, inside the network: ``(1 / 127.5, -1)`` brings 0 to 255 to
        [-1, 1], as ``keras.applications.MobileNetV2`` wants.
    **options
        Further arguments of the function, such as ``alpha=0.35``.

    Notes
    -----
    The recipe is 10 epochs of Adam at 0.0001, which falls along a cosine:
    ``optimizer__learning_rate`` is the rate of head and backbone together. Grey images are repeated
    in three channels. What is held out for validation never trains the head.

    Examples
    --------
    >>> import keras
    >>> from skopt_wrap import FineTuned, KerasClassifier
    >>> model = FineTuned(keras.applications.MobileNetV2, weights=None, alpha=0.35, head=32)
    >>> KerasClassifier(model, model__freeze=100).get_params()["model__head"]
    32
    """

    def __init__(
        self,
        backbone: Any,
        freeze: str | int = "all",
        head: int | Sequence[int] = (),
        *,
        dropout: float = 0.2,
        head_epochs: int = 20,
        head_rate: float = 0.001,
        weights: str | None = None,
        image_size: Sequence[int] | None = None,
        rescale: Sequence[float] | None = None,
        **options: Any,
    ) -> None:
        if not callable(backbone):
            raise ParameterError(
                "backbone must be a function of keras.applications, another function that returns "
                f"a network, or a network, got {backbone!r}."
            )
        self.backbone, self.weights, self.options = backbone, weights, dict(options)
        self.defaults = {
            "freeze": freeze,
            "head": head,
            "dropout": dropout,
            "head_epochs": head_epochs,
            "head_rate": head_rate,
            "image_size": image_size,
            "rescale": rescale,
        }

    @property
    def __name__(self) -> str:
        return f"FineTuned({getattr(self.backbone, '__name__', type(self.backbone).__name__)})"

    @property
    def __signature__(self) -> inspect.Signature:
        kind = inspect.Parameter.KEYWORD_ONLY
        meta = inspect.Parameter("meta", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        named = [
            inspect.Parameter(name, kind, default=value) for name, value in self.defaults.items()
        ]
        return inspect.Signature([meta, *named])

    @property
    def recipe(self) -> Recipe:
        """How the network is trained where the user says nothing."""
        return Recipe(
            epochs=10, optimizer=_optimizer, learning_rate_schedule="cosine", start=_train_head
        )

    def __repr__(self) -> str:
        return self.__name__

    # Never changed: a clone of an estimator shares it, as it shares a function.
    def __copy__(self) -> FineTuned:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> FineTuned:
        return self

    def __call__(self, meta: Mapping[str, Any], **parameters: Any) -> Any:
        """Build a network.

        Parameters
        ----------
        meta : mapping
            What the estimator knows of the data; see :class:`skopt_wrap.KerasClassifier`.
        **parameters
            Arguments of the constructor, which count instead of those that it was given.

        Returns
        -------
        model : keras.Model
            Uncompiled, ending in ``meta["n_outputs_expected_"]`` linear units.

        Raises
        ------
        ModelError
            When rows are no images.
        ParameterError
            When a parameter breaks its rule.
        """
        keras = load_keras()
        given = {**self.defaults, **parameters}
        shape = row_shape(meta, None)
        if len(shape) not in (2, 3):
            refuse_rank("FineTuned", meta, shape, "images (n, h, w, c) or (n, h, w)")
        head, dropout = _checked(given)
        inputs = keras.Input(shape, dtype=keras.config.floatx())
        tensor = keras.layers.Reshape((*shape, 1))(inputs) if len(shape) == 2 else inputs
        if tensor.shape[-1] == 1 and not self._takes_grey():
            tensor = keras.layers.Concatenate()([tensor] * 3)
        if given["image_size"] is not None:
            tensor = keras.layers.Resizing(*given["image_size"])(tensor)
        if given["rescale"] is not None:
            tensor = keras.layers.Rescaling(*given["rescale"])(tensor)
        body = self._body(tuple(tensor.shape[1:]))
        _check_input(self.__name__, body, tuple(tensor.shape[1:]))
        _freeze(body, given["freeze"])
        tensor = features = body(tensor, training=False)
        if len(tensor.shape) == 4:
            tensor = features = keras.layers.GlobalAveragePooling2D()(tensor)
        elif len(tensor.shape) == 3:
            tensor = features = keras.layers.GlobalAveragePooling1D()(tensor)
        layers = [keras.layers.Dense(width, activation="relu") for width in head]
        layers.append(keras.layers.Dense(meta["n_outputs_expected_"], name="outputs"))
        chain: list[Any] = []
        for layer in layers:
            chain += [keras.layers.Dropout(dropout), layer] if dropout else [layer]
        for layer in chain:
            tensor = layer(tensor)
        model = keras.Model(inputs, tensor, name="fine_tuned")
        plan = (features, chain, int(given["head_epochs"]), float(given["head_rate"]))
        object.__setattr__(model, _PLAN, plan)  # no part of the network
        return model

    def _takes_grey(self) -> bool:
        """Whether the backbone is a network for images of one channel."""
        shape = getattr(self.backbone, "input_shape", None)
        return isinstance(shape, tuple) and shape[-1] == 1

    def _body(self, shape: tuple[int, ...]) -> Any:
        if hasattr(self.backbone, "get_weights"):
            return copy_network(self.backbone)
        takes = inspect.signature(self.backbone).parameters
        open_ended = any(item.kind is item.VAR_KEYWORD for item in takes.values())
        wanted = {"include_top": False, "weights": self.weights, "input_shape": shape}
        options = {name: value for name, value in wanted.items() if name in takes or open_ended}
        body = self.backbone(**{**options, **self.options})
        if not hasattr(body, "get_weights"):
            raise ModelError(f"{self.__name__}: the backbone returned {type(body).__name__}.")
        return body


def _checked(given: Mapping[str, Any]) -> tuple[tuple[int, ...], float]:
    """Return widths of the head and dropout; raise for what breaks a rule."""
    head = given["head"]
    sizes = widths("head", head, 1 if isinstance(head, Integral) else 0)
    check_fraction("dropout", given["dropout"])
    epochs, rate = given["head_epochs"], given["head_rate"]
    if isinstance(epochs, bool) or not isinstance(epochs, Integral) or epochs < 0:
        raise ParameterError(f"model__head_epochs must be an int >= 0, got {epochs!r}.")
    if not isinstance(rate, int | float) or not rate > 0:
        raise ParameterError(f"model__head_rate must be a number > 0, got {rate!r}.")
    for name in ("image_size", "rescale"):
        pair = given[name]
        if pair is not None and (isinstance(pair, str) or len(np.atleast_1d(pair)) != 2):
            raise ParameterError(f"model__{name} must be two numbers or None, got {pair!r}.")
    return sizes, float(given["dropout"])


def _check_input(name: str, body: Any, shape: tuple[int, ...]) -> None:
    """Raise unless the backbone takes images of this shape."""
    wanted = getattr(body, "input_shape", None)
    if not isinstance(wanted, tuple) or len(wanted) != 4:
        return  # several inputs, or a shape that is open
    if any(n is not None and n != given for n, given in zip(wanted[1:], shape, strict=True)):
        raise ModelError(
            f"{name}: the backbone takes images of shape {wanted[1:]}, and gets {shape}. "
            "model__image_size=(height, width) brings images to its size; their channels must be "
            "those of the backbone (grey images may have one)."
        )


def _freeze(body: Any, freeze: Any) -> None:
    if isinstance(freeze, str) and freeze == "all":
        body.trainable = False
        return
    n = len(body.layers)
    whole = isinstance(freeze, Integral) and not isinstance(freeze, bool)
    if not whole or not 0 <= int(freeze) <= n:
        raise ParameterError(
            f"model__freeze must be 'all' or an int from 0 to {n}, the layers of the backbone, "
            f"got {freeze!r}."
        )
    for number, layer in enumerate(body.layers):
        layer.trainable = number >= int(freeze)


def _optimizer(regression: bool) -> tuple[type, Mapping[str, Any]]:  # noqa: ARG001
    return load_keras().optimizers.Adam, {"learning_rate": 0.0001}


def _train_head(network: Any, data: Any, rng: Any) -> None:  # noqa: ARG001
    """Train the head on what the backbone returns for the training rows."""
    keras = load_keras()
    features, chain, epochs, rate = network.__dict__.pop(_PLAN)
    if not epochs:
        return
    x, y, weights = data.take(np.arange(len(data)))
    found = predict_raw(keras.Model(network.inputs, features), x)
    inputs = tensor = keras.Input(found.shape[1:])
    for layer in chain:
        tensor = layer(tensor)
    head = keras.Model(inputs, tensor)
    head.compile(keras.optimizers.Adam(rate), loss=network.loss, jit_compile=False)
    head.fit(found, y, sample_weight=weights, epochs=epochs, batch_size=32, verbose=0)
