"""Search for the best stages of compression within limits of score, size and latency."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import ParameterGrid, check_cv
from sklearn.utils import check_random_state, get_tags, indexable

from .._pareto import pareto_front
from .._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    check_sample_weight,
    fit_context,
    safe_indexing,
)
from ..exceptions import (
    BudgetError,
    BudgetWarning,
    SearchError,
    SkippedWarning,
    SkoptWrapError,
    UnknownParameterError,
    suggest,
)
from ._best_estimator import BestEstimatorMixin
from ._budget import ON_MISSED, Budget
from ._compressed_model import CompressedModel
from ._plan import PLANNED, make_plan
from ._process import conversion_process
from ._stages._pipeline import StageCache
from ._unwrap import SEEN, as_estimator, check_estimator, fit_estimator, is_frozen

DEFAULT_GRID = (
    {"quantization": [None, "float16", "dynamic", "int8"]},
    {"pruning": [0.5, 0.8], "quantization": ["int8"]},
)
_LEARNED = (
    "n_splits_", "scored_on_",
    "cv_results_", "pareto_front_", "best_index_", "best_params_", "best_score_",
    "best_estimator_", "n_features_in_", "feature_names_in_", "classes_",
)  # fmt: skip
_MEASURED = ("score", "drop", "size", "gzip_size", "latency", "batch_latency", "time")


class CompressionSearch(BestEstimatorMixin, MetaEstimatorMixin, BaseEstimator):
    """Find the smallest file that keeps the score, by cross-validation of whole chains.

    For each fold the network is trained once; every candidate compresses a copy of it and is
    scored, through its file, on the fold's held-out rows. The best one is compressed again from a
    network that is trained on all rows.

    Parameters
    ----------
    estimator : estimator, keras.Model or builder
        As :class:`CompressedModel` takes it. A frozen one is not trained again, in no fold: its
        scores are only as honest as the rows given to `fit` are new to it.
    param_grid : dict or list of dict, default=None
        Parameters of :class:`CompressedModel` by name, with the values to try; see
        :class:`sklearn.model_selection.ParameterGrid`. None tries every quantization that needs
        no further library, and int8 after pruning to 50 % and 80 %.
    cv : int, cross-validation generator or iterable, default=5
        Folds, as scikit-learn takes them.
    scoring : str or callable, default=None
        Score; None is accuracy or R^2.
    max_score_drop : float, default=0.01
        Largest accepted mean loss of score against the trained network. Among the candidates
        within it (and within the other budgets) the smallest file wins. None: the best score
        wins, and the smaller file where scores are equal.
    max_size, max_latency : int, float or str, default=None
        Budgets of the mean size and of the mean median latency of one row; see
        :class:`CompressedModel`.
    on_missed_budget : {"raise", "warn"}, default="raise"
        What happens when no candidate meets the budgets: a BudgetError, or a warning and the
        candidate with the best score.
    fine_tune_epochs : int, default=10
        Epochs of fine-tuning of each stage that trains, unless `param_grid` holds it.
    calibration_samples : int, default=256
        Rows on which ranges of integer activations are measured.
    num_threads : int, default=1
        Threads of the LiteRT interpreter.
    random_state : int, RandomState instance or None, default=None
        Seed of every candidate, the same one for all.
    verbose : int, default=0
        Above 0, each candidate is printed with its result.

    Attributes
    ----------
    best_estimator_ : CompressedModel
        The best candidate, compressed from a network trained on all rows.
    best_params_ : dict
        Its parameters.
    best_score_ : float
        Its mean score on held-out rows.
    best_index_ : int
        Its position in `cv_results_`.
    cv_results_ : dict of str to list or ndarray
        One entry for each candidate, ready for ``pandas.DataFrame``: ``params``,
        ``mean_test_score``, ``std_test_score``, ``split<i>_test_score``, ``rank_test_score``,
        ``mean_drop`` (against the trained network), ``mean_size``, ``mean_gzip_size`` (bytes),
        ``mean_latency``, ``mean_batch_latency``, ``mean_time`` (seconds of its stages; those that
        several candidates begin with are run once), ``within_budget``, ``on_front`` and ``error``.
        A candidate that failed has NaN and its error.
    pareto_front_ : ndarray of int
        Candidates that no other one beats in score, size and latency at once, smallest first.
    n_splits_ : int
        Number of folds.
    scored_on_ : str
        Which rows the scores were computed on: those of a frozen network may be rows that it was
        trained on, and are no evidence then. The repr says so too.
    classes_ : ndarray of shape (n_classes,)
        Labels; classifiers only.
    n_features_in_ : int
        Features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where `X` has them.

    Raises
    ------
    BudgetError
        When no candidate meets the budgets, naming what came nearest.
    SearchError
        When every candidate fails; the first error is chained.
    UnknownParameterError
        For a name in `param_grid` that :class:`CompressedModel` does not have.

    See Also
    --------
    CompressedModel : One chain.
    CompressionDisplay : Draws the candidates and the front.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skopt_wrap import CompressionSearch, KerasClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> network = KerasClassifier("dense", epochs=20, random_state=0)
    >>> grid = {"quantization": ["float16", "int8"]}
    >>> search = CompressionSearch(network, grid, cv=2, max_score_drop=0.1, random_state=0)
    >>> search = search.fit(X, y)
    >>> len(search.cv_results_["params"]), len(search.best_estimator_.tflite_model_) < 20_000
    (2, True)
    """

    _parameter_constraints: dict[str, list[Any]] = {  # noqa: RUF012
        "estimator": [HasMethods(["fit", "predict"]), callable],
        "param_grid": [dict, list, tuple, None],
        "cv": ["cv_object"],
        "scoring": [str, callable, None],
        "max_score_drop": [Real, None],
        "max_size": [Real, str, None],
        "max_latency": [Real, str, None],
        "on_missed_budget": [StrOptions(set(ON_MISSED))],
        "fine_tune_epochs": [Interval(Integral, 1, None, closed="left")],
        "calibration_samples": [Interval(Integral, 1, None, closed="left")],
        "num_threads": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: Any,
        param_grid: Any = None,
        *,
        cv: Any = 5,
        scoring: Any = None,
        max_score_drop: float | None = 0.01,
        max_size: int | str | None = None,
        max_latency: float | str | None = None,
        on_missed_budget: str = "raise",
        fine_tune_epochs: int = 10,
        calibration_samples: int = 256,
        num_threads: int = 1,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.param_grid = param_grid
        self.cv = cv
        self.scoring = scoring
        self.max_score_drop = max_score_drop
        self.max_size = max_size
        self.max_latency = max_latency
        self.on_missed_budget = on_missed_budget
        self.fine_tune_epochs = fine_tune_epochs
        self.calibration_samples = calibration_samples
        self.num_threads = num_threads
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> CompressionSearch:
        """Try every candidate and compress with the best.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows, as `estimator` takes them.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target.
        **fit_params : array-like
            `sample_weight` of shape (n_samples,): weights of the rows while training and tuning.

        Returns
        -------
        self : CompressionSearch
            The fitted search.
        """
        sample_weight = fit_params.pop("sample_weight", None)
        if fit_params:
            raise UnknownParameterError(f"fit() takes sample_weight only, got {list(fit_params)}.")
        budget = Budget.of(
            self.max_score_drop, self.max_size, self.max_latency, self.on_missed_budget
        )
        candidates = self._candidates()
        check_estimator(self.estimator)
        for name in _LEARNED:  # a search that fails leaves no result of an earlier fit
            self.__dict__.pop(name, None)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        if y is None:
            # The network's own error: it requires y.
            return fit_estimator(as_estimator(self.estimator, X, y, seed), X, y, None)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, np.zeros((len(np.asarray(y)), 1)))
        X, y = indexable(X, y)
        splits = list(check_cv(self.cv, y, classifier=is_classifier(self)).split(X, y))
        self.n_splits_ = len(splits)
        self.scored_on_ = SEEN if is_frozen(self.estimator) else "held-out rows"
        measured: list[list[Any]] = [[] for _ in candidates]
        errors: list[Exception | None] = [None] * len(candidates)
        with conversion_process().lease():
            for train, test in splits:
                rows = [safe_indexing(part, train) for part in (X, y)]
                held_out = [safe_indexing(part, test) for part in (X, y)]
                weight = None if sample_weight is None else sample_weight[train]
                frozen = self._trained(rows[0], rows[1], weight, seed)
                cache = StageCache()  # stages that several candidates begin with
                for i, params in enumerate(candidates):
                    if errors[i] is not None:
                        continue
                    try:
                        model = self._model(frozen, params, seed)
                        found = _measure(model, rows, weight, held_out, cache)
                    except SkoptWrapError as error:
                        errors[i] = error
                        warnings.warn(f"{params} is left out: {error}", SkippedWarning, 2)
                    else:
                        measured[i].append(found)
                        if self.verbose:
                            print(f"[CompressionSearch] {params}: {found}")
            if all(error is not None for error in errors):
                raise SearchError(f"every candidate failed; the first: {errors[0]}") from errors[0]
            self.cv_results_ = _table(candidates, measured, errors, budget)
            table = self.cv_results_
            self.pareto_front_ = np.flatnonzero(table["on_front"])
            self.pareto_front_ = self.pareto_front_[
                np.argsort(table["mean_size"][self.pareto_front_], kind="stable")
            ]
            self.best_index_ = self._choose(table, budget)
            self.best_params_ = candidates[self.best_index_]
            self.best_score_ = float(table["mean_test_score"][self.best_index_])
            best = self._model(self._trained(X, y, sample_weight, seed), self.best_params_, seed)
            self.best_estimator_ = best.fit(X, y, sample_weight)
        for name in ("n_features_in_", "feature_names_in_", "classes_"):
            if hasattr(best, name):
                setattr(self, name, getattr(best, name))
        return self

    def _candidates(self) -> list[dict[str, Any]]:
        """Return the candidates, each of them checked."""
        grid = DEFAULT_GRID if self.param_grid is None else self.param_grid
        candidates = list(ParameterGrid(grid if isinstance(grid, Mapping) else list(grid)))
        defaults = CompressedModel(None).get_params(deep=False)
        for params in candidates:
            for name in params:
                if name not in PLANNED:
                    raise UnknownParameterError(
                        f"param_grid: {name!r} is no stage parameter of CompressedModel. "
                        + suggest(name, PLANNED)
                    )
            make_plan({name: params.get(name, defaults[name]) for name in PLANNED})
        return candidates

    def _trained(self, X: Any, y: Any, sample_weight: Any, seed: int) -> Any:
        estimator = fit_estimator(as_estimator(self.estimator, X, y, seed), X, y, sample_weight)
        return estimator if isinstance(estimator, FrozenEstimator) else FrozenEstimator(estimator)

    def _model(self, frozen: Any, params: dict[str, Any], seed: int) -> CompressedModel:
        settings = {
            "fine_tune_epochs": self.fine_tune_epochs,
            "calibration_samples": self.calibration_samples,
            "num_threads": self.num_threads,
            **params,
        }
        return CompressedModel(frozen, scoring=self.scoring, random_state=seed, **settings)

    def _choose(self, table: dict[str, Any], budget: Budget) -> int:
        """Return the position of the best candidate."""
        score, size = table["mean_test_score"], table["mean_size"]
        within = np.flatnonzero(table["within_budget"])
        if not len(within):
            best = int(np.nanargmax(score))
            message = (
                f"none of {len(score)} candidates meets the budgets {budget.text()}; nearest in "
                f"score: {table['params'][best]} with {score[best]:.4g} (drop "
                f"{table['mean_drop'][best]:.4g}), {size[best]:,.0f} bytes, "
                f"{table['mean_latency'][best]:.3g} s; smallest: "
                f"{np.nanmin(size):,.0f} bytes; fastest: {np.nanmin(table['mean_latency']):.3g} s."
            )
            if self.on_missed_budget == "raise":
                raise BudgetError(message)
            warnings.warn(message, BudgetWarning, stacklevel=3)
            return best
        if self.max_score_drop is None:
            order = np.lexsort((size[within], -score[within]))
        else:
            order = np.lexsort((-score[within], size[within]))
        return int(within[order[0]])

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        """Return the parameters, and a remark when the scores are no evidence."""
        text = super().__repr__(N_CHAR_MAX)
        return f"{text}  # scored on {SEEN}" if getattr(self, "scored_on_", "") == SEEN else text

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there is a best estimator."""
        return hasattr(self, "best_estimator_")

    def __sklearn_tags__(self) -> Any:
        """Return the tags of the estimator."""
        return get_tags(getattr(self, "best_estimator_", CompressedModel(self.estimator)))


