"""Whether AugmentingSampler helps: scores on held-out rows with it and without.

Balanced accuracy on digits with 10 images per class (networks take equal numbers of steps with and
without), a pair of digits 50 : 1, short series, short texts and an imbalanced table; then cases
that should gain nothing or lose: many images, a balanced table, and flips, which change digits.
Means over five seeds, each the mean of four draws of the training rows, and a 95 % interval of the
mean difference. Settings were chosen on other seeds.

Run ``python benchmarks/augmentation_gain.py`` (about 2 minutes), ``--write`` to put the table into
``docs/_tables``.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

N_SEEDS = 5
#: Draws of the training rows for each seed.
N_DRAWS = 4


def make_texts(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return short reviews whose class is in the words chosen."""
    rng = np.random.default_rng(seed)
    things = "film movie story picture plot script".split()
    kinds = (
        "awful boring dreadful terrible tedious poor".split(),
        "great wonderful marvelous excellent superb fine".split(),
    )
    verbs = "watched saw finished started bought rented".split()
    frames = (
        "I {verb} this {thing} yesterday and it was {kind}",
        "a {kind} {thing} from the start to the finish",
        "we {verb} it twice, what a {kind} {thing}",
        "the {thing} is {kind} and the music is {kind2}",
    )
    texts, labels = [], np.arange(n) % 2
    for label in labels:
        words = kinds[label]
        texts.append(
            rng.choice(frames).format(
                verb=rng.choice(verbs),
                thing=rng.choice(things),
                kind=rng.choice(words),
                kind2=rng.choice(kinds[rng.random() < 0.5]),
            )
        )
    return np.array(texts, dtype=object), labels


def make_series(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy bursts of two frequencies at random times."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    time_, centre = np.linspace(0, 1, 60), rng.uniform(0.3, 0.7, size=(n, 1))
    wave = np.sin(2 * np.pi * (4 + 2 * y[:, None]) * (time_ - centre))
    shape = wave * np.exp(-(((time_ - centre) / 0.2) ** 2))
    return shape + rng.normal(0, 0.3, size=shape.shape), y


def draw(y: np.ndarray, counts: dict[int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return training rows, so many of each class, and all others."""
    rng = np.random.default_rng(seed)
    chosen = [rng.choice(np.flatnonzero(y == k), n, replace=False) for k, n in counts.items()]
    train = np.sort(np.concatenate(chosen))
    return train, np.setdiff1d(np.arange(len(y)), train)


def does_it_help(n_seeds: int) -> str:
    """Return a table of scores with and without, and of an interval of the difference."""
    from imblearn.pipeline import make_pipeline
    from scipy import stats
    from sklearn.base import clone
    from sklearn.datasets import load_digits, make_classification
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.preprocessing import FunctionTransformer, StandardScaler
    from sklearn.svm import SVC

    from skopt_wrap import KerasClassifier
    from skopt_wrap.sampling import AugmentingSampler

    flat = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    deep = FunctionTransformer(lambda X: X[..., None])
    images, digits = load_digits().images / 16, load_digits().target
    two = np.isin(digits, (3, 8))
    table, rare = make_classification(
        3000, 10, n_informative=6, weights=[0.97], flip_y=0, class_sep=0.7, random_state=0
    )
    ten, twenty = dict.fromkeys(range(10), 10), {0: 20, 1: 20}
    svc, logistic = SVC(C=10), LogisticRegression()
    words = make_pipeline(TfidfVectorizer(), LogisticRegression())
    dense, cnn = KerasClassifier("dense", epochs=400), KerasClassifier("cnn", epochs=200)
    many, synonyms = {"factor": 20}, {"factor": 10, "transforms": ["synonym_replacement"]}
    few = (images, digits, ten, "image", many)
    pair = (images[two], digits[two], {3: 100, 8: 2}, "image", {})
    texts = (*make_texts(600, 0), dict.fromkeys((0, 1), 8), "text", synonyms)
    uneven = (table, rare, {0: 1000, 1: 20}, "tabular", {})
    flips = {"factor": 20, "transforms": ["horizontal_flip", "vertical_flip"]}
    hundred, fifty = dict.fromkeys(range(10), 100), {0: 50, 1: 50}
    # X, y, rows per class, kind, parameters; steps before the model, model.
    cases = {
        "digits, 10 per class, SVC": (*few, flat, svc),
        "digits, 10 per class, dense": (*few, flat, dense),
        "digits, 10 per class, CNN": (*few, deep, cnn),
        "digits 3 and 8, 100 : 2, SVC": (*pair, flat, svc),
        "series, 20 per class, SVC": (*make_series(400, 0), twenty, "series", many, flat, svc),
        "texts, 8 per class, logistic": (*texts, None, words),
        "table, 1000 : 20, logistic": (*uneven, StandardScaler(), logistic),
        "table, 50 : 50, logistic": (
            table,
            rare,
            fifty,
            "tabular",
            many,
            StandardScaler(),
            logistic,
        ),
        "digits, 100 per class, SVC": (images, digits, hundred, "image", {"factor": 5}, flat, svc),
        "digits, 10 per class, SVC, flips": (images, digits, ten, "image", flips, flat, svc),
    }
    lines = [
        f"Balanced accuracy on held-out rows, {n_seeds} seeds",
        f"  {'':<34}{'without':>9}{'with':>9}{'gain':>9}   95 % interval",
    ]
    for title, (X, y, counts, kind, params, step, model) in cases.items():
        scores = np.empty((n_seeds, N_DRAWS, 2))
        for seed, part in np.ndindex(n_seeds, N_DRAWS):
            state = n_seeds * part + seed
            train, test = draw(y, counts, state)
            sampler = AugmentingSampler(kind, random_state=state, **params)
            for arm in (0, 1):
                last = clone(model)
                if isinstance(last, KerasClassifier):  # as many steps with as without
                    last.set_params(random_state=state)
                    last.epochs //= params["factor"] if arm else 1
                steps = [sampler] * arm + [step] * (step is not None) + [last]
                fitted = make_pipeline(*steps).fit(X[train], y[train])
                predicted = fitted.predict(X[test])
                scores[seed, part, arm] = balanced_accuracy_score(y[test], predicted)
        means = scores.mean(axis=1)
        gain = means[:, 1] - means[:, 0]
        half = stats.sem(gain) * stats.t.ppf(0.975, n_seeds - 1)
        low, high = gain.mean() - half, gain.mean() + half
        without, with_ = means.mean(axis=0)
        line = f"  {title:<34}{without:>9.3f}{with_:>9.3f}{gain.mean():>+9.3f}   "
        lines.append(f"{line}{low:+.3f} to {high:+.3f}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write to docs/_tables, too")
    given = parser.parse_args()
    text = does_it_help(N_SEEDS)
    print(text, flush=True)
    if given.write:
        folder = Path(__file__).resolve().parents[1] / "docs" / "_tables"
        (folder / "augmentation_gain.txt").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
