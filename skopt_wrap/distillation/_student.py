"""The student network: scaled down from the teacher, named, built or given."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._keras import (
    copy_network,
    keras_model_problem,
    layer_width,
    output_layers,
    resized,
    table_layer,
)
from ..architectures import ARCHITECTURES, prepare_inside, table_meta
from ..exceptions import BuilderError, ModelError, ParameterError, suggest


def make_student(teacher: Any, student: Any, params: Mapping[str, Any], x: np.ndarray) -> Any:
    """Return a built student network with the teacher's input and output shape.

    Parameters
    ----------
    teacher : keras.Model
        One input, one output.
    student : float, str, callable or keras.Model
        See :class:`Distillation`.
    params : mapping
        Keyword arguments of the builder or architecture.
    x : ndarray of shape (n_rows, ...)
        Rows.

    Raises
    ------
    ParameterError
        For an unknown architecture.
    BuilderError
        When a builder raises or returns no network.
    ModelError
        When the student does not fit the teacher's input and output.
    """
    if isinstance(student, str):
        if student not in ARCHITECTURES:
            raise ParameterError(
                f"distillation: unknown architecture {student!r}. {suggest(student, ARCHITECTURES)}"
            )
        network = _built(ARCHITECTURES[student], params, teacher, x)
    elif hasattr(student, "get_weights") and not inspect.isclass(student):
        problem = keras_model_problem(student)
        if problem is not None:
            raise ModelError(f"distillation: the student cannot be used: {problem}.")
        network = copy_network(student)
    elif callable(student):
        network = _built(student, params, teacher, x)
    else:
        network = scaled(teacher, float(student))
    if not network.built:
        network(x[:1])
    shapes = [tuple(m.inputs[0].shape[1:]) + tuple(m.outputs[0].shape[1:])
              for m in (teacher, network)]  # fmt: skip
    if shapes[0] != shapes[1]:
        raise ModelError(
            "distillation: the student must take and return what its teacher does, rows of shape "
            f"{teacher.inputs[0].shape[1:]} -> {teacher.outputs[0].shape[1:]}; it has "
            f"{network.inputs[0].shape[1:]} -> {network.outputs[0].shape[1:]}."
        )
    return network


def scaled(teacher: Any, fraction: float) -> Any:
    """Return a fresh network with `fraction` of the width of each hidden layer of `teacher`.

    Raises
    ------
    ModelError
        When nothing can be scaled, or the scaled layers do not fit together.
    """
    kept = output_layers(teacher)
    widths = {}
    for layer in teacher.layers:
        width = layer_width(layer)
        if width is not None and layer.name not in kept:
            widths[layer.name] = max(1, round(width * fraction))
    if not widths:
        raise ModelError("distillation: the teacher has no hidden layer to make narrower.")
    return resized(teacher, widths)


def _built(builder: Any, params: Mapping[str, Any], teacher: Any, x: np.ndarray) -> Any:
    name = getattr(builder, "__name__", type(builder).__name__)
    meta = {
        "X_shape_": tuple(x.shape),
        "X_dtype_": x.dtype,
        "n_outputs_expected_": int(teacher.outputs[0].shape[-1]),
    }
    if x.dtype.kind in "iu":
        meta["X_max_"] = int(x.max())
    table = table_layer(teacher)
    if table is not None:
        meta |= table_meta(table.columns, len(x))
    given = {"meta": meta} if "meta" in inspect.signature(builder).parameters else {}
    try:
        network = builder(**given, **params)
    except Exception as error:
        raise BuilderError(
            f"distillation: the student's builder {name!r} raised {type(error).__name__}: {error}"
        ) from error
    problem = keras_model_problem(network)
    if problem is not None:
        raise BuilderError(f"distillation: the builder {name!r} must return a network: {problem}.")
    if table is None:
        return network
    statistics = (table.center.numpy(), table.factor.numpy())
    return prepare_inside(network, table.columns, *statistics, x.shape[1])
