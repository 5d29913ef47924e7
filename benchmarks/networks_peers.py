"""CatBoost, and RealMLP and TabM of pytabkit, on the tables and splits of ``networks.py``.

They do not install beside TensorFlow everywhere, so this script runs with an interpreter of their
own (``pip install catboost pytabkit``) and needs nothing of this package. Its rows go into the same
kind of file; ``networks.py --report`` takes several files and merges them.

Every model is fitted as it comes, on the CPU. pytabkit takes no gaps in numbers: they are filled
with the median of the training rows.

Run ``python benchmarks/networks_peers.py --quick`` (11 tables, one split) or without ``--quick``.
"""

from __future__ import annotations

import argparse
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import networks_tables
import numpy as np


class Peer:
    """A model of another package behind what it needs for the rows that it gets."""

    model: Any

    def _ready(self, X: Any) -> Any:
        raise NotImplementedError

    def fit(self, X: Any, y: Any) -> Peer:
        """Fit the model."""
        self.model.fit(self._ready(X), y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return numbers."""
        return np.asarray(self.model.predict(self._ready(X)))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities."""
        return np.asarray(self.model.predict_proba(self._ready(X)))

    @property
    def classes_(self) -> np.ndarray:
        """Labels."""
        return np.asarray(self.model.classes_)


class CatBoost(Peer):
    """CatBoost with its categories named, which it asks for."""

    def __init__(self, kind: str, seed: int, X: Any) -> None:
        from catboost import CatBoostClassifier, CatBoostRegressor

        frame = hasattr(X, "iloc")
        self.categories = list(X.select_dtypes(exclude="number").columns) if frame else []
        kind_of_model = CatBoostRegressor if kind == "numbers" else CatBoostClassifier
        self.model = kind_of_model(
            random_state=seed,
            verbose=0,
            allow_writing_files=False,
            thread_count=2,
            cat_features=self.categories or None,
        )

    def _ready(self, X: Any) -> Any:
        if not self.categories:
            return X
        return X.assign(**{c: X[c].astype(str) for c in self.categories})


class Pytabkit(Peer):
    """A network of pytabkit, with the gaps of numbers filled."""

    def __init__(self, name: str, kind: str, seed: int, X: Any) -> None:
        import pytabkit

        suffix = "Regressor" if kind == "numbers" else "Classifier"
        self.model = getattr(pytabkit, f"{name}_{suffix}")(
            random_state=seed, device="cpu", verbosity=0
        )
        self.fill: Any = None
        if hasattr(X, "iloc"):
            self.fill = X.select_dtypes("number").median()

    def _ready(self, X: Any) -> Any:
        return X if self.fill is None else X.fillna(self.fill.to_dict())


def models(kind: str, seed: int) -> dict[str, Any]:
    """Return makers of unfitted models by name; they take the training rows."""
    return {
        "CatBoost": partial(CatBoost, kind, seed),
        "RealMLP-TD (pytabkit)": partial(Pytabkit, "RealMLP_TD", kind, seed),
        "TabM-D (pytabkit)": partial(Pytabkit, "TabM_D", kind, seed),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="11 tables, one split")
    parser.add_argument("--splits", type=int, default=networks_tables.N_SPLITS)
    parser.add_argument("--models", nargs="*", help="names of models; all by default")
    parser.add_argument("--tables", nargs="*", help="names of tables; all by default")
    parser.add_argument("--output", type=Path, default=Path("networks_peers.csv"))
    args = parser.parse_args()
    names = ("pytabkit", "torch", "catboost", "scikit-learn", "numpy")
    versions = " ".join(f"{name}={version(name)}" for name in names)
    networks_tables.run(models, args, versions)


if __name__ == "__main__":
    main()
