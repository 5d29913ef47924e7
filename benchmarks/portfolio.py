"""Choose the configurations that ``tuner="auto"`` tries first, and check them on other tables.

Trains the same random configurations of the dense network on real tables (scikit-learn's), with the
untuned default among them, and writes the scores to a CSV, so that an interrupted run goes on. Then
a portfolio is chosen greedily: again and again the configuration that lowers the mean, over the
tables, of the best normalized error so far. To check it, one table after the other is left out, the
portfolio is chosen on the others, and compared with as many configurations drawn at random.

    nice -n 10 python benchmarks/portfolio.py --scores portfolio.csv
"""

from __future__ import annotations

import argparse
import csv
import os
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.model_selection import train_test_split

from skopt_wrap import TunedClassifier, TunedRegressor

DEFAULT = {
    "model__units": 64,
    "model__n_layers": 2,
    "model__dropout": 0.0,
    "optimizer__learning_rate": 0.001,
}
SIZE = 8


def tables(kind: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return real tables: of classes, or with one of their own columns as the target."""
    cancer, wine = load_breast_cancer(return_X_y=True), load_wine(return_X_y=True)
    digits = load_digits(return_X_y=True)
    if kind == "classes":
        some = train_test_split(*digits, train_size=500, stratify=digits[1], random_state=0)
        return {
            "breast cancer": cancer,
            "wine": wine,
            "iris": load_iris(return_X_y=True),
            "digits": (some[0], some[2]),
        }
    flowers = load_iris().data
    return {
        "diabetes": load_diabetes(return_X_y=True),
        "wine, alcohol": (wine[0][:, 1:], wine[0][:, 0]),
        "cancer, symmetry": (cancer[0][:, :8], cancer[0][:, 8]),
        "iris, petal width": (flowers[:, :3], flowers[:, 3]),
    }


def configurations(n: int) -> list[dict[str, float]]:
    rng = np.random.default_rng(0)
    drawn = [
        {
            "model__units": int(rng.choice([32, 64, 128, 256])),
            "model__n_layers": int(rng.integers(1, 4)),
            "model__dropout": round(float(rng.choice([0.0, 0.1, 0.2, 0.3, 0.4])), 1),
            "optimizer__learning_rate": float(f"{10 ** rng.uniform(-3.5, -2):.1g}"),
        }
        for _ in range(n - 1)
    ]
    return [DEFAULT, *drawn]


class Given:
    """A strategy that proposes what it was given."""

    def __init__(self, configurations: list[dict[str, float]]) -> None:
        self.waiting = list(configurations)

    def start(self, space: object, **settings: object) -> None:
        """Begin."""

    def ask(self) -> dict[str, float] | None:
        """Return the next configuration."""
        return self.waiting.pop(0) if self.waiting else None

    def tell(self, values: object, score: object) -> None:
        """Hear of a score."""


def measure(kind: str, n: int, path: Path) -> dict[str, np.ndarray]:
    """Return the errors of all configurations on each table."""
    known: dict[str, list[float]] = {}
    if path.exists():
        with path.open() as file:
            for row in csv.reader(file):
                known[row[0]] = list(map(float, row[1:]))
    wanted = configurations(n)
    for name, (X, y) in tables(kind).items():
        if len(known.get(name, ())) == n:
            continue
        space = {key: sorted({item[key] for item in wanted}) for key in DEFAULT}
        search_class = TunedClassifier if kind == "classes" else TunedRegressor
        scoring = "neg_log_loss" if kind == "classes" else "r2"
        search = search_class(
            "dense", tuner=Given(wanted), space=space, max_trials=n, cv=3, epochs=30,
            scoring=scoring, refit=False, random_state=0,
        )  # fmt: skip
        scores = search.fit(X.astype("float32"), y).cv_results_["mean_test_score"]
        known[name] = [-float(score) for score in scores]
        with path.open("a", newline="") as file:
            csv.writer(file).writerow([name, *(f"{error:.6g}" for error in known[name])])
        print(f"{name}: default {known[name][0]:.4f}, best {min(known[name]):.4f}", flush=True)
    return {name: np.array(known[name]) for name in tables(kind)}


def normalized(errors: np.ndarray) -> np.ndarray:
    """Return errors between 0, the best of all, and 1, the median and worse."""
    low, middle = errors.min(), np.median(errors)
    return np.clip((errors - low) / max(middle - low, 1e-12), 0, 1)


def portfolio(errors: list[np.ndarray], size: int) -> list[int]:
    """Return numbers of configurations, the default first, chosen greedily."""
    table = np.array([normalized(e) for e in errors])
    chosen, best = [0], table[:, 0]
    while len(chosen) < size:
        means = np.minimum(table, best[:, None]).mean(axis=0)
        means[chosen] = np.inf
        chosen.append(int(means.argmin()))
        best = np.minimum(best, table[:, chosen[-1]])
    return chosen


def check(errors: dict[str, np.ndarray]) -> None:
    """Print the normalized error after k trials, for tables that did not choose."""
    rng = np.random.default_rng(0)
    print(f"{'':20}{'default':>9}" + "".join(f"{k:>5} chosen  random" for k in (2, 4, SIZE)))
    rows = []
    for name, own in errors.items():
        others = [e for other, e in errors.items() if other != name]
        chosen, scale = portfolio(others, SIZE), normalized(own)
        cells = [scale[0]]
        for k in (2, 4, SIZE):
            draws = [scale[rng.choice(len(scale), k, replace=False)].min() for _ in range(2000)]
            cells += [scale[chosen[:k]].min(), float(np.mean(draws))]
        rows.append(cells)
    for name, cells in zip([*errors, "mean"], [*rows, np.mean(rows, axis=0)], strict=True):
        print(f"{name:20}{cells[0]:9.2f}" + "".join(f"{c:11.2f}" for c in cells[1:]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scores", type=Path, default=Path("portfolio.csv"))
    parser.add_argument("--configurations", type=int, default=24)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    n = arguments.configurations
    for kind in ("classes", "numbers"):
        found = measure(kind, n, arguments.scores)
        print(f"\nDense network, {kind}: normalized error after k trials, leave one table out")
        check(found)
        print(f"\nPortfolio chosen on all tables ({kind}):")
        for number in portfolio(list(found.values()), SIZE):
            print(f"    {configurations(n)[number]},")
