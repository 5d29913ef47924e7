from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
import sklearn
from imblearn.over_sampling import RandomOverSampler
from scipy import stats
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.dummy import DummyRegressor
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import Ridge
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skopt_wrap.exceptions import (
    DataError,
    ParameterError,
    SkippedWarning,
    TrainingInterruptedWarning,
)
from skopt_wrap.tuning import TunedClassifier, TunedRegressor

SPACE = {"shift": stats.uniform(-3, 6), "power": [1.0, 2.0]}


def tuned(model, **kwargs):
    settings = {"tuner": "random", "max_trials": 4, "cv": 3, "space": SPACE, "random_state": 0}
    return TunedClassifier(model, **{**settings, **kwargs})


def test_results_agree_with_grid_search_cv(centroid, iris):
    grid = {"shift": [-1.0, 0.0, 1.0], "power": [1.0, 2.0]}
    ours = tuned(centroid, tuner="grid", max_trials=None, space=grid).fit(*iris)
    theirs = GridSearchCV(centroid, grid, cv=3).fit(*iris)
    order = [theirs.cv_results_["params"].index(params) for params in ours.cv_results_["params"]]
    assert len(order) == 6
    for key in ("split0_test_score", "split2_test_score", "mean_test_score", "std_test_score",
                "rank_test_score"):  # fmt: skip
        np.testing.assert_allclose(ours.cv_results_[key], theirs.cv_results_[key][order])
    assert ours.best_score_ == theirs.best_score_
    assert set(theirs.cv_results_) <= set(ours.cv_results_)
    assert (ours.n_splits_, ours.multimetric_) == (3, False)
    assert ours.refit_time_ > 0
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)


def test_same_seed_gives_the_same_search_and_another_does_not(centroid, iris):
    first, again = (tuned(centroid).fit(*iris) for _ in range(2))
    other = tuned(centroid, random_state=1).fit(*iris)
    assert first.cv_results_["params"] == again.cv_results_["params"]
    np.testing.assert_array_equal(
        first.cv_results_["mean_test_score"], again.cv_results_["mean_test_score"]
    )
    assert first.cv_results_["params"] != other.cv_results_["params"]


def test_two_workers_give_the_same_scores(iris):
    from sklearn.naive_bayes import GaussianNB

    space = {"var_smoothing": stats.loguniform(1e-9, 1)}
    one, two = (tuned(GaussianNB(), space=space, n_jobs=n, max_trials=2).fit(*iris) for n in (1, 2))
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )


def test_every_trial_sees_the_same_splits(centroid, iris):
    X, y = iris
    cv = StratifiedKFold(3, shuffle=True)  # unseeded: splits anew at every call
    scores = tuned(centroid, cv=cv, space={"power": [1.0, 1]}, tuner="grid").fit(X, y).cv_results_
    assert scores["split0_test_score"][0] == scores["split0_test_score"][1]


def test_table_is_ready_for_pandas(centroid, iris):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(tuned(centroid).fit(*iris).cv_results_)
    assert len(frame) == 4
    assert frame["param_power"].isin([1.0, 2.0]).all()
    assert (frame["state"] == "COMPLETED").all()


def test_several_metrics_and_refit_by_name(centroid, iris):
    est = tuned(centroid, scoring=["accuracy", "f1_macro"], refit="f1_macro").fit(*iris)
    assert est.multimetric_ and set(est.scorer_) == {"accuracy", "f1_macro"}
    assert est.best_score_ == est.cv_results_["mean_test_f1_macro"].max()
    assert "rank_test_accuracy" in est.cv_results_
    X, y = iris
    assert est.score(X, y) == est.scorer_["f1_macro"](est.best_estimator_, X, y)


def test_callable_that_returns_a_dict_is_multimetric(centroid, iris):
    def scoring(estimator, X, y):
        hit = estimator.predict(X) == y
        return {"hits": hit.sum(), "share": hit.mean()}

    est = tuned(centroid, scoring=scoring, refit="share").fit(*iris)
    assert est.best_score_ == est.cv_results_["mean_test_share"].max()
    assert est.score(*iris) == pytest.approx(accuracy_score(iris[1], est.predict(iris[0])))


