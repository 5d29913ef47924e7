"""A compressed network with what stands in front of it and behind it as one file, checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..._keras import table_layer
from ...exceptions import ConversionError, ParameterError
from .._decision import Decision
from .._litert._flatbuffer import join
from .._litert._runtime import LiteRTModel
from .._litert._table import encode
from .._process import ConversionProcess
from .._unwrap import Parts
from ._answers import Answers, fold_answers
from ._categories import NetworkCodes
from ._columns import Column, RawColumn
from ._fitted import class_name, fitted_numbers, plain
from ._operations import Cast
from ._steps import fold_steps

# Largest difference of a number of a row, for numbers of size 1.
_TOLERANCE = 1e-5
_PROGRAM = "skopt_wrap.compression._conversion._program:convert_programs"

Front = tuple[list[Any], int] | None
End = tuple[list[Any], Any, tuple[int, ...]] | None
# Operations in front and behind, and names of the outputs, to the whole file and its front.
Build = Callable[[Front, End, list[str]], tuple[Any, Any]]


@dataclass
class Delivery:
    """A file and what is known of it.

    Attributes
    ----------
    runtime : LiteRTModel or OnnxModel
        The file.
    facts : dict
        Entries of its description.
    """

    runtime: Any
    facts: dict[str, Any] = field(default_factory=dict)


def keep(parts: Parts, runtime: Any) -> Delivery:
    """Return the file as it is: it reads the network's rows and answers its outputs."""
    steps = _transformers(parts)
    facts = _facts(parts)
    facts["preprocessing"] = [_described(step, "preprocessing='keep'") for step in steps]
    facts["target_transformers"] = [
        _described(target.transformer_, "preprocessing='keep'") for target in parts.targets
    ]
    names = getattr(parts.network, "feature_names_in_", None)
    if _text(parts) is not None:
        facts["text"] = _text(parts)
    elif not steps and len(runtime.input_shape) == 1:
        columns = _raw_columns(names, runtime.input_shape[0])
        for raw in filter(None, [column.use() for column in columns]):
            raw.missing = _takes_gaps(parts.network)
        facts["columns"] = [column.raw.describe() for column in columns if column.raw]
    return Delivery(runtime, facts)


def litert_files(runtime: LiteRTModel, process: ConversionProcess) -> Build:
    """Return what joins operations and the file of a network to one file.

    Parameters
    ----------
    runtime : LiteRTModel
        The file of the network.
    process : ConversionProcess
        Where the operations are converted.
    """

    def build(front: Front, end: End, names: list[str]) -> tuple[Any, Any]:
        batch = None if runtime.dynamic_batch else 1
        request = {"front": front, "end": end, "batch": batch}
        files = process.run(_PROGRAM, request, stage="fold")
        content = join(files["front"], runtime.content, files["end"], (["row"], names))
        first = None if files["front"] is None else LiteRTModel(files["front"])
        return LiteRTModel(content, runtime.num_threads), first

    return build


def fold(parts: Parts, runtime: Any, rows: Any, build: Build) -> Delivery:
    """Return a file that reads rows as the user has them and answers predictions.

    Parameters
    ----------
    parts : Parts
        Of the fitted estimator.
    runtime : LiteRTModel or KerasCore
        What gives the outputs of its network.
    rows : array-like
        Rows as the user has them, with which the file is checked.
    build : callable
        Makes the file.

    Raises
    ------
    ParameterError
        For a file with integer ends.
    ConversionError
        When the file does not answer what the model predicts.
    """
    if runtime.scales:
        raise ParameterError(
            "preprocessing='fold' needs a file whose input and output are float32; this one has "
            "integers, as Quantization(integer_io=True) asks. Use integer_io=False or "
            "preprocessing='keep'."
        )
    steps = _transformers(parts)
    tables = _tables(steps, rows)
    operations, columns, n_kept, reasons = _front(parts, runtime, steps, tables)
    answers = fold_answers(
        parts.network.target_encoder_,
        parts.decision,
        [target.transformer_ for target in parts.targets],
        runtime.output_shape,
    )
    ends = answers.operations or answers.label is not None
    whole, front = build(
        (operations, len(columns)) if operations else None,
        (answers.operations, answers.label, runtime.output_shape) if ends else None,
        answers.names,
    )
    facts = _facts(parts)
    facts["folded"] = True
    facts["preprocessing"] = [
        _described(step, reason) for step, reason in zip(steps, reasons, strict=True)
    ]
    facts["target_transformers"] = [
        _described(target.transformer_, reason)
        for target, reason in zip(parts.targets, reversed(answers.reasons), strict=True)
    ]
    if _text(parts) is not None:
        facts["text"] = _text(parts)
    raw = [column.raw for column in columns if column.raw is not None]
    described = [column.describe() for column in raw] if raw else None
    _check(parts, runtime, whole, front, tables[n_kept:], described, answers)
    if described is not None:
        facts["columns"] = described
    return Delivery(whole, facts)


