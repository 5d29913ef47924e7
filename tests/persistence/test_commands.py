"""The commands of ``python -m skopt_wrap``."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skopt_wrap
from skopt_wrap.__main__ import main


@pytest.fixture
def frame(iris):
    return pd.DataFrame(iris[0], columns=["a", "b", "c", "d"])


@pytest.fixture
def model(iris, frame, tmp_path):
    flow = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, iris[1])
    skopt_wrap.save(flow, tmp_path / "model.skw")
    return flow


def test_inspect_prints_the_summary(model, tmp_path, capsys):
    assert main(["inspect", str(tmp_path / "model.skw")]) == 0
    assert "sklearn.pipeline.Pipeline" in capsys.readouterr().out


def test_predict_writes_labels_and_probabilities(model, frame, tmp_path):
    frame[["d", "c", "b", "a"]].to_csv(tmp_path / "data.csv", index=False)  # in another order
    out = tmp_path / "out.csv"
    files = [str(tmp_path / name) for name in ("model.skw", "data.csv")]
    assert main(["predict", *files, "-o", str(out)]) == 0
    table = pd.read_csv(out)
    assert list(table) == ["prediction", "probability_0", "probability_1", "probability_2"]
    np.testing.assert_array_equal(table["prediction"], model.predict(frame))
    np.testing.assert_allclose(table.iloc[:, 1:], model.predict_proba(frame))


def test_predict_prints_without_output_and_takes_columns_without_names(iris, tmp_path, capsys):
    skopt_wrap.save(Ridge().fit(*iris), tmp_path / "model.skw")
    pd.DataFrame(iris[0][:3]).to_csv(tmp_path / "data.csv", index=False)
    assert main(["predict", *(str(tmp_path / name) for name in ("model.skw", "data.csv"))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "prediction"
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="b"), r"Missing: \['b'\]"),
        (lambda f: f.assign(e=1), r"Not known: \['e'\]"),
        (lambda f: f[:0], "has no rows"),
    ],
)
def test_wrong_tables_are_refused_in_words(change, message, model, frame, tmp_path, capsys):
    change(frame).to_csv(tmp_path / "data.csv", index=False)
    assert main(["predict", *(str(tmp_path / name) for name in ("model.skw", "data.csv"))]) == 2
    error = capsys.readouterr().err
    assert error.startswith("DataError: ")
    assert re.search(message, error)


def test_other_problems_end_with_a_line_and_status_two(model, tmp_path, capsys):
    assert main(["inspect", str(tmp_path / "missing.skw")]) == 2
    assert "LoadError" in capsys.readouterr().err
    (tmp_path / "data.txt").write_text("a")
    assert main(["predict", str(tmp_path / "model.skw"), str(tmp_path / "data.txt")]) == 2
    assert "only .csv and .parquet" in capsys.readouterr().err


@pytest.mark.slow
def test_module_runs_as_a_command(model, tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "skopt_wrap", "inspect", tmp_path / "model.skw"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "has to be trusted  nothing" in run.stdout
