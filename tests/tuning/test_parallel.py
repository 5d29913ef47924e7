from __future__ import annotations

import os
import signal
import sys
import time

import cloudpickle
import joblib
import numpy as np
import pytest
from joblib.externals.loky import ProcessPoolExecutor
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

from skopt_wrap import KerasClassifier
from skopt_wrap.exceptions import ParameterError, SkippedWarning, TrainingInterruptedWarning
from skopt_wrap.tuning import TunedClassifier
from skopt_wrap.tuning._execution._evaluation import Evaluation
from skopt_wrap.tuning._execution._executors import Serial
from skopt_wrap.tuning._execution._make_workers import make_workers
from skopt_wrap.tuning._execution._processes import visible_gpus
from skopt_wrap.tuning._execution._search_loop import Search
from skopt_wrap.tuning._execution._worker_process import dump, load, start_worker
from skopt_wrap.tuning._trial import Task

from . import conftest, search_process
from .search_process import Slow

cloudpickle.register_pickle_by_value(conftest)
cloudpickle.register_pickle_by_value(search_process)


def tuned(model, tuner="random", **kwargs):
    settings = {"max_trials": 8, "cv": 3, "random_state": 0, "refit": False}
    settings["space"] = {"shift": stats.uniform(-3, 6), "power": [1.0, 2.0, 4.0]}
    if tuner == "grid":
        settings["space"] = {"shift": [-1.0, 0.0, 1.0], "power": [1.0, 2.0, 3.0]}
        settings["max_trials"] = None
    return TunedClassifier(model, tuner=tuner, **{"n_jobs": 2, **settings, **kwargs})


def pid(estimator, X, y):
    return float(os.getpid())


def assert_same(one, other):
    assert [t.params for t in one.trials_] == [t.params for t in other.trials_]
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], other.cv_results_["mean_test_score"]
    )
    assert one.best_index_ == other.best_index_


@pytest.mark.parametrize("tuner", ["random", "grid"])
def test_workers_run_the_same_trials_as_one_process(centroid, iris, tuner):
    serial = tuned(centroid, tuner, n_jobs=None).fit(*iris)
    assert_same(tuned(centroid, tuner).fit(*iris), serial)


@pytest.mark.parametrize("tuner", ["bayesian", "tpe", "genetic"])
def test_workers_are_reproducible_whatever_they_take(iris, tuner):
    settings = {"space": {"threshold": stats.uniform(0, 8), "feature": [0, 1, 2, 3]}}
    X, y = iris
    runs = []
    for seconds in (0.0, 0.02):
        model = Slow(seconds=seconds)
        runs.append(tuned(model, tuner, **settings).fit(X, y))
    assert_same(*runs)
    assert len(runs[0].trials_) >= 8


def test_workers_are_kept_for_the_next_search(centroid, iris):
    first = tuned(centroid, scoring=pid).fit(*iris)
    second = tuned(centroid, scoring=pid).fit(*iris)
    pids = [set(est.cv_results_["split0_test_score"].astype(int)) for est in (first, second)]
    # joblib replaces a worker that has grown by 300 MB, which loading TensorFlow late does.
    assert pids[0] & pids[1]
    assert os.getpid() not in pids[0]