def test_refit_callable_chooses_the_index(centroid, iris):
    est = tuned(centroid, refit=lambda table: int(np.argmin(table["mean_test_score"]))).fit(*iris)
    assert est.best_index_ == est.cv_results_["mean_test_score"].argmin()
    assert not hasattr(est, "best_score_")


def test_refit_false_keeps_the_table_only(centroid, iris):
    est = tuned(centroid, refit=False).fit(*iris)
    assert est.best_params_ == est.cv_results_["params"][est.best_index_]
    assert not hasattr(est, "predict") and not hasattr(est, "best_estimator_")


def test_planted_leak_does_not_score(centroid):
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(40, 2000)), rng.randint(0, 2, 40)
    inside = tuned(centroid, preprocessor=SelectKBest(k=10), space={"power": [2.0]}, cv=5)
    outside = tuned(centroid, space={"power": [2.0]}, cv=5)
    honest = inside.fit(X, y).best_score_
    leaked = outside.fit(SelectKBest(k=10).fit_transform(X, y), y).best_score_
    assert honest < 0.7 < 0.85 < leaked


def test_sampler_sees_training_rows_only(centroid, iris):
    X, y = iris
    X, y = X[:45], y[:45]  # 20, 20 and 5 rows
    est = tuned(
        centroid,
        preprocessor=make_pipeline(StandardScaler()),
        sampler=RandomOverSampler(),
        space={"sampler__sampling_strategy": ["not majority", {"c": 12}], "power": [1.0, 2.0]},
        scoring=lambda e, X, y: float(len(y)),
        max_trials=3,
    ).fit(X, y)
    assert est.cv_results_["split0_test_score"].tolist() == [15.0] * 3
    fitted = est.best_estimator_[-1][-1]
    assert fitted.n_rows_ in (60, 52)
    assert est.best_estimator_[-1][0].random_state is not None
    with pytest.raises(DataError, match="sampler"):
        est.fit(X, y, sample_weight=np.ones(45))


def test_parameters_of_the_preprocessor_are_searched(centroid, iris):
    space = {"preprocessor__with_mean": [True, False], "preprocessor__with_std": [False]}
    est = tuned(centroid, preprocessor=StandardScaler(), space=space, tuner="grid").fit(*iris)
    assert est.best_estimator_[0].with_std is False
    assert est.n_features_in_ == 4


def test_frame_with_text_goes_through_the_preprocessor(centroid, iris):
    pd = pytest.importorskip("pandas")
    from sklearn.preprocessing import OneHotEncoder

    X, y = iris
    frame = pd.DataFrame(X, columns=list("abcd")).assign(colour=np.where(X[:, 0] > 5, "r", "g"))
    prepare = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["colour"]),
        (StandardScaler(), make_column_selector(dtype_include=float)),
    )
    est = tuned(centroid, preprocessor=prepare).fit(frame, y)
    assert list(est.feature_names_in_) == [*"abcd", "colour"]
    assert est.predict(frame).shape == (60,)


def test_nothing_given_is_changed(centroid, iris):
    X, y = iris
    space, before = {"shift": [0.0, 1.0], "power": [1.0]}, X.copy()
    scaler = StandardScaler()
    tuned(centroid, space=space, preprocessor=scaler).fit(X, y)
    assert space == {"shift": [0.0, 1.0], "power": [1.0]}
    assert not hasattr(scaler, "mean_") and not hasattr(centroid, "centroids_")
    np.testing.assert_array_equal(X, before)


