"""Factorized networks on their way to a file."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator

from skopt_wrap import CompressedModel, KerasClassifier
from skopt_wrap._keras import predict_raw
from skopt_wrap.compression import compress
from skopt_wrap.factorization import SVD, TensorTrain

L = pytest.importorskip("keras").layers


def _network():
    import keras

    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [keras.Input((64,)), L.Dense(128, "relu", name="wide"), L.Dense(96, "relu"), L.Dense(4)]
    )


@pytest.mark.parametrize("spec", [SVD(target_params=0.5), TensorTrain(rank=6)], ids=["svd", "tt"])
def test_factorized_file_is_as_much_smaller_as_the_network(spec):
    model = _network()
    x = np.random.default_rng(0).normal(size=(200, 64)).astype("float32")
    result = compress(
        model, x, factorization=spec, quantization=None, fine_tune_epochs=1, random_state=0
    )
    row, before = result.report["factorize"], result.report["convert"]
    assert row.done
    assert row.parameters < 0.55 * model.count_params()
    assert row.bytes < 0.6 * before.bytes, "the factors are in the file, not their product"
    np.testing.assert_allclose(result.predict(x), predict_raw(result.model, x), atol=1e-4)
    assert result.predict(x[:1]).shape == (1, 4)


def test_factorize_then_prune_then_quantize(network, digits):
    X, y = digits
    model = CompressedModel(
        FrozenEstimator(network), factorization="auto", pruning=0.3, fine_tune_epochs=2,
        max_score_drop=0.2, random_state=0,
    )  # fmt: skip
    model.fit(X[:600], y[:600], X_val=X[600:], y_val=y[600:])
    table = model.report_.to_dict()
    assert table["stage"] == ["trained", "convert", "factorize", "prune", "quantize"]
    assert table["bytes"][-1] < table["bytes"][1]
    assert table["notes"][2][0].startswith("method: ")
    assert model.score(X[600:], y[600:]) > 0.7


def test_method_is_checked_before_training(blobs):
    model = CompressedModel(KerasClassifier(), factorization="tuker")
    with pytest.raises(ValueError, match="Did you mean 'tucker'"):
        model.fit(*blobs)
    assert not hasattr(model, "estimator_")
