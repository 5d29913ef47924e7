"""The same search with four libraries, and the strategies of one against each other.

Table ``trials``: one list of parameter sets, drawn once, is cross-validated by each method on the
same splits for the same number of epochs: scikit-learn's GridSearchCV with SciKeras (a list of
grids of one point each; RandomizedSearchCV runs the same code), Keras Tuner with a cross-validation
loop written by hand in ``Tuner.run_trial``, Optuna with ``cross_val_score`` and SciKeras (the loop
that OptunaSearchCV runs, whose package optuna-integration is a separate one), and TunedClassifier,
as it comes and with trials together; beside them scikit-learn's MLPClassifier in GridSearchCV.
Every method runs in a process of its own; imports are not timed, tracing is. Ratios are to ours,
round by round. Table ``time``: score reached after equal wall time, by strategy. Table ``grid``:
grid against random search with the same number of trials.

    python benchmarks/tuning.py [--tables trials time grid] [--data digits ...] [--trials 20]
                                [--methods ...] [--repeats 3] [--seconds 60] [--seeds 5] [--out DIR]

All of it takes about three hours on two cores; ``--tables trials --data digits --trials 4
--repeats 1`` about two minutes. ``--out docs/_tables`` writes ``tuning_<table>.txt``.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from scipy.stats import loguniform, randint, uniform
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.model_selection import ParameterSampler, StratifiedKFold, train_test_split
from sklearn.preprocessing import StandardScaler

EPOCHS, FOLDS = 10, 3
LOSS = "sparse_categorical_crossentropy"
DATA = ("digits", "breast cancer", "20000 x 50", "digits, CNN")
METHODS = (
    "GridSearchCV + SciKeras",
    "Keras Tuner + CV loop",
    "Optuna + SciKeras",
    "skopt_wrap",
    "skopt_wrap, together",
    "GridSearchCV + MLP",
)
OWN = ("skopt_wrap", "skopt_wrap, together", "GridSearchCV + MLP")  # not of Keras' wrappers
STRATEGIES = ("random", "bayesian", "tpe", "gp", "cmaes", "genetic", "hyperband", "halving")


# -- the task ---------------------------------------------------------------------------------


def load(data: str) -> tuple[np.ndarray, np.ndarray]:
    if data == "digits, CNN":
        X, y = load_digits(return_X_y=True)
        return (X / 16).reshape(-1, 8, 8, 1).astype("float32"), y
    if data == "20000 x 50":
        X, y = make_classification(20_000, 50, n_informative=20, n_classes=5, random_state=0)
    else:
        load_it = load_digits if data == "digits" else load_breast_cancer
        X, y = load_it(return_X_y=True)
    return StandardScaler().fit_transform(X).astype("float32"), y


def space(data: str) -> dict[str, Any]:
    sizes: dict[str, Any] = {
        "model__units": [16, 32, 64, 128],
        "model__dropout": [0.0, 0.1, 0.2, 0.3, 0.4],
        "optimizer__learning_rate": loguniform(3e-4, 3e-2),
        "batch_size": [16, 32, 64, 128],
    }
    if data == "digits, CNN":
        return {**sizes, "model__filters": [8, 16, 32]}
    return {**sizes, "model__layers": [1, 2, 3]}


def draw(data: str, n: int) -> list[dict[str, Any]]:
    """Draw the list of parameter sets, the same for every method."""
    points = ParameterSampler(space(data), n, random_state=0)
    return [{k: v.item() if hasattr(v, "item") else v for k, v in p.items()} for p in points]


def dense(meta: dict, units: int = 64, layers: int = 2, dropout: float = 0.0) -> Any:
    import keras

    hidden = [
        layer
        for _ in range(layers)
        for layer in (keras.layers.Dense(units, "relu"), keras.layers.Dropout(dropout))
    ]
    out = keras.layers.Dense(meta["n_classes_"], "softmax")
    return keras.Sequential([keras.Input((meta["n_features_in_"],)), *hidden, out])


def cnn(meta: dict, filters: int = 16, units: int = 64, dropout: float = 0.0) -> Any:
    import keras

    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(filters, 3, activation="relu"),
            keras.layers.Conv2D(2 * filters, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(units, "relu"),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(meta["n_classes_"], "softmax"),
        ]
    )


def builder(data: str) -> Callable[..., Any]:
    return cnn if data == "digits, CNN" else dense


# -- the methods: each returns the scores, one row for each parameter set ---------------------


def scikeras(data: str) -> Any:
    from scikeras.wrappers import KerasClassifier

    settings = {"epochs": EPOCHS, "verbose": 0, "random_state": 0, "loss": LOSS}
    knobs = {name: 0.0 for name in space(data) if name.startswith("model__")}
    return KerasClassifier(builder(data), optimizer="adam", batch_size=32, **settings, **knobs,
                           optimizer__learning_rate=0.001)  # fmt: skip


def with_grid_search(data: str, X: Any, y: Any, splits: Any, points: list[dict]) -> np.ndarray:
    from sklearn.model_selection import GridSearchCV

    grids = [{name: [value] for name, value in point.items()} for point in points]
    search = GridSearchCV(scikeras(data), grids, cv=splits, refit=False).fit(X, y)
    table = search.cv_results_
    return np.stack([table[f"split{i}_test_score"] for i in range(len(splits))], axis=1)


def with_optuna(data: str, X: Any, y: Any, splits: Any, points: list[dict]) -> np.ndarray:
    import optuna
    from sklearn.base import clone
    from sklearn.model_selection import cross_val_score

    optuna.logging.disable_default_handler()
    study = optuna.create_study(direction="maximize")
    for point in points:
        study.enqueue_trial(point)
    scores = []

    def objective(trial: Any) -> float:
        point = {
            name: trial.suggest_categorical(name, sorted({p[name] for p in points}))
            for name in points[0]
        }
        candidate = clone(scikeras(data)).set_params(**point)
        scores.append(cross_val_score(candidate, X, y, cv=splits))
        return float(scores[-1].mean())

    study.optimize(objective, n_trials=len(points))
    return np.stack(scores)


def points_oracle(points: list[dict], **options: Any) -> Any:
    """Return a Keras Tuner strategy that proposes a list."""
    import keras_tuner

    class Points(keras_tuner.Oracle):
        independent = True  # no proposal depends on a result

        def populate_space(self, trial_id: str) -> dict[str, Any]:
            n = len(self.start_order)
            if n >= len(points):
                return {"status": "STOPPED", "values": None}
            return {"status": "RUNNING", "values": dict(points[n])}

    goal = keras_tuner.Objective("score", "max")
    return Points(objective=goal, max_trials=len(points), **options)


def with_keras_tuner(data: str, X: Any, y: Any, splits: Any, points: list[dict]) -> np.ndarray:
    import tempfile

    import keras
    import keras_tuner

    scores: list[list[float]] = []

    def build(hp: Any) -> Any:
        values = {name: hp.Choice(name, sorted({p[name] for p in points})) for name in points[0]}
        knobs = {k.removeprefix("model__"): v for k, v in values.items() if "model__" in k}
        meta = {"n_features_in_": X.shape[1], "n_classes_": len(np.unique(y))}
        model = builder(data)(meta, **knobs)
        rate = values["optimizer__learning_rate"]
        model.compile(keras.optimizers.Adam(rate), LOSS, metrics=["accuracy"])
        return model

    class CrossValidated(keras_tuner.Tuner):
        def run_trial(self, trial: Any, X: Any, y: Any) -> dict[str, float]:
            row = []
            for train, test in splits:
                model = self.hypermodel.build(trial.hyperparameters)
                size = trial.hyperparameters.get("batch_size")
                model.fit(X[train], y[train], epochs=EPOCHS, batch_size=size, verbose=0)
                row.append(
                    model.evaluate(X[test], y[test], verbose=0, return_dict=True)["accuracy"]
                )
            scores.append(row)
            return {"score": float(np.mean(row))}

    with tempfile.TemporaryDirectory() as folder:
        tuner = CrossValidated(
            oracle=points_oracle(points, seed=1),
            hypermodel=build,
            directory=folder,
            project_name="cv",
        )
        tuner.search(X, y)
    return np.array(scores)


def with_mlp(data: str, X: Any, y: Any, splits: Any, points: list[dict]) -> np.ndarray:
    """Run scikit-learn's own network, which has no dropout."""
    from sklearn.model_selection import GridSearchCV
    from sklearn.neural_network import MLPClassifier

    grids = [
        {
            "hidden_layer_sizes": [(point["model__units"],) * point["model__layers"]],
            "learning_rate_init": [point["optimizer__learning_rate"]],
            "batch_size": [point["batch_size"]],
        }
        for point in points
    ]
    network = MLPClassifier(max_iter=EPOCHS, n_iter_no_change=EPOCHS, alpha=0.0, random_state=0)
    table = GridSearchCV(network, grids, cv=splits, refit=False).fit(X, y).cv_results_
    return np.stack([table[f"split{i}_test_score"] for i in range(len(splits))], axis=1)


