"""A student learns what its teacher answers."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from skopt_wrap.distillation import Distillation, DistillationResult, distill
from skopt_wrap.exceptions import BuilderError, DataError, ModelError, ParameterError
from skopt_wrap.losses import DistillationLoss

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 4)).astype("float32")
    return X, (X[:, 0] + X[:, 1] > 0).astype(int) + (X[:, 2] > 0.5)


@pytest.fixture(scope="module")
def teacher(rows):
    import keras

    X, y = rows
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(32, "relu", name="wide"),
            keras.layers.Dense(16, "relu", name="narrow"),
            keras.layers.Dense(3, name="out"),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(X, y, epochs=30, verbose=0)
    return model


def test_loss_is_the_formula():
    rng = np.random.default_rng(0)
    t, s = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    y = np.array([0, 1, 2, 1, 0])
    labelled = np.array([1, 1, 0, 1, 0])
    T, alpha = 2.5, 0.6
    kl = (softmax(t / T, axis=1) * (log_softmax(t / T, axis=1) - log_softmax(s / T, axis=1))).sum(1)
    hard = -log_softmax(s, axis=1)[np.arange(5), y]
    expected = alpha * T**2 * kl + (1 - alpha) * labelled * hard
    import keras

    loss = DistillationLoss(
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        n_units=3,
        temperature=T,
        alpha=alpha,
        reduction="none",
        dtype="float64",
    )
    target = np.column_stack([t, labelled, y])
    np.testing.assert_allclose(np.asarray(loss(target, s)), expected, rtol=1e-6)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    np.testing.assert_allclose(np.asarray(again(target, s)), expected, rtol=1e-6)


def test_loss_of_one_unit_is_that_of_two_classes():
    rng = np.random.default_rng(1)
    t, s = rng.normal(size=(6, 1)), rng.normal(size=(6, 1))
    zeros = np.zeros_like(t)
    one = DistillationLoss(outputs="sigmoid", n_units=1, alpha=1.0, reduction="none")
    two = DistillationLoss(outputs="softmax", n_units=2, alpha=1.0, reduction="none")
    np.testing.assert_allclose(
        np.asarray(one(t, s)), np.asarray(two(np.hstack([zeros, t]), np.hstack([zeros, s]))),
        rtol=1e-3, atol=1e-5,
    )  # fmt: skip


@pytest.mark.parametrize("outputs", ["softmax", "sigmoid"])
def test_loss_of_probabilities_is_that_of_their_logits(outputs):
    rng = np.random.default_rng(1)
    t, s = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
    p = softmax(s, axis=1) if outputs == "softmax" else 1 / (1 + np.exp(-s))
    values = [
        np.asarray(DistillationLoss(outputs=outputs, n_units=3, alpha=1.0, from_logits=f)(t, v))
        for f, v in ((True, s), (False, p))
    ]
    np.testing.assert_allclose(*values, rtol=1e-3, atol=1e-5)


def test_loss_compares_hints():
    loss = DistillationLoss(outputs="linear", n_units=1, alpha=0.0, hint_weight=2.0)
    assert float(loss(np.array([[0.0, 1.0, 3.0]]), np.array([[5.0, 1.0, 1.0]]))) == pytest.approx(4)


def test_student_comes_near_its_teacher_and_leaves_it_alone(teacher, rows):
    X, y = rows
    before = [w.copy() for w in teacher.get_weights()]
    result = distill(teacher, 0.5, X, y, epochs=60, random_state=0)
    assert isinstance(result, DistillationResult)
    assert [layer.units for layer in result.model.layers] == [16, 8, 3]
    agree = np.argmax(result.model.predict(X, verbose=0), 1) == np.argmax(
        teacher.predict(X, verbose=0), 1
    )
    assert agree.mean() > 0.9
    for old, new in zip(before, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert result.history["loss"][-1] < result.history["loss"][0]


def test_same_seed_gives_the_same_student(teacher, rows):
    X, y = rows
    one, two = (
        distill(teacher, 0.25, X, y, epochs=2, augment="mixup", random_state=3).model.get_weights()
        for _ in range(2)
    )
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_alpha_zero_learns_labels_only(teacher, rows):
    """The teacher's outputs do not matter then: a teacher of other weights gives the same."""
    import keras

    X, y = rows
    other = keras.models.clone_model(teacher)
    other.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    results = [distill(t, 0.25, X, y, alpha=0.0, epochs=3).model for t in (teacher, other)]
    for a, b in zip(results[0].get_weights(), results[1].get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_hints_train_the_layer_that_they_name(teacher, rows):
    X, y = rows
    result = distill(
        teacher, 0.5, X, y, hints=[("narrow", "narrow")], alpha=0.5, epochs=3, random_state=0
    )
    assert result.model.output_shape == (None, 3)
    with pytest.raises(ModelError, match="names no layer of the student"):
        distill(teacher, 0.5, X, y, hints=[("narrow", "narow")], epochs=1)


@pytest.mark.parametrize("student", ["dense", "builder", "model"])
def test_student_may_be_named_built_or_given(teacher, rows, student):
    import keras

    X, y = rows

    def builder(width):
        return keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(width), keras.layers.Dense(3)]
        )

    params = {"dense": {"units": 4, "n_layers": 1}, "builder": {"width": 4}, "model": {}}[student]
    given = {"dense": "dense", "builder": builder, "model": builder(4)}[student]
    model = distill(teacher, given, X, y, epochs=1, student_params=params).model
    assert model.count_params() == 5 * 4 + 5 * 3
    assert model is not given


