"""Untuned networks for texts and series beside what people have.

- texts: short descriptions of Debian packages and their sections, by ``apt-cache dumpavail``; where
  that is not there, first lines of docstrings of installed packages and the package.
- series: MNIST-1D where ``mnist1d`` can be imported, and the series sets that ``aeon`` ships.

The packages go on PYTHONPATH (``pip install --no-deps --target FOLDER mnist1d aeon``). CPU seconds
are those of the process, so that other work on the machine counts less than in wall seconds.

Each result is appended to a CSV file with the versions of the packages; a run that is stopped goes
on where it was. ``--report`` prints what the file holds.

Run ``python benchmarks/networks_kinds.py --quick`` (smaller sets, one split), or without it.
"""

from __future__ import annotations

import argparse
import importlib.util
import pkgutil
import shutil
import statistics
import subprocess
import time
from collections import Counter
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from networks import append, read
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skopt_wrap import KerasClassifier

Sets = dict[str, Any]
N_SECTIONS = 20


def debian() -> tuple[list[str], np.ndarray]:
    """Return descriptions of packages, each once, and their sections, the most frequent ones."""
    said = subprocess.run(
        ["apt-cache", "dumpavail"], capture_output=True, text=True, errors="replace", check=True
    ).stdout
    found: dict[str, str] = {}
    for paragraph in said.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.split("\n") if ": " in line[:40])
        if "Description" in fields and "Section" in fields:
            found.setdefault(fields["Description"], fields["Section"].split("/")[-1])
    kept = {name for name, _ in Counter(found.values()).most_common(N_SECTIONS)}
    found = {text: section for text, section in found.items() if section in kept}
    return list(found), np.array(list(found.values()))


def docstrings() -> tuple[list[str], np.ndarray]:
    """Return first lines of docstrings, each once, and the package that each is from."""
    found: dict[str, str] = {}
    for package in ("numpy", "scipy", "sklearn", "pandas", "matplotlib", "keras"):
        root = import_module(package)
        for module in pkgutil.iter_modules(root.__path__, f"{package}."):
            if any(part.startswith("_") or part == "tests" for part in module.name.split(".")):
                continue
            try:
                place = import_module(module.name)
            except Exception:  # an optional part of the package
                continue
            for item in vars(place).values():
                for thing in (item, *vars(item).values()) if isinstance(item, type) else (item,):
                    lines = (getattr(thing, "__doc__", None) or "").strip().splitlines()
                    if lines:
                        found.setdefault(lines[0].strip(), package)
    return list(found), np.array(list(found.values()))


def text_sets() -> Sets:
    sets: Sets = {"docstrings": docstrings}
    return {"debian": debian, **sets} if shutil.which("apt-cache") else sets


def tfidf(seed: int, **options: Any) -> Any:
    return make_pipeline(
        TfidfVectorizer(**options),
        LogisticRegression(C=10 if options else 1, max_iter=2000, random_state=seed),
    )


def text_models(seed: int) -> Sets:
    return {
        "TF-IDF + LogisticRegression": tfidf(seed),
        "TF-IDF of pairs, C=10": tfidf(seed, ngram_range=(1, 2), sublinear_tf=True),
        "text": KerasClassifier("text", random_state=seed),
    }


def mnist1d() -> tuple[np.ndarray, ...]:
    """Return MNIST-1D, made by its package, split as it splits it."""
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


def aeon_set(folder: Path) -> tuple[np.ndarray, ...]:
    parts = [ts_file(folder / f"{folder.name}_{part}.ts") for part in ("TRAIN", "TEST")]
    return parts[0][0], parts[1][0], parts[0][1], parts[1][1]


def series_sets() -> Sets:
    sets: Sets = {}
    if importlib.util.find_spec("mnist1d") is not None:
        sets["MNIST-1D"] = mnist1d
    found = importlib.util.find_spec("aeon")
    if found is not None:
        root = Path(str(found.origin)).parent / "datasets/data"
        for name in ("GunPoint", "ArrowHead", "ItalyPowerDemand", "BasicMotions", "OSULeaf"):
            if (root / name).exists():
                sets[name] = lambda folder=root / name: aeon_set(folder)
    return sets


def series_models(seed: int) -> Sets:
    names = ("dense", "cnn", "lstm", "lite", "inceptiontime")
    networks = {name: KerasClassifier(name, random_state=seed) for name in names}
    flat = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    forest = make_pipeline(flat, RandomForestClassifier(random_state=seed))
    return {"RandomForest": forest, **networks}


