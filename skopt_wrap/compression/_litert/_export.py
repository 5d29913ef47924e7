"""Write a ``.tflite`` file: to disk with a JSON description, or as C source text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ...exceptions import ParameterError
from ._runtime import LiteRTModel

ALIGNMENT = 16  # what the flat buffer and TensorFlow Lite for Microcontrollers ask for
_PER_LINE = 12
_C_WORDS = frozenset(
    "auto bool break case char class const continue default delete do double else enum extern "
    "false float for goto if inline int long namespace new operator private protected public "
    "register restrict return short signed sizeof static struct switch template this throw true "
    "try typedef typename union unsigned using virtual void volatile while alignas".split()
)


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


def c_source(content: bytes, name: str, remarks: list[str]) -> str:
    """Return C (and C++) header text that holds `content` as an array.

    Parameters
    ----------
    content : bytes
        The file.
    name : str
        Name of the array; its length is ``<name>_len``.
    remarks : list of str
        Lines of the comment at the top.

    Raises
    ------
    ParameterError
        When `name` is no identifier of C.

    Examples
    --------
    >>> from skopt_wrap.compression._litert._export import c_source
    >>> print(c_source(b"TFL3", "net", ["A file."]))
    /* A file. */
    #ifndef NET_H_
    #define NET_H_
    <BLANKLINE>
    #ifndef __cplusplus
    #include <stdalign.h>
    #endif
    <BLANKLINE>
    alignas(16) static const unsigned char net[] = {
        0x54, 0x46, 0x4c, 0x33,
    };
    static const unsigned int net_len = 4;
    <BLANKLINE>
    #endif  /* NET_H_ */
    <BLANKLINE>
    """
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ParameterError(f"name must be an identifier of C, got {name!r}.")
    if name in _C_WORDS:
        raise ParameterError(f"name must not be a word of C or C++, got {name!r}.")
    guard = f"{name.upper()}_H_"
    lines = [
        "    " + " ".join(f"0x{byte:02x}," for byte in content[i : i + _PER_LINE])
        for i in range(0, len(content), _PER_LINE)
    ]
    comment = "\n   ".join(line.replace("*/", "* /") for line in remarks)
    return "\n".join(
        [
            f"/* {comment} */",
            f"#ifndef {guard}",
            f"#define {guard}",
            "",
            "#ifndef __cplusplus",
            "#include <stdalign.h>",
            "#endif",
            "",
            f"alignas({ALIGNMENT}) static const unsigned char {name}[] = {{",
            *lines,
            "};",
            f"static const unsigned int {name}_len = {len(content)};",
            "",
            f"#endif  /* {guard} */",
            "",
        ]
    )
