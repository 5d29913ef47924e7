"""Write a ``.tflite`` file: to disk with a JSON description, or as C source text."""

from __future__ import annotations

import contextlib
import json
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ...exceptions import ParameterError
from ._flatbuffer import ALIGNMENT
from ._metadata import describe, read_description
from ._micro import operators
from ._runtime import LiteRTModel

_PACKAGES = ("skopt-wrap", "keras", "tensorflow", "ai-edge-litert", "scikit-learn", "numpy")
_PER_LINE = 12
_C_WORDS = frozenset(
    "auto bool break case char class const continue default delete do double else enum extern "
    "false float for goto if inline int long namespace new operator private protected public "
    "register restrict return short signed sizeof static struct switch template this throw true "
    "try typedef typename union unsigned using virtual void volatile while alignas".split()
)


def file_description(runtime: Any, **facts: Any) -> dict[str, Any]:
    """Return what is known about a file, as JSON can hold it.

    Parameters
    ----------
    runtime : LiteRTModel or OnnxModel
        The file.
    **facts : object
        Further entries; ``columns`` and ``units`` become part of the input's. ``operators`` are
        listed by hand for a file that is not LiteRT's.
    """
    batch = None if runtime.dynamic_batch else 1
    source: dict[str, Any] = {
        "name": runtime.input_name,
        "shape": [batch, *runtime.input_shape],
        "dtype": str(runtime.input_dtype),
        "resize": "resize the first dimension for more rows"
        if runtime.dynamic_batch
        else "one row at a time; reset variables between rows",
    }
    columns, units = facts.pop("columns", None), facts.pop("units", None)
    named = facts.pop("operators", None)
    if columns is not None:
        source["columns"] = [dict(column) for column in columns]
    if units is not None:
        _add_units(source, units)
    ends = [
        {"name": name, "shape": [batch, *shape], "dtype": str(dtype)}
        for name, shape, dtype in runtime.outputs
    ]
    return {
        "format": 2,
        "input": source,
        "output": ends[0],
        "outputs": ends,
        "scales": {name: list(scale) for name, scale in runtime.scales.items()},
        "operators": named if named is not None else operators(runtime.ops()),
        "versions": _versions(),
        **{key: _plain(value) for key, value in facts.items()},
    }


def _add_units(source: dict[str, Any], units: Any) -> None:
    """Write the units of columns into the description of the input.

    Raises
    ------
    ParameterError
        For a column that the file does not read.
    """
    columns = {column["name"]: column for column in source.get("columns", ())}
    unknown = sorted(set(map(str, units)) - set(columns))
    if unknown:
        raise ParameterError(
            f"units names columns that the file does not read: {unknown}; it reads "
            f"{list(columns)[:20]}."
        )
    for name, unit in units.items():
        columns[str(name)]["unit"] = str(unit)


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def write_export(path: str | Path, runtime: LiteRTModel, **facts: Any) -> Path:
    """Write a file with its description in it, and the description to a JSON file beside it.

    Parameters
    ----------
    path : str or path-like
        Where to write; ``.tflite`` is added when it is missing.
    runtime : LiteRTModel
        The file.
    **facts : object
        Further entries of the description; see :func:`file_description`.

    Returns
    -------
    path : pathlib.Path
        The ``.tflite`` file.
    """
    path = Path(path)
    if path.suffix != ".tflite":
        path = path.with_name(path.name + ".tflite")
    content = describe(runtime.content, file_description(runtime, **facts))
    path.write_bytes(content)
    described = {"file": path.name, "bytes": len(content), **(read_description(content) or {})}
    path.with_suffix(".json").write_text(
        json.dumps(described, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return path


def c_header(runtime: LiteRTModel, name: str) -> str:
    """Return `runtime`'s file as a C header.

    Raises
    ------
    ParameterError
        When `name` is no identifier of C.
    """
    shapes = f"{(1, *runtime.input_shape)} {runtime.input_dtype} -> {(1, *runtime.output_shape)}"
    ops = operators(runtime.ops())
    remarks = [
        f"LiteRT model of {len(runtime.content)} bytes: {shapes} {runtime.output_dtype}.",
        f"Operations: {', '.join(op['name'] for op in ops)}.",
    ]
    absent = [op["name"] for op in ops if not op["tflite_micro"]]
    remarks.append(
        f"Not in TensorFlow Lite for Microcontrollers: {', '.join(absent)}."
        if absent
        else "TensorFlow Lite for Microcontrollers has all of them."
    )
    remarks += [
        f"{end}: real = (integer - {zero}) * {scale:.9g}."
        for end, (scale, zero) in runtime.scales.items()
    ]
    return c_source(runtime.content, name, remarks)


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