def test_threads_are_divided_among_the_workers(centroid, iris):
    def threads(estimator, X, y):
        names = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS")
        intra, blas = (float(os.environ.get(name, 0)) for name in names)
        return intra + 100 * blas

    before = dict(os.environ)
    est = tuned(centroid, scoring=threads, max_trials=2).fit(*iris)
    assert est.best_score_ == 101 * max(1, joblib.cpu_count() // 2)
    assert dict(os.environ) == before


def test_large_data_are_mapped_and_not_copied(centroid, tmp_path):
    X = np.zeros((1000, 300))
    task = Task(X, X[:, 0], [], None, {"sample_weight": X[:, 1]}, {})
    dump(Evaluation(centroid, task, frozenset(), np.nan, None, True, 0), tmp_path)
    evaluate, _ = load(tmp_path)
    assert isinstance(evaluate.task.X, np.memmap)
    assert evaluate.task.fit_params["sample_weight"].shape == (1000,)
    assert (tmp_path / "evaluation.pickle").stat().st_size < 10_000


def test_failed_trials_fail_alone_in_workers(centroid, iris):
    space = {"fail": [None, ValueError("boom"), KeyError("bang")]}
    with pytest.warns(SkippedWarning, match="2 of 3 trials failed"):
        est = tuned(centroid, "grid", space=space, error_score=-1.0).fit(*iris)
    assert [trial.state for trial in est.trials_] == ["COMPLETED", "FAILED", "FAILED"]
    assert "raise self.fail" in est.trials_[1].traceback
    space = {"fail": [ValueError("first"), KeyError("second")]}
    with pytest.raises(ValueError, match="first"):
        tuned(centroid, "grid", space=space).fit(*iris)
    with pytest.raises((ValueError, KeyError)):
        tuned(centroid, "grid", space=space, error_score="raise").fit(*iris)


class Deadly(BaseEstimator, TransformerMixin):
    """Kills its process when it is told to."""

    def __init__(self, dies=0):
        self.dies = dies

    def fit(self, X, y=None):
        if self.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.05)
        self.fitted_ = True
        return self

    def transform(self, X):
        return X


@pytest.mark.slow
def test_worker_that_dies_fails_its_trial_alone(centroid, iris):
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    space = {"shift": [0.0], "preprocessor__dies": [0, 1]}
    with pytest.warns(SkippedWarning, match="1 of 2 trials failed.*worker process"):
        est = tuned(centroid, "grid", preprocessor=Deadly(), space=space).fit(*iris)
    assert [t.state == "FAILED" for t in est.trials_] == [
        t.params["preprocessor__dies"] == 1 for t in est.trials_
    ]


def test_time_limit_drops_what_runs(iris):
    begin = time.monotonic()
    space = {"seconds": [0.0, 30.0, 31.0, 32.0], "threshold": [1.0]}
    with pytest.warns(TrainingInterruptedWarning, match="max_time"):
        est = tuned(Slow(), "grid", space=space, max_time=3.0).fit(*iris)
    assert [trial.params["seconds"] for trial in est.trials_] == [0.0]
    assert time.monotonic() - begin < 25


def test_ctrl_c_waits_for_the_trials_that_run(iris, monkeypatch):
    finish = Search._finish

    def finish_and_stop(self, outcome):
        finish(self, outcome)
        if len(self.results) == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Search, "_finish", finish_and_stop)
    search = tuned(Slow(seconds=0.05), space={"threshold": stats.uniform(0, 8)}, max_trials=100)
    with pytest.warns(TrainingInterruptedWarning, match="interrupted"):
        search.fit(*iris)
    assert 3 <= len(search.trials_) <= 5
    assert [trial.number for trial in search.trials_] == list(range(len(search.trials_)))


def test_interrupted_workers_are_gone_on_with(centroid, iris, tmp_path):
    space = {"threshold": stats.uniform(0, 8), "feature": [0, 1, 2, 3]}
    settings = {"space": space, "max_trials": 12}
    whole = tuned(Slow(seconds=0.2), "tpe", **settings).fit(*iris)
    with pytest.warns(TrainingInterruptedWarning):
        part = tuned(Slow(seconds=0.2), "tpe", storage=tmp_path, max_time=2.0, **settings)
        part.fit(*iris)
    assert len(part.trials_) < 12
    assert_same(tuned(Slow(seconds=0.2), "tpe", storage=tmp_path, **settings).fit(*iris), whole)


@pytest.mark.slow
@pytest.mark.keras
def test_networks_score_alike_in_workers(iris):
    space = {"model__units": [4, 8], "optimizer__learning_rate": [0.01, 0.1]}
    settings = {"space": space, "max_trials": None}
    runs = [
        tuned(KerasClassifier(epochs=3), "grid", n_jobs=n_jobs, **settings).fit(*iris)
        for n_jobs in (1, 2)
    ]
    assert [t.params for t in runs[0].trials_] == [t.params for t in runs[1].trials_]
    np.testing.assert_allclose(
        runs[0].cv_results_["mean_test_score"], runs[1].cv_results_["mean_test_score"], atol=1e-6
    )


