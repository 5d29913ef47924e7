"""Split an estimator into the transformers in front of a Keras network and the network's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
from scipy import sparse
from sklearn import get_config
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.utils.validation import check_is_fitted

from .._pipelines import last_step
from .._sklearn import check_sample_weight, safe_indexing
from ..estimators import is_plain, wrap_plain, wrap_trained
from ..exceptions import DataError, ParameterError
from ._decision import Decision
from ._fine_tuning_data import FineTuningData
from ._serialization import check_form

_CONTRACT = ("network_input", "model_", "target_encoder_")


@dataclass
class Parts:
    """The steps of a fitted estimator.

    Attributes
    ----------
    network : estimator
        Holds ``model_``, ``target_encoder_`` and ``network_input``.
    transformers : list of transformers and samplers
        Steps in front of it, in order.
    decision : Decision
        How labels follow from the network's probabilities.
    targets : list of TransformedTargetRegressor
        Fitted, from the outside in: what they do to the target stands behind the file.
    """

    network: Any
    transformers: list[Any] = field(default_factory=list)
    decision: Decision = field(default_factory=Decision)
    targets: list[TransformedTargetRegressor] = field(default_factory=list)

    def network_input(self, X: Any) -> np.ndarray:
        """Return the rows of `X` as the network takes them; samplers are passed by."""
        for step in self.transformers:
            if not _is_sampler(step):
                X = step.transform(X)
        return self.network.network_input(X)

    def resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Return transformed rows for training: samplers act, as in the pipeline's `fit`."""
        for step in self.transformers:
            if _is_sampler(step):
                X, y = clone(step).fit_resample(X, y)
            else:
                X = step.transform(X)
        return X, y

    def training_data(
        self, X: Any, y: Any, sample_weight: Any, epochs: int, X_unlabelled: Any = None
    ) -> FineTuningData:
        """Return rows and settings for fine-tuning."""
        network = self.network
        if sample_weight is not None and any(map(_is_sampler, self.transformers)):
            raise DataError(
                "sample_weight cannot follow the rows that a sampler of the pipeline draws or "
                "makes: leave one of them out."
            )
        more = None if X_unlabelled is None else self.network_input(X_unlabelled)
        X, y = self.resample(X, y)
        for target in self.targets:
            y = _transformed(target, y)
        class_weight = getattr(network, "class_weight", None)
        if class_weight is not None:
            y = np.asarray(y)
            weights = np.ones(len(y)) if sample_weight is None else sample_weight
            sample_weight = network._class_weights(y, weights, network.target_encoder_)
        return FineTuningData(
            x=network.network_input(X),
            y=network.target_encoder_.transform(y),
            sample_weight=sample_weight,
            loss=network.model_.loss,
            epochs=int(epochs),
            batch_size=int(getattr(network, "batch_size_", None) or 32),
            x_unlabelled=more,
        )


def _transformed(target: TransformedTargetRegressor, y: Any) -> np.ndarray:
    """Return the target as the regressor inside of a TransformedTargetRegressor gets it."""
    y = np.asarray(y)
    changed = np.asarray(target.transformer_.transform(y.reshape(-1, 1) if y.ndim == 1 else y))
    return changed[:, 0] if changed.ndim == 2 and changed.shape[1] == 1 else changed


def restored(target: TransformedTargetRegressor, values: np.ndarray) -> np.ndarray:
    """Return predictions of the regressor inside in the units of the outer target."""
    column = values.reshape(-1, 1) if values.ndim == 1 else values
    found = np.asarray(target.transformer_.inverse_transform(column))
    return found[:, 0] if values.ndim == 1 and found.ndim == 2 else found


def _is_sampler(step: Any) -> bool:
    return hasattr(step, "fit_resample")


def split_estimator(estimator: Any) -> Parts:
    """Return the parts of a fitted estimator.

    Raises
    ------
    ParameterError
        When it holds no Keras network.
    """
    transformers: list[Any] = []
    decision = Decision()
    settled = False  # the outermost rule decides
    targets: list[TransformedTargetRegressor] = []
    inner = estimator
    while True:
        # A frozen estimator forwards attributes: it must be opened before it is asked for them.
        if isinstance(inner, FrozenEstimator):
            inner = inner.estimator
        elif hasattr(inner, "steps"):
            transformers += [step for _, step in inner.steps[:-1] if _acts(step)]
            inner = inner[-1]
        elif hasattr(inner, "best_estimator_"):
            inner = inner.best_estimator_
        elif isinstance(inner, TransformedTargetRegressor):
            check_is_fitted(inner)
            targets.append(inner)
            inner = inner.regressor_
        elif _has_threshold(inner):
            if not settled:  # "auto" is scikit-learn's one half
                decision.threshold = 0.5 if inner.threshold == "auto" else float(inner.threshold)
            inner, settled = inner.estimator_, True
        elif hasattr(inner, "best_threshold_"):
            _check_response(inner, inner.estimator_)
            if not settled:
                decision.add_rule(inner)
            inner, settled = inner.estimator_, True
        elif hasattr(inner, "resampled_prior_"):
            decision.add_prior(inner)
            inner, settled = inner.estimator_, True
        elif all(hasattr(inner, name) for name in _CONTRACT):
            return Parts(inner, transformers, decision, targets)
        else:
            raise _no_network(inner)


