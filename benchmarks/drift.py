"""Drift: false alarms and delay of DriftMonitor beside repeated tests, speed, and sketch errors.

Parts (choose some with ``--parts``):

``false_alarms``  Streams without drift, looked at after every batch: how many ever raise an alarm?
                  Features that are independent, correlated, functions of each other, or counts.
``delay``         The same with a change from batch 20 on: alarms before it, rows until it is found,
                  and the share of items that were declared changed and were not.
``speed``         Seconds of ``check`` of 100,000 rows x 20 against 1,000,000 reference rows, and
                  the size of the pickled monitor.
``sketch``        Error of the KS distance from the sketch, against SciPy on all rows.
``accuracy``      Accuracy expected without labels against the true one, on shifted rows of real
                  tables of scikit-learn.

Peers are KS tests (two-sided, asymptotic) of each feature and batch at p < 0.05, the same with
Bonferroni's correction over features and batches, and River's ADWIN and Page-Hinkley detectors with
their defaults, one for each feature, where River can be imported (``pip install --no-deps --target
FOLDER river``, and FOLDER on PYTHONPATH). Each result is appended to a CSV file at once; a
run that is stopped goes on where it was.

Run ``python benchmarks/drift.py --quick`` (a minute) or without ``--quick`` (about 15 minutes).
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import pickle
import statistics
import time
from pathlib import Path

import numpy as np
from scipy import stats

from skopt_wrap import DriftMonitor

HAS_RIVER = importlib.util.find_spec("river") is not None
N_FEATURES, BATCH, N_BATCHES, CHANGE, ALPHA = 20, 50, 100, 20, 0.05
N_REFERENCE = 2000
FIELDS = ("part", "case", "stream", "method", "alarm_row", "false_items", "items", "value")


def rows_of(case: str, n: int, rng) -> np.ndarray:
    """Draw rows without drift."""
    X = rng.normal(size=(n, N_FEATURES))
    if case == "correlated":
        X = np.sqrt(0.2) * X + np.sqrt(0.8) * rng.normal(size=(n, 1))
    elif case == "functions":  # ten features, and functions of them that are not monotone
        X[:, 10:] = np.abs(X[:, :10]) + np.cos(3 * X[:, :10])
    elif case == "counts":
        X = rng.poisson(np.exp(X * 0.5)).astype(float)
    elif case == "heavy tails":
        X = rng.standard_t(2, size=(n, N_FEATURES))
    return X


def drifted(case: str, n_batches: int, rng) -> np.ndarray:
    """Draw a stream whose first feature changes after CHANGE batches."""
    X = rng.normal(size=(n_batches * BATCH, N_FEATURES))
    kind, size = case.rsplit(" ", 1)
    late = np.arange(len(X)) - CHANGE * BATCH
    on = (late >= 0).astype(float)
    if kind == "gradual":
        on = np.clip(late / (20 * BATCH), 0, 1)
    elif kind == "recurring":
        on = on * ((late // (10 * BATCH)) % 2 == 0)
    if kind == "spread":
        X[:, 0] *= 1 + on * (float(size) - 1)
    else:
        X[:, 0] += on * float(size)
    return X


def first_ks_alarms(reference: np.ndarray, X: np.ndarray) -> dict[str, float]:
    """Return the row of the first alarm of KS tests of every batch."""
    ordered = np.sort(reference, axis=0)
    n, m = len(ordered), BATCH
    found = {"KS, p < 0.05": np.inf, "KS, Bonferroni": np.inf}
    limits = {"KS, p < 0.05": ALPHA, "KS, Bonferroni": ALPHA / N_FEATURES / (len(X) // BATCH)}
    for start in range(0, len(X), m):
        smallest = 1.0
        for j in range(N_FEATURES):
            batch = np.sort(X[start : start + m, j])
            low = np.searchsorted(ordered[:, j], batch) / n
            high = np.searchsorted(ordered[:, j], batch, side="right") / n
            below = np.searchsorted(batch, batch) / m
            upto = np.searchsorted(batch, batch, side="right") / m
            distance = max(np.abs(low - below).max(), np.abs(high - upto).max())
            smallest = min(smallest, stats.kstwobign.sf(distance * np.sqrt(n * m / (n + m))))
        for name, limit in limits.items():
            if smallest < limit:
                found[name] = min(found[name], start + m)
        if np.isfinite(found["KS, Bonferroni"]):
            break
    return found


def monitor_alarm(reference, X, seed: int, **settings) -> tuple[float, list[str]]:
    """Return the row of the alarm of a monitor, and the items that were declared then."""
    monitor = DriftMonitor(alpha=ALPHA, window=0, random_state=seed, **settings).fit(reference)
    for start in range(0, len(X), BATCH):
        report = monitor.update(X[start : start + BATCH])
        if report.alarm:
            return monitor.alarm_row_, [
                name for name, flag in zip(report.names, report.changed, strict=True) if flag
            ]
    return np.inf, []


def river_alarms(reference, X) -> dict[str, float]:
    """Return the row of the first alarm of River's detectors, one for each feature."""
    from river import drift as river

    detectors = {
        "River ADWIN": lambda: river.ADWIN(),
        "River Page-Hinkley": lambda: river.PageHinkley(),
    }
    found = {}
    for name, make in detectors.items():
        first = np.inf
        for j in range(N_FEATURES):
            detector = make()
            for value in reference[:, j].tolist():
                detector.update(value)
            for i, value in enumerate(X[:, j].tolist()):
                detector.update(value)
                if detector.drift_detected:
                    first = min(first, i + 1)
                    break
        found[name] = first
    return found


