"""Time of one trial of a search: the networks of all folds, one by one and together.

Each case is trained by bare Keras (a new network and ``model.fit`` for each fold), by
``KerasClassifier.fit`` fold by fold, and by ``fit_together``. A trial is everything from parameters
to fitted networks: building and compiling are included, scoring is not. The contenders take turns;
printed are medians of wall time, and of processor time, which says more on a busy machine.
"first" is the first trial of an architecture in a warm process, tracing included; it is taken with
another number of layers, which no graph was traced for.

``--memory`` prints the memory of the process over 100 trials of changing architecture.

Run ``python benchmarks/fold_training.py`` (about 5 minutes), or with names of cases.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Case -> data, folds, and parameters of KerasClassifier.
CASES = {
    "digits, 3 folds": ("digits", 3, {"epochs": 10}),
    "digits, 5 folds": ("digits", 5, {"epochs": 10}),
    "digits, dropout": ("digits", 3, {"epochs": 10, "model__dropout": 0.2}),
    "breast cancer": ("cancer", 3, {"epochs": 10}),
    "20,000 x 50": (
        "synthetic",
        5,
        {"epochs": 2, "batch_size": 128, "model__units": 256},
    ),
    "digits, CNN": (
        "digits",
        3,
        {
            "model": "cnn",
            "model__input_shape": (8, 8, 1),
            "model__filters": 16,
            "model__batch_norm": True,
            "epochs": 3,
        },
    ),
    "digits, LSTM": (
        "digits",
        3,
        {"model": "lstm", "model__input_shape": (8, 8), "epochs": 3},
    ),
}


def load(name: str):
    """Return rows, scaled, and labels."""
    from sklearn.datasets import load_breast_cancer, load_digits, make_classification
    from sklearn.preprocessing import StandardScaler

    if name == "synthetic":
        X, y = make_classification(20_000, 50, n_informative=20, n_classes=4, random_state=0)
    else:
        X, y = (load_digits if name == "digits" else load_breast_cancer)(return_X_y=True)
    return StandardScaler().fit_transform(X).astype("float32"), y


def contenders(name: str):
    """Return the ways to train one trial of a case."""
    import keras
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold

    from skopt_wrap import KerasClassifier
    from skopt_wrap.architectures import ARCHITECTURES
    from skopt_wrap.estimators import FitJob, fit_together

    source, n_folds, params = CASES[name]
    X, y = load(source)
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=0)
    splits = [train for train, _ in folds.split(X, y)]
    estimator = KerasClassifier(random_state=0, **params)

    def bare_keras() -> None:
        knobs = {k.removeprefix("model__"): v for k, v in params.items() if "model__" in k}
        for rows in splits:
            keras.utils.set_random_seed(0)
            meta = {"X_shape_": X.shape, "X_dtype_": X.dtype, "n_outputs_expected_": len(set(y))}
            network = ARCHITECTURES[params.get("model", "dense")](meta, **knobs)
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            network.compile("adam", loss)
            options = {"batch_size": params.get("batch_size", 32), "verbose": 0}
            network.fit(X[rows], y[rows], epochs=params["epochs"], **options)

    def one_by_one() -> None:
        for rows in splits:
            clone(estimator).fit(X[rows], y[rows])

    def together(**changes: object) -> None:
        trial = clone(estimator).set_params(**changes)
        for outcome in fit_together([FitJob(clone(trial), X, y, rows) for rows in splits]):
            if outcome.error is not None:
                raise outcome.error

    return {"bare Keras": bare_keras, "one by one": one_by_one, "together": together}


def timed(function, **options) -> tuple[float, float]:
    """Return wall and processor seconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    function(**options)
    return time.perf_counter() - wall, time.process_time() - cpu


def table(names: list[str], turns: int) -> None:
    """Print the seconds of a trial, case by case."""
    head = ["bare Keras", "one by one", "together", "first"]
    print(f"{'wall (processor) seconds':26}" + "".join(f"{h:>18}" for h in head) + "   ratios")
    for name in names:
        ways = contenders(name)
        timed(ways["together"])
        first = timed(ways["together"], model__n_layers=1 if "LSTM" not in name else 2)
        timed(ways["one by one"])
        seconds: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for _ in range(turns):
            for way, function in ways.items():
                seconds[way].append(timed(function))
        medians = {
            way: [statistics.median(column) for column in zip(*values, strict=True)]
            for way, values in seconds.items()
        }
        medians["first"] = list(first)
        cells = "".join(f"{medians[h][0]:9.2f} ({medians[h][1]:5.2f})" + "  " for h in head)
        last = medians["together"][0]
        ratios = [f"{medians[h][0] / last:.1f}x" for h in head[:2]]
        print(f"{name:26}{cells}  {' '.join(ratios)}", flush=True)


def memory(n_trials: int = 100) -> None:
    """Print the memory of this process while trials follow each other."""
    import resource

    together = contenders("breast cancer")["together"]
    rng = np.random.default_rng(0)
    for trial in range(n_trials):
        together(
            epochs=2,
            model__units=int(rng.integers(4, 64)),
            model__n_layers=int(rng.integers(1, 4)),
            model__dropout=float(rng.choice([0.0, 0.1, 0.3])),
            optimizer__learning_rate=float(10 ** rng.uniform(-4, -2)),
        )
        if trial % 10 == 9:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            with open("/proc/self/statm", encoding="ascii") as file:
                now = int(file.read().split()[1]) * resource.getpagesize() / 2**20
            print(f"{trial + 1:4} trials: {now:6.0f} MiB now, {peak:6.0f} MiB at most", flush=True)


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cases", nargs="*", default=list(CASES))
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--memory", action="store_true")
    arguments = parser.parse_args()
    if arguments.memory:
        memory()
    else:
        table(arguments.cases, arguments.turns)


if __name__ == "__main__":
    main()
