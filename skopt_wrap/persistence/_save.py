"""`save`: write a fitted estimator to one file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..exceptions import ParameterError, SaveError
from ._archive import GRAPH, MANIFEST, ArchiveWriter
from ._encode import Encoder
from ._manifest import describe


def save(
    estimator: Any,
    path: str | os.PathLike[str],
    *,
    licence: str | None = None,
    description: str | None = None,
) -> Path:
    """Write an estimator to one file that runs no code when it is opened.

    The file is a zip file. Networks lie in it as Keras' own ``.keras`` files, LiteRT models as
    ``.tflite`` files, arrays as ``.npy`` files without Python objects, estimators of scikit-learn
    as files of skops, and all other values as JSON. A manifest tells versions, parameters, the
    columns and classes of the data, and the checksum of each part.

    Classes and functions of your own are written by name, never by their code. Whoever loads the
    file needs the same modules and has to name them in ``trusted``.

    The file is written beside its place and moved there when it is complete. A process that is
    killed meanwhile, or a full disk, leaves an earlier file of the same name as it was.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator: one of this package, or a pipeline, search or ensemble of scikit-learn
        or imbalanced-learn around it. Scorers, samplers and transformers too. An estimator that
        was not fitted can be saved; the manifest says so.
    path : str or path-like
        The file. An existing file is replaced.
    licence : str or None, default=None
        The licence of the model, kept in the manifest.
    description : str or None, default=None
        A text for whoever gets the file, kept in the manifest.

    Returns
    -------
    path : pathlib.Path
        The file.

    Raises
    ------
    SaveError
        A part cannot be saved; the message says where in the estimator it stands, such as
        ``pipeline.steps[1][1].model``. Or the file cannot be written.
    ParameterError
        `licence` or `description` is no text.

    See Also
    --------
    load : Read the file.
    inspect : Tell what a file holds without loading it.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np
    >>> import skopt_wrap
    >>> from sklearn.preprocessing import StandardScaler
    >>> folder = tempfile.TemporaryDirectory()
    >>> scaler = StandardScaler().fit(np.arange(6.0).reshape(3, 2))
    >>> file = skopt_wrap.save(scaler, pathlib.Path(folder.name, "scaler.skw"), licence="MIT")
    >>> skopt_wrap.load(file).mean_
    array([2., 3.])
    >>> folder.cleanup()
    """
    target = Path(path)
    if target.is_dir():
        raise SaveError(f"path: {str(target)!r} is a folder; give the name of a file.")
    for name, value in (("licence", licence), ("description", description)):
        if value is not None and not isinstance(value, str):
            raise ParameterError(f"{name} must be a text or None, got {value!r}.")
    with ArchiveWriter(target) as archive:
        encoder = Encoder(archive)
        node = encoder.encode(estimator, type(estimator).__name__.lower())
        archive.add_json(GRAPH, node)
        manifest = describe(
            estimator, licence=licence, description=description, trust=encoder.needs_trust
        )
        archive.add_json(MANIFEST, {**manifest, "entries": dict(archive.entries)})
    return target
