"""Factorized networks: how few parameters they need, and what that costs.

A dense network of 1.2 million parameters is trained on digits enlarged to 28 x 28 and on a hard
generated set of ten classes. It is factorized by SVD and by Tensor-Train to a fraction of its
parameters, without any training ("as fitted") and with two epochs on the labels after it ("tuned");
beside it stand the original with the same two epochs, and plain networks of the same number of
parameters trained from scratch. A small convolutional network is factorized by Tucker-2 and CP.
Differences to the original are paired by seed, with their 95 % Student interval.

Run ``python benchmarks/factorization.py --seeds 5``; ``--seeds 1 --sets digits`` for a quick look.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from scipy.ndimage import zoom
from scipy.stats import t as student
from sklearn.datasets import load_digits, make_classification
from sklearn.model_selection import train_test_split

from skopt_wrap import CP, SVD, TensorTrain, Tucker, factorize

TUNING = {"fine_tune_epochs": 2, "learning_rate": 1e-4, "batch_size": 32}
LOSS = "sparse_categorical_crossentropy"


def digits(seed: int):
    """Digits, 8 x 8, enlarged to 28 x 28; 25 epochs."""
    X, y = load_digits(return_X_y=True)
    X = zoom(X.reshape(-1, 8, 8) / 16, (1, 3.5, 3.5), order=1).reshape(len(X), -1)
    return *train_test_split(X.astype("float32"), y, stratify=y, random_state=seed), 25


def hard(seed: int):
    """Ten classes of three clusters each, 30 of 196 features informative; 10 epochs."""
    X, y = make_classification(
        17000, n_features=196, n_informative=30, n_redundant=60, n_classes=10,
        n_clusters_per_class=3, class_sep=2.0, flip_y=0.01, random_state=seed,
    )  # fmt: skip
    X = ((X - X.mean(axis=0)) / X.std(axis=0)).astype("float32")
    return *train_test_split(X, y, test_size=5000, random_state=seed), 10


SETS = {"digits": digits, "hard": hard}
FACTORIZED = {
    "Tensor-Train -60 %": TensorTrain(target_params=0.4),
    "SVD -80 %": SVD(target_params=0.2),
    "Tensor-Train -80 %": TensorTrain(target_params=0.2),
    "SVD -90 %": SVD(target_params=0.1),
    "Tensor-Train -95 %": TensorTrain(target_params=0.05),
    "SVD -95 %": SVD(target_params=0.05),
}
GOALS = {"Tensor-Train -60 %": 0.3, "SVD -80 %": 0.3, "Tensor-Train -80 %": 1.0, "SVD -90 %": 1.0}


def dense(features: int, parameters: int):
    """Return a network of two equal hidden layers with about that many parameters."""
    b = features + 12
    units = int((-b + np.sqrt(b * b + 4 * (parameters - 10))) / 2)
    model = keras.Sequential(
        [
            keras.Input((features,)),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", LOSS)
    return model


def cnn():
    """Return a small convolutional network for digits."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(2e-3), LOSS)
    return model


def accuracy(model, X, y) -> float:
    """Return the percentage of rows that are classified right."""
    outputs = model.predict(X, batch_size=512, verbose=0)
    return 100 * float((outputs.argmax(axis=1) == y).mean())


