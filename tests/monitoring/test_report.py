"""DriftReport and DriftDisplay."""

from __future__ import annotations

import json

import numpy as np
import pytest

from skopt_wrap import DriftDisplay, DriftMonitor
from skopt_wrap.exceptions import DataError, ParameterError


@pytest.fixture(scope="module")
def monitor():
    rng = np.random.default_rng(0)
    monitor = DriftMonitor(random_state=0).fit(rng.normal(size=(800, 3)))
    for batch in range(6):
        monitor.update(rng.normal(size=(60, 3)) + np.array([0, (batch > 2) * 1.0, 0]))
    return monitor


@pytest.fixture(scope="module")
def report(monitor):
    rng = np.random.default_rng(1)
    return monitor.check(rng.normal(size=(200, 3)) + np.array([0, 1, 0]))


def test_text_says_what_changed_and_what_the_alarm_promises(report):
    text = str(report)
    assert text.startswith("Changed, and it matters: x1 (")
    assert "the chance of this alarm is at most 0.05" in text
    assert "200 rows against 800 of the reference" in text
    assert text.splitlines()[-3].split()[0] == "x1"


def test_json_is_complete_and_strict(report):
    content = json.loads(report.to_json(indent=1), parse_constant=pytest.fail)
    assert content["alarm"] is True and content["look_at_first"] == "x1"
    item = content["items"][1]
    assert item["changed"] is True and item["mean_shift"] == pytest.approx(1, abs=0.2)
    assert item["cramers_v"] is None  # of categories


def test_tables(report):
    pytest.importorskip("pandas")
    items = report.to_frame()
    assert items["item"].tolist() == ["x0", "x1", "x2"]
    thresholds = report.to_frame("thresholds")
    assert set(thresholds["effect"]) >= {"ks", "psi"} and thresholds["source"].str.len().min() > 5
    shares = report.to_frame("distributions")
    sums = shares.groupby("item")[["reference_share", "batch_share"]].sum()
    assert np.allclose(sums, 1)
    with pytest.raises(ParameterError, match="Did you mean 'items'"):
        report.to_dict("item")


def test_html_escapes_names():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"<b>x</b>": rng.normal(size=300)})
    html = DriftMonitor(random_state=0).fit(frame).check(frame + 3)._repr_html_()
    assert "&lt;b&gt;x" in html and "<b>x</b>" not in html


def test_small_changes_are_told_apart_from_those_that_matter():
    rng = np.random.default_rng(0)
    monitor = DriftMonitor(random_state=0).fit(rng.normal(size=(100_000, 2)))
    report = monitor.check(rng.normal(size=(50_000, 2)) + np.array([0.05, 0]))
    assert report.alarm and report.verdict.startswith("Changed, but every effect size is below")
    strict = DriftMonitor(effect_sizes={"mean_shift": 0.02}, random_state=0)
    strict.fit(rng.normal(size=(100_000, 2)))
    report = strict.check(rng.normal(size=(50_000, 2)) + np.array([0.05, 0]))
    assert "it matters: x0" in report.verdict
    assert "set by the user" in report.to_dict("thresholds")["source"]


def test_nothing_changed():
    rng = np.random.default_rng(0)
    report = (
        DriftMonitor(random_state=0)
        .fit(rng.normal(size=(500, 2)))
        .check(rng.normal(size=(300, 2)) * 0.99)
    )
    assert report.verdict == "No change is shown." and report.look_at_first is None
    assert 0 < report.e_value < 20


@pytest.mark.parametrize("kind", ["wealth", "heatmap"])
def test_streams_are_drawn(monitor, kind):
    plt = pytest.importorskip("matplotlib.pyplot")
    display = DriftDisplay.from_monitor(monitor, kind=kind)
    ax = display.axes_[0]
    if kind == "wealth":
        assert ax.lines[0].get_xdata().tolist() == monitor.history_["row"]
        assert ax.lines[1].get_ydata()[0] == pytest.approx(monitor.log_threshold_)
        assert ax.lines[2].get_xdata()[0] == monitor.alarm_row_
    else:
        assert ax.images[0].get_array().shape == (3, 6)
        assert [t.get_text() for t in ax.get_yticklabels()] == ["x0", "x1", "x2"]
    _, mine = plt.subplots()
    assert DriftDisplay.from_monitor(monitor, kind=kind, ax=mine).axes_[0] is mine
    plt.close("all")


def test_distributions_are_drawn(report):
    plt = pytest.importorskip("matplotlib.pyplot")
    display = DriftDisplay.from_report(report)
    assert display.axes_[0].get_title() == "x1"  # most evidence first
    heights = [bar.get_height() for bar in display.axes_[0].patches]
    half = len(heights) // 2
    assert sum(heights[:half]) == pytest.approx(1) and sum(heights[half:]) == pytest.approx(1)
    assert len(DriftDisplay.from_report(report, items=["x2"]).axes_) == 1
    with pytest.raises(ParameterError, match="ax must hold 3 axes"):
        display.plot(plt.gca())
    plt.close("all")


def test_display_bad_input(monitor, report):
    with pytest.raises(ParameterError, match="kind='heat'"):
        DriftDisplay.from_monitor(monitor, kind="heat")
    with pytest.raises(ParameterError, match="items names 'x9'"):
        DriftDisplay.from_report(report, items=["x9"])
    with pytest.raises(DataError, match="call update first"):
        fresh = DriftMonitor().fit(np.random.default_rng(0).normal(size=(20, 2)))
        DriftDisplay.from_monitor(fresh)