def together(*task: Any) -> np.ndarray:
    return with_ours(*task, max_joint_bytes=2**30)


def with_ours(
    data: str, X: Any, y: Any, splits: Any, points: list[dict], **options: Any
) -> np.ndarray:
    from skopt_wrap import KerasClassifier, TunedClassifier

    network = KerasClassifier(
        builder(data), loss=LOSS, optimizer="adam", epochs=EPOCHS, random_state=0
    )
    search = TunedClassifier(
        network,
        tuner=points_oracle(points, seed=1),
        max_trials=len(points),
        cv=splits,
        space={name: sorted({p[name] for p in points}) for name in points[0]},
        refit=False,
        error_score="raise",
        random_state=0,
        **options,
    ).fit(X, y)
    assert [trial.params for trial in search.trials_] == points
    table = search.cv_results_
    return np.stack([table[f"split{i}_test_score"] for i in range(len(splits))], axis=1)


RUNS: dict[str, Callable[..., np.ndarray]] = dict(
    zip(
        METHODS,
        (with_grid_search, with_keras_tuner, with_optuna, with_ours, together, with_mlp),
        strict=True,
    )
)


def arithmetic(data: str, X: np.ndarray, y: np.ndarray, points: list[dict]) -> float:
    """Return the operations of training all dense networks, in thousands of millions."""
    total = 0
    for point in points:
        widths = [X.shape[1], *[point["model__units"]] * point["model__layers"], len(np.unique(y))]
        total += 6 * sum(a * b for a, b in itertools.pairwise(widths))
    return total * len(X) * (FOLDS - 1) * EPOCHS / 1e9


