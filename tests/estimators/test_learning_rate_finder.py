from __future__ import annotations

import keras
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skopt_wrap import KerasClassifier, KerasRegressor, LearningRateDisplay, find_learning_rate
from skopt_wrap.exceptions import ModelError, ParameterError
from skopt_wrap.training import TrainingData, range_losses

pytestmark = pytest.mark.keras


def line_model():
    """y = w x from w = 0; the loss (w - 1)^2 can be followed by hand."""
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    return model


def test_losses_are_those_computed_by_hand():
    data = TrainingData(*(np.ones(shape, "float32") for shape in ((4, 1), (4, 1), 4)))
    rates, w, expected = np.array([0.1, 0.2, 0.4]), 0.0, []
    for rate in rates:
        expected.append((w - 1) ** 2)
        w -= rate * 2 * (w - 1)
    losses = range_losses(line_model(), data, rates, batch_size=2, seed=0)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_test_stops_when_the_loss_explodes():
    data = TrainingData(*(np.ones(shape, "float32") for shape in ((4, 1), (4, 1), 4)))
    rates = np.full(50, 3.0)  # the error grows five times in a step
    losses = range_losses(line_model(), data, rates, batch_size=4, seed=0, stop_factor=100.0)
    np.testing.assert_allclose(losses, [1, 25, 625], rtol=1e-4)


def test_suggestion_trains_better_than_rates_far_from_it(digits):
    X, y = digits
    clf = KerasClassifier(optimizer="sgd", model__units=16, epochs=5, random_state=0)
    before = clf.get_params()
    result = find_learning_rate(clf, X, y, max_rate=10.0, random_state=0)
    assert clf.get_params() == before and not hasattr(clf, "model_")
    assert result.rates_[0] == pytest.approx(1e-6) and (np.diff(result.rates_) > 0).all()
    assert result.losses_.shape == result.rates_.shape == result.smoothed_losses_.shape
    scores = {
        factor: clf.set_params(optimizer__learning_rate=result.suggestion_ * factor)
        .fit(X, y).score(X, y)
        for factor in (1 / 100, 1)
    }  # fmt: skip
    assert scores[1] > 0.9 > scores[1 / 100]


def test_fitted_estimator_and_random_states_stay_as_they_are(blobs):
    clf = KerasClassifier(
        model__units=4, epochs=1, learning_rate_schedule="cosine", warm_start=True,
        learning_rate_schedule__warmup=0.1, early_stopping=3, callbacks=[], random_state=0,
    ).fit(*blobs)  # fmt: skip
    weights, state = clf.model_.get_weights(), np.random.get_state()[1].copy()
    first, second = (find_learning_rate(clf, *blobs, n_steps=20) for _ in range(2))
    np.testing.assert_array_equal(first.losses_, second.losses_)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    for before, after in zip(weights, clf.model_.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert clf.early_stopping == 3 and clf.history_.keys() == {"loss", "val_loss", "learning_rate"}


def test_pipelines_samplers_sparse_rows_and_regression(blobs, line):
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.pipeline import make_pipeline as sampling_pipeline

    X, y = blobs
    clf = KerasClassifier(model__units=4, random_state=0)
    scaled = find_learning_rate(make_pipeline(StandardScaler(), clf), X, y, n_steps=10)
    direct = find_learning_rate(clf, StandardScaler().fit_transform(X), y, n_steps=10)
    np.testing.assert_array_equal(scaled.losses_, direct.losses_)
    plain = KerasClassifier(model__units=4, model__normalize=False, random_state=0)
    dense, sparse = (
        find_learning_rate(plain, rows, y, n_steps=10) for rows in (X, sp.csr_array(X))
    )
    np.testing.assert_allclose(dense.losses_, sparse.losses_, rtol=1e-6)
    sampler = sampling_pipeline("passthrough", RandomOverSampler(random_state=0), clf)
    assert len(find_learning_rate(sampler, X[:50], y[:50], n_steps=10).losses_) == 10
    with pytest.raises(ParameterError, match="sample_weight cannot follow"):
        find_learning_rate(sampler, X, y, sample_weight=np.ones(len(y)))
    reg = KerasRegressor(model__units=4, batch_size=-1, random_state=0)
    assert find_learning_rate(reg, *line, n_steps=30).suggestion_ > 0


def test_no_suggestion_where_nothing_is_learned(line):
    X, y = line
    reg = KerasRegressor(model__units=4, batch_size=-1, random_state=0)
    result = find_learning_rate(reg, X, y, n_steps=10, max_rate=1e-5)
    assert result.suggestion_ is None and not result.diverged_
    assert result.plot().suggestion_line_ is None


def test_display_draws_the_test(blobs):
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    clf = KerasClassifier(model__units=4, random_state=0)
    display = LearningRateDisplay.from_estimator(clf, *blobs, ax=ax, n_steps=30)
    assert display.ax_ is ax and ax.get_xscale() == "log"
    np.testing.assert_array_equal(display.line_.get_xdata(), display.result.rates_)
    assert display.suggestion_line_.get_xdata()[0] == display.result.suggestion_
    plt.close("all")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_rate": 0}, "0 < min_rate"),
        ({"min_rate": 1.0}, "min_rate < max_rate.*1.0 and 1.0"),
        ({"n_steps": 5}, "n_steps must be an int >= 10, got 5"),
        ({"smoothing": 0}, r"smoothing must be a number in \(0, 1\], got 0"),
    ],
)
def test_bad_settings_are_refused(blobs, options, message):
    with pytest.raises(ParameterError, match=message):
        find_learning_rate(KerasClassifier(), *blobs, **options)


def test_estimators_that_cannot_be_tested_are_refused(blobs):
    with pytest.raises(ParameterError, match="got StandardScaler"):
        find_learning_rate(StandardScaler(), *blobs)
    own = keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10))
    with pytest.raises(ModelError, match="has a learning-rate schedule"):
        find_learning_rate(KerasClassifier(optimizer=own), *blobs)