def tuned_copy(model, X, y, seed: int):
    """Return a copy of the network after the same tuning as the factorized ones."""
    keras.utils.set_random_seed(seed)
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    steps = TUNING["fine_tune_epochs"] * -(-len(X) // TUNING["batch_size"])
    rate = keras.optimizers.schedules.CosineDecay(TUNING["learning_rate"], steps)
    copy.compile(keras.optimizers.Adam(rate), LOSS)
    copy.fit(X, y, epochs=TUNING["fine_tune_epochs"], batch_size=32, verbose=0)
    return copy


class Table:
    """Scores, parameters and latencies of the methods, over seeds."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, list[float]]] = {}

    def add(self, name: str, score: float, parameters: int, latency: float = np.nan) -> None:
        """Add one measurement."""
        row = self.rows.setdefault(name, {"score": [], "parameters": [], "latency": []})
        row["score"].append(score)
        row["parameters"].append(parameters)
        row["latency"].append(latency)

    def show(self, title: str, reference: str = "original") -> str:
        """Return the table as text."""
        lines = [title]
        lines.append(
            f"{'':34}{'parameters':>11}{'accuracy':>10}{'difference, 95 %':>22}{'time':>8}"
        )
        base = self.rows[reference]
        for name, row in self.rows.items():
            gap = np.subtract(row["score"], base["score"])
            text = ""
            if name != reference:
                text = f"{gap.mean():+.2f}"
                if len(gap) > 1:
                    half = student.ppf(0.975, len(gap) - 1) * gap.std(ddof=1) / np.sqrt(len(gap))
                    text += f" ± {half:.2f}"
            # Ratios to the original of the same measurement, which share the machine's moment.
            ms = np.nanmedian(row["latency"]) if np.isfinite(row["latency"]).any() else None
            goal = GOALS.get(name.removesuffix(", tuned").removesuffix(", as fitted"))
            mark = "" if goal is None else ("  met" if gap.mean() >= -goal else "  MISSED")
            lines.append(
                f"{name:34}{int(np.mean(row['parameters'])):>11,}{np.mean(row['score']):>10.2f}"
                f"{text:>22}{'' if ms is None else f'{ms:.2f}x':>8}{mark}"
            )
        return "\n".join(lines)


def add_dense(table: Table, make, seed: int, quick: bool, shares: list[int]) -> None:
    """Add the measurements of one seed on one set; `quick` leaves out all that is trained after."""
    X, X_test, y, y_test, epochs = make(seed)
    keras.utils.set_random_seed(seed)
    model = dense(X.shape[1], 1_200_000)
    model.fit(X, y, epochs=epochs, batch_size=128, verbose=0)
    table.add("original", accuracy(model, X_test, y_test), model.count_params(), 1.0)
    if not quick:
        tuned = tuned_copy(model, X, y, seed)
        table.add("original, tuned", accuracy(tuned, X_test, y_test), model.count_params())
    for saved in () if quick else shares:
        keras.utils.set_random_seed(seed)
        small = dense(X.shape[1], (100 - saved) * 12_000)
        small.fit(X, y, epochs=epochs, batch_size=128, verbose=0)
        small = tuned_copy(small, X, y, seed)
        table.add(
            f"plain network -{saved} %",
            accuracy(small, X_test, y_test),
            small.count_params(),
        )
    for name, method in FACTORIZED.items():
        if round(100 * (1 - method.target_params)) not in shares:
            continue
        began = time.perf_counter()
        fitted = factorize(model, X, method=method, random_state=seed)
        seconds = time.perf_counter() - began
        whole, part = fitted.candidates[0].latency, fitted.candidates[1].latency
        score = accuracy(fitted.model, X_test, y_test)
        table.add(f"{name}, as fitted", score, fitted.parameters_after, part / whole)
        remarks = "; ".join(fitted.notes)
        print(f"  seed {seed} {name}: {seconds:.0f} s; {remarks}", file=sys.stderr, flush=True)
        if not quick:
            after = tuned_copy(fitted.model, X, y, seed)
            score = accuracy(after, X_test, y_test)
            table.add(f"{name}, tuned", score, fitted.parameters_after, part / whole)


def add_convolutional(table: Table, seed: int) -> None:
    """Add the measurements of one seed of the convolutional network."""
    X, y = load_digits(return_X_y=True)
    images = (X / 16).astype("float32").reshape(-1, 8, 8, 1)
    X, X_test, y_train, y_test = train_test_split(images, y, stratify=y, random_state=seed)
    keras.utils.set_random_seed(seed)
    model = cnn()
    model.fit(X, y_train, epochs=15, batch_size=32, verbose=0)
    table.add("original", accuracy(model, X_test, y_test), model.count_params(), 1.0)
    tuned = tuned_copy(model, X, y_train, seed)
    table.add("original, tuned", accuracy(tuned, X_test, y_test), model.count_params())
    for share in (0.4, 0.2):
        for cls in (Tucker, CP, SVD):
            method = cls(target_params=share)
            fitted = factorize(model, X, method=method, random_state=seed)
            ratio = fitted.candidates[1].latency / fitted.candidates[0].latency
            name = f"{method.method} -{100 * (1 - share):.0f} %"
            score = accuracy(fitted.model, X_test, y_test)
            table.add(f"{name}, as fitted", score, fitted.parameters_after, ratio)
            after = tuned_copy(fitted.model, X, y_train, seed)
            score = accuracy(after, X_test, y_test)
            table.add(f"{name}, tuned", score, fitted.parameters_after, ratio)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sets", nargs="+", choices=[*SETS, "cnn"], default=[*SETS, "cnn"])
    parser.add_argument("--saved", nargs="+", type=int, default=[60, 80, 90, 95], metavar="%")
    parser.add_argument("--quick", action="store_true", help="no tuning, no plain networks")
    options = parser.parse_args()
    tables = {name: Table() for name in options.sets}
    for seed in range(options.seeds):
        for name, table in tables.items():
            if name == "cnn":
                add_convolutional(table, seed)
            else:
                add_dense(table, SETS[name], seed, options.quick, options.saved)
            print(table.show(f"{name}, seeds so far: {seed + 1}"), file=sys.stderr, flush=True)
    print(
        f"Accuracy in percent on held-out rows, mean of {options.seeds} seeds; difference to the "
        "original, paired by\nseed; time: median time of a compiled call on 256 rows as a multiple "
        "of the original's. 'met' and 'MISSED':\nthe mean difference against the goal of 0.3 "
        "points (Tensor-Train -60 %, SVD -80 %) or 1 point (the others)."
    )
    for name, table in tables.items():
        title = SETS[name].__doc__ if name in SETS else "Digits 8 x 8, convolutional network"
        print(f"\n{table.show(title.rstrip('.'))}")


if __name__ == "__main__":
    main()
