"""Training that diverges is an error, alone or among others, and leaves nothing behind."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.estimators import FitJob, fit_together
from skopt_wrap.exceptions import DivergedError

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

FAST = {"optimizer": "sgd", "optimizer__learning_rate": 1e20, "random_state": 0}


@pytest.mark.parametrize("options", [{}, {"compile__run_eagerly": True}, {"dtype": "float64"}])
def test_divergence_names_epoch_rate_and_remedy(line, options):
    X, y = line
    regressor = KerasRegressor(epochs=20, **FAST, **options)
    if options.get("dtype") == "float64":
        regressor.set_params(optimizer__learning_rate=1e200)
    with pytest.raises(
        DivergedError, match=r"(?s)epoch \d+ of 20.*learning rate 1e\+2.*clipnorm"
    ) as e:
        regressor.fit(X, y)
    assert isinstance(e.value, FloatingPointError)
    assert not hasattr(regressor, "model_")


def test_loss_of_the_user_that_is_nan_from_the_first_epoch(blobs):
    def loss(y_true, y_pred):
        return keras.ops.mean(keras.ops.log(-keras.ops.abs(y_pred) - 1.0), axis=-1)

    X, y = blobs
    with pytest.raises(DivergedError, match=r"nan in epoch 1 of 3.*logarithm"):
        KerasClassifier(loss=loss, epochs=3).fit(X, y)


@pytest.mark.parametrize("options", [{}, {"compile__run_eagerly": True}])
def test_partial_fit_keeps_the_last_finite_weights(line, options):
    X, y = line
    regressor = KerasRegressor(optimizer="sgd", random_state=0, **options).partial_fit(X, y)
    before, steps = regressor.model_.get_weights(), int(regressor.model_.optimizer.iterations)
    predicted = regressor.predict(X)
    regressor.model_.optimizer.learning_rate = 1e20
    for _ in range(2):
        with pytest.raises(DivergedError):
            for _ in range(5):
                regressor.partial_fit(X, y)
    for now in regressor.model_.get_weights():
        assert np.isfinite(now).all()
    assert int(regressor.model_.optimizer.iterations) >= steps
    regressor = KerasRegressor(optimizer="sgd", random_state=0, **options).partial_fit(X, y)
    with pytest.raises(DivergedError):
        regressor.partial_fit(X, y * 1e30)
    for now, then in zip(regressor.model_.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    np.testing.assert_array_equal(regressor.predict(X), predicted)


def test_one_of_several_joint_fits_fails_alone(line):
    X, y = line
    good = KerasRegressor(optimizer="sgd", epochs=3, random_state=0)
    bad = clone(good).set_params(optimizer__learning_rate=1e20, epochs=6)
    jobs = [FitJob(clone(good), X, y), FitJob(bad, X, y), FitJob(clone(good), X, y)]
    outcomes = fit_together(jobs)
    assert isinstance(outcomes[1].error, DivergedError) and not hasattr(bad, "model_")
    assert [o.error for o in (outcomes[0], outcomes[2])] == [None, None]
    assert outcomes[0].path == "joint"
    np.testing.assert_allclose(jobs[0].estimator.predict(X), good.fit(X, y).predict(X), rtol=1e-5)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning", "ignore::UserWarning")
def test_grid_search_gives_the_candidate_no_score(line):
    grid = {"optimizer__learning_rate": [1e20, 0.01]}
    regressor = KerasRegressor(optimizer="sgd", epochs=4, random_state=0)
    search = GridSearchCV(regressor, grid, cv=2).fit(*line)
    scores = search.cv_results_["mean_test_score"]
    assert np.isnan(scores[0]) and np.isfinite(scores[1])


def test_best_weights_from_before_the_divergence_are_good(line):
    X, y = line

    def rates(epoch, rate):
        return rate if epoch < 3 else 1e20

    regressor = KerasRegressor(
        optimizer="sgd", epochs=8, learning_rate_schedule=rates, early_stopping=20,
        validation_split=0.2, random_state=0,
    ).fit(X, y)  # fmt: skip
    assert np.isfinite(regressor.predict(X)).all()
    assert not np.isfinite(regressor.history_["loss"][-1]) and regressor.n_iter_ < 8


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function", "score"])
def test_prediction_never_turns_nan_into_a_label(blobs, method):
    X, y = blobs
    classifier = KerasClassifier(epochs=1, random_state=0).fit(X, y)
    weights = classifier.model_.get_weights()
    classifier.model_.set_weights([w * np.nan for w in weights])
    arguments = (X, y) if method == "score" else (X,)
    with pytest.raises(DivergedError, match=r"90 of 90 samples.*weights are not finite"):
        getattr(classifier, method)(*arguments)
    classifier.model_.set_weights([w * 1e30 for w in weights])
    far = X.copy()
    far[7] *= 1e30
    with pytest.raises(DivergedError, match=r"not finite for .* row"):
        classifier.predict(far)


def test_mask_of_infinities_is_no_divergence():
    class Mask(keras.layers.Layer):
        def build(self, shape):
            self.mask = self.add_weight(
                shape=(shape[-1],),
                initializer=keras.initializers.Constant(-np.inf),
                trainable=False,
            )

        def call(self, x):
            return x + keras.ops.exp(self.mask)

    def build(meta):
        return keras.Sequential([keras.Input((3,)), Mask(), keras.layers.Dense(1)])

    X = np.random.default_rng(0).normal(size=(20, 3))
    assert KerasRegressor(build, epochs=1).fit(X, X[:, 0]).n_iter_ == 1
