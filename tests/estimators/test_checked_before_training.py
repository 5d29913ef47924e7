"""Metrics, parameters of named networks and optimizer settings are checked before training."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from sklearn.metrics import f1_score, log_loss, mean_squared_error, precision_score, roc_auc_score

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.estimators._outputs._metrics import make_metrics
from skopt_wrap.exceptions import ModelError, ParameterError

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4)).astype("float32")
SERIES = rng.normal(size=(60, 6, 2)).astype("float32")
TARGETS = {
    "binary": (X[:, 0] + rng.normal(size=60) > 0).astype(int),
    "classes": rng.integers(0, 3, 60),
    "labels": rng.integers(0, 2, (60, 3)),
    "numbers": rng.normal(size=60),
}
ONCE = {"epochs": 1, "random_state": 0, "early_stopping": False}
M = keras.metrics

# Metric -> the targets that it suits.
METRICS = {
    "accuracy": {"binary", "classes", "labels"},
    "acc": {"binary", "classes", "labels"},
    "auc": {"binary", "labels"},
    "precision": {"binary", "labels"},
    "Recall": {"binary", "labels"},
    "f1_score": {"binary", "labels"},
    "binary_accuracy": {"binary", "labels"},
    "hinge": {"binary", "labels"},
    "true_positives": {"binary", "labels"},
    "binary_crossentropy": {"binary", "labels", "numbers"},
    "mse": {"binary", "labels", "numbers"},
    "r2_score": {"binary", "labels", "numbers"},
    "cosine_similarity": {"binary", "labels", "numbers"},
    "sparse_categorical_accuracy": {"classes"},
    "sparse_categorical_crossentropy": {"classes"},
    "sparse_top_k_categorical_accuracy": {"classes"},
    "categorical_accuracy": set(),
    "top_k_categorical_accuracy": set(),
    "precision_at_recall": set(),
    "bogus": set(),
    "auc_score": set(),
}


def estimator(kind, **parameters):
    cls = KerasRegressor if kind == "numbers" else KerasClassifier
    return cls(**{**ONCE, "model__units": 4, **parameters})


# Target -> the form in which the default loss takes it, and the output units.
FORMS = {"binary": ("column", 1), "classes": ("index", 3), "labels": ("multilabel", 3)}
FORMS["numbers"] = ("values", 1)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", TARGETS)
def test_a_metric_suits_the_target_or_is_refused(metric, kind):
    form, units = FORMS[kind]
    for outputs in ("logits", "probabilities"):
        settings = {"form": form, "units": units, "kind": outputs}
        if kind in METRICS[metric]:
            assert len(make_metrics([metric], {}, **settings)) == 1
        else:
            with pytest.raises(ParameterError, match=metric):
                make_metrics([metric], {}, **settings)


@pytest.mark.parametrize("kind", TARGETS)
def test_metrics_that_suit_the_target_are_computed(kind):
    names = [name for name in METRICS if kind in METRICS[name]]
    history = estimator(kind, metrics=names).fit(X, TARGETS[kind]).history_
    assert set(history) == {"loss", *map(str.lower, names)}
    assert np.isfinite(list(history.values())).all()


@pytest.mark.parametrize(
    "metric",
    [
        pytest.param(lambda: M.AUC(), id="object"),
        pytest.param(lambda: M.AUC, id="class"),
        pytest.param(lambda: M.BinaryAccuracy(), id="accuracy"),
        pytest.param(lambda: M.OneHotIoU(num_classes=2, target_class_ids=[0]), id="one-hot"),
        pytest.param(lambda: M.F1Score(), id="one number a class"),
        pytest.param(lambda: lambda y_true, y_pred: y_true @ y_pred, id="function that fails"),
    ],
)
@pytest.mark.parametrize("name", ["metrics", "compile__weighted_metrics"])
def test_metrics_that_cannot_be_computed_for_classes(metric, name):
    with pytest.raises(ParameterError, match=name):
        estimator("classes", **{name: [metric()]}).fit(X, TARGETS["classes"])


def test_a_metric_that_gives_a_number_for_each_class_is_refused():
    with pytest.raises(ParameterError, match="average='macro'"):
        estimator("labels", metrics=[M.F1Score()]).fit(X, TARGETS["labels"])
    with pytest.raises(ParameterError, match=r"threshold=0\.5"):
        estimator("binary", metrics=[M.F1Score(average="macro")]).fit(X, TARGETS["binary"])


def test_metrics_of_a_builder_that_compiles():
    def build(meta):
        network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])
        network.compile("adam", "sparse_categorical_crossentropy", metrics=["auc"])
        return network

    with pytest.raises(ParameterError, match="builder's metrics holds 'auc'"):
        KerasClassifier(build, **ONCE).fit(X, TARGETS["classes"])


# Metric -> what scikit-learn says of the probabilities.
ON_PROBABILITIES = [
    ("mse", mean_squared_error),
    ("binary_crossentropy", log_loss),
    ("auc", roc_auc_score),
    (M.AUC(num_thresholds=2000, name="fine"), roc_auc_score),
    (M.BinaryAccuracy(threshold=0.3, name="share"), lambda y, p: np.mean((p > 0.3) == y)),
    (M.Precision(thresholds=0.3, name="third"), lambda y, p: precision_score(y, p > 0.3)),
    ("f1_score", lambda y, p: f1_score(y, p > 0.5)),
    (M.PrecisionAtRecall(0.0, name="at"), None),
]


@pytest.mark.parametrize("end", ["dense", "sigmoid"])
def test_metrics_see_probabilities_whatever_the_network_ends_in(end):
    def build(meta):
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, "sigmoid")])

    y = TARGETS["binary"]
    parameters = {"model": build} if end == "sigmoid" else {"model__units": 4}
    classifier = KerasClassifier(
        **{**ONCE, **parameters}, metrics=[metric for metric, _ in ON_PROBABILITIES]
    ).fit(X, y, X_val=X, y_val=y)
    shares = classifier.predict_proba(X)[:, 1]
    for metric, expected in ON_PROBABILITIES:
        name = metric if isinstance(metric, str) else metric.name
        value = classifier.history_[f"val_{name}"][-1]
        if expected is None:
            assert 0 <= value <= 1
        else:
            assert value == pytest.approx(
                expected(y, shares), abs=2e-2 if name in ("auc", "fine") else 1e-5
            )


def test_a_threshold_of_logits_stays_one():
    y = TARGETS["binary"]
    metric = M.Precision(thresholds=0, name="precision")
    classifier = estimator("binary", metrics=[metric]).fit(X, y, X_val=X, y_val=y)
    expected = precision_score(y, classifier.predict(X))
    assert classifier.history_["val_precision"][-1] == pytest.approx(expected)


def test_a_metric_of_the_users_gets_the_outputs_as_they_are():
    def lowest(y_true, y_pred):
        return keras.ops.min(y_pred)

    classifier = estimator("binary", metrics=[lowest]).fit(X, TARGETS["binary"])
    assert classifier.history_["lowest"][-1] < 0  # a logit


PARAMETERS = {
    "activation": ["bogus", "rellu", 3],
    "kernel_initializer": ["bogus", 5],
    "bias_initializer": ["zerros"],
    "recurrent_initializer": ["bogus"],
    "dropout": [-1, 1.0, "x", float("nan")],
    "batch_norm": ["yes", 2],
    "kernel_size": [0, -1, 1.5, (3, 0)],
    "pool_size": [0, True],
    "n_layers": [-1, 1.5],
    "l2": [-1, "x"],
}


@pytest.mark.parametrize("model", ["dense", "realmlp", "tabm", "cnn", "lstm"])
def test_parameters_of_named_networks(model):
    known = KerasClassifier(model).get_params()
    tried = 0
    for name, values in PARAMETERS.items():
        if f"model__{name}" not in known:
            continue
        for value in values:
            classifier = KerasClassifier(model, **ONCE, **{f"model__{name}": value})
            rows = SERIES if model in ("cnn", "lstm") else X
            with pytest.raises(ParameterError, match=f"model__{name}"):
                classifier.fit(rows, TARGETS["classes"])
            tried += 1
    assert tried >= 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", -1.0),
        ("learning_rate", float("nan")),
        ("learning_rate", "x"),
        ("weight_decay", -0.1),
        ("clipnorm", -1),
        ("clipvalue", 0.0),
        ("global_clipnorm", -1),
        ("beta_1", 1.0),
        ("beta_2", -0.5),
        ("epsilon", 0.0),
    ],
)
def test_numbers_of_an_optimizer(name, value):
    with pytest.raises(ParameterError, match=name):
        estimator("binary", **{f"optimizer__{name}": value}).fit(X, TARGETS["binary"])


@pytest.mark.parametrize("nothing", [{"model__n_layers": 0}, {"model__units": []}])
def test_a_recurrent_network_has_a_recurrent_layer(nothing):
    with pytest.raises(ParameterError, match="model__n_layers must be an int >= 1"):
        KerasClassifier("lstm", **ONCE, **nothing).fit(SERIES, TARGETS["classes"])


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_outputs_for_every_step_are_refused(kind):
    def build(meta):
        units = meta["n_outputs_expected_"]
        return keras.Sequential([keras.Input((6, 2)), keras.layers.Dense(units)])

    cls = KerasRegressor if kind == "numbers" else KerasClassifier
    with pytest.raises(ModelError, match=r"shape \(None, 6, [13]\)"):
        cls(build, **ONCE).fit(SERIES, TARGETS[kind])


def test_the_embedding_knows_the_ids_of_held_out_rows():
    ids = np.arange(200).reshape(100, 2)
    classifier = KerasClassifier("lstm", **ONCE, validation_split=0.3, model__units=2)
    classifier.fit(ids, np.arange(100) % 2)
    assert classifier.predict(ids).shape == (100,)


def test_an_error_of_keras_in_training_names_the_network():
    ids = np.arange(48).reshape(24, 2)
    classifier = KerasClassifier("lstm", **ONCE, optimizer__loss_scale_factor=2.0)
    with pytest.raises(ModelError, match="cannot be trained"):
        classifier.fit(ids, np.arange(24) % 2)


def test_errors_of_the_users_own_code_pass():
    class Failing(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$"):
        estimator("binary", callbacks=[Failing()]).fit(X, TARGETS["binary"])
