"""What users of Keras and SciKeras write: builders of every form, one-hot y, None and -1, **kw."""

from __future__ import annotations

import functools
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.exceptions import DataError, ModelError, ParameterError, UnknownParameterError

keras = pytest.importorskip("keras")
pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.keras
layers = keras.layers

FAST = {"epochs": 20, "optimizer__learning_rate": 0.05, "random_state": 0}
NAMES = ["z", "b", "c"]


def stack(units, outputs):
    return keras.Sequential([keras.Input((4,)), layers.Dense(units, "relu"), layers.Dense(outputs)])


def build(meta, units=4):
    return stack(units, meta["n_outputs_expected_"])


def any_names(**kwargs):
    return stack(kwargs.get("units", 4), kwargs["meta"]["n_outputs_expected_"])


def passes_on(units=4, **kwargs):
    return keras.Sequential([keras.Input((4,)), layers.Dense(units, **kwargs), layers.Dense(3)])


class Builder:
    """An object that is called like a function."""

    def __init__(self, units):
        self.units = units

    def __call__(self, meta):
        return stack(self.units, meta["n_outputs_expected_"])


@pytest.mark.parametrize(
    "model, options",
    [
        (any_names, {"model__units": 7}),
        (passes_on, {"model__units": 7, "model__activation": "relu"}),
        (functools.partial(build, units=7), {}),
        (functools.partial(any_names, units=7), {}),
        (Builder(7), {}),
    ],
)
def test_builders_of_every_form(blobs, model, options):
    classifier = clone(KerasClassifier(model, epochs=1, **options)).fit(*blobs)
    assert classifier.model_.layers[0].units == 7


def test_one_hot_rows_are_classes_where_the_loss_says_so(blobs):
    X, y = blobs
    rows = np.eye(3)[y]
    classifier = KerasClassifier(loss="categorical_crossentropy", validation_split=0.2, **FAST)
    classifier.fit(X, rows)
    assert classifier.classes_.tolist() == [0, 1, 2] and classifier.target_type_ == "multiclass"
    assert classifier.score(X, rows) == classifier.score(X, y) > 0.9
    assert classifier.predict(X).shape == y.shape
    labels = KerasClassifier(loss="categorical_crossentropy", validation_split=0.2, **FAST)
    labels.fit(X, y)
    np.testing.assert_allclose(classifier.predict_proba(X), labels.predict_proba(X), atol=1e-6)
    classifier.partial_fit(X, rows)
    with pytest.raises(DataError, match="must be one-hot like the first y"):
        classifier.partial_fit(X, np.ones((len(X), 3), int))


def test_names_of_one_hot_columns_are_the_classes(blobs):
    X, y = blobs
    frame = pd.DataFrame(np.eye(3, dtype=int)[y], columns=NAMES)

    def compiled():
        model = keras.Sequential([keras.Input((4,)), layers.Dense(3, "softmax")])
        model.compile(keras.optimizers.Adam(0.05), "categorical_crossentropy")
        return model

    for given in (
        KerasClassifier(loss="categorical_crossentropy", class_weight={"z": 2.0}, **FAST),
        KerasClassifier(compiled, epochs=20),
        KerasClassifier(compiled(), epochs=20),
    ):
        classifier = given.fit(X, frame, X_val=X[:9], y_val=frame[:9])
        assert classifier.classes_.tolist() == NAMES
        assert np.mean(classifier.predict(X) == np.array(NAMES)[y]) > 0.9
        assert classifier.score(X, frame) > 0.9
    two = KerasClassifier(loss="categorical_crossentropy", **FAST)
    assert two.fit(X, frame[["z", "b"]].assign(b=1 - frame["z"])).predict_proba(X).shape[1] == 2


def test_search_over_one_hot_rows(blobs):
    X, y = blobs
    network = KerasClassifier(loss="categorical_crossentropy", **FAST)
    search = GridSearchCV(network, {"model__units": [8]}, cv=2, error_score="raise")
    assert search.fit(X, np.eye(3)[y]).best_score_ > 0.8


def test_targets_of_one_column(blobs):
    X, y = blobs
    with pytest.warns(Warning, match="column-vector"):
        assert KerasClassifier(epochs=1).fit(X, y[:, None]).predict(X).shape == y.shape
    for model in (LinearRegression(), KerasRegressor(epochs=1)):
        assert model.fit(X, X[:, :1]).predict(X).shape == (len(X), 1)
        assert model.fit(X, X[:, 0]).predict(X).shape == (len(X),)


def test_sizes_none_and_all(blobs):
    X, y = blobs
    plain = KerasClassifier(epochs=2, random_state=0).fit(X, y)
    none = KerasClassifier(epochs=2, random_state=0, batch_size=None).fit(X, y)
    np.testing.assert_array_equal(none.predict_proba(X), plain.predict_proba(X))
    everything = KerasClassifier(
        epochs=2,
        random_state=0,
        validation_split=0.2,
        fit__validation_batch_size=-1,
        predict__batch_size=-1,
    ).fit(X, y)
    assert everything.predict(X).shape == y.shape and "val_loss" in everything.history_
    assert KerasClassifier(epochs=1).fit(X, y, batch_size=None).n_iter_ == 1


