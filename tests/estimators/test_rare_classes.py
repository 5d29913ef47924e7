"""One warning says what helps when a class is rare, and none where the user has acted."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.datasets import make_classification

from skopt_wrap import AugmentingSampler, KerasClassifier
from skopt_wrap.exceptions import InputWarning
from skopt_wrap.losses import LogitAdjustedCrossentropy
from skopt_wrap.model_selection import cross_validate

pytest.importorskip("keras")
pytestmark = pytest.mark.keras

# Without a graph: nothing here is about training.
FAST = {
    "model__units": 4,
    "epochs": 1,
    "batch_size": 512,
    "random_state": 0,
    "compile__run_eagerly": True,
}


@pytest.fixture(scope="module")
def rare():
    X, y = make_classification(420, 5, weights=[0.97], flip_y=0, random_state=0)
    return X, np.where(y == 1, "sick", "well")


def caught(action):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        action()
    rare = "class_weight"
    return [w for w in found if w.category is InputWarning and rare in str(w.message)]


@pytest.mark.parametrize("members", [None, 2])
def test_one_warning_names_what_helps(rare, members):
    found = caught(lambda: KerasClassifier(**FAST, members=members).fit(*rare))
    assert len(found) == 1
    text = str(found[0].message)
    for part in ("'sick'", "'well'", "class_weight='balanced'", "AugmentingSampler",
                 "logit_adjusted", "threshold"):  # fmt: skip
        assert part in text
    assert found[0].filename == __file__ or members


@pytest.mark.parametrize(
    "options",
    [
        {"class_weight": "balanced"},
        {"class_weight": {}},
        {"loss": "focal"},
        {"loss": "logit_adjusted"},
        {"loss": "binary_focal_crossentropy"},
        {"loss": LogitAdjustedCrossentropy([0.97, 0.03], from_logits=True)},
        {"augment": AugmentingSampler(random_state=0)},
    ],
)
def test_none_where_the_user_has_acted(rare, options):
    assert not caught(lambda: KerasClassifier(**FAST, **options).fit(*rare))


def test_none_with_weights_or_less_rare_classes_or_labels(rare):
    X, y = rare
    weights = np.where(y == "sick", 20.0, 1.0)
    assert not caught(lambda: KerasClassifier(**FAST).fit(X, y, sample_weight=weights))
    sick, well = (np.flatnonzero(y == name) for name in ("sick", "well"))
    kept = np.r_[sick, well[: 19 * len(sick)]]
    assert not caught(lambda: KerasClassifier(**FAST).fit(X[kept], y[kept]))
    labels = np.stack([y == "sick", y == "well"], axis=1).astype(int)
    assert not caught(lambda: KerasClassifier(**FAST).fit(X, labels))


def test_searches_do_not_repeat_it(rare):
    assert not caught(lambda: cross_validate(KerasClassifier(**FAST), *rare, cv=2))
