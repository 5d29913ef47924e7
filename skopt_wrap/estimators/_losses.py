"""The loss: inferred from the target, or checked against it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from .._keras import from_logits, load_keras, loss_classes
from .._params import class_arguments
from ..exceptions import DataError, ModelError, ParameterError, UnknownParameterError, suggest
from ._targets._one_hot import is_one_hot

# Losses of this package, which suit themselves to the target and to the number of output units.
OWN_LOSSES = ("focal", "logit_adjusted")

# Published name of a loss -> the target types that it suits, and the form of labels it takes.
_LABEL_LOSSES: dict[str, tuple[tuple[str, ...], str]] = {
    "binary_crossentropy": (("binary", "multilabel-indicator"), "column"),
    "binary_focal_crossentropy": (("binary", "multilabel-indicator"), "column"),
    "hinge": (("binary",), "column"),
    "squared_hinge": (("binary",), "column"),
    "sparse_categorical_crossentropy": (("binary", "multiclass"), "index"),
    "categorical_crossentropy": (("binary", "multiclass"), "onehot"),
    "categorical_focal_crossentropy": (("binary", "multiclass"), "onehot"),
    "categorical_hinge": (("binary", "multiclass"), "onehot"),
}
_ONE_HOT_HINT = " If y is one-hot, one class a row, give the labels: y.argmax(axis=1)."
# They compare the outputs with one class of each row, and have no meaning between two classes.
HARD_LOSSES = ("hinge", "squared_hinge", "categorical_hinge")
_ONE_UNIT = ("binary_crossentropy", "binary_focal_crossentropy", "hinge", "squared_hinge")


def loss_name(loss: Any) -> str | None:
    """Return the published name of a loss given as text, class, function or object."""
    keras = load_keras()
    loss = getattr(loss, "of_one", loss)  # the loss of one of several members
    if isinstance(loss, str):
        try:
            loss = keras.losses.get(loss)
        except ValueError as error:
            names = sorted({*loss_classes(), *OWN_LOSSES})
            raise ParameterError(
                f"loss={loss!r} is not a Keras loss. {suggest(loss, names)}"
            ) from error
    wrapped = getattr(loss, "fn", None)
    if type(loss).__name__ == "LossFunctionWrapper" and wrapped is not None:
        loss = wrapped
    for name, cls in loss_classes().items():
        if loss is cls or type(loss) is cls or loss is getattr(keras.losses, name, None):
            return name
    return None


def weighs_classes(loss: Any) -> bool:
    """Return whether a loss is made for rare classes: one of this package, or a focal one."""
    if loss is None or isinstance(loss, (dict, list, tuple)):
        return False
    if isinstance(loss, str) and loss in OWN_LOSSES:
        return True
    kind = loss if isinstance(loss, type) else type(loss)
    own = getattr(kind, "__module__", "").startswith("skopt_wrap.losses")
    return own or "focal" in (loss_name(loss) or "")


def is_label_loss(loss: Any) -> bool:
    """Return whether a loss, given in any form, compares class labels."""
    if isinstance(loss, str) and loss in OWN_LOSSES:
        return True
    own = getattr(type(loss), "__module__", "").startswith("skopt_wrap.losses.")
    return own or loss_name(loss) in _LABEL_LOSSES


def is_one_hot_loss(loss: Any) -> bool:
    """Return whether a loss, given in any form, compares classes given as one-hot rows."""
    if loss is None or isinstance(loss, (dict, list, tuple)) or loss in OWN_LOSSES:
        return False
    return _LABEL_LOSSES.get(loss_name(loss) or "", ((), ""))[1] == "onehot"


def takes_one_hot(estimator: Any, y: Any) -> bool:
    """Return whether the estimator's loss says that one-hot rows of `y` are classes."""
    loss = estimator.loss
    if loss is None and hasattr(estimator.model, "get_weights"):
        loss = getattr(estimator.model, "loss", None)
    return is_one_hot(y) and is_one_hot_loss(loss) if y.dtype != object else False


def infer_loss(target: Any, units: int) -> str:
    """Return the name of the loss that suits a target and a number of output units.

    Examples
    --------
    >>> from skopt_wrap.estimators import ClassTarget
    >>> from skopt_wrap.estimators._losses import infer_loss
    >>> infer_loss(ClassTarget([0, 1]), 1), infer_loss(ClassTarget([0, 1]), 2)
    ('binary_crossentropy', 'sparse_categorical_crossentropy')
    """
    if target.target_type_.startswith("continuous"):
        return "mean_squared_error"
    if target.target_type_ == "multilabel-indicator" or units == 1:
        return "binary_crossentropy"
    return "categorical_crossentropy" if target.soft_ else "sparse_categorical_crossentropy"


