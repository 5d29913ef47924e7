from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skopt_wrap import CompressedModel, Distillation, KerasClassifier, KerasRegressor
from skopt_wrap.compression import LiteRTModel, Pruning
from skopt_wrap.compression._stages import _quantization
from skopt_wrap.exceptions import (
    BudgetError,
    ConversionError,
    DataError,
    ModelError,
    ParameterError,
    SkoptWrapWarning,
)


def _small(**params):
    params = {"model__units": (16,), "model__n_layers": 1, "epochs": 15, "random_state": 0} | params
    return KerasClassifier("dense", optimizer__learning_rate=1e-2, **params)


def test_predictions_come_from_the_file(compressed, network, digits):
    X, y = digits
    raw = LiteRTModel(compressed.tflite_model_)(network.network_input(X))
    np.testing.assert_array_equal(compressed.predict(X), raw.argmax(axis=1))
    np.testing.assert_allclose(
        compressed.predict_proba(X), network.target_encoder_.probabilities(raw)
    )
    np.testing.assert_allclose(compressed.decision_function(X), raw)
    assert not np.array_equal(compressed.predict_proba(X), network.predict_proba(X))
    assert compressed.score(X, y) == accuracy_score(y, compressed.predict(X)) > 0.85


def test_int8_file_is_smaller_and_as_good(compressed):
    trained, _, quantize = compressed.report_.rows
    assert quantize.bytes < 0.6 * trained.bytes
    assert trained.score - quantize.score < 0.01


def test_frozen_estimator_is_not_fitted_again(compressed, network):
    assert compressed.estimator_.estimator is network
    assert compressed.model_ is network.model_


def test_one_seed_gives_one_file(compressed, network, digits):
    X, y = digits
    state = np.random.get_state()[1].copy()
    again = CompressedModel(FrozenEstimator(network), random_state=0).fit(X[:800], y[:800])
    assert again.tflite_model_ == compressed.tflite_model_
    np.testing.assert_array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize("way", ["pickle", "deepcopy"])
def test_copies_predict_the_same(compressed, digits, way):
    X, _ = digits
    copies = {"pickle": lambda model: pickle.loads(pickle.dumps(model)), "deepcopy": copy.deepcopy}
    other = copies[way](compressed)
    np.testing.assert_array_equal(other.predict_proba(X), compressed.predict_proba(X))
    assert str(other.report_) == str(compressed.report_)


def test_it_is_what_its_estimator_is():
    classifier, regressor = CompressedModel(_small()), CompressedModel(KerasRegressor())
    assert is_classifier(classifier)
    assert is_regressor(regressor)
    assert hasattr(classifier, "predict_proba")
    assert not hasattr(regressor, "predict_proba")
    assert not hasattr(regressor, "decision_function")
    with pytest.raises(NotFittedError):
        classifier.predict(np.zeros((2, 4)))


def test_unfitted_estimator_is_cloned(blobs):
    X, y = blobs
    estimator = _small(epochs=2)
    model = CompressedModel(estimator, quantization=None).fit(X, y)
    assert not hasattr(estimator, "model_")
    assert model.estimator_ is not estimator
    assert model.n_features_in_ == 4
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    assert clone(model).get_params()["estimator__epochs"] == 2


def test_decision_threshold_of_a_classifier_is_kept(blobs, tmp_path):
    X, y = blobs[0], np.where(blobs[1] == blobs[1][0], "yes", "no")
    network = _small().fit(X, y)
    inner = FixedThresholdClassifier(FrozenEstimator(network), threshold=0.9).fit(X, y)
    model = CompressedModel(FrozenEstimator(inner), quantization=None).fit(X, y)
    likely = model.predict_proba(X)[:, 1]
    assert ((likely > 0.5) & (likely < 0.9)).any()  # rows on which the threshold decides
    expected = np.where(likely >= 0.9, "yes", "no")
    assert (model.predict(X) == expected).all()
    assert (pickle.loads(pickle.dumps(model)).predict(X[:1]) == expected[:1]).all()
    assert model.report_["trained"].score == pytest.approx(inner.score(X, y))
    described = json.loads(model.export(tmp_path / "m").with_suffix(".json").read_text())
    assert described["decision_threshold"] == 0.9


