"""Several networks in one estimator: trained with seeds of their own, averaged into one network."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.utils import check_random_state

from .._keras import load_keras, name_scope, predict_raw
from ..exceptions import DataError, ParameterError
from ..training import (
    JointTrainingError,
    NotJointlyTrainable,
    Training,
    joint_key,
    train_jointly,
)
from ._fit_steps import FitRequest, prepare_fit

_LAYER = "member_"


def wants_members(estimator: Any) -> bool:
    """Whether `fit` trains more than one network.

    Raises
    ------
    ParameterError
        When `members` is no count.
    """
    members = getattr(estimator, "members", None)  # a subclass may know nothing of it
    if members is None:
        return False
    if isinstance(members, bool) or not isinstance(members, Integral) or int(members) < 1:
        raise ParameterError(f"members must be None or an int >= 1, got {members!r}.")
    return int(members) > 1


def refuse_members(estimator: Any, what: str) -> None:
    """Raise where training would have to go on with the members of an averaging network."""
    if wants_members(estimator):
        raise ParameterError(
            f"members={estimator.members} trains all its networks from the start, which {what} "
            "does not; use members=None there."
        )


def fit_members(estimator: Any, request: FitRequest) -> None:
    """Fit `estimator`: train its members with seeds of their own, and average their outputs.

    Parameters
    ----------
    estimator : KerasClassifier or KerasRegressor
        With `members` above 1.
    request : FitRequest
        What `fit` was called with.
    """
    if request.keep:
        refuse_members(estimator, "partial_fit" if request.epochs else "warm_start=True")
    rng = check_random_state(estimator.random_state)
    members = [
        clone(estimator).set_params(members=None, random_state=int(rng.randint(2**31 - 1)))
        for _ in range(estimator.members)
    ]
    _fit_side_by_side(members, request)
    _check_codes(members)
    first = members[0]
    given = set(estimator.get_params(deep=False))
    for name, value in vars(first).items():
        if name.endswith("_") and name not in given:
            setattr(estimator, name, value)
    with name_scope():
        estimator.model_ = average_network(
            [member.model_ for member in members], first.target_encoder_, is_classifier(estimator)
        )
    estimator.target_encoder_ = copy.copy(first.target_encoder_)
    if is_classifier(estimator):
        estimator.target_encoder_.output_kind_ = "probabilities"
    estimator.history_ = _mean_history([member.history_ for member in members])
    estimator.n_iter_ = max(member.n_iter_ for member in members)


def _check_codes(members: Sequence[Any]) -> None:
    """Raise where members, which read the same rows, know other categories."""
    known = [getattr(member.table_encoder_, "categories", None) for member in members]
    if any(categories != known[0] for categories in known):
        raise DataError(
            f"members={len(members)} hold out rows of their own, and a rare category is among the "
            "training rows of some members only. Give X_val and y_val, validation_split=0.0 with "
            "early_stopping=False, or fewer categories."
        )


def _fit_side_by_side(members: Sequence[Any], request: FitRequest) -> None:
    """Fit estimators with one network each, as one training where that can be."""
    trainings: list[tuple[Any, Training]] = []
    for i, member in enumerate(members):
        fitting = prepare_fit(member, request if i == 0 else replace(request, advise=False))
        with fitting.scope():
            fitting.build()
            training = _joint_training(fitting)
            if training is None:
                fitting.store(fitting.train())
            else:
                trainings.append((fitting, training))
    if not trainings:
        return
    train_jointly([[training for _, training in trainings]])
    for fitting, training in trainings:
        if isinstance(training.error, JointTrainingError):
            alone = prepare_fit(fitting.estimator, request)
            with alone.scope():
                alone.build()
                alone.store(alone.train())
        elif training.error is not None:
            raise training.error
        else:
            fitting.finish(training.validation)
            fitting.store(training.result)


def _joint_training(fitting: Any) -> Training | None:
    """Return the training of a network that can be trained with others, or None."""
    try:
        training = Training(
            fitting.network,
            fitting.joint_data(),
            fitting.training_settings(),
            validation=fitting.held_out,
            callbacks=fitting.callbacks,
            dtype=fitting.estimator.dtype,
        )
        joint_key(training)
    except NotJointlyTrainable:
        return None
    return training


def average_network(networks: Sequence[Any], target: Any, classes: bool) -> Any:
    """Return one network that averages several: probabilities of classes, or values.

    Parameters
    ----------
    networks : sequence of keras.Model
        Networks of one input and one output. They become its layers.
    target : ClassTarget or ValueTarget
        Says what their outputs mean.
    classes : bool
        Whether they are classifiers.

    Returns
    -------
    network : keras.Model
        Not compiled: its layers are trained already.
    """
    keras = load_keras()
    like = networks[0].inputs[0]
    inputs = keras.Input(tuple(like.shape[1:]), dtype=like.dtype)
    outputs = []
    for i, network in enumerate(networks):
        network.name = f"{_LAYER}{i}"
        raw = network(inputs)
        if classes and target.output_kind_ == "logits":
            several = target.target_type_ != "multilabel-indicator" and raw.shape[-1] > 1
            raw = keras.layers.Activation("softmax" if several else "sigmoid")(raw)
        outputs.append(raw)
    return keras.Model(inputs, keras.layers.Average()(outputs), name="members")


def spread(estimator: Any, X: Any) -> np.ndarray:
    """Return how far the members of a fitted estimator are apart; see ``predict_spread``."""
    keras = load_keras()
    names = [layer.name for layer in estimator.model_.layers]
    if not wants_members(estimator) or f"{_LAYER}0" not in names:
        raise ParameterError(
            "predict_spread compares the members of an estimator that was fitted with "
            f"members=2 or more; got members={estimator.members!r}."
        )
    averaged = estimator.model_
    parts = averaged.layers[-1].input
    every = keras.Model(averaged.input, keras.ops.stack(parts, axis=1))
    # (rows, members, units)
    found = np.asarray(predict_raw(every, estimator.network_input(X)), float)
    apart = found - found.mean(axis=1, keepdims=True)
    if not is_classifier(estimator):
        deviation = np.sqrt((apart**2).mean(axis=1))
        return deviation[:, 0] if estimator.target_encoder_.one_dimensional_ else deviation
    distance = np.abs(apart).mean(axis=1)
    if estimator.target_encoder_.target_type_ == "multilabel-indicator":
        return distance
    return distance.sum(axis=1) / (2 if found.shape[2] > 1 else 1)


def _mean_history(histories: Sequence[dict[str, list[float]]]) -> dict[str, list[float]]:
    """Return the mean of each curve over the members that still trained."""
    found = {}
    for name in histories[0]:
        curves = [history[name] for history in histories if name in history]
        length = max(map(len, curves))
        padded = [[*curve, *[np.nan] * (length - len(curve))] for curve in curves]
        found[name] = np.nanmean(padded, axis=0).tolist()
    return found
