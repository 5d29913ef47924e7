"""Batches for Keras, and estimators that train on them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skopt_wrap.exceptions import DataError, ModelError, ParameterError, UnknownParameterError
from skopt_wrap.sampling import AugmentingSampler, MixUp

pytestmark = pytest.mark.keras

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, size=(60, 8, 8, 1), dtype=np.uint8)
Y = np.array([0] * 40 + [1] * 15 + [2] * 5)
TABLE, TEXTS = RNG.standard_normal((60, 4)), [f"the doctor wrote story {i}" for i in range(60)]


def epoch(batches):
    return [batches[i] for i in range(len(batches))]


def stacked(batches, part=0):
    return np.concatenate([np.asarray(batch[part]) for batch in epoch(batches)])


@pytest.mark.parametrize("batch_size", [1, 7, 32, 60, 500])
def test_flow_batches_are_balanced_and_complete(batch_size):
    batches = epoch(AugmentingSampler("image", random_state=0).flow(X, Y, batch_size=batch_size))
    labels = [batch[1] for batch in batches]
    assert [len(y) for y in labels[:-1]] == [batch_size] * (len(labels) - 1)
    assert np.bincount(np.concatenate(labels)).tolist() == [40, 40, 40]
    for y in labels:
        counts = np.bincount(y, minlength=3)
        assert counts.max() - counts.min() <= 1
    assert batches[0][0].dtype == np.uint8


def test_flow_keeps_the_proportions_of_a_strategy():
    sampler = AugmentingSampler("image", sampling_strategy={2: 20}, random_state=0)
    labels = [batch[1] for batch in epoch(sampler.flow(X, Y, batch_size=15))]
    for y in labels[:5]:
        assert np.abs(np.bincount(y, minlength=3) - [8, 3, 4]).max() <= 1


def test_flow_is_fresh_in_every_epoch_and_seeded():
    sampler = AugmentingSampler("image", random_state=0)
    first, again = sampler.flow(X, Y), sampler.flow(X, Y)
    one = stacked(first)
    np.testing.assert_array_equal(one, stacked(again))
    np.testing.assert_array_equal(first[2][0], again[2][0])  # any order of access
    first.on_epoch_end()
    two = stacked(first)
    assert not np.array_equal(np.sort(one, axis=0), np.sort(two, axis=0))
    again.on_epoch_end()
    np.testing.assert_array_equal(two, stacked(again))
    other = AugmentingSampler("image", random_state=1).flow(X, Y)
    assert not np.array_equal(one, stacked(other))


def test_flow_uses_every_row_equally_often():
    marked = np.arange(60.0)[:, None] + np.zeros((60, 2))
    batches = AugmentingSampler("tabular", [], factor=3, random_state=0).flow(marked, Y)
    assert np.bincount(stacked(batches)[:, 0].astype(int)).tolist() == [3] * 60
    plain = AugmentingSampler("tabular", [], factor=1).flow(marked, Y, shuffle=False)
    rows = stacked(plain)[:, 0]
    assert all(np.diff(rows[stacked(plain, 1) == label]).min() > 0 for label in range(3))


def test_flow_weights_and_labels_follow_their_rows():
    table = np.column_stack([Y, np.arange(60.0)])
    batches = AugmentingSampler("tabular", [], random_state=0).flow(
        table, Y, sample_weight=np.arange(60.0)
    )
    for rows, y, weights in epoch(batches):
        np.testing.assert_array_equal(rows[:, 0], y)
        np.testing.assert_array_equal(rows[:, 1], weights)


def test_flow_mixes_labels():
    sampler = AugmentingSampler("image", [MixUp(1.0, soft_labels=True)], random_state=0)
    labels = stacked(sampler.flow(X, Y), 1)
    assert labels.shape == (120, 3)
    np.testing.assert_allclose(labels.sum(axis=1), 1)
    assert ((labels > 0) & (labels < 1)).any()
    regression = AugmentingSampler("image", [MixUp(1.0)], factor=1, random_state=0)
    assert stacked(regression.flow(X, Y + 0.5), 1).shape == (60,)


def test_flow_takes_over_samplers_afresh():
    batches = AugmentingSampler("tabular", ["smote"], random_state=0).flow(TABLE, np.minimum(Y, 1))
    one = stacked(batches)
    assert len(one) == 80
    originals = {row.tobytes() for row in TABLE}
    assert sum(row.tobytes() in originals for row in one) == 60
    batches.on_epoch_end()
    assert {row.tobytes() for row in one} != {row.tobytes() for row in stacked(batches)}


def test_flow_containers_become_arrays():
    pd = pytest.importorskip("pandas")
    sampler = AugmentingSampler("tabular", [], factor=1, random_state=0)
    dense = stacked(sampler.flow(TABLE, Y))
    np.testing.assert_array_equal(stacked(sampler.flow(pd.DataFrame(TABLE), Y)), dense)
    np.testing.assert_array_equal(stacked(sampler.flow(sparse.csr_array(TABLE), Y)), dense)
    texts = AugmentingSampler("text", factor=1, random_state=0).flow(TEXTS, Y)[0][0]
    assert texts.dtype.name == "string"


def test_flow_bad_input():
    pd = pytest.importorskip("pandas")
    sampler = AugmentingSampler(random_state=0)
    with pytest.raises(ParameterError, match="batch_size"):
        sampler.flow(X, Y, batch_size=0)
    with pytest.raises(DataError, match="numeric"):
        sampler.flow(pd.DataFrame({"a": ["x", "y"] * 30, "b": range(60)}), Y)
    with pytest.raises(ParameterError, match="drops rows"):
        AugmentingSampler(transforms=["smote_enn"]).flow(TABLE, Y)
    with pytest.raises(DataError, match="sample_weight"):
        sampler.flow(TABLE, Y, sample_weight=[1.0])
    with pytest.raises(IndexError):
        sampler.flow(TABLE, Y)[99]


def test_flow_trains_alike_with_any_workers():
    import keras

    losses = []
    for options in ({}, {"workers": 2}, {"workers": 2, "use_multiprocessing": True}):
        batches = AugmentingSampler("image", random_state=0).flow(X, Y, **options)
        zero = keras.layers.Dense(3, kernel_initializer="zeros")
        model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), zero])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(1e-6), loss)
        losses.append(model.fit(batches, epochs=2, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(losses[1:], losses[:1] * 2, rtol=1e-5)
    assert losses[0][0] != losses[0][1]


def classifier(**params):
    from skopt_wrap import KerasClassifier

    sampler = AugmentingSampler("image")
    params = {"epochs": 2, "augment": sampler, "random_state": 0, **params}
    return KerasClassifier("cnn", model__filters=4, model__dense_units=8, **params)


def test_estimator_trains_on_augmented_rows():
    labels = np.array(["a", "b", "c"])[Y]
    plain = classifier(augment=None).fit(X, labels)
    fitted = classifier(validation_split=0.2).fit(X, labels)
    assert fitted.fit_path_ == "fit: augment makes the batches"
    assert len(fitted.history_["val_loss"]) == 2 and fitted.classes_.tolist() == ["a", "b", "c"]
    again = clone(fitted).fit(X, labels)
    np.testing.assert_array_equal(fitted.predict_proba(X), again.predict_proba(X))
    assert not np.allclose(fitted.predict_proba(X), plain.predict_proba(X))
    assert not hasattr(fitted.augment, "kind_") and fitted.augment.random_state is None


def test_estimator_passes_weights_and_regression_targets():
    from skopt_wrap import KerasRegressor

    model = KerasRegressor(epochs=1, random_state=0)
    model.set_params(augment=AugmentingSampler(transforms=["gaussian_noise"], factor=2))
    y = TABLE[:, :2]
    even = model.fit(TABLE, y).history_["loss"][0]
    zero = np.r_[np.ones(30), np.zeros(30)]
    assert clone(model).fit(TABLE, y, sample_weight=zero).history_["loss"][0] != even
    assert model.predict(TABLE).shape == (60, 2)


def test_estimator_searches_the_sampler():
    search = GridSearchCV(
        classifier(epochs=1), {"augment__magnitude": [0.5, 1.0]}, cv=2, error_score="raise"
    ).fit(X, Y)
    assert search.best_estimator_.augment.magnitude == search.best_params_["augment__magnitude"]
    assert search.estimator.augment.magnitude == 1.0


@pytest.mark.parametrize("door", ["augment", "sampler"])
def test_tuner_searches_the_sampler(door):
    from skopt_wrap import TunedClassifier

    space = {f"{door}__magnitude": (0.2, 2.0), f"{door}__transforms": ["default", "zoom"]}
    sampler = AugmentingSampler("image", random_state=0)
    model = classifier(epochs=1, augment=sampler if door == "augment" else None)
    search = TunedClassifier(
        model, space=space, sampler=sampler if door == "sampler" else None,
        tuner="random", max_trials=2, cv=2, random_state=0,
    ).fit(X, Y)  # fmt: skip
    magnitudes = {values[f"{door}__magnitude"] for values in search.cv_results_["params"]}
    assert len(magnitudes) == 2 and min(magnitudes) >= 0.2 and max(magnitudes) <= 2.0
    assert set(search.best_params_) == set(space) and sampler.magnitude == 1.0


def test_estimator_parameters_of_the_sampler():
    model = classifier()
    assert model.get_params()["augment__kind"] == "image"
    assert "augment__kind" not in model.get_params(deep=False)
    assert model.set_params(augment__factor=2).augment.factor == 2
    other = AugmentingSampler("series")
    assert model.set_params(augment__factor=3, augment=other).augment is other and other.factor == 3
    with pytest.raises(ValueError, match="magnitud"):
        model.set_params(augment__magnitud=1, epochs=7)
    assert model.epochs == 2
    with pytest.raises(UnknownParameterError):
        classifier(augment=None).set_params(augment__factor=2)


def test_estimator_bad_augment():
    with pytest.raises(ValueError, match="augment"):
        classifier(augment="flip").fit(X, Y)
    mixing = AugmentingSampler("image", [MixUp(soft_labels=True)])
    for loss in ("sparse_categorical_crossentropy", "categorical_hinge"):
        with pytest.raises(ParameterError, match="same_class=True"):
            classifier(augment=mixing, loss=loss).fit(X, Y)
    classifier(augment=mixing.set_params(transforms=[MixUp(same_class=True)]), epochs=1).fit(X, Y)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", [None, "mean_squared_error"])
def test_estimator_learns_from_mixed_labels(n_classes, loss):
    import keras

    from skopt_wrap import KerasClassifier

    labels = np.array(["a", "b", "c"])[np.minimum(Y, n_classes - 1)]
    units = 1 if n_classes == 2 else 3
    start = np.random.default_rng(1).normal(0, 0.01, size=(64, units))
    network = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(units, use_bias=False)]
    )
    network.set_weights([start])
    sampler = AugmentingSampler("image", [MixUp(1.0, soft_labels=True)], random_state=0)
    model = KerasClassifier(
        network, loss=loss, optimizer="sgd", optimizer__learning_rate=1e-12, augment=sampler,
        epochs=1, batch_size=8, metrics=["accuracy"],
    )  # fmt: skip
    X_val, y_val = X[::6], labels[::6]
    model.fit(X, labels, X_val=X_val, y_val=y_val)
    batches, rounds = sampler.flow(X, labels, batch_size=8), []
    for _ in range(2):  # Keras may look at a batch before its first epoch
        rounds.append((stacked(batches), stacked(batches, 1)))
        batches.on_epoch_end()
    soft = rounds[0][1]
    assert soft.shape == (40 * n_classes, n_classes) and ((soft > 0) & (soft < 1)).any()

    def expected(pixels, soft):
        raw = pixels.reshape(len(pixels), -1) @ start
        if loss is not None:
            return np.mean((raw - (soft[:, 1:] if units == 1 else soft)) ** 2)
        raw = np.hstack([np.zeros_like(raw), raw]) if units == 1 else raw
        return -np.mean(((raw - np.logaddexp.reduce(raw, axis=1)[:, None]) * soft).sum(axis=1))

    hard = (y_val[:, None] == model.classes_).astype(float)
    losses = [expected(pixels, soft) for pixels, soft in rounds]
    assert np.isclose(model.history_["loss"][0], losses, rtol=1e-4).any()
    assert model.history_["val_loss"][0] == pytest.approx(expected(X_val, hard), rel=1e-4)
    assert set(model.predict(X)) <= set(labels) and model.predict_proba(X).shape == (60, n_classes)


def test_estimator_puts_mixed_labels_under_their_classes():
    from skopt_wrap.estimators import ClassTarget

    target = ClassTarget(["a", "c"], classes=["a", "b", "c"])
    target.match(units=3, encoding="onehot", output_kind="logits")
    np.testing.assert_allclose(
        target.transform_soft([[0.75, 0.25]], ["a", "c"]), [[0.75, 0.0, 0.25]]
    )
    target.match(units=3, encoding="index", output_kind="logits")
    with pytest.raises(ModelError, match="categorical_crossentropy"):
        target.transform_soft([[0.75, 0.25]], ["a", "c"])


@pytest.mark.parametrize(
    ("transforms", "mixes"),
    [
        ("default", False),
        (["rotation", "cutmix"], True),
        ([MixUp(same_class=True), len], False),
        (MixUp(), True),
    ],
)
def test_sampler_tells_whether_it_mixes_labels(transforms, mixes):
    assert AugmentingSampler(transforms=transforms).mixes_labels is mixes
