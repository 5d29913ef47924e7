"""Storages that are damaged, full, changed by hand, or not ours."""

from __future__ import annotations

import json
import random
import re
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from skopt_wrap import TunedClassifier
from skopt_wrap.exceptions import ParameterError, StorageError
from skopt_wrap.tuning._storage import _backends


def tuned(storage, n=4, **settings):
    settings = {"tuner": "random", "cv": 2, "random_state": 0, "refit": False, **settings}
    return TunedClassifier(
        KNeighborsClassifier(),
        max_trials=n,
        space={"n_neighbors": [1, 3, 5, 7, 9], "p": [1, 2]},
        storage=storage,
        **settings,
    )


@pytest.fixture
def journal(tmp_path, iris):
    """A finished search, and the lines that it wrote."""
    est = tuned(tmp_path / "a.log").fit(*iris)
    return est, (tmp_path / "a.log").read_text().splitlines(keepends=True)


def same(one, other):
    return [(t.params, t.scores) for t in one.trials_] == [
        (t.params, t.scores) for t in other.trials_
    ]


USERS = [
    b"a,b,c\n1,2,3\n4,5,6",
    b"all my notes, in one line",
    b'{"a": 1}\n{"a": 2}\n',
    b'{"op": 1}',
    b"\x80\x04binary\x00",
    b"\n\n",
]


@pytest.mark.parametrize("content", USERS, ids=range(len(USERS)))
def test_file_of_the_users_is_refused_and_untouched(iris, tmp_path, content):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    for random_state in (0, None):  # None looks for stored seeds
        with pytest.raises(StorageError, match=r"line 1 of storage='.*mine\.csv'"):
            tuned(path, random_state=random_state).fit(*iris)
    assert path.read_bytes() == content
    assert [item.name for item in tmp_path.iterdir()] == ["mine.csv"]


@pytest.mark.parametrize("content", [b"hello\n" * 1000, b"x"])
def test_file_that_is_no_database_is_refused_and_untouched(iris, tmp_path, content):
    path = tmp_path / "mine.db"
    path.write_bytes(content)
    with pytest.raises(StorageError, match="not a database"):
        tuned(f"sqlite:///{path}").fit(*iris)
    assert path.read_bytes() == content


def test_database_of_something_else_is_refused_and_untouched(iris, tmp_path):
    path = tmp_path / "mine.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE customers (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"with the tables \['customers'\]"):
        tuned(f"sqlite:///{path}").fit(*iris)
    assert path.read_bytes() == before


@pytest.mark.parametrize("storage", ["a\0b", "x" * 300, "/dev/null", "/dev/full"])
def test_path_that_cannot_be_used_is_named(iris, tmp_path, monkeypatch, storage):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((StorageError, ParameterError), match="storage="):
        tuned(storage).fit(*iris)


def test_journal_cut_anywhere_is_continued(iris, tmp_path, journal):
    est, lines = journal
    content = "".join(lines).encode()
    drawn = random.Random(0).sample(range(len(content)), 12)
    for number, size in enumerate(sorted(drawn)):
        path = tmp_path / f"cut{number}.log"
        path.write_bytes(content[:size])
        assert same(tuned(path).fit(*iris), est), size


def test_garbled_byte_never_gives_another_result(iris, tmp_path, journal):
    est, lines = journal
    content = "".join(lines).encode()
    rng = random.Random(1)
    outcomes = set()
    for number in range(40):
        changed = bytearray(content)
        position = rng.randrange(len(content))
        changed[position] = rng.choice([0, 255, ord("x"), ord('"'), ord("9"), 10])
        path = tmp_path / f"garbled{number}.log"
        path.write_bytes(changed)
        try:
            again = tuned(path).fit(*iris)
        except (StorageError, ParameterError) as error:  # the latter: the definition differs
            outcomes.add(type(error).__name__)
            assert str(path) in str(error), error
            continue
        outcomes.add("fit")
        if not same(again, est):  # the file's own text of times and names may differ
            pytest.fail(f"byte {position} changed the result")
    assert "StorageError" in outcomes


def test_line_that_is_lost_is_found_or_replaced(iris, tmp_path, journal):
    est, lines = journal
    for number in range(len(lines)):
        path = tmp_path / f"lost{number}.log"
        path.write_text("".join(lines[:number] + lines[number + 1 :]))
        try:
            again = tuned(path).fit(*iris)
        except (StorageError, ParameterError) as error:  # the latter: the definition is lost
            assert str(path) in str(error)
            continue
        assert same(again, est), lines[number]


