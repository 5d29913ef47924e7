"""``members``: several networks in one estimator, averaged, with a measure of doubt."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.estimators import FitJob, fit_together
from skopt_wrap.exceptions import ParameterError

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras


def alone(estimator, X, y, **fit):
    """Fit what the members are, one by one."""
    rng = np.random.RandomState(0)
    return [
        clone(estimator)
        .set_params(members=None, random_state=int(rng.randint(2**31 - 1)))
        .fit(X, y, **fit)
        for _ in range(estimator.members)
    ]


def test_probabilities_are_the_mean_of_networks_trained_alone(blobs):
    X, y = blobs
    estimator = KerasClassifier(members=3, epochs=4, random_state=0).fit(X, y)
    members = np.stack([one.predict_proba(X) for one in alone(estimator, X, y)])
    mean = members.mean(axis=0)
    np.testing.assert_allclose(estimator.predict_proba(X), mean, atol=2e-4)
    distance = np.abs(members - mean).sum(axis=2).mean(axis=0) / 2
    np.testing.assert_allclose(estimator.predict_spread(X), distance, atol=2e-4)
    assert estimator.fit_path_ == "joint" and estimator.n_iter_ == 4
    assert len(estimator.history_["loss"]) == 4
    assert (estimator.predict(X) == estimator.classes_[mean.argmax(axis=1)]).mean() > 0.95


def test_numbers_are_the_mean_and_the_spread_a_deviation(line):
    X, y = line
    estimator = KerasRegressor(members=2, epochs=3, random_state=0).fit(X, y)
    members = np.stack([one.predict(X) for one in alone(estimator, X, y)])
    np.testing.assert_allclose(estimator.predict(X), members.mean(axis=0), atol=2e-3)
    np.testing.assert_allclose(estimator.predict_spread(X), members.std(axis=0), atol=2e-3)
    several = KerasRegressor(members=2, epochs=1).fit(X, np.c_[y, -y])
    assert several.predict_spread(X).shape == several.predict(X).shape == (80, 2)


@pytest.mark.parametrize("kind", ["binary", "multilabel", "lstm"])
def test_other_targets_and_networks_that_are_trained_alone(blobs, kind):
    X, y = blobs
    target = {"binary": y > 0, "multilabel": np.c_[y > 0, y > 1].astype(int), "lstm": y}[kind]
    model = "lstm" if kind == "lstm" else "dense"
    estimator = KerasClassifier(model, members=2, epochs=2, random_state=0).fit(X, target)
    members = np.stack([one.predict_proba(X) for one in alone(estimator, X, target)])
    np.testing.assert_allclose(estimator.predict_proba(X), members.mean(axis=0), atol=2e-4)
    spread = estimator.predict_spread(X)
    assert spread.shape == ((90, 2) if kind == "multilabel" else (90,))
    assert (spread >= 0).all() and (spread <= 1).all() and spread.max() > 0


def test_one_network_pickles_saves_clones_and_compresses(blobs, tmp_path):
    from skopt_wrap.compression import compress

    X, y = blobs
    estimator = KerasClassifier(members=2, epochs=2, random_state=0).fit(X, y)
    expected = estimator.predict_proba(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(estimator)).predict_proba(X), expected)
    assert clone(estimator).members == 2
    estimator.model_.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_allclose(loaded.predict(X.astype("float32"), verbose=0), expected, atol=1e-6)
    file = compress(estimator.model_, X[:30].astype("float32"), quantization=None)
    outputs = np.asarray(file.predict(X.astype("float32"))).reshape(expected.shape)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


def test_validation_rows_and_folds(blobs):
    X, y = blobs
    estimator = KerasClassifier(members=2, epochs=3, early_stopping=1, random_state=0)
    assert "val_loss" in clone(estimator).fit(X, y).history_
    assert "val_loss" in clone(estimator).fit(X, y, X_val=X, y_val=y).history_
    assert cross_val_score(estimator, X, y, cv=2).shape == (2,)
    jobs = [FitJob(clone(estimator), X, y), FitJob(KerasClassifier(epochs=1), X, y)]
    outcomes = fit_together(jobs)
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert jobs[0].estimator.predict_spread(X).shape == (90,)


@pytest.mark.parametrize("members", [0, -1, 1.5, True])
def test_counts_that_are_none(blobs, members):
    with pytest.raises(ParameterError, match="members"):
        KerasClassifier(members=members).fit(*blobs)


def test_what_cannot_go_on_is_refused(blobs):
    X, y = blobs
    estimator = KerasClassifier(members=2, epochs=1)
    with pytest.raises(ParameterError, match="partial_fit"):
        estimator.partial_fit(X, y)
    with pytest.raises(ParameterError, match="warm_start"):
        clone(estimator).set_params(warm_start=True).fit(X, y)
    with pytest.raises(ParameterError, match="fit_dataset"):
        estimator.fit_dataset(None)
    with pytest.raises(ParameterError, match="members=2 or more"):
        KerasClassifier(epochs=1).fit(X, y).predict_spread(X)
    one = KerasClassifier(members=1, epochs=1, random_state=0).fit(X, y)
    same = KerasClassifier(epochs=1, random_state=0).fit(X, y)
    np.testing.assert_array_equal(one.predict_proba(X), same.predict_proba(X))