def product_rate() -> float:
    """Return the operations per second of a large float32 matrix product, in 10 ** 9."""
    import tensorflow as tf

    matrix, found = tf.ones((2000, 2000)), []
    for _ in range(6):
        began = time.perf_counter()
        tf.matmul(matrix, matrix).numpy()
        found.append(2 * 2000**3 / 1e9 / (time.perf_counter() - began))
    return max(found)


def run_method(data: str, method: str, n_trials: int) -> dict[str, Any]:
    """Run one method in this process; return seconds, scores and peak memory."""
    import keras  # its import is not timed, nor is the start of TensorFlow

    keras.ops.convert_to_numpy(keras.ops.ones(2) + 1)
    for module in ("skopt_wrap.tuning", "keras_tuner", "optuna", "scikeras.wrappers"):
        if method in OWN or not module.startswith("skopt_wrap"):
            __import__(module)
    X, y = load(data)
    splits = list(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(X, y))
    points = draw(data, n_trials)
    began, began_cpu = time.perf_counter(), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):  # Keras Tuner prints
        scores = RUNS[method](data, X, y, splits, points)
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    assert scores.shape == (n_trials, FOLDS)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {"seconds": seconds, "cpu": cpu, "scores": scores.tolist(), "peak": peak}
    if "CNN" not in data:
        found["share"] = arithmetic(data, X, y, points) / seconds / product_rate()
    return found


