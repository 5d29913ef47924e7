"""The further kinds of SearchDisplay, and what they are drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import loguniform, uniform

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.tuning import SearchDisplay, TunedClassifier, parameter_importances
from skopt_wrap.tuning._plots import parameter_axis

SPACE = {"shift": uniform(0, 4), "power": [1.0, 2.0], "epochs": [9]}


@pytest.fixture(autouse=True)
def closed():
    plt = pytest.importorskip("matplotlib.pyplot")
    yield
    plt.close("all")


@pytest.fixture
def searched(centroid, iris):
    tuned = TunedClassifier(
        centroid, tuner="random", max_trials=20, cv=3, space=SPACE, random_state=0
    )
    return tuned.fit(*iris)


@pytest.fixture
def display():
    """Three objectives, one of them spoilt."""
    nan = np.nan
    return SearchDisplay(
        [0.9, 0.8, 0.7, nan], [0.1] * 4, "score",
        params=[{"a": 1, "b": "x"}, {"a": 1000, "b": "y"}, {"a": 30}, {"a": 2, "b": "x"}],
        objectives={
            "score": np.array([0.9, 0.8, 0.7, nan]),
            "parameters": np.array([1000.0, 10.0, 500.0, nan]),
            "latency": np.array([0.2, 0.3, 0.4, nan]),
        },
        on_front=[0, 1],
    )  # fmt: skip


@pytest.mark.parametrize("evaluator", ["fanova", "ped_anova"])
def test_importances_find_the_parameter_that_matters(searched, evaluator):
    shares = parameter_importances(searched, evaluator=evaluator)
    assert list(shares) == ["shift", "power"]  # one value of epochs: nothing to judge
    assert sum(shares.values()) == pytest.approx(1) and shares["shift"] > 0.7
    shown = SearchDisplay.from_estimator(searched, kind="importances", evaluator=evaluator)
    assert shown.importances_ == shares
    assert [text.get_text() for text in shown.ax_.get_yticklabels()] == ["power", "shift"]
    assert [bar.get_width() for bar in shown.bars_] == pytest.approx([*shares.values()][::-1])


def test_importances_take_an_evaluator_of_optuna_and_keep_its_log_level(searched):
    import optuna

    level = optuna.logging.get_verbosity()
    own = optuna.importance.FanovaImportanceEvaluator(seed=3)
    assert parameter_importances(searched, evaluator=own)["shift"] > 0.7
    assert optuna.logging.get_verbosity() == level


def test_importances_say_what_they_lack(searched, centroid, iris):
    with pytest.raises(ParameterError, match="Did you mean 'fanova'"):
        parameter_importances(searched, evaluator="fanovva")
    few = TunedClassifier(centroid, tuner="grid", cv=2, space={"shift": [0.0, 1.0]}).fit(*iris)
    with pytest.raises(DataError, match="at least 5 completed trials; the search has 2"):
        parameter_importances(few)
    same = TunedClassifier(centroid, tuner="grid", cv=2, space={"epochs": [*range(1, 7)]})
    with pytest.raises(DataError, match="same score"):
        parameter_importances(same.fit(*iris))


def test_slices_have_a_panel_for_each_parameter(searched):
    shown = SearchDisplay.from_estimator(searched, kind="slices")
    assert [ax.get_xlabel() for ax in shown.axes_] == ["shift", "power"]
    offsets = shown.points_[0].get_offsets()
    np.testing.assert_allclose(offsets[:, 0], searched.cv_results_["param_shift"].data)
    np.testing.assert_allclose(offsets[:, 1], searched.cv_results_["mean_test_score"])
    one = SearchDisplay.from_estimator(searched, kind="slices", names=["epochs"])
    assert len(one.axes_) == 1
    with pytest.raises(ParameterError, match="Did you mean 'shift'"):
        SearchDisplay.from_estimator(searched, kind="slices", names=["shfit"])
    with pytest.raises(ParameterError, match="holds 1 axes; the plot has 2 panels"):
        SearchDisplay.from_estimator(searched, kind="slices", ax=one.ax_)


def test_slices_of_categories_and_conditional_parameters(display):
    shown = display.plot(kind="slices")
    first, second = shown.axes_
    assert first.get_xscale() == "log"
    assert [text.get_text() for text in second.get_xticklabels()] == ["x", "y"]
    assert np.isnan(np.ma.filled(shown.points_[1].get_offsets(), np.nan)[2]).any()


def test_parallel_draws_a_line_for_each_completed_trial(display):
    shown = display.plot(kind="parallel")
    lines = [path for path in shown.lines_.get_segments()]
    assert len(lines) == 3
    np.testing.assert_allclose(shown.lines_.get_array(), [0.7, 0.8, 0.9])  # the best on top
    np.testing.assert_allclose(lines[-1][:, 1], [0.0, 0.0, 1.0])
    np.testing.assert_allclose(lines[1][:, 1], [1.0, 1.0, 0.5])
    labels = [text.get_text() for text in shown.ax_.get_xticklabels()]
    assert labels == ["a", "b", "score"]


def test_pareto_joins_the_front_in_each_pair(display):
    shown = display.plot(kind="pareto")
    assert len(shown.axes_) == 3
    assert shown.axes_[0].get_ylabel() == "score" and shown.axes_[0].get_xscale() == "log"
    np.testing.assert_allclose(shown.lines_[0].get_xydata(), [[10, 0.8], [1000, 0.9]])
    pair = display.plot(kind="pareto", names=["score", "latency"])
    assert pair.ax_.get_xlabel() == "latency of a row [s]"
    with pytest.raises(ParameterError, match="Did you mean 'latency'"):
        display.plot(kind="pareto", names=["score", "latncy"])


def test_pareto_of_a_search_with_two_objectives(iris):
    tuned = TunedClassifier(
        "dense", tuner="random", max_trials=3, cv=2, epochs=1, random_state=0,
        space={"model__units": [2, 4, 8]}, objectives=["score", "parameters"],
    ).fit(*iris)  # fmt: skip
    shown = SearchDisplay.from_estimator(tuned, kind="pareto")
    front = tuned.pareto_front_
    assert sorted(shown.lines_[0].get_xdata()) == sorted(front["objective_parameters"])
    assert shown.ax_.get_ylabel() == "score"
    curves = SearchDisplay.from_estimator(tuned, kind="curves")
    assert len(curves.lines_) == 2  # training loss of two splits
    best = tuned.trials_[tuned.best_index_]
    assert curves.lines_[0].get_ydata().tolist() == best.histories[0]["loss"]
    with pytest.raises(ParameterError, match="metric='acc' is no history"):
        SearchDisplay.from_estimator(tuned, kind="curves", metric="acc")


def test_what_cannot_be_drawn_is_said(searched, centroid, iris):
    with pytest.raises(ParameterError, match="Did you mean 'parallel'"):
        SearchDisplay.from_estimator(searched, kind="paralel")
    with pytest.raises(DataError, match="one objective"):
        SearchDisplay.from_estimator(searched, kind="pareto")
    with pytest.raises(DataError, match="no training history"):
        SearchDisplay.from_estimator(searched, kind="curves")
    one = TunedClassifier(centroid, tuner="grid", cv=2, space={"shift": [0.0]}).fit(*iris)
    with pytest.raises(DataError, match="no parameter has several values"):
        SearchDisplay.from_estimator(one, kind="parallel")


def test_scale_follows_the_space_before_the_values():
    rows = [{"r": 0.001}, {"r": 0.5}]
    assert parameter_axis("r", rows).kind == "log"
    assert parameter_axis("r", rows, "linear").kind == "linear"
    assert parameter_axis("r", [{"r": 0.4}, {"r": 0.5}], "log").kind == "log"
    assert parameter_axis("r", [{"r": True}, {"r": False}]).kind == "categorical"


def test_log_scale_is_read_from_the_space(centroid, iris):
    space = {"power": loguniform(1.5, 3)}
    tuned = TunedClassifier(centroid, tuner="random", max_trials=3, cv=2, space=space).fit(*iris)
    assert SearchDisplay.from_estimator(tuned, kind="slices").ax_.get_xscale() == "log"
