"""Train a student on what its teacher answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._keras import (
    CustomObjects,
    enter_output_units,
    load_keras,
    loss_classes,
    name_scope,
    output_kind,
    predict_raw,
    seed_scope,
    takes_output_units,
)
from ..exceptions import DataError, ModelError, suggest
from ..training import TrainingData, train
from ._spec import Distillation
from ._student import make_student

_TINY = 1e-7
# Losses on values that mean the same for standardized ones.
_FREE_OF_UNITS = ("MeanSquaredError", "MeanAbsoluteError")
_MIXUP_CONCENTRATION = 0.4


@dataclass
class DistillationResult:
    """What :func:`distill` returns.

    Parameters
    ----------
    model : keras.Model
        The student; compiled with the loss on labels, where there is one.
    history : dict of str to list of float
        Loss of every epoch.
    notes : list of str
        What was done, in words.
    """

    model: Any
    history: dict[str, list[float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def distill(
    teacher: Any,
    student: Any,
    x: Any,
    y: Any = None,
    *,
    loss: Any = None,
    sample_weight: Any = None,
    x_unlabelled: Any = None,
    temperature: float = 4.0,
    alpha: float = 0.7,
    hints: Sequence[tuple[str, str]] = (),
    hint_weight: float = 1.0,
    augment: str | Callable[[Any], Any] | None = None,
    copies: int = 4,
    epochs: int = 30,
    batch_size: int = 32,
    learning_rate: float = 3e-3,
    student_params: Any = None,
    random_state: int = 0,
    verbose: int = 0,
) -> DistillationResult:
    """Train a student network on the outputs of a teacher, and on labels.

    The teacher answers once for every row; it is no part of the training graph and is never
    changed.

    Parameters
    ----------
    teacher : keras.Model
        Trained network, one input and one output of shape (n_rows, n_units).
    student : float, str, callable or keras.Model
        See :class:`Distillation`.
    x : array-like of shape (n_rows, ...)
        Rows as the networks take them.
    y : array-like of shape (n_rows, ...), default=None
        Labels as the loss takes them. None learns from the teacher alone.
    loss : str or keras.losses.Loss, default=None
        Loss on labels; None takes the teacher's own.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows of `x`.
    x_unlabelled : array-like of shape (n_more, ...), default=None
        Rows without labels, which the teacher answers for.
    temperature, alpha, hint_weight, learning_rate : float
        See :class:`Distillation`, as for the next four.
    hints : sequence of (str, str), default=()
        Layers that are compared.
    augment : {"mixup"} or callable, default=None
        Makes further rows.
    copies, epochs : int
        Times the rows are augmented; passes over all of them.
    student_params : mapping, default=None
        Keyword arguments of the builder or architecture.
    batch_size : int, default=32
        Rows of a step.
    random_state : int, default=0
        Seed of the student's weights, of the order of the rows and of mixup.
    verbose : int, default=0
        Above 0, a progress bar over the epochs.

    Returns
    -------
    result : DistillationResult
        Student, history and notes.

    Raises
    ------
    ParameterError
        For a setting outside its rule.
    ModelError
        When teacher and student do not fit, or a hint names no layer.
    DataError
        When rows and labels do not go together.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from skopt_wrap.distillation import distill
    >>> X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
    >>> layers = [keras.Input((4,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(2)]
    >>> teacher = keras.Sequential(layers)
    >>> student = distill(teacher, 0.25, X, epochs=2).model
    >>> [layer.units for layer in student.layers]
    [4, 2]
    """
    spec = Distillation(
        student,
        temperature=temperature,
        alpha=alpha,
        hints=tuple(hints),
        hint_weight=hint_weight,
        augment=augment,
        copies=copies,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        student_params=dict(student_params or {}),
    )
    x, y, weights, loss = _checked(teacher, x, y, sample_weight, loss)
    objects = CustomObjects(teacher)
    with objects.scope(), seed_scope(int(random_state) % 2**32), name_scope():
        network = make_student(teacher, spec.student, spec.student_params, x)
        wrapper, teacher_hints = _with_hints(teacher, network, spec.hints)
        rows, data_notes = _all_rows(x, x_unlabelled, spec, int(random_state))
        units = _units(teacher, network, rows, loss)
        targets = _targets(teacher, teacher_hints, rows, y, loss, units)
        weights = np.concatenate([weights, np.ones(len(rows) - len(x), weights.dtype)])
        keras = load_keras()
        steps = spec.epochs * -(-len(rows) // batch_size)
        wrapper.compile(
            optimizer=keras.optimizers.Adam(
                keras.optimizers.schedules.CosineDecay(spec.learning_rate, steps)
            ),
            loss=_make_loss(teacher, network, None if y is None else loss, spec),
        )
        result = train(
            wrapper,
            TrainingData(rows, targets, weights),
            epochs=spec.epochs,
            batch_size=batch_size,
            seed=int(random_state) % 2**32,
            verbose=verbose,
        )
        if units is not None:
            enter_output_units(network, *units)
        if loss is not None:
            network.compile(optimizer="adam", loss=loss)
    counts = [m.count_params() for m in (teacher, network)]
    notes = [
        f"{counts[0]:,} -> {counts[1]:,} parameters ({counts[1] / counts[0]:.1%})",
        *data_notes,
    ]
    if y is None or loss is None:
        notes.append("learned from the teacher's outputs alone, without labels")
    return DistillationResult(network, result.history, notes)


def _checked(
    teacher: Any, x: Any, y: Any, sample_weight: Any, loss: Any
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray, Any]:
    """Return the data as arrays, and the loss on labels as an object or None."""
    keras = load_keras()
    inputs, outputs = getattr(teacher, "inputs", None) or [], getattr(teacher, "outputs", [])
    if len(inputs) != 1 or len(outputs) != 1 or len(outputs[0].shape) != 2:
        raise ModelError(
            "distillation: the teacher must be a built Sequential or Functional network with one "
            "input and one output of shape (n_rows, n_units)."
        )
    x = np.asarray(x).astype(str(inputs[0].dtype), copy=False)
    if not len(x):
        raise DataError("distillation: x holds no rows.")
    weights = np.ones(len(x)) if sample_weight is None else np.asarray(sample_weight)
    lengths = {"y": y, "sample_weight": weights}
    for name, part in lengths.items():
        if part is not None and len(part) != len(x):
            raise DataError(
                f"distillation: {name} must have as many rows as x, got {len(part)} and {len(x)}."
            )
    loss = getattr(teacher, "loss", None) if loss is None else loss
    if loss is not None:
        loss = keras.losses.get(loss)
        if not isinstance(loss, keras.losses.Loss):
            # The function of a loss that Keras has as a class too, or one of the user's.
            cls = loss_classes().get(getattr(loss, "__name__", ""))
            loss = loss if cls is None else cls()
    y = None if y is None or loss is None else np.asarray(y)
    return x, y, weights.astype("float32"), loss


def _all_rows(
    x: np.ndarray, unlabelled: Any, spec: Distillation, seed: int
) -> tuple[np.ndarray, list[str]]:
    """Return the labelled rows and, after them, those for the teacher alone."""
    notes, parts = [], [x]
    if unlabelled is not None:
        parts.append(np.asarray(unlabelled).astype(x.dtype, copy=False))
        notes.append(f"{len(parts[1]):,} unlabelled rows")
    if spec.augment is not None:
        source = np.concatenate(parts)
        rng = np.random.default_rng(seed)
        for _ in range(spec.copies):
            made = mixup(source, rng) if spec.augment == "mixup" else spec.augment(source)  # type: ignore[operator]
            made = np.asarray(made)
            if made.shape != source.shape:
                raise DataError(
                    f"distillation: augment must keep the shape {source.shape}, got {made.shape}."
                )
            parts.append(made.astype(x.dtype, copy=False))
        name = getattr(spec.augment, "__name__", str(spec.augment))
        notes.append(f"{spec.copies} x {len(source):,} rows of {name}")
    return np.concatenate(parts), notes


def mixup(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return every row mixed with another one.

    Parameters
    ----------
    x : ndarray of shape (n_rows, ...)
        Rows.
    rng : numpy.random.Generator
        Draws partners and shares, the latter from a beta distribution.

    Returns
    -------
    mixed : ndarray of shape (n_rows, ...)
        In the dtype of `x`; rows of integers are rounded.

    References
    ----------
    .. [1] H. Zhang et al., "mixup: beyond empirical risk minimization", ICLR, 2018.
    """
    share = rng.beta(_MIXUP_CONCENTRATION, _MIXUP_CONCENTRATION, len(x))
    share = share.reshape(-1, *[1] * (x.ndim - 1))
    mixed = share * x + (1 - share) * x[rng.permutation(len(x))]
    return (np.rint(mixed) if x.dtype.kind in "iu" else mixed).astype(x.dtype)


def _with_hints(teacher: Any, student: Any, hints: Sequence[tuple[str, str]]) -> tuple[Any, Any]:
    """Return the student with its projected hint layers beside its output, and the teacher's."""
    keras = load_keras()
    if not hints:
        # Compiling the student itself would tie it to the loss on the teacher.
        return keras.Model(student.inputs[0], student.outputs[0], name="distilled"), None
    theirs: list[Any] = []
    ours: list[Any] = []
    for teacher_layer, student_layer in hints:
        target = _pooled(_layer(teacher, teacher_layer, "teacher").output)
        guess = _pooled(_layer(student, student_layer, "student").output)
        theirs.append(target)
        ours.append(keras.layers.Dense(target.shape[-1], name=f"hint_{len(ours)}")(guess))
    joined = keras.layers.Concatenate(name="with_hints")([student.outputs[0], *ours])
    watched = theirs[0] if len(theirs) == 1 else keras.layers.Concatenate()(theirs)
    return keras.Model(student.inputs[0], joined, name="distilled"), keras.Model(
        teacher.inputs[0], watched
    )


def _layer(model: Any, name: str, owner: str) -> Any:
    names = [layer.name for layer in model.layers]
    if name not in names:
        raise ModelError(
            f"distillation: hints names no layer of the {owner}: {name!r}. {suggest(name, names)}"
        )
    return model.get_layer(name)


def _pooled(tensor: Any) -> Any:
    keras = load_keras()
    middle = tuple(range(1, len(tensor.shape) - 1))
    return keras.ops.mean(tensor, axis=middle) if middle else tensor


def _output_activation(teacher: Any, loss: Any) -> str:
    """Say how the outputs of the teacher become probabilities; "linear" for regression."""
    name = type(loss).__name__ if loss is not None else ""
    if "crossentropy" in name.lower():
        return "sigmoid" if "binary" in name.lower() else "softmax"
    last = getattr(teacher.layers[-1], "activation", None)
    return {"softmax": "softmax", "sigmoid": "sigmoid"}.get(getattr(last, "__name__", ""), "linear")


def _make_loss(teacher: Any, student: Any, loss: Any, spec: Distillation) -> Any:
    from ..losses import DistillationLoss

    own = loss if loss is not None else getattr(teacher, "loss", None)
    return DistillationLoss(
        loss=loss,
        outputs=_output_activation(teacher, own),
        n_units=int(student.outputs[0].shape[-1]),
        from_logits=output_kind(student, own) == "logits",
        temperature=spec.temperature,
        alpha=spec.alpha if loss is not None else 1.0,
        hint_weight=spec.hint_weight,
    )


def _units(
    teacher: Any, student: Any, rows: np.ndarray, loss: Any
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return deviation and mean of outputs that are values far from the scale of fresh networks.

    A student learns them standardized, and its last layer takes the units up afterwards. None where
    it learns them as they are.
    """
    if loss is not None and type(loss).__name__ not in _FREE_OF_UNITS:
        return None
    if _output_activation(teacher, loss) != "linear" or not takes_output_units(student):
        return None
    raw = predict_raw(teacher, rows).astype("float64")
    mean, scale = raw.mean(axis=0), raw.std(axis=0)
    scale = np.where(scale > 1e-9 * np.abs(raw).max(axis=0), scale, 1.0)
    near = (np.abs(mean) < 3 * scale) & (scale > 0.1) & (scale < 10)
    return None if near.all() else (scale, mean)


def _targets(
    teacher: Any,
    teacher_hints: Any,
    rows: np.ndarray,
    y: np.ndarray | None,
    loss: Any,
    units: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """Return the target of every row in the order that the loss reads it."""
    raw = predict_raw(teacher, rows).astype("float32")
    kind = _output_activation(teacher, loss)
    if kind != "linear" and output_kind(teacher, loss) == "probabilities":
        clipped = np.clip(raw, _TINY, 1 - _TINY)
        raw = np.log(clipped) - (np.log1p(-clipped) if kind == "sigmoid" else 0.0)
    parts = [raw if units is None else ((raw - units[1]) / units[0]).astype("float32")]
    if teacher_hints is not None:
        parts.append(predict_raw(teacher_hints, rows).astype("float32"))
    if y is not None:
        columns = y.reshape(len(y), -1)
        if units is not None:
            columns = (columns - units[1]) / units[0]
        columns = columns.astype("float32")
        labels = np.zeros((len(rows), 1 + columns.shape[1]), "float32")
        labels[: len(y), 0] = 1.0
        labels[: len(y), 1:] = columns
        parts.append(labels)
    return np.concatenate(parts, axis=1)