# -- score after equal time, and grid against random ------------------------------------------


def run_strategy(
    strategy: str, seed: int, seconds: float | None, n_trials: int | None
) -> dict[str, Any]:
    """Search on digits with one strategy; return the best score and that on rows held out."""
    from skopt_wrap import KerasClassifier, TunedClassifier

    X, y = load("digits")
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, random_state=seed, stratify=y)
    if strategy == "Optuna TPE + SciKeras":
        return _strategy_of_optuna(X, y, X_test, y_test, seed, seconds)
    wide: dict[str, Any] = {
        "model__units": randint(8, 129),
        "model__layers": randint(1, 5),
        "model__dropout": uniform(0, 0.6),
        "optimizer__learning_rate": loguniform(1e-4, 1e-1),
    }
    if strategy == "grid":  # the quartiles of the same distributions
        wide = {name: spec.ppf([0.25, 0.75]).tolist() for name, spec in wide.items()}
        wide.update(
            {name: [int(v) for v in wide[name]] for name in ("model__units", "model__layers")}
        )
    elif n_trials is None:
        wide["batch_size"] = [16, 32, 64, 128]
    search = TunedClassifier(
        KerasClassifier(dense, loss=LOSS, optimizer="adam", epochs=EPOCHS),
        tuner=strategy,
        max_trials=n_trials or 10_000,
        max_time=seconds,
        cv=FOLDS,
        space=wide,
        random_state=seed,
    )
    began = time.perf_counter()
    search.fit(X, y)
    return {
        "best": search.best_score_,
        "test": search.score(X_test, y_test),
        "trials": len(search.trials_),
        "seconds": time.perf_counter() - began,
    }


def _strategy_of_optuna(
    X: Any, y: Any, X_test: Any, y_test: Any, seed: int, seconds: float | None
) -> dict[str, Any]:
    import optuna
    from sklearn.base import clone
    from sklearn.model_selection import cross_val_score

    optuna.logging.disable_default_handler()
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))

    def candidate(trial: Any) -> Any:
        return clone(scikeras("digits")).set_params(
            model__units=trial.suggest_int("units", 8, 128),
            model__layers=trial.suggest_int("layers", 1, 4),
            model__dropout=trial.suggest_float("dropout", 0, 0.6),
            optimizer__learning_rate=trial.suggest_float("rate", 1e-4, 1e-1, log=True),
            batch_size=trial.suggest_categorical("batch_size", [16, 32, 64, 128]),
        )

    began = time.perf_counter()
    study.optimize(
        lambda trial: cross_val_score(candidate(trial), X, y, cv=FOLDS).mean(), timeout=seconds
    )
    best = candidate(optuna.trial.FixedTrial(study.best_params)).fit(X, y)
    return {
        "best": study.best_value,
        "test": best.score(X_test, y_test),
        "trials": len(study.trials),
        "seconds": time.perf_counter() - began,
    }


# -- tables -----------------------------------------------------------------------------------


