"""The packages of the extra ``onnx``."""

from __future__ import annotations

from importlib.util import find_spec

from ...exceptions import ParameterError

_NEEDED = ("onnx", "onnxruntime", "tf2onnx")


def check_packages() -> None:
    """Raise unless everything that writes and runs an ONNX file is installed.

    Raises
    ------
    ParameterError
        Names what is missing, and the command that installs it.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ParameterError(
            f"an .onnx file needs {', '.join(missing)}: pip install 'skopt_wrap[onnx]'."
        )
