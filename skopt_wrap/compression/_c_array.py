"""A ``.tflite`` file as C source text, for microcontrollers without a file system."""

from __future__ import annotations

import re

from ..exceptions import ParameterError

ALIGNMENT = 16  # what the flat buffer and TensorFlow Lite for Microcontrollers ask for
_PER_LINE = 12
_C_WORDS = frozenset(
    "auto bool break case char class const continue default delete do double else enum extern "
    "false float for goto if inline int long namespace new operator private protected public "
    "register restrict return short signed sizeof static struct switch template this throw true "
    "try typedef typename union unsigned using virtual void volatile while alignas".split()
)


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
    >>> from skopt_wrap.compression._c_array import c_source
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
