"""Turn NumPy arrays into the bytes of `.npy` files and back, without pickle.

The header of a file is compared with the number of bytes that follow it before any memory is
reserved, because a header can claim any shape.
"""

from __future__ import annotations

import io
import math
import warnings
from typing import Any

import numpy as np

from ..exceptions import LoadError


def array_bytes(array: np.ndarray) -> bytes:
    """Return the `.npy` file of an array.

    Parameters
    ----------
    array : ndarray
        Of any dtype without Python objects.

    Returns
    -------
    content : bytes
        The file.
    """
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def array_from_bytes(content: bytes, name: str) -> np.ndarray:
    """Return the array of a `.npy` file.

    Parameters
    ----------
    content : bytes
        The file.
    name : str
        The part's name, for errors.

    Returns
    -------
    array : ndarray
        A writable array of its own memory.

    Raises
    ------
    LoadError
        The header is damaged, asks for Python objects, or states another size than the file has.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.persistence._arrays import array_bytes, array_from_bytes
    >>> array_from_bytes(array_bytes(np.arange(3)), "arrays/0.npy")
    array([0, 1, 2])
    """
    shape, fortran, dtype, start = check_header(content, name)
    flat = np.frombuffer(content, dtype=dtype, offset=start, count=math.prod(shape))
    return flat.reshape(shape, order="F" if fortran else "C").copy(order="K")


def check_header(content: bytes, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return shape, order, dtype and start of the data of a `.npy` file, compared with its size."""
    buffer = io.BytesIO(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a header of Python 2 is none of ours
            version = np.lib.format.read_magic(buffer)
            if version == (1, 0):
                shape, fortran, dtype = np.lib.format.read_array_header_1_0(buffer)
            elif version == (2, 0):
                shape, fortran, dtype = np.lib.format.read_array_header_2_0(buffer)
            else:
                raise ValueError(f"version {version} of the format is not read")
        if dtype.hasobject:
            raise ValueError("it holds Python objects")
        if any(length < 0 for length in shape):
            raise ValueError(f"shape {shape}")
        expected = math.prod(shape) * dtype.itemsize
    except Exception as error:  # NumPy parses the header as Python and raises all kinds of errors
        raise LoadError(f"{name!r} is no array that can be read: {error}") from error
    if expected != len(content) - buffer.tell():
        raise LoadError(
            f"{name!r} states {expected:,} bytes of data and holds "
            f"{len(content) - buffer.tell():,}."
        )
    return shape, fortran, dtype, buffer.tell()