@pytest.mark.parametrize("params", [{"response_method": "decision_function"}, {"pos_label": "no"}])
def test_threshold_that_the_file_cannot_have_is_refused_before_training(blobs, params):
    network = KerasClassifier(lambda: pytest.fail("nothing is built"), epochs=1)
    inner = FixedThresholdClassifier(network, **params)
    with pytest.raises(ParameterError, match="FixedThresholdClassifier must compare"):
        CompressedModel(inner).fit(blobs[0], blobs[1] > 0)


def test_threshold_of_scikit_learns_choice_is_one_half(blobs):
    X, y = blobs[0], blobs[1] > 0
    model = CompressedModel(FixedThresholdClassifier(_small(epochs=2)), quantization=None)
    model.fit(X, y)
    np.testing.assert_array_equal(model.predict(X), model.predict_proba(X)[:, 1] >= 0.5)


def test_weights_do_not_follow_the_rows_of_a_sampler(blobs):
    X, y = blobs
    pipeline = make_imblearn_pipeline(RandomOverSampler(random_state=0), _small()).fit(X, y)
    model = CompressedModel(FrozenEstimator(pipeline), pruning=0.5, fine_tune_epochs=1)
    with pytest.raises(DataError, match="sample_weight cannot follow"):
        model.fit(X, y, sample_weight=np.ones(len(y)))


