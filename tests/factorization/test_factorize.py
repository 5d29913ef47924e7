"""factorize: what is replaced, what is promised, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from skopt_wrap import CP, SVD, TensorTrain, TensorTrainDense, Tucker, factorize
from skopt_wrap.exceptions import DataError, ModelError, ParameterError
from skopt_wrap.factorization import FactorizationResult
from skopt_wrap.factorization._allocation import Choice, share_out

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras
layers = keras.layers


def low_rank(shape, rank, seed=0):
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(shape[0], rank)), rng.normal(size=(rank, shape[1]))
    return (factors[0] @ factors[1] / np.sqrt(rank * shape[0])).astype("float32")


def rows(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def dense_net(rank=4):
    """30 -> 40 -> 24 -> 3, the first two kernels of low rank."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((30,)),
            layers.Dense(40, "relu", name="first"),
            layers.Dense(24, "tanh", name="second"),
            layers.Dense(3, "softmax", name="last"),
        ]
    )
    model.get_layer("first").kernel.assign(low_rank((30, 40), rank))
    model.get_layer("second").kernel.assign(low_rank((40, 24), rank, 1))
    model.get_layer("first").bias.assign(rows(40))
    return model


def conv_net():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8, 8, 6)),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="conv"),
            layers.BatchNormalization(),
            layers.Conv2D(12, 3, strides=2, name="strided"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax", name="last"),
        ]
    )


def outputs(model, x):
    return np.asarray(model(x, training=False))


@pytest.mark.parametrize("method", [SVD(energy=1.0), SVD(rank=4)], ids=["energy", "rank"])
def test_factorize_keeps_predictions_at_full_rank(method):
    model, x = dense_net(), rows(300, 30)
    before = [w.numpy() for w in model.weights]
    result = factorize(model, x, method=method, layers=["first", "second"], random_state=0)
    assert isinstance(result, FactorizationResult)
    assert result.done == ["first", "second"]
    assert result.to_dict()["ranks"] == [(4,), (4,)]
    assert np.abs(outputs(result.model, x) - outputs(model, x)).max() < 1e-4
    assert result.parameters_after == result.model.count_params() < model.count_params()
    assert all(np.array_equal(a, w.numpy()) for a, w in zip(before, model.weights, strict=True))
    assert result.skipped == {"last": "not named in layers"}


def test_tensor_train_of_a_kernel_that_is_one_is_exact():
    layer = TensorTrainDense(24, rank=3)
    model = keras.Sequential([keras.Input((30,)), layer])
    dense = keras.Sequential([keras.Input((30,)), layers.Dense(24, name="dense")])
    dense.set_weights([np.asarray(layer.kernel), rows(24)])
    x = rows(200, 30)
    result = factorize(dense, x, method=TensorTrain(rank=3), random_state=0)
    assert isinstance(result.model.layers[-1], TensorTrainDense)
    assert np.abs(outputs(result.model, x) - outputs(dense, x)).max() < 1e-4
    assert result.parameters_after == model.count_params()


@pytest.mark.parametrize("method", ["svd", "tensor-train"])
@pytest.mark.parametrize("target", [0.6, 0.35])
def test_factorize_meets_its_target(method, target, tmp_path):
    model, x = dense_net(rank=20), rows(300, 30)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    result = factorize(model, x, method=method, target_params=target, random_state=0)
    total = model.count_params()
    assert result.parameters_after == result.model.count_params() <= target * total
    assert result.parameters_after > (target - 0.1) * total
    assert result.model.compiled and result.model.loss == model.loss
    result.model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert np.array_equal(outputs(loaded, x), outputs(result.model, x))
    again = factorize(model, x, method=method, target_params=target, random_state=0)
    assert np.array_equal(outputs(again.model, x), outputs(result.model, x))


def test_larger_targets_lose_less():
    model, x = dense_net(rank=20), rows(400, 30)
    results = [factorize(model, x, target_params=t, random_state=0) for t in (0.25, 0.5, 0.8)]
    lost = [result.candidates[1].divergence for result in results]
    assert lost[0] > lost[1] > lost[2]