def in_child(**task: Any) -> dict[str, Any]:
    """Run a task in a process of its own."""
    command = [sys.executable, __file__, "--child", json.dumps(task)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{task} failed:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def trials_table(options: argparse.Namespace) -> str:
    lines = [
        f"{options.trials} parameter sets, {FOLDS} folds, {EPOCHS} epochs, batches of 16 to 128; "
        f"medians of {options.repeats} rounds.",
        "Ratio: seconds of the method over seconds of skopt_wrap in the same round.",
        "Score: mean accuracy over all sets and folds, with the standard error over the folds of "
        "the means.",
        "Rate: operations of training per second, in percent of those of a large float32 matrix "
        "product.",
        "",
        f"{'':15}{'':27}{'seconds':>9}{'ratio':>7}{'CPU s':>8}{'score':>9}{'s.e.':>8}{'best':>8}"
        f"{'peak MB':>9}{'rate %':>8}",
    ]
    for data in options.data:
        rounds = []
        methods = [m for m in options.methods if not (m == METHODS[-1] and "CNN" in data)]
        for turn in range(options.repeats):
            first = turn % len(methods)  # nobody always runs first
            order = [*methods[first:], *methods[:first]]
            rounds.append(
                {m: in_child(kind="method", data=data, method=m, n_trials=options.trials)
                 for m in order}
            )  # fmt: skip
        for method in methods:
            runs = [r[method] for r in rounds]
            ratio = ""
            if "skopt_wrap" in options.methods:
                ratios = [r[method]["seconds"] / r["skopt_wrap"]["seconds"] for r in rounds]
                ratio = f"{statistics.median(ratios):.1f}"
            scores = np.array([run["scores"] for run in runs])  # rounds, sets, folds
            of_folds = scores.mean(axis=(0, 1))
            error = of_folds.std(ddof=1) / np.sqrt(FOLDS)
            lines.append(
                f"{data:15}{method:27}{statistics.median(r['seconds'] for r in runs):9.1f}"
                f"{ratio:>7}{statistics.median(r['cpu'] for r in runs):8.1f}"
                f"{scores.mean():9.4f}{error:8.4f}"
                f"{scores.mean(axis=2).max(axis=1).mean():8.4f}"
                f"{statistics.median(r['peak'] for r in runs):9.0f}"
                f"{100 * statistics.median(r.get('share', np.nan) for r in runs):8.1f}"
            )
        peers = [m for m in methods if m not in OWN]
        if peers and "skopt_wrap" in options.methods:
            gain = statistics.median(
                min(r[m]["seconds"] for m in peers) / r["skopt_wrap"]["seconds"] for r in rounds
            )
            lines.append(f"{data:15}{'best of the others / ours':27}{'':9}{gain:7.1f}")
    return "\n".join(lines)


def _rows(names: Any, runs: dict[str, list[dict[str, Any]]]) -> list[str]:
    lines = [f"{'':26}{'best CV score':>15}{'s.e.':>8}{'held out':>11}{'s.e.':>8}{'trials':>8}"]
    for name in names:
        cells = ""
        for key, width in (("best", 15), ("test", 11)):
            values = np.array([run[key] for run in runs[name]])
            error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
            cells += f"{values.mean():{width}.4f}{error:8.4f}"
        lines.append(f"{name:26}{cells}{statistics.median(r['trials'] for r in runs[name]):8.0f}")
    return lines


def time_table(options: argparse.Namespace) -> str:
    names = [*options.strategies, "Optuna TPE + SciKeras"]
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for seed, name in itertools.product(range(options.seeds), names):
        runs[name].append(
            in_child(kind="strategy", strategy=name, seed=seed, seconds=options.seconds)
        )
    head = (
        f"Digits, half of the rows held out, {FOLDS} folds, {EPOCHS} epochs: scores after "
        f"{options.seconds:g} s of search, mean over {options.seeds} seeds"
    )
    return "\n".join([head, "", *_rows(names, runs)])


def grid_table(options: argparse.Namespace) -> str:
    names = ("grid", "random")
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for seed, name in itertools.product(range(options.seeds), names):
        runs[name].append(in_child(kind="strategy", strategy=name, seed=seed, n_trials=16))
    head = (
        f"Digits, half of the rows held out, {FOLDS} folds, {EPOCHS} epochs: 16 trials each, mean "
        f"over {options.seeds} seeds"
    )
    return "\n".join([head, "", *_rows(names, runs)])


TABLES = {"trials": trials_table, "time": time_table, "grid": grid_table}


def child(task: dict[str, Any]) -> None:
    warnings.simplefilter("ignore")
    if task.pop("kind") == "method":
        found = run_method(**task)
    else:
        found = run_strategy(**{"seconds": None, "n_trials": None, **task})
    print(json.dumps(found))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES))
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="folder to write the tables to")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        child(json.loads(chosen.child))
    else:
        for table in chosen.tables:
            text = TABLES[table](chosen)
            print(f"\n{text}", flush=True)
            if chosen.out is not None:
                (chosen.out / f"tuning_{table}.txt").write_text(text + "\n", encoding="utf-8")