def test_unlabelled_rows_and_callables_add_rows_for_the_teacher(teacher, rows):
    X, y = rows
    result = distill(
        teacher, 0.5, X[:20], y[:20], x_unlabelled=X[20:], augment=lambda a: a + 0.1, copies=2,
        epochs=1,
    )  # fmt: skip
    assert result.notes[1:] == ["100 unlabelled rows", "2 x 120 rows of <lambda>"]


def test_regression_student_learns_values(rows):
    import keras

    X, _ = rows
    keras.utils.set_random_seed(0)
    teacher = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)]
    )
    teacher.compile("adam", "mse")
    result = distill(teacher, 0.5, X, X[:, :1], alpha=1.0, epochs=80, learning_rate=0.02)
    found, wanted = (m.predict(X, verbose=0) for m in (result.model, teacher))
    assert np.mean((found - wanted) ** 2) < 0.1 * np.var(wanted)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"student": 1.5}, "student must be a fraction"),
        ({"student": "dens"}, "dense"),
        ({"temperature": 0}, "temperature must be positive"),
        ({"alpha": 1.5}, r"alpha must be in \[0, 1\]"),
        ({"copies": 0}, "copies must be an int"),
        ({"augment": "mixupp"}, "augment must be"),
        ({"hints": ["ab"]}, "hints must be pairs"),
    ],
)
def test_settings_outside_their_rule_are_refused(teacher, rows, changed, message):
    X, y = rows
    with pytest.raises(ParameterError, match=message):
        distill(teacher, **{"student": 0.5, "x": X, "y": y, "epochs": 1, **changed})


def test_students_that_do_not_fit_are_refused(teacher, rows):
    import keras

    X, y = rows
    wrong = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ModelError, match="must take and return"):
        distill(teacher, wrong, X, y)
    with pytest.raises(BuilderError, match="raised ZeroDivisionError"):
        distill(teacher, lambda: 1 / 0, X, y)
    with pytest.raises(DataError, match="as many rows"):
        distill(teacher, 0.5, X, y[:5])
    with pytest.raises(DataError, match="keep the shape"):
        distill(teacher, 0.5, X, y, augment=lambda a: a[:3])
    linear = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    with pytest.raises(ModelError, match="no hidden layer"):
        distill(linear, 0.5, X)


def test_spec_is_a_value():
    assert Distillation(0.5) == Distillation(0.5)
    assert Distillation(0.5) != Distillation(0.25)