class Stop(keras.callbacks.EarlyStopping):
    def __init__(self, **kw):
        super().__init__(**kw)


class Sgd(keras.optimizers.SGD):
    def __init__(self, **kw):
        super().__init__(**kw)


class Loss(keras.losses.Huber):
    def __init__(self, **kw):
        super().__init__(**kw)


class Metric(keras.metrics.MeanAbsoluteError):
    def __init__(self, **kw):
        super().__init__(**kw)


class Anything(keras.callbacks.Callback):
    """A callback that takes arguments by position."""

    given: tuple = ()

    def __init__(self, *args):
        super().__init__()
        Anything.given = args


@pytest.mark.parametrize(
    "settings",
    [
        {"callbacks": [Stop], "callbacks__monitor": "loss"},
        {"callbacks": [Stop], "callbacks__0__monitor": "loss"},
        {"optimizer": Sgd, "optimizer__momentum": 0.9},
        {"loss": Loss, "loss__delta": 0.5},
        {"metrics": [Metric], "metrics__name": "m"},
    ],
)
def test_classes_that_take_any_name(blobs, settings):
    X = blobs[0]
    history = KerasRegressor(epochs=1, **settings).fit(X, X.sum(axis=1) / 9).history_
    assert "metrics" not in settings or "m" in history


def test_arguments_of_a_callback_by_position(blobs):
    X, y = blobs
    settings = {"callbacks": {"a": Anything}, "callbacks__a__1": "y", "callbacks__a__0": "x"}
    KerasClassifier(epochs=1, **settings).fit(X, y)
    assert Anything.given == ("x", "y")
    with pytest.raises(UnknownParameterError, match="by name, not by position"):
        KerasClassifier(epochs=1, callbacks={"a": Stop}, callbacks__a__0="x").fit(X, y)


def test_a_random_state_goes_on_from_fit_to_fit(blobs):
    X, y = blobs
    classifier = KerasClassifier(epochs=1, random_state=np.random.RandomState(0))
    first = classifier.fit(X, y).predict_proba(X)
    second = classifier.fit(X, y).predict_proba(X)
    assert not np.allclose(first, second)
    again = KerasClassifier(epochs=1, random_state=np.random.RandomState(0))
    np.testing.assert_array_equal(again.fit(X, y).predict_proba(X), first)
    copies = [clone(again).fit(X, y).predict_proba(X) for _ in range(2)]
    np.testing.assert_array_equal(*copies)


@pytest.mark.parametrize("eager", [False, True])
def test_callbacks_of_sklearn_see_every_epoch(blobs, eager):
    X, y = blobs
    monitor = ScoringMonitor(scoring="accuracy")
    settings = {"compile__run_eagerly": True} if eager else {}
    classifier = KerasClassifier(**{**FAST, "epochs": 4}, **settings).set_callbacks(monitor)
    classifier.fit(X, y)
    logs = monitor.get_logs()
    scores = [row["accuracy"] for row in (logs[-1] if isinstance(logs, list) else logs).data]
    assert len(scores) == 5  # four epochs, and the whole fit
    assert scores[-1] == pytest.approx(classifier.score(X, y))
    assert not hasattr(classifier, "_callback_fit_ctx")
    plain = KerasClassifier(**{**FAST, "epochs": 4}, **settings).fit(X, y)
    np.testing.assert_allclose(plain.predict_proba(X), classifier.predict_proba(X), atol=1e-6)


def test_callbacks_of_sklearn_end_after_an_error_too(blobs):
    X, y = blobs
    regressor = KerasRegressor(epochs=2).set_callbacks(ProgressBar())
    regressor.fit(X, y)
    regressor.set_params(optimizer__learning_rate=1e30, optimizer="sgd")
    with pytest.raises(Exception, match=r"finite|diverged"):
        regressor.fit(X * 1e9, y * 1e9)
    assert not hasattr(regressor, "_callback_fit_ctx")
    grid = GridSearchCV(KerasRegressor(), {"epochs": [1]}, cv=2).set_callbacks(ProgressBar())
    assert grid.fit(X, y).n_splits_ == 2


def batches(X, y, size=30):
    for start in range(0, len(y), size):
        yield X[start : start + size], y[start : start + size]