def _transformers(parts: Parts) -> list[Any]:
    return [step for step in parts.transformers if not hasattr(step, "fit_resample")]


def _tables(steps: list[Any], rows: Any) -> list[Any]:
    """Return the rows in front of each step, and those in front of the network."""
    tables = [rows]
    for step in steps:
        tables.append(step.transform(tables[-1]))
    return tables


def _raw_columns(names: Any, n: int) -> list[Column]:
    given = [f"x{i}" for i in range(n)] if names is None else [str(name) for name in names]
    return [Column(RawColumn(name), plain=True) for name in given]


def _text(parts: Parts) -> dict[str, Any] | None:
    """Return how ids are made of texts, where the network reads them."""
    encoder = getattr(parts.network, "text_encoder_", None)
    return None if encoder is None else encoder.describe()


def _takes_gaps(network: Any) -> bool:
    """Return whether a network fills gaps by itself."""
    return table_layer(network.model_) is not None


def _front(
    parts: Parts, runtime: Any, steps: list[Any], tables: list[Any]
) -> tuple[list[Any], list[Column], int, list[str | None]]:
    """Return operations, raw columns, number of steps that stay, and why each of them does."""
    table = len(runtime.input_shape) == 1
    if _text(parts) is not None:
        reason = "it changes texts, and the file reads ids, whose making its description tells"
        return [], [], len(steps), [reason] * len(steps)

    def make_columns(n_kept: int) -> list[Column]:
        if n_kept > len(steps):
            return []
        found = tables[n_kept]
        shape = np.shape(found)
        if not table or len(shape) != 2:
            return []
        return _raw_columns(getattr(found, "columns", None), shape[1])

    if not table and steps:
        shape = runtime.input_shape
        reason = f"the network reads rows of shape {shape}, and a file's own steps make tables"
        return [], [], len(steps), [reason] * len(steps)
    known = getattr(getattr(parts.network, "table_encoder_", None), "categories", None)
    last = [NetworkCodes(known)] if table and known else []
    operations, columns, n_kept, reasons = fold_steps([*steps, *last], make_columns)
    if n_kept > len(steps):
        raise ParameterError(
            f"preprocessing='fold': the codes of the network's categories cannot be made in the "
            f"file: {reasons[-1]}. Use preprocessing='keep'."
        )
    reasons = reasons[: len(steps)]
    if n_kept == len(steps):
        for column in columns:
            column.use()
    if _takes_gaps(parts.network):
        for column in columns:
            if column.raw is not None:
                column.raw.missing = True
    if operations and runtime.input_dtype != np.float32:
        operations = [*operations, Cast(str(runtime.input_dtype))]
    return operations, columns, n_kept, reasons


def _described(step: Any, reason: str | None) -> dict[str, Any]:
    """Return what the description says of a step; numbers only of one that is not in the file."""
    if reason is None:
        return {"class": class_name(type(step)), "in_file": True}
    return {"in_file": False, "reason": reason, **fitted_numbers(step)}


