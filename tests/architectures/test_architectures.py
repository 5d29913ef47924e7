"""The named architectures: one list, spaces that their builders take, data that they fit."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from skopt_wrap.architectures import ARCHITECTURES, cnn, dense, lstm
from skopt_wrap.exceptions import ModelError, ParameterError

pytest.importorskip("keras")
pytestmark = pytest.mark.keras

IMAGES = {"X_shape_": (5, 8, 8, 1), "n_outputs_expected_": 3, "X_dtype_": np.dtype("float32")}
SERIES = {"X_shape_": (5, 8), "n_outputs_expected_": 1, "X_dtype_": np.dtype("float32")}


@pytest.mark.parametrize("name", list(ARCHITECTURES))
@pytest.mark.parametrize("full", [False, True])
def test_spaces_name_parameters_of_the_builder(name, full):
    architecture = ARCHITECTURES[name]
    taken = {f"model__{item}" for item in inspect.signature(architecture).parameters}
    space = architecture.space(full=full)
    # Besides: settings of a recipe's own optimizer, and its batch sizes.
    own = {name for name in space if name.startswith("optimizer__") or name == "batch_size"}
    assert space and set(space) - own <= taken
    assert not own or architecture.recipe is not None
    assert set(architecture.per_layer) <= set(architecture.space(full=True))
    assert set(architecture.per_layer.values()) <= set(architecture.space(full=True))


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_every_value_of_a_list_builds(name):
    architecture = ARCHITECTURES[name]
    shapes = [(5, 8, 2), (5, 8)]
    shape = next((shape for shape in shapes if architecture.fits(shape[1:])), (5, 8))
    meta = {**IMAGES, "X_shape_": shape, "n_ids_": 9, "n_words_": 4}
    for parameter, values in architecture.space(full=True).items():
        if not parameter.startswith("model__"):
            continue
        for value in values if isinstance(values, list) else [values.rvs(random_state=0)]:
            network = architecture(meta, **{parameter.removeprefix("model__"): value})
            assert network.output_shape == (None, 3), (parameter, value)


def test_shapes_that_they_fit():
    fits = {name: item.fits for name, item in ARCHITECTURES.items()}
    shapes = [(5,), (9, 5), (8, 8, 3), (2, 2, 2, 2)]
    found = [{name for name in fits if fits[name](shape)} for shape in shapes]
    tables = {"dense", "realmlp", "tabm"}
    series = {"dense", "cnn", "lstm", "lite", "inceptiontime"}
    assert found == [tables, series, {"dense", "cnn"}, {"dense"}]


def test_networks_take_the_data_that_they_are_for():
    assert dense(IMAGES, units=(6, 5)).count_params() == 64 * 6 + 6 + 6 * 5 + 5 + 5 * 3 + 3
    plain = cnn(IMAGES, residual=False, filters=(2,), pool_size=1, dense_units=0)
    assert plain.count_params() == 20 + 128 * 3 + 3
    # An LSTM of u units on f features has 4 (u (u + f) + u) weights.
    plain = {"bidirectional": False, "pooling": "last"}
    assert lstm(SERIES, units=4, **plain).count_params() == 4 * (4 * (4 + 1) + 4) + 4 + 1
    ids = {**SERIES, "X_dtype_": np.dtype("int32"), "X_max_": 9}
    assert lstm(ids, units=4, embedding_dim=3).layers[1].input_dim == 10


@pytest.mark.parametrize(
    "builder,meta,options,error",
    [
        (cnn, SERIES, {}, ModelError),
        (lstm, IMAGES, {}, ModelError),
        (cnn, SERIES, {"input_shape": (3, 3)}, ParameterError),
        (dense, SERIES, {"units": (4, 0)}, ParameterError),
        (cnn, IMAGES, {"dense_units": -1}, ParameterError),
        (lstm, SERIES, {"recurrent_dropout": 1.0}, ParameterError),
        (lstm, SERIES, {"pooling": "first"}, ParameterError),
        (dense, SERIES, {"l1": "much"}, ParameterError),
    ],
)
def test_what_they_cannot_take_is_refused(builder, meta, options, error):
    with pytest.raises(error):
        builder(meta, **options)