class Results:
    """Rows of a CSV file that is appended to, and tells what it has already."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        self.path, self.rows = path, []
        if path.exists():
            with path.open(newline="") as file:
                self.rows = list(csv.DictReader(file))
        else:
            with path.open("w", newline="") as file:
                csv.DictWriter(file, FIELDS).writeheader()

    def has(self, part: str, case: str, stream: int, method: str) -> bool:
        """Tell whether a stream was run."""
        key = (part, case, str(stream), method)
        return any((r["part"], r["case"], r["stream"], r["method"]) == key for r in self.rows)

    def add(self, rows: list[dict]) -> None:
        """Append rows to the file."""
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, FIELDS).writerows(rows)
        self.rows += [{k: str(v) for k, v in {**dict.fromkeys(FIELDS, ""), **r}.items()}
                      for r in rows]  # fmt: skip

    def of(self, part: str, case: str, method: str) -> list[dict]:
        """Return the rows of a method."""
        wanted = (part, case, method)
        return [r for r in self.rows if (r["part"], r["case"], r["method"]) == wanted]


def streams(results: Results, part: str, case: str, n: int, deadline: float) -> None:
    """Run the streams of a case that are missing."""
    for stream in range(n):
        missing = not results.has(part, case, stream, "DriftMonitor")
        peers = HAS_RIVER and stream < 50 and not results.has(part, case, stream, "River ADWIN")
        if not (missing or peers) or time.monotonic() > deadline:
            continue
        number = 1_000_003 * stream + sum(map(ord, case))
        rng = np.random.default_rng(number)
        if part == "false_alarms":
            everything = rows_of(case, N_REFERENCE + N_BATCHES * BATCH, rng)
            reference, X = everything[:N_REFERENCE], everything[N_REFERENCE:]
        else:
            reference, X = rows_of("", N_REFERENCE, rng), drifted(case, N_BATCHES, rng)
        rows = []
        if missing:
            alarm, declared = monitor_alarm(reference, X, stream)
            wrong = sum(name != "x0" or part == "false_alarms" for name in declared)
            rows.append({"method": "DriftMonitor", "alarm_row": alarm, "false_items": wrong,
                         "items": len(declared)})  # fmt: skip
            for method, row in first_ks_alarms(reference, X).items():
                rows.append({"method": method, "alarm_row": row})
        if peers:
            for method, row in river_alarms(reference, X).items():
                rows.append({"method": method, "alarm_row": row})
        results.add([{"part": part, "case": case, "stream": stream, **row} for row in rows])


def print_streams(results: Results, part: str, cases) -> None:
    methods = ("DriftMonitor", "KS, Bonferroni", "KS, p < 0.05", "River ADWIN",
               "River Page-Hinkley")  # fmt: skip
    if part == "false_alarms":
        print(f"\nstreams without drift that ever raise an alarm ({N_BATCHES} batches of {BATCH} "
              f"rows, {N_FEATURES} features, reference {N_REFERENCE}, alpha {ALPHA})")  # fmt: skip
        print(f"{'features':14}{'streams':>8}" + "".join(f"{m:>20}" for m in methods))
        for case in cases:
            found = [results.of(part, case, m) for m in methods]
            if found[0]:
                shares = [
                    np.mean([float(r["alarm_row"]) < np.inf for r in rows]) if rows else np.nan
                    for rows in found
                ]
                print(f"{case:14}{len(found[0]):8d}" + "".join(f"{s:20.3f}" for s in shares))
        print("(River's detectors: the first 50 streams of a case, one detector for each feature)")
        return
    print(f"\na change of one of {N_FEATURES} features after row {CHANGE * BATCH}: alarms before "
          "it, found after it, median rows until found")  # fmt: skip
    print(f"{'change':16}{'method':20}{'streams':>8}{'before':>8}{'found':>8}{'rows':>7}"
          f"{'false items':>13}")  # fmt: skip
    for case in cases:
        for method in (methods[0], *methods[1:2], *methods[3:]):
            rows = results.of(part, case, method)
            if not rows:
                continue
            alarm = np.array([float(r["alarm_row"]) for r in rows])
            early = alarm <= CHANGE * BATCH
            late = alarm[~early] - CHANGE * BATCH
            shares = [int(r["false_items"]) / max(int(r["items"]), 1) for r in rows if r["items"]]
            text = f"{np.mean(shares):13.3f}" if shares else f"{'':13}"
            print(f"{case:16}{method:20}{len(rows):8d}{early.mean():8.3f}"
                  f"{np.isfinite(late).mean():8.3f}{np.median(late):7.0f}{text}")  # fmt: skip


def speed(quick: bool) -> None:
    n, m = (100_000, 20_000) if quick else (1_000_000, 100_000)
    rng = np.random.default_rng(0)
    start = time.perf_counter()
    monitor = DriftMonitor(random_state=0).fit(rng.normal(size=(n, N_FEATURES)))
    fit = time.perf_counter() - start
    batch = rng.normal(size=(m, N_FEATURES))
    wall, cpu = [], []
    for _ in range(7):
        start, used = time.perf_counter(), time.process_time()
        monitor.check(batch.copy()).to_dict()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    start = time.perf_counter()
    for i in range(0, 2000, 20):
        monitor.update(batch[i : i + 20])
    update = (time.perf_counter() - start) / 100
    size = len(pickle.dumps(DriftMonitor(random_state=0).fit(batch)))
    print(f"\nreference {n} x {N_FEATURES}: fit {fit:.1f} s, pickled {size / 1000:.0f} kB")
    print(f"check of {m} rows with all effect sizes: median {statistics.median(wall):.3f} "
          f"s, best {min(wall):.3f} s, processor time {statistics.median(cpu):.3f} s")  # fmt: skip
    print(f"update with 20 rows: {update * 1000:.1f} ms")


def sketch_errors(quick: bool) -> None:
    from skopt_wrap.monitoring._columns import Column
    from skopt_wrap.monitoring._statistics._effects import effect_sizes
    from skopt_wrap.monitoring._statistics._sketch import edge_rows, make_sketch

    n = 100_000 if quick else 1_000_000
    rng = np.random.default_rng(0)
    laws = {
        "normal": lambda k, s: rng.normal(s, 1 + s, k),
        "lognormal": lambda k, s: rng.lognormal(s, 1.5, k),
        "Cauchy": lambda k, s: rng.standard_cauchy(k) + s,
        "two peaks": lambda k, s: rng.normal(np.where(rng.random(k) < 0.3 + s, 8, 0), 0.1),
        "counts": lambda k, s: rng.poisson(3 + s, k).astype(float),
        "rounded": lambda k, s: np.round(rng.normal(s, 1, k), 2),
        "mostly zero": lambda k, s: np.where(rng.random(k) < 0.9 - s, 0, rng.exponential(1, k)),
    }
    print(f"\ngreatest error of the KS distance, reference {n} rows, batches of 200 to 100,000")
    for name, law in laws.items():
        X = law(n, 0.0)
        sketch = make_sketch(
            Column(name, "numeric", "float64", X), edge_rows(n, rng), np.zeros(n, np.intp), 1
        )
        errors = []
        for m in (200, 5000, 100_000):
            for shift in (0.0, 0.05, 0.3):
                batch = law(m, shift)
                column = Column(name, "numeric", "float64", batch)
                ours = effect_sizes(sketch, column, np.ones(1))["ks"]
                exact = stats.ks_2samp(X, batch, method="asymp").statistic
                errors.append(abs(ours - exact))
        print(f"{name:14}{max(errors):.6f}")


def accuracy() -> None:
    from sklearn.datasets import load_breast_cancer, load_digits, load_wine
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    print("\naccuracy expected without labels: mean absolute error over shifted batches, beside "
          "taking the reference's accuracy")  # fmt: skip
    print(f"{'table':16}{'model':10}{'batches':>8}{'expected':>10}{'reference':>11}")
    for name, load in (("digits", load_digits), ("breast cancer", load_breast_cancer),
                       ("wine", load_wine)):  # fmt: skip
        X, y = load(return_X_y=True)
        models = {
            "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=500, C=0.1)),
            "forest": RandomForestClassifier(50, random_state=0),
        }
        for model_name, model in models.items():
            ours, constant = [], []
            for seed in range(10):
                rng = np.random.default_rng(seed)
                order = rng.permutation(len(X))
                train, ref, test = np.split(order, [len(X) // 3, 2 * len(X) // 3])
                model.fit(X[train], y[train])
                monitor = DriftMonitor(model, random_state=0).fit(X[ref], y[ref])
                # Harder rows become more frequent: a change of the features alone.
                hard = 1 - model.predict_proba(X[test]).max(axis=1)
                for strength in (0.0, 2.0, 5.0, 10.0):
                    weights = np.exp(strength * hard)
                    rows = rng.choice(test, 400, p=weights / weights.sum())
                    truth = float((model.predict(X[rows]) == y[rows]).mean())
                    found = monitor.check(X[rows]).performance
                    ours.append(abs(found["expected_accuracy"] - truth))
                    constant.append(abs(found["reference_accuracy"] - truth))
            print(f"{name:16}{model_name:10}{len(ours):8d}{np.mean(ours):10.4f}"
                  f"{np.mean(constant):11.4f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--csv", type=Path, default=None, help="file of the streams' results")
    parser.add_argument("--streams", type=int, default=None, help="streams of each case")
    parser.add_argument("--minutes", type=float, default=13, help="for the streams of each part")
    parser.add_argument("--parts", nargs="*", default=["speed", "sketch", "accuracy",
                                                       "false_alarms", "delay"])  # fmt: skip
    args = parser.parse_args()
    name = "drift_quick.csv" if args.quick else "drift.csv"
    results = Results(args.csv or Path(__file__).parent / "results" / name)
    if "speed" in args.parts:
        speed(args.quick)
    if "sketch" in args.parts:
        sketch_errors(args.quick)
    if "accuracy" in args.parts:
        accuracy()
    cases = {
        "false_alarms": ("independent", "correlated", "functions", "counts", "heavy tails"),
        "delay": ("sudden 0.25", "sudden 0.5", "sudden 1.0", "gradual 0.5", "recurring 0.5",
                  "spread 1.5"),
    }  # fmt: skip
    counts = {"false_alarms": 10 if args.quick else 200, "delay": 5 if args.quick else 100}
    for part, names in cases.items():
        if part not in args.parts:
            continue
        deadline = time.monotonic() + 60 * args.minutes
        for case in names:
            n = args.streams or counts[part]
            if part == "false_alarms" and case == "independent" and not args.quick:
                n = args.streams or 1000
            streams(results, part, case, n, deadline)
        print_streams(results, part, names)


if __name__ == "__main__":
    main()
