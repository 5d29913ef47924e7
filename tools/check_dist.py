"""Install the wheel, then the sdist, into an empty environment, and use what was installed.

``make dist`` runs ``python tools/check_dist.py dist`` after the build. Only the libraries that the
package itself asks for are installed, so that a requirement which is missing in pyproject.toml, or
a data file which is missing in the wheel, is found before anybody else finds it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Every public package is imported, a network is trained, and the data file is read.
USE = """
import importlib, sys
from sklearn.datasets import load_iris
import skopt_wrap
from skopt_wrap.sampling import SynonymReplacement
assert skopt_wrap.__file__.startswith(sys.prefix), skopt_wrap.__file__
for name in sorted(set(skopt_wrap._EXPORTS.values())):
    importlib.import_module(f"skopt_wrap.{name}")
X, y = load_iris(return_X_y=True)
model = skopt_wrap.KerasClassifier("dense", epochs=20, random_state=0).fit(X, y)
assert model.score(X, y) > 0.6
texts = ["a good day", "a bad day"] * 4
steps = [SynonymReplacement()]
sampler = skopt_wrap.AugmentingSampler("text", steps, factor=2, random_state=0)
assert len(sampler.fit_resample(texts, [0, 1] * 4)[0]) == 16
"""


def main(folder: Path) -> None:
    """Check the one wheel and the one sdist in `folder`."""
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as scratch:
        venv.create(scratch, with_pip=True)
        python = str(Path(scratch) / "bin" / "python")
        pip = [python, "-m", "pip", "install", "--quiet"]
        for step in ([wheel], ["--no-deps", "--force-reinstall", sdist]):
            constraints = ["--constraint", ROOT / "constraints.txt"]
            subprocess.run([*pip, *constraints, *step], check=True)
            # -I: neither this folder nor PYTHONPATH may stand in for what was installed.
            subprocess.run([python, "-I", "-c", USE], cwd=scratch, check=True)
            print(f"{step[-1].name}: installed and used")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
