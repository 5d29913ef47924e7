"""Classes and functions of the user's travel with an estimator; nothing is registered."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import BaggingRegressor
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skopt_wrap
from skopt_wrap import KerasRegressor

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
Y = X @ np.ones(4, "float32")

# Run here by `exec`, as a module of no file; and in a process of its own, as `__main__`.
KINDS = textwrap.dedent(
    """
    import keras
    from keras import layers, ops

    FACTOR = 2.0

    class Loss(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean(ops.square(y_true - y_pred), axis=-1)

    def loss(y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred), axis=-1)

    class Metric(keras.metrics.MeanSquaredError):
        pass

    def metric(y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred), axis=-1)

    class Scale(layers.Layer):
        def __init__(self, factor=2.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, x):
            return x * self.factor

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    def activation(x):
        return ops.maximum(x, 0.1 * x)

    class Init(keras.initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return keras.random.normal(shape, dtype=dtype) * 0.1

    class Penalty(keras.regularizers.Regularizer):
        def __call__(self, x):
            return 1e-3 * ops.sum(ops.square(x))

        def get_config(self):
            return {}

    class Optimizer(keras.optimizers.SGD):
        pass

    class Schedule(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.01

        def get_config(self):
            return {}

    class Callback(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            pass

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.last = layers.Dense(4, "relu"), layers.Dense(1)

        def call(self, x):
            return self.last(self.hidden(x))

    def network(*more, **options):
        hidden = layers.Dense(4, **{"activation": "relu", **options})
        return keras.Sequential([keras.Input((4,)), hidden, *more, layers.Dense(1)])

    KINDS = {
        "loss object": {"loss": Loss()},
        "loss class": {"loss": Loss},
        "loss function": {"loss": loss},
        "metric object": {"metrics": [Metric(name="m")]},
        "metric class": {"metrics": [Metric]},
        "metric function": {"metrics": [metric]},
        "layer": {"model": lambda: network(Scale(3.0))},
        "activation": {"model": lambda: network(activation=activation)},
        "initializer": {"model": lambda: network(kernel_initializer=Init())},
        "regularizer": {"model": lambda: network(kernel_regularizer=Penalty())},
        "optimizer": {"optimizer": Optimizer(0.01)},
        "schedule": {"learning_rate_schedule": Schedule()},
        "callback": {"callbacks": [Callback()]},
        "model": {"model": lambda: Model()},
        "lambda": {"model": lambda: network(layers.Lambda(lambda x: x * FACTOR))},
        "instance": {"model": network(Scale(3.0))},
    }
    KINDS = {name: {"model": network, **options} for name, options in KINDS.items()}
    """
)
SPACE = {"__name__": "kinds_without_a_file"}
exec(KINDS, SPACE)
NAMES = list(SPACE["KINDS"])


def estimator(name):
    return KerasRegressor(**{"epochs": 1, "random_state": 0, **SPACE["KINDS"][name]})


@pytest.fixture(scope="module")
def fitted():
    return {name: estimator(name).fit(X, Y) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_pickle_and_deepcopy_predict_and_train_on(fitted, name):
    before = fitted[name].predict(X)
    again = pickle.loads(pickle.dumps(fitted[name]))
    # A copy of a copy too, as workers send it.
    for copied in (pickle.loads(pickle.dumps(again)), copy.deepcopy(fitted[name])):
        np.testing.assert_allclose(copied.predict(X), before, rtol=1e-6)
        steps = int(copied.model_.optimizer.iterations)
        assert steps == int(fitted[name].model_.optimizer.iterations)
        copied.partial_fit(X, Y)
        assert int(copied.model_.optimizer.iterations) > steps
    np.testing.assert_array_equal(fitted[name].predict(X), before)


@pytest.mark.parametrize("name", NAMES)
def test_clone_of_an_unfitted_and_of_a_fitted_one(fitted, name):
    for source in (estimator(name), fitted[name]):
        copied = clone(source)
        assert type(copied.get_params()["model"]) is type(source.get_params()["model"])
        assert not hasattr(copied, "model_")
    np.testing.assert_allclose(copied.fit(X, Y).predict(X), fitted[name].predict(X), rtol=1e-5)
    clone(make_pipeline(StandardScaler(), source))


def test_nothing_is_registered(fitted):
    pickle.loads(pickle.dumps(fitted["layer"]))
    registered = {name.rpartition(">")[2] for name in keras.saving.get_custom_objects()}
    assert not registered & {"Scale", "Loss", "activation", "Metric", "Optimizer"}


def run(code, folder):
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(skopt_wrap.__file__).parents[1]),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    path = folder / "script.py"
    path.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, env=environment, cwd=folder
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_dump_of_main_is_loaded_in_a_fresh_process(tmp_path):
    begin = "import joblib, numpy as np\nfrom skopt_wrap import KerasRegressor\n"
    data = "X = np.linspace(-1, 1, 80, dtype='f4').reshape(20, 4)\ny = X.sum(axis=1)\n"
    dump = """
for name, options in KINDS.items():
    fitted = KerasRegressor(epochs=1, random_state=0, **options).fit(X, y)
    joblib.dump((fitted, fitted.predict(X)), name + ".joblib")
"""
    run(begin + KINDS + data + dump, tmp_path)
    assert len(list(tmp_path.glob("*.joblib"))) == len(NAMES)
    load = """
import pathlib
for path in sorted(pathlib.Path().glob("*.joblib")):
    fitted, before = joblib.load(path)
    np.testing.assert_allclose(fitted.predict(X), before, rtol=1e-6, err_msg=str(path))
    fitted.partial_fit(X, y)
"""
    run(begin + data + load, tmp_path)


@pytest.mark.parametrize("name", ["layer", "instance", "model"])
def test_workers_and_ensembles(name):
    scores = cross_val_score(estimator(name), X, Y, cv=2, n_jobs=2, error_score="raise")
    np.testing.assert_allclose(scores, cross_val_score(estimator(name), X, Y, cv=2), rtol=1e-4)
    bagging = BaggingRegressor(estimator(name), n_estimators=2, n_jobs=2, random_state=0)
    assert bagging.fit(X, Y).predict(X).shape == (40,)
    copied = pickle.loads(pickle.dumps(bagging))
    np.testing.assert_allclose(copied.predict(X), bagging.predict(X), rtol=1e-6)


def test_search_over_an_instance_with_a_custom_layer():
    grid = {"epochs": [1, 2]}
    search = GridSearchCV(estimator("instance"), grid, cv=2, error_score="raise").fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    copied = pickle.loads(pickle.dumps(search))
    np.testing.assert_allclose(copied.predict(X), search.predict(X), rtol=1e-6)


def test_clone_of_a_plain_estimator_loads_no_keras():
    code = (
        "import sys\nfrom sklearn.base import clone\nimport copy, pickle\n"
        "from skopt_wrap import KerasClassifier\n"
        "e = clone(KerasClassifier()); copy.deepcopy(e); pickle.loads(pickle.dumps(e))\n"
        "assert 'keras' not in sys.modules and 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
