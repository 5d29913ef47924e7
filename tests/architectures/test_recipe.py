"""Training recipes: what is "auto", and that what the user sets counts instead."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skopt_wrap import KerasClassifier, KerasRegressor, TunedClassifier
from skopt_wrap.architectures import ARCHITECTURES, Architecture, Recipe, dense, recipe_of
from skopt_wrap.exceptions import ParameterError
from skopt_wrap.training import TrainingSettings, schedule_rates

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

CALLS: list[str] = []


def _start(network, data, rng):
    CALLS.append(f"start {len(data)}")
    network.layers[-1].bias.assign([5.0])


def _finish(network, held_out):
    CALLS.append(f"finish {len(held_out)}")


def _optimizer(regression):
    return keras.optimizers.SGD, {"learning_rate": 0.0625 if regression else 0.03125}


OWN = Architecture(
    "own",
    dense,
    recipe=Recipe(
        epochs=3,
        batch_size=lambda n: n // 2,
        drop_remainder=True,
        optimizer=_optimizer,
        learning_rate_schedule="polynomial",
        label_smoothing=0.2,
        holdout=0.25,
        least_rows=60,
        start=_start,
        finish=_finish,
    ),
)


@pytest.mark.parametrize("model", ["dense", dense])
def test_without_a_recipe_everything_is_as_it_was(blobs, model):
    classifier = KerasClassifier(model, random_state=0).fit(*blobs)
    given = KerasClassifier(
        model, epochs=50, batch_size=32, optimizer="adam", early_stopping=False, random_state=0
    ).fit(*blobs)
    assert classifier.get_params()["epochs"] == "auto"
    assert (classifier.epochs_, classifier.batch_size_, classifier.n_iter_) == (50, 32, 50)
    assert type(classifier.model_.optimizer) is keras.optimizers.Adam
    np.testing.assert_array_equal(classifier.predict_proba(blobs[0]), given.predict_proba(blobs[0]))


def test_a_recipe_settles_what_is_auto(line):
    CALLS.clear()
    X, y = line
    regressor = KerasRegressor(OWN, random_state=0).fit(X, y)
    n_held = len(X) // 4
    assert [f"start {len(X) - n_held}", f"finish {n_held}"] == CALLS
    assert (regressor.epochs_, regressor.batch_size_) == (3, (len(X) - n_held) // 2)
    assert type(regressor.model_.optimizer) is keras.optimizers.SGD
    assert float(regressor.model_.optimizer.learning_rate) == 0.0625
    assert regressor.history_["learning_rate"][-1] < regressor.history_["learning_rate"][0]
    assert len(regressor.history_["val_loss"]) == 3


def test_what_the_user_sets_counts(line):
    CALLS.clear()
    X, y = line
    regressor = KerasRegressor(
        OWN,
        epochs=2,
        batch_size=8,
        optimizer="adam",
        early_stopping=False,
        random_state=0,
    ).fit(X, y)
    assert [f"start {len(X)}"] == CALLS
    assert (regressor.epochs_, regressor.batch_size_) == (2, 8)
    assert set(regressor.history_) == {"loss"}
    regressor = KerasRegressor(
        OWN, optimizer__learning_rate=0.01, validation_split=0.5, random_state=0
    )
    assert float(regressor.fit(X, y).model_.optimizer.learning_rate) == np.float32(0.01)
    assert CALLS[1:] == [f"start {len(X) // 2}", f"finish {len(X) // 2}"]
    regressor = KerasRegressor(OWN, learning_rate_schedule=0.03125, random_state=0).fit(X, y)
    assert float(regressor.model_.optimizer.learning_rate) == 0.03125


def test_few_rows_are_all_trained_on(line):
    CALLS.clear()
    X, y = line[0][:59], line[1][:59]
    assert set(KerasRegressor(OWN, random_state=0).fit(X, y).history_) == {"loss", "learning_rate"}
    assert CALLS == ["start 59"]
    assert "val_loss" not in KerasRegressor(OWN, random_state=0).partial_fit(*line).history_


def test_classes_without_enough_rows_hold_out_nothing(blobs):
    X, y = blobs[0], blobs[1].copy()
    y[0] = 9
    own = Architecture("own", dense, recipe=Recipe(epochs=1, holdout=0.2, least_rows=1))
    classifier = KerasClassifier(own, class_weight={}).fit(X, y)
    assert "val_loss" not in classifier.history_ and 9 in classifier.classes_


def test_label_smoothing_and_metrics(blobs):
    own = Architecture("own", dense, recipe=Recipe(epochs=1, label_smoothing=0.2, holdout=0.2))
    classifier = KerasClassifier(own, random_state=0).fit(*blobs)
    assert classifier.model_.loss.get_config()["label_smoothing"] == 0.2
    off = KerasClassifier(own, loss__label_smoothing=0.0, random_state=0).fit(*blobs)
    assert off.model_.loss.get_config()["label_smoothing"] == 0.0
    X, y = np.tile(blobs[0], (2, 1)), np.tile(blobs[1], 2)
    assert "val_accuracy" in KerasClassifier(own).fit(X, y).history_
    named = KerasClassifier(own, metrics=["mse"]).fit(X, y)
    assert {"val_accuracy", "val_mse"} <= set(named.history_)


def test_the_best_epoch_is_kept_and_of_equal_ones_the_latest():
    from skopt_wrap.training import keep_best_epoch

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    callback = keep_best_epoch("val_accuracy")
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate([0.5, 0.9, 0.9, 0.8]):
        model.set_weights([np.full((1, 1), float(epoch))])
        callback.on_epoch_end(epoch, {"val_accuracy": value, "val_loss": 1.0})
    callback.on_train_end()
    assert callback.best_epoch == 2 and float(model.get_weights()[0][0, 0]) == 2.0


@pytest.mark.parametrize("fused", [True, False])
def test_a_remainder_is_dropped_on_every_path(fused):
    from skopt_wrap.training import TrainingData, train

    settings = TrainingSettings(epochs=1, batch_size=4, seed=0, drop_remainder=True, fused=fused)
    assert (settings.n_steps(10), settings.n_steps(3)) == (2, 1)
    assert [len(order) for order in (next(settings.orders(10)), next(settings.orders(3)))] == [8, 3]
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = TrainingData(np.ones((10, 1), "float32"), np.ones((10, 1), "float32"), np.ones(10))
    train(model, data, settings)
    assert int(model.optimizer.iterations) == 2


def test_searches_follow_the_recipe(blobs):
    tuned = TunedClassifier(
        OWN, space={"model__units": [3, 4]}, tuner="random", max_trials=1, cv=2, random_state=0
    )
    assert (tuned.epochs, tuned.batch_size) == ("auto", "auto")
    own = Architecture("own", dense, recipe=Recipe(epochs=2))
    tuned.set_params(model=own).fit(*blobs)
    assert tuned.best_estimator_.n_iter_ == 2
    halving = clone(tuned).set_params(tuner="halving", max_trials=2).fit(*blobs)
    assert halving.best_params_["epochs"] <= 2


def test_coslog_is_four_cycles_each_twice_as_long():
    rates = schedule_rates("coslog", 2.0, 15 * 64)
    ends = [0, 64, 3 * 64, 7 * 64]
    np.testing.assert_allclose(rates[ends], 0, atol=5e-3)  # half a step later
    assert rates.max() == pytest.approx(2.0, abs=1e-3) and (rates >= 0).all()
    peaks = np.flatnonzero((rates[1:-1] > rates[:-2]) & (rates[1:-1] > rates[2:])) + 1
    assert len(peaks) == 4


@pytest.mark.parametrize(
    "options", [{"epochs": 0}, {"batch_size": True}, {"label_smoothing": 1.0}, {"holdout": -0.1}]
)
def test_bad_recipes_are_refused(options):
    with pytest.raises(ParameterError, match=next(iter(options))):
        Recipe(**options)


def test_recipes_of_what_has_none():
    assert recipe_of(None) == recipe_of(dense) == recipe_of(ARCHITECTURES["dense"]) == Recipe()
    assert pickle.loads(pickle.dumps(ARCHITECTURES["realmlp"])).recipe.epochs == 256
