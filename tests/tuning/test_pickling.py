from __future__ import annotations

import pickle
import subprocess
import sys

import cloudpickle
import pytest

from skopt_wrap.tuning._execution._pickling import dumps

SOURCE = "class A:\n    def f(self, n):\n        return (lambda x: 1 / x)(n)  # the user's line\n"
SHOW = """
import pickle, sys, traceback
with open(sys.argv[1], "rb") as file:
    loaded = pickle.load(file)
try:
    loaded.f(0)
except ZeroDivisionError:
    print(traceback.format_exc())
"""


@pytest.mark.parametrize("gone", [False, True], ids=["with its file", "without its file"])
def test_traceback_shows_the_line_of_a_function_sent_by_value(tmp_path, monkeypatch, gone):
    source = tmp_path / "users_module.py"
    source.write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    import users_module

    cloudpickle.register_pickle_by_value(users_module)
    try:
        (tmp_path / "it").write_bytes(dumps(users_module.A()))
    finally:
        cloudpickle.unregister_pickle_by_value(users_module)
        del sys.modules["users_module"]
    if gone:
        source.unlink()
    command = [sys.executable, "-c", SHOW, str(tmp_path / "it")]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "# the user's line" in shown
    assert str(source) in shown


def test_function_without_a_file_is_sent_too():
    space = {}
    exec("def twice(x):\n    return 2 * x", space)
    assert pickle.loads(dumps(space["twice"]))(4) == 8
