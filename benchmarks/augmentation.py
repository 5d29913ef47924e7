"""Speed of AugmentingSampler beside other libraries, and whether its default policies help.

1. Images/s of flip + rotation + crop + brightness + contrast + cutout beside the same Keras layers
   (eager and compiled), albumentations and a script with numpy and Pillow; MixUp, CutMix and
   RandAugment beside Keras's. With OpenCV where it is installed, and without. On one core and on
   two, where ours runs with ``n_jobs=2`` and the others with the threads that they start.
2. Sentences/s of the transforms of texts; series/s beside tsaug's.
3. The time of an epoch on ``AugmentingSampler.flow`` beside one on plain arrays.
4. Balanced accuracy with against without augmentation on rows held out: digits with 10 images per
   class (networks take equal numbers of steps with and without), a pair of digits 50 : 1, short
   series, short texts and an imbalanced table, with a 95 % interval of the mean difference over
   five seeds, each the mean of four draws of the training rows (one for networks). Settings were
   chosen on other seeds. Cases that it does not help are printed alike.

The contenders take turns on the same batch, so that a slow moment of the machine falls on all;
printed are medians, and the median of the ratios within a turn. Each part runs in a process of its
own that is bound to one core, or two. albumentations, tsaug, Pillow and opencv-python-headless are
left out where they are not installed.

Run ``python benchmarks/augmentation.py`` (about 15 minutes), ``--quick`` for fewer turns,
``--tables images32 help`` for some of the tables, ``--write`` to put them into ``docs/_tables``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Each part, and the numbers of cores it is run with.
PARTS = {
    "images32": (1, 2),
    "images224": (1, 2),
    "text": (1,),
    "series": (1,),
    "flow": (2,),
    "help": (2,),
}
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


def compared(title: str, n: int, seconds: dict[str, list[float]]) -> dict:
    """Return rows per second, and the ratio of the first contender's speed to each other's."""
    first = next(iter(seconds.values()))
    rows = {
        name: [
            n / statistics.median(values),
            statistics.median(b / a for a, b in zip(first, values, strict=True)),
        ]
        for name, values in seconds.items()
    }
    return {"title": title, "unit": "rows/s", "rows": rows}


def pillow_chain(images, rng):
    """Change images one by one, as a script with numpy and Pillow would."""
    from PIL import Image

    size, result = images.shape[1], np.empty_like(images)
    pad, hole = round(0.125 * size), round(0.25 * size)
    for k, image in enumerate(images):
        if rng.random() < 0.5:
            image = image[:, ::-1]
        turned = Image.fromarray(np.ascontiguousarray(image)).rotate(
            rng.uniform(-10, 10), Image.Resampling.BILINEAR
        )
        padded = np.pad(np.asarray(turned), ((pad, pad), (pad, pad), (0, 0)))
        row, column = rng.integers(0, 2 * pad + 1, size=2)
        values = padded[row : row + size, column : column + size].astype(np.float32)
        values = np.clip(values + 255 * rng.uniform(-0.1, 0.1), 0, 255)
        mean = values.mean()
        values = np.clip(mean + (values - mean) * (1 + rng.uniform(-0.1, 0.1)), 0, 255)
        row, column = rng.integers(0, size, size=2)
        values[max(0, row - hole // 2) : row + hole // 2, max(0, column - hole // 2) :][
            :, :hole
        ] = 0
        result[k] = values
    return result


def albumentations_chain(size: int):
    """Return the same chain by albumentations, or None where it is not installed."""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    try:
        import albumentations as A
    except ImportError:
        return None
    pad, hole = round(0.125 * size), 0.25
    return A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            A.Rotate((-10, 10), border_mode=1, p=1.0),
            A.Pad(pad, p=1.0),
            A.RandomCrop(size, size, p=1.0),
            A.RandomBrightnessContrast(0.1, 0.1, p=1.0),
            A.CoarseDropout((1, 1), (hole, hole), (hole, hole), p=1.0),
        ],
        seed=0,
    )


def image_speed(size: int, turns: int, threads: int) -> list[dict]:
    """Compare the chain, MixUp, CutMix and RandAugment with what others offer."""
    import keras
    import tensorflow as tf

    from skopt_wrap.sampling import AugmentingSampler, CutMix, MixUp, RandAugment
    from skopt_wrap.sampling import _opencv as opencv

    layers, cv2 = keras.layers, opencv.load_opencv()
    if cv2 is not None:
        cv2.setNumThreads(threads)
    most = 2048 if size < 100 else 128
    images = np.random.default_rng(0).integers(0, 256, size=(most, size, size, 3), dtype=np.uint8)
    labels = np.arange(most) % 10
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

    def ours(transforms, n):
        sampler = AugmentingSampler(
            "image", transforms, factor=1, keep_original=False, random_state=0, n_jobs=threads
        )

        def run():
            if cv2 is not None:
                cv2.setNumThreads(1)  # the threads are joblib's
            sampler.fit_resample(images[:n], labels[:n])
            if cv2 is not None:
                cv2.setNumThreads(threads)

        return run

    def without_opencv(function):
        def run():
            loader, opencv.load_opencv = opencv.load_opencv, lambda: None
            try:
                function()
            finally:
                opencv.load_opencv = loader

        return run

    def batches(function, n):
        step = 64
        return lambda: [
            function(images[i : i + step], one_hot[i : i + step]) for i in range(0, n, step)
        ]

    def pair(layer):
        return lambda x, y: layer({"images": x, "labels": y}, training=True)

    random_layer = layers.RandAugment((0, 255), num_ops=2)
    cases = {
        "flip + rotation + crop + light + cutout": (list(CHAIN), lambda x, y: through(x)),
        "MixUp": ([MixUp(0.2, soft_labels=True)], pair(layers.MixUp(0.2))),
        "CutMix": ([CutMix(1.0, soft_labels=True)], pair(layers.CutMix(1.0))),
        "RandAugment": ([RandAugment(0.5)], lambda x, y: random_layer(x, training=True)),
    }
    tables = []
    for title, (transforms, function) in cases.items():
        # Mixing is fast, and a call of ours takes a millisecond beside what it does to the rows.
        n = most if title in ("MixUp", "CutMix") else most // (4 if size < 100 else 2)
        contenders = {"skopt_wrap": ours(transforms, n)}
        if cv2 is not None:
            contenders["skopt_wrap, OpenCV"] = contenders.pop("skopt_wrap")
            contenders["skopt_wrap, numpy"] = without_opencv(ours(transforms, n))
        contenders["Keras, eager"] = batches(function, n)
        contenders["Keras, tf.function"] = batches(tf.function(function), n)
        if transforms == list(CHAIN):
            rival = albumentations_chain(size)
            if rival is not None:
                contenders["albumentations"] = lambda f=rival, n=n: [
                    f(image=x)["image"] for x in images[:n]
                ]
            contenders["numpy + Pillow"] = lambda n=n: pillow_chain(
                images[:n], np.random.default_rng(0)
            )
        turned = take_turns(contenders, turns)
        tables.append(compared(f"{title}, {size} px, {n} images", n, turned))
    return tables


def text_speed(turns: int) -> list[dict]:
    """Return the speed of the transforms of texts, one by one and in a chain."""
    from skopt_wrap.sampling import AugmentingSampler, available_transforms

    texts = ["the quick brown fox jumps over the lazy dog near the river"] * 2000
    labels = np.arange(2000) % 2
    easy = ["synonym_replacement", "random_insertion", "random_swap", "random_deletion"]
    rows = {}
    for names in [*([name] for name in available_transforms("text")), easy]:
        sampler = AugmentingSampler("text", names, factor=1, keep_original=False, random_state=0)
        work = {"": lambda s=sampler: s.fit_resample(texts, labels)}
        seconds = take_turns(work, turns)[""]
        name = names[0] if len(names) == 1 else "EDA: all four in a row"
        rows[name] = [2000 / statistics.median(seconds), None]
    return [{"title": "2000 sentences of 12 words", "unit": "rows/s", "rows": rows}]


def series_speed(turns: int) -> list[dict]:
    """Compare the transforms of series with tsaug's, where it has them."""
    from skopt_wrap.sampling import AugmentingSampler, SeriesFlip, available_transforms

    n = 4000
    X = np.random.default_rng(0).standard_normal((n, 200, 3)).astype(np.float32)
    labels = np.arange(n) % 2
    rivals = {}
    try:
        import tsaug

        rivals = {
            "jitter": tsaug.AddNoise(scale=0.05),
            "time_warp": tsaug.TimeWarp(n_speed_change=4),
            "window_slice": tsaug.Crop(size=180, resize=200),
            "series_flip": tsaug.Reverse(),
        }
    except ImportError:
        pass
    tables = []
    for name in available_transforms("series"):
        if name == "mixup":
            continue
        # tsaug reverses every series.
        what = SeriesFlip(probability=1.0) if name == "series_flip" else name
        sampler = AugmentingSampler("series", what, factor=1, keep_original=False, random_state=0)
        contenders = {"skopt_wrap": lambda s=sampler: s.fit_resample(X, labels)}
        if name in rivals:
            contenders["tsaug"] = lambda r=rivals[name]: r.augment(X)
        title = f"{name}, {n} series of 200 steps and 3 features"
        tables.append(compared(title, n, take_turns(contenders, turns)))
    return tables


