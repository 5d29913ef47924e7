"""Folds that are trained already, in the form in which scikit-learn's functions take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from joblib import effective_n_jobs
from sklearn import get_config
from sklearn.base import clone, is_classifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.parallel import Parallel, delayed

from ._folds import Fold, FoldOptions, fit_folds


class FrozenSplits:
    """A splitter that has split already; asks for the metadata that `cv` asks for."""

    def __init__(self, cv: Any, splits: list[Any]) -> None:
        self.cv = cv
        self.splits = splits
        if hasattr(cv, "get_metadata_routing"):
            self.get_metadata_routing = cv.get_metadata_routing

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Any]:
        """Return the splits that were made before."""
        return iter(self.splits)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return their number."""
        return len(self.splits)


def prepare_splits(
    estimator: Any, X: Any, y: Any, cv: Any, groups: Any, params: Any, scorer: Any = None
) -> tuple[FrozenSplits, dict[str, Any]] | None:
    """Return the splits and what ``fit`` gets of the metadata, as scikit-learn finds them.

    None where it refuses the metadata, which it then says itself.
    """
    params = {} if params is None else params
    cv = check_cv(cv, y, classifier=is_classifier(estimator))
    if not get_config()["enable_metadata_routing"]:
        return FrozenSplits(cv, list(cv.split(X, y, groups=groups))), params
    if groups is not None:
        return None
    router = MetadataRouter(owner="cross_validate")
    parts = {
        "splitter": (cv, "split"),
        "estimator": (estimator, "fit"),
        "scorer": (scorer, "score"),
    }
    for name, (part, method) in parts.items():
        if part is not None:
            mapping = MethodMapping().add(caller="fit", callee=method)
            router.add(method_mapping=mapping, **{name: part})
    try:
        routed = process_routing(router, "fit", **params)
    except UnsetMetadataPassedError:
        return None
    return FrozenSplits(cv, list(cv.split(X, y, **routed.splitter.split))), routed.estimator.fit


def train_folds(
    estimator: Any, X: Any, y: Any, splits: list[Any], params: dict[str, Any], n_jobs: int | None
) -> list[Fold]:
    """Train the folds: jointly, or in as many groups as there are processes."""
    options = FoldOptions(fit_params=params, stop_on_error=False)
    n_groups = min(effective_n_jobs(n_jobs), len(splits))
    if n_groups == 1:
        return fit_folds(estimator, X, y, splits, options)
    groups = [splits[len(splits) * i // n_groups : len(splits) * (i + 1) // n_groups]
              for i in range(n_groups)]  # fmt: skip
    parts = Parallel(n_jobs=n_jobs)(
        delayed(fit_folds)(estimator, X, y, group, options) for group in groups
    )
    return [fold for part in parts for fold in part]


def template_of(estimator: Any, folds: Sequence[Fold]) -> Any:
    """Return an estimator whose clones are the trained ones, in turn.

    scikit-learn's own function clones, fits and scores it for every split. ``fit`` of such a clone
    hands over what training has left, once, and is the class's own from then on. So scores,
    warnings, errors and results are scikit-learn's.

    Both methods are set on the object. A wrapper or a subclass would not do: scorers, the caller
    (``return_estimator``) and pickle must meet the trained estimator itself, of its own class.
    """
    remaining = iter(folds)
    template = clone(estimator)
    vars(template)["__sklearn_clone__"] = lambda: _trained(next(remaining))
    return template


def _trained(fold: Fold) -> Any:
    estimator = fold.estimator

    def fit(*_args: Any, **_kwargs: Any) -> Any:
        del vars(estimator)["fit"]
        if fold.error is not None:
            raise fold.error
        return estimator

    vars(estimator)["fit"] = fit
    return estimator
