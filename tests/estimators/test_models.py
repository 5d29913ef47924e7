"""What may be given as `model`, and how parameters reach its parts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.exceptions import BuilderError, ModelError, ParameterError, UnknownParameterError

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras


def build(meta, hidden=8, activation="relu"):
    return keras.Sequential(
        [
            keras.Input((meta["n_features_in_"],)),
            keras.layers.Dense(hidden, activation=activation),
            keras.layers.Dense(meta["n_outputs_expected_"]),
        ]
    )


def build_compiled(hidden=8):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(hidden), keras.layers.Dense(3, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_builder_parameters_are_parameters():
    classifier = KerasClassifier(build, hidden=4)
    params = classifier.get_params()
    assert params["hidden"] == 4 and params["model__activation"] == "relu"
    assert "meta" not in params and "model__meta" not in params
    classifier.set_params(model__hidden=16)
    assert classifier.get_params()["model__hidden"] == 16
    assert "hidden" not in classifier.get_params()
    copied = clone(classifier)
    assert copied.get_params() == classifier.get_params() and copied is not classifier


def test_parameters_reach_the_network(blobs):
    X, y = blobs
    for name in ("hidden", "model__hidden"):
        classifier = KerasClassifier(build, epochs=1, **{name: 5}).fit(X, y)
        assert classifier.model_.layers[0].units == 5


@pytest.mark.parametrize(
    "name,nearest",
    [("epoch", "'epochs'"), ("model__hiden", "'model__hidden'"), ("fit__shufle", "'fit__shuffle'")],
)
def test_unknown_names_raise_at_once_and_name_the_nearest(name, nearest):
    with pytest.raises(UnknownParameterError, match=f"Did you mean {nearest}"):
        KerasClassifier(build, **{name: 1})
    classifier = KerasClassifier(build)
    with pytest.raises(UnknownParameterError, match=f"Did you mean {nearest}"):
        classifier.set_params(epochs=3, **{name: 1})
    assert classifier.epochs == "auto"  # nothing is set when one name is wrong


@pytest.mark.parametrize(
    "params,nearest",
    [
        ({"optimizer__learning_rat": 0.1}, "'optimizer__learning_rate'"),
        ({"loss": "binary_crossentropi"}, "'binary_crossentropy'"),
        ({"optimizer": "adamm"}, "'adam"),
        ({"loss__from_logit": True}, "'loss__from_logits'"),
    ],
)
def test_names_of_keras_are_checked_before_training(blobs, params, nearest):
    X, y = blobs
    with pytest.raises(ParameterError, match=f"Did you mean {nearest}"):
        KerasClassifier(**params).fit(X, y)


def test_same_parameter_with_and_without_prefix_is_refused():
    with pytest.raises(ParameterError, match="the same parameter"):
        KerasClassifier(build, hidden=4, model__hidden=5)


def test_grid_search_reaches_every_part(blobs):
    X, y = blobs
    grid = {
        "model__units": [4, 8],
        "optimizer__learning_rate": [0.01, 0.1],
        "batch_size": [16, 32],
        "model__dropout": [0.1],
        "fit__shuffle": [False],
    }
    search = GridSearchCV(KerasClassifier(epochs=4, random_state=0), grid, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 8
    assert search.best_score_ > 0.6
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("kind", ["name", "class", "object"])
def test_optimizers_may_be_names_classes_and_objects(blobs, kind):
    X, y = blobs
    given = {"name": "SGD", "class": keras.optimizers.SGD, "object": keras.optimizers.SGD(0.3)}[
        kind
    ]
    classifier = KerasClassifier(optimizer=given, optimizer__momentum=0.5, epochs=1).fit(X, y)
    assert type(classifier.model_.optimizer) is keras.optimizers.SGD
    assert classifier.model_.optimizer.momentum == 0.5
    if kind == "object":
        assert not given.built and given.momentum == 0.0
        assert float(classifier.model_.optimizer.learning_rate) == pytest.approx(0.3)


def test_compiled_builder_keeps_its_settings(blobs):
    X, y = blobs
    classifier = KerasClassifier(build_compiled, epochs=2, random_state=0).fit(X, y)
    assert set(classifier.history_) == {"loss", "accuracy"}
    assert classifier.model_.loss == "sparse_categorical_crossentropy"


def test_settings_that_cannot_reach_a_compiled_network_are_refused(blobs):
    X, y = blobs
    with pytest.raises(ParameterError, match="optimizer__learning_rate cannot reach"):
        KerasClassifier(build_compiled, optimizer__learning_rate=0.1).fit(X, y)


def test_builder_may_take_compile_kwargs(blobs):
    X, y = blobs

    def builder(meta, compile_kwargs):
        model = build(meta)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer=compile_kwargs["optimizer"], loss=loss)
        return model

    classifier = KerasClassifier(builder, optimizer="sgd", optimizer__learning_rate=0.25, epochs=1)
    classifier.fit(X, y)
    assert float(classifier.model_.optimizer.learning_rate) == 0.25


def test_model_instance_is_copied_with_its_weights(blobs):
    X, y = blobs
    model = build_compiled()
    before = [v.numpy() for v in model.variables]
    classifier = KerasClassifier(model, epochs=3, random_state=0)
    first = classifier.fit(X, y).predict_proba(X)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    assert classifier.model is model and classifier.model_ is not model
    np.testing.assert_array_equal(classifier.fit(X, y).predict_proba(X), first)


def test_subclassed_networks_train(blobs):
    X, y = blobs

    class Net(keras.Model):
        def __init__(self, units):
            super().__init__()
            self.hidden, self.out = keras.layers.Dense(8, "relu"), keras.layers.Dense(units)

        def call(self, x):
            return self.out(self.hidden(x))

    def builder(meta):
        return Net(meta["n_outputs_expected_"])

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier = KerasClassifier(
        builder, loss=loss, epochs=20, optimizer__learning_rate=0.05, random_state=0
    ).fit(X, y)
    assert classifier.score(X, y) > 0.9
    np.testing.assert_allclose(classifier.predict_proba(X).sum(axis=1), 1)


def test_networks_that_differ_in_a_function_do_not_share_a_graph(blobs):
    X, y = blobs

    def builder_with(function):
        def builder(meta):
            return build(meta, activation=function)

        return builder

    outputs = [
        KerasClassifier(builder_with(f), epochs=2, random_state=0).fit(X, y).predict_proba(X)
        for f in (lambda x: x, lambda x: 0 * x)
    ]
    assert not np.allclose(*outputs)


def test_builder_that_raises_is_named_and_chained(blobs):
    X, y = blobs

    def broken():
        raise RuntimeError("no such layer")

    with pytest.raises(BuilderError, match=r"'broken' raised RuntimeError: no such layer") as error:
        KerasClassifier(broken).fit(X, y)
    assert isinstance(error.value.__cause__, RuntimeError)


@pytest.mark.parametrize("made", [None, "text", lambda: 3], ids=["none", "text", "function"])
def test_builder_that_returns_no_model_is_refused(blobs, made):
    X, y = blobs
    with pytest.raises(BuilderError, match=r"must return a keras\.Model"):
        KerasClassifier(lambda: made).fit(X, y)


@pytest.mark.tfmot
def test_keras_2_model_is_refused(blobs):
    tf_keras = pytest.importorskip("tf_keras")
    X, y = blobs

    def builder():
        return tf_keras.Sequential([tf_keras.layers.Dense(3, input_shape=(4,))])

    with pytest.raises(BuilderError, match="Keras 2"):
        KerasClassifier(builder).fit(X, y)
    with pytest.raises(ModelError, match="Keras 2"):
        KerasClassifier(builder()).fit(X, y)


def test_missing_argument_of_a_builder_is_named(blobs):
    X, y = blobs

    def builder(meta, units):
        return build(meta, units)

    with pytest.raises(ParameterError, match=r"needs .*units.*model__units"):
        KerasClassifier(builder).fit(X, y)


def test_wrong_number_of_output_units_names_both_numbers(blobs, line):
    X, y = blobs

    def builder():
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(7)])

    with pytest.raises(ModelError, match=r"7 output units.*3 classes needs 3.*n_outputs_expected_"):
        KerasClassifier(builder).fit(X, y)
    with pytest.raises(ModelError, match=r"7 output units.*1 columns"):
        KerasRegressor(builder).fit(X, X[:, 0])


@pytest.mark.parametrize(
    "loss", ["binary_crossentropy", "hinge", "sparse_categorical_crossentropy"]
)
def test_loss_that_does_not_suit_the_target_names_one_that_does(blobs, line, loss):
    X, y = blobs
    if loss != "sparse_categorical_crossentropy":
        with pytest.raises(ModelError, match=r"does not suit.*'sparse_categorical_crossentropy'"):
            KerasClassifier(loss=loss).fit(X, y)
    if loss != "binary_crossentropy":
        with pytest.raises(ModelError, match=r"compares class labels.*'mean_squared_error'"):
            KerasRegressor(loss=loss).fit(*line)


def test_rank_that_the_network_does_not_take_is_refused(blobs):
    X, y = blobs
    with pytest.raises(ModelError, match=r"takes images.*\(90, 4\).*model__input_shape"):
        KerasClassifier("cnn").fit(X, y)
    with pytest.raises(ParameterError, match=r"holds 9 values a row.*has 4"):
        KerasClassifier("cnn", model__input_shape=(3, 3, 1)).fit(X, y)


@pytest.mark.parametrize(
    "parameters,message",
    [
        ({"units": 0}, "model__units must be an int >= 1"),
        ({"dropout": 1.0}, r"model__dropout must be in \[0, 1\)"),
        ({"l2": -1}, "model__l2 must be a float >= 0"),
        ({"n_layers": -1}, "model__n_layers must be an int >= 0"),
    ],
)
def test_parameters_of_architectures_are_checked(blobs, parameters, message):
    X, y = blobs
    params = {f"model__{name}": value for name, value in parameters.items()}
    with pytest.raises(ParameterError, match=message):
        KerasClassifier(**params).fit(X, y)


def test_architectures_place_every_parameter():
    from skopt_wrap.architectures import dense

    meta = {"X_shape_": (10, 4), "n_outputs_expected_": 2}
    model = dense(
        meta, units=(6, 5), dropout=0.2, batch_norm=True, l1=0.1, l2=0.2, activation="tanh"
    )
    kinds = [type(layer).__name__ for layer in model.layers]
    block = ["Dense", "BatchNormalization", "Activation", "Dropout"]
    assert kinds == ["InputLayer", *block, *block, "Dense"]
    assert [layer.units for layer in model.layers if hasattr(layer, "units")] == [6, 5, 2]
    regularizer = model.layers[1].kernel_regularizer
    assert regularizer.l1 == pytest.approx(0.1) and regularizer.l2 == pytest.approx(0.2)
    assert model.layers[3].activation is keras.activations.tanh


def test_metrics_may_be_names_classes_and_objects(blobs):
    X, y = blobs
    mean = keras.metrics.SparseCategoricalAccuracy(name="mean")
    classifier = KerasClassifier(
        metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy, mean],
        metrics__k=2,
        epochs=2,
        random_state=0,
    ).fit(X, y)
    top = classifier.history_["sparse_top_k_categorical_accuracy"]
    assert top[-1] > classifier.history_["accuracy"][-1] == classifier.history_["mean"][-1]
    assert float(mean.result()) == 0.0  # the object given was not touched
    with pytest.raises(UnknownParameterError, match="metrics__q reaches none"):
        KerasClassifier(metrics=["accuracy"], metrics__q=2, epochs=1).fit(X, y)
