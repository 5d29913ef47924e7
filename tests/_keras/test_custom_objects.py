"""Networks with classes and functions of the user's are copied, sent and rebuilt."""

from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap
import types

import numpy as np
import pytest

from skopt_wrap._keras import CustomObjects, copy_network, dump_objects
from skopt_wrap.exceptions import ModelError

keras = pytest.importorskip("keras")
L = keras.layers
pytestmark = pytest.mark.keras
FACTOR = 3.0


class Scale(L.Layer):
    """With a `build` of its own, which Keras wraps on every object."""

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return x * self.w

    def compute_output_shape(self, shape):
        return shape


class Block(L.Layer):
    """Holds other layers, one of them of the user's."""

    def __init__(self, units=4, **settings):
        super().__init__(**settings)
        self.units = units
        self.dense, self.scale = L.Dense(units, activation=half), Scale()

    def build(self, shape):
        self.dense.build(shape)
        self.scale.build((None, self.units))

    def call(self, x):
        return self.scale(self.dense(x))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Cell(L.Layer):
    def __init__(self, units=3, **settings):
        super().__init__(**settings)
        self.units = self.state_size = units

    def build(self, shape):
        self.k = self.add_weight(shape=(shape[-1], self.units))
        self.r = self.add_weight(shape=(self.units, self.units))

    def call(self, x, states):
        h = keras.ops.tanh(x @ self.k + states[0] @ self.r)
        return h, [h]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Start(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None, **kwargs):
        return keras.ops.full(shape, 0.5, dtype=dtype)

    def get_config(self):
        return {}


class Penalty(keras.regularizers.Regularizer):
    def __call__(self, x):
        return 1e-4 * keras.ops.sum(keras.ops.abs(x))

    def get_config(self):
        return {}


class Positive(keras.constraints.Constraint):
    def __call__(self, w):
        return keras.ops.maximum(w, 0.0)


@keras.saving.register_keras_serializable("tests_custom")
class Registered(Scale):
    pass


class Loss(keras.losses.Loss):
    def call(self, y, p):
        return keras.ops.mean(keras.ops.abs(y - p), -1)


class Error(keras.metrics.Mean):
    def update_state(self, y, p, sample_weight=None):
        return super().update_state(keras.ops.abs(y - p), sample_weight)


class Halving(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 1e-3

    def get_config(self):
        return {}


def half(x):
    return keras.ops.relu(x) * 0.5


def squares(y, p):
    return keras.ops.mean(keras.ops.square(y - p), -1)


def times_factor(x):
    return x * FACTOR


def dense(*layers, shape=(4,), **compiled):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(shape), L.Dense(4), *layers, L.Dense(2)])
    model.compile(**{"loss": "mse", "optimizer": "sgd", **compiled})
    return model


def local_class():
    class Local(Scale):
        pass

    return dense(Local())


KINDS = {
    "layer": lambda: dense(Scale()),
    "block": lambda: dense(Block()),
    "registered": lambda: dense(Registered()),
    "local": local_class,
    "wrapped": lambda: dense(L.TimeDistributed(Scale()), L.Flatten(), shape=(3, 4)),
    "cell": lambda: dense(L.RNN(Cell()), shape=(3, 4)),
    "nested": lambda: dense(keras.Sequential([keras.Input((4,)), Scale(), L.Activation(half)])),
    "activation": lambda: dense(L.Dense(3, activation=half)),
    "initializer": lambda: dense(L.Dense(3, kernel_initializer=Start())),
    "regularizer": lambda: dense(L.Dense(3, kernel_regularizer=Penalty())),
    "constraint": lambda: dense(L.Dense(3, kernel_constraint=Positive())),
    "loss function": lambda: dense(loss=squares),
    "loss": lambda: dense(loss=Loss()),
    "metric": lambda: dense(metrics=[Error(), squares]),
    "schedule": lambda: dense(optimizer=keras.optimizers.SGD(Halving())),
    "lambda": lambda: dense(L.Lambda(lambda x: keras.ops.sin(x) * FACTOR)),
    "lambda of a function": lambda: dense(L.Lambda(times_factor)),
}


def rows(model):
    return np.random.default_rng(0).normal(size=(5, *model.input_shape[1:])).astype("float32")