def test_predictions_of_datasets_and_generators(blobs):
    import tensorflow as tf

    X, y = blobs

    class Rows(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return X[index * 30 : index * 30 + 30], y[index * 30 : index * 30 + 30]

    classifier = KerasClassifier(epochs=1).fit(X, y)
    expected = classifier.predict_proba(X)
    sources = [
        tf.data.Dataset.from_tensor_slices(X).batch(32),
        tf.data.Dataset.from_tensor_slices((X, y)).batch(32),
        batches(X, y),
        lambda: batches(X, y),
    ]
    for source in sources:
        found = classifier.predict_dataset(source, method="predict_proba")
        np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(classifier.predict_dataset(Rows()), classifier.predict(X[:90]))
    endless = tf.data.Dataset.from_tensor_slices(X).batch(30).repeat()
    assert classifier.predict_dataset(endless, steps=2).shape == (60,)
    for source, options, words in [
        (endless, {}, "give steps"),
        (endless, {"steps": 0}, "steps must be"),
        (endless, {"method": "fit"}, "method must be"),
    ]:
        with pytest.raises(ParameterError, match=words):
            classifier.predict_dataset(source, **options)
    with pytest.raises(DataError, match="arrays go to fit or predict"):
        classifier.predict_dataset(X)


def test_fit_takes_generators_of_batches(blobs):
    X, y = blobs
    classifier = KerasClassifier(**{**FAST, "epochs": 3})
    classifier.fit_dataset(lambda: batches(X, y), validation_data=lambda: batches(X, y))
    assert classifier.n_iter_ == 3 and "val_loss" in classifier.history_
    assert classifier.classes_.tolist() == [0, 1, 2]
    once = KerasClassifier(epochs=1).fit_dataset(batches(X, y), classes=[0, 1, 2])
    assert once.n_iter_ == 1

    def endless():
        while True:
            yield from batches(X, y)

    several = KerasClassifier(epochs=2)
    several.fit_dataset(endless(), classes=[0, 1, 2], steps_per_epoch=2)
    assert several.n_iter_ == 2
    with pytest.raises(ParameterError, match="read once"):
        KerasClassifier(epochs=2).fit_dataset(batches(X, y), classes=[0, 1, 2])
    with pytest.raises(DataError, match="give classes"):
        KerasClassifier(epochs=1).fit_dataset(batches(X, y))
    for source in (batches(X, y), (X for _ in range(1))):
        with pytest.raises(DataError, match="fit_dataset and predict_dataset"):
            KerasClassifier().fit(source, y)


def test_batches_may_be_dicts_by_the_names_of_inputs(blobs):
    import tensorflow as tf

    X, y = blobs[0].astype("float32"), blobs[1].astype("float32")
    texts = np.where(y > 0, "more", "none")

    def builder():
        a, t = keras.Input((4,), name="a"), keras.Input((1,), dtype="string", name="t")
        code = layers.StringLookup(vocabulary=["more", "none"], output_mode="one_hot")(t)
        return keras.Model([a, t], layers.Dense(1)(layers.Concatenate()([a, code])))

    rows = tf.data.Dataset.from_tensor_slices(({"a": X, "t": texts[:, None]}, y)).batch(30)
    regressor = KerasRegressor(builder, epochs=2).fit_dataset(rows)
    assert regressor.predict_dataset(rows).shape == y.shape


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_trained_network_is_used_without_training(early_stopping):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 4))
    labels = np.array(["no", "yes"])[(X[:, 0] > 0).astype(int)]
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    network.layers[-1].set_weights([np.array([[9.0], [0], [0], [0]]), np.zeros(1)])
    classifier = KerasClassifier(network, early_stopping=early_stopping, warm_start=True, epochs=1)
    assert classifier.initialize(X, labels) is classifier
    assert classifier.score(X, labels) == 1.0
    assert classifier.history_ == {} and classifier.n_iter_ == 0
    assert pickle.loads(pickle.dumps(classifier)).score(X, labels) == 1.0
    before = classifier.predict_proba(X)
    classifier.fit(X, labels)  # goes on from these weights
    assert classifier.n_iter_ == 1
    assert 0 < np.abs(classifier.predict_proba(X) - before).max() < 0.2


def test_an_untrained_network_of_ours_answers_in_the_units_of_the_target():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), 1e6 + rng.normal(size=40)
    regressor = KerasRegressor(random_state=0).initialize(X, y)
    assert np.abs(regressor.predict(X) - 1e6).max() < 100


def test_initialize_refuses_what_fit_refuses():
    X, y = np.zeros((10, 2)), np.arange(10) % 2
    with pytest.raises(ParameterError, match="members"):
        KerasClassifier(members=3).initialize(X, y)
    classifier = KerasClassifier()
    with pytest.raises(DataError, match="rows"):
        classifier.initialize(X, y[:-1])
    assert not hasattr(classifier, "model_")


@pytest.mark.parametrize("loss", [None, "mse", [None], ["mse"]])
@pytest.mark.parametrize("compiled", [True, False])
def test_a_builder_may_name_its_parameter_like_a_prefix(loss, compiled):
    def get_model(compile, meta, compile_kwargs):
        inputs = keras.Input((meta["n_features_in_"],))
        model = keras.Model(inputs, [layers.Dense(1, name="out")(inputs)])
        if compile:
            model.compile(**compile_kwargs)
        return model

    X, y = np.arange(8.0).reshape(-1, 1), np.arange(8.0)
    regressor = KerasRegressor(get_model, loss=loss, compile=compiled, epochs=1)
    if compiled and loss == [None]:
        with pytest.raises(ModelError, match="without a loss"):
            regressor.fit(X, y)
        return
    assert regressor.fit(X, y).predict(X).shape == (8,)