def test_factors_are_fitted_to_the_inputs_of_the_layer():
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(600, 30)) * np.geomspace(1, 0.02, 30)) @ rng.normal(size=(30, 30))
    x = x.astype("float32")
    model = keras.Sequential([keras.Input((30,)), layers.Dense(40, name="first")])
    result = factorize(model, x, method=SVD(rank=5), random_state=0)
    u, s, vt = np.linalg.svd(model.layers[0].kernel.numpy())
    plain = x @ (u[:, :5] * s[:5] @ vt[:5])
    true = outputs(model, x)
    ours = np.square(outputs(result.model, x) - true).mean()
    assert ours < 0.5 * np.square(plain - true).mean()
    measured = np.sqrt(ours / true.var(axis=0).mean())
    assert result.rows[0].output_error == pytest.approx(measured, rel=0.2)


@pytest.mark.parametrize(
    ("method", "kinds"),
    [
        (SVD(rank=8), ["Conv2D", "Conv2D"]),
        (Tucker(rank=5), ["Conv2D", "Conv2D", "Conv2D"]),
        (CP(rank=12), ["Conv2D", "DepthwiseConv2D", "Conv2D"]),
    ],
    ids=["svd", "tucker", "cp"],
)
def test_convolutions_become_chains(method, kinds):
    model, x = conv_net(), rows(64, 8, 8, 6)
    result = factorize(model, x, method=method, layers=["conv", "strided"], random_state=0)
    assert result.done == ["conv", "strided"]
    assert [type(layer).__name__ for layer in result.model.layers][: len(kinds)] == kinds
    assert outputs(result.model, x).shape == (64, 3)
    assert result.rows[0].output_error < 1
    assert result.parameters_after == result.model.count_params() < model.count_params()
    features = [
        keras.Model(m.inputs[0], m.get_layer("conv").output)(x) for m in (model, result.model)
    ]
    error = np.std(features[0] - features[1]) / np.std(features[0])
    assert error < 1.2 * result.rows[0].output_error + 0.05


@pytest.mark.parametrize("method", ["tucker", "cp", "svd"])
def test_convolution_of_full_rank_is_kept_exactly(method):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((6, 6, 8)), layers.Conv2D(8, 3, dilation_rate=2, name="conv")]
    )
    positions, channels = rows(9, seed=1), low_rank((8, 8), 1, 2)
    model.layers[0].kernel.assign((positions[:, None, None] * channels).reshape(3, 3, 8, 8))
    x = rows(50, 6, 6, 8)
    value = {"tucker": Tucker(rank=1), "cp": CP(rank=1), "svd": SVD(rank=1)}[method]
    result = factorize(model, x, method=value, random_state=0)
    assert np.abs(outputs(result.model, x) - outputs(model, x)).max() < 1e-3


def test_conv1d_is_factorized_like_conv2d():
    model = keras.Sequential([keras.Input((20, 8)), layers.Conv1D(16, 5, strides=2, name="conv")])
    x = rows(40, 20, 8)
    for method in (SVD(rank=8), Tucker(rank=6), CP(rank=20)):
        result = factorize(model, x, method=method, random_state=0)
        error = np.std(outputs(result.model, x) - outputs(model, x)) / np.std(outputs(model, x))
        assert error < 1.2 * result.rows[0].output_error + 0.05 < 1


def test_embedding_is_fitted_to_frequent_tokens():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((10,), dtype="int32"),
            layers.Embedding(200, 16, mask_zero=True, name="embedding"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(3, name="last"),
        ]
    )
    x = np.minimum(np.random.default_rng(0).geometric(0.1, size=(300, 10)), 199).astype("int32")
    result = factorize(model, x, method=SVD(rank=8), layers=["embedding"], random_state=0)
    table = model.get_layer("embedding")(np.arange(200))
    new = result.model.layers[1](result.model.layers[0](np.arange(200)))
    error = np.square(table - new).mean(axis=1)
    assert error[1:11].mean() < 0.3 * error[100:].mean()
    assert result.model.layers[0].mask_zero
    assert result.parameters_after == 200 * 8 + 8 * 16 + 16 * 3 + 3