KINDS: dict[str, tuple[Any, Any, dict[str, tuple[int, int]]]] = {
    # kind -> sets, models, rows for training and testing in a whole and in a quick run
    "texts": (text_sets, text_models, {"whole": (6000, 4000), "quick": (2000, 2000)}),
    "series": (series_sets, series_models, {"whole": (0, 0), "quick": (0, 0)}),  # split already
}


def rows_of(X: Any, places: np.ndarray) -> Any:
    return [X[i] for i in places] if isinstance(X, list) else X[places]


def split_of(data: Any, n_train: int, n_test: int, split: int) -> tuple[Any, ...]:
    """Return X_train, X_test, y_train, y_test; a set that is split already stays so."""
    if len(data) == 4:
        return tuple(data)
    X, y = data
    n_test = min(n_test, len(y) // 4)
    train, test = train_test_split(
        np.arange(len(y)),
        train_size=min(n_train, len(y) - n_test),
        test_size=n_test,
        stratify=y,
        random_state=split,
    )
    return rows_of(X, train), rows_of(X, test), y[train], y[test]


def measure(model: Any, parts: tuple[Any, ...]) -> dict[str, Any]:
    """Fit a model and return its scores."""
    X, X_test, y, y_test = parts
    cpu, wall = time.process_time(), time.perf_counter()
    model.fit(X, y)
    row: dict[str, Any] = {
        "cpu_s": round(time.process_time() - cpu, 2),
        "wall_s": round(time.perf_counter() - wall, 2),
        "weights": model.model_.count_params() if hasattr(model, "model_") else "",
        "n_train": len(y),
        "n_columns": 1 if isinstance(X, list) else int(np.prod(X.shape[1:])),
    }
    predicted = model.predict(X_test)
    if hasattr(model, "predict_proba"):
        p = np.clip(np.asarray(model.predict_proba(X_test), float), 1e-7, 1)
        p /= p.sum(axis=1, keepdims=True)
        row["log_loss"] = round(log_loss(y_test, p, labels=model.classes_), 5)
    return {**row, "score": round(accuracy_score(y_test, predicted), 5)}


def report(rows: list[dict[str, str]]) -> None:
    """Print the mean over the splits of every set."""
    for kind in KINDS:
        of_kind = [row for row in rows if row["kind"] == kind]
        for table in dict.fromkeys(row["table"] for row in of_kind):
            here = [row for row in of_kind if row["table"] == table]
            print(f"\n{kind}, {table}: {here[0]['n_train']} training rows")
            head = f"{'model':30}{'splits':>7}{'accuracy':>10}{'log loss':>10}"
            print(f"{head}{'CPU s':>8}{'weights':>10}")
            for name in dict.fromkeys(row["model"] for row in here):
                mine = [row for row in here if row["model"] == name]

                def mean(field: str, rows: list[dict[str, str]] = mine) -> float:
                    values = [float(row[field]) for row in rows if row[field] != ""]
                    return statistics.fmean(values) if values else float("nan")

                print(
                    f"{name:30}{len(mine):7d}{mean('score'):10.4f}{mean('log_loss'):10.4f}"
                    f"{mean('cpu_s'):8.1f}{mean('weights'):10.0f}"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller sets, one split")
    parser.add_argument("--report", action="store_true", help="print results, measure nothing")
    parser.add_argument("--kinds", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--models", nargs="*", help="names of models; all by default")
    parser.add_argument("--sets", nargs="*", help="names of sets; all by default")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("networks_kinds.csv"))
    args = parser.parse_args()
    versions = " ".join(
        f"{name}={version(name)}" for name in ("scikit-learn", "keras", "tensorflow", "numpy")
    )
    done = {(r["kind"], r["table"], r["split"], r["model"]) for r in read(args.output)}
    for kind in () if args.report else args.kinds:
        sets, models, sizes = KINDS[kind]
        for name, load in sets().items():
            if args.sets and name not in args.sets:
                continue
            data = load()
            for split in range(1 if args.quick else args.splits):
                parts = split_of(data, *sizes["quick" if args.quick else "whole"], split)
                for model_name, model in models(split).items():
                    key = (kind, name, str(split), model_name)
                    if key in done or (args.models and model_name not in args.models):
                        continue
                    row = {"kind": kind, "table": name, "split": split, "model": model_name}
                    row |= {**measure(model, parts), "versions": versions}
                    append(args.output, row)
                    print(*key, row["score"], row.get("log_loss", ""), row["cpu_s"], flush=True)
    report(read(args.output))


if __name__ == "__main__":
    main()
