"""An input of its own for each column of a table with texts, whose codes the file makes itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._litert._table import is_missing

_ROW = "row"
_UNKNOWN = -1.0  # the code of a text that is not among the categories


def reads_texts(columns: Sequence[Mapping[str, Any]] | None) -> bool:
    """Return whether a table has columns of texts, all of whose categories are texts."""
    kinds = [column["categories"] for column in columns or () if column["kind"] == "category"]
    return bool(kinds) and all(isinstance(text, str) for known in kinds for text in known)


def with_columns(
    content: bytes, columns: Sequence[Mapping[str, Any]]
) -> tuple[bytes, list[dict[str, Any]]]:
    """Return a file that reads each column on its own: texts as they are, numbers as float32.

    Parameters
    ----------
    content : bytes
        A file that reads a matrix, with codes for texts.
    columns : sequence of mapping
        What its description says of each column of the matrix.

    Returns
    -------
    content : bytes
        The file. It does not read columns that nothing depends on.
    described : list of dict
        The columns, each with ``input``, the name of its input; None for one that is not read.
    """
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load_from_string(content)
    graph = model.graph
    taken = {_ROW, *(end.name for end in graph.output)}
    for node in graph.node:
        taken.update(node.output)
    taken.update(constant.name for constant in graph.initializer)
    nodes, inputs, parts, described = [], [], [], []
    for i, column in enumerate(columns):
        part = _free(f"column_{i}_numbers", taken)
        if column["kind"] == "ignored":
            described.append({**column, "input": None})
            parts.append(part)
            continue
        name = _free(str(column["name"]) or f"x{i}", taken)
        described.append({**column, "input": name})
        texts = column["kind"] == "category"
        kind = TensorProto.STRING if texts else TensorProto.FLOAT
        inputs.append(helper.make_tensor_value_info(name, kind, ["rows", 1]))
        parts.append(part if texts else name)
        if texts:
            keys, codes = _keys(column)
            nodes.append(
                helper.make_node(
                    "LabelEncoder",
                    [name],
                    [part],
                    domain="ai.onnx.ml",
                    keys_strings=keys,
                    values_floats=codes,
                    default_float=_UNKNOWN,
                )
            )
    read = next(part for part, column in zip(parts, described, strict=True) if column["input"])
    for i, column in enumerate(described):
        if column["input"] is None:  # zeros; whatever is read has the right number of rows
            zeros = helper.make_tensor("value", TensorProto.FLOAT, [1], [0.0])
            size = _free(f"column_{i}_size", taken)
            nodes.append(helper.make_node("Shape", [read], [size]))
            nodes.append(helper.make_node("ConstantOfShape", [size], [parts[i]], value=zeros))
    nodes.append(helper.make_node("Concat", parts, [_ROW], axis=1))
    later = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *later])
    del graph.input[:]
    graph.input.extend(inputs)
    if not any(opset.domain == "ai.onnx.ml" for opset in model.opset_import):
        model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 2))
    return bytes(model.SerializeToString()), described


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_column"
    taken.add(name)
    return name


def _keys(column: Mapping[str, Any]) -> tuple[list[str], list[float]]:
    """Return texts and their codes; the empty text stands for a missing one."""
    keys = list(column["categories"])
    codes = [float(code) for code in range(len(keys))]
    if column["missing"] and "" not in keys:
        keys.append("")
        codes.append(float("nan"))
    return keys, codes


def column_feed(X: Any, columns: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Return what is given to a file that reads each column on its own.

    Parameters
    ----------
    X : data frame or array-like of shape (n_rows, n_columns)
        Rows as the user has them.
    columns : sequence of mapping
        As :func:`with_columns` returns them.
    """
    frame = hasattr(X, "columns")
    table = None if frame else np.asarray(X, dtype=object)
    feed = {}
    for i, column in enumerate(columns):
        if column["input"] is None:
            continue
        cells = np.asarray(X[column["name"]] if table is None else table[:, i], dtype=object)
        values = cells.tolist()
        if column["kind"] == "category":
            texts = ["" if is_missing(value) else str(value) for value in values]
            feed[column["input"]] = np.array(texts, dtype=object)[:, None]
        else:
            numbers = [float("nan") if is_missing(value) else float(value) for value in values]
            feed[column["input"]] = np.array(numbers, dtype=np.float32)[:, None]
    return feed
