"""Losses and weights for rare classes, by name in KerasClassifier."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

import skopt_wrap
from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.exceptions import DataError, ModelError, ParameterError, UnknownParameterError
from skopt_wrap.losses import (
    LogitAdjustedCrossentropy,
    PriorCorrectedClassifier,
    effective_class_weight,
)

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

EXACT = {"dtype": "float64", "batch_size": -1, "epochs": 5, "random_state": 0, "model__units": 4}


@pytest.fixture(scope="module")
def rare():
    """Three overlapping classes of 160, 30 and 10 rows; X (200, 3)."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [160, 30, 10])
    return rng.normal(size=(200, 3)) + 1.5 * np.eye(3)[y], y


def test_focal_picks_the_form_for_the_target(rare):
    X, y = rare
    one = KerasClassifier(loss="focal", loss__gamma=1.0, **EXACT).fit(X, y > 0).model_.loss
    assert type(one) is keras.losses.BinaryFocalCrossentropy and one.get_config()["gamma"] == 1.0
    assert not one.get_config()["apply_class_balancing"]
    weighed = KerasClassifier(loss="focal", loss__alpha=0.7, **EXACT).fit(X, y > 0).model_.loss
    assert weighed.get_config()["apply_class_balancing"]
    several = KerasClassifier(loss="focal", loss__gamma=1.0, **EXACT).fit(X, y).model_.loss
    assert type(several).__name__ == "SparseCategoricalFocalCrossentropy" and several.gamma == 1.0
    assert several.from_logits and several.reduction == "mean_with_sample_weight"
    labels = np.column_stack([y > 0, y > 1]).astype(int)
    several = KerasClassifier(loss="focal", **EXACT).fit(X, labels)
    assert several.predict(X).shape == (200, 2)


def test_focal_without_focus_is_cross_entropy(rare):
    X, y = rare
    focal = KerasClassifier(loss="focal", loss__gamma=0.0, **EXACT).fit(X, y)
    plain = KerasClassifier(**EXACT).fit(X, y)
    np.testing.assert_allclose(focal.predict_proba(X), plain.predict_proba(X), rtol=1e-4)


def test_logit_adjustment_learns_weighted_priors_and_finds_the_rare(rare):
    X, y = rare
    network = KerasClassifier(loss="logit_adjusted", **{**EXACT, "epochs": 150})
    plain = clone(network).set_params(loss=None).fit(X, y)
    weights = np.where(y == 2, 2.0, 1.0)
    assert clone(network).fit(X, y, sample_weight=weights).model_.loss.prior == pytest.approx(
        [160 / 210, 30 / 210, 20 / 210]
    )
    found = network.fit(X, y)
    assert found.model_.loss.prior == pytest.approx([0.8, 0.15, 0.05])
    recall = [(e.predict(X)[y == 2] == 2).mean() for e in (found, plain)]
    assert recall[0] > recall[1]
    corrected = PriorCorrectedClassifier(network).fit(X, y).predict_proba(X).mean(axis=0)
    np.testing.assert_allclose(corrected, [0.8, 0.15, 0.05], atol=0.06)


def test_effective_weight_equals_its_sample_weights(rare):
    X, y = rare
    by_hand = np.array(list(effective_class_weight(y).values()))[y]
    # Sample weights count in the statistics of a table too.
    plain = {**EXACT, "model__normalize": False}
    named = KerasClassifier(class_weight="effective", **plain).fit(X, y)
    given = KerasClassifier(**plain).fit(X, y, sample_weight=by_hand)
    np.testing.assert_allclose(named.predict_proba(X), given.predict_proba(X), rtol=1e-7)


def test_networks_share_a_graph_unless_their_priors_differ(rare):
    from skopt_wrap._keras import shareable_key

    X, y = rare
    keys = [
        shareable_key(KerasClassifier(loss="logit_adjusted", **EXACT).fit(X, labels).model_)
        for labels in (y, y, np.roll(y, 7), np.where(y == 2, 1, y))
    ]
    assert None not in keys
    assert keys[0] == keys[1] == keys[2] != keys[3]
    other = KerasClassifier(loss="logit_adjusted", loss__tau=0.5, **EXACT).fit(X, y)
    assert shareable_key(other.model_) != keys[0]
    moved = np.where(np.arange(200) % 40 == 0, 2, y)
    changed = KerasClassifier(loss="logit_adjusted", **EXACT).fit(X, moved)
    assert shareable_key(changed.model_) != keys[0]


def test_pickle_loads_in_a_new_process(rare, tmp_path):
    X, y = rare
    fitted = KerasClassifier(loss="logit_adjusted", **EXACT).fit(X, y)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(fitted))
    np.save(tmp_path / "X.npy", X)
    code = (
        f"import sys; sys.path.insert(0, {str(Path(skopt_wrap.__file__).parent.parent)!r});"
        "import pickle, numpy as np;"
        "model = pickle.load(open('model.pkl', 'rb'));"
        "np.save('p.npy', model.predict_proba(np.load('X.npy'))); print(model.model_.loss.prior)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), fitted.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize(
    "change,error,message",
    [
        ({"loss": "focl"}, ParameterError, "Did you mean 'focal'"),
        ({"loss": "focal", "loss__gama": 1}, UnknownParameterError, "Did you mean 'loss__gamma'"),
        ({"loss": "focal", "loss__gamma": -1.0}, ParameterError, "gamma must be"),
        (
            {"loss": "focal", "model": lambda meta, compile_kwargs: None, "model__units": None},
            ParameterError,
            "hides",
        ),
        ({"class_weight": "efective"}, ValueError, "class_weight"),
    ],
)
def test_bad_input_is_named(rare, change, error, message):
    X, y = rare
    params = {**EXACT, **change}
    if params["model__units"] is None:
        del params["model__units"]
    with pytest.raises(error, match=message):
        KerasClassifier(**params).fit(X, y)


def test_targets_that_do_not_suit_are_refused(rare, line):
    X, y = rare
    with pytest.raises(ModelError, match="does not suit a multilabel-indicator target"):
        KerasClassifier(loss="logit_adjusted", **EXACT).fit(X, np.column_stack([y > 0, y > 1]))
    with pytest.raises(ModelError, match="does not suit a continuous target"):
        KerasRegressor(loss="focal", **EXACT).fit(*line)


def test_batches_need_given_priors(rare):
    import tensorflow as tf

    X, y = rare
    batches = tf.data.Dataset.from_tensor_slices((X, y)).batch(50)
    with pytest.raises(DataError, match="loss__prior"):
        KerasClassifier(loss="logit_adjusted", **EXACT).fit_dataset(batches)
    with pytest.raises(ParameterError, match="class_weight='effective' needs all labels"):
        KerasClassifier(class_weight="effective", **EXACT).fit_dataset(batches)
    given = KerasClassifier(loss="logit_adjusted", loss__prior=[0.8, 0.15, 0.05], **EXACT)
    assert isinstance(given.fit_dataset(batches).model_.loss, LogitAdjustedCrossentropy)
