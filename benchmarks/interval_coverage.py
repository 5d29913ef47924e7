"""How often the intervals of `bootstrap_interval` cover the true value, with few positive samples.

Scores of both classes are normal, at a distance; a threshold makes labels of them and the logistic
function probabilities. Many data sets are drawn with the same class counts; the true value is that
of about one million samples with the same class shares. Printed is the share of the data sets whose
interval holds the true value, with the shares that lie wholly above and below it.

    python benchmarks/interval_coverage.py --quick        # minutes
    python benchmarks/interval_coverage.py                # an hour on two cores

Results are kept in a file (`--results`), so a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from skopt_wrap.scoring import ImbalanceAwareScorer, list_metrics
from skopt_wrap.scoring._intervals import interval_of
from skopt_wrap.scoring._metrics._evaluate import evaluate
from skopt_wrap.scoring._metrics._registry import METRICS
from skopt_wrap.scoring._parameters import check_scorer, make_settings
from skopt_wrap.scoring._resampling import Resampling
from skopt_wrap.scoring._targets import read_target

LEVEL = 0.95
SIZES = {5: 95, 10: 190, 20: 380, 100: 900}
# (distance of the classes, threshold of the labels)
POPULATIONS = {"near": (1.5, 1.0), "far": (2.5, 1.5)}
NEEDS_COSTS = [[0, 1], [10, 0]]


def draw(rng, n_negative, n_positive, distance, threshold):
    y = np.repeat([0, 1], [n_negative, n_positive])
    score = rng.normal(size=len(y)) + distance * y
    stated = 1 / (1 + np.exp(-(distance * score - distance**2 / 2)))
    return y, {
        "labels": (score > threshold).astype(int),
        "scores": score,
        "probabilities": np.column_stack([1 - stated, stated]),
    }


def scorer_of(name):
    extra = {"beta": 0.5} if name == "fbeta" else {}
    extra |= {"costs": NEEDS_COSTS} if name == "expected_cost" else {}
    return ImbalanceAwareScorer(name, pos_label=1, **extra)


def prepared(names, y):
    """Return (name, metric, settings) of each metric for this target, and the target."""
    target = read_target(y, None, 1)
    scorers = {name: scorer_of(name) for name in names}
    settings = {n: make_settings(s, check_scorer(s), target, None) for n, s in scorers.items()}
    return target, [(name, METRICS[name], settings[name]) for name in names]


def true_values(names, n_negative, n_positive, population):
    times = 1_000_000 // (n_negative + n_positive)
    y, outputs = draw(
        np.random.default_rng(99), n_negative * times, n_positive * times, *population
    )
    target, plans = prepared(names, y)
    return {name: evaluate(m, target, outputs[m.needs], s) for name, m, s in plans}


def measure(names, n_negative, n_positive, population, n_sets, n_resamples):
    """Return, for each metric, how often the truth lies below and above its interval.

    The intervals are those of `bootstrap_interval`, asked for without its checks.
    """
    truth = true_values(names, n_negative, n_positive, population)
    missed = {name: [0, 0] for name in names}
    for i in range(n_sets):
        y, outputs = draw(np.random.default_rng(1000 + i), n_negative, n_positive, *population)
        target, plans = prepared(names, y)
        resampling = Resampling(n_resamples, LEVEL, np.random.RandomState(i))
        for name, metric, settings in plans:
            found = interval_of(metric, target, outputs[metric.needs], settings, resampling)
            missed[name][0] += truth[name] < found.low - 1e-12
            missed[name][1] += truth[name] > found.high + 1e-12
    return {name: [below / n_sets, above / n_sets] for name, (below, above) in missed.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="100 sets, one population")
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=400)
    parser.add_argument("--metrics", nargs="*", default=list_metrics("binary"))
    parser.add_argument("--results", type=Path, default=Path("interval_coverage.json"))
    args = parser.parse_args()
    n_sets = 100 if args.quick else args.sets
    kept = json.loads(args.results.read_text()) if args.results.exists() else {}
    populations = ["near"] if args.quick else list(POPULATIONS)
    for population in populations:
        for n_positive, n_negative in SIZES.items():
            tail = f"{population} {n_positive} {n_sets} {args.resamples}"
            missing = [name for name in args.metrics if f"{name} {tail}" not in kept]
            if missing:
                found = measure(
                    missing, n_negative, n_positive, POPULATIONS[population], n_sets,
                    args.resamples,
                )  # fmt: skip
                kept |= {f"{name} {tail}": value for name, value in found.items()}
                args.results.write_text(json.dumps(kept, indent=1))
    print(f"{n_sets} data sets, intervals of {LEVEL:.0%}; * is outside [0.93, 0.97]")
    print(f"{'metric':28s}{'population':12s}" + "".join(f"{n:>10d}" for n in SIZES))
    for name in args.metrics:
        for population in populations:
            cells = []
            for n_positive in SIZES:
                below, above = kept[f"{name} {population} {n_positive} {n_sets} {args.resamples}"]
                covered = 1 - below - above
                cells.append(f"{covered:.3f}{' ' if 0.93 <= covered <= 0.97 else '*'}")
            print(f"{name:28s}{population:12s}" + "".join(f"{c:>10s}" for c in cells))


if __name__ == "__main__":
    main()
