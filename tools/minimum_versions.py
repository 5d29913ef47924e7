"""Print the declared lower bounds of pyproject.toml as pins, one ``name==version`` a line.

``python tools/minimum_versions.py test`` prints the core dependencies and the extra ``test``.
``make minimum`` installs exactly these, so that a bound nobody tried cannot stay in the file.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def minimum_pins(project: dict, extras: tuple[str, ...] = ()) -> dict[str, str]:
    """Return ``{distribution: lowest declared version}``, self-referring extras followed."""
    pins: dict[str, str] = {}
    seen: set[str] = set()
    todo = [*project["dependencies"]]
    waiting = list(extras)
    while todo or waiting:
        if not todo:
            extra = waiting.pop()
            if extra in seen:
                continue
            seen.add(extra)
            todo = [*project["optional-dependencies"][extra]]
            continue
        requirement = Requirement(todo.pop(0))
        if requirement.name == project["name"]:
            waiting += sorted(requirement.extras)
            continue
        floors = [s.version for s in requirement.specifier if s.operator == ">="]
        if len(floors) != 1:
            raise SystemExit(f"{requirement} has no single lower bound (>=)")
        pins[requirement.name] = floors[0]
    return pins


if __name__ == "__main__":
    with PYPROJECT.open("rb") as file:
        declared = tomllib.load(file)["project"]
    for name, version in sorted(minimum_pins(declared, tuple(sys.argv[1:])).items()):
        print(f"{name}=={version}")
