"""Plain Keras networks and builders as estimators, for code that has no estimator yet."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.multiclass import type_of_target

from .._keras import output_kind
from ..training import TrainingResult
from ._classifier import KerasClassifier
from ._fit_steps import FitRequest, prepare_fit
from ._losses import is_label_loss
from ._network import is_builder
from ._regressor import KerasRegressor


def is_plain(estimator: Any) -> bool:
    """Return whether something is a ``keras.Model`` or a builder of one, and no estimator.

    Parameters
    ----------
    estimator : object
        Anything.

    Returns
    -------
    plain : bool
        True for an object with Keras' ``get_weights``, and for a callable without ``fit``.

    Examples
    --------
    >>> from skopt_wrap import KerasClassifier
    >>> from skopt_wrap.estimators import is_plain
    >>> is_plain(KerasClassifier()), is_plain(lambda meta: None)
    (False, True)
    """
    if hasattr(estimator, "get_params"):
        return False
    network = hasattr(estimator, "get_weights") and hasattr(estimator, "layers")
    return network or (is_builder(estimator) and not hasattr(estimator, "fit"))


def plain_kind(model: Any, y: Any = None) -> str | None:
    """Say whether a plain network classifies or regresses.

    The loss that it was compiled with decides; then a last activation that makes probabilities;
    then whether `y` holds numbers that are no labels.

    Parameters
    ----------
    model : keras.Model or callable
        Network or builder.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Target, where there is one.

    Returns
    -------
    kind : {"classifier", "regressor"} or None
        None when it cannot be told without `y`.
    """
    if hasattr(model, "get_weights"):
        loss = getattr(model, "loss", None)
        if loss is not None:
            return "classifier" if is_label_loss(loss) else "regressor"
        one_output = model.built and len(getattr(model, "outputs", None) or ()) == 1
        if one_output and output_kind(model) == "probabilities":
            return "classifier"
    if y is None:
        return None
    numbers = type_of_target(np.asarray(y), input_name="y").startswith("continuous")
    return "regressor" if numbers else "classifier"


def wrap_plain(model: Any, y: Any, *, random_state: Any = None) -> Any:
    """Return an estimator around a plain network or builder; `fit` trains it.

    Parameters
    ----------
    model : keras.Model or callable
        Network, copied with its weights at every `fit`, or builder.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Target; see :func:`plain_kind`.
    random_state : int, RandomState instance or None, default=None
        For the estimator.

    Returns
    -------
    estimator : KerasClassifier or KerasRegressor
        Not fitted.
    """
    cls = KerasRegressor if plain_kind(model, y) == "regressor" else KerasClassifier
    return cls(model, random_state=random_state)


def wrap_trained(model: Any, X: Any, y: Any) -> Any:
    """Return a fitted estimator around a network that is trained already; nothing is trained.

    Parameters
    ----------
    model : keras.Model
        Trained network. It is copied.
    X : array-like of shape (n_samples, ...)
        Rows; they tell shape and names of the features.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Target; it tells the labels, in the order of the network's outputs once sorted.

    Returns
    -------
    estimator : KerasClassifier or KerasRegressor
        Fitted, with an empty history.

    Raises
    ------
    DataError, ModelError
        When network, rows and target do not suit each other.
    """
    estimator = wrap_plain(model, y)
    fitting = prepare_fit(estimator, FitRequest(X, y))
    with fitting.scope():
        fitting.build()
    fitting.store(TrainingResult(history={}, n_epochs=0, path="not trained"))
    return estimator
