"""The settings of a distillation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

from ..exceptions import ParameterError


@dataclass(frozen=True)
class Distillation:
    """How a student network learns from its teacher.

    Parameters
    ----------
    student : float, str, callable or keras.Model
        A fraction in (0, 1) of the width of each hidden layer of the teacher; the name of an
        architecture ("dense", "cnn", "lstm"); a builder ``f()`` or ``f(meta)``; or a network, which
        is copied.
    temperature : float, default=4.0
        Softens the probabilities of both networks, so that what the teacher thinks of the wrong
        classes counts.
    alpha : float, default=0.7
        Weight of the teacher's outputs, in [0, 1]; the labels have the rest.
    hints : sequence of (str, str), default=()
        Pairs of a teacher's and a student's layer whose outputs are compared, the student's
        through a linear map that is learned and dropped. Outputs of more than two dimensions are
        averaged over the middle ones.
    hint_weight : float, default=1.0
        Weight of the hints, not negative.
    augment : {"mixup"} or callable, default=None
        Makes further rows, on which the teacher's outputs alone are learned: "mixup" mixes pairs
        of rows, a callable maps an array of rows to another of the same shape.
    copies : int, default=4
        How many times the rows are augmented.
    epochs : int, default=30
        Passes over the rows, augmented ones included.
    batch_size : int or None, default=None
        Rows of a step; None leaves it to the caller (the estimator's own, or 32).
    learning_rate : float, default=3e-3
        Of Adam; falls to zero along a cosine.
    student_params : mapping, default={}
        Keyword arguments of the builder or architecture.

    References
    ----------
    .. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the knowledge in a neural network",
       arXiv:1503.02531, 2015.
    .. [2] L. Beyer et al., "Knowledge distillation: a good teacher is patient and consistent",
       CVPR, 2022.

    Examples
    --------
    >>> from skopt_wrap.distillation import Distillation
    >>> Distillation(0.25, augment="mixup").alpha
    0.7
    """

    student: Any
    temperature: float = 4.0
    alpha: float = 0.7
    hints: Sequence[tuple[str, str]] = ()
    hint_weight: float = 1.0
    augment: str | Callable[[Any], Any] | None = None
    copies: int = 4
    epochs: int = 30
    batch_size: int | None = None
    learning_rate: float = 3e-3
    student_params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check every field."""
        if _is_number(self.student):
            _check("student", self.student, 0 < self.student < 1, "a fraction in (0, 1)")
        elif not (isinstance(self.student, str) or callable(self.student)):
            _check("student", self.student, False, "a fraction, a name, a builder or a network")
        for name in ("temperature", "learning_rate"):
            value = getattr(self, name)
            _check(name, value, _is_number(value) and 0 < value < float("inf"), "positive")
        _check("alpha", self.alpha, _is_number(self.alpha) and 0 <= self.alpha <= 1, "in [0, 1]")
        value = self.hint_weight
        _check("hint_weight", value, _is_number(value) and value >= 0, "at least 0")
        for name in ("copies", "epochs"):
            value = getattr(self, name)
            whole = isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1
            _check(name, value, whole, "an int of at least 1")
        if self.batch_size is not None:
            whole = isinstance(self.batch_size, Integral) and int(self.batch_size) >= 1
            _check("batch_size", self.batch_size, whole, "None or an int of at least 1")
        known = self.augment is None or self.augment == "mixup" or callable(self.augment)
        _check("augment", self.augment, known, "None, 'mixup' or a callable")
        for pair in self.hints:
            named = not isinstance(pair, str) and [type(name) for name in pair] == [str, str]
            _check("hints", pair, named, "pairs of layer names (teacher's, student's)")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _check(name: str, value: Any, holds: bool, rule: str) -> None:
    if not holds:
        raise ParameterError(f"distillation: {name} must be {rule}, got {value!r}.")