def _measure(
    model: CompressedModel, rows: list[Any], weight: Any, held_out: list[Any], cache: StageCache
) -> dict[str, float]:
    """Fit a candidate; return what its report says."""
    model._fit_sharing(cache, rows[0], rows[1], weight, X_val=held_out[0], y_val=held_out[1])
    first, last = model.report_.rows[0], model.report_.rows[-1]
    assert first.score is not None and last.score is not None
    return {
        "score": last.score,
        "drop": first.score - last.score,
        "size": last.bytes,
        "gzip_size": last.gzip_bytes,
        "latency": last.latency_p50,
        "batch_latency": last.latency_batch,
        "time": sum(row.seconds for row in model.report_.rows),
    }


def _table(
    candidates: list[dict[str, Any]],
    measured: list[list[Any]],
    errors: list[Exception | None],
    budget: Budget,
) -> dict[str, Any]:
    """Return `cv_results_`."""
    n_splits = max(len(found) for found in measured)
    nan = dict.fromkeys(_MEASURED, np.nan)
    complete = [
        found if error is None else [nan] * n_splits
        for found, error in zip(measured, errors, strict=True)
    ]
    values = {
        name: np.array([[fold[name] for fold in found] for found in complete], dtype=float)
        for name in _MEASURED
    }
    score = values["score"]
    table: dict[str, Any] = {"params": candidates}
    for i in range(n_splits):
        table[f"split{i}_test_score"] = score[:, i]
    table["mean_test_score"], table["std_test_score"] = score.mean(axis=1), score.std(axis=1)
    worst = np.where(np.isnan(table["mean_test_score"]), -np.inf, table["mean_test_score"])
    table["rank_test_score"] = 1 + (worst[None] > worst[:, None]).sum(axis=1)
    for name in _MEASURED[1:]:
        table[f"mean_{name}"] = values[name].mean(axis=1)
    columns = [table[f"mean_{name}"] for name in ("size", "latency")]
    costs = np.column_stack([-table["mean_test_score"], *columns])
    table["within_budget"] = np.array([budget.holds(*row) for row in zip(
        table["mean_drop"], *columns, strict=True)])  # fmt: skip
    table["on_front"] = pareto_front(costs)
    table["error"] = [None if error is None else str(error) for error in errors]
    return table
