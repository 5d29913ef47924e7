"""Networks that are trained once for all tests of compression."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def network(digits):
    """A fitted classifier of digits, 64-32-10."""
    from skopt_wrap import KerasClassifier

    X, y = digits
    return KerasClassifier(
        "dense", model__units=(32,), model__n_layers=1, epochs=10, random_state=0
    ).fit(X[:800], y[:800])


@pytest.fixture(scope="session")
def compressed(network, digits):
    """The same network in int8, its report on rows that it was not trained on."""
    from sklearn.frozen import FrozenEstimator

    from skopt_wrap import CompressedModel

    X, y = digits
    model = CompressedModel(FrozenEstimator(network), random_state=0)
    return model.fit(X[:800], y[:800], X_val=X[800:], y_val=y[800:])


@pytest.fixture(scope="session")
def float_file(network, digits):
    """The float32 file of a network, as compress() returns it."""
    from skopt_wrap.compression import compress

    return compress(network.model_, digits[0][:100].astype("float32"), quantization=None)
