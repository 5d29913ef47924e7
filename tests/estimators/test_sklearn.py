"""The estimators inside scikit-learn's own tools, where SciKeras and keras.wrappers fall short."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from sklearn.base import is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skopt_wrap import KerasClassifier, KerasRegressor

pytest.importorskip("keras")
pytestmark = pytest.mark.keras

FAST = {"epochs": 6, "optimizer__learning_rate": 0.02, "random_state": 0}


def test_tags_say_what_the_estimators_are():
    assert is_classifier(KerasClassifier()) and is_regressor(KerasRegressor())


def test_scorers_need_probabilities_and_get_them(binary):
    X, y = binary
    scoring = ["roc_auc", "average_precision", "neg_log_loss", "accuracy", "f1"]
    scores = cross_validate(KerasClassifier(**FAST), X, y, cv=2, scoring=scoring)
    assert scores["test_roc_auc"].min() > 0.95 and scores["test_average_precision"].min() > 0.95
    assert scores["test_neg_log_loss"].min() > -0.4


def test_cross_validation_is_stratified():
    y = np.repeat([0, 1, 2], 30)  # sorted: plain folds would each miss a class
    X = np.random.default_rng(0).normal(size=(90, 4)) + 3 * np.eye(4)[y]
    scores = cross_validate(KerasClassifier(**FAST), X, y, cv=3)
    assert scores["test_score"].min() > 0.8


@pytest.mark.parametrize(
    "wrap",
    [
        lambda c: VotingClassifier([("k", c), ("l", LogisticRegression())], voting="soft"),
        lambda c: VotingClassifier([("k", c), ("l", LogisticRegression())], voting="hard"),
        lambda c: StackingClassifier([("k", c), ("l", LogisticRegression())], cv=2),
        lambda c: CalibratedClassifierCV(c, cv=2),
        lambda c: CalibratedClassifierCV(c, cv=2, method="isotonic"),
        lambda c: TunedThresholdClassifierCV(c, cv=2, scoring="f1"),
        lambda c: BaggingClassifier(c, n_estimators=2, random_state=0),
        lambda c: AdaBoostClassifier(c, n_estimators=2, random_state=0),
        lambda c: make_pipeline(StandardScaler(), c),
    ],
    ids="soft hard stacking sigmoid isotonic threshold bagging boosting pipeline".split(),
)
def test_meta_estimators_take_the_classifier(binary, wrap):
    X, y = binary
    model = wrap(KerasClassifier(**FAST)).fit(X, y)
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize(
    "wrap",
    [
        lambda r: VotingRegressor([("k", r), ("l", LinearRegression())]),
        lambda r: TransformedTargetRegressor(r, transformer=StandardScaler()),
    ],
    ids=["voting", "transformed"],
)
def test_meta_estimators_take_the_regressor(line, wrap):
    X, y = line
    assert wrap(KerasRegressor(**{**FAST, "epochs": 40})).fit(X, y).score(X, y) > 0.8


def test_cross_val_predict_and_learning_curve(blobs):
    X, y = blobs
    assert cross_val_predict(KerasClassifier(**FAST), X, y, cv=2, method="predict_proba").shape == (
        90,
        3,
    )
    sizes, _, scores = learning_curve(
        KerasClassifier(**FAST), X, y, cv=2, train_sizes=[0.5, 1.0], shuffle=True, random_state=0
    )
    assert len(sizes) == 2 and np.isfinite(scores).all()


def test_frozen_estimator_is_not_fitted_again(blobs):
    X, y = blobs
    classifier = KerasClassifier(**FAST).fit(X, y)
    frozen = FrozenEstimator(classifier).fit(X, 1 - y % 2)
    np.testing.assert_array_equal(frozen.predict(X), classifier.predict(X))


def test_two_workers_give_the_scores_of_one(blobs):
    X, y = blobs
    grid = {"model__units": [4, 8]}
    search = GridSearchCV(KerasClassifier(**FAST), grid, cv=2, n_jobs=2).fit(X, y)
    serial = GridSearchCV(KerasClassifier(**FAST), grid, cv=2).fit(X, y)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], serial.cv_results_["mean_test_score"]
    )


def test_validation_data_pass_through_the_steps_before(blobs):
    X, y = blobs
    with sklearn.config_context(enable_metadata_routing=True):
        classifier = KerasClassifier(metrics=["accuracy"], **FAST)
        classifier.set_fit_request(X_val=True, y_val=True, sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        model = make_pipeline(scaler, classifier, transform_input=["X_val"])
        model.fit(X, y, X_val=X, y_val=y, sample_weight=np.ones(len(y)))
    fitted = model[-1]
    expected = fitted.score(model[0].transform(X), y)
    assert fitted.history_["val_accuracy"][-1] == pytest.approx(expected, abs=1e-6)


def test_repr_and_html_show_prefixed_parameters():
    classifier = KerasClassifier(model__units=7, optimizer__learning_rate=0.5)
    assert "model__units=7" in repr(classifier)
    assert "optimizer__learning_rate" in classifier._repr_html_()


def test_set_output_of_a_pipeline_reaches_the_classifier(blobs):
    X, y = blobs
    model = make_pipeline(StandardScaler(), KerasClassifier(**FAST)).set_output(transform="pandas")
    import pandas as pd

    frame = pd.DataFrame(X, columns=list("abcd"))
    assert model.fit(frame, y).score(frame, y) > 0.5
    assert model[-1].feature_names_in_.tolist() == list("abcd")
