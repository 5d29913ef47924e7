"""A stage of compression that somebody else wrote is used as ours are, without a change of ours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from skopt_wrap import CompressedModel, CompressionSearch, KerasClassifier, compress
from skopt_wrap.compression import CompressionStage, StageContext, StageResult
from skopt_wrap.exceptions import ModelError, ParameterError

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras
ran = []


def largest(values):
    """Runs in the conversion process."""
    return float(np.abs(values).max())


@dataclass(frozen=True)
class Halve(CompressionStage):
    """Sets the smaller half of each kernel to zero, and says in which process it looked at it."""

    order: float = 350
    name = "halve"

    def check(self, model):
        if not any(hasattr(layer, "kernel") for layer in model.layers):
            raise ModelError("halve: the network has no kernel.")

    def run(self, model, context: StageContext):
        ran.append(self.order)
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
        done = []
        for layer in copy.layers:
            if hasattr(layer, "kernel"):
                kernel = layer.kernel.numpy()
                kernel[np.abs(kernel) < np.median(np.abs(kernel))] = 0
                layer.kernel.assign(kernel)
                done.append(layer.name)
        found = context.run_in_process(largest, {"values": kernel})
        assert found == largest(kernel)
        return StageResult(copy, done, notes=[f"{len(context.training_data.x)} rows"])


def _network(**settings):
    return KerasClassifier("dense", epochs=2, random_state=0, **settings)


def test_stage_runs_at_its_place_and_stands_in_the_report(blobs):
    X, y = blobs
    model = CompressedModel(
        _network(), pruning=0.2, stages=[Halve()], fine_tune_epochs=1, random_state=0
    ).fit(X, y)
    report = model.report_
    assert report.to_dict()["stage"] == ["trained", "convert", "prune", "halve", "quantize"]
    row = report["halve"]
    assert row.nonzero < 0.7 * report["convert"].nonzero
    assert row.done
    assert row.notes[0] == f"{len(X)} rows"
    assert row.score is not None
    assert row.bytes > report["quantize"].bytes
    kernel = model.model_.layers[-1].kernel.numpy()
    assert np.mean(kernel == 0) == pytest.approx(0.5, abs=0.1)
    first = CompressedModel(_network(), pruning=0.2, stages=[Halve(50)], fine_tune_epochs=1)
    assert first.fit(X, y).report_.to_dict()["stage"][2] == "halve"


def test_stage_is_taken_by_compress_and_its_check_is_called():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    X = np.random.default_rng(0).normal(size=(50, 4)).astype("float32")
    before = model.get_weights()
    result = compress(model, X, stages=[Halve()], quantization=None, random_state=0)
    assert [row.stage for row in result.report.rows] == ["trained", "convert", "halve"]
    assert (result.model.layers[-1].kernel.numpy() == 0).sum() == 6
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    bare = keras.Sequential([keras.Input((4,)), keras.layers.ReLU()])
    with pytest.raises(ModelError, match="no kernel"):
        compress(bare, X, stages=[Halve()])


def test_search_tries_a_stage_and_runs_it_once_a_fold(blobs):
    grid = [
        {"stages": [None], "quantization": [None]},
        {"stages": [[Halve()]], "quantization": [None, "float16"]},
    ]
    ran.clear()
    search = CompressionSearch(
        _network(), grid, cv=2, max_score_drop=None, fine_tune_epochs=1, random_state=0
    ).fit(*blobs)
    assert search.cv_results_["error"] == [None] * 3
    assert search.cv_results_["mean_gzip_size"][1] < 0.8 * search.cv_results_["mean_gzip_size"][0]
    assert len(ran) == 2 + bool(search.best_params_["stages"])


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ("halve", "list of CompressionStage"),
        ([Halve], "give an object of it"),
        ([object()], "no stage"),
        ([Halve(0)], "between 0 and 1000"),
        ([Halve(1000)], "between 0 and 1000"),
        ([Halve(10), Halve(20)], "have the name 'halve'"),
    ],
)
def test_what_is_no_stage_is_refused_before_training(stages, message):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    with pytest.raises(ParameterError, match=message):
        compress(model, np.zeros((3, 4)), stages=stages)


def test_stage_that_returns_no_result_is_named():
    class Forgetful(Halve):
        def run(self, model, context):
            return model

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    with pytest.raises(ParameterError, match="'halve' must return a StageResult"):
        compress(model, np.zeros((3, 4), "float32"), stages=[Forgetful()])
