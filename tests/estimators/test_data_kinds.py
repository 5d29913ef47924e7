"""Lengths, columns and kinds of data are checked alike for training, validation and later data."""

from __future__ import annotations

import datetime
import warnings

import numpy as np
import pytest

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.exceptions import DataError, InputWarning

keras = pytest.importorskip("keras")
pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.keras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 4))
TARGETS = {
    "values": X[:, 0],
    "two values": X[:, :2],
    "three values": X[:, :3],
    "labels": np.arange(24) % 3,
    "other labels": np.arange(24) % 3 + 1,
    "multilabel": (X[:, :2] > 0).astype(int),
    "three multilabel": (X[:, :3] > 0).astype(int),
}
VALUES = ["values", "two values", "three values"]
LABELS = ["labels", "other labels", "multilabel", "three multilabel"]
PAIRS = [(a, b) for group in (VALUES, LABELS) for a in group for b in group if a != b]


def estimator(kind, **options):
    cls = KerasRegressor if kind in VALUES else KerasClassifier
    return cls(epochs=1, model__units=2, random_state=0, **options)


@pytest.mark.parametrize("first,later", PAIRS)
def test_targets_of_another_form_are_refused(first, later):
    y, other = TARGETS[first], TARGETS[later]
    with pytest.raises(DataError, match="y_val"):
        estimator(first).fit(X, y, X_val=X, y_val=other)


@pytest.mark.parametrize("first,later", [p for p in PAIRS if p[0] in ("two values", "labels")])
def test_later_targets_of_another_form_are_refused(first, later):
    fitted = estimator(first, warm_start=True).fit(X, TARGETS[first])
    before = fitted.model_.get_weights()
    for method in ("fit", "partial_fit"):
        with pytest.raises(DataError, match=r"y (has|holds)"):
            getattr(fitted, method)(X, TARGETS[later])
    for now, then in zip(fitted.model_.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_message_gives_both_numbers():
    y = TARGETS["two values"]
    with pytest.raises(DataError, match="y_val has 1 column, but the target has 2 columns"):
        estimator("two values").fit(X, y, X_val=X, y_val=y[:, 0])


@pytest.mark.parametrize("kind", ["values", "two values", "labels", "multilabel"])
@pytest.mark.parametrize("n_X,n_y", [(24, 8), (8, 24), (24, 1), (1, 24), (12, 24)])
def test_lengths_of_validation_data(kind, n_X, n_y):
    y = TARGETS[kind]
    with pytest.raises(DataError, match=f"X_val has {n_X} rows, y_val has {n_y}"):
        estimator(kind).fit(X, y, X_val=X[:n_X], y_val=y[:n_y])


@pytest.mark.parametrize("as_dataset", [True, False])
@pytest.mark.parametrize("fault", ["fewer rows", "more columns", "later batch"])
def test_batches_are_checked(as_dataset, fault):
    import tensorflow as tf

    y = TARGETS["two values"]
    good = (X[:8].astype("float32"), y[:8])
    bad = {
        "fewer rows": (X[:8].astype("float32"), y[:4]),
        "more columns": (X[:8].astype("float32"), np.c_[y[:8], y[:8]]),
        "later batch": (X[:8].astype("float32"), y[:1]),
    }[fault]
    batches = [good, bad] if fault != "fewer rows" else [bad, good]
    if as_dataset:
        signature = (tf.TensorSpec((None, 4), "float32"), tf.TensorSpec((None, None), "float64"))
        source = tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=signature)
    else:

        class Batches(keras.utils.PyDataset):
            def __len__(self):
                return len(batches)

            def __getitem__(self, index):
                return batches[index]

        source = Batches()
    with pytest.raises(DataError, match=r"rows|columns"):
        estimator("two values").fit_dataset(source)


DAYS = pd.date_range("2020", periods=24)
TEMPORAL = {
    "datetime64": DAYS.values,
    "with time zone": pd.Series(DAYS.tz_localize("UTC")),
    "timedelta": DAYS - DAYS[0],
    "period": pd.Series(DAYS.to_period("M")),
    "dates": [d.date() for d in DAYS],
    "objects": np.array(list(DAYS.to_pydatetime()), dtype=object),
    "timedelta objects": [datetime.timedelta(days=i) for i in range(24)],
    "category": pd.Series(pd.Categorical(DAYS)),
}


