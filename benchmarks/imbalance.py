"""What to do about a rare class: nothing, weights, losses, SMOTE, or another threshold.

Trains the same network on three sets with rare classes (1:10, 1:50, 1:100) with each remedy, for
several seeds, and prints scores on rows held out: F1 of the rare class with its 95 % interval over
the seeds, balanced accuracy, average precision (ranking, whatever the threshold) and Brier score
(probabilities). "SMOTE, corrected" is SMOTE with the prior-shift correction of its probabilities.

Run ``python benchmarks/imbalance.py`` (about 5 min on two cores); ``--seeds 1`` for a quick look.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from scipy.stats import t as student
from sklearn.datasets import load_digits, make_classification, make_moons
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.preprocessing import StandardScaler

from skopt_wrap import ImbalanceAwareScorer, KerasClassifier
from skopt_wrap.losses import PriorCorrectedClassifier

METRICS = ("f1", "balanced_accuracy", "average_precision", "brier_score")


def thin(X, y, ratio: int, seed: int):
    """Keep as many rows of class 1 as give one to `ratio` of class 0."""
    rng = np.random.default_rng(seed)
    rare, common = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    rows = np.r_[common, rng.choice(rare, len(common) // ratio, replace=False)]
    return X[rows], y[rows]


def digits(seed: int):
    """Digit 8 against the others, 1:10."""
    X, y = load_digits(return_X_y=True)
    return thin(X, (y == 8).astype(int), 10, seed)


def gaussians(seed: int):
    """Clusters in 10 dimensions that overlap, 1:50."""
    X, y = make_classification(
        8000, n_features=10, n_informative=6, n_clusters_per_class=3, class_sep=1.2,
        flip_y=0.0, random_state=seed,
    )  # fmt: skip
    return thin(X, y, 50, seed)


def moons(seed: int):
    """Two moons with noise, 1:100."""
    X, y = make_moons(16000, noise=0.25, random_state=seed)
    return thin(X, y, 100, seed)


SETS = {"digits 1:10": digits, "clusters 1:50": gaussians, "moons 1:100": moons}


def methods(seed: int) -> dict:
    """Return the classifiers that are compared, not fitted."""

    def network(**params):
        return KerasClassifier(
            model__units=32, epochs=30, batch_size=64, random_state=seed, **params
        )

    def scaled(*steps):
        return make_pipeline(StandardScaler(), *steps)

    smote = scaled(SMOTE(k_neighbors=3, random_state=seed), network())
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    return {
        "nothing": scaled(network()),
        "balanced weights": scaled(network(class_weight="balanced")),
        "effective weights": scaled(network(class_weight="effective")),
        "focal loss": scaled(network(loss="focal")),
        "logit adjustment": scaled(network(loss="logit_adjusted")),
        "SMOTE": smote,
        "SMOTE, corrected": PriorCorrectedClassifier(smote),
        "tuned threshold": ImbalanceAwareScorer("f1", pos_label=1).tune(
            scaled(network()), cv=folds
        ),
    }


def interval(values) -> float:
    """Return half the width of the 95 % interval of a mean over seeds."""
    if len(values) < 2:
        return float("nan")
    spread = np.std(values, ddof=1) / np.sqrt(len(values))
    return float(student.ppf(0.975, len(values) - 1) * spread)


def main() -> None:
    """Print one table a set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    scorers = ImbalanceAwareScorer.bundle(*METRICS, pos_label=1)
    print(f"{args.seeds} seeds, half of the rows held out")
    for title, make in SETS.items():
        found: dict = {}
        for seed in range(args.seeds):
            X, y = make(seed)
            X, X_test, y, y_test = train_test_split(
                X, y, test_size=0.5, stratify=y, random_state=seed
            )
            for name, model in methods(seed).items():
                start = time.perf_counter()
                model.fit(X, y)
                row = [abs(scorer(model, X_test, y_test)) for scorer in scorers.values()]
                found.setdefault(name, []).append([*row, time.perf_counter() - start])
        print(f"\n{title}: {len(y)} training rows, {int(y.sum())} of the rare class")
        print(f"{'method':20}{'F1':>16}{'balanced acc.':>15}{'avg. precision':>16}"
              f"{'Brier':>8}{'seconds':>9}")  # fmt: skip
        for name, rows in found.items():
            values = np.array(rows)
            mean = values.mean(axis=0)
            f1 = f"{mean[0]:.3f} +- {interval(values[:, 0]):.3f}"
            print(f"{name:20}{f1:>16}{mean[1]:15.3f}{mean[2]:16.3f}{mean[3]:8.4f}"
                  f"{np.median(values[:, 4]):9.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
