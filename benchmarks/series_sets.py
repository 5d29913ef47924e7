"""Sets of series that ship inside packages, for ``networks_kinds.py`` and ``series_peers.py``.

``pip install --no-deps --target FOLDER mnist1d aeon``, and FOLDER on PYTHONPATH.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np

Parts = tuple[np.ndarray, ...]  # X_train, X_test, y_train, y_test

# Those of the eight whose series have equal lengths.
NAMES = ("ACSF1", "ArrowHead", "BasicMotions", "GunPoint", "ItalyPowerDemand", "OSULeaf")


def mnist1d() -> Parts:
    """Return MNIST-1D, made by its package, split as it splits it."""
    sys.modules.setdefault("requests", types.ModuleType("requests"))  # only for its downloads
    from mnist1d.data import get_dataset_args, make_dataset

    made = make_dataset(get_dataset_args())
    parts = [np.asarray(made[name]) for name in ("x", "x_test", "y", "y_test")]
    return (*(part[..., None].astype("float32") for part in parts[:2]), *parts[2:])


def ts_file(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return series of equal length (n, steps, channels) and classes of a file of aeon's."""
    lines = path.read_text(encoding="utf-8").partition("@data")[2].strip().splitlines()
    cells = [line.strip().split(":") for line in lines]
    X = [[np.fromstring(channel, sep=",") for channel in row[:-1]] for row in cells]
    return np.array(X, "float32").transpose(0, 2, 1), np.array([row[-1] for row in cells])


def aeon_set(folder: Path) -> Parts:
    parts = [ts_file(folder / f"{folder.name}_{part}.ts") for part in ("TRAIN", "TEST")]
    return parts[0][0], parts[1][0], parts[0][1], parts[1][1]


def series_sets() -> dict[str, Callable[[], Parts]]:
    sets: dict[str, Callable[[], Parts]] = {}
    if importlib.util.find_spec("mnist1d") is not None:
        sets["MNIST-1D"] = mnist1d
    found = importlib.util.find_spec("aeon")
    if found is not None:
        root = Path(str(found.origin)).parent / "datasets/data"
        for name in NAMES:
            if (root / name).exists():
                sets[name] = lambda folder=root / name: aeon_set(folder)
    return sets
