"""Untuned networks for images, texts and series beside what people have.

- images: letters drawn with the fonts of this machine (``glyphs.py``), tested on fonts that no
  training image has; digits of scikit-learn.
- texts: short descriptions of Debian packages and their sections, by ``apt-cache dumpavail``; where
  that is not there, first lines of docstrings of installed packages and the package.
- series: MNIST-1D where ``mnist1d`` can be imported, and sets that ``aeon`` ships
  (``series_sets.py``).

The size of a file, as float and as int8, is measured in the first split; files of int8 are scored
too. CPU seconds
are those of the process, so that other work on the machine counts less than in wall seconds.

Each result is appended to a CSV file with the versions of the packages; a run that is stopped goes
on where it was. ``--report`` prints what the file holds; ``--peers FILE`` adds the results that
``series_peers.py`` wrote in an environment of its own.

Run ``python benchmarks/networks_kinds.py --quick`` (smaller sets, one split), or without it.
"""

from __future__ import annotations

import argparse
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
from glyphs import LETTERS, glyphs
from networks_tables import append, read
from series_sets import series_sets
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skopt_wrap import AugmentingSampler, CompressedModel, KerasClassifier

Sets = dict[str, Any]
N_SECTIONS = 20
FIELDS = (
    "kind", "table", "split", "model", "score", "log_loss", "cpu_s", "wall_s", "weights",
    "n_train", "n_columns", "float_bytes", "int8_bytes", "int8_score", "versions",
)  # fmt: skip


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


def flat(model: Any) -> Any:
    """Return a pipeline that gives a model of tables the values of series or images."""
    return make_pipeline(FunctionTransformer(lambda X: X.reshape(len(X), -1)), model)


def series_models(seed: int) -> Sets:
    names = ("dense", "cnn", "lstm", "lite", "inceptiontime")
    networks = {name: KerasClassifier(name, random_state=seed) for name in names}
    return {"RandomForest": flat(RandomForestClassifier(random_state=seed)), **networks}


def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return X.reshape(-1, 8, 8, 1).astype("float32") / 16, y


def drawn(**options: Any) -> Any:
    """Return a loader of letters; which fonts are held out depends on the split."""
    return lambda: (
        lambda n_train, n_test, split: glyphs(LETTERS, n_train, n_test, split=split, **options)
    )


def image_sets() -> Sets:
    return {
        "digits, 8 x 8": digits,
        "letters, 28 x 28": drawn(side=28),
        "coloured letters, 32 x 32": drawn(side=32, colour=True),
    }


def image_models(seed: int) -> Sets:
    # As "cnn" was before it had residual blocks and a recipe.
    before = {"model__residual": False, "optimizer": "adam", "epochs": 50, "batch_size": 32}
    copies = AugmentingSampler("image", random_state=seed)
    return {
        "SVC": flat(SVC(random_state=seed)),
        "RandomForest": flat(RandomForestClassifier(random_state=seed)),
        "cnn, plain blocks, 50 epochs": KerasClassifier("cnn", random_state=seed, **before),
        "cnn": KerasClassifier("cnn", random_state=seed),
        "cnn, augmented": KerasClassifier("cnn", random_state=seed, augment=copies),
    }


KINDS: dict[str, tuple[Any, Any, dict[str, tuple[int, int]]]] = {
    # kind -> sets, models, rows for training and testing in a whole and in a quick run
    "images": (image_sets, image_models, {"whole": (5000, 4000), "quick": (800, 1000)}),
    "texts": (text_sets, text_models, {"whole": (6000, 4000), "quick": (2000, 2000)}),
    "series": (series_sets, series_models, {"whole": (0, 0), "quick": (0, 0)}),  # split already
}


def rows_of(X: Any, places: np.ndarray) -> Any:
    return [X[i] for i in places] if isinstance(X, list) else X[places]


def split_of(data: Any, n_train: int, n_test: int, split: int) -> tuple[Any, ...]:
    """Return X_train, X_test, y_train, y_test; a set that is split already stays so."""
    if callable(data):
        return tuple(data(n_train, n_test, split))
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


def files(model: Any, parts: tuple[Any, ...]) -> dict[str, Any]:
    """Return the sizes of a network's files, and the score of the one that computes in int8."""
    X, X_test, y, y_test = parts
    sizes = {}
    for mode, name in ((None, "float_bytes"), ("int8", "int8_bytes")):
        file = CompressedModel(FrozenEstimator(model), quantization=mode).fit(X, y)
        sizes[name] = len(file.runtime_.content)
    return {**sizes, "int8_score": round(file.score(X_test[:1000], y_test[:1000]), 5)}


def report(kind: str, of_kind: list[dict[str, str]]) -> None:
    """Print the mean over the splits of every set of a kind."""
    for table in dict.fromkeys(row["table"] for row in of_kind):
        here = [row for row in of_kind if row["table"] == table]
        print(f"\n{kind}, {table}: {here[0]['n_train']} training rows")
        head = f"{'model':30}{'splits':>7}{'accuracy':>10}{'log loss':>10}{'CPU s':>8}"
        print(f"{head}{'weights':>10}{'float kB':>10}{'int8 kB':>9}{'int8 acc.':>11}")
        for name in dict.fromkeys(row["model"] for row in here):
            mine = [row for row in here if row["model"] == name]

            def mean(field: str, rows: list[dict[str, str]] = mine) -> float:
                values = [float(row[field]) for row in rows if row.get(field)]
                return statistics.fmean(values) if values else float("nan")

            line = (
                f"{name:30}{len(mine):7d}{mean('score'):10.4f}{mean('log_loss'):10.4f}"
                f"{mean('cpu_s'):8.1f}{mean('weights'):10.0f}"
                f"{mean('float_bytes') / 1000:10.1f}{mean('int8_bytes') / 1000:9.1f}"
                f"{mean('int8_score'):11.4f}"
            )
            print(line.replace("nan", "  -"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller sets, one split")
    parser.add_argument("--report", action="store_true", help="print results, measure nothing")
    parser.add_argument("--kinds", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--models", nargs="*", help="names of models; all by default")
    parser.add_argument("--sets", nargs="*", help="names of sets; all by default")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--peers", type=Path, help="results of series_peers.py to report too")
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
                    if split == 0 and kind != "texts" and hasattr(model, "model_"):
                        row |= files(model, parts)
                    append(args.output, row, FIELDS)
                    print(*key, row["score"], row.get("log_loss", ""), row["cpu_s"], flush=True)
    rows = read(args.output) + (read(args.peers) if args.peers else [])
    for kind in args.kinds:
        report(kind, [row for row in rows if row["kind"] == kind])


if __name__ == "__main__":
    main()
