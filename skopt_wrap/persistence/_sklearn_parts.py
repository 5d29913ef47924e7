"""Parts of scikit-learn inside a saved file, written and read by skops.

skops lists every type that a part names and refuses those that it does not know to be harmless.
"""

from __future__ import annotations

import warnings
from typing import Any

from ..exceptions import LoadError, SaveError
from ._arrays import check_header
from ._names import Trust, untrusted
from ._zip_files import open_nested_zip


def part_bytes(value: Any, path: str) -> bytes:
    """Return the skops file of an estimator or of a part of one.

    Parameters
    ----------
    value : object
        What skops can describe.
    path : str
        Where it stands in the estimator, for errors.

    Returns
    -------
    content : bytes
        The file.

    Raises
    ------
    SaveError
        skops cannot describe it.
    """
    from skops import io

    try:
        content: bytes = io.dumps(value)
    except Exception as error:  # skops raises all kinds of errors for what it cannot describe
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        raise SaveError(
            f"{path}: {kind} cannot be saved: {error or type(error).__name__}. A file holds "
            "networks, estimators, arrays and plain values."
        ) from error
    return content


def untrusted_names(content: bytes, name: str) -> list[str]:
    """Return the types in a skops file that skops does not know to be harmless.

    Parameters
    ----------
    content : bytes
        The file.
    name : str
        The part's name, for errors.

    Returns
    -------
    names : list of str
        Full names of types.

    Raises
    ------
    LoadError
        The file is damaged.
    """
    from skops import io

    _check(content, name)
    try:
        return [str(item) for item in io.get_untrusted_types(data=content)]
    except Exception as error:  # as above
        raise LoadError(f"{name}: skops cannot read the part: {error}") from error


def load_part(content: bytes, name: str, trust: Trust) -> Any:
    """Return what a skops file describes.

    Parameters
    ----------
    content : bytes
        The file.
    name : str
        The part's name, for errors.
    trust : Trust
        Types that the user trusts.

    Returns
    -------
    value : object
        An estimator or a part of one.

    Raises
    ------
    LoadError
        The file is damaged, or names a type that is not trusted.
    """
    from sklearn.exceptions import InconsistentVersionWarning
    from skops import io

    needed = untrusted_names(content, name)
    missing = [item for item in needed if trust.lacks(*item.rpartition(".")[::2])]
    if missing:
        raise untrusted(missing)
    try:
        with warnings.catch_warnings():
            # Other versions than those of the file are warned of once, for the whole file.
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            return io.loads(content, trusted=needed)
    except Exception as error:  # as above
        raise LoadError(f"{name}: skops cannot load the part: {error}") from error


def _check(content: bytes, name: str) -> None:
    """Check the parts of a skops file before skops reads them."""
    archive, infos = open_nested_zip(content, name)
    for info in infos:
        if info.filename.endswith(".npy"):
            check_header(archive.read(info), f"{name}/{info.filename}")
