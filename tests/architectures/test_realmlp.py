"""The network "realmlp": its layers and its optimizer by hand, its start, its end, its files."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits, load_wine, make_friedman1
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap._keras import shareable_key
from skopt_wrap.architectures import realmlp
from skopt_wrap.architectures._realmlp import best_temperature, start_table_network
from skopt_wrap.architectures._table_layout import TableLayout
from skopt_wrap.exceptions import ModelError, ParameterError
from skopt_wrap.training import TrainingData

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

SMALL = {"model__units": 32, "epochs": 30, "batch_size": 16, "random_state": 0}
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
    return KerasClassifier("realmlp", **SMALL).fit(X, y)


def test_robust_scale_by_hand():
    layer = layers().RobustScale()
    x = np.array([[0.0, 5.0, 1.0], [1.0, 5.0, 1.0], [2.0, 5.0, 1.0], [3.0, 5.0, 9.0]])
    layer.build(x.shape)
    layer.learn(x, np.ones(4))
    z = np.asarray(layer(x.astype("float32")))
    # Inverted distribution function: quartiles 0 and 2, median 1; constant columns become 0; where
    # the quartiles are equal, half of the range counts.
    expected = (x[:, 0] - 1) / 2
    np.testing.assert_allclose(z[:, 0], expected / np.sqrt(1 + (expected / 3) ** 2), rtol=1e-6)
    assert (z[:, 1] == 0).all() and z[0, 2] == 0
    np.testing.assert_allclose(z[3, 2], 2 / np.sqrt(1 + 4 / 9), rtol=1e-6)
    assert np.abs(np.asarray(layer(x.astype("float32") * 1e9))).max() <= 3


def test_integer_weights_are_repeated_rows_for_the_scale():
    rng = np.random.default_rng(0)
    x, weights = rng.normal(size=(30, 2)), rng.integers(0, 4, 30)
    one, other = layers().RobustScale(), layers().RobustScale()
    for layer in (one, other):
        layer.build(x.shape)
    one.learn(x, weights.astype(float))
    other.learn(np.repeat(x, weights, axis=0), np.ones(weights.sum()))
    for ours, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_embedding_by_hand():
    layer = layers().TableEmbedding(
        2, cardinalities=[3, 2], n_frequencies=4, width=2, category_width=5
    )
    x = np.array([[0.5, -1.0, 7.0, 2.0, 0.0], [0.1, 0.2, 8.0, 1.0, 1.0]], "float32")
    out = np.asarray(layer(x))
    assert out.shape == (2, 2 * 2 + 3 + 2 * 5) == layer.compute_output_shape(x.shape)
    w, b, kernel, bias = (np.asarray(v) for v in layer.trainable_variables[2:])
    for j in range(2):
        h = np.cos(2 * np.pi * x[:, j : j + 1] * w[j] + b[j]) @ kernel[j] + bias[j]
        np.testing.assert_allclose(out[:, 2 * j : 2 * j + 2], h, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(out[:, 4:7], x[:, :3])
    np.testing.assert_array_equal(out[:, 7:12], np.asarray(layer.tables[0])[[2, 1]])
    np.testing.assert_array_equal(out[:, 12:], np.asarray(layer.tables[1])[[0, 1]])
    plain = layers().TableEmbedding(2, n_frequencies=0)
    np.testing.assert_array_equal(np.asarray(plain(x[:, :3])), x[:, :3])


def test_dense_starts_with_variance_one_and_a_bias_among_its_values():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 7)) * rng.uniform(0.1, 10, 7)
    layer = layers().TangentDense(40)
    layer.build((None, 7))
    layer.start(x, rng)
    z = x @ np.asarray(layer.kernel) / np.sqrt(7)
    np.testing.assert_allclose(z.std(axis=0), 1, rtol=1e-4)
    bias = -np.asarray(layer.bias)
    assert ((z.min(axis=0) <= bias) & (bias <= z.max(axis=0))).all() and bias.std() > 0.1
    out = np.asarray(layer(x.astype("float32")))
    np.testing.assert_allclose(out, z - bias, rtol=1e-3, atol=1e-3)
    layer.rescale(0.5)
    np.testing.assert_allclose(np.asarray(layer(x.astype("float32"))), out / 2, rtol=1e-4)


def test_activation_and_fading_dropout():
    layer = layers().ParametricActivation("relu")
    x = np.array([[-2.0, 3.0]], "float32")
    np.testing.assert_array_equal(np.asarray(layer(x)), [[0.0, 3.0]])
    layer.alpha.assign([0.25, 0.25])
    np.testing.assert_array_equal(np.asarray(layer(x)), [[-1.5, 3.0]])
    dropout, ones = layers().FadingDropout(0.5, seed=0), np.ones((200, 50), "float32")
    np.testing.assert_array_equal(np.asarray(dropout(ones, training=False)), ones)
    for share, left in ((0.0, 1.0), (0.49, 1.0), (0.75, 0.5), (1.0, 0.0)):
        dropout.set_progress(share)
        out = np.asarray(dropout(ones, training=True))
        assert np.mean(out == 0) == pytest.approx(0.5 * left, abs=0.02)
        assert out.mean() == pytest.approx(1, abs=0.05)


def test_grouped_adam_by_hand():
    variables = [keras.Variable([2.0]) for _ in range(3)]
    variables[0].rate_factor = 6.0
    variables[1].rate_factor, variables[1].decays = 0.1, False
    optimizer = layers().GroupedAdam(0.01, decay=0.5, epsilon=1e-12)
    optimizer.build(variables)
    optimizer.set_progress(0.75)  # half of the decay is left
    optimizer.apply([keras.ops.convert_to_tensor([3.0])] * 3)
    # The first step of Adam has the length of the rate.
    for variable, factor, decays in zip(variables, (6, 0.1, 1), (1, 0, 1), strict=True):
        start = 2.0 * (1 - 0.01 * 0.5 * 0.5 * factor**2 * decays)
        np.testing.assert_allclose(np.asarray(variable), start - 0.01 * factor, rtol=1e-5)
    again = type(optimizer).from_config(optimizer.get_config())
    assert (again.decay, again.beta_2) == (0.5, 0.95)


def test_variables_are_grouped():
    network = realmlp(META, scale_rate=5.0, first_layer_rate=0.5)
    factors = {v.path: getattr(v, "rate_factor", 1.0) for v in network.trainable_variables}
    assert {p: f for p, f in factors.items() if "scale/" in p} == {"scale/scale": 5.0}
    assert all(f == 0.1 for p, f in factors.items() if p.endswith("bias") or "embedding/" in p)
    assert factors["hidden_0/kernel"] == 0.5 and factors["hidden_1/kernel"] == 1.0


def test_it_learns_quickly_and_well_and_trains_as_one_graph(wine, fitted):
    _, X, _, y = wine
    assert fitted.score(X, y) >= 0.96
    assert fitted.fit_path_ == "fused" and shareable_key(fitted.model_) is not None
    assert "val_accuracy" in fitted.history_ and fitted.n_iter_ == 30
    # Label smoothing alone leaves the probability of the right class at 0.9 at most.
    assert log_loss(y, fitted.predict_proba(X)) < 0.15


def test_the_same_seed_gives_the_same_network(wine, fitted):
    X, other, y, _ = wine
    again = KerasClassifier("realmlp", **SMALL).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(other), fitted.predict_proba(other))


def test_binary_and_multilabel_targets_and_numbers():
    X, y = load_digits(return_X_y=True)
    X, y = X[:300], y[:300]
    options = {"model__units": 16, "epochs": 8, "batch_size": 32, "random_state": 0}
    binary = KerasClassifier("realmlp", **options).fit(X, y > 4)
    assert binary.score(X, y > 4) > 0.85 and binary.model_.output_shape == (None, 1)
    labels = np.stack([y > 4, y % 2], 1).astype(int)
    assert KerasClassifier("realmlp", **options).fit(X, labels).predict(X).shape == labels.shape
    X, y = make_friedman1(300, random_state=0)
    target = (y - y.mean()) / y.std()
    options |= {"model__units": 32, "epochs": 16}
    regressor = KerasRegressor("realmlp", **options).fit(X, target)
    assert regressor.score(X, target) > 0.8
    names = [type(layer).__name__ for layer in regressor.model_.layers]
    assert names[1:4] == ["PreparedTable", "TableEmbedding", "FeatureScale"]
    assert regressor.model_.layers[5].activation is keras.activations.mish


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
    options = {"model__units": 16, "epochs": 10, "batch_size": 32, "random_state": 0}
    assert KerasClassifier("realmlp", **options).fit(table, y).score(table, y) > 0.8


def test_a_prepared_table_is_taken_as_it_is():
    table = TableLayout(n_numbers=1, n_other=1, cardinalities=(12,))
    network = realmlp({**META, "table_": table}, category_width=4)
    assert [layer.name for layer in network.layers[1:3]] == ["embedding", "scale"]
    assert network.get_layer("embedding").tables[0].shape == (12, 4)
    rows = np.array([[0.3, 1.0, 11.0], [-0.3, 0.0, 0.0]], "float32")
    assert network(rows).shape == (2, 2)


def test_weights_count_in_the_start():
    """Rows without weight are never drawn, in the scale as in the first weights."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3)).astype("float32")
    x[30:] += 1e4
    weights = np.r_[np.ones(30), np.zeros(30)].astype("float32")
    one, other = realmlp(META, units=8), realmlp(META, units=8)
    start_table_network(one, TrainingData(x, np.zeros(60), weights), np.random.default_rng(1))
    start_table_network(
        other, TrainingData(x[:30], np.zeros(30), weights[:30]), np.random.default_rng(1)
    )
    pairs = zip(one.layers[1].get_weights(), other.layers[1].get_weights(), strict=True)
    for ours, theirs in pairs:
        np.testing.assert_array_equal(ours, theirs)
    scaled = keras.Model(one.input, one.get_layer("hidden_0").output)(x[:30])
    assert np.abs(np.asarray(scaled)).max() < 10  # far-off rows would have left it at 0
    assert np.asarray(scaled).std() > 0.5


