"""Time of ``import skopt_wrap`` beyond ``import numpy``, and what the import loads.

Each import runs in a fresh process, in turn with a process that imports NumPy alone, so that a slow
moment of the machine falls on both. Prints the medians and the difference; the exit status is 1
when the difference misses the goal of 0.15 s or the import loads a heavy library.

Run ``python benchmarks/import_time.py`` (about 5 s).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

GOAL_SECONDS = 0.15
HEAVY = "keras keras_tuner matplotlib optuna pandas sklearn tensorflow tf_keras".split()
CHILD = """
import json, sys, time
start = time.perf_counter()
{imports}
seconds = time.perf_counter() - start
print(json.dumps([seconds, sorted(name for name in sys.modules if "." not in name)]))
"""


def timed_import(imports: str) -> tuple[float, set[str]]:
    """Return the seconds that `imports` takes in a fresh process and the modules it loads."""
    process = subprocess.run(
        [sys.executable, "-c", CHILD.format(imports=imports)],
        capture_output=True,
        check=True,
        cwd=Path(__file__).resolve().parent.parent,
        text=True,
    )
    seconds, modules = json.loads(process.stdout)
    return seconds, set(modules)


def main() -> int:
    """Print the table; return 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15, help="processes of each kind")
    repeats = parser.parse_args().repeats
    cases = {
        "import numpy": "import numpy",
        "import numpy, skopt_wrap": "import numpy\nimport skopt_wrap",
    }
    times: dict[str, list[float]] = {case: [] for case in cases}
    loaded: dict[str, set[str]] = {}
    for imports in cases.values():  # warm the file cache; not counted
        timed_import(imports)
    for _ in range(repeats):
        for case, imports in cases.items():
            seconds, loaded[case] = timed_import(imports)
            times[case].append(seconds)
    print(f"{'fresh process':<28}{'median s':>10}{'min s':>10}{'max s':>10}")
    for case, values in times.items():
        print(
            f"{case:<28}{statistics.median(values):>10.4f}{min(values):>10.4f}{max(values):>10.4f}"
        )
    base, ours = (statistics.median(values) for values in times.values())
    heavy = sorted(loaded["import numpy, skopt_wrap"].intersection(HEAVY))
    print(f"beyond numpy: {ours - base:.4f} s (goal: below {GOAL_SECONDS} s)")
    print(f"heavy libraries loaded: {', '.join(heavy) or 'none'}")
    return int(ours - base >= GOAL_SECONDS or bool(heavy))


if __name__ == "__main__":
    raise SystemExit(main())
