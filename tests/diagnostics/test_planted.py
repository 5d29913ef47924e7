"""Networks with a planted fault: each is found, named, and where possible mended."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import is_regressor
from sklearn.datasets import make_circles
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.diagnostics import FitDisplay, diagnose

pytest.importorskip("keras")
pytestmark = pytest.mark.keras

RATE = {"optimizer__learning_rate": 0.02, "random_state": 0}


@pytest.fixture(scope="module")
def memorized():
    rng = np.random.default_rng(0)
    network = KerasClassifier(model__units=48, epochs=30, batch_size=16, **RATE)
    return diagnose(network, rng.normal(size=(90, 12)), rng.integers(0, 2, 90), train_sizes=())


def test_network_that_memorizes_random_labels_overfits(memorized):
    assert memorized.has("overfitting") and not memorized.has("underfitting")
    (found,) = [f for f in memorized.findings if f.kind == "overfitting"]
    assert found.evidence["train_score"] > 0.95 and found.evidence["skill_gap"] > 0.6
    assert found.evidence["val_rise"] > 0.1  # the curves of the folds say the same
    names = [remedy.name for remedy in memorized.remedies()]
    assert names[:3] == ["early stopping", "dropout 0.3", "L2 penalty 0.001"]
    assert "augmentation" in names and "smaller layers (x0.25)" in names


def test_no_remedy_helps_where_there_is_nothing_to_learn(memorized):
    chosen = [r for r in memorized.remedies() if r.name in ("dropout 0.3", "augmentation")]
    results = memorized.try_remedies(remedies=chosen)
    assert all(low < 0.1 for low in results.table["gain_low"])
    assert set(results.to_dict()["remedy"]) == {"dropout 0.3", "augmentation"}
    assert results.table["score"] == sorted(results.table["score"], reverse=True)
    assert "as it was" in str(results)


def test_overfitting_is_mended_by_measure():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(120, 30))
    y = (X[:, 0] + X[:, 1] + 0.5 * rng.normal(size=120) > 0).astype(int)
    found = diagnose(
        KerasClassifier(model__units=48, epochs=25, batch_size=16, **RATE), X, y, train_sizes=()
    )
    assert found.has("overfitting")
    some = [r for r in found.remedies() if r.name.startswith(("smaller", "L2"))]
    results = found.try_remedies(remedies=some)
    best = found.best_remedy()
    assert not hasattr(best, "model_")
    if results.table["gain"][0] > 0:
        assert best.get_params() == results.remedies[0].apply(found.estimator).get_params()
    else:
        assert best.get_params() == found.estimator.get_params()


def test_network_that_cannot_fit_is_mended():
    X, y = make_circles(240, noise=0.05, factor=0.4, random_state=0)
    network = KerasClassifier(model__n_layers=0, model__units=16, epochs=20, **RATE)
    found = diagnose(network, X, y, train_sizes=())
    assert found.has("underfitting") and found.has("baseline_wins")
    assert not found.has("overfitting")
    results = found.try_remedies(remedies=found.remedies()[:1])
    assert results.table["remedy"] == ["hidden layers"] and results.table["gain"][0] > 0.3
    assert found.best_remedy().get_params()["model__n_layers"] == 2


def test_network_that_diverges_is_mended():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3)) * [1, 100, 1000]
    y = X @ np.array([1.0, 2.0, 0.5])
    network = KerasRegressor(
        model__units=8, epochs=8, optimizer="sgd", optimizer__learning_rate=0.1, random_state=0,
        model__normalize=False, target_scaling=False,
    )  # fmt: skip
    found = diagnose(network, X, y, train_sizes=())
    assert found.verdict == "diverged" and np.isnan(found.scores["validation"]).all()
    first = found.remedies()[0]
    assert first.wrapper == "scale"
    y_small = y / y.std()
    again = diagnose(network, X, y_small, train_sizes=(), baselines=False)
    results = again.try_remedies(remedies=again.remedies()[:1])
    assert results.table["gain"][0] > 0.5  # over ignoring X
    assert is_regressor(again.best_remedy()) and len(again.best_remedy()) == 2


def test_network_that_is_fine_gets_no_remedy():
    rng = np.random.default_rng(0)
    y = np.arange(240) % 3
    X = rng.normal(size=(240, 4)) + 2 * np.eye(4)[y]
    network = KerasClassifier(
        model__units=8, epochs=20, optimizer__learning_rate=0.01, random_state=0
    )
    found = diagnose(network, X, y)
    assert found.findings == [] and found.verdict == "nothing found"
    assert found.remedies() == [] and found.try_remedies().remedies == []
    assert found.best_remedy().get_params() == network.get_params()
    display = FitDisplay.from_diagnosis(found)
    assert display.axes_[0].get_title() == "verdict: nothing found"
    assert len(display.axes_) == 2 and display.best_epoch_ >= 1


def test_leaked_label_is_suspected():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 120)
    X = rng.normal(size=(120, 5))
    X[:, 2] = y + 0.01 * rng.normal(size=120)
    found = diagnose(KerasClassifier(model__units=8, epochs=30, **RATE), X, y, train_sizes=())
    assert found.findings[0].kind == "leakage" and found.findings[0].evidence["feature"] == 2


def test_fitted_estimators_are_judged_from_their_history_for_free():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 8)), rng.integers(0, 2, 80)
    network = KerasClassifier(
        model__units=48, epochs=30, batch_size=16, validation_split=0.3, model__normalize=False,
        **RATE,
    )  # fmt: skip
    with pytest.raises(NotFittedError, match="not fitted"):
        diagnose(network)
    pipeline = make_pipeline(StandardScaler(), network).fit(X, y)
    weights = pipeline[-1].model_.get_weights()
    found = diagnose(pipeline)
    assert found.has("overfitting") and found.scores == {}
    assert found.remedies()[0].params == {"kerasclassifier__early_stopping": True}
    for before, after in zip(weights, pipeline[-1].model_.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_curves_are_drawn_from_a_history():
    history = {"loss": [0.7, 0.4, 0.2, 0.1, 0.1], "val_loss": [0.7, 0.5, 0.6, 0.8, 1.0]}
    display = FitDisplay.from_history(history)
    assert display.best_epoch_ == 2 and len(display.axes_) == 1
    assert display.axes_[0].get_title() == "verdict: overfitting"
    assert len(display.axes_[0].collections) == 1  # the gap
