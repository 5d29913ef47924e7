"""The network "tabm": members by hand, the mean of losses, one averaged answer, its files."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine, make_friedman1, make_multilabel_classification
from sklearn.model_selection import cross_val_score, train_test_split

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap._keras import shareable_key
from skopt_wrap.architectures import TableLayout, tabm
from skopt_wrap.exceptions import ModelError, ParameterError

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

SMALL = {
    "model": "tabm",
    "model__units": 24,
    "model__n_members": 4,
    "model__n_bins": 8,
    "model__dropout": 0.0,  # what members say in training mode is what they say at all
    "epochs": 30,
    "random_state": 0,
}
META = {"X_shape_": (50, 3), "n_outputs_expected_": 2, "target_type_": "multiclass"}


def layers():
    from skopt_wrap import architectures

    return architectures


@pytest.fixture(scope="module")
def wine():
    X, y = load_wine(return_X_y=True)
    return train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)


@pytest.fixture(scope="module")
def fitted(wine):
    X, _, y, _ = wine
    return KerasClassifier(**SMALL, metrics=["accuracy"]).fit(X, y)


@pytest.fixture(scope="module")
def regressor():
    X, y = make_friedman1(300, random_state=0)
    return X, 100 + 5 * y, KerasRegressor(**SMALL).fit(X, 100 + 5 * y)


def member_answers(network, x):
    return np.asarray(network(x.astype("float32"), training=True))


def softmax(z):
    p = np.exp(z - z.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def test_member_dense_by_hand():
    layer = layers().MemberDense(4, n_members=3, start="signs", groups=[2])
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    out = np.asarray(layer(x))
    kernel, inner, outer, bias = (np.asarray(w) for w in layer.get_weights())
    assert set(np.unique(inner)) == {-1, 1} and (inner[:, 0] == inner[:, 1]).all()
    assert (outer == 1).all() and (bias == bias[0]).all() and np.ptp(bias[0]) > 0
    outer = np.random.default_rng(1).normal(size=outer.shape).astype("float32")
    layer.outer.assign(outer)
    out = np.asarray(layer(x))
    for m in range(3):
        np.testing.assert_allclose(
            out[:, m], ((x * inner[m]) @ kernel) * outer[m] + bias[m], rtol=1e-4, atol=1e-5
        )
    again = np.asarray(layers().MemberDense(2, n_members=3)(out))
    assert again.shape == (5, 3, 2)


def test_piecewise_embedding_by_hand():
    layer = layers().PiecewiseEmbedding(2, cardinalities=[3], n_bins=2, width=2, category_width=5)
    rows = np.array([[0.0, 7.0, 9, 2], [1, 7, 9, 0], [3, 7, 9, 1]], "float32")
    layer.build(rows.shape)
    layer.start(rows, np.random.default_rng(0))
    kernel = np.random.default_rng(0).normal(size=(2, 2, 2)).astype("float32")
    layer.kernel.assign(kernel)
    x = np.array([[2.0, 7.0, 9, 1], [0.25, 5.0, 8, 0], [99.0, 7.0, 8, 0]], "float32")
    out = np.asarray(layer(x))
    assert out.shape == (3, 2 * 2 + 1 + 5) == layer.compute_output_shape(x.shape)
    slope, bias = np.asarray(layer.slope), np.asarray(layer.bias)
    # Edges 0, 1, 3: 2 fills the first bin and half of the second; what is outside counts as full.
    for row, shares in enumerate(([1, 0.5], [0.25, 0], [1, 1])):
        expected = x[row, 0] * slope[0] + bias[0] + np.asarray(shares) @ kernel[0]
        np.testing.assert_allclose(out[row, :2], expected, rtol=1e-4)
        # A constant number has no bins.
        np.testing.assert_allclose(out[row, 2:4], x[row, 1] * slope[1] + bias[1], rtol=1e-4)
    np.testing.assert_array_equal(out[:, 4], x[:, 2])
    np.testing.assert_array_equal(out[:, 5:], np.asarray(layer.tables[0])[[1, 0, 0]])


def test_the_loss_is_the_mean_of_losses_and_the_answer_that_of_probabilities(wine, fitted):
    _, X, _, y = wine
    x = fitted.network_input(X)
    z = member_answers(fitted.model_, x)
    assert z.shape == (len(X), 4, 3)
    p = softmax(z.astype(float))
    np.testing.assert_allclose(fitted.predict_proba(X), p.mean(axis=1), atol=1e-5)
    weights = np.random.default_rng(0).integers(0, 3, len(y)).astype("float32")
    losses = -np.log(p[np.arange(len(y)), :, y]).mean(axis=1)
    loss = fitted.model_.compute_loss(y=y, y_pred=z, sample_weight=weights)
    assert float(loss) == pytest.approx(losses @ weights / weights.sum(), rel=1e-4)
    answer = fitted.model_(x.astype("float32"))
    loss = fitted.model_.compute_loss(y=y, y_pred=answer, sample_weight=weights)
    of_mean = -np.log(p.mean(axis=1)[np.arange(len(y)), y])
    assert float(loss) == pytest.approx(of_mean @ weights / weights.sum(), rel=1e-4)


def test_it_learns_as_one_graph_and_its_history_is_of_the_averaged_answer(wine, fitted):
    X_train, X, _, y = wine
    assert fitted.score(X, y) >= 0.95
    assert fitted.fit_path_ == "fused" and shareable_key(fitted.model_) is not None
    assert fitted.model_.output_shape == (None, 3) and type(fitted.model_).__name__ == "Functional"
    names = {"loss", "accuracy"}
    assert set(fitted.history_) == names | {f"val_{name}" for name in names}
    assert fitted.history_["accuracy"][-1] > 0.9 and fitted.history_["val_accuracy"][-1] > 0.9
    again = KerasClassifier(**SMALL, metrics=["accuracy"]).fit(X_train, wine[2])
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_training_ends_after_the_patience_and_keeps_the_best_epoch(wine):
    X, _, y, _ = wine
    fast = {"optimizer__learning_rate": 0.05, "epochs": 100}
    model = KerasClassifier(**{**SMALL, **fast}).fit(X, y)
    history = model.history_
    best = max(
        range(model.n_iter_), key=lambda i: (history["val_accuracy"][i], -history["val_loss"][i])
    )
    assert model.n_iter_ == best + 1 + 16 < 100


def test_weights_count_as_rows_and_as_classes(wine):
    X, X_test, y, _ = wine
    options = {**SMALL, "early_stopping": False, "epochs": 10}
    weights = np.where(y == 2, 0.0, 1.0)
    without = KerasClassifier(**options).fit(X, y, sample_weight=weights)
    assert not (without.predict(X_test) == 2).any()
    assert without.n_iter_ == 10 and "val_loss" not in without.history_
    heavy = KerasClassifier(**options, class_weight={0: 1.0, 1: 1e-3, 2: 1e-3}).fit(X, y)
    assert (heavy.predict(X_test) == 0).mean() > 0.8


def test_binary_and_multilabel_targets(wine):
    X, X_test, y, y_test = wine
    binary = KerasClassifier(**SMALL).fit(X, y == 1)
    assert binary.score(X_test, y_test == 1) > 0.9 and binary.model_.output_shape == (None, 1)
    z = member_answers(binary.model_, binary.network_input(X_test)).astype(float)
    np.testing.assert_allclose(
        binary.predict_proba(X_test)[:, 1], (1 / (1 + np.exp(-z))).mean(axis=1)[:, 0], atol=1e-4
    )
    X, labels = make_multilabel_classification(200, n_classes=3, random_state=0)
    several = KerasClassifier(**SMALL).fit(X, labels)
    assert several.predict(X).shape == labels.shape
    assert (several.predict(X) == labels).mean() > 0.8


def test_numbers_of_any_scale_come_back_in_their_units(regressor):
    X, y, model = regressor
    assert model.score(X, y) > 0.7
    raw = model.model_.predict(model.network_input(X), verbose=0)
    np.testing.assert_allclose(raw[:, 0], model.predict(X), rtol=1e-4)
    by_member = member_answers(model.model_, model.network_input(X))
    np.testing.assert_allclose(by_member.mean(axis=1), raw, rtol=1e-4)
    both = KerasRegressor(**SMALL).fit(X, np.stack([y, -1e4 * y], axis=1))
    assert both.predict(X).shape == (300, 2)
    assert np.corrcoef(both.predict(X)[:, 1], y)[0, 1] < -0.8


def test_partial_fit_and_warm_start_go_on(regressor):
    X, y, model = regressor
    more = pickle.loads(pickle.dumps(model))
    before = more.score(X, y)
    for _ in range(3):
        more.partial_fit(X, y)
    assert more.score(X, y) > before - 0.05 and more.n_iter_ == model.n_iter_ + 3


def test_losses_and_metrics_of_the_users(wine):
    X, X_test, y, y_test = wine

    def squares(y_true, y_pred):
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    target = np.asarray(y, float)
    metrics = ["mae", keras.metrics.RootMeanSquaredError()]
    model = KerasRegressor(**SMALL, loss=squares, metrics=metrics).fit(X, target)
    assert {"mae", "root_mean_squared_error", "val_mae"} <= set(model.history_)
    assert model.score(X_test, y_test) > 0.5


def test_a_frame_with_gaps_and_categories_is_taken_as_it_is():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "income": rng.normal(4e4, 1e4, 200),
            "town": rng.choice(list("abcdefghijkl"), 200),
            "kind": pd.Categorical(rng.choice(["x", "y"], 200)),
        }
    )
    y = np.where((table["income"] > 4e4) ^ (table["kind"] == "x"), "yes", "no")
    table.loc[::9, "town"] = None
    assert KerasClassifier(**{**SMALL, "epochs": 60}).fit(table, y).score(table, y) > 0.75
    network = tabm({**META, "table_": TableLayout(n_numbers=1, n_other=1, cardinalities=(12,))})
    assert network.layers[1].name == "embedding" and network.layers[1].tables[0].shape == (12, 8)


def test_clone_cross_validation_and_members(wine, fitted):
    X, X_test, y, y_test = wine
    again = clone(fitted)
    assert not hasattr(again, "model_") and again.get_params()["model__units"] == 24
    short = KerasClassifier(**{**SMALL, "epochs": 10}, optimizer__learning_rate=0.02)
    assert cross_val_score(short, X, y, cv=2).mean() > 0.8
    several = clone(short).set_params(members=2).fit(X, y)
    assert several.score(X_test, y_test) > 0.8 and several.predict_spread(X_test).shape == (54,)


def test_pickle_and_a_keras_file_in_a_new_process(wine, fitted, tmp_path):
    _, X, _, _ = wine
    expected = fitted.predict_proba(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X), expected)
    fitted.model_.save(tmp_path / "network.keras")
    np.save(tmp_path / "x.npy", X.astype("float32"))
    code = (
        "import keras, numpy as np; from skopt_wrap.architectures import register_layers;"
        "register_layers();"
        "model = keras.models.load_model('network.keras');"
        "np.save('y.npy', model.predict(np.load('x.npy'), verbose=0))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=tmp_path)
    raw = fitted.model_.predict(X.astype("float32"), verbose=0)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), raw, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("quantization,limit", [(None, 1e-4), ("int8", 0.05)])
def test_files_give_the_same(wine, fitted, quantization, limit):
    from skopt_wrap.compression import compress

    X_train, X, _, _ = wine
    result = compress(fitted.model_, X_train.astype("float32"), quantization=quantization)
    found = np.asarray(result.predict(X.astype("float32")), float).reshape(-1, 3)
    assert np.abs(found - fitted.predict_proba(X)).mean() < limit
    assert (found.argmax(axis=1) == fitted.predict(X)).mean() > 0.95


@pytest.mark.parametrize(
    "meta,options,error",
    [
        ({**META, "X_shape_": (5, 4, 4)}, {}, ModelError),
        (META, {"dropout": 1.0}, ParameterError),
        (META, {"n_members": 0}, ParameterError),
        (META, {"n_bins": -1}, ParameterError),
        (META, {"n_bins": "many"}, ParameterError),
        (META, {"units": 0}, ParameterError),
    ],
)
def test_what_it_cannot_take_is_refused(meta, options, error):
    with pytest.raises(error):
        tabm(meta, **options)
