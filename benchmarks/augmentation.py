"""Speed of AugmentingSampler beside Keras's layers, and whether its default policies help.

1. Images/s of flip + rotation + crop + brightness + contrast + cutout, of MixUp and of CutMix,
   beside the same Keras layers, eager and compiled. The contenders take turns on the same batch, so
   that a slow moment of the machine falls on all; printed are medians, and the median of the ratios
   within a turn.
2. Series/s and texts/s of each transform.
3. Balanced accuracy with against without augmentation on rows held out: digits with 10 images per
   class, an imbalanced pair of digits, short series and an imbalanced table, with a 95 % interval
   of the mean difference over the splits. Cases that it does not help are printed alike.

Run ``python benchmarks/augmentation.py`` (about two minutes); ``--quick`` takes fewer turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

CHAIN = ("horizontal_flip", "rotation", "random_crop", "brightness", "contrast", "cutout")


def take_turns(contenders: dict, turns: int) -> dict[str, list[float]]:
    """Return the seconds of each contender in each turn."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for function in contenders.values():  # compile and warm up; not counted
        function()
    for _ in range(turns):
        for name, function in contenders.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def report(title: str, n: int, seconds: dict[str, list[float]]) -> None:
    """Print rows per second, and the ratio of the first contender's speed to each other's."""
    print(f"\n{title}")
    first = next(iter(seconds.values()))
    for name, values in seconds.items():
        speed = n / statistics.median(values)
        ratio = statistics.median(b / a for a, b in zip(first, values, strict=True))
        print(f"  {name:<28}{speed:>12,.0f}/s   ours is {ratio:6.2f} x as fast")


def image_speed(size: int, n: int, turns: int) -> None:
    """Compare the chain, MixUp and CutMix with Keras."""
    import keras
    import tensorflow as tf

    from skopt_wrap.sampling import AugmentingSampler, CutMix, MixUp

    layers = keras.layers
    images = np.random.default_rng(0).integers(0, 256, size=(n, size, size, 3), dtype=np.uint8)
    labels = np.arange(n) % 10
    one_hot = np.eye(10, dtype=np.float32)[labels]
    pad = round(0.125 * size)
    chain = [
        layers.RandomFlip("horizontal"),
        layers.RandomRotation(10 / 360, fill_mode="nearest"),
        layers.ZeroPadding2D(pad),
        layers.RandomCrop(size, size),
        layers.RandomBrightness(0.1),
        layers.RandomContrast(0.1),
        layers.RandomErasing(factor=1.0, scale=(0.0625, 0.0625)),
    ]

    def through(batch):
        for layer in chain:
            batch = layer(batch, training=True)
        return batch

    def ours(transforms):
        sampler = AugmentingSampler(
            "image", transforms, factor=1, keep_original=False, random_state=0
        )
        return lambda: sampler.fit_resample(images, labels)

    def eager(function):
        return lambda: [
            function(images[i : i + 64], one_hot[i : i + 64]) for i in range(0, n - n % 64, 64)
        ]

    def pair(layer):
        return lambda x, y: layer({"images": x, "labels": y}, training=True)

    cases = {
        "flip + rotation + crop + light + cutout": (list(CHAIN), lambda x, y: through(x)),
        "MixUp": ([MixUp(0.2, soft_labels=True)], pair(layers.MixUp(0.2))),
        "CutMix": ([CutMix(1.0, soft_labels=True)], pair(layers.CutMix(1.0))),
    }
    for title, (transforms, function) in cases.items():
        contenders = {"skopt_wrap": ours(transforms), "Keras, eager": eager(function)}
        contenders["Keras, tf.function"] = eager(tf.function(function))
        report(f"{title}, {size} px, {n} images", n, take_turns(contenders, turns))


def other_speed(turns: int) -> None:
    """Print the speed of the transforms of series and texts."""
    from skopt_wrap.sampling import AugmentingSampler, available_transforms

    series = np.random.default_rng(0).standard_normal((2000, 200)).astype(np.float32)
    texts = ["the quick brown fox jumps over the lazy dog near the river"] * 2000
    labels = np.arange(2000) % 2
    for kind, X in (("series", series), ("text", texts)):
        print(f"\n{kind}: 2000 rows" + (" of 200 steps" if kind == "series" else " of 11 words"))
        for name in available_transforms(kind):
            if name == "mixup":
                continue
            sampler = AugmentingSampler(kind, name, factor=1, keep_original=False, random_state=0)
            work = {name: lambda s=sampler, X=X: s.fit_resample(X, labels)}
            seconds = take_turns(work, turns)[name]
            print(f"  {name:<28}{2000 / statistics.median(seconds):>12,.0f}/s")


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


def does_it_help(n_splits: int) -> None:
    """Print scores with and without, and an interval of the difference."""
    from imblearn.pipeline import make_pipeline
    from scipy import stats
    from sklearn.datasets import load_digits, make_classification
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.preprocessing import FunctionTransformer, StandardScaler
    from sklearn.svm import SVC

    from skopt_wrap.sampling import AugmentingSampler

    flat = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    images, digits = load_digits().images, load_digits().target
    two = np.isin(digits, (3, 8))
    table, rare = make_classification(
        3000, 10, n_informative=6, weights=[0.97], flip_y=0, class_sep=0.7, random_state=0
    )
    ten, twenty = dict.fromkeys(range(10), 10), {0: 20, 1: 20}
    svc, logistic = SVC(C=10), LogisticRegression()
    cases = [
        ("digits, 10 per class, SVC", images, digits, ten, "image", {"factor": 10}, svc),
        (
            "digits 3 and 8, 100 : 2, SVC",
            images[two],
            digits[two],
            {3: 100, 8: 2},
            "image",
            {},
            svc,
        ),
        ("series, 20 per class, SVC", *make_series(400, 0), twenty, "series", {"factor": 5}, svc),
        ("table, 1000 : 20, logistic", table, rare, {0: 1000, 1: 20}, "tabular", {}, logistic),
    ]
    print(f"\nBalanced accuracy on held-out rows, {n_splits} splits (95 % interval of the gain)")
    print(f"  {'':<34}{'without':>9}{'with':>9}{'gain':>9}   interval")
    for title, X, y, counts, kind, params, model in cases:
        rows = []
        for seed in range(n_splits):
            train, test = draw(y, counts, seed)
            sampler = AugmentingSampler(kind, random_state=seed, **params)
            steps = [flat, StandardScaler()] if kind == "tabular" else [flat]
            scores = []
            for pipeline in (make_pipeline(*steps, model), make_pipeline(sampler, *steps, model)):
                predicted = pipeline.fit(X[train], y[train]).predict(X[test])
                scores.append(balanced_accuracy_score(y[test], predicted))
            rows.append(scores)
        without, with_ = np.mean(rows, axis=0)
        gain = np.diff(rows, axis=1)[:, 0]
        half = stats.sem(gain) * stats.t.ppf(0.975, n_splits - 1)
        print(
            f"  {title:<34}{without:>9.3f}{with_:>9.3f}{gain.mean():>+9.3f}   "
            f"{gain.mean() - half:+.3f} to {gain.mean() + half:+.3f}"
        )


def main() -> int:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer turns, no 224 px")
    quick = parser.parse_args().quick
    image_speed(32, 512, 3 if quick else 7)
    if not quick:
        image_speed(224, 64, 3)
    other_speed(3 if quick else 7)
    does_it_help(5)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
