"""How much each parameter of a search decides about the score, by Optuna's evaluators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..exceptions import DataError, ParameterError, suggest
from ._results import finished_means

EVALUATORS = ("fanova", "ped_anova")
MIN_TRIALS = 5
_LOG_FAMILIES = ("loguniform(", "reciprocal(")  # of scipy
_LOG_RATIO = 20  # greatest value to least, from which a parameter is seen on a logarithmic scale


def is_numeric(values: Any) -> bool:
    """Whether all of `values` are numbers, and not all of them bools."""
    return all(isinstance(value, Real) and not isinstance(value, bool) for value in values)


def is_logarithmic(values: Any, scale: str | None = None) -> bool:
    """Whether positive numbers span so much that only their logarithm is told apart.

    A known `scale` of what they were drawn from decides instead.
    """
    if min(values) <= 0:
        return False
    return max(values) / min(values) >= _LOG_RATIO if scale is None else scale == "log"


def scales_of(space: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return "log" or "linear" for each number of a search's ``space_``.

    Examples
    --------
    >>> from skopt_wrap.tuning._importances import scales_of
    >>> kinds, values = ["real", "integer", "choice"], ["loguniform(1e-4, 1)", "4 to 64", "1, 2"]
    >>> scales_of({"name": ["rate", "units", "layers"], "kind": kinds, "values": values})
    {'rate': 'log', 'units': 'linear'}
    """
    return {
        name: "log" if values.startswith(_LOG_FAMILIES) or values.endswith(", log") else "linear"
        for name, kind, values in zip(space["name"], space["kind"], space["values"], strict=True)
        if kind in ("integer", "real")
    }


def parameter_importances(
    estimator: Any, *, metric: str | None = None, evaluator: Any = "fanova", random_state: int = 0
) -> dict[str, float]:
    """Return the share of each parameter in what the score of a search depends on.

    Computed by Optuna over the completed trials. Few trials give rough numbers, and a parameter
    whose good values the search soon settled on looks unimportant: after a model-based search the
    numbers describe where it looked.

    Parameters
    ----------
    estimator : TunedClassifier or TunedRegressor
        Fitted estimator.
    metric : str or None, default=None
        Which of several metrics; None is the one that the search maximized.
    evaluator : {"fanova", "ped_anova"} or Optuna importance evaluator, default="fanova"
        "fanova" explains the variance of the score by a random forest [1]_, "ped_anova" tells
        what the best tenth of the trials have in common [2]_.
    random_state : int, default=0
        Seed of the random forest.

    Returns
    -------
    importances : dict of str to float
        Greatest first; they add up to 1. Parameters that some trial did not have (conditional
        ones) and those with a single value are left out.

    Raises
    ------
    DataError
        For fewer than five completed trials, trials with equal scores, or no parameter to judge.
    ParameterError
        For an unknown metric or evaluator.

    See Also
    --------
    SearchDisplay : Draws them, ``kind="importances"``.

    References
    ----------
    .. [1] F. Hutter, H. Hoos, K. Leyton-Brown, "An efficient approach for assessing hyperparameter
       importance", ICML 2014.
    .. [2] S. Watanabe, A. Bansal, F. Hutter, "PED-ANOVA: efficiently quantifying hyperparameter
       importance in arbitrary subspaces", IJCAI 2023.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skopt_wrap.tuning import TunedClassifier, parameter_importances
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"n_neighbors": [1, 5, 95], "algorithm": ["brute", "kd_tree"]}
    >>> search = TunedClassifier(KNeighborsClassifier(), tuner="grid", cv=3, space=space)
    >>> list(parameter_importances(search.fit(X, y)))
    ['n_neighbors', 'algorithm']
    """
    check_is_fitted(estimator, "cv_results_")
    name, means = finished_means(estimator, metric)
    params = [dict(row) for row in estimator.cv_results_["params"]]
    scales = scales_of(estimator.space_)
    return importances(params, means, name, evaluator, scales=scales, seed=random_state)


def importances(
    params: list[dict[str, Any]],
    means: np.ndarray,
    metric: str,
    evaluator: Any,
    *,
    scales: Mapping[str, str],
    seed: int = 0,
) -> dict[str, float]:
    """Return importances from the parameters and mean scores of trials, NaN where unfinished."""
    done = np.flatnonzero(np.isfinite(means))
    if len(done) < MIN_TRIALS:
        raise DataError(
            f"parameter importances need at least {MIN_TRIALS} completed trials; the search has "
            f"{len(done)}."
        )
    if np.ptp(means[done]) == 0:
        raise DataError(f"all {len(done)} completed trials have the same {metric}.")
    rows = [params[i] for i in done]
    everywhere = [name for name in rows[0] if all(name in row for row in rows)]
    columns = {name: [row[name] for row in rows] for name in everywhere}
    columns = {name: values for name, values in columns.items() if _several(values)}
    if not columns:
        raise DataError("no parameter has several values and is part of every completed trial.")
    return _evaluate(columns, means[done], _evaluator(evaluator, seed), scales)


def _several(values: list[Any]) -> bool:
    return any(repr(value) != repr(values[0]) for value in values)


def _evaluator(evaluator: Any, seed: int) -> Any:
    from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator

    from ._strategies._optuna import quiet

    if hasattr(evaluator, "evaluate"):
        return evaluator
    if evaluator not in EVALUATORS:
        raise ParameterError(
            f"evaluator={evaluator!r} is unknown. {suggest(str(evaluator), EVALUATORS)}"
        )
    with quiet():
        if evaluator == "fanova":
            return FanovaImportanceEvaluator(seed=seed)
        return PedAnovaImportanceEvaluator()


def _evaluate(
    columns: dict[str, list[Any]], means: np.ndarray, evaluator: Any, scales: Mapping[str, str]
) -> dict[str, float]:
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    from ._strategies._optuna import quiet

    kinds: dict[str, Any] = {}
    codes: dict[str, list[Any]] = {}
    for name, values in columns.items():
        if is_numeric(values):
            codes[name] = [float(value) for value in values]
            low, high = min(codes[name]), max(codes[name])
            log = is_logarithmic(codes[name], scales.get(name))
            kinds[name] = FloatDistribution(low, high, log=log)
        else:  # Optuna's categories are plain values
            codes[name] = [repr(value) for value in values]
            kinds[name] = CategoricalDistribution(tuple(dict.fromkeys(codes[name])))
    with quiet():
        study = optuna.create_study(direction="maximize")
        for i, mean in enumerate(means):
            params = {name: values[i] for name, values in codes.items()}
            study.add_trial(
                optuna.create_trial(params=params, distributions=kinds, value=float(mean))
            )
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: float(share) for name, share in found.items()}