def test_no_output_and_no_file_at_verbose_zero(centroid, iris, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    tuned(centroid).fit(*iris)
    printed = capfd.readouterr()
    assert printed.out == printed.err == ""
    assert os.listdir(tmp_path) == []
    tuned(centroid, verbose=1).fit(*iris)
    assert "best=" in capfd.readouterr().err


def test_hyperband_sets_epochs_and_returns_those_of_the_best(centroid, iris):
    est = tuned(centroid, tuner="hyperband", max_trials=1).fit(*iris)
    epochs = [trial.params["epochs"] for trial in est.trials_]
    assert set(epochs) == {1, 3, 9}
    assert est.best_estimator_.epochs == est.best_params_["epochs"]


def test_weights_reach_fit_and_scorer(centroid, iris):
    X, y = iris
    weight = np.where(y == "a", 0.5, 2.0)
    est = tuned(centroid).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(est.best_estimator_.sample_weight_, weight)
    plain = tuned(centroid).fit(X, y)
    assert not np.allclose(est.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])
    with pytest.warns(SkippedWarning, match="unweighted"):
        tuned(centroid, scoring=lambda e, X, y: float(e.score(X, y))).fit(
            X, y, sample_weight=weight
        )


def test_metadata_routing_reaches_network_splitter_and_scorer(centroid, iris):
    X, y = iris
    groups, weight = np.arange(60) % 4, np.linspace(1, 2, 60)
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
        model = clone(centroid).set_fit_request(sample_weight=True)
        est = tuned(model, cv=GroupKFold(4), scoring=scorer)
        est.fit(X, y, groups=groups, sample_weight=weight)
        assert est.n_splits_ == 4
        np.testing.assert_array_equal(est.best_estimator_.sample_weight_, weight)
        assert est.score(X, y, sample_weight=weight) == pytest.approx(
            accuracy_score(y, est.predict(X), sample_weight=weight)
        )


def test_groups_reach_the_splitter_without_routing(centroid, iris):
    est = tuned(centroid, cv=GroupKFold(3)).fit(*iris, groups=np.arange(60) % 3)
    assert est.n_splits_ == 3


@pytest.mark.parametrize("cv", [None, 0.3])
def test_single_validation_set(centroid, iris, cv):
    est = tuned(centroid, cv=cv, scoring=lambda e, X, y: float(len(y))).fit(*iris)
    assert est.n_splits_ == 1
    assert est.best_score_ == (12 if cv is None else 18)


def test_classes_smaller_than_the_folds_survive(centroid, iris):
    X, y = iris
    rows = [0, 1, 2, 20, 21, 22, 40]
    with pytest.warns(Warning) as caught:
        est = tuned(centroid, cv=5).fit(X[rows], y[rows])
    assert est.n_splits_ == 3
    assert any("3 folds are used" in str(w.message) for w in caught)


def test_large_grid_is_cut_with_a_warning(centroid, iris):
    with pytest.warns(SkippedWarning, match="20 points"):
        est = tuned(centroid, tuner="grid").fit(*iris)
    assert len(est.trials_) == 4


def test_nests_in_scikit_learn(centroid, iris):
    X, y = iris
    est = tuned(centroid, max_trials=2, cv=2)
    assert cross_val_score(est, X, y, cv=2).shape == (2,)
    pipe = make_pipeline(StandardScaler(), est)
    outer = GridSearchCV(pipe, {"tunedclassifier__tuner": ["random", "tpe"]}, cv=2).fit(X, y)
    assert outer.best_estimator_[-1].best_params_
    by_param = GridSearchCV(est, {"model__power": [1.0], "max_trials": [1]}, cv=2).fit(X, y)
    assert len(by_param.best_estimator_.trials_) == 1


def test_clone_and_pickle(centroid, iris):
    X, y = iris
    est = tuned(centroid).fit(X, y)
    back = pickle.loads(pickle.dumps(est))
    np.testing.assert_array_equal(back.predict(X), est.predict(X))
    assert back.trials_ == est.trials_
    assert not hasattr(clone(est), "trials_")
    assert hasattr(est, "oracle_") and not hasattr(back, "oracle_")