def branched():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((30,), name="rows")
    shared = layers.Dense(30, activation="relu", name="shared")
    inner = keras.Sequential([keras.Input((30,)), layers.Dense(30)], name="inner")
    x = layers.Dense(30, activation="relu", name="front")(inputs)
    x = layers.Add()([shared(x), shared(inputs), inner(inputs)]) * 0.5
    return keras.Model(inputs, layers.Dense(20, name="back")(x))


def test_functional_models_keep_their_graph_and_say_what_is_skipped():
    model, x = branched(), rows(300, 30)
    result = factorize(model, x, target_params=0.8, random_state=0)
    assert "shared" in result.skipped and "is called 2 times" in result.skipped["shared"]
    assert "nested model" in result.skipped["inner"]
    assert set(result.done) <= {"front", "back"} and result.done
    assert result.model.inputs[0].name == model.inputs[0].name
    difference = np.std(outputs(result.model, x) - outputs(model, x))
    assert difference < np.std(outputs(model, x))


def test_layers_without_a_factorized_form_are_reported():
    model = keras.Sequential(
        [
            keras.Input((6, 12)),
            layers.Normalization(mean=0.0, variance=1.0),
            layers.LSTM(8, name="lstm"),
            layers.Dense(40, name="wide"),
            layers.Dense(30, kernel_constraint="non_neg", name="bounded"),
            layers.Dense(2, name="tiny"),
        ]
    )
    result = factorize(model, rows(100, 6, 12), method=SVD(rank=2), random_state=0)
    assert result.done == ["wide"]
    assert result.skipped["lstm"] == "LSTM has no factorized form"
    assert "kernel_constraint" in result.skipped["bounded"]
    assert "would not shrink" in result.skipped["tiny"]
    assert all(name in str(result) for name in ("lstm", "bounded", "tiny", "wide"))
    assert "<table>" in result._repr_html_()


def test_frozen_layers_stay_frozen():
    model = dense_net()
    model.get_layer("first").trainable = False
    result = factorize(model, rows(100, 30), method=SVD(rank=3), layers=["first"], random_state=0)
    assert [layer.trainable for layer in result.model.layers] == [False, False, True, True]


@pytest.mark.parametrize("targets", ["labels", "outputs"])
def test_fine_tuning_lowers_the_loss(targets):
    model, x = dense_net(rank=20), rows(600, 30)
    model.compile("adam", "sparse_categorical_crossentropy")
    y = outputs(model, x).argmax(axis=1)
    options = {"method": SVD(target_params=0.25), "random_state": 0}
    plain = factorize(model, x, **options)
    tuned = factorize(
        model, x, y if targets == "labels" else None, **options,
        fine_tune_epochs=8, learning_rate=3e-3,
    )  # fmt: skip

    def loss(network):
        p, q = outputs(model, x), outputs(network, x)
        if targets == "labels":
            return -np.log(q[np.arange(len(x)), y]).mean()
        return (p * np.log(p / q)).sum(axis=1).mean()

    assert loss(tuned.model) < loss(plain.model)
    assert isinstance(tuned.model.optimizer, keras.optimizers.Adam)
    assert "fine-tuned for 8 epochs" in tuned.notes


def test_rows_of_weight_zero_are_left_out():
    model, x = dense_net(rank=20), rows(200, 30)
    junk = np.concatenate([x, 100 * rows(100, 30, seed=5)])
    weight = np.r_[np.ones(200), np.zeros(100)]
    clean = factorize(model, x, target_params=0.4, random_state=0)
    weighted = factorize(model, junk, sample_weight=weight, target_params=0.4, random_state=0)
    assert np.array_equal(outputs(clean.model, x), outputs(weighted.model, x))


def test_auto_measures_and_picks():
    model, x = dense_net(rank=20), rows(300, 30)
    result = factorize(model, x, method="auto", target_params=0.5, random_state=0)
    assert [c.method for c in result.candidates] == ["original", "svd", "tensor-train"]
    assert result.method in ("svd", "tensor-train")
    assert result.candidates[0].divergence == 0
    assert all(c.latency > 0 for c in result.candidates)