def test_temperature_is_that_of_least_log_loss():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3)) * 2
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = np.eye(3)[[rng.choice(3, p=row) for row in p]]
    assert best_temperature(3 * logits, y, np.ones(4000)) == pytest.approx(3, rel=0.1)
    assert best_temperature(logits / 2, y, np.ones(4000)) == pytest.approx(0.5, rel=0.1)
    weights = rng.integers(0, 3, 4000)
    repeated = best_temperature(
        logits.repeat(weights, 0), y.repeat(weights, 0), np.ones(weights.sum())
    )
    assert best_temperature(logits, y, weights.astype(float)) == pytest.approx(repeated)


def test_few_rows_that_are_all_right_do_not_ask_for_certainty():
    logits = np.array([[2.0], [2.0], [-2.0]])
    y = (logits > 0).astype(float)
    # One more row of both classes: 3.5 of 4 rows are right, and log(7) is the logit of that.
    expected = pytest.approx(2 / np.log(7), rel=1e-4)
    assert best_temperature(logits, y, np.ones(3)) == expected
    two = np.c_[logits, -logits] / 2
    assert best_temperature(two, np.c_[y, 1 - y], np.ones(3)) == expected


def test_without_smoothing_the_epoch_and_the_temperature_are_those_of_probabilities(wine):
    X, _, y, _ = wine
    own = {**SMALL, "model__label_smoothing": 0.0}
    rows = np.arange(len(X)) % 4 != 0
    estimator = KerasClassifier("realmlp", **own)
    estimator.fit(X[rows], y[rows], X_val=X[~rows], y_val=y[~rows])
    losses = estimator.history_["val_loss"]
    # Tempered weights of the best epoch: no worse than that epoch was on the same rows.
    found = log_loss(y[~rows], estimator.predict_proba(X[~rows]))
    assert found <= min(losses) + 0.01