def _check_response(searched: Any, estimator: Any) -> None:
    """Raise unless a threshold is one of probabilities.

    Raises
    ------
    ParameterError
        For a threshold of anything else.
    """
    method = searched.response_method
    if method not in ("auto", "predict_proba") or not hasattr(estimator, "predict_proba"):
        raise ParameterError(
            f"estimator: {type(searched).__name__} must choose the threshold of a probability: "
            f"response_method 'auto' or 'predict_proba', got {method!r}."
        )
    if not hasattr(searched, "pos_label_"):
        # scikit-learn keeps to itself which class a threshold is of, but for these scores.
        scoring, classes = searched.scoring, list(searched.classes_)
        plain = scoring in ("accuracy", "balanced_accuracy")
        if not plain and not (isinstance(scoring, str) and (classes[1] == 1 or 1 not in classes)):
            raise ParameterError(
                f"estimator: {type(searched).__name__} does not tell which class its threshold is "
                "of. Use skopt_wrap.ImbalanceAwareScorer.tune."
            )


def _has_threshold(fitted: Any) -> bool:
    """Return whether `fitted` compares the probability of the second class with a number."""
    return (
        isinstance(fitted, FixedThresholdClassifier)
        and (fitted.threshold == "auto" or isinstance(fitted.threshold, Real))
        and fitted.response_method in ("auto", "predict_proba")
        and fitted.pos_label is None
    )


def plain_network(estimator: Any) -> Any:
    """Return the plain network or builder that `estimator` is, frozen or not; None for others."""
    inner = estimator.estimator if isinstance(estimator, FrozenEstimator) else estimator
    return inner if is_plain(inner) else None


def as_estimator(estimator: Any, X: Any, y: Any, random_state: Any) -> Any:
    """Return an estimator that `fit_estimator` can take: `estimator`, or one around a network.

    A plain network or builder gets a new estimator that trains it; a frozen network gets one that
    is fitted already. Others are cloned, which leaves frozen ones as they are.
    """
    network = plain_network(estimator)
    if network is None:
        return clone(estimator)
    if isinstance(estimator, FrozenEstimator):
        return FrozenEstimator(wrap_trained(network, X, y))
    return wrap_plain(network, y, random_state=random_state)


SEEN = "rows that the frozen network may have seen in its training"


def is_frozen(estimator: Any) -> bool:
    """Return whether the network of `estimator` was trained before, on rows nobody knows."""
    inner = last_step(estimator)
    while not isinstance(inner, FrozenEstimator) and hasattr(inner, "estimator"):
        inner = last_step(inner.estimator)
    return isinstance(inner, FrozenEstimator)


def check_estimator(estimator: Any) -> None:
    """Raise, before anything is trained, when `estimator` cannot hold a Keras network.

    Raises
    ------
    ParameterError
        When the last step is neither a Keras estimator nor a search around one.
    """
    network = plain_network(estimator)
    if network is not None:
        if hasattr(network, "get_weights"):
            check_form(network, "estimator")
        return
    inner = estimator
    while True:
        if last_step(inner) is not inner:
            inner = last_step(inner)
        elif hasattr(inner, "best_estimator_"):
            return
        elif isinstance(inner, TransformedTargetRegressor):
            inner = inner.regressor
        elif isinstance(inner, FixedThresholdClassifier) and not _has_threshold(inner):
            raise ParameterError(
                "estimator: a FixedThresholdClassifier must compare the probability of classes_[1] "
                "with a number: response_method 'auto' or 'predict_proba' and pos_label None; got "
                f"response_method={inner.response_method!r}, pos_label={inner.pos_label!r}, "
                f"threshold={inner.threshold!r}."
            )
        elif hasattr(inner, "estimator"):
            inner = inner.estimator
        elif hasattr(inner, "network_input") or isinstance(inner, MetaEstimatorMixin):
            return  # what a search finds is known after its fit
        else:
            raise _no_network(inner)


def _no_network(found: Any) -> ParameterError:
    return ParameterError(
        "estimator must be a KerasClassifier or KerasRegressor, have one as its fitted "
        "best_estimator_, be a Pipeline that ends in one, or a keras.Model or a builder of one "
        f"(within a Pipeline: KerasClassifier(model)); found {type(found).__name__}."
    )


def _acts(step: Any) -> bool:
    return step is not None and not isinstance(step, str)


def fit_estimator(estimator: Any, X: Any, y: Any, sample_weight: Any) -> Any:
    """Fit `estimator`; a frozen one only has to be fitted already.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        For a frozen estimator that was never fitted.
    """
    if isinstance(estimator, FrozenEstimator):
        check_is_fitted(estimator.estimator)
        return estimator
    if sample_weight is None:
        return estimator.fit(X, y)
    return estimator.fit(X, y, **{_weight_name(estimator): sample_weight})


def _weight_name(estimator: Any) -> str:
    """Return the keyword by which weights reach the last step."""
    if hasattr(estimator, "steps") and not get_config()["enable_metadata_routing"]:
        return f"{estimator.steps[-1][0]}__sample_weight"
    return "sample_weight"


def weighted_rows(X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, np.ndarray | None]:
    """Return the rows that have a weight, and their weights as an array."""
    if sample_weight is None:
        return X, y, None
    weight = check_sample_weight(sample_weight, np.zeros((len(np.asarray(y)), 1)))
    kept = np.flatnonzero(weight)
    if len(kept) == len(weight):
        return X, y, weight
    X, y = (part if hasattr(part, "shape") else np.asarray(part) for part in (X, y))
    return safe_indexing(X, kept), safe_indexing(y, kept), weight[kept]


_CHECK_ROWS = 64


def check_rows(X: Any) -> Any:
    """Return rows spread over `X`, with which an exported file is checked."""
    if sparse.issparse(X):
        X = X.tocsr()
    elif not hasattr(X, "shape") and not isinstance(X, list):
        X = np.asarray(X)
    n = X.shape[0] if hasattr(X, "shape") else len(X)
    return safe_indexing(X, np.unique(np.linspace(0, n - 1, min(n, _CHECK_ROWS)).astype(int)))