def test_share_out_meets_the_budget_and_refines():
    curve = [Choice((r,), 10 * r, 1 / r) for r in (1, 2, 4, 8)]
    curves = {"a": curve, "b": [Choice(c.ranks, c.parameters, 9 * c.loss) for c in curve]}
    chosen = share_out(curves, 95, lambda name, n: (int(n // 10),))
    assert chosen == {"a": (2,), "b": (7,)}  # by hand: b gains 0.028 a parameter, a 0.05
    chosen = share_out(curves, 75, lambda name, n: (int(n // 10),))
    assert chosen["b"] > chosen["a"]
    assert 10 * (chosen["a"][0] + chosen["b"][0]) <= 75


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (lambda: "model", ModelError, "not a keras.Model"),
        (lambda: Subclassed(), ModelError, "subclassed"),
        (lambda: keras.Sequential([layers.Dense(3)]), ModelError, "not built"),
        (
            lambda: keras.Model(
                [a := keras.Input((3,)), b := keras.Input((3,))], layers.Add()([a, b])
            ),
            ModelError,
            "one input, got 2",
        ),
        (lambda: keras.Sequential([keras.Input((30,)), layers.ReLU()]), ModelError, "none of its"),
    ],
    ids=["no model", "subclassed", "unbuilt", "two inputs", "nothing to factorize"],
)  # fmt: skip
def test_factorize_refuses_models(model, error, message):
    with pytest.raises(error, match=message):
        factorize(model(), rows(10, 30))


def test_factorize_refuses_broken_weights():
    model = dense_net()
    model.get_layer("first").kernel.assign(np.full((30, 40), np.nan))
    with pytest.raises(DataError, match="NaN or infinite"):
        factorize(model, rows(10, 30))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"X": rows(0, 30)}, DataError, "no rows"),
        ({"X": rows(5, 29)}, DataError, r"rows of shape \(30,\)"),
        ({"X": np.full((5, 30), np.nan)}, DataError, "NaN"),
        ({"y": np.zeros(3)}, DataError, "as many rows"),
        ({"sample_weight": np.zeros(20)}, DataError, "not all zero"),
        ({"method": "svdd"}, ParameterError, "Did you mean 'svd'"),
        ({"method": 3}, ParameterError, "got 3"),
        ({"method": SVD(rank=31)}, ParameterError, "above the largest rank of every layer, 30"),
        ({"method": SVD(rank=29)}, ModelError, "would not shrink"),
        ({"target_params": 1.0}, ParameterError, r"number in \(0, 1\)"),
        ({"target_params": 0.01}, ParameterError, "cannot be met"),
        ({"target_params": 0.5, "method": SVD()}, ParameterError, "belongs to the value object"),
        ({"layers": ["frst"]}, ParameterError, "Did you mean 'first'"),
        ({"fine_tune_epochs": -1}, ParameterError, "fine_tune_epochs"),
        ({"learning_rate": 0}, ParameterError, "learning_rate"),
        ({"batch_size": 0}, ParameterError, "batch_size"),
    ],
    ids=lambda value: None,
)
def test_factorize_refuses_arguments(options, error, message):
    with pytest.raises(error, match=message):
        factorize(dense_net(), **{"X": rows(20, 30), **options})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SVD(rank=0), "rank must be an integer of at least 1, got 0"),
        (lambda: SVD(energy=0.0), r"energy must be a number in \(0, 1\], got 0.0"),
        (lambda: SVD(energy=1.5), "got 1.5"),
        (lambda: SVD(rank=3, energy=0.5), "exactly one of"),
        (lambda: TensorTrain(n_cores=1), "n_cores"),
        (lambda: Tucker(target_params=True), "target_params"),
    ],
    ids=["rank", "energy zero", "energy above one", "two", "one core", "bool"],
)
def test_value_objects_check_their_fields(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


def test_value_objects_take_a_target_by_default():
    assert SVD().target_params == 0.4
    assert SVD(rank=3).target_params is None
