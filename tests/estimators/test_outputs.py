"""Networks with several outputs: values, columns of classes, losses and metrics by name."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_predict

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.exceptions import DataError, ModelError, ParameterError, UnknownParameterError

keras = pytest.importorskip("keras")
pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.keras
layers = keras.layers

FAST = {"epochs": 30, "optimizer__learning_rate": 0.05, "random_state": 0}


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).normal(size=(96, 2))


def heads(meta, kind="dict", units=(1, 1), names=("price", "age")):
    inputs = keras.Input(meta["X_shape_"][1:])
    hidden = layers.Dense(8, "relu")(inputs)
    tensors = [layers.Dense(u, name=n)(hidden) for u, n in zip(units, names, strict=True)]
    return keras.Model(
        inputs, dict(zip(names, tensors, strict=True)) if kind == "dict" else tensors
    )


def class_heads(meta, kind="list"):
    return heads(meta, kind, meta["n_outputs_expected_"], ("size", "color"))


@pytest.mark.parametrize("kind", ["dict", "list"])
def test_values_are_split_over_the_outputs(rows, kind):
    y = rows @ np.array([[1.0, 2.0], [3.0, -1.0]])
    regressor = KerasRegressor(heads, kind=kind, metrics=["mae"], **FAST).fit(rows, y)
    assert regressor.fit_path_ == "fused"
    assert regressor.score(rows, y) > 0.95
    assert {"price_mae", "age_loss", "loss"} <= set(regressor.history_)
    raw = regressor.network_output(rows)
    np.testing.assert_array_equal(np.hstack(raw), regressor.predict(rows).astype("float32"))
    other = pickle.loads(pickle.dumps(regressor))
    np.testing.assert_allclose(other.predict(rows), regressor.predict(rows), atol=1e-5)


def test_an_output_may_have_several_of_the_columns(rows):
    y = rows @ np.array([[1.0, 2.0, 0.0], [3.0, -1.0, 1.0]])
    regressor = KerasRegressor(heads, units=(2, 1), **FAST).fit(rows, y)
    assert [c.tolist() for c in regressor.target_encoder_.columns_] == [[0, 1], [2]]
    assert regressor.predict(rows).shape == (96, 3) and regressor.score(rows, y) > 0.9


def test_columns_of_a_frame_go_to_the_outputs_of_their_names(rows):
    y = pd.DataFrame({"age": rows[:, 0], "price": 5 * rows[:, 1]})
    regressor = KerasRegressor(heads, **FAST).fit(rows, y)
    assert regressor.score(rows, y) > 0.9
    price = regressor.model_.predict(rows, verbose=0)["price"][:, 0]
    np.testing.assert_allclose(regressor.predict(rows)[:, 1], price, atol=1e-4)


def test_a_dict_with_one_output_is_a_single_output(rows):
    regressor = KerasRegressor(heads, units=(1,), names=("o",), metrics="mae", **FAST)
    regressor.fit(rows, rows[:, 0], X_val=rows[:9], y_val=rows[:9, 0])
    assert regressor.predict(rows).shape == (96,) and regressor.score(rows, rows[:, 0]) > 0.9
    assert set(regressor.history_) == {"loss", "mae", "val_loss", "val_mae"}
    classifier = KerasClassifier(heads, units=(1,), names=("o",), **FAST)
    labels = np.where(rows[:, 0] > 0, "up", "down")
    assert classifier.fit(rows, labels).score(rows, labels) > 0.9


@pytest.mark.parametrize("kind", ["dict", "list"])
def test_several_columns_of_classes(rows, kind):
    size = (rows[:, 0] > 0).astype(int) + (rows[:, 1] > 0)
    y = pd.DataFrame({"size": size, "color": np.where(rows[:, 1] > 0, "red", "blue")})
    classifier = KerasClassifier(class_heads, kind=kind, metrics={"size": "accuracy"}, **FAST)
    classifier.fit(rows, y, X_val=rows[:20], y_val=y[:20])
    assert classifier.target_type_ == "multiclass-multioutput"
    assert [c.tolist() for c in classifier.classes_] == [[0, 1, 2], ["blue", "red"]]
    assert classifier.n_classes_ == [3, 2]
    labels, probabilities = classifier.predict(rows), classifier.predict_proba(rows)
    assert labels.shape == (96, 2) and labels.dtype == object
    assert [p.shape for p in probabilities] == [(96, 3), (96, 2)]
    np.testing.assert_allclose(probabilities[0].sum(axis=1), 1)
    logarithms = classifier.predict_log_proba(rows)
    np.testing.assert_allclose(np.exp(logarithms[1]), probabilities[1], atol=1e-6)
    for column, classes in enumerate(classifier.classes_):
        assert (classes[probabilities[column].argmax(axis=1)] == labels[:, column]).all()
    share = np.mean((labels == y.to_numpy()).all(axis=1))
    assert classifier.score(rows, y) == pytest.approx(share) and share > 0.8
    assert "size_accuracy" in classifier.history_ and "val_loss" in classifier.history_
    classifier.partial_fit(rows, y)
    with pytest.raises(DataError, match="column 0, holds classes"):
        classifier.partial_fit(rows, y.assign(size=9))
    with pytest.raises(DataError, match="1 columns, but the target has 2"):
        classifier.partial_fit(rows, size)


def test_an_indicator_and_several_outputs_are_several_classes(rows):
    y = (rows > 0).astype(int)
    classifier = KerasClassifier(heads, **FAST).fit(rows, y)
    assert classifier.score(rows, y) > 0.8
    assert [p.shape for p in classifier.predict_proba(rows)] == [(96, 2), (96, 2)]
    assert classifier.predict(rows).dtype.kind == "i"


def test_model_selection(rows):
    y = (rows > 0).astype(int)
    search = GridSearchCV(
        KerasClassifier(heads, **FAST), {"kind": ["list", "dict"]}, cv=2, error_score="raise"
    ).fit(rows, y)
    assert search.best_score_ > 0.6
    values = cross_val_predict(KerasRegressor(heads, **{**FAST, "epochs": 1}), rows, rows, cv=2)
    assert values.shape == (96, 2)


@pytest.mark.parametrize("loss", [{"price": "mae", "age": "mse"}, ["mae", "mse"]])
@pytest.mark.parametrize("weights", [{"price": 1.0, "age": 0.0}, [1.0, 0.0]])
def test_losses_and_their_weights_by_name_and_in_order(rows, loss, weights):
    options = {**FAST, "epochs": 1, "batch_size": -1, "optimizer": "sgd"}
    options["optimizer__learning_rate"] = 1e-9
    regressor = KerasRegressor(heads, loss=loss, compile__loss_weights=weights, **options)
    history = regressor.fit(rows, rows).history_
    predicted = regressor.predict(rows)
    assert history["price_loss"][0] == pytest.approx(
        np.abs(predicted - rows)[:, 0].mean(), rel=1e-3
    )
    assert history["age_loss"][0] == pytest.approx(((predicted - rows) ** 2)[:, 1].mean(), rel=1e-3)
    assert history["loss"][0] == pytest.approx(history["price_loss"][0], rel=1e-3)


def test_options_of_the_loss_of_one_output(rows):
    loss = {"price": "huber", "age": "mse"}
    fits = [
        KerasRegressor(heads, loss=loss, loss__price__delta=d, **{**FAST, "epochs": 1})
        for d in (0.01, 1.0)
    ]
    losses = [fit.fit(rows, rows).history_["price_loss"][0] for fit in fits]
    assert losses[0] < 0.1 * losses[1]


def test_networks_that_their_builder_compiled(rows):
    def compiled(meta, kind="dict"):
        model = heads(meta, kind)
        losses = {"price": "mse", "age": "mae"}
        model.compile("adam", losses, metrics={"age": ["mae"]})
        return model

    for kind in ("dict", "list"):
        regressor = KerasRegressor(compiled, kind=kind, epochs=1).fit(rows, rows)
        assert "age_mae" in regressor.history_


@pytest.mark.parametrize(
    "settings, y, error, words",
    [
        ({}, lambda X: X[:, 0], ModelError, r"2 outputs.*y has 1 column"),
        ({}, lambda X: np.c_[X, X], ModelError, "2 in all, but y has 4 columns"),
        ({"loss": {"prise": "mse"}}, lambda X: X, ParameterError, r"'prise'.*\['price', 'age'\]"),
        ({"loss": ["mse"]}, lambda X: X, ParameterError, "1 entries.*2 outputs"),
        ({"metrics": {"prise": "mae"}}, lambda X: X, ParameterError, "'prise'"),
        ({"compile__loss_weights": {"prise": 1.0}}, lambda X: X, ParameterError, "'prise'"),
        ({"loss__prise__delta": 1.0}, lambda X: X, ParameterError, "'prise'"),
    ],
)
def test_settings_that_name_no_output_are_refused(rows, settings, y, error, words):
    with pytest.raises(error, match=words):
        KerasRegressor(heads, **settings).fit(rows, y(rows))


def test_outputs_and_columns_of_classes_are_compared(rows):
    three = np.arange(96) % 3
    with pytest.raises(DataError, match="multiclass-multioutput"):
        KerasClassifier("dense").fit(rows, np.c_[three, three])
    with pytest.raises(ModelError, match=r"2 outputs .price, age., but y has 3 columns"):
        KerasClassifier(heads).fit(rows, np.c_[three, three, three])
    with pytest.raises(ModelError, match="y has 1 column"):
        KerasClassifier(heads).fit(rows, three)
    with pytest.raises(DataError, match="class_weight has no meaning"):
        KerasClassifier(class_heads, class_weight="balanced").fit(rows, np.c_[three, three])


@pytest.mark.parametrize("loss", [None, "categorical_crossentropy", ["categorical_crossentropy"]])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_list_of_one_output_is_a_single_output(rows, loss, classes):
    def build(meta):
        inputs = keras.Input((2,))
        model = keras.Model(inputs, [layers.Dense(classes, "softmax")(inputs)])
        if loss is not None:
            model.compile("adam", loss)
            model.optimizer.learning_rate = 0.05
        return model

    labels = np.array(["a", "b", "c"])[np.digitize(rows[:, 0], [0.0, 1.0][: classes - 1])]
    settings = FAST if loss is None else {"epochs": 30, "random_state": 0}
    classifier = KerasClassifier(build, **settings).fit(rows, labels)
    assert classifier.predict(rows).shape == (96,) and classifier.score(rows, labels) > 0.8
    assert classifier.predict_proba(rows).shape == (96, classes)


@pytest.mark.parametrize("kind", ["dict", "list"])
def test_several_outputs_train_by_keras_too(rows, kind):
    y = rows @ np.array([[1.0, 2.0], [3.0, -1.0]])
    settings = {**FAST, "kind": kind, "epochs": 3}
    slow = KerasRegressor(heads, compile__run_eagerly=True, **settings).fit(rows, y)
    fused = KerasRegressor(heads, **settings).fit(rows, y)
    assert slow.fit_path_.startswith("fit")
    np.testing.assert_allclose(slow.predict(rows), fused.predict(rows), atol=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": ["binary_crossentropy"], "loss__0__label_smoothing": 0.3},
        {"loss": {"out": keras.losses.BinaryCrossentropy}, "loss__label_smoothing": 0.3},
        {"loss": {"out": "binary_crossentropy"}, "loss__out__label_smoothing": 0.3},
    ],
)
def test_a_single_output_takes_settings_in_a_list_or_dict_of_one(rows, settings):
    def build(meta):
        inputs = keras.Input((2,))
        return keras.Model(inputs, layers.Dense(1, "sigmoid", name="out")(inputs))

    labels = (rows[:, 0] > 0).astype(int)
    classifier = KerasClassifier(
        build, epochs=1, metrics={"out": ["accuracy", "auc"]}, **settings
    ).fit(rows, labels)
    assert classifier.model_.loss.get_config()["label_smoothing"] == 0.3
    assert {"accuracy", "auc"} <= set(classifier.history_)
    nested = KerasClassifier(build, epochs=1, metrics=[["accuracy"]]).fit(rows, labels)
    assert "accuracy" in nested.history_
    with pytest.raises(ParameterError, match="nothing"):
        KerasClassifier(build, epochs=1, loss={"nothing": "mse", "out": "mse"}).fit(rows, labels)


@pytest.mark.parametrize("loss", [keras.losses.BinaryCrossentropy, "BinaryCrossentropy"])
@pytest.mark.parametrize("kind", ["list", "dict"])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_builder_that_compiles_gets_the_settings_of_every_output(rows, loss, kind, n_outputs):
    names = [f"out{i + 1}" for i in range(n_outputs)]

    def build(meta, compile_kwargs):
        inputs = keras.Input((2,))
        tensors = [layers.Dense(1, name=name)(inputs) for name in names]
        outputs = tensors if kind == "list" else dict(zip(names, tensors, strict=True))
        model = keras.Model(inputs, outputs)
        model.compile(**compile_kwargs)
        return model

    y = (np.column_stack([rows[:, 0], rows[:, 1]])[:, :n_outputs] > 0).astype(int)
    y = y.ravel() if n_outputs == 1 else y
    last = str(n_outputs - 1) if kind == "list" else names[-1]
    settings = {"loss__from_logits": True, f"loss__{last}__label_smoothing": 0.25}
    losses, metrics = [loss] * n_outputs, [["accuracy"]] * n_outputs
    if kind == "dict":
        losses, metrics = (dict(zip(names, part, strict=True)) for part in (losses, metrics))
    classifier = KerasClassifier(build, loss=losses, metrics=metrics, epochs=1, **settings)
    classifier.fit(rows, y)
    made = list(classifier.model_.loss.values()) if kind == "dict" else classifier.model_.loss
    smoothing = [part.get_config()["label_smoothing"] for part in made]
    assert smoothing == [*[0] * (n_outputs - 1), 0.25]
    assert [part.get_config()["from_logits"] for part in made] == [True] * n_outputs
    assert classifier.predict(rows).shape == y.shape
    with pytest.raises(UnknownParameterError, match="nowhere"):
        KerasClassifier(build, loss=losses, loss__nowhere__axis=1).fit(rows, y)
