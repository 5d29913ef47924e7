"""What fitting learns, for every kind of data, target and network."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.datasets import make_multilabel_classification

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.exceptions import DataError
from skopt_wrap.training import _epoch_graph

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

FAST = {"epochs": 12, "optimizer__learning_rate": 0.02, "random_state": 0}


@pytest.mark.parametrize(
    "labels",
    [
        ["a", "b", "c"],
        [10, 20, 30],
        [-1.0, 0.0, 2.0],
        [False, True],
        np.array(["x", "y"], dtype=object),
    ],
    ids=["str", "int", "float", "bool", "object"],
)
def test_classifier_returns_the_labels_it_was_given(blobs, labels):
    X, y = blobs
    labels = np.asarray(labels)
    rows = y < len(labels)
    X, y = X[rows], labels[y[rows]]
    classifier = KerasClassifier(**FAST).fit(X, y)
    assert classifier.classes_.tolist() == sorted(labels.tolist())
    assert set(classifier.predict(X)) <= set(labels.tolist())
    assert classifier.score(X, y) > 0.9
    probabilities = classifier.predict_proba(X)
    assert probabilities.shape == (len(X), len(labels)) and probabilities.dtype == "float64"
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    decision = classifier.decision_function(X)
    assert decision.shape == ((len(X),) if len(labels) == 2 else (len(X), len(labels)))
    np.testing.assert_allclose(np.log(probabilities), classifier.predict_log_proba(X), atol=1e-6)
    assert classifier.n_iter_ == 12 and len(classifier.history_["loss"]) == 12
    assert classifier.fit_path_ == "fused"


def test_classifier_fits_multilabel_indicators():
    X, y = make_multilabel_classification(n_samples=120, n_classes=4, random_state=0)
    classifier = KerasClassifier(**FAST).fit(X / 20, y)
    assert classifier.target_type_ == "multilabel-indicator"
    assert classifier.predict(X / 20).shape == y.shape
    assert classifier.predict_proba(X / 20).shape == y.shape
    assert (classifier.predict(X / 20) == y).mean() > 0.75


@pytest.mark.parametrize("n_outputs", [None, 1, 2])
def test_regressor_predicts_in_the_shape_of_y(line, n_outputs):
    X, y = line
    target = y if n_outputs is None else np.column_stack([y, -y])[:, :n_outputs]
    regressor = KerasRegressor(**{**FAST, "epochs": 60})
    regressor.fit(X, target)
    assert regressor.predict(X).shape == target.shape
    assert regressor.score(X, target) > 0.8


def test_network_with_two_softmax_units_serves_two_classes(binary):
    X, y = binary

    def build(meta):
        return keras.Sequential(
            [keras.Input((meta["n_features_in_"],)), keras.layers.Dense(2, activation="softmax")]
        )

    classifier = KerasClassifier(build, **FAST).fit(X, y)
    assert classifier.target_encoder_.encoding_ == "index"
    assert classifier.score(X, y) > 0.9
    assert classifier.decision_function(X).shape == (len(X),)
    agreed = (classifier.predict_proba(X)[:, 1] > 0.5) == (classifier.predict(X) == 1)
    assert agreed.all()


@pytest.mark.parametrize("loss", ["hinge", "categorical_crossentropy", "mse", "kl_divergence"])
def test_losses_get_the_form_of_labels_that_they_take(blobs, loss):
    X, y = blobs
    if loss == "hinge":
        X, y = X[y < 2], y[y < 2]
    activation = None if loss in ("hinge", "categorical_crossentropy") else "softmax"

    def build(meta):
        units = meta["n_outputs_expected_"]
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation)])

    classifier = KerasClassifier(build, loss=loss, **{**FAST, "epochs": 40}).fit(X, y)
    assert classifier.score(X, y) > 0.9


@pytest.mark.parametrize("model", ["dense", "cnn", "lstm"])
def test_architectures_fit_images_and_sequences(digits, model):
    X, y = (part[:300] for part in digits)
    X = X.reshape(-1, 8, 8, 1) if model != "lstm" else X.reshape(-1, 8, 8)
    classifier = KerasClassifier(model, **{**FAST, "epochs": 15}).fit(X, y)
    assert classifier.score(X, y) > 0.8
    assert classifier.X_shape_ == X.shape and classifier.n_features_in_ == 8


@pytest.mark.parametrize("model,shape", [("cnn", (8, 8, 1)), ("lstm", (8, 8))])
def test_input_shape_feeds_rows_of_a_table_to_a_network_of_another_rank(digits, model, shape):
    X, y = (part[:100] for part in digits)
    classifier = KerasClassifier(model, model__input_shape=shape, epochs=1).fit(X, y)
    assert classifier.network_output(X).shape == (100, 10)


def test_token_ids_are_embedded_and_unknown_ids_refused():
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    X = rng.integers(0, 10, size=(80, 6)) + 10 * y[:, None]
    classifier = KerasClassifier("lstm", **{**FAST, "epochs": 20}).fit(X, y)
    assert classifier.score(X, y) > 0.95
    assert classifier.input_dtype_ == "int32"
    with pytest.raises(DataError, match=r"token ids in \[.*99\].*vocabulary_size"):
        classifier.predict(np.full((1, 6), 99))


@pytest.mark.parametrize("container", ["pandas", "polars", "list", "csr", "csc"])
def test_containers_give_the_predictions_of_arrays(blobs, container):
    X, y = blobs
    X = np.round(X, 3)
    names = ["a", "b", "c", "d"]
    convert = {
        "pandas": lambda: (pd.DataFrame(X, columns=names), pd.Series(y)),
        "polars": lambda: (pl.DataFrame(X, schema=names), pl.Series(y)),
        "list": lambda: (X.tolist(), y.tolist()),
        "csr": lambda: (sp.csr_array(X), y),
        "csc": lambda: (sp.csc_matrix(X), y),
    }
    data, labels = convert[container]()
    # Sparse rows are used as they are.
    plain = {"model__normalize": False} if sp.issparse(data) else {}
    reference = KerasClassifier(**FAST, **plain).fit(X, y)
    classifier = KerasClassifier(**FAST, **plain).fit(data, labels)
    np.testing.assert_array_equal(classifier.predict_proba(data), reference.predict_proba(X))
    if container in ("pandas", "polars"):
        assert classifier.feature_names_in_.tolist() == names


def test_sparse_rows_are_never_all_dense_at_once(monkeypatch):
    monkeypatch.setattr(_epoch_graph, "_DENSE_BYTES", 8 * 50 * 4)  # eight rows
    largest = []
    original = sp.csr_matrix.toarray

    def toarray(self, *args, **kwargs):
        largest.append(self.shape[0])
        return original(self, *args, **kwargs)

    monkeypatch.setattr(sp.csr_matrix, "toarray", toarray)
    X = sp.random(200, 50, density=0.1, format="csr", random_state=0)
    X = sp.csr_matrix(X)
    KerasRegressor(epochs=1, batch_size=8, random_state=0).fit(X, np.asarray(X.sum(axis=1)).ravel())
    assert max(largest) <= 8 and len(largest) >= 25


def test_validation_data_are_evaluated_every_epoch(blobs):
    X, y = blobs
    classifier = KerasClassifier(metrics=["accuracy"], **FAST).fit(X, y, X_val=X[:9], y_val=y[:9])
    assert set(classifier.history_) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert len(classifier.history_["val_loss"]) == 12


def test_validation_split_is_stratified_and_seeded(blobs, monkeypatch):
    X, y = blobs
    from skopt_wrap.estimators import _fit_steps

    seen = []
    original = _fit_steps.train

    def spy(network, data, settings, **options):
        seen.append((data.y.copy(), options["validation"].y.copy()))
        return original(network, data, settings, **options)

    monkeypatch.setattr(_fit_steps, "train", spy)
    for _ in range(2):
        KerasClassifier(epochs=1, validation_split=0.2, random_state=3).fit(X, y)
    assert np.bincount(seen[0][1]).tolist() == [6, 6, 6]
    assert np.bincount(seen[0][0]).tolist() == [24, 24, 24]
    np.testing.assert_array_equal(seen[0][1], seen[1][1])


def test_early_stopping_restores_the_best_weights(blobs):
    X, y = blobs
    rng = np.random.default_rng(0)
    noise = rng.permutation(y)  # nothing to learn: the validation loss soon rises
    classifier = KerasClassifier(
        epochs=200, early_stopping=3, optimizer__learning_rate=0.05, random_state=0
    )
    classifier.fit(X, noise, X_val=X[::2], y_val=rng.permutation(y)[::2])
    losses = classifier.history_["val_loss"]
    assert classifier.n_iter_ < 200
    assert int(np.argmin(losses)) == len(losses) - 4


def test_early_stopping_without_validation_data_holds_out_a_tenth(blobs):
    X, y = blobs
    classifier = KerasClassifier(epochs=3, early_stopping=True, random_state=0).fit(X, y)
    assert "val_loss" in classifier.history_


@pytest.mark.parametrize("schedule", ["constant", "decay", "callable"])
def test_learning_rate_schedules_reach_the_optimizer(blobs, schedule):
    X, y = blobs
    given = {
        "constant": 0.5,
        "decay": keras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5),
        "callable": lambda epoch, rate: 0.5 / 2**epoch,
    }[schedule]
    classifier = KerasClassifier(
        optimizer="sgd", epochs=2, batch_size=-1, learning_rate_schedule=given
    ).fit(X, y)
    rate = float(classifier.model_.optimizer.learning_rate.numpy())
    assert rate == pytest.approx({"constant": 0.5, "decay": 0.125, "callable": 0.25}[schedule])


def test_metrics_on_logits_use_the_threshold_of_probabilities(binary):
    X, y = binary
    classifier = KerasClassifier(metrics=["accuracy", "Precision", "Recall", "AUC"], **FAST)
    classifier.fit(X, y, X_val=X, y_val=y)
    last = {name: values[-1] for name, values in classifier.history_.items()}
    assert last["val_accuracy"] == pytest.approx(classifier.score(X, y), abs=1e-6)
    assert last["val_auc"] > 0.98 and last["val_precision"] > 0.9 and last["val_recall"] > 0.9


@pytest.mark.parametrize("dtype", ["float64", "mixed_bfloat16"])
def test_dtype_sets_the_precision_and_leaves_the_global_one(blobs, dtype):
    X, y = blobs
    before = keras.config.floatx(), keras.config.dtype_policy().name
    classifier = KerasClassifier(dtype=dtype, **FAST).fit(X, y)
    assert (keras.config.floatx(), keras.config.dtype_policy().name) == before
    layer = next(layer for layer in classifier.model_.layers if layer.trainable_weights)
    assert layer.dtype_policy.name == dtype
    assert classifier.score(X, y) > 0.9
    assert np.isfinite(classifier.predict_proba(X)).all()
