"""Write an estimator as an ONNX file, after its answers were compared with the estimator's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...exceptions import ConversionError, ParameterError
from .._delivery._deliver import Build, Delivery, End, Front, close_to, fold, keep
from .._litert._export import file_description
from .._litert._table import encode
from .._process import ConversionProcess, conversion_process
from .._serialization import as_graph, to_payload
from .._unwrap import Parts, check_rows, split_estimator
from ._columns import column_feed, reads_texts, with_columns
from ._model import KerasCore, OnnxModel, operators_of
from ._packages import check_packages

_PROGRAM = "skopt_wrap.compression._onnx._convert:convert_to_onnx"
PREPROCESSING = ("keep", "fold")


def export_onnx(
    estimator: Any,
    path: str | Path,
    X: Any,
    *,
    preprocessing: str = "fold",
    units: Mapping[str, str] | None = None,
) -> Path:
    """Write a fitted estimator as an ONNX file, for ONNX Runtime and what else reads ONNX.

    The numbers of the file are float32, as the network's are. tf2onnx converts; then ONNX Runtime
    runs the file, and each of its answers is compared with the estimator's. Small integers
    ("int8") in an ONNX file are made by ONNX Runtime's own quantizer from this file, not here.

    Parameters
    ----------
    estimator : estimator
        Fitted: :class:`~skopt_wrap.KerasClassifier`, :class:`~skopt_wrap.KerasRegressor`, a
        Pipeline or a search that ends in one, or one of them with a threshold, a correction of
        shares or a TransformedTargetRegressor around it. For a plain ``keras.Model`` call its own
        ``export(path, format="onnx")``.
    path : str or path-like
        Where to write; ``.onnx`` is added when it is missing. The description is written into the
        file's metadata under ``skopt_wrap``, and to a JSON file of the same name beside it.
    X : array-like of shape (n_rows, ...)
        Rows as `fit` takes them. The file is checked with 64 of them, spread over all.
    preprocessing : {"fold", "keep"}, default="fold"
        "fold": the steps in front of the network, the codes of categories, the scaling of the
        target, the correction of shares and the threshold are part of the file. It answers
        ``probabilities`` and the number of the class, ``label``; or the ``values`` of a regressor.
        A table with columns of texts is read column by column, the texts as they are; an empty text
        stands for a missing one, and a text that `fit` did not see counts as none of the
        categories. Other rows are read as one array, ``row``. A step that a file cannot hold stays
        in front, with those before it, and is named in the description. "keep": the file is the
        network alone, from its rows to its raw outputs.
    units : mapping of str to str, default=None
        Units of columns by name, for the description.

    Returns
    -------
    path : pathlib.Path
        The ``.onnx`` file.

    Raises
    ------
    ParameterError
        For an estimator without a Keras network, another word for `preprocessing`, no rows, and
        when the packages of the extra ``onnx`` are missing.
    ModelError
        For a network of several inputs or outputs, or one whose ``call`` cannot be traced.
    ConversionError
        When ONNX lacks an operation of the network, or an answer of the file differs from the
        estimator's by more than 1e-5, in units of the column's largest number where that is above
        1. No file is written then.

    See Also
    --------
    CompressedModel.export : The same for a path that ends in ``.onnx``.

    References
    ----------
    .. [1] ONNX, the open standard for networks: https://onnx.ai

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skopt_wrap import KerasClassifier
    >>> from skopt_wrap.compression import export_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> network = KerasClassifier("dense", epochs=5, random_state=0)
    >>> pipeline = make_pipeline(StandardScaler(), network).fit(X, y)
    >>> with TemporaryDirectory() as folder:
    ...     path = export_onnx(pipeline, Path(folder, "iris.onnx"), X)
    ...     import onnxruntime
    ...     session = onnxruntime.InferenceSession(path)
    ...     probabilities, label = session.run(None, {"row": X[:3].astype("float32")})
    >>> probabilities.shape, bool(abs(probabilities - pipeline.predict_proba(X[:3])).max() < 1e-5)
    ((3, 3), True)
    """
    if X is None or not (X.shape[0] if hasattr(X, "shape") else len(X)):
        raise ParameterError("X must have rows, as fit takes them: the file is checked with them.")
    parts = split_estimator(estimator)
    model = parts.network.model_
    return write_onnx(path, parts, model, check_rows(X), preprocessing, units)


def write_onnx(
    path: str | Path,
    parts: Parts,
    model: Any,
    rows: Any,
    preprocessing: str,
    units: Mapping[str, str] | None,
    **facts: Any,
) -> Path:
    """Write the network `model` with the other parts of its estimator as a checked ONNX file.

    Parameters
    ----------
    path : str or path-like
        As for :func:`export_onnx`.
    parts : Parts
        Of the fitted estimator.
    model : keras.Model
        The network to write.
    rows : array-like
        Rows as the user has them, with which the file is checked.
    preprocessing, units
        As for :func:`export_onnx`.
    **facts : object
        Further entries of the description.

    Raises
    ------
    ParameterError, ModelError, ConversionError
        As :func:`export_onnx`.
    """
    if preprocessing not in PREPROCESSING:
        raise ParameterError(f"preprocessing must be 'keep' or 'fold', got {preprocessing!r}.")
    check_packages()
    given = parts.network_input(rows)
    network, _ = as_graph(model, given, "the trained network")
    core = KerasCore(network, given)
    with conversion_process().lease() as process:
        build = _files(core, process)
        if preprocessing == "fold":
            delivery = fold(parts, core, rows, build)
        else:
            whole, _ = build(None, None, ["output"])
            _compare(whole(given), core(given), "the network's outputs")
            delivery = keep(parts, whole)
    content, facts_of_inputs = _by_column(delivery, rows)
    runtime = delivery.runtime
    description = file_description(
        runtime,
        quantization=None,
        operators=operators_of(content),
        units=units,
        **{**delivery.facts, **facts},
    )
    description.update(facts_of_inputs)
    return _write(Path(path), content, description)


def _files(core: KerasCore, process: ConversionProcess) -> Build:
    """Return what makes an ONNX file of the network and of operations around it."""

    def build(front: Front, end: End, names: list[str]) -> tuple[Any, Any]:
        request = {
            "network": to_payload(core.model),
            "shape": core.input_shape,
            "dtype": str(core.input_dtype),
            "front": front,
            "end": end,
            "names": names,
        }
        files = process.run(_PROGRAM, request, stage="onnx")
        first = None if files["front"] is None else OnnxModel(files["front"])
        return OnnxModel(files["whole"]), first

    return build


def _by_column(delivery: Delivery, rows: Any) -> tuple[bytes, dict[str, Any]]:
    """Return the file, which reads texts where the table has some, and what to say of its inputs.

    Raises
    ------
    ConversionError
        When it answers anything else than the file that reads codes.
    """
    content, columns = delivery.runtime.content, delivery.facts.get("columns") or []
    if not delivery.facts["folded"] or not reads_texts(columns):
        return content, {}
    content, described = with_columns(content, columns)
    found = OnnxModel(content).run(column_feed(rows, described))
    expected = delivery.runtime(encode(rows, columns))
    first, wanted = (found[0], expected[0]) if isinstance(found, list) else (found, expected)
    _compare(first, wanted, "the answers for texts")
    dtypes = {"category": "str", "number": "float32"}
    inputs = [
        {"name": column["input"], "shape": [None, 1], "dtype": dtypes[column["kind"]]}
        for column in described
        if column["input"] is not None
    ]
    return content, {"inputs": inputs, "columns": described}


def _compare(found: np.ndarray, expected: np.ndarray, what: str) -> None:
    """Raise unless two arrays of answers are the same, row by row.

    Raises
    ------
    ConversionError
        With the largest difference.
    """
    if not close_to(found, expected):
        worst = float(np.abs(np.asarray(found, np.float64) - expected).max())
        raise ConversionError(
            f"{what} of the ONNX file differ from the model's by up to {worst:.3g}. Write a "
            ".tflite file instead, and please report the network."
        )


def _write(path: Path, content: bytes, description: dict[str, Any]) -> Path:
    """Write the file with its description in it, and the description beside it."""
    import onnx

    if path.suffix != ".onnx":
        path = path.with_name(path.name + ".onnx")
    model = onnx.load_from_string(content)
    model.producer_name = "skopt_wrap"
    model.producer_version = str(description["versions"].get("skopt-wrap", ""))
    text = json.dumps(description, ensure_ascii=False, allow_nan=False)
    entries = {"skopt_wrap": text}
    for name in ("classes", "decision_threshold"):
        entries[name] = json.dumps(description[name], ensure_ascii=False)
    onnx.helper.set_model_props(model, entries)
    onnx.checker.check_model(model)
    content = model.SerializeToString()
    path.write_bytes(content)
    digits = hashlib.sha256(content).hexdigest()
    described = {"file": path.name, "bytes": len(content), **description, "sha256": digits}
    path.with_suffix(".json").write_text(
        json.dumps(described, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return path