def test_number_of_workers_follows_joblib(centroid):
    assert isinstance(make_workers(centroid, None, 9), Serial)
    assert make_workers(centroid, 3, 9).capacity == 3
    assert make_workers(centroid, 3, 2).capacity == 2
    with joblib.parallel_config("loky", n_jobs=4):
        assert make_workers(centroid, None, 9).capacity == 4
    with joblib.parallel_config("threading", n_jobs=4):
        assert isinstance(make_workers(centroid, None, 9), Serial)


def _gpu(task):
    number, folder = task
    (folder / f"task{number}").touch()
    end = time.monotonic() + 60
    while len(list(folder.glob("task*"))) < 2 and time.monotonic() < end:  # both are to run
        time.sleep(0.05)
    return os.environ["CUDA_VISIBLE_DEVICES"]


def test_every_worker_gets_a_gpu_of_its_own(tmp_path, monkeypatch):
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    gpus = ["GPU-a", "GPU-b"]
    with ProcessPoolExecutor(2, initializer=start_worker, initargs=(str(tmp_path), gpus)) as pool:
        assert sorted(pool.map(_gpu, [(0, tmp_path), (1, tmp_path)])) == gpus
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 5")
    assert visible_gpus() == ["3", "5"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert visible_gpus() == []


@pytest.fixture(scope="module")
def ray_cluster():
    ray = pytest.importorskip("ray")
    register = pytest.importorskip("ray.util.joblib")
    register.register_ray()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield ray
    ray.shutdown()


@pytest.mark.slow
def test_ray_cluster_runs_the_trials(centroid, iris, ray_cluster):
    serial = tuned(centroid, n_jobs=None).fit(*iris)
    with joblib.parallel_config("ray"):
        est = tuned(centroid, n_jobs=None, scoring=pid).fit(*iris)
        assert_same(tuned(centroid, n_jobs=None).fit(*iris), serial)
        assert make_workers(centroid, None, 9).capacity == 2
        assert make_workers(centroid, 1, 9).capacity == 1
        with pytest.raises(ParameterError, match=r"max_trials_per_worker=3 .* Ray cluster"):
            make_workers(centroid, None, 9, max_trials_per_worker=3)
    assert os.getpid() not in {int(t.scores["score"][0]) for t in est.trials_}


@pytest.mark.slow
def test_ray_cluster_ends_trials_that_take_too_long_or_die(iris, ray_cluster):
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with joblib.parallel_config("ray"), pytest.warns(UserWarning, match="2 of 4 trials failed"):
        est = TunedClassifier(
            Fragile(), tuner="grid", cv=2, space={"what": ["ok", "sleep", "die", "fine"]},
            trial_timeout=20, refit=False,
        ).fit(*iris)  # fmt: skip
    assert [t.state for t in est.trials_] == ["COMPLETED", "FAILED", "FAILED", "COMPLETED"]
    assert "trial_timeout=20" in est.trials_[1].error


class Fragile(ClassifierMixin, BaseEstimator):
    """Does what it is told: it dies, or sleeps."""

    def __init__(self, what="ok"):
        self.what = what

    def fit(self, X, y):
        if self.what == "die":
            os._exit(1)
        if self.what == "sleep":
            time.sleep(600)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


@pytest.mark.slow
def test_dask_cluster_runs_the_trials(centroid, iris, tmp_path):
    distributed = pytest.importorskip("distributed")
    serial = tuned(centroid, n_jobs=None).fit(*iris)
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            local_directory=str(tmp_path),
        ) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config("dask"),
    ):
        est = tuned(centroid, n_jobs=None, scoring=pid).fit(*iris)
        assert_same(tuned(centroid, n_jobs=None).fit(*iris), serial)
        pids = set(client.run(os.getpid).values())
    assert {int(t.scores["score"][0]) for t in est.trials_} <= pids
