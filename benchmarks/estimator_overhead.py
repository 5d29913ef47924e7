"""What the estimators cost beside bare Keras, and what SciKeras and keras.wrappers cost.

Prints, from one run side by side: time of a fit relative to ``keras.Model.fit`` (median of
repeats), first fit of an architecture and later ones; time of predicting a few rows, beside
scikit-learn's LogisticRegression, and from several threads; growth of resident memory over 50 fits
in a row; and fits with and without XLA.

    python benchmarks/estimator_overhead.py [--repeats 5] [--tables rows]
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import gc
import os
import statistics
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import psutil
from keras.wrappers import SKLearnClassifier
from scikeras.wrappers import KerasClassifier as SciKerasClassifier
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from skopt_wrap import KerasClassifier
from skopt_wrap.training import clear_graphs

EPOCHS, BATCH = 10, 32


def datasets() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    cancer, digits = load_breast_cancer(return_X_y=True), load_digits(return_X_y=True)
    synthetic = make_classification(20_000, 50, n_informative=20, n_classes=5, random_state=0)
    return {
        name: (StandardScaler().fit_transform(X).astype("float32"), y)
        for name, (X, y) in [
            ("breast cancer", cancer),
            ("digits", digits),
            ("20000 x 50", synthetic),
        ]
    }


def build(n_features: int, n_classes: int, jit_compile: bool | str = False) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((n_features,)),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(32, "relu"),
            keras.layers.Dense(n_classes, "softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=jit_compile)
    return model


def builder_for_scikeras(meta: dict) -> keras.Model:
    return build(meta["n_features_in_"], meta["n_classes_"])


def builder_for_keras(X: np.ndarray, y: np.ndarray) -> keras.Model:
    # keras.wrappers hands over labels as one-hot columns.
    model = build(X.shape[1], y.shape[1])
    model.compile("adam", "categorical_crossentropy", jit_compile=False)
    return model


def candidates(X: np.ndarray, y: np.ndarray) -> dict:
    n_classes = len(np.unique(y))

    def bare():
        build(X.shape[1], n_classes).fit(X, y, epochs=EPOCHS, batch_size=BATCH, verbose=0)

    def ours():
        KerasClassifier(builder_for_scikeras, epochs=EPOCHS, batch_size=BATCH, random_state=0).fit(
            X, y
        )

    def ours_first():
        clear_graphs()
        ours()

    def scikeras():
        SciKerasClassifier(
            builder_for_scikeras, epochs=EPOCHS, batch_size=BATCH, verbose=0, random_state=0
        ).fit(X, y)

    def wrappers():
        SKLearnClassifier(
            builder_for_keras,
            fit_kwargs={"epochs": EPOCHS, "batch_size": BATCH, "verbose": 0},
        ).fit(X, y)

    return {
        "bare keras.Model.fit": bare,
        "skopt_wrap, first fit": ours_first,
        "skopt_wrap, later fits": ours,
        "SciKeras": scikeras,
        "keras.wrappers": wrappers,
    }


def seconds(function) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def fit_table(repeats: int) -> None:
    print(
        f"\nFit, dense 64-32, {EPOCHS} epochs, batch {BATCH}: median seconds of {repeats} rounds,"
    )
    print("and the median over rounds of the ratio to bare Keras in the same round")
    print(f"{'':28}{'data':16}{'seconds':>9}{'ratio':>8}")
    for data, (X, y) in datasets().items():
        functions = candidates(X, y)
        for function in functions.values():
            function()  # imports, first traces
        rounds = [{n: seconds(f) for n, f in functions.items()} for _ in range(repeats)]
        for name in functions:
            middle = statistics.median(r[name] for r in rounds)
            ratio = statistics.median(r[name] / r["bare keras.Model.fit"] for r in rounds)
            print(f"{name:28}{data:16}{middle:9.3f}{ratio:8.2f}")


def predict_table(repeats: int) -> None:
    X, y = datasets()["digits"]
    params = {"epochs": 1, "batch_size": BATCH, "verbose": 0}
    ours = KerasClassifier(builder_for_scikeras, random_state=0, **params).fit(X, y)
    sci = SciKerasClassifier(builder_for_scikeras, **params).fit(X, y)
    wrapped = SKLearnClassifier(builder_for_keras, fit_kwargs=params).fit(X, y)
    model = ours.model_
    functions = {
        "skopt_wrap predict": lambda rows: ours.predict(rows),
        "skopt_wrap network_output": lambda rows: ours.network_output(rows),
        "SciKeras predict": lambda rows: sci.predict(rows, verbose=0),
        "keras.wrappers predict": lambda rows: wrapped.predict(rows),
        "keras.Model.predict": lambda rows: model.predict(rows, verbose=0),
    }
    print("\nPredict, digits: median milliseconds a call, and how many times ours is faster")
    print(f"{'':28}{'1 row':>10}{'':8}{'1797 rows':>12}")
    table: dict[str, dict[int, float]] = {name: {} for name in functions}
    # keras.wrappers cannot be told to leave out the progress bar.
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        for function in functions.values():
            function(X[:1]), function(X)
        for n_rows in (1, len(X)):
            samples: dict[str, list[float]] = {name: [] for name in functions}
            # Twelve calls in a row, as a service makes them: a call that follows another
            # library's pays for threads that the other one is still winding up.
            for _ in range(repeats):
                for name, function in functions.items():
                    for _ in range(12):
                        samples[name].append(seconds(lambda f=function, n=n_rows: f(X[:n])))
            for name, values in samples.items():
                table[name][n_rows] = 1e3 * statistics.median(values)
    base = table["skopt_wrap predict"]
    for name, row in table.items():
        one, many = row[1], row[len(X)]
        print(f"{name:28}{one:10.3f}{one / base[1]:7.0f}x{many:12.2f}{many / base[len(X)]:7.1f}x")


def small_networks(X: np.ndarray, y: np.ndarray) -> dict[str, KerasClassifier]:
    """Return networks that few rows are sent through, trained for one epoch."""
    params = {"epochs": 1, "random_state": 0}
    networks = {
        "dense 64-32, bare": KerasClassifier(builder_for_scikeras, **params),
        "dense (the default)": KerasClassifier("dense", **params),
        "dense 128-128-128": KerasClassifier(
            "dense", model__units=128, model__n_layers=3, **params
        ),
        "dense, batch norm, dropout": KerasClassifier(
            "dense", model__batch_norm=True, model__dropout=0.2, **params
        ),
        "realmlp": KerasClassifier("realmlp", **params),
        "cnn": KerasClassifier("cnn", model__input_shape=(8, 8, 1), **params),
    }
    return {name: network.fit(X, y) for name, network in networks.items()}


def rows_table(repeats: int) -> None:
    X, y = datasets()["digits"]
    linear = LogisticRegression(max_iter=50).fit(X, y)
    networks = small_networks(X, y)
    counts = (1, 10, 100, 1000)
    print("\nA few rows, digits: median microseconds a call; in brackets TensorFlow alone")
    print(f"{'':28}{'':16}" + "".join(f"{n:>6} rows    " for n in counts))
    for name, model in {"LogisticRegression": linear, **networks}.items():
        for method in ("predict", "predict_proba"):
            cells = []
            for n in counts:
                function = getattr(model, method)
                ours = microseconds(lambda f=function, n=n: f(X[:n]), repeats)
                if model is linear:
                    cells.append(f"{ours:7.0f}        ")
                    continue
                slow = getattr(copy.copy(model).set_params(predict__batch_size=32), method)
                theirs = microseconds(lambda f=slow, n=n: f(X[:n]), repeats)
                cells.append(f"{ours:7.0f} ({theirs:5.0f})")
            print(f"{name:28}{method:16}" + "".join(cells), flush=True)
    print("\nOne row from several threads, dense (the default): calls of predict a second")
    network = networks["dense (the default)"]
    for n_threads in (1, 2, 4, 8):
        with ThreadPoolExecutor(n_threads) as pool:
            rows = [X[i % 1000 :][:1] for i in range(400 * repeats)]
            taken = seconds(lambda p=pool, r=rows: list(p.map(network.predict, r)))
        print(f"{n_threads} threads {len(rows) / taken:10.0f}")


def microseconds(function, repeats: int) -> float:
    """Return the median of many calls in a row, as a service makes them."""
    for _ in range(5):
        function()
    return 1e6 * statistics.median(seconds(function) for _ in range(40 * repeats))


def memory_table(fits: int = 50) -> None:
    X, y = datasets()["breast cancer"]
    process = psutil.Process()
    print(f"\nResident memory over {fits} fits of 1 epoch: MB gained after 5 fits to warm up")
    functions = {n: f for n, f in candidates(X, y).items() if n != "skopt_wrap, first fit"}
    global EPOCHS
    EPOCHS, before_epochs = 1, EPOCHS
    for name, function in functions.items():
        for _ in range(5):
            function()
        gc.collect()
        before = process.memory_info().rss
        for _ in range(fits):
            function()
        gc.collect()
        print(f"{name:28}{(process.memory_info().rss - before) / 2**20:9.1f}")
    EPOCHS = before_epochs


def jit_table(repeats: int) -> None:
    X, y = datasets()["digits"]
    print("\nXLA on this machine: keras.Model.fit, digits, median seconds")
    for jit in (False, True):

        def run(jit=jit):
            build(64, 10, jit).fit(X, y, epochs=EPOCHS, batch_size=BATCH, verbose=0)

        run()
        print(
            f"jit_compile={jit!s:16}{statistics.median(seconds(run) for _ in range(repeats)):9.2f}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    tables = {
        "fit": fit_table,
        "predict": predict_table,
        "rows": rows_table,
        "memory": lambda repeats: memory_table(),
        "jit": lambda repeats: jit_table(max(2, repeats - 2)),
    }
    parser.add_argument("--tables", nargs="+", choices=tables, default=list(tables))
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in chosen.tables:
        tables[name](chosen.repeats)
