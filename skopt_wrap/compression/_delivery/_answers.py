"""Outputs of a network as predictions: the operations at the end of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...exceptions import ParameterError
from .._decision import Decision
from ._columns import CannotFoldError
from ._numbers import inverse
from ._operations import Flat, Label, Probabilities, Scale


@dataclass
class Answers:
    """The end of a file.

    Attributes
    ----------
    operations : list
        From the outputs of the network to probabilities or values.
    label : Label or None
        From probabilities to the number of a class.
    reasons : list of str or None
        For each transformer of the target, from the inside out: why it stays behind the file.
    """

    operations: list[Any] = field(default_factory=list)
    label: Label | None = None
    reasons: list[str | None] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Names of the file's outputs."""
        return ["values"] if self.label is None else ["probabilities", "label"]


def fold_answers(
    target: Any,
    decision: Decision,
    targets: Sequence[Any],
    output_shape: tuple[int, ...],
) -> Answers:
    """Return the operations that make predictions of the outputs of a network.

    Parameters
    ----------
    target : ClassTarget or ValueTarget
        Of the network.
    decision : Decision
        How labels follow from probabilities.
    targets : sequence of transformers
        Fitted transformers of the target, from the outside in.
    output_shape : tuple of int
        Shape of the network's outputs for one row.
    """
    width = int(np.prod(output_shape, dtype=int))
    flat: list[Any] = [] if len(output_shape) == 1 else [Flat(width)]
    if not hasattr(target, "classes_"):
        return _values([*flat, *_own_scaling(target)], targets)
    logits = target.output_kind_ == "logits"
    if target.target_type_ == "multilabel-indicator":
        operations = [*flat, Probabilities("sigmoid")] if logits else flat
        return Answers(operations, Label("each"))
    if width == 1:
        form = Probabilities("pair", logits)
    else:
        form = Probabilities("softmax" if logits else "shares")
    operations = [*flat, form]
    for factors in decision.priors:
        operations += [Scale(factor=factors), Probabilities("shares")]
    return Answers(operations, _label(decision, len(target.classes_)))


def _label(decision: Decision, n_classes: int) -> Label:
    if decision.costs is not None:
        return Label("least cost", decision.costs)
    if decision.ratios is not None:
        return Label("largest ratio", decision.ratios)
    if decision.threshold is not None:
        return Label("threshold", np.array([decision.threshold]), decision.positive)
    if n_classes == 2:
        return Label("threshold", np.array([0.5]), strict=True)
    return Label("largest")


def _own_scaling(target: Any) -> list[Any]:
    """Return the operations of the scaling that an estimator undoes behind its network.

    Raises
    ------
    ParameterError
        For a scaling that is no multiplication and addition.
    """
    scaling = getattr(target, "scaling_", None)
    if scaling is None or getattr(target, "in_network_", True):
        return []
    if not hasattr(scaling, "mean"):
        raise ParameterError(
            f"preprocessing='fold': the {type(scaling).__name__} of the target cannot be an "
            "operation of the file. Fit the estimator with another scaling of the target, or use "
            "preprocessing='keep'."
        )
    return [Scale(factor=scaling.scale, offset=scaling.mean)]


def _values(operations: list[Any], targets: Sequence[Any]) -> Answers:
    answers = Answers(operations)
    for transformer in reversed(targets):
        stopped = any(reason is not None for reason in answers.reasons)
        reason = "it comes after one that stays" if stopped else None
        if reason is None:
            try:
                answers.operations = [*answers.operations, *inverse(transformer)]
            except CannotFoldError as error:
                reason = str(error)
        answers.reasons.append(reason)
    return answers