def make_loss(
    loss: Any,
    options: Mapping[str, Any],
    target: Any,
    units: int,
    kind: str | None = None,
    label_smoothing: float = 0.0,
) -> Any:
    """Return the loss to compile with.

    An inferred loss averages over the sum of the sample weights, so that a weight of 2 equals a
    repeated row; so do the losses of this package. Other losses given by name or class keep the
    reduction that Keras gives them.

    Parameters
    ----------
    loss : str, class, callable, keras.losses.Loss or None
        As the user gave it.
    options : mapping
        Keyword arguments of the loss (``loss__*``).
    target : ClassTarget or ValueTarget
        The target.
    units : int
        Output units of the network.
    kind : {"logits", "probabilities"}, default=None
        Meaning of the outputs; None, where it is not known yet, leaves ``from_logits`` as it is.
    label_smoothing : float, default=0.0
        Of an inferred cross-entropy whose options do not give it.
    """
    options = dict(options)
    cls: Any = None
    name: str | None
    if loss is None or (isinstance(loss, str) and loss in OWN_LOSSES):
        if loss is None:
            loss = name = infer_loss(target, units)
            if name == "sparse_categorical_crossentropy" and (
                label_smoothing or "label_smoothing" in options
            ):
                loss = name = "categorical_crossentropy"  # takes smoothed labels
            if label_smoothing and name.endswith("crossentropy"):
                options.setdefault("label_smoothing", label_smoothing)
        else:
            name, cls = loss, _own_loss(loss, options, target, units)
        options.setdefault("reduction", "mean_with_sample_weight")
    if cls is None:
        name = loss_name(loss)
        cls = loss_classes().get(name) if name is not None else None
    if inspect.isclass(loss):
        cls = loss
    if cls is None or not (isinstance(loss, str) or inspect.isclass(loss) or options):
        if options:
            raise ParameterError(
                f"loss__{next(iter(options))} needs a loss given by name or class, got {loss!r}."
            )
        return loss
    legal, open_ended = class_arguments(cls)
    for option in options:
        if option not in legal and not open_ended:
            raise UnknownParameterError(
                f"loss={name!r} takes no {option!r}. "
                + suggest(f"loss__{option}", [f"loss__{known}" for known in legal])
            )
    if "from_logits" in legal and kind is not None:
        options.setdefault("from_logits", kind == "logits")
    return cls(**options)


def _own_loss(loss: str, options: dict[str, Any], target: Any, units: int) -> type:
    """Return the class of a loss of this package; add the arguments that the target settles."""
    multilabel = target.target_type_ == "multilabel-indicator"
    if target.target_type_.startswith("continuous") or (multilabel and loss != "focal"):
        raise ModelError(
            f"loss={loss!r} does not suit a {target.target_type_} target; use "
            f"loss={infer_loss(target, units)!r} or leave loss=None."
        )
    if loss == "focal":
        if multilabel or units == 1:
            # Keras weighs classes by `alpha` only when it is told to.
            options.setdefault("apply_class_balancing", "alpha" in options)
            return load_keras().losses.BinaryFocalCrossentropy
        from ..losses import SparseCategoricalFocalCrossentropy

        return SparseCategoricalFocalCrossentropy
    from ..losses import LogitAdjustedCrossentropy

    if "prior" not in options:
        prior = getattr(target, "class_prior_", None)
        if prior is None:
            raise DataError(
                "loss='logit_adjusted' learns the class priors from all labels at once; give them "
                "as loss__prior."
            )
        options["prior"] = prior.tolist()
    return LogitAdjustedCrossentropy


def label_encoding(loss: Any, target: Any, units: int) -> str:
    """Return the form of the numbers that `loss` takes for `target`.

    Raises
    ------
    ModelError
        When the loss does not suit the target; the message names one that does.
    """
    name, kind = loss_name(loss), target.target_type_
    rule = _LABEL_LOSSES.get(name or "")
    fitting = infer_loss(target, units)
    if kind.startswith("continuous"):
        if rule is not None and name not in _ONE_UNIT[:2]:
            raise ModelError(
                f"loss={name!r} compares class labels, but y is {kind}; use loss={fitting!r} or "
                "leave loss=None."
            )
        return "values"
    if rule is not None:
        kinds, encoding = rule
        if kind not in kinds or (units == 1) != (name in _ONE_UNIT and kind == "binary"):
            raise ModelError(
                f"loss={name!r} does not suit a {kind} target with {units} output units; use "
                f"loss={fitting!r} or leave loss=None."
                + (_ONE_HOT_HINT if (kind, encoding) == ("multilabel-indicator", "onehot") else "")
            )
        return "multilabel" if kind == "multilabel-indicator" else encoding
    if kind == "multilabel-indicator":
        return "multilabel"
    if units == 1:
        return "column"
    # Losses over whole vectors (mean squared error, Kullback-Leibler) take one-hot rows; a
    # function of the user's takes labels as numbers, as SciKeras gives them.
    return "index" if name is None else "onehot"


def check_logits(loss: Any, kind: str, network: Any) -> None:
    """Raise when a loss takes probabilities, but the network ends in units that give logits.

    Keras computes such a loss all the same: it clips what is no probability, so that training goes
    on with a gradient of zero, or it gives NaN.
    """
    if kind == "logits" and from_logits(loss) is False and is_label_loss(loss):
        raise ModelError(
            f"loss={type(loss).__name__} takes probabilities (from_logits=False), but the network "
            f"{network.name!r} ends in {kind}: its last activation is no softmax or sigmoid. Give "
            "from_logits=True to the loss, end the network in that activation, or give the loss by "
            "name: then from_logits follows the network."
        )
