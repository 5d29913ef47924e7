"""Every epoch is handed to a logger."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skopt_wrap import KerasClassifier, TunedClassifier
from skopt_wrap.exceptions import ParameterError
from skopt_wrap.training import EpochLogger

pytest.importorskip("keras")
pytestmark = pytest.mark.keras


class Run:
    """Notes what it is told, and cannot be copied."""

    def __init__(self):
        self.told = []

    def log(self, values, step):
        self.told.append((step, values))

    def __deepcopy__(self, memo):
        raise TypeError("a run cannot be copied")


@pytest.mark.parametrize("form", [list, tuple, lambda one: {"run": one[0]}, lambda one: one[0]])
def test_every_epoch_is_logged(blobs, form):
    run = Run()
    network = KerasClassifier(
        epochs=3, validation_split=0.2, callbacks=form([EpochLogger(run, "a/")]), random_state=0
    )
    network.fit(*blobs)
    assert [step for step, _ in run.told] == [0, 1, 2]
    for epoch, values in run.told:
        for name, curve in network.history_.items():
            assert values[f"a/{name}"] == pytest.approx(curve[epoch])
            assert type(values[f"a/{name}"]) is float
    assert network.fit_path_ == "fused"


def test_copies_and_searches_log_to_the_same_object(blobs):
    run = Run()
    network = KerasClassifier(epochs=2, callbacks=[EpochLogger(run)], random_state=0)
    clone(network).fit(*blobs)
    assert len(run.told) == 2
    GridSearchCV(network, {"batch_size": [16, 32]}, cv=2, refit=False).fit(*blobs)
    assert len(run.told) == 2 + 8
    search = TunedClassifier(
        network, tuner="grid", max_trials=None, cv=2, space={"model__units": [4, 5]}, refit=False
    ).fit(*blobs)
    assert len(run.told) == 10 + 8
    assert set(search.cv_results_["fit_path"]) == {"joint"}


def test_a_logger_that_fails_ends_the_fit(blobs):
    class Full:
        def log(self, values, step):
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        KerasClassifier(epochs=2, callbacks=EpochLogger(Full())).fit(*blobs)


def test_what_is_no_logger(blobs):
    with pytest.raises(ParameterError, match=r"method log\(values, step\), got 3"):
        KerasClassifier(epochs=1, callbacks=[EpochLogger(3)]).fit(*blobs)


def test_pickle_and_repr():
    logger = pickle.loads(pickle.dumps(EpochLogger(print, "b/")))
    assert repr(logger) == f"EpochLogger({print!r}, prefix='b/')"
    assert np.isscalar(logger.prefix)
