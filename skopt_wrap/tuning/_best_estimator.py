"""Methods, attributes and tags of a search that are those of its best estimator."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from sklearn import get_config
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._pipelines import leading_steps
from ._candidate import _scoring
from ._candidate._threshold import network_of, within


def routing_enabled() -> bool:
    """Whether scikit-learn's metadata routing is on."""
    return bool(get_config()["enable_metadata_routing"])


def _has(name: str) -> Callable[[Any], bool]:
    """Say whether the refitted estimator, or the unfitted candidate, has a method."""

    def check(self: Any) -> bool:
        if hasattr(self, "best_estimator_"):
            getattr(self.best_estimator_, name)
        elif self.refit is False:
            raise AttributeError(
                f"{name!r} is not available, since {type(self).__name__} was told not to refit "
                "(refit=False)."
            )
        else:
            getattr(self._pipeline().base, name)
        return True

    return check


def _network_has(name: str) -> Callable[[Any], bool]:
    """Say whether the network's own estimator has a method."""

    def check(self: Any) -> bool:
        best = getattr(self, "best_estimator_", None)
        getattr(network_of(best) if best is not None else self._pipeline().network, name)
        return True

    return check


class DelegatingMixin:
    """Prediction, scoring, attributes and tags by way of ``best_estimator_``."""

    best_estimator_: Any
    scorer_: Any
    cv: Any
    scoring: Any
    _metric: str
    _pipeline: Any

    @available_if(_has("predict"))
    def predict(self, X: Any) -> Any:
        """Predict with the best estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows to predict.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels or values.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict(X)

    @available_if(_has("predict_proba"))
    def predict_proba(self, X: Any) -> Any:
        """Return class probabilities of the best estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows to predict.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict_proba(X)

    @available_if(_has("predict_log_proba"))
    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithm of the class probabilities of the best estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes), float64
            Columns in the order of ``classes_``.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict_log_proba(X)

    @available_if(_has("decision_function"))
    def decision_function(self, X: Any) -> Any:
        """Return decision values of the best estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows to predict.

        Returns
        -------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Greater means more likely the class; one column less for two classes.
        """
        check_is_fitted(self)
        return self.best_estimator_.decision_function(X)

    @available_if(_has("score"))
    def score(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> float:
        """Score the best estimator with the metric of the search.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows to predict.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.
        **params : dict
            Further metadata for the scorer, with metadata routing enabled.

        Returns
        -------
        score : float
            Greater is better.
        """
        check_is_fitted(self)
        if sample_weight is not None:
            params["sample_weight"] = sample_weight
        if routing_enabled():
            params = process_routing(self, "score", **params).scorer.score
        scorer = self.scorer_[self._metric] if isinstance(self.scorer_, dict) else self.scorer_
        value = scorer(self.best_estimator_, X, y, **params)
        return value[self._metric] if isinstance(value, dict) else value

    @available_if(_network_has("network_input"))
    def network_input(self, X: Any) -> Any:
        """Return `X` as the best network takes it, preprocessed where there is a preprocessor.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows as for `predict`.

        Returns
        -------
        rows : ndarray of shape (n_samples, ...)
            Input of the network.
        """
        check_is_fitted(self)
        return network_of(self.best_estimator_).network_input(self._preprocessed(X))

    @available_if(_network_has("network_output"))
    def network_output(self, X: Any) -> Any:
        """Return the raw outputs of the best network.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows as for `predict`.

        Returns
        -------
        raw : ndarray of shape (n_samples, n_units)
            Logits or values.
        """
        check_is_fitted(self)
        return network_of(self.best_estimator_).network_output(self._preprocessed(X))

    def _preprocessed(self, X: Any) -> Any:
        for _, step in leading_steps(within(self.best_estimator_)):
            if hasattr(step, "transform"):
                X = step.transform(X)
        return X

    def _of_best(self, name: str, *, network: bool = False) -> Any:
        best = self.__dict__.get("best_estimator_")
        if best is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(network_of(best) if network else best, name)

    @property
    def n_features_in_(self) -> int:
        """Number of features seen during `fit`."""
        return self._of_best("n_features_in_")

    @property
    def feature_names_in_(self) -> Any:
        """Names of the features seen during `fit`, when the data had names."""
        return self._of_best("feature_names_in_")

    @property
    def model_(self) -> Any:
        """The best network, a ``keras.Model``."""
        return self._of_best("model_", network=True)

    @property
    def history_(self) -> dict[str, list[float]]:
        """Training history of the best network's last fit."""
        return self._of_best("history_", network=True)

    @property
    def target_encoder_(self) -> Any:
        """Turns raw outputs of the network into predictions."""
        return self._of_best("target_encoder_", network=True)

    def get_metadata_routing(self) -> MetadataRouter:
        """Return who gets which metadata.

        Returns
        -------
        router : MetadataRouter
            ``fit`` routes to the candidate's ``fit``, the splitter and the scorer.
        """
        base = self._pipeline().base
        router = MetadataRouter(owner=self)
        router.add(estimator=base, method_mapping=MethodMapping().add(caller="fit", callee="fit"))
        router.add(
            scorer=_scoring.resolve(base, self.scoring).scorer,
            method_mapping=MethodMapping()
            .add(caller="score", callee="score")
            .add(caller="fit", callee="score"),
        )
        router.add(
            splitter=self.cv,
            method_mapping=MethodMapping().add(caller="fit", callee="split"),
        )
        return router

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        try:
            inner = get_tags(self._pipeline().base)
        except (AttributeError, TypeError, ValueError):
            return tags  # a parameter is wrong; `fit` says which
        tags.input_tags = copy.deepcopy(inner.input_tags)
        tags.target_tags = copy.deepcopy(inner.target_tags)
        tags.non_deterministic = inner.non_deterministic
        if tags.classifier_tags is not None and inner.classifier_tags is not None:
            tags.classifier_tags = copy.deepcopy(inner.classifier_tags)
        if tags.regressor_tags is not None and inner.regressor_tags is not None:
            tags.regressor_tags = copy.deepcopy(inner.regressor_tags)
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()  # type: ignore[assignment]
        # Keras Tuner's oracles cannot be pickled; trials_ holds what one knew.
        return {name: value for name, value in state.items() if name != "oracle_"}