def test_pipeline_keeps_preprocessing_in_front_and_samplers_out(blobs):
    X, y = blobs
    X, y = X[y + np.arange(90) % 2 * 2 != 4] * 100, y[y + np.arange(90) % 2 * 2 != 4]
    pipeline = make_imblearn_pipeline(StandardScaler(), RandomOverSampler(random_state=0), _small())
    model = CompressedModel(pipeline, pruning=0.5, fine_tune_epochs=2, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9
    scaled = model.estimator_[0].transform(X)
    raw = model.runtime_(model.estimator_[-1].network_input(scaled))
    np.testing.assert_array_equal(model.predict(X), raw.argmax(axis=1))
    row = model.report_["prune"]
    kernels = [w for w in model.model_.get_weights() if w.ndim == 2]
    for kernel in kernels:
        assert 1 - np.count_nonzero(kernel) / kernel.size == pytest.approx(0.5, abs=0.04)
    assert len(row.done) == len(kernels) == 2
    assert row.nonzero == sum(np.count_nonzero(w) for w in model.model_.get_weights())


def test_search_over_quantization_scores_each_file(blobs):
    X, y = blobs
    search = GridSearchCV(
        CompressedModel(make_pipeline(StandardScaler(), _small()), random_state=0),
        {"quantization": ["float16", "int8"]},
        cv=2,
    ).fit(X, y)
    assert search.best_estimator_.report_.rows[-1].notes[0] == search.best_params_["quantization"]
    # The search's own best_estimator_ can be compressed in turn.
    frozen = CompressedModel(FrozenEstimator(_Tuned(search.best_estimator_.estimator_)))
    assert frozen.fit(X, y).score(X, y) > 0.9


class _Tuned(LogisticRegression):
    """Anything with a fitted best_estimator_."""

    def __init__(self, best_estimator=None):
        super().__init__()
        self.best_estimator = best_estimator
        if best_estimator is not None:
            self.best_estimator_ = best_estimator
            self.classes_ = best_estimator.classes_
            self.n_features_in_ = best_estimator.n_features_in_


def test_regressor_predicts_values(line):
    X, y = line
    network = KerasRegressor(
        "dense", model__units=(16,), epochs=40, optimizer__learning_rate=1e-2, random_state=0
    )
    model = CompressedModel(network, random_state=0).fit(X, np.c_[y, -y])
    assert model.predict(X).shape == (80, 2)
    assert model.predict(X).dtype == np.float64
    assert model.score(X, np.c_[y, -y]) > 0.9
    assert model.report_.metric == "r2"


def test_scoring_is_used_everywhere(network, digits):
    X, y = digits
    model = CompressedModel(FrozenEstimator(network), quantization=None, scoring="neg_log_loss")
    model.fit(X[:200], y[:200])
    loss = log_loss(y[:200], model.predict_proba(X[:200]), labels=np.arange(10))
    assert model.score(X[:200], y[:200]) == pytest.approx(-loss)
    assert model.report_["convert"].score == pytest.approx(-loss)
    assert model.report_.scored_on == "rows that the frozen network may have seen in its training"


def test_rows_of_weight_zero_calibrate_nothing(network, digits):
    X, y = digits
    weight = np.r_[np.ones(100), np.zeros(100)]
    X, y = X[:200].copy(), y[:200]
    X[100:] *= 1000
    model = CompressedModel(FrozenEstimator(network), random_state=0)
    weighted = model.fit(X, y, sample_weight=weight).tflite_model_
    assert weighted == model.fit(X[:100], y[:100]).tflite_model_
    with pytest.raises(ValueError, match="non-zero"):
        model.fit(X, y, sample_weight=np.zeros(200))


def test_budget_that_is_missed_leaves_the_result_to_be_looked_at(network, digits):
    X, y = digits
    model = CompressedModel(FrozenEstimator(network), max_size="1 kB", random_state=0)
    with pytest.raises(BudgetError, match=r"max_size=1,000 bytes: reached [\d,]+ bytes"):
        model.fit(X[:200], y[:200])
    assert len(model.tflite_model_) > 1000
    assert model.score(X, y) > 0.8


def test_export_writes_file_and_description(compressed, tmp_path):
    path = compressed.export(tmp_path / "digits")
    assert path == tmp_path / "digits.tflite"
    X = np.zeros((2, 64), dtype="float32")
    np.testing.assert_array_equal(LiteRTModel(path)(X), compressed.runtime_(X))
    description = json.loads((tmp_path / "digits.json").read_text(encoding="utf-8"))
    assert description["input"]["shape"] == [None, 64]
    assert description["output"]["shape"] == [None, 10]
    assert description["classes"] == list(range(10))
    assert description["output_kind"] == "logits"
    assert description["quantization"] == "int8"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"quantization": "int7"}, "Did you mean"),
        ({"pruning": 1.0}, r"\[0, 1\)"),
        ({"pruning": Pruning(0.5), "max_size": "small"}, "max_size"),
        ({"max_latency": -1}, "max_latency"),
        ({"max_score_drop": -0.1}, "max_score_drop"),
        ({"calibration_samples": 0}, "calibration_samples"),
        ({"fine_tune_epochs": 0}, "fine_tune_epochs"),
        ({"num_threads": 0}, "num_threads"),
    ],
)
def test_bad_parameter_is_refused_before_training(params, message, blobs):
    model = CompressedModel(_small(), **params)
    with pytest.raises(ValueError, match=message):
        model.fit(*blobs)
    assert not hasattr(model, "estimator_")


def test_validation_rows_come_with_their_target(blobs):
    with pytest.raises(ParameterError, match="together"):
        CompressedModel(_small()).fit(*blobs, X_val=blobs[0])


def test_estimator_without_a_network_is_refused(blobs):
    model = CompressedModel(make_pipeline(StandardScaler(), LogisticRegression()))
    with pytest.raises(ParameterError, match="found LogisticRegression"):
        model.fit(*blobs)
    assert not hasattr(model, "estimator_"), "trained in vain"
    with pytest.raises(NotFittedError):
        CompressedModel(FrozenEstimator(_small())).fit(*blobs)


def test_nan_weights_are_named_and_the_estimator_stays(network, digits):
    X, y = digits
    broken = copy.deepcopy(network)
    weights = broken.model_.get_weights()
    weights[[weight.name for weight in broken.model_.weights].index("bias")][3] = np.nan
    broken.model_.set_weights(weights)
    model = CompressedModel(FrozenEstimator(broken))
    with pytest.raises(DataError, match=r"NaN or infinite values in the weights .*bias"):
        model.fit(X[:50], y[:50])
    assert model.estimator_.estimator is broken


