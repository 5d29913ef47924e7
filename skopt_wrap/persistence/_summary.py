"""`inspect`: tell what a saved file holds, without loading it."""

from __future__ import annotations

import html
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._archive import GRAPH, ArchiveReader
from ._names import has_to_be_trusted, joined
from ._networks import names_in_config, names_in_network
from ._sklearn_parts import untrusted_names

_WIDTH = 18


@dataclass(frozen=True)
class FileSummary:
    """What `inspect` found in a file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    manifest : dict
        What the file says of itself: versions, parameters, data, training, licence. Whoever wrote
        the file wrote this too, so it is a claim and no proof.
    trust : tuple of str
        Names of classes and functions that `load` needs in ``trusted``, found in the file's parts.
    parts : dict of str to int
        Names of the parts with their sizes in bytes.
    """

    path: Path
    manifest: dict[str, Any]
    trust: tuple[str, ...]
    parts: dict[str, int]

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Names and values, as they are shown."""
        manifest = self.manifest
        described = manifest.get("estimator")
        estimator: dict[str, Any] = described if isinstance(described, dict) else {}
        size = sum(self.parts.values())
        rows = [
            ("file", f"{self.path} ({size:,} bytes in {len(self.parts)} parts)"),
            ("estimator", _text(estimator.get("class"))),
            ("fitted", "yes" if estimator.get("fitted") else "no"),
            ("created", _text(manifest.get("created"))),
            ("versions", _pairs(manifest.get("versions"))),
            ("licence", _text(manifest.get("licence"))),
            ("description", _text(manifest.get("description"))),
            ("parameters", _pairs(estimator.get("parameters"))),
            ("data", _pairs(manifest.get("data"))),
            ("training", _pairs(manifest.get("training"))),
            ("has to be trusted", ", ".join(self.trust) or "nothing"),
        ]
        return [(name, value) for name, value in rows if value]

    def __str__(self) -> str:
        """Return a line for each row."""
        return "\n".join(f"{name:<{_WIDTH}} {value}" for name, value in self.rows)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for name, value in self.rows
        )
        return f"<table>{rows}</table>"


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _pairs(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    texts = (f"{name} {str(item)[:60]}" for name, item in value.items() if item is not None)
    return ", ".join(texts)


def inspect(path: str | os.PathLike[str]) -> FileSummary:
    """Tell what a file of `save` holds, without loading it.

    Every part is read and its checksum compared, but no network, estimator or array is made, and
    no module that the file names is imported.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    summary : FileSummary
        Its text shows versions, parameters, data and training, as the file states them, and the
        names that `load` needs in ``trusted``.

    Raises
    ------
    LoadError
        The file is no file of `save`, or is damaged.

    See Also
    --------
    load : Read the file.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import skopt_wrap
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = pathlib.Path(folder.name, "classifier.skw")
    >>> _ = skopt_wrap.save(skopt_wrap.KerasClassifier(epochs=3), file)
    >>> summary = skopt_wrap.inspect(file)
    >>> summary.manifest["estimator"]["parameters"]["epochs"], summary.trust
    (3, ())
    >>> folder.cleanup()
    """
    target = Path(path)
    with ArchiveReader(target) as archive:
        names = _names_in_graph(archive)
        parts = {}
        for name, stated in archive.manifest["entries"].items():
            content = archive.read(name)
            parts[name] = int(stated["bytes"])
            if name.endswith(".keras"):
                found = names_in_network(content, name)
                names |= {joined(*item) for item in found if not _is_ours(item[0])}
            elif name.endswith(".skops"):
                names |= set(untrusted_names(content, name))
        return FileSummary(target, archive.manifest, tuple(sorted(names)), parts)


def _is_ours(module: str) -> bool:
    return module.startswith("skopt_wrap.")


def _names_in_graph(archive: ArchiveReader) -> set[str]:
    """Return the names in the description of the estimator that have to be trusted."""
    names: set[str] = set()
    waiting = [archive.read_json(GRAPH)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
            continue
        if not isinstance(node, dict):
            continue
        if node.get("is") == "keras":
            found = names_in_config(node.get("config"), "keras")
            names |= {joined(*item) for item in found if not _is_ours(item[0])}
            continue
        if node.get("is") in ("name", "object"):
            module, name = str(node.get("module")), str(node.get("name"))
            if has_to_be_trusted(module, name):
                names.add(joined(module, name))
        waiting += node.values()
    return names
