"""Targets of any scale: what is trained in, and what comes back."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

from skopt_wrap import KerasRegressor
from skopt_wrap.architectures import dense
from skopt_wrap.estimators import FitJob, ValueTarget, fit_together
from skopt_wrap.estimators._targets._scaling import QuantileScaling, StandardScaling
from skopt_wrap.estimators._targets._units import scaling_kind
from skopt_wrap.exceptions import DivergedError


def diabetes(n=120):
    X, y = load_diabetes(return_X_y=True)
    return StandardScaler().fit_transform(X)[:n], y[:n]


def regressor(**settings):
    return KerasRegressor(**{"epochs": 4, "random_state": 0, **settings})


def test_mean_and_deviation_by_hand_with_weights_as_repeated_rows():
    table, weights = np.array([[1.0, 5.0], [4.0, 5.0]]), np.array([2.0, 1.0])
    scaling = StandardScaling.of(table, weights)
    assert scaling.mean.tolist() == [2.0, 5.0]
    np.testing.assert_allclose(scaling.scale, [np.sqrt(2.0), 1.0])
    np.testing.assert_allclose(scaling.unscaled(scaling.scaled(table)), table)


def test_quantiles_give_normal_ranks_and_go_back():
    rng = np.random.default_rng(0)
    table = np.exp(3 * rng.normal(size=(3000, 2)))
    weights = rng.integers(0, 3, 3000).astype(float)
    scaling = QuantileScaling.of(table, weights)
    repeated = np.repeat(table, weights.astype(int), axis=0)
    expected = QuantileScaling.of(repeated, np.ones(len(repeated)))
    for ours, theirs in zip(scaling.knots, expected.knots, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    scaled = scaling.scaled(table)[weights > 0]
    assert abs(scaled.mean()) < 0.05 and abs(scaled.std() - 1) < 0.05
    inside = (table > np.quantile(table, 0.01, 0)) & (table < np.quantile(table, 0.99, 0))
    back = scaling.unscaled(scaling.scaled(table))
    np.testing.assert_allclose(back[inside], table[inside], rtol=1e-9)


@pytest.mark.parametrize(("scale", "offset"), [(1e-6, 0.0), (1.0, 1000.0), (1e6, -1e7)])
def test_predictions_follow_the_units_of_the_target(scale, offset):
    X, y = diabetes()
    plain, changed = regressor().fit(X, y), regressor().fit(X, y * scale + offset)
    np.testing.assert_allclose(
        (changed.predict(X) - offset) / scale, plain.predict(X), rtol=1e-3, atol=0.1
    )
    np.testing.assert_allclose(changed.history_["loss"], plain.history_["loss"], rtol=1e-3)
    np.testing.assert_allclose(changed.target_scale_, plain.target_scale_ * scale)


def test_the_network_itself_returns_the_units_of_the_target():
    X, y = diabetes()
    fitted = regressor().fit(X, y)
    np.testing.assert_allclose(fitted.network_output(X)[:, 0], fitted.predict(X))
    in_units = fitted.model_.evaluate(X.astype("float32"), y, verbose=0)
    scaled = np.mean((fitted.predict(X) - y) ** 2) / fitted.target_scale_[0] ** 2
    assert in_units == pytest.approx(scaled * fitted.target_scale_[0] ** 2, rel=1e-4)
    assert fitted.history_["loss"][-1] == pytest.approx(scaled, rel=0.2)


def test_columns_of_different_units():
    X, y = diabetes()
    Y = np.column_stack([y, 1e4 + 1e-3 * y])
    fitted = regressor(epochs=30).fit(X, Y)
    assert fitted.predict(X).shape == Y.shape
    first, second = (np.corrcoef(fitted.predict(X)[:, k], Y[:, k])[0, 1] for k in (0, 1))
    assert first > 0.7 and second > 0.7
    assert fitted.target_scale_.shape == (2,)


@pytest.mark.parametrize("value", [0.0, 7.0, -1e6])
def test_constant_targets(value):
    X, _ = diabetes(40)
    fitted = regressor(epochs=60, optimizer__learning_rate=0.01).fit(X, np.full(40, value))
    np.testing.assert_allclose(fitted.predict(X), value, atol=0.5)
    assert fitted.target_scale_.tolist() == [1.0]


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, "standard"),
        ({"model": "cnn"}, "standard"),
        ({"loss": "mae"}, "standard"),
        ({"loss": "huber"}, "standard"),
        ({"loss": "huber", "loss__delta": 3.0}, None),
        ({"loss": "poisson"}, None),
        ({"loss": "mean_squared_logarithmic_error"}, None),
        ({"loss": "mape"}, None),
        ({"loss": lambda y, p: (y - p) ** 2}, None),
        ({"model": dense}, None),
        ({"model": dense, "target_scaling": True}, "standard"),
        ({"loss": "poisson", "target_scaling": True}, "standard"),
        ({"target_scaling": False}, None),
        ({"target_scaling": "quantile"}, "quantile"),
    ],
)
def test_which_targets_are_scaled(settings, kind):
    assert scaling_kind(KerasRegressor(**settings)) == kind


def test_a_builder_whose_last_layer_cannot_take_the_units_up():
    import keras

    def bounded(meta):
        inputs = keras.Input(meta["X_shape_"][1:])
        hidden = keras.layers.Dense(16, activation="relu")(inputs)
        return keras.Model(inputs, keras.layers.LeakyReLU()(keras.layers.Dense(1)(hidden)))

    X, y = diabetes()
    fitted = regressor(model=bounded, target_scaling=True, epochs=30).fit(X, y)
    assert not fitted.target_encoder_.in_network_
    assert np.corrcoef(fitted.predict(X), y)[0, 1] > 0.4
    assert abs(fitted.network_output(X)).max() < 10


def test_quantile_scaling_stays_outside_and_inside_the_range():
    X, y = diabetes()
    y = np.exp(y / 20)
    fitted = regressor(target_scaling="quantile", epochs=30).fit(X, y)
    predicted = fitted.predict(X)
    assert y.min() <= predicted.min() and predicted.max() <= y.max()
    np.testing.assert_array_equal(
        fitted.target_encoder_.values(fitted.network_output(X)), predicted
    )
    assert abs(fitted.network_output(X)).max() < 10
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), predicted)


def test_training_goes_on_in_the_units_of_the_first_fit():
    X, y = diabetes()
    fitted = regressor(epochs=3).fit(X[:60], y[:60])
    scale = fitted.target_scale_.copy()
    again = pickle.loads(pickle.dumps(fitted))
    for one in (fitted, again):
        one.partial_fit(X[60:], 10 * y[60:])
        np.testing.assert_array_equal(one.target_scale_, scale)
    np.testing.assert_allclose(again.predict(X), fitted.predict(X), rtol=1e-4)
    warm = regressor(epochs=3, warm_start=True).fit(X, y)
    losses = warm.fit(X, y).history_["loss"]
    assert len(losses) == 6 and losses[3] < losses[0]


def test_a_fit_that_fails_leaves_the_units_as_they_were():
    X, y = diabetes()
    fitted = regressor().fit(X, y)
    before = fitted.predict(X)
    with pytest.raises(DivergedError):
        fitted.partial_fit(X, 1e30 * y)
    np.testing.assert_allclose(fitted.predict(X), before, rtol=1e-5)


def test_held_out_rows_do_not_count():
    X, y = diabetes()
    fitted = regressor(validation_split=0.5).fit(X, y)
    scale = fitted.target_encoder_.scaling_.scale[0]
    assert scale != pytest.approx(y.std(), rel=1e-6)
    assert fitted.history_["val_loss"][-1] < 10  # in the same units as the loss


def test_fits_together_give_what_single_fits_give_at_every_checkpoint():
    X, y = diabetes()
    rows = [np.arange(0, 60), np.arange(40, 120)]
    jobs = [FitJob(regressor(epochs=4), X, 500 + y, rows=part) for part in rows]
    seen = {}

    def note(epoch):
        seen[epoch] = [job.estimator.predict(X) for job in jobs]

    fit_together(jobs, checkpoint_epochs=[2, 3, 4], checkpoint=note)
    for job, part, place in zip(jobs, rows, (0, 1), strict=True):
        for epochs in (2, 4):
            alone = clone(job.estimator).set_params(epochs=epochs).fit(X[part], 500 + y[part])
            np.testing.assert_allclose(seen[epochs][place], alone.predict(X), rtol=1e-4)
        np.testing.assert_array_equal(job.estimator.predict(X), seen[4][place])


def test_target_without_scaling_is_as_it_was():
    target = ValueTarget([1.0, 2.0])
    assert target.transform_for_training([3.0]).tolist() == target.transform([3.0]).tolist()
