"""Write a ``.tflite`` file with a description that another program can read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .._c_array import c_source
from ._runtime import LiteRTModel


def write_export(path: str | Path, runtime: LiteRTModel, **facts: Any) -> Path:
    """Write `runtime`'s file to `path`, and what is known about it to a JSON file beside it.

    Parameters
    ----------
    path : str or path-like
        Where to write; ``.tflite`` is added when it is missing.
    runtime : LiteRTModel
        The file.
    **facts : object
        Further entries of the JSON file; arrays are written as lists.

    Returns
    -------
    path : pathlib.Path
        The ``.tflite`` file.
    """
    path = Path(path)
    if path.suffix != ".tflite":
        path = path.with_name(path.name + ".tflite")
    batch = None if runtime.dynamic_batch else 1
    description = {
        "format": 1,
        "file": path.name,
        "bytes": len(runtime.content),
        "input": {
            "name": runtime.input_name,
            "shape": [batch, *runtime.input_shape],
            "dtype": str(runtime.input_dtype),
            "resize": "resize the first dimension for more rows"
            if runtime.dynamic_batch
            else "one row at a time; reset variables between rows",
        },
        "output": {
            "name": runtime.output_name,
            "shape": [batch, *runtime.output_shape],
            "dtype": str(runtime.output_dtype),
        },
        "scales": runtime.scales,
        **{key: _plain(value) for key, value in facts.items()},
    }
    path.write_bytes(runtime.content)
    path.with_suffix(".json").write_text(
        json.dumps(description, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return path


def c_header(runtime: LiteRTModel, name: str) -> str:
    """Return `runtime`'s file as a C header.

    Raises
    ------
    ParameterError
        When `name` is no identifier of C.
    """
    ops = sorted({op for op in runtime.ops() if op != "DELEGATE"})
    shapes = f"{(1, *runtime.input_shape)} {runtime.input_dtype} -> {(1, *runtime.output_shape)}"
    return c_source(
        runtime.content,
        name,
        [
            f"LiteRT model of {len(runtime.content)} bytes: {shapes} {runtime.output_dtype}.",
            f"Operations: {', '.join(ops)}.",
        ],
    )


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