@pytest.mark.parametrize("kind", list(TEMPORAL))
def test_dates_and_times_are_refused_as_X_and_as_y(kind):
    values = TEMPORAL[kind]
    with pytest.raises(DataError, match="y holds dates or times"):
        estimator("values").fit(X, values)
    frame = pd.DataFrame({"age": X[:, 0], "when": values})
    with pytest.raises(DataError, match="X holds dates or times in the column 'when'"):
        estimator("labels").fit(frame, TARGETS["labels"])
    fitted = estimator("values").fit(X[:, :2], X[:, 0])
    with pytest.raises(DataError, match="dates or times"):
        fitted.predict(frame.to_numpy())


def test_polars_frames_of_dates_are_refused():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"when": [d.date() for d in DAYS], "x": X[:, 0]})
    with pytest.raises(DataError, match="'when'"):
        estimator("labels").fit(frame, TARGETS["labels"])


@pytest.mark.parametrize("where", ["X", "y", "object X", "object y"])
def test_complex_numbers_are_refused(where):
    kind = object if where.startswith("object") else complex
    if where.endswith("X"):
        with pytest.raises(ValueError, match="Complex data not supported"):
            estimator("values").fit((X + 1j).astype(kind), X[:, 0])
    else:
        with pytest.raises(ValueError, match="Complex data not supported"):
            estimator("values").fit(X, (X[:, 0] + 1j).astype(kind))


@pytest.mark.parametrize("dtype", ["float32", "float64", None])
def test_numbers_beyond_the_precision_are_refused(dtype):
    huge = X[:, 0] * 1e200
    if dtype == "float64":
        regressor = estimator("values", dtype=dtype)
        regressor._check_y(huge)
        return
    for data in ((X, huge), (X * 1e200, X[:, 0]), (X, huge[:, None] * [1, 0])):
        with pytest.raises(DataError, match=r"too large for dtype.*Scale"):
            estimator("values", dtype=dtype).fit(*data)


def test_text_is_named_with_its_column():
    frame = pd.DataFrame({"age": X[:, 0], "job": ["owner", "1"] * 12})
    with pytest.raises(DataError, match=r"Column 'job' holds text such as 'owner'.*OneHotEncoder"):
        estimator("labels").fit(frame, TARGETS["labels"])
    with pytest.raises(DataError, match=r"y must hold numbers.*KerasClassifier"):
        estimator("values").fit(X, ["owner", "guest"] * 12)
    with pytest.raises(DataError, match=r"shape \(24, 2, 2\).*reshape"):
        estimator("values").fit(X, np.zeros((24, 2, 2)))


def test_grey_images_or_sequences_is_said():
    images = RNG.normal(size=(24, 8, 8))
    y = TARGETS["labels"]
    small = {"model__filters": 2, "model__dense_units": 0, "model__n_layers": 1, "epochs": 1}
    with pytest.warns(InputWarning, match=r"sequences of 8 steps.*model__input_shape=\(8, 8, 1\)"):
        KerasClassifier("cnn", **small).fit(images, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for shape in ((8, 8, 1), (8, 8)):
            KerasClassifier("cnn", model__input_shape=shape, **small).fit(images, y)
        KerasClassifier("cnn", **small).fit(images[:, :, :3], y)  # no image has three columns


def test_one_hot_or_multilabel_is_said():
    y = pd.get_dummies(pd.Series(["a", "b", "c"] * 8))
    with pytest.warns(InputWarning, match=r"3 independent labels.*y\.argmax\(axis=1\)"):
        assert estimator("labels").fit(X, y).target_type_ == "multilabel-indicator"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator("labels", loss="binary_crossentropy").fit(X, y)
        estimator("labels").fit(X, TARGETS["multilabel"])


def test_whole_numbers_as_objects_are_labels_for_fit_and_for_score():
    X = np.random.default_rng(0).normal(size=(30, 3))
    y = np.arange(30) % 3
    classifier = KerasClassifier(epochs=1, random_state=0).fit(X, y.astype(object))
    assert classifier.score(X, y.astype(object)) == classifier.score(X, y)
