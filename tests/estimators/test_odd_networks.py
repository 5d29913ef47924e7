"""Networks whose configuration does not say all that they compute, and their estimators."""

from __future__ import annotations

import functools
import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap._keras import name_scope, shareable_key
from skopt_wrap.exceptions import (
    BuilderError,
    DataError,
    ModelError,
    ParameterError,
    UnknownParameterError,
)

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras
layers = keras.layers

FAST = {"epochs": 6, "optimizer__learning_rate": 0.02, "random_state": 0}


def stack(*parts, compiled=("sgd", "mse"), shape=(4,), **options):
    model = keras.Sequential([keras.Input(shape), *parts, layers.Dense(1)])
    model.compile(*compiled, **options)
    return model


class Scale:
    """A callable with a state that its configuration leaves out."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, x):
        return self.factor * x

    def get_config(self):
        return {}


class ScaleConstraint(Scale, keras.constraints.Constraint):
    """A constraint whose configuration leaves its state out."""


class ScaleRegularizer(Scale, keras.regularizers.Regularizer):
    """A regularizer whose configuration leaves its state out."""


class Constant(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, rate):
        self.rate = rate

    def __call__(self, step):
        return self.rate

    def get_config(self):
        return {}


def adapted(factor):
    layer = layers.Normalization()
    layer.adapt(np.arange(8.0).reshape(2, 4) * factor)
    return stack(layer)


def looked_up(offset):
    layer = layers.IntegerLookup(output_mode="one_hot", max_tokens=4)
    layer.adapt(np.arange(3) + offset)
    return stack(layer, layers.Flatten())


def undecayed(excluded):
    optimizer = keras.optimizers.AdamW()
    optimizer.exclude_from_weight_decay(var_names=[str(excluded)])
    return stack(layers.Dense(2), compiled=(optimizer, "mse"))


def long_mean(value):
    mean = np.zeros(3000)
    mean[1500] = value
    return stack(layers.Normalization(mean=mean, variance=np.ones(3000)), shape=(3000,))


def frozen_variable(trainable):
    model = stack(layers.Dense(2))
    model.layers[0].bias.trainable = trainable == 1
    return model


PAIRS = {
    "huber": lambda i: stack(compiled=("sgd", keras.losses.Huber(delta=1.0 + i))),
    "schedule": lambda i: stack(compiled=(keras.optimizers.SGD(Constant(i)), "mse")),
    "clipping": lambda i: stack(compiled=(keras.optimizers.SGD(clipnorm=1.0 + i), "mse")),
    "weight decay": undecayed,
    "adapted": adapted,
    "lookup": looked_up,
    "long mean": long_mean,
    "close mean": lambda i: stack(layers.Normalization(mean=[1 + i * 1e-10] * 4, variance=[1] * 4)),
    "frozen variable": frozen_variable,
    "callable activation": lambda i: stack(layers.Dense(2, Scale(i))),
    "partial": lambda i: stack(
        layers.Dense(2, functools.partial(keras.activations.leaky_relu, negative_slope=i + 0.1))
    ),
    "constraint": lambda i: stack(layers.Dense(2, kernel_constraint=ScaleConstraint(i))),
    "regularizer": lambda i: stack(layers.Dense(2, kernel_regularizer=ScaleRegularizer(i))),
    "activity": lambda i: stack(layers.Dense(2, activity_regularizer=Scale(i))),
    "max norm": lambda i: stack(
        layers.Dense(2, kernel_constraint=keras.constraints.MaxNorm(1 + i))
    ),
    "cell": lambda i: stack(layers.RNN([layers.SimpleRNNCell(2, Scale(i))]), shape=(4, 1)),
    "nested": lambda i: stack(keras.Sequential([keras.Input((4,)), layers.Dense(2, Scale(i))])),
    "seed": lambda i: stack(layers.Dropout(0.5, seed=i)),
    "metric": lambda i: stack(metrics=[keras.metrics.BinaryAccuracy(threshold=i / 10)]),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_networks_that_differ_have_no_key_in_common(pair):
    keys = []
    for i in range(2):
        with name_scope():
            keys.append(shareable_key(PAIRS[pair](i)))
    assert None in keys or keys[0] != keys[1]


@pytest.mark.parametrize("pair", ["clipping", "max norm", "seed", "metric", "long mean"])
def test_equal_networks_of_keras_own_parts_have_a_key_in_common(pair):
    keys = []
    for _ in range(2):
        with name_scope():
            keys.append(shareable_key(PAIRS[pair](1)))
    assert keys[0] == keys[1] is not None


def test_argument_that_keras_leaves_out_of_the_configuration_is_obeyed(line):
    X, y = line
    losses = [
        KerasRegressor(loss="huber", loss__delta=delta, **FAST).fit(X, 10 * y).history_["loss"][0]
        for delta in (0.1, 10.0)
    ]
    assert losses[1] > 10 * losses[0]


def test_adapted_layers_are_copied_pickled_and_trained(blobs):
    X, y = blobs[0] * 100 + 500, blobs[1]
    normalize = layers.Normalization()
    normalize.adapt(X)
    seeded = keras.initializers.GlorotUniform(seed=0)
    head = layers.Dense(3, "softmax", kernel_initializer=seeded)
    model = keras.Sequential([keras.Input((4,)), normalize, head])
    classifier = KerasClassifier(model, **{**FAST, "epochs": 30}).fit(X, y)
    assert classifier.score(X, y) > 0.9
    expected = classifier.predict_proba(X)
    np.testing.assert_allclose(expected, classifier.model_.predict(X, verbose=0), atol=1e-5)
    other = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_allclose(other.predict_proba(X), expected, atol=1e-6)

    def builder(meta, data):
        layer = layers.Normalization()
        layer.adapt(data)
        return keras.Sequential([keras.Input((4,)), layer, layers.Dense(3)])

    for factor in (1, 100):
        scaled = KerasClassifier(builder, data=X * factor, **FAST).fit(X * factor, y)
        assert scaled.score(X * factor, y) > 0.9


def test_optimizer_object_keeps_what_it_excludes_from_weight_decay(blobs):
    X, y = blobs
    sizes = []
    for names in ([], ["kernel"]):
        optimizer = keras.optimizers.AdamW(0.01, weight_decay=5.0)
        optimizer.exclude_from_weight_decay(var_names=names)
        classifier = KerasClassifier(optimizer=optimizer, epochs=6, random_state=0).fit(X, y)
        sizes.append(np.abs(classifier.model_.layers[2].kernel.numpy()).sum())
    assert sizes[1] > 1.2 * sizes[0]
    optimizer.exclude_from_weight_decay(var_list=[classifier.model_.layers[2].kernel])
    with pytest.raises(ParameterError, match="var_names"):
        KerasClassifier(optimizer=optimizer).fit(X, y)


def test_layers_frozen_between_fits_stay_as_they_are(blobs):
    X, y = blobs
    classifier = KerasClassifier(warm_start=True, **FAST).fit(X, y)
    hidden, expected = classifier.model_.layers[2], classifier.predict_proba(X)
    before = hidden.kernel.numpy()
    hidden.trainable = False
    classifier.fit(X, y)
    np.testing.assert_array_equal(hidden.kernel, before)
    other = KerasClassifier(**FAST).fit(X, y)
    np.testing.assert_array_equal(other.predict_proba(X), expected)


def test_network_compiled_anew_between_fits_is_trained_as_compiled(blobs):
    X, y = blobs
    classifier = KerasClassifier(warm_start=True, **FAST).fit(X, y)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.model_.compile(keras.optimizers.SGD(0.0), loss, metrics=["accuracy"])
    before = classifier.predict_proba(X)
    classifier.fit(X, y)
    assert len(classifier.history_["accuracy"]) == 6
    np.testing.assert_array_equal(classifier.predict_proba(X), before)


@pytest.mark.parametrize("dtype", ["mixed_float16", "float64"])
def test_copies_train_in_the_precision_of_the_first(blobs, dtype):
    X, y = blobs
    classifier = KerasClassifier(dtype=dtype, **FAST).fit(X, y)
    assert classifier.score(X, y) > 0.9
    other = pickle.loads(pickle.dumps(classifier))
    assert type(other.model_.optimizer) is type(classifier.model_.optimizer)
    for each in (classifier, other):
        each.partial_fit(X, y)
    np.testing.assert_array_equal(other.predict_proba(X), classifier.predict_proba(X))


@pytest.mark.parametrize("hidden,last", [("mixed_float16", "float32"), ("float64", "float64")])
def test_last_layer_may_have_a_precision_of_its_own(blobs, hidden, last):
    X, y = blobs

    def builder():
        return keras.Sequential(
            [keras.Input((4,)), layers.Dense(8, "relu", dtype=hidden), layers.Dense(3, dtype=last)]
        )

    classifier = KerasClassifier(builder, **FAST).fit(X, y)
    assert classifier.network_output(X).dtype == classifier.network_output(X[:1]).dtype == last


@pytest.mark.parametrize("end", ["operation", "function", "hard_sigmoid", "reshaped"])
def test_outputs_that_are_probabilities_are_taken_as_such(binary, end):
    X, y = (part[:100] for part in binary)

    def builder():
        inputs = keras.Input((30,))
        activation = {"function": lambda x: keras.ops.sigmoid(x), "operation": None}
        tensor = layers.Dense(1, activation.get(end, "hard_sigmoid"))(inputs)
        if end == "operation":
            tensor = keras.ops.sigmoid(tensor)
        elif end == "reshaped":
            tensor = layers.Reshape((1,))(tensor)
        return keras.Model(inputs, tensor)

    classifier = KerasClassifier(builder, epochs=2, random_state=0).fit(X, y)
    assert classifier.target_encoder_.output_kind_ == "probabilities"
    raw = classifier.network_output(X)[:, 0]
    np.testing.assert_allclose(classifier.predict_proba(X)[:, 1], raw, rtol=1e-6)


def test_values_that_an_own_train_step_returns_are_recorded(blobs):
    import tensorflow as tf

    X = blobs[0]

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.out = layers.Dense(1)

        def call(self, x):
            return self.out(x)

        def train_step(self, data):
            x, target, _ = data
            with tf.GradientTape() as tape:
                error = keras.ops.mean((self(x, training=True) - target) ** 2)
            variables = self.trainable_variables
            self.optimizer.apply_gradients(
                zip(tape.gradient(error, variables), variables, strict=True)
            )
            return {"error": error}

    regressor = KerasRegressor(Net, epochs=2, random_state=0).fit(X, X[:, 0])
    assert regressor.fit_path_ == "fit: Net defines its own train_step"
    assert len(regressor.history_["error"]) == 2 and regressor.history_["error"][-1] > 0


def test_xla_is_used_when_asked_for(blobs):
    X, y = blobs
    plain = KerasClassifier(**FAST).fit(X, y)
    compiled = KerasClassifier(compile__jit_compile=True, **FAST).fit(X, y)
    assert compiled.fit_path_ == "fused" and compiled.model_.jit_compile
    np.testing.assert_allclose(compiled.predict_proba(X), plain.predict_proba(X), atol=1e-3)


def test_another_model_drops_the_parameters_that_it_does_not_take(blobs):
    classifier = KerasClassifier(model__units=8, model__dropout=0.1, optimizer__learning_rate=0.1)
    classifier.set_params(model="cnn", model__filters=4)
    params = clone(classifier).get_params()
    assert "model__units" not in params
    assert params["model__dropout"] == 0.1 and params["optimizer__learning_rate"] == 0.1
    with pytest.raises(UnknownParameterError, match="model__filters"):
        classifier.set_params(model="dense", model__filters=8)
    assert classifier.get_params()["model__filters"] == 4 and classifier.model == "cnn"
    classifier.model = "dense"
    with pytest.raises(UnknownParameterError, match="takes no 'filters'"):
        classifier.fit(*blobs)


@pytest.mark.parametrize("rows", [0, -2, 2.5])
def test_predict_batch_size_is_checked(blobs, rows):
    classifier = KerasClassifier(epochs=1, predict__batch_size=rows).fit(*blobs)
    with pytest.raises(ParameterError, match="predict__batch_size must be"):
        classifier.predict(blobs[0])


@pytest.mark.parametrize("value", [-1, float("nan"), "x", None])
def test_class_weight_holds_numbers(blobs, value):
    with pytest.raises(ParameterError, match="class_weight must hold finite numbers"):
        KerasClassifier(class_weight={0: value}, epochs=1).fit(*blobs)


def test_missing_labels_of_pandas_are_named(blobs):
    pd = pytest.importorskip("pandas")
    for dtype, labels in (("string", ["a", None, "b"]), ("Int64", [0, None, 1])):
        with pytest.raises(DataError, match="missing values"):
            KerasClassifier().fit(blobs[0], pd.Series(labels * 30, dtype=dtype))


def test_one_hot_targets_are_told_what_to_do(blobs):
    X, y = blobs
    with pytest.raises(ModelError, match=r"y\.argmax\(axis=1\)"):
        KerasClassifier(loss="categorical_crossentropy").fit(X, np.array([[1, 0, 1]] * len(y)))


def test_learning_rate_may_be_a_function(blobs):
    X, y = blobs

    def rate():
        return 0.25

    optimizer = keras.optimizers.SGD(rate)
    for params in ({"optimizer": optimizer}, {"optimizer__learning_rate": rate}):
        classifier = KerasClassifier(epochs=1, **{"optimizer": "sgd", **params}).fit(X, y)
        assert float(classifier.model_.optimizer.learning_rate) == 0.25


def test_functions_of_a_lambda_callback_are_called(blobs):
    X, y = blobs
    seen = []
    for hook, path in (("on_epoch_end", "fused"), ("on_train_batch_end", "fit: Lambda")):
        callback = keras.callbacks.LambdaCallback(**{hook: lambda *args, **logs: seen.append(1)})
        classifier = KerasClassifier(epochs=2, callbacks=[callback]).fit(X, y)
        assert classifier.fit_path_.startswith(path)
    assert len(seen) == 2 + 2 * 3


def test_metrics_may_be_a_dict_of_classes(blobs):
    metrics = {"hit": keras.metrics.SparseCategoricalAccuracy}
    classifier = KerasClassifier(metrics=metrics, metrics__hit__name="share", epochs=1).fit(*blobs)
    assert set(classifier.history_) == {"loss", "share"}


@pytest.mark.parametrize("shape", [(7,), (4, 4, 1), (4, 2)])
def test_built_network_that_takes_other_rows_is_refused(blobs, shape):
    model = keras.Sequential([keras.Input(shape), layers.Flatten(), layers.Dense(3)])
    for given in (model, lambda: keras.models.clone_model(model)):
        with pytest.raises(ModelError, match=r"takes rows of shape .*X has rows of shape \(4,\)"):
            KerasClassifier(given).fit(*blobs)


def test_last_axis_of_length_one_may_be_left_out(blobs):
    X, y = blobs
    model = keras.Sequential([keras.Input((4, 1)), layers.Flatten(), layers.Dense(3)])
    assert KerasClassifier(model, epochs=1).fit(X, y).predict(X).shape == y.shape


def test_builder_that_returns_the_same_network_again_is_refused(blobs):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    classifier = KerasClassifier(lambda: model, epochs=1).fit(*blobs)
    with pytest.raises(BuilderError, match="an earlier fit trains"):
        KerasClassifier(lambda: model, epochs=1).fit(*blobs)
    assert classifier.model_ is model