@pytest.mark.parametrize("kind", KINDS)
def test_copy_computes_the_same_and_is_another_network(kind):
    model = KINDS[kind]()
    before = dict(keras.saving.get_custom_objects())
    copy = copy_network(model)
    assert dict(keras.saving.get_custom_objects()) == before
    np.testing.assert_array_equal(copy(rows(model)), model(rows(model)))
    assert not copy.compiled
    assert not {id(w) for w in copy.weights} & {id(w) for w in model.weights}
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]


@pytest.mark.parametrize("kind", KINDS)
def test_objects_are_found_by_plain_pickle(kind):
    model = KINDS[kind]()
    objects = CustomObjects(model)
    again = pickle.loads(pickle.dumps((objects, objects.config(model))))
    rebuilt = again[0].build(keras.Sequential, again[1])
    rebuilt.set_weights(model.get_weights())
    np.testing.assert_array_equal(rebuilt(rows(model)), model(rows(model)))
    with again[0].scope():
        rebuilt.compile_from_config(model.get_compile_config())
    assert rebuilt.compiled


def test_only_what_the_configuration_names_is_kept():
    assert set(CustomObjects(dense(Scale())).objects) == {"Scale"}
    assert CustomObjects(dense()).objects == {}
    assert set(CustomObjects(dense(Registered())).objects) == {
        "Registered", "tests_custom>Registered",
    }  # fmt: skip


def test_lambdas_of_equal_code_keep_their_own_closures():
    layers = [L.Lambda(lambda x, k=k: x * k) for k in (2.0, 5.0)]

    def shift(k):
        return L.Lambda(lambda x: x + k)

    model = dense(*layers, shift(1.0), shift(7.0))
    np.testing.assert_array_equal(copy_network(model)(rows(model)), model(rows(model)))


def test_operations_in_the_graph_are_copied():
    start = keras.Input((4,))
    x = L.Dense(4)(start)
    model = keras.Model(start, L.Dense(2)(x + start[:, :4] * 2.0))
    nodes = [len(operation._inbound_nodes) for operation in model.operations]
    np.testing.assert_array_equal(copy_network(model)(rows(model)), model(rows(model)))
    assert [len(operation._inbound_nodes) for operation in model.operations] == nodes


def test_frozen_layers_stay_frozen():
    model = dense(Scale())
    model.layers[0].trainable = False
    assert [layer.trainable for layer in copy_network(model).layers] == [False, True, True]


def test_lambdas_as_loss_and_metric_do_not_stand_in_the_way():
    model = dense(loss=lambda y, p: squares(y, p), metrics=[lambda y, p: squares(y, p)])
    assert not set(CustomObjects(model).objects)
    assert not copy_network(model).compiled


def test_two_objects_of_one_name_are_refused():
    def other():
        class Scale(L.Layer):
            def call(self, x):
                return x

        return Scale()

    with pytest.raises(ModelError, match=r"two different objects .* called 'Scale'"):
        CustomObjects(dense(Scale(), other()))


def test_layer_without_a_configuration_is_named():
    class Factor(L.Layer):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def call(self, x):
            return x

    with pytest.raises(ModelError, match=r"no configuration: .*get_config"):
        CustomObjects(dense(Factor(object())))


def test_module_that_nobody_can_import_goes_by_value(tmp_path, monkeypatch):
    """A module without a file; one in a folder on the search path goes by reference."""
    code = "import keras\nclass Double(keras.layers.Layer):\n    def call(self, x): return x * 2\n"
    hidden = types.ModuleType("a_hidden_module")
    exec(code, hidden.__dict__)
    monkeypatch.setitem(sys.modules, "a_hidden_module", hidden)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a_module_of_a_folder.py").write_text(code)
    monkeypatch.syspath_prepend(str(folder))
    import a_module_of_a_folder

    script = textwrap.dedent(
        """
        import pickle, sys
        objects = pickle.loads(sys.stdin.buffer.read())
        print(type(objects.objects["Double"].call).__name__)
        """
    )
    for module, ok in ((hidden, True), (a_module_of_a_folder, False)):
        content = pickle.dumps(CustomObjects(dense(module.Double())))
        done = subprocess.run([sys.executable, "-c", script], input=content, capture_output=True)
        assert (b"function" in done.stdout) == ok, done.stderr.decode()[-2000:]
    assert len(dump_objects(hidden.Double)) > 10 * len(dump_objects(a_module_of_a_folder.Double))