def test_second_fit_forgets_the_first(centroid, iris):
    est = tuned(centroid).fit(*iris)
    est.set_params(scoring=["accuracy", "f1_macro"], refit=False).fit(*iris)
    assert not hasattr(est, "best_score_") and not hasattr(est, "best_estimator_")


def test_regressor_searches_several_targets():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(40, 3))
    Y = X @ rng.normal(size=(3, 2))
    est = TunedRegressor(
        Ridge(), space={"alpha": stats.loguniform(1e-3, 1e3)}, max_trials=5, cv=3, random_state=0
    ).fit(X, Y)
    assert est.predict(X).shape == (40, 2)
    assert est.score(X, Y) > 0.9
    with pytest.raises(ParameterError, match="wrong kind"):
        TunedClassifier(DummyRegressor(), space={"strategy": ["mean"]}).fit(X, Y[:, 0] > 0)


class Recorder:
    """Notes the tasks that scikit-learn's callback interface tells of; stops after `limit`."""

    def __init__(self, limit=None):
        self.limit = limit
        self.events = []

    def setup(self, estimator, context):
        self.events.append(("setup", None))

    def teardown(self, estimator, context):
        self.events.append(("teardown", None))

    def on_fit_task_begin(self, estimator, context):
        self.events.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None, X=None):
        self.events.append(("end", context.task_name))
        if context.task_name == "fit":
            self.predictions = fitted_estimator.predict(X)
        n_trials = self.events.count(("end", "trial"))
        return context.task_name == "trial" and n_trials == self.limit


def test_callbacks_see_every_trial(centroid, iris):
    recorder = Recorder()
    search = TunedClassifier(
        centroid, tuner="random", max_trials=3, cv=2, space={"shift": [0.0, 1.0, 2.0, 3.0]},
        random_state=0,
    )  # fmt: skip
    search.set_callbacks(recorder).fit(*iris)
    assert recorder.events == [
        ("setup", None), ("begin", "fit"), ("begin", "search"),
        *[("begin", "trial"), ("end", "trial")] * 3,
        ("end", "search"), ("begin", "refit"), ("end", "refit"), ("end", "fit"), ("teardown", None),
    ]  # fmt: skip
    np.testing.assert_array_equal(recorder.predictions, search.predict(iris[0]))


def test_callback_stops_the_search(centroid, iris):
    search = TunedClassifier(
        centroid, tuner="random", max_trials=9, cv=2, space={"shift": stats.uniform(-3, 6)}
    )
    with pytest.warns(TrainingInterruptedWarning, match="callback asked"):
        search.set_callbacks(Recorder(limit=2)).fit(*iris)
    assert len(search.trials_) == 2


def test_scoring_monitor_logs_the_best(centroid, iris):
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring="accuracy")
    search = TunedClassifier(
        centroid, tuner="random", max_trials=2, cv=2, space={"shift": stats.uniform(-3, 6)}
    )
    search.set_callbacks(monitor).fit(*iris)
    [row] = monitor.get_logs().data
    assert row["accuracy"] == search.score(*iris)


def test_settings_that_say_nothing_are_told(iris, centroid):
    from skopt_wrap import KerasClassifier

    est = TunedClassifier(
        KerasClassifier(epochs=1), space={"model__units": [2]}, cv=2, tuner="grid"
    )
    with pytest.warns(SkippedWarning, match=r"epochs=3 is not used.*own epochs=1 counts"):
        est.set_params(epochs=3).fit(*iris)
    with pytest.raises(ParameterError, match="study='first' names a search inside storage"):
        TunedClassifier(centroid, space={"power": [1.0]}, study="first").fit(*iris)


def test_full_preset_reaches_to_the_epochs_of_the_given_network():
    from skopt_wrap import KerasClassifier
    from skopt_wrap.tuning._checks import given_space

    network = KerasClassifier(epochs=4)
    assert max(given_space(TunedClassifier(network, space="full"), network)["epochs"]) == 4