def flow_speed(turns: int) -> list[dict]:
    """Return the time of an epoch with and without augmentation."""
    import keras

    from skopt_wrap.sampling import AugmentingSampler

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, size=(2048, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(2048) % 10
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    def epoch(transforms, workers):
        sampler = AugmentingSampler("image", transforms, factor=1, random_state=0)
        batches = sampler.flow(images, labels, batch_size=64, workers=workers)
        return lambda: model.fit(batches, verbose=0)

    def plain():
        model.fit(images, labels, batch_size=64, verbose=0)

    contenders = {
        "arrays, no augmentation": plain,
        "flow, no transforms": epoch([], 1),
        "flow, chain, 1 worker": epoch(list(CHAIN), 1),
        "flow, chain, 2 workers": epoch(list(CHAIN), 2),
    }
    seconds = take_turns(contenders, turns)
    rows = {
        name: [
            statistics.median(values),
            statistics.median(
                b / a for a, b in zip(seconds["arrays, no augmentation"], values, strict=True)
            ),
        ]
        for name, values in seconds.items()
    }
    title = "An epoch of a small CNN, 2048 images of 32 px, batches of 64"
    return [{"title": title, "unit": "seconds", "rows": rows}]


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


def does_it_help(n_seeds: int) -> list[dict]:
    """Return scores with and without, and an interval of the difference."""
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
    # X, y, rows per class, kind, parameters; steps before the model, model, draws of a seed.
    cases = {
        "digits, 10 per class, SVC": (*few, flat, svc, 4),
        "digits, 10 per class, dense": (*few, flat, dense, 1),
        "digits, 10 per class, CNN": (*few, deep, cnn, 1),
        "digits 3 and 8, 100 : 2, SVC": (*pair, flat, svc, 4),
        "series, 20 per class, SVC": (*make_series(400, 0), twenty, "series", many, flat, svc, 4),
        "texts, 8 per class, logistic": (*texts, None, words, 4),
        "table, 1000 : 20, logistic": (*uneven, StandardScaler(), logistic, 4),
    }
    rows = {}
    for title, (X, y, counts, kind, params, step, model, draws) in cases.items():
        scores = np.empty((n_seeds, draws, 2))
        for seed, part in np.ndindex(n_seeds, draws):
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
        rows[title] = [*means.mean(axis=0).tolist(), *map(float, (gain.mean(), low, high))]
    title = f"Balanced accuracy on held-out rows, {n_seeds} seeds"
    return [{"title": title, "unit": "gain", "rows": rows}]


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


def formatted(tables: dict[int, list[dict]]) -> str:
    """Return the tables of one part, the numbers of cores side by side."""
    lines = []
    for k, table in enumerate(next(iter(tables.values()))):
        unit = table["unit"]
        lines.append(table["title"])
        if unit == "gain":
            lines.append(f"  {'':<34}{'without':>9}{'with':>9}{'gain':>9}   95 % interval")
            for name, (without, with_, gain, low, high) in table["rows"].items():
                line = f"  {name:<34}{without:>9.3f}{with_:>9.3f}{gain:>+9.3f}   "
                lines.append(f"{line}{low:+.3f} to {high:+.3f}")
        else:
            ratio = "ours is" if unit == "rows/s" else "ratio"
            cores = [("one core", "two cores")[n - 1] for n in tables]
            lines.append(" " * 26 + "".join(f"{name:>24}" for name in cores))
            alone = None in (times for _, times in table["rows"].values())
            head = f"{unit:>14}" + f"{'' if alone else ratio:>10}"
            lines.append((" " * 26 + head * len(tables)).rstrip())
            for name in table["rows"]:
                line = f"  {name:<24}"
                for part in tables.values():
                    value, times = part[k]["rows"][name]
                    line += f"{value:>14,.0f}" if unit == "rows/s" else f"{value:>14.2f}"
                    line += "" if times is None else f"{times:>9.2f}x"
                lines.append(line)
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def measure(part: str, threads: int, quick: bool) -> list[dict]:
    """Return the tables of one part, measured in this process."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    turns = 3 if quick else 7
    if part.startswith("images"):
        return image_speed(int(part.removeprefix("images")), turns, threads)
    if part == "help":
        return does_it_help(5)
    return {"text": text_speed, "series": series_speed, "flow": flow_speed}[part](turns)


def main() -> int:
    """Print all tables, each measured in a process of its own with as many cores as it may use."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer turns")
    parser.add_argument("--tables", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--write", action="store_true", help="write to docs/_tables, too")
    parser.add_argument("--measure", nargs=2, metavar=("PART", "CORES"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    quick = ["--quick"] if given.quick else []
    if given.measure:
        part, cores = given.measure
        print(json.dumps(measure(part, int(cores), given.quick)))
        return 0
    for part in given.tables:
        tables = {}
        for cores in PARTS[part]:
            command = [sys.executable, __file__, "--measure", part, str(cores), *quick]
            printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            tables[cores] = json.loads(printed.splitlines()[-1])
        text = formatted(tables)
        print(text, flush=True)
        if given.write:
            folder = Path(__file__).resolve().parents[1] / "docs" / "_tables"
            (folder / f"augmentation_{part}.txt").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
