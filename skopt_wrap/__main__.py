"""Commands on saved files: ``python -m skopt_wrap inspect FILE`` and ``... predict FILE DATA``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .exceptions import DataError, SkoptWrapError

_FAILED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status.

    Parameters
    ----------
    arguments : sequence of str or None, default=None
        The command line without the program's name; None takes that of the process.

    Returns
    -------
    status : int
        0 when all went well, 2 when something was wrong; the reason is on standard error.
    """
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (SkoptWrapError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return _FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m skopt_wrap", description="Work with files that skopt_wrap.save has written."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    inspect = commands.add_parser("inspect", help="tell what a file holds, without loading it")
    inspect.add_argument("file", type=Path)
    inspect.set_defaults(run=_inspect)
    predict = commands.add_parser("predict", help="predict the rows of a table")
    predict.add_argument("file", type=Path)
    predict.add_argument("data", type=Path, help="a .csv or .parquet file, a row for each sample")
    predict.add_argument(
        "-o", "--output", type=Path, help="a .csv or .parquet file; without it, standard output"
    )
    predict.add_argument(
        "--trusted",
        action="append",
        default=[],
        metavar="NAME",
        help="a class or function that the file may name; may be given several times",
    )
    predict.set_defaults(run=_predict)
    return parser


def _inspect(options: argparse.Namespace) -> None:
    from .persistence import inspect

    print(inspect(options.file))


def _predict(options: argparse.Namespace) -> None:
    from .persistence import load

    if options.output is not None:
        _check_kind(options.output)
    table = _read(options.data)
    estimator = load(options.file, trusted=options.trusted)
    if not hasattr(estimator, "predict"):
        raise DataError(f"{str(options.file)!r} holds {estimator!r}, which predicts nothing.")
    _write(_predictions(estimator, _columns(estimator, table, options.data)), options.output)


def _check_kind(path: Path) -> str:
    if path.suffix not in (".csv", ".parquet"):
        raise DataError(f"{str(path)!r}: only .csv and .parquet files are read and written.")
    return path.suffix


def _read(path: Path) -> Any:
    """Return the table of a file as a frame."""
    kind = _check_kind(path)
    pandas = _pandas()
    try:
        table = pandas.read_csv(path) if kind == ".csv" else pandas.read_parquet(path)
    except (ImportError, ValueError) as error:
        raise DataError(f"{str(path)!r} cannot be read: {error}") from error
    if not len(table):
        raise DataError(f"{str(path)!r} has no rows.")
    return table


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise DataError("tables are read by pandas: pip install 'skopt_wrap[pandas]'.") from error
    return pandas


def _columns(estimator: Any, table: Any, path: Path) -> Any:
    """Return the columns that the estimator was fitted with, in their order.

    Columns that it does not know are an error, because a table of another kind would otherwise be
    predicted without a word.
    """
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        expected = getattr(estimator, "n_features_in_", table.shape[1])
        if table.shape[1] != expected:
            raise DataError(
                f"{str(path)!r} has {table.shape[1]} columns; the estimator was fitted with "
                f"{expected} columns without names."
            )
        return table.to_numpy()
    missing = [str(name) for name in names if name not in table.columns]
    unknown = [str(name) for name in table.columns if name not in set(names)]
    if missing or unknown:
        raise DataError(
            f"{str(path)!r} does not have the columns that the estimator was fitted with. "
            f"Missing: {missing[:20]}. Not known: {unknown[:20]}."
        )
    return table[list(names)]


def _predictions(estimator: Any, X: Any) -> Any:
    """Return a frame with predictions and, for classifiers that have them, probabilities."""
    predicted = estimator.predict(X)
    pandas = _pandas()
    if predicted.ndim == 2:
        return pandas.DataFrame(
            predicted, columns=[f"prediction_{i}" for i in range(predicted.shape[1])]
        )
    columns = {"prediction": predicted}
    if hasattr(estimator, "predict_proba"):
        probabilities = estimator.predict_proba(X)
        columns |= {
            f"probability_{label}": probabilities[:, i]
            for i, label in enumerate(estimator.classes_)
        }
    return pandas.DataFrame(columns)


def _write(table: Any, path: Path | None) -> None:
    if path is None:
        table.to_csv(sys.stdout, index=False)
    elif path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False)


if __name__ == "__main__":
    sys.exit(main())