def change(lines, pattern, replacement):
    text, count = re.subn(pattern, replacement, "".join(lines), count=1)
    assert count == 1
    return text


TAMPERED = [
    (r'("values":\{"n_neighbors":)\d+', r"\g<1>999", "n_neighbors=999"),
    (r'("values":\{"n_neighbors":)\d+', r'\g<1>"3"', "n_neighbors='3'"),
    (r'"values":\{"n_neighbors":', '"values":{"neighbors":', "neighbors="),
    (
        r'"values":\{"n_neighbors":\d+,"p":\d\}',
        '"values":{"p":1}',
        r"no value of \['n_neighbors'\]",
    ),
    (r'("scores":\{"score":)\[[^\]]*\]', r"\1[1.0,7.5]", "score"),
    (r'("scores":\{"score":)\[[^\]]*\]', r"\1[1.0]", "for 2 splits"),
    (r'("scores":\{"score":)\[[^\]]*\]', r'\1"high"', "'high'"),
    (r'"scores":\{"score":', '"scores":{"auc":', "auc"),
    (r'"state":"COMPLETED"', '"state":"BEST"', "'BEST'"),
]


@pytest.mark.parametrize(("pattern", "replacement", "named"), TAMPERED)
def test_values_and_scores_changed_by_hand_are_refused(
    iris, tmp_path, journal, pattern, replacement, named
):
    path = tmp_path / "b.log"
    path.write_text(change(journal[1], pattern, replacement))
    with pytest.raises(StorageError, match=named) as caught:
        tuned(path).fit(*iris)
    line = int(re.search(r"line (\d+) of storage=", str(caught.value))[1])
    content = json.loads(path.read_text().splitlines()[line - 1])
    assert {"values", "result"} & content["user_attr"].keys()


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_damaged_database_is_named(iris, tmp_path, cut):
    path = tmp_path / "a.db"
    tuned(f"sqlite:///{path}").fit(*iris)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * cut)])
    with pytest.raises(StorageError, match=r"a\.db"):
        tuned(f"sqlite:///{path}").fit(*iris)


KILLED_IN_A_TRANSACTION = """
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("PRAGMA cache_size = 1")  # so that pages are written before the end
database.execute("BEGIN")
database.execute("UPDATE trials SET state = 'FAIL'")
database.execute("CREATE TABLE more (text TEXT)")
database.executemany("INSERT INTO more VALUES (?)", [("x" * 3000,)] * 200)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_database_of_a_process_that_was_killed_is_continued(iris, tmp_path):
    path = tmp_path / "a.db"
    est = tuned(f"sqlite:///{path}").fit(*iris)
    subprocess.run([sys.executable, "-c", KILLED_IN_A_TRANSACTION, str(path)])
    assert (tmp_path / "a.db-journal").stat().st_size  # what SQLite rolls back
    assert same(tuned(f"sqlite:///{path}").fit(*iris), est)


class Disk:
    """Raises what a full disk does, after so many writes to the Journal."""

    def __init__(self, monkeypatch, after):
        self.left = after
        append = _backends.JournalFileBackend.append_logs

        def append_logs(backend, logs):
            self.left -= 1
            if self.left < 0:
                raise OSError(28, "No space left on device")
            return append(backend, logs)

        monkeypatch.setattr(_backends.JournalFileBackend, "append_logs", append_logs)


@pytest.mark.parametrize("after", [1, 4, 9, 14, 19])
def test_full_disk_keeps_what_had_finished(iris, tmp_path, monkeypatch, after):
    whole = tuned(tmp_path / "whole.log").fit(*iris)
    with monkeypatch.context() as patch:
        Disk(patch, after)
        search = tuned(tmp_path / "a.log")
        with pytest.raises(StorageError, match=r"a\.log.*No space left on device"):
            search.fit(*iris)
    done = len(getattr(search, "trials_", ()))
    assert done == max(0, (after - 2) // 5) + (after > 2 and (after - 2) % 5 == 4)
    if done:  # as with refit=False
        assert len(search.cv_results_["params"]) == done
        assert search.best_score_ == np.max(search.cv_results_["mean_test_score"])
        assert not hasattr(search, "best_estimator_")
    assert same(tuned(tmp_path / "a.log").fit(*iris), whole)  # there is room again