def test_late_failure_keeps_the_earlier_stages(network, digits, monkeypatch):
    """A stage that fails in the conversion process is named; what was reached before it is kept."""
    from skopt_wrap.compression._stages._quantization import Quantize

    def fail(self, model, context):
        convert = "skopt_wrap.compression._conversion._convert:convert"
        context.run_in_process(convert, {"quantization": self.spec})

    monkeypatch.setattr(Quantize, "run", fail)
    X, y = digits
    model = CompressedModel(FrozenEstimator(network))
    with pytest.raises(ConversionError, match="stage 'quantize' failed: TypeError"):
        model.fit(X[:50], y[:50])
    assert model.report_.to_dict()["stage"] == ["trained", "convert"]
    assert LiteRTModel(model.tflite_model_)(X[:2].astype("float32")).shape == (2, 10)
    assert model.estimator_.predict(X[:2]).shape == (2,)
    with pytest.raises(NotFittedError):
        model.predict(X)


@pytest.mark.parametrize("traceable", [True, False])
def test_subclassed_network_is_traced_or_refused(blobs, traceable):
    import keras

    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.out = keras.layers.Dense(3)
            if not traceable:  # a weight that belongs to no layer
                self.factor = self.add_weight(shape=(1,), initializer="ones")

        def call(self, x):
            return self.out(x) if traceable else self.out(x) * self.factor

    network = Mine()
    network(blobs[0][:1])
    network.compile("adam", "sparse_categorical_crossentropy")
    model = CompressedModel(FrozenEstimator(network), quantization=None)
    if not traceable:
        with pytest.raises(ModelError, match=r"subclassed model, and its (call|weights)"):
            model.fit(*blobs)
    else:
        model.fit(*blobs)
        expected = network.predict(blobs[0].astype("float32"), verbose=0)
        np.testing.assert_allclose(model.runtime_(blobs[0].astype("float32")), expected, atol=1e-5)
        assert "by one call" in model.report_["trained"].notes[0]


def test_file_that_differs_notably_is_warned_of_with_advice(monkeypatch, blobs):
    monkeypatch.setattr(_quantization, "_NOTABLE", 0.0)
    with pytest.warns(SkoptWrapWarning, match=r"differ from the network's.*StandardScaler"):
        model = CompressedModel(_small(), random_state=0).fit(*blobs)
    assert any("StandardScaler" in note for note in model.report_.rows[-1].notes)


def test_structured_pruning_makes_the_file_itself_smaller(network, digits):
    X, y = digits
    sizes = {}
    for structured in (False, True):
        model = CompressedModel(
            FrozenEstimator(network),
            pruning=Pruning(0.5, structured=structured),
            quantization=None,
            fine_tune_epochs=2,
            random_state=0,
        ).fit(X[:800], y[:800])
        sizes[structured] = len(model.tflite_model_)
        assert model.score(X[800:], y[800:]) > 0.8
    assert sizes[True] < 0.7 * sizes[False]
    assert model.report_.rows[-1].done == ["dense: 32 -> 16 units"]


def test_student_takes_the_place_of_its_teacher(network, digits):
    X, y = digits
    model = CompressedModel(
        FrozenEstimator(network),
        distillation=Distillation(0.5, epochs=20),
        quantization=None,
        random_state=0,
    ).fit(X[:400], y[:400], X_unlabelled=X[400:800])
    assert [layer.units for layer in model.model_.layers if layer.trainable_weights] == [16, 10]
    row = model.report_.rows[-1]
    assert row.stage == "distil"
    assert "400 unlabelled rows" in row.notes
    assert model.score(X[800:], y[800:]) > 0.8


def test_target_transformer_stands_behind_the_file():
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 4)).astype("float32")
    y = 2000 + 4 * X[:, 0]
    inner = KerasRegressor("dense", epochs=15, random_state=0)
    model = CompressedModel(
        TransformedTargetRegressor(inner, transformer=StandardScaler()), random_state=0
    ).fit(X, y)
    network = model.estimator_.score(X, y)
    assert model.score(X, y) == pytest.approx(network, abs=0.02)
    assert network > 0.8
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X[:3]), model.predict(X[:3]))