def _facts(parts: Parts) -> dict[str, Any]:
    """Return what the description says of the target."""
    target, decision = parts.network.target_encoder_, parts.decision
    classes = getattr(target, "classes_", None)
    facts: dict[str, Any] = {
        "folded": False,
        "output_kind": target.output_kind_,
        "target_type": target.target_type_,
        "classes": plain(classes),
        "decision_threshold": decision.threshold,
        "decision": _decision(decision),
    }
    if classes is None:
        facts["one_dimensional"] = bool(target.one_dimensional_)
    else:
        several = target.target_type_ == "multilabel-indicator"
        dtype = np.asarray(target.y_dtype_ if several else classes.dtype).item()
        facts["classes_dtype"] = dtype.str if isinstance(dtype, np.dtype) else str(dtype)
    return facts


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "priors": [plain(factors) for factors in decision.priors],
        "threshold": decision.threshold,
        "positive": decision.positive,
        "ratios": plain(decision.ratios),
        "costs": plain(decision.costs),
    }


def _check(
    parts: Parts,
    core: Any,
    whole: Any,
    front: Any,
    tables: list[Any],
    columns: list[dict[str, Any]] | None,
    answers: Answers,
) -> None:
    """Raise unless the file answers, row by row, what the model predicts.

    The part in front is compared with the transformers, the part behind with the predictions for
    the same outputs of the network: between them lies the network's file, byte for byte.
    """
    rows, last = tables[0], tables[-1]
    wanted = parts.network.network_input(last)
    if _text(parts) is not None:
        read = wanted
    else:
        read = np.asarray(rows) if columns is None else encode(rows, columns)
    given = wanted
    if front is not None:
        given = front(read)
        if not close_to(given, wanted):
            rounded = _rounded_input(parts, rows, len(tables))
            if rounded is None or not close_to(given, rounded):
                place = int(np.argmax(np.nan_to_num(np.abs(given - wanted)).max(axis=1)))
                raise ConversionError(
                    "the preprocessing in the file differs from that of the pipeline, in row "
                    f"{place} by {np.nanmax(np.abs(given[place] - wanted[place])):.3g}. Use "
                    "preprocessing='keep', and please report the transformers."
                )
    raw = core(given)
    found = whole(read)
    target = parts.network.target_encoder_
    if answers.label is not None:
        expected = parts.decision.probabilities(target, raw)
        found = found[0]
    else:
        expected = np.asarray(target.values(raw)).reshape(len(raw), -1)
        done = [reason is None for reason in answers.reasons]
        for wrapped, in_file in zip(reversed(parts.targets), done, strict=True):
            if in_file:
                expected = np.asarray(wrapped.transformer_.inverse_transform(expected))
    if not close_to(found, expected.reshape(found.shape)):
        worst = np.abs(found - expected.reshape(found.shape)).max()
        raise ConversionError(
            f"the file's answers differ from the model's predictions by up to {worst:.3g}. Use "
            "preprocessing='keep', and please report the estimator."
        )


def _rounded_input(parts: Parts, rows: Any, n_tables: int) -> np.ndarray | None:
    """Return the network's input for rows whose numbers are rounded as those of the file are."""
    rounded = _rounded(rows)
    if rounded is None:
        return None
    steps = _transformers(parts)
    try:
        for step in steps[len(steps) + 1 - n_tables :]:
            rounded = step.transform(rounded)
        found: np.ndarray = parts.network.network_input(rounded)
    except ValueError:  # a rounded number is no category any more
        return None
    return found


def _rounded(rows: Any) -> Any:
    """Return a table with its fractions rounded to float32, None for other rows."""
    if hasattr(rows, "select_dtypes"):
        wide = rows.select_dtypes("float").columns
        return rows.assign(
            **{name: rows[name].astype("float32").astype("float64") for name in wide}
        )
    if isinstance(rows, np.ndarray) and rows.dtype.kind in "iuf":
        return rows.astype(np.float32).astype(np.float64)
    return None


def close_to(found: np.ndarray, expected: np.ndarray) -> bool:
    """Return whether every number is right, in units of the largest one of its column."""
    found = np.asarray(found, dtype=np.float64).reshape(len(found), -1)
    expected = np.asarray(expected, dtype=np.float64).reshape(len(found), -1)
    absent = np.isnan(expected)
    unit = np.maximum(1.0, np.abs(np.where(absent, 0.0, expected)).max(axis=0, initial=0.0))
    right = np.abs(found - expected) <= _TOLERANCE * unit
    return bool(np.where(absent, np.isnan(found), right).all())
