"""Untuned networks beside what people have: score, log loss, time and size of the network.

Real tables of numbers and mixed frames, three splits each, at most 3,000 training rows; see
``networks_tables.py`` for where they come from. Every model is fitted as it comes: scikit-learn's
LogisticRegression or Ridge, HistGradientBoosting, RandomForest and MLP (linear models and MLP on
scaled columns, MLP with a standardised target); and of this package "dense", "realmlp", "realmlp"
without label smoothing ("realmlp, p"), "tabm", and "realmlp" with eight members. Models of
scikit-learn that take no categories get them one-hot, and the gaps of numbers filled with medians.
CPU seconds are those of the process, so that other work on the machine does not count.

CatBoost, and RealMLP and TabM of pytabkit, are measured on the same splits by
``networks_peers.py``, with an interpreter of their own.

Each result is appended to a CSV file with the versions of the packages; a run that is stopped goes
on where it was. ``--report`` prints what one or several files hold, and measures nothing. Models
that miss more than half of the splits are left out, and splits that a remaining model misses.

Run ``python benchmarks/networks.py --quick`` (11 tables, one split) or without ``--quick``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import networks_tables
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skopt_wrap import KerasClassifier, KerasRegressor


def ready(model: Any, *, scaled: bool) -> Callable[[Any], Any]:
    """Return a maker of `model` behind what it needs for the rows that it gets."""

    def make(X: Any) -> Any:
        scaler = [StandardScaler()] if scaled else []
        if not hasattr(X, "iloc"):
            return make_pipeline(*scaler, model)
        numbers = list(X.select_dtypes("number").columns)
        categories = [c for c in X.columns if c not in numbers]
        hot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=2)
        steps = make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), *scaler), numbers),
            (hot, categories),
            sparse_threshold=0,
        )
        return make_pipeline(steps, model)

    return make


def models(kind: str, seed: int) -> dict[str, Callable[[Any], Any]]:
    """Return makers of unfitted models by name; they take the training rows."""
    regression = kind == "numbers"
    estimator = KerasRegressor if regression else KerasClassifier

    def network(*args: Any, **options: Any) -> Callable[[Any], Any]:
        return lambda _: estimator(*args, random_state=seed, **options)

    def on_scaled_target(X: Any) -> Any:
        mlp = ready(MLPRegressor(random_state=seed), scaled=True)(X)
        return TransformedTargetRegressor(mlp, transformer=StandardScaler())

    trees = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    boosting = trees(random_state=seed, categorical_features="from_dtype")
    forest = (RandomForestRegressor if regression else RandomForestClassifier)(random_state=seed)
    logistic = ready(LogisticRegression(max_iter=2000), scaled=True)
    found = {
        **(
            {"Ridge": ready(Ridge(), scaled=True)}
            if regression
            else {"LogisticRegression": logistic}
        ),
        "RandomForest": ready(forest, scaled=False),
        "HistGradientBoosting": lambda _: boosting,
        "MLP": on_scaled_target
        if regression
        else ready(MLPClassifier(random_state=seed), scaled=True),
        "dense": network(),
        "realmlp": network("realmlp"),
        "tabm": network("tabm"),
        "realmlp x 8": network("realmlp", members=8),
    }
    if not regression:
        found["realmlp, p"] = network("realmlp", model__label_smoothing=0.0)
    return found


def n_weights(model: Any) -> int | str:
    """Return the number of weights of a network of this package."""
    last = getattr(model, "regressor_", model)
    last = last.steps[-1][1] if hasattr(last, "steps") else last
    return last.model_.count_params() if hasattr(last, "model_") else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="11 tables, one split")
    parser.add_argument("--splits", type=int, default=networks_tables.N_SPLITS)
    parser.add_argument("--report", action="store_true", help="print results, measure nothing")
    parser.add_argument("--models", nargs="*", help="names of models; all by default")
    parser.add_argument("--tables", nargs="*", help="names of tables; all by default")
    parser.add_argument("--output", type=Path, default=Path("networks.csv"))
    parser.add_argument("--with", dest="more", nargs="*", type=Path, default=[], help="more files")
    args = parser.parse_args()
    if not args.report:
        names = ("scikit-learn", "keras", "tensorflow", "numpy")
        versions = " ".join(f"{name}={version(name)}" for name in names)
        networks_tables.run(models, args, versions, n_weights)
    rows = [row for path in (args.output, *args.more) for row in networks_tables.read(path)]
    chosen = [row for row in rows if not args.tables or row["table"] in args.tables]
    shown = [r for r in chosen if not args.models or r["model"] in args.models]
    networks_tables.report(shown)


if __name__ == "__main__":
    main()
