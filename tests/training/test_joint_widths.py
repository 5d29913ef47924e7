"""Networks of unequal widths, trained jointly, end as each does alone."""

from __future__ import annotations

import numpy as np
import pytest

from skopt_wrap._keras import dtype_scope
from skopt_wrap.training import (
    NotJointlyTrainable,
    Training,
    TrainingData,
    joint_key,
    train_jointly,
)
from skopt_wrap.training._joint import _parts
from skopt_wrap.training._joint._layout import joint_layout
from skopt_wrap.training._train import TrainingSettings, train

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras
layers = keras.layers


@pytest.fixture
def all_together(monkeypatch):
    """Networks of every width in one training, whatever it costs."""
    monkeypatch.setattr(_parts, "COST", _parts.MachineCost(1e6, 0.0, 0.0))


def dense(units, activation="relu", dropout=0.0, normalized=False):
    parts = [keras.Input((6,))]
    for n in units:
        parts += [layers.Dense(n)]
        parts += [layers.BatchNormalization()] if normalized else []
        parts += [layers.Activation(activation), layers.Dropout(dropout)]
    return keras.Sequential([*parts, layers.Dense(3)])


def branches(left, right):
    given = keras.Input((6,))
    one = layers.Dense(left, "sigmoid", kernel_regularizer="l2")(given)
    other = layers.Dense(right, "tanh", kernel_regularizer="l1")(given)
    joined = layers.Concatenate()([one, other, layers.Add()([other, other])])
    joined = layers.Dropout(0.3)(joined)
    return keras.Model(given, layers.Dense(3)(layers.Dense(left, "elu")(joined)))


def positions(units, pool="flatten"):
    inner = [keras.Input((6,)), layers.Reshape((3, 2)), layers.Dense(units, "sigmoid")]
    inner += [layers.Dropout(0.2), layers.BatchNormalization()]
    inner += [layers.Flatten()] if pool == "flatten" else [layers.GlobalAveragePooling1D()]
    return keras.Sequential([*inner, layers.Dropout(0.1), layers.Dense(units + 1), layers.Dense(3)])


NETWORKS = {
    "widths": [lambda: dense((4,)), lambda: dense((7,)), lambda: dense((9,))],
    "crossed": [lambda: dense((4, 9)), lambda: dense((9, 4)), lambda: dense((5, 5))],
    "sigmoid": [lambda: dense((4, 3), "sigmoid"), lambda: dense((7, 5), "sigmoid")],
    "softplus": [lambda: dense((4, 3), "softplus"), lambda: dense((7, 5), "softplus")],
    "dropout": [lambda: dense((4, 3), "relu", 0.4), lambda: dense((7, 5), "relu", 0.2)],
    "no dropout in some": [lambda: dense((4, 3), "relu", 0.4), lambda: dense((4, 5))],
    "batch normalization": [
        lambda: dense((4, 3), "tanh", 0.2, True), lambda: dense((7, 5), "tanh", 0.0, True)
    ],
    "branches": [lambda: branches(4, 3), lambda: branches(3, 5), lambda: branches(6, 6)],
    "flattened": [lambda: positions(2), lambda: positions(5)],
    "pooled": [lambda: positions(2, "mean"), lambda: positions(5, "mean")],
}  # fmt: skip
OPTIMIZERS = {
    "sgd": lambda rate: keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
    "adam": lambda rate: keras.optimizers.Adam(rate),
    "adamw": lambda rate: keras.optimizers.AdamW(rate, weight_decay=0.01, clipnorm=0.5),
    "adamax": lambda rate: keras.optimizers.Adamax(rate, global_clipnorm=0.1),
    "rmsprop": lambda rate: keras.optimizers.RMSprop(rate, centered=True, clipvalue=0.1),
    "adagrad": lambda rate: keras.optimizers.Adagrad(rate),
    "adadelta": lambda rate: keras.optimizers.Adadelta(rate),
    "lion": lambda rate: keras.optimizers.Lion(rate),
}


def trainings(makers, optimizer, dtype, seeds=(3, 3, 3), **options):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(43, 6)).astype(dtype), rng.integers(0, 3, 43).astype("int32")
    data = TrainingData(X, y, rng.uniform(0.5, 2, 43).astype(dtype))
    found = []
    with dtype_scope(dtype):
        for number, make in enumerate(makers):
            keras.utils.set_random_seed(seeds[number])
            model = make()
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(optimizer(0.01 * (number + 1)), loss, metrics=["accuracy"])
            settings = TrainingSettings(**{"epochs": 1, "batch_size": 8, "seed": number, **options})
            found.append(Training(model, data, settings, validation=data, dtype=dtype))
    return found


def parts_of_data(data):
    return data.x, data.y, data.weights


