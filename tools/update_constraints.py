"""Write constraints.txt: exact versions for every extra that does without PyTorch.

``make update`` runs this with uv, which resolves for all supported versions of Python at once.
Versions that the file holds already are kept, unless ``--upgrade`` is passed. PyTorch is left out
because it is large and optional, and so are the extras that need it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
LEFT_OUT = "torch"


def extras_without(project: dict, distribution: str) -> list[str]:
    """Return the extras of `project` that do not ask for `distribution`, by way of others too."""
    declared = project["optional-dependencies"]

    def asks(extra: str) -> bool:
        for text in declared[extra]:
            requirement = Requirement(text)
            if canonicalize_name(requirement.name) == distribution:
                return True
            own = canonicalize_name(requirement.name) == canonicalize_name(project["name"])
            if own and any(asks(other) for other in requirement.extras):
                return True
        return False

    return [extra for extra in declared if not asks(extra)]


def lowest_python(project: dict) -> str:
    """Return the lowest version of Python that `project` supports, as ``"3.11"``."""
    return re.search(r">=\s*(\d+\.\d+)", project["requires-python"])[1]


def uv_command(project: dict, *, upgrade: bool) -> list[str]:
    """Return the command that resolves the extras of `project` into constraints.txt."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal"]
    command += ["--python-version", lowest_python(project)]
    command += ["--strip-extras", "--no-annotate", "--no-emit-package", project["name"]]
    command += ["--custom-compile-command", "make update"]
    for extra in extras_without(project, LEFT_OUT):
        command += ["--extra", extra]
    command += ["--upgrade"] if upgrade else []
    return [*command, "--output-file", CONSTRAINTS.name, "pyproject.toml"]


def main() -> None:
    """Resolve, and refuse a result that could only be installed on this machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    arguments = parser.parse_args()
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    subprocess.run(uv_command(project, upgrade=arguments.upgrade), cwd=ROOT, check=True)
    text = CONSTRAINTS.read_text(encoding="utf-8")
    if re.search(rf"^{LEFT_OUT}==", text, re.M):
        raise SystemExit(f"A requirement needs {LEFT_OUT}: leave its extra out of {__file__}.")
    if foreign := re.findall(r"^.*(?:://|file:| @ |--).*$", text, re.M):
        raise SystemExit(f"{CONSTRAINTS.name} names an index or a folder: {foreign}")


if __name__ == "__main__":
    main()
