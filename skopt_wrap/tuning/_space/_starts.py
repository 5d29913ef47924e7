"""What a search tries first: the untuned network, and configurations that were good elsewhere."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from sklearn.base import is_classifier

from ..._keras import load_keras
from ...architectures import ARCHITECTURES, recipe_of
from .._candidate._pipeline import CandidatePipeline
from ._portfolio import PORTFOLIOS
from ._search_space import SearchSpace

_OPTIMIZER = "optimizer__"
_SMOOTHING = "model__label_smoothing"


# Scores of probabilities, which label smoothing makes worse on purpose.
_OF_PROBABILITIES = ("neg_log_loss", "neg_brier_score", "roc_auc", "average_precision", "d2_")


def scores_probabilities(scoring: Any, refit: Any) -> bool:
    """Return whether the score that decides judges probabilities, as far as its name tells.

    Examples
    --------
    >>> from skopt_wrap.tuning._space._starts import scores_probabilities
    >>> scores_probabilities("roc_auc_ovr", True), scores_probabilities(["accuracy"], "accuracy")
    (True, False)
    """
    name = scoring if isinstance(scoring, str) else refit
    return isinstance(name, str) and name.startswith(_OF_PROBABILITIES)


def starting_values(
    space: SearchSpace, pipeline: CandidatePipeline, *, probabilities: bool = False
) -> list[dict[str, Any]]:
    """Return what the oracle is to try first, as its values.

    Configurations that the space does not hold are left out. A parameter that the data settle, such
    as the number of layers of "cnn", has the first value of the space.

    Parameters
    ----------
    space : SearchSpace
        The space.
    pipeline : CandidatePipeline
        The candidate, whose parameters are those that are not tuned.
    probabilities : bool, default=False
        Whether the score judges probabilities: label smoothing is off then, as far as it is tuned.
    """
    untuned = untuned_parameters(pipeline, list(space.keys))
    if probabilities and _SMOOTHING in untuned:
        untuned[_SMOOTHING] = 0.0
    starts = [untuned]
    for configuration in portfolio_of(pipeline.network):
        if all(name in space.keys or untuned.get(name) == v for name, v in configuration.items()):
            starts.append({**untuned, **configuration})
    found: list[dict[str, Any]] = []
    for parameters in starts:
        values = space.encode({name: v for name, v in parameters.items() if name in space.keys})
        if values is not None and values not in found:
            found.append(values)
    return found


def portfolio_of(network: Any) -> tuple[Mapping[str, Any], ...]:
    """Return the portfolio of a network's architecture, empty where there is none."""
    model = getattr(network, "model", None)
    names = [name for name, item in ARCHITECTURES.items() if model is item or model == name]
    kind = "classes" if is_classifier(network) else "numbers"
    return PORTFOLIOS.get((names[0], kind), ()) if names else ()


def untuned_parameters(pipeline: CandidatePipeline, names: list[str]) -> dict[str, Any]:
    """Return the values that parameters have when nothing is tuned, as far as they are known.

    Those of the optimizer come from the recipe of the architecture, or from Keras.

    Parameters
    ----------
    pipeline : CandidatePipeline
        The candidate.
    names : list of str
        The parameters of a search.
    """
    given = pipeline.base.get_params()
    optimizer = {f"{_OPTIMIZER}{key}": value for key, value in _of_optimizer(pipeline).items()}
    network = {
        name: value
        for name, value in getattr(pipeline.network, "get_params", dict)().items()
        if name.startswith("model__")
    }
    found = {**network, **optimizer}
    found |= {n: given[pipeline.locate(n)] for n in names if pipeline.locate(n) in given}
    if found.get(_SMOOTHING) == "auto":
        found[_SMOOTHING] = recipe_of(pipeline.network._builder()).label_smoothing
    return {n: value for n, value in found.items() if value is not None and _is_known(value)}


def _is_known(value: Any) -> bool:
    return not (isinstance(value, str) and value == "auto")


def _of_optimizer(pipeline: CandidatePipeline) -> dict[str, Any]:
    """Return the numbers that the optimizer has when none is given."""
    network = pipeline.network
    wanted = getattr(network, "optimizer", None)
    if not hasattr(network, "_builder") or not isinstance(wanted, str):
        return {}
    options: Mapping[str, Any] = {}
    if wanted == "auto":
        recipe = recipe_of(network._builder()).optimizer
        wanted, options = (recipe, {}) if isinstance(recipe, str) else recipe(
            not is_classifier(network)
        )  # fmt: skip
    if isinstance(wanted, str):
        wanted = type(load_keras().optimizers.get(wanted))
    arguments = inspect.signature(wanted).parameters.values()
    defaults = {item.name: item.default for item in arguments if item.default is not item.empty}
    return {**defaults, **options}