def assert_as_alone(together, alone, tolerance):
    for one, other in zip(together, alone, strict=True):
        assert one.error is None, one.traceback
        with dtype_scope(other.dtype):
            result = train(other.model, other.data, other.settings, validation=other.validation)
        assert one.result.history.keys() == result.history.keys()
        variables = [*one.model.variables, *one.model.optimizer.variables]
        others = [*other.model.variables, *other.model.optimizer.variables]
        for mine, theirs in zip(variables, others, strict=True):
            np.testing.assert_allclose(
                mine.numpy(), theirs.numpy(), rtol=tolerance, atol=tolerance, err_msg=mine.path
            )
        for name, values in result.history.items():
            np.testing.assert_allclose(one.result.history[name], values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("makers", NETWORKS.values(), ids=NETWORKS)
def test_each_network_ends_as_alone_in_float64(makers, all_together):
    make = dict(optimizer=OPTIMIZERS["sgd"], dtype="float64", epochs=4)
    together = trainings(makers, **make)
    assert len({joint_key(training) for training in together}) == 1
    assert joint_layout([training.plan for training in together]).padded
    train_jointly([together])
    assert [training.n_joint for training in together] == [len(makers)] * len(makers)
    assert_as_alone(together, trainings(makers, **make), 1e-9)


@pytest.mark.parametrize("makers", NETWORKS.values(), ids=NETWORKS)
def test_three_steps_in_float32(makers, all_together):
    make = dict(optimizer=OPTIMIZERS["sgd"], dtype="float32", epochs=1, batch_size=15)
    together = trainings(makers, **make)
    assert len({joint_key(training) for training in together}) == 1
    train_jointly([together])
    assert_as_alone(together, trainings(makers, **make), 1e-5)


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_each_optimizer_leaves_padding_at_zero(optimizer, all_together):
    makers = NETWORKS["crossed"]
    together = trainings(makers, optimizer, "float64", epochs=3)
    assert len({joint_key(training) for training in together}) == 1
    train_jointly([together])
    assert_as_alone(together, trainings(makers, optimizer, "float64", epochs=3), 1e-9)


def test_networks_with_seeds_of_their_own_and_unequal_numbers_of_steps(all_together):
    makers, seeds = NETWORKS["dropout"] * 2, (3, 4, 5, 6)
    make = dict(optimizer=OPTIMIZERS["sgd"], dtype="float64", epochs=3, seeds=seeds)
    both = [trainings(makers, **make) for _ in range(2)]
    for found in both:
        found[1].data = TrainingData(*(part[:15] for part in parts_of_data(found[1].data)))
        for training in found:
            training.validation = None
    assert len({joint_key(training) for training in both[0]}) == 1
    train_jointly([both[0]])
    assert_as_alone(*both, 1e-9)


def test_layers_that_count_units_are_not_padded(all_together):
    makers = [lambda: dense((4,), "softmax"), lambda: dense((7,), "softmax")]
    make = dict(optimizer=OPTIMIZERS["sgd"], dtype="float64", epochs=2)
    together = trainings(makers, **make)
    assert len({joint_key(training) for training in together}) == 1
    with pytest.raises(NotJointlyTrainable, match="softmax of layers of several widths"):
        joint_layout([training.plan for training in together])
    train_jointly([together])
    assert [training.n_joint for training in together] == [1, 1]
    assert_as_alone(together, trainings(makers, **make), 1e-9)


def test_neighbours_in_size_are_joined_where_padding_is_cheap(monkeypatch):
    makers = [lambda n=n: dense((n,)) for n in (4, 5, 60, 61)]
    group = trainings(makers, OPTIMIZERS["sgd"], "float32", seeds=range(4))
    assert len({joint_key(training) for training in group}) == 1

    def sizes(cost, limit=None):
        monkeypatch.setattr(_parts, "COST", cost)
        return [len(part) for part in _parts.parts_of(group, limit)]

    assert sizes(_parts.MachineCost(1.0, 0.0, 0.0)) == [4]
    assert sizes(_parts.MachineCost(0.0, 1.0, 1.0)) == [1, 1, 1, 1]
    between = _parts.MachineCost(1e-6, 1e-8, 1e-8)
    assert sizes(between) == [2, 2]
    assert sizes(between, limit=1) == [1, 1, 1, 1]


def test_costs_grow_with_layers_networks_and_widths():
    cost = _parts.COST
    assert 0 < cost.product < cost.value < cost.operation
    assert cost.step(3, 2, 1000, 32) < cost.step(3, 4, 1000, 32) < cost.step(3, 4, 2000, 32)
    assert cost.step(3, 4, 2000, 32) < cost.step(9, 4, 2000, 32)
