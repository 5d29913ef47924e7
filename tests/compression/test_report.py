from __future__ import annotations

import numpy as np
import pytest

from skopt_wrap.compression import CompressionDisplay, CompressionReport
from skopt_wrap.compression._budget import Budget
from skopt_wrap.compression._conversion._lowering import relative_difference
from skopt_wrap.compression._litert._latency import measure_latency
from skopt_wrap.exceptions import BudgetError, ParameterError


def test_report_has_a_row_a_stage(compressed):
    report = compressed.report_
    table = report.to_dict()
    assert table["stage"] == ["trained", "convert", "quantize"]
    assert {len(column) for column in table.values()} == {3}
    trained, convert, quantize = report.rows
    statistics = 2 * 64  # of the layer that prepares tables
    assert trained.parameters == statistics + 64 * 32 + 32 + 32 * 10 + 10
    assert trained.bytes == 4 * trained.parameters
    assert quantize.bytes == len(compressed.tflite_model_)
    assert 0 < quantize.gzip_bytes < quantize.bytes < convert.bytes
    assert convert.difference < 1e-5 < quantize.difference < 0.1
    for row in report.rows:
        assert 0 < row.latency_p50 <= row.latency_p99
        assert row.latency_batch > 0


def test_report_scores_the_rows_it_names(compressed, network, digits):
    X, y = digits
    report = compressed.report_
    assert report.scored_on == "validation rows"
    assert report["trained"].score == network.score(X[800:], y[800:])
    assert report["quantize"].score == compressed.score(X[800:], y[800:])


def test_report_becomes_a_frame(compressed):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(compressed.report_.to_dict()).set_index("stage")
    assert frame.loc["quantize", "bytes"] == len(compressed.tflite_model_)


def test_report_shows_itself(compressed):
    text, page = str(compressed.report_), compressed.report_._repr_html_()
    for shown in (text, page):
        assert "quantize" in shown
        assert "accuracy on validation rows" in shown
    assert f"{len(compressed.tflite_model_):,} bytes" in repr(compressed.report_)
    assert repr(CompressionReport("x", "y")) == "CompressionReport(no stage)"


def test_report_names_its_stages_when_asked_for_another(compressed):
    with pytest.raises(ParameterError, match=r"no stage 'distil'.*'quantize'"):
        compressed.report_["distil"]


@pytest.mark.parametrize(
    ("budget", "named"),
    [
        (Budget(max_size=100), "max_size=100 bytes: reached"),
        (Budget(max_latency=1e-9), "max_latency"),
        (Budget(max_score_drop=-1.0), "max_score_drop"),
    ],
)
def test_budget_that_is_missed_names_what_was_reached(compressed, budget, named):
    with pytest.raises(BudgetError, match=named):
        budget.check(compressed.report_)


def test_budget_that_is_kept_says_nothing(compressed):
    Budget(max_score_drop=0.1, max_size=100_000, max_latency=10.0).check(compressed.report_)


@pytest.mark.parametrize("against", ["bytes", "gzip_bytes", "latency"])
def test_display_draws_a_point_a_stage(compressed, against):
    plt = pytest.importorskip("matplotlib.pyplot")
    display = CompressionDisplay.from_estimator(compressed, against=against)
    assert len(display.ax_.collections[0].get_offsets()) == 3
    plt.close(display.figure_)


def test_display_refuses_an_axis(compressed):
    with pytest.raises(ParameterError, match="against"):
        CompressionDisplay.from_report(compressed.report_, against="weight")


def test_display_needs_scores(float_file):
    with pytest.raises(ParameterError, match="no score"):
        CompressionDisplay.from_report(float_file.report)


def test_latency_counts_one_row_and_a_batch():
    seen = []
    p50, p99, batch = measure_latency(lambda x: seen.append(len(x)), np.zeros((3, 2)), 0.001)
    assert set(seen) == {1, 256}
    assert 0 < p50 <= p99
    assert batch > 0


def test_relative_difference_by_hand():
    found, expected = np.array([3.0, 4.0]), np.array([0.0, 5.0])
    assert relative_difference(found, expected) == pytest.approx((10 / 25) ** 0.5)
    assert relative_difference(found, expected, np.array([10.0])) == pytest.approx(5**0.5 / 10)
    assert relative_difference(np.ones(2), np.zeros(2)) == 1.0
