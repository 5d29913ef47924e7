"""Dimensions around the network, targets of several columns, and searches inside others."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from sklearn.base import clone
from sklearn.metrics import f1_score
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skopt_wrap import KerasClassifier
from skopt_wrap.exceptions import ParameterError
from skopt_wrap.sampling import AugmentingSampler
from skopt_wrap.tuning import TunedClassifier, TunedRegressor
from skopt_wrap.tuning._candidate._threshold import with_threshold

FAST = {"tuner": "grid", "cv": 2, "random_state": 0}
QUICK = {**FAST, "epochs": 1}  # of a network that is no estimator yet


@pytest.fixture
def two(iris):
    X, y = iris
    return X[20:], y[20:]


def test_threshold_moves_the_predictions(two, centroid):
    fitted = centroid.fit(*two)
    share = [(with_threshold(fitted, t).predict(two[0]) == "c").mean() for t in (0, 0.3, 0.7, 1)]
    assert share[0] == 1 and share[-1] < 1
    assert share == sorted(share, reverse=True)
    expected = np.where(fitted.predict_proba(two[0])[:, 1] >= 0.3, "c", "b")
    assert (with_threshold(fitted, 0.3).predict(two[0]) == expected).all()


def test_decision_threshold_is_a_dimension(two, centroid):
    X, y = two
    est = TunedClassifier(
        centroid, space={"power": [1.0, 2.0], "decision_threshold": [1e-6, 0.5, 1 - 1e-6]},
        preprocessor=StandardScaler(), **FAST,
    ).fit(X, y)  # fmt: skip
    assert est.best_params_["decision_threshold"] == 0.5
    assert isinstance(est.best_estimator_, FixedThresholdClassifier)
    splits = [trial.scores["score"] for trial in est.trials_]
    assert splits[0] == [0.5, 0.5]  # nearly everything is the second class
    assert est.n_features_in_ == 4 and list(est.classes_) == ["b", "c"]
    assert est.score(X, y) > 0.6
    back = pickle.loads(pickle.dumps(est))
    again = clone(est.best_estimator_).fit(X, y)
    assert (back.predict(X) == est.predict(X)).all()
    assert (again.predict(X) == est.predict(X)).all()


@pytest.mark.keras
def test_threshold_of_a_network_and_its_size(two):
    est = TunedClassifier(
        space={"model__units": [4], "decision_threshold": [0.3, 0.6]},
        objectives=["f1_macro", "parameters"], scoring=["f1_macro", "roc_auc"],
        **{**QUICK, "tuner": "random", "max_trials": 2},
    ).fit(*two)  # fmt: skip
    auc = est.cv_results_["mean_test_roc_auc"]
    assert auc[0] == pytest.approx(auc[1])  # the same network
    assert est.model_.count_params() == est.trials_[0].n_parameters
    assert est.network_output(two[0]).shape[0] == 40
    threshold = est.best_params_["decision_threshold"]
    expected = np.where(est.predict_proba(two[0])[:, 1] >= threshold, "c", "b")
    assert (est.predict(two[0]) == expected).all()
    assert est.score(*two) == f1_score(two[1], expected, average="macro")


@pytest.mark.parametrize("classes", [3, "labels", "numbers"])
def test_decision_threshold_needs_two_classes(classes, iris, centroid):
    X, y = iris
    kind = TunedRegressor if classes == "numbers" else TunedClassifier
    if classes == "labels":
        y = np.column_stack([y == "a", y == "b"]).astype(int)
    if classes == "numbers":
        y = X[:, 0]
    with pytest.raises(ParameterError, match="'decision_threshold', which two classes have"):
        kind(space={"decision_threshold": [0.5], "model__units": [2]}, **FAST).fit(X, y)


class Watching(RandomOverSampler):
    """An over-sampler that notes how many rows it is fitted on."""

    seen = []  # noqa: RUF012

    def fit_resample(self, X, y, **params):
        Watching.seen.append(len(y))
        return super().fit_resample(X, y, **params)


def test_parameters_of_the_sampler_are_searched_on_training_rows_only(iris, centroid):
    Watching.seen = []
    X, y = iris[0][:50], iris[1][:50]
    est = TunedClassifier(
        centroid, sampler=Watching(), space={"sampler__sampling_strategy": ["minority", "all"]},
        **FAST,
    ).fit(X, y)  # fmt: skip
    assert len(est.trials_) == 2
    assert Watching.seen == [25] * 4 + [50]


@pytest.mark.keras
def test_dimensions_of_the_network_s_estimator(iris):
    network = KerasClassifier(epochs=1, augment=AugmentingSampler("tabular"), random_state=0)
    est = TunedClassifier(
        network,
        space={"augment__magnitude": [0.1, 0.5], "learning_rate_schedule": ["cosine"]},
        **QUICK,
    ).fit(*iris)
    assert len(est.trials_) == 2
    assert est.best_estimator_.learning_rate_schedule == "cosine"
    assert est.best_estimator_.augment.magnitude == est.best_params_["augment__magnitude"]
    assert network.augment.magnitude == 1.0
    plain = TunedClassifier(
        space={"class_weight": [None, "balanced", {"a": 2.0}], "model__units": 3}, **QUICK
    ).fit(*iris)
    assert [trial.params["class_weight"] for trial in plain.trials_][2] == {"a": 2.0}


@pytest.mark.keras
def test_several_labels_and_several_numbers(iris):
    X, y = iris
    labels = np.column_stack([y == "a", y != "c"]).astype(int)
    multilabel = TunedClassifier(
        space={"model__units": [3, 4]}, scoring="f1_micro", **QUICK
    ).fit(X, labels)  # fmt: skip
    assert multilabel.predict(X).shape == (60, 2)
    assert set(np.unique(multilabel.predict(X))) <= {0, 1}
    numbers = TunedRegressor(
        space={"model__units": [3, 4]}, objectives=["score", "size"],
        **{**QUICK, "tuner": "random", "max_trials": 2},
    ).fit(X, X[:, :2])  # fmt: skip
    assert numbers.predict(X).shape == (60, 2)
    assert numbers.pareto_front_["index"].size >= 1


def test_search_inside_scikit_learn_s_searches(iris, centroid):
    est = TunedClassifier(centroid, space={"power": [1.0, 2.0]}, **FAST)
    assert len(cross_val_score(make_pipeline(StandardScaler(), est), *iris, cv=2)) == 2
    outer = GridSearchCV(est, {"tuner": ["grid", "random"], "max_trials": [2]}, cv=2)
    outer.fit(*iris)
    assert outer.best_estimator_.best_params_.keys() == {"power"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("preprocessor__with_mean", "but preprocessor is None"),
        ("sampler__k_neighbors", "but sampler is None"),
        ("decision_treshold", "Did you mean 'decision_threshold'"),
        ("preproc__with_mean", "Did you mean 'preprocessor'"),
        ("powr", "Invalid parameter 'powr'"),
    ],
)
def test_names_around_the_network_are_refused_by_name(name, message, two, centroid):
    with pytest.raises(ValueError, match=message):
        TunedClassifier(centroid, space={name: [0.1, 0.2]}, **FAST).fit(*two)


def test_weights_of_another_length_are_refused_at_once(two, centroid):
    est = TunedClassifier(centroid, space={"power": [1.0, 2.0]}, **FAST)
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[40, 3\]"):
        est.fit(*two, sample_weight=np.ones(3))
