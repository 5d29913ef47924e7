"""Each mistake gets an error that names the parameter, the rule and the value, before training."""

from __future__ import annotations

import numpy as np
import pytest

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.architectures import dense
from skopt_wrap.estimators import _fit_steps
from skopt_wrap.exceptions import (
    BackendError,
    DataError,
    DivergedError,
    ParameterError,
    UnknownParameterError,
)

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras


@pytest.fixture
def untrained(monkeypatch):
    """Make training itself fail the test."""

    monkeypatch.setattr(_fit_steps, "train", lambda *a, **k: pytest.fail("training was started"))


@pytest.mark.parametrize(
    "params,message",
    [
        ({"batch_size": 0}, "batch_size.*0"),
        ({"epochs": -1}, "epochs.*-1"),
        ({"epochs": 2.5}, "epochs.*2.5"),
        ({"validation_split": 1.0}, "validation_split.*1.0"),
        ({"learning_rate_schedule": -0.1}, "learning_rate_schedule.*-0.1"),
        ({"model": "dens"}, "model.*'dens'"),
        ({"model": 3}, "model.*3"),
        ({"dtype": "float8"}, "dtype.*'float8'"),
        ({"class_weight": "balance"}, "class_weight.*'balance'"),
        ({"early_stopping": -2}, "early_stopping.*-2"),
        ({"callbacks": [3]}, "callbacks.*3"),
        ({"fit__epochs": 0}, "epochs.*0"),
        ({"optimizer__learning_rate": 0.1, "learning_rate_schedule": 0.1}, "both set"),
        ({"callbacks__patience": 3}, "callbacks__patience reaches none of the callbacks"),
    ],
)
def test_bad_parameters_are_named(blobs, untrained, params, message):
    X, y = blobs
    with pytest.raises(ValueError, match=message):
        KerasClassifier(**params).fit(X, y)


@pytest.mark.parametrize("settings", [{"model__normalize": False}, {"model": dense}])
def test_gaps_are_refused_where_the_network_does_not_fill_them(blobs, untrained, settings):
    X, y = blobs
    with pytest.raises(ValueError, match="Input X contains NaN"):
        KerasClassifier(**settings).fit(np.where(X > 3, np.nan, X), y)


@pytest.mark.parametrize(
    "change,message",
    [
        (lambda X, y: (np.where(X > 3, np.inf, X), y), "infinity"),
        (lambda X, y: (X * 1e300, y), "too large for dtype\\('float32'\\)"),
        (lambda X, y: (X, np.zeros(len(y))), "only one class"),
        (lambda X, y: (X, X[:, 0]), "Unknown label type: continuous"),
        (lambda X, y: (X, y[:-1]), "inconsistent numbers of samples"),
        (lambda X, y: (X[:, 0], y), "Expected 2D array"),
        (lambda X, y: (X.astype(str), np.where(y, "a", "b")), "convert string|numeric"),
        (lambda X, y: (X, np.where(y == 0, None, y)), "None|NaN"),
        (lambda X, y: (X, np.column_stack([y, y])), "multiclass-multioutput"),
    ],
)
def test_bad_data_are_refused(blobs, untrained, change, message):
    X, y = change(*blobs)
    with pytest.raises((ValueError, TypeError), match=message):
        KerasClassifier().fit(X, y)


def test_regressor_refuses_targets_that_are_not_finite(line, untrained):
    X, y = line
    with pytest.raises(ValueError, match="y contains NaN"):
        KerasRegressor().fit(X, np.where(y > 0, np.nan, y))


def test_validation_data_must_be_complete_and_fit(blobs, untrained):
    X, y = blobs
    with pytest.raises(DataError, match="X_val and y_val go together"):
        KerasClassifier().fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="features"):
        KerasClassifier().fit(X, y, X_val=X[:, :2], y_val=y)
    with pytest.raises(DataError, match=r"classes \[9\]"):
        KerasClassifier().fit(X, y, X_val=X, y_val=np.full(len(y), 9))


def test_validation_split_that_loses_a_class_is_refused(untrained):
    X, y = np.ones((20, 2)), np.r_[np.zeros(19), 1]
    with pytest.raises(DataError, match=r"validation_split=0.2 of 20 rows.*every class"):
        KerasClassifier(validation_split=0.2).fit(X, y)


def test_unknown_argument_of_fit_names_the_nearest(blobs, untrained):
    X, y = blobs
    with pytest.raises(UnknownParameterError, match="Did you mean 'epochs'"):
        KerasClassifier().fit(X, y, epoch=3)


def test_rows_of_another_shape_are_refused(digits):
    X, y = (part[:50] for part in digits)
    classifier = KerasClassifier("cnn", epochs=1).fit(X.reshape(-1, 8, 8, 1), y)
    with pytest.raises(DataError, match=r"rows of shape \(8, 4, 2\).*fitted on.*\(8, 8, 1\)"):
        classifier.predict(X.reshape(-1, 8, 4, 2))


def test_other_backends_are_refused(blobs, monkeypatch):
    X, y = blobs
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(BackendError, match=r"'torch'.*KERAS_BACKEND=tensorflow"):
        KerasClassifier().fit(X, y)


def test_diverged_network_leaves_no_half_set_state(line):
    X, y = line
    regressor = KerasRegressor(optimizer="sgd", learning_rate_schedule=1e12, epochs=5)
    with pytest.raises(DivergedError, match=r"in epoch \d of 5, at the learning rate 1e\+12"):
        regressor.fit(X, y)
    assert set(vars(regressor)) == set(vars(KerasRegressor()))


def test_callbacks_are_checked_by_class_and_name(blobs):
    X, y = blobs
    stop = keras.callbacks.EarlyStopping
    classifier = KerasClassifier(
        callbacks={"stop": stop}, callbacks__stop__patience=1, callbacks__monitor="loss", epochs=3
    ).fit(X, y)
    assert classifier.n_iter_ == 3
    with pytest.raises(UnknownParameterError, match="Did you mean 'patience'"):
        KerasClassifier(callbacks={"stop": stop}, callbacks__stop__patient=1).fit(X, y)
    with pytest.raises(ParameterError, match="no subclass of Callback"):
        KerasClassifier(callbacks=[dict]).fit(X, y)
