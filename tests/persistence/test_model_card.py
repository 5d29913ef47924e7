"""Model cards say what was stated and what was measured, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import f1_score, mean_absolute_error
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skopt_wrap
from skopt_wrap import model_card
from skopt_wrap.exceptions import DataError, ParameterError, SaveError
from skopt_wrap.persistence import CardSection, ModelCard
from skopt_wrap.persistence._measures import at_thresholds, read_groups

FAST = {"intended_use": "Teaching.", "n_resamples": 20}


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:400], y[:400])
    return model, X[400:], y[400:]


def section(card, title):
    return next(item for item in card.sections if item.title == title)


def test_metrics_are_those_of_the_rows_overall_and_by_group(cancer):
    model, X, y = cancer
    large = X["mean radius"] > 14
    card = model_card(
        model, X, y, groups={"size": large.map({True: "large", False: "small"})}, **FAST
    )
    predicted = model.predict(X)
    assert card.metrics["f1"]["value"] == pytest.approx(f1_score(y, predicted, pos_label=0))
    for name, rows in (("large", large), ("small", ~large)):
        group = card.groups["size"][name]
        assert group["rows"] == rows.sum()
        expected = f1_score(y[rows], predicted[rows], pos_label=0)  # 0 is rare overall
        assert group["metrics"]["f1"]["value"] == pytest.approx(expected)
        assert group["metrics"]["f1"]["low"] <= expected <= group["metrics"]["f1"]["high"]
    table = section(card, "Metrics by size")
    assert table.rows()[0][:2] == ["large", str(large.sum())]
    assert " to " in table.rows()[0][2]


def test_groups_of_one_class_give_their_reason(cancer):
    model, X, y = cancer
    card = model_card(model, X, y, groups=np.where(y == 1, "benign", None), **FAST)
    assert "two classes" in card.groups["group"]["benign"]["reason"]
    assert "missing" in card.groups["group"]
    assert "benign: not measured." in str(card)


def test_regressors_are_measured_with_intervals(cancer):
    X, y = load_diabetes(return_X_y=True)
    model = Ridge().fit(X[:300], y[:300])
    card = model_card(model, X[300:], y[300:], groups=X[300:, 1] > 0, **FAST)
    row = card.metrics["mean_absolute_error"]
    assert row["value"] == pytest.approx(mean_absolute_error(y[300:], model.predict(X[300:])))
    assert row["low"] < row["value"] < row["high"]
    assert list(card.groups["group"]) == ["False", "True"]
    assert "Thresholds" not in str(card)
    again = model_card(model, X[300:], y[300:], **FAST)
    assert again.metrics == card.metrics


def test_markdown_has_every_section_below_the_title(cancer):
    model, X, y = cancer
    card = model_card(
        model, X, y, name="Cancer 1/2", data="Wisconsin.", licence="BSD-3-Clause",
        limits=["Adults only."], **FAST,
    )  # fmt: skip
    lines = str(card).splitlines()
    assert lines[:5] == ["---", "license: BSD-3-Clause", "---", "", "# Cancer 1/2"]
    heads = [line for line in lines if line.startswith("## ")]
    assert heads == [
        "## Intended use", "## Model", "## Data", "## Metrics", "## Thresholds", "## Limits"
    ]  # fmt: skip
    assert "Wisconsin." in lines
    assert "Adults only." in lines
    assert "The metrics were not measured for groups of rows." in lines


def test_text_in_tables_and_html_is_escaped(tmp_path):
    card = ModelCard("<b>", [CardSection("a", ["<i>"], {"x|y": ["<u>", 0.5]})], {}, {})
    assert "x\\|y" in str(card)
    assert "&lt;u&gt;" in str(card)
    assert "0.500" in str(card)
    html = card._repr_html_()
    assert not any(tag in html for tag in ("<b>", "<i>", "<u>"))
    assert card.save(tmp_path / "card.html").read_text().startswith("<!DOCTYPE html>")
    assert card.save(tmp_path / "card.md").read_text() == str(card)
    with pytest.raises(ParameterError, match=r"must end in '\.md' or '\.html'"):
        card.save(tmp_path / "card.txt")
    with pytest.raises(SaveError, match="could not be written"):
        card.save(tmp_path / "missing" / "card.md")


def test_thresholds_are_those_of_the_estimator_and_of_the_rows(cancer):
    model, X, y = cancer
    columns = at_thresholds(model, X, y, 0)
    called = model.predict_proba(X)[:, 0] >= 0.3
    assert columns["called positive"][2] == pytest.approx(called.mean())
    assert columns["recall"][2] == pytest.approx((called & (y == 0)).sum() / (y == 0).sum())
    assert "No threshold was chosen" in str(model_card(model, X, y, **FAST))
    fixed = FixedThresholdClassifier(FrozenEstimator(model), threshold=0.3).fit(X, y)
    fixed.best_threshold_ = 0.3  # as TunedThresholdClassifierCV calls it
    assert "uses the threshold 0.3" in str(model_card(fixed, X, y, **FAST))


@pytest.mark.keras
def test_compression_report_is_shown(iris):
    network = skopt_wrap.KerasClassifier(model__units=4, epochs=1, random_state=0)
    compressed = skopt_wrap.CompressedModel(network, quantization="float16", random_state=0).fit(
        *iris
    )
    card = model_card(compressed, *iris, **FAST)
    assert section(card, "Compression").listing == str(compressed.report_)
    assert str(compressed.report_) in str(card)


def test_groupings_are_read_by_name():
    frame = pd.DataFrame({"a": ["x", None, "x"], "b": [1.0, np.nan, 2.0]})
    found = read_groups(frame, 3)
    assert {name: list(rows) for name, rows in found.items()} == {
        "a": ["missing", "x"], "b": ["1.0", "2.0", "missing"]
    }  # fmt: skip
    assert list(read_groups(frame["a"], 3)) == ["a"]
    with pytest.raises(ParameterError, match="one group for each of the 3 rows"):
        read_groups([1, 2], 3)
    with pytest.raises(ParameterError, match="at most 50"):
        read_groups(np.arange(60), 60)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"intended_use": " "}, "intended_use must be a text"),
        ({"limits": 3}, "limits must be"),
        ({"name": 3}, "name must be a text or None"),
        ({"n_resamples": -1}, "n_resamples must be an int of at least 0"),
        ({"confidence_level": 1}, "confidence_level must be"),
    ],
)
def test_parameters_are_checked(parameters, message, cancer):
    with pytest.raises(ParameterError, match=message):
        model_card(*cancer, **{**FAST, **parameters})


def test_estimators_that_cannot_be_measured_are_refused(cancer):
    _, X, y = cancer
    with pytest.raises(ParameterError, match="classifier or a regressor"):
        model_card(StandardScaler().fit(X), X, y, **FAST)
    with pytest.raises(DataError, match="is not fitted"):
        model_card(LogisticRegression(), X, y, **FAST)
