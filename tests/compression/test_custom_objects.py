"""Classes and functions of the user's go through every stage, wherever they are defined."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytest.importorskip("keras")
ROOT = str(Path(__file__).resolve().parents[2])

KINDS = textwrap.dedent(
    """
    import keras
    L = keras.layers
    FACTOR = 3.0
    def act(x): return keras.ops.relu(x) * 0.5
    def metric(y, p): return keras.ops.mean(keras.ops.abs(y - p))
    class Scale(L.Layer):
        def build(self, s): self.w = self.add_weight(shape=(s[-1],), initializer="ones")
        def call(self, x): return x * self.w
    @keras.saving.register_keras_serializable("mine")
    class Registered(Scale): pass
    class Block(L.Layer):
        def __init__(self, units=8, **k):
            super().__init__(**k); self.units = units; self.d = L.Dense(units, activation=act)
        def build(self, s): self.d.build(s)
        def call(self, x): return self.d(x)
        def get_config(self): return {**super().get_config(), "units": self.units}
    class Start(keras.initializers.Initializer):
        def __call__(self, shape, dtype=None): return keras.random.normal(shape, dtype=dtype) * 0.3
        def get_config(self): return {}
    class Penalty(keras.regularizers.Regularizer):
        def __call__(self, x): return 1e-4 * keras.ops.sum(keras.ops.abs(x))
        def get_config(self): return {}
    class Small(keras.constraints.Constraint):
        def __call__(self, w): return keras.ops.clip(w, -1.0, 1.0)
        def get_config(self): return {}
    class Loss(keras.losses.Loss):
        def call(self, y, p): return keras.ops.mean(keras.ops.abs(y - p), -1)
    def times(x): return x * FACTOR
    def build():
        keras.utils.set_random_seed(0)
        start = keras.Input((6,))
        own = dict(activation=act, kernel_regularizer=Penalty(), kernel_initializer=Start())
        x = L.Dense(8, **own)(start)
        x = Registered()(Scale()(x))
        x = L.Lambda(lambda t: keras.ops.tanh(t) * FACTOR)(x)
        x = L.Lambda(times)(Block()(x)) * 0.5
        x = L.Dense(8, "relu", kernel_constraint=Small())(x)
        model = keras.Model(start, L.Dense(2)(x))
        model.compile("adam", loss=Loss(), metrics=[metric])
        return model
    """
)
STAGES = textwrap.dedent(
    """
    import warnings
    import numpy as np
    from skopt_wrap.compression import Pruning, compress
    from skopt_wrap.factorization import SVD
    warnings.simplefilter("ignore")
    x = np.random.default_rng(0).normal(size=(60, 6)).astype("float32")
    y = x[:, :2]
    chains = {
        "int8": dict(),
        "prune and cluster": dict(pruning=0.5, clustering=4, quantization=None),
        "rounding": dict(quantization_aware=True),
        "factorize": dict(factorization=SVD(rank=2), quantization=None),
        "distil": dict(distillation=0.5, quantization=None),
        "structured": dict(pruning=Pruning(0.5, structured=True), quantization=None),
    }
    for name, settings in chains.items():
        result = compress(build(), x, y, fine_tune_epochs=1, random_state=0, **settings)
        assert np.isfinite(result.predict(x)).all()
        print("done:", name)
    """
)
NAMES = ["int8", "prune and cluster", "rounding", "factorize", "distil", "structured"]


def _run(arguments, folder, **settings):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([ROOT, *settings.pop("path", [])])}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=env, capture_output=True, text=True,
        check=False, **settings,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.keras
@pytest.mark.parametrize("place", ["script", "no file", "folder of the script", "module"])
def test_every_stage_takes_objects_of_every_kind(place, tmp_path):
    modules, scripts = tmp_path / "modules", tmp_path / "scripts"
    modules.mkdir()
    scripts.mkdir()
    if place == "script":
        (scripts / "main.py").write_text(KINDS + STAGES)
        done = _run(["scripts/main.py"], tmp_path)
    elif place == "no file":  # as in a notebook
        done = _run(["-"], tmp_path, input=KINDS + STAGES)
    else:
        folder = scripts if place == "folder of the script" else modules
        (folder / "kinds_of_a_user.py").write_text(KINDS)
        (scripts / "main.py").write_text("from kinds_of_a_user import build\n" + STAGES)
        done = _run(["scripts/main.py"], tmp_path, path=[str(modules)])
    found = [line.partition("done: ")[2] for line in done.stdout.splitlines() if "done:" in line]
    assert found == NAMES, done.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.keras
def test_notebook_compresses_its_own_layers(tmp_path):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(code) for code in (KINDS, STAGES)]
    nbclient.NotebookClient(book, timeout=600).execute(cwd=str(tmp_path))
    text = "".join(output.get("text", "") for output in book.cells[1].outputs)
    assert [line[6:] for line in text.splitlines() if line.startswith("done:")] == NAMES