def test_frequent_codes_of_adam_take_the_steps_of_their_summed_gradient():
    """Of a sparse gradient, Adam of Keras squares equal rows one by one."""
    layer = layers().TableEmbedding(0, (3,), category_width=1)
    network = keras.Sequential([keras.Input((1,)), layer])
    network.compile(layers().GroupedAdam(0.1), "mse")
    before = layer.tables[0].numpy()
    network.train_on_batch(np.array([[1.0]] * 4 + [[2.0]]), np.full((5, 1), 10.0))
    step = (layer.tables[0].numpy() - before).ravel()
    np.testing.assert_allclose(step, [0.0, 0.1, 0.1], atol=1e-4)  # whatever the frequency is


def test_pickle_and_a_keras_file_in_a_new_process(wine, fitted, tmp_path):
    _, X, _, _ = wine
    expected = fitted.predict_proba(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X), expected)
    path = tmp_path / "network.keras"
    fitted.model_.save(path)
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


def test_float_tflite_gives_the_same(wine, fitted):
    from skopt_wrap.compression import compress

    X_train, X, _, _ = wine
    result = compress(fitted.model_, X_train[:40].astype("float32"), quantization=None)
    raw = fitted.model_.predict(X.astype("float32"), verbose=0)
    outputs = result.predict(X.astype("float32"))
    np.testing.assert_allclose(np.asarray(outputs).reshape(raw.shape), raw, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("given,expected", [({}, 0.1), (0.0, 0.0), (0.3, 0.3)])
def test_labels_are_smoothed_as_asked(wine, given, expected):
    X, _, y, _ = wine
    options = {"model__label_smoothing": given} if given != {} else {}
    fast = {**SMALL, "epochs": 1, "batch_size": 64, "compile__run_eagerly": True, **options}
    loss = KerasClassifier("realmlp", **fast).fit(X, y).model_.loss
    config = loss.get_config()
    assert config.get("label_smoothing", 0.0) == expected
    KerasRegressor("realmlp", **fast).fit(X, y.astype(float))  # numbers have no labels


@pytest.mark.parametrize(
    "meta,options,error",
    [
        ({**META, "X_shape_": (5, 4, 4)}, {}, ModelError),
        (META, {"dropout": 1.0}, ParameterError),
        (META, {"scale_rate": 0}, ParameterError),
        (META, {"n_frequencies": -1}, ParameterError),
        (META, {"units": 0}, ParameterError),
        (META, {"label_smoothing": 1.0}, ParameterError),
    ],
)
def test_what_it_cannot_take_is_refused(meta, options, error):
    with pytest.raises(error):
        realmlp(meta, **options)
