"""``model="auto"``: the architectures that the data's shape allows, compared fairly."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .._params import builder_parameters
from .._texts import is_text_column
from ..architectures import ARCHITECTURES
from ..exceptions import SkippedWarning, UnknownParameterError, suggest
from ._trial import COMPLETED, TrialResult

AUTO = "auto"


def architectures_for(shape: Sequence[int]) -> tuple[str, ...]:
    """Return the architectures that take samples of a shape.

    Parameters
    ----------
    shape : sequence of int
        Shape of one sample.

    Returns
    -------
    architectures : tuple of str
        Tables (f,) are for the dense networks; sequences (t, f) for all; images (h, w, c) for
        the dense and the convolutional one; anything else is flattened for the dense one.

    Examples
    --------
    >>> from skopt_wrap.tuning._auto import architectures_for
    >>> architectures_for((64,)), architectures_for((8, 8, 1))
    (('dense', 'realmlp', 'tabm'), ('dense', 'cnn'))
    >>> architectures_for((8, 8))
    ('dense', 'cnn', 'lstm', 'lite', 'inceptiontime')
    """
    return tuple(name for name, item in ARCHITECTURES.items() if item.fits(shape))


def architectures_of(X: Any, space: Any) -> tuple[str, ...]:
    """Return the architectures that take `X`: those for texts, or those for its shape."""
    if is_text_column(X):
        return tuple(name for name, item in ARCHITECTURES.items() if item.texts)
    return architectures_for(row_shape(X, space))


def row_shape(X: Any, space: Any) -> tuple[int, ...]:
    """Return the shape of a sample, or what the space says it is reshaped to."""
    given = space.get("model__input_shape") if isinstance(space, Mapping) else None
    return tuple(given[0]) if given else tuple(np.shape(X)[1:])


def own_entries(space: Mapping[str, Any], architecture: str) -> dict[str, Any]:
    """Return the entries of a space that mean something to an architecture.

    Raises
    ------
    UnknownParameterError
        For a ``model__`` parameter that no architecture has.
    """
    parameters = {
        name: set(builder_parameters(builder)[0]) for name, builder in ARCHITECTURES.items()
    }
    every = {f"model__{parameter}" for of_one in parameters.values() for parameter in of_one}
    for name in space:
        if name.startswith("model__") and name not in every:
            raise UnknownParameterError(
                f"space has {name!r}, which no architecture takes. {suggest(name, every)}"
            )
    return {
        name: spec
        for name, spec in space.items()
        if not name.startswith("model__")
        or name.removeprefix("model__") in parameters[architecture]
    }


def search_architectures(
    architectures: Sequence[str],
    search: Callable[[str], tuple[list[TrialResult], bool]],
    *,
    reraise: bool,
) -> list[TrialResult]:
    """Search one architecture after the other and number the trials on.

    Parameters
    ----------
    architectures : sequence of str
        Architectures.
    search : callable
        ``search(architecture)`` returns its trials, and whether the user wants to stop.
    reraise : bool
        Whether an architecture whose trials all failed ends the search.

    Returns
    -------
    trials : list of TrialResult
        Those of all, with the parameter ``model``.

    Raises
    ------
    Exception
        The first error, when every architecture failed.
    """
    trials: list[TrialResult] = []
    errors: list[tuple[str, Exception]] = []
    for architecture in architectures:
        try:
            found, stop = search(architecture)
        except Exception as error:
            if reraise:
                raise
            errors.append((architecture, error))
            continue
        for trial in found:
            trial.number = len(trials)
            trial.params = {"model": architecture, **trial.params}
            trials.append(trial)
        if stop:
            break
    if not trials:
        raise errors[0][1]
    for architecture, first in errors:
        warnings.warn(
            f"model='auto' leaves out {architecture!r}, whose trials all failed; the first with "
            f"{type(first).__name__}: {first}",
            SkippedWarning,
            stacklevel=4,
        )
    return trials


def architecture_table(trials: Sequence[TrialResult], metric: str) -> dict[str, Any]:
    """Return one row for each architecture, the best first.

    Parameters
    ----------
    trials : sequence of TrialResult
        The trials.
    metric : str
        The metric that decides.

    Returns
    -------
    table : dict of str to array
        ``model``, ``best_score`` and ``std_score`` (over the splits), ``n_parameters``,
        ``fit_seconds`` (training of one split) and ``best_index`` of its best trial, ``n_trials``
        and ``total_seconds`` of all its trials.
    """
    rows = []
    for architecture in dict.fromkeys(trial.params["model"] for trial in trials):
        own = [trial for trial in trials if trial.params["model"] == architecture]
        done = [trial for trial in own if trial.state == COMPLETED]
        best = max(done, key=lambda trial: trial.mean(metric))
        rows.append(
            {
                "model": architecture,
                "best_score": best.mean(metric),
                "std_score": float(np.std(best.scores[metric])),
                "n_parameters": best.n_parameters,
                "fit_seconds": float(np.mean(best.fit_seconds)),
                "best_index": best.number,
                "n_trials": len(own),
                "total_seconds": float(
                    sum(np.nansum([t.fit_seconds, t.score_seconds]) for t in own)
                ),
            }
        )
    rows.sort(key=lambda row: -row["best_score"])
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
