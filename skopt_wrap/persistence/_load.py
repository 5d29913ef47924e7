"""`load`: read an estimator from a file without running code of the file."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..exceptions import LoadError, VersionWarning
from ._archive import GRAPH, ArchiveReader
from ._decode import Decoder
from ._manifest import DECISIVE, FORMAT_VERSION, installed_versions
from ._names import Trust


def load(path: str | os.PathLike[str], *, trusted: Iterable[Any] = ()) -> Any:
    """Read an estimator that `save` has written.

    Nothing in the file is run. A file names classes and functions; those of Keras, scikit-learn,
    imbalanced-learn and this package that only describe estimators are known to be harmless. Any
    other name is refused, unless you trust it.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : iterable of str, classes or functions, default=()
        What the file may name besides: full names such as ``"mymodule.MyLayer"``, or the objects
        themselves. To trust a name means to import its module and to use what stands there.
        `inspect` lists the names that a file needs.

    Returns
    -------
    estimator : estimator
        As it was saved. Its predictions are the same to the last bit, with the same versions of
        the libraries.

    Raises
    ------
    LoadError
        The file is no file of `save`, is damaged, was written by a newer version, holds code, or
        names something that is not trusted.
    ParameterError
        `trusted` is no sequence of names, classes or functions.

    Warns
    -----
    VersionWarning
        Another version of Keras or scikit-learn is installed than the one that wrote the file.

    See Also
    --------
    save : Write the file.
    inspect : Tell what a file holds without loading it.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import skopt_wrap
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = pathlib.Path(folder.name, "scorer.skw")
    >>> _ = skopt_wrap.save(skopt_wrap.ImbalanceAwareScorer("f2"), file)
    >>> skopt_wrap.load(file)
    ImbalanceAwareScorer(metric='f2')
    >>> folder.cleanup()
    """
    trust = Trust(trusted)
    with ArchiveReader(Path(path)) as archive:
        check_versions(archive.manifest)
        return Decoder(archive, trust).decode(archive.read_json(GRAPH))


def check_versions(manifest: Mapping[str, Any]) -> None:
    """Refuse a format of the future, and warn of other versions of decisive libraries.

    Parameters
    ----------
    manifest : mapping
        Of a file.

    Raises
    ------
    LoadError
        The format is newer than this version knows.
    """
    found = manifest.get("format_version")
    versions = manifest.get("versions")
    if not isinstance(found, int) or isinstance(found, bool) or not isinstance(versions, dict):
        raise LoadError("manifest.json states no format version or no versions.")
    if found > FORMAT_VERSION:
        raise LoadError(
            f"the file has format {found}; this version of skopt_wrap reads formats up to "
            f"{FORMAT_VERSION}. Install skopt_wrap {str(versions.get('skopt_wrap'))[:50]} or newer."
        )
    installed = installed_versions()
    others = [
        f"{name} {str(versions[name])[:50]} (installed: {installed.get(name, 'none')})"
        for name in DECISIVE
        if name in versions and versions[name] != installed.get(name)
    ]
    if others:
        warnings.warn(
            f"The file was written with {' and '.join(others)}. Predictions may differ; compare "
            "them with known ones before you rely on them.",
            VersionWarning,
            stacklevel=3,
        )
