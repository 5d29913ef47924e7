"""Speed of AugmentingSampler beside other libraries.

1. Images/s of flip + rotation + crop + brightness + contrast + cutout beside the same Keras layers
   (eager and compiled), albumentations and a script with numpy and Pillow; MixUp, CutMix and
   RandAugment beside Keras's. With OpenCV where it is installed, and without. On one core and on
   two, where ours runs with ``n_jobs=2`` and the others with the threads that they start.
   Then each transform alone, beside Keras and albumentations.
2. Sentences/s of the transforms of texts; series/s beside tsaug's.
3. The time of an epoch on ``AugmentingSampler.flow`` beside one on plain arrays.

The contenders take turns on the same batch, so that a slow moment of the machine falls on all;
printed are medians, and the median of the ratios within a turn. Each part runs in a process of its
own that is bound to one core, or two. albumentations, tsaug, Pillow and opencv-python-headless are
left out where they are not installed.

Run ``python benchmarks/augmentation.py`` (about 15 minutes), ``--quick`` for fewer turns,
``--tables images32 flow`` for some of the tables, ``--write`` to put them into ``docs/_tables``.
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
    "transforms32": (1, 2),
    "transforms224": (1, 2),
    "text": (1,),
    "series": (1,),
    "flow": (2,),
}
# Keras layers that take bytes; the others are given floats.
TAKES_BYTES = (
    *("horizontal_flip", "vertical_flip", "rotation", "random_crop", "translation", "zoom"),
    *("shear", "brightness", "cutout", "random_erasing"),
)
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


def one_by_one(transform, images):
    """Return a function that makes one array of images changed by albumentations."""

    def run():
        result = np.empty_like(images)
        for k, image in enumerate(images):
            result[k] = transform(image=image)["image"]

    return run


def image_speed(size: int, turns: int, threads: int) -> list[dict]:
    """Compare the chain, MixUp, CutMix and RandAugment with what others offer."""
    import keras
    import tensorflow as tf

    from skopt_wrap.sampling import AugmentingSampler, CutMix, MixUp, RandAugment
    from skopt_wrap.sampling._images import _opencv as opencv

    layers, cv2 = keras.layers, opencv.load_opencv()
    if cv2 is not None:
        cv2.setNumThreads(threads)
    most = 2048 if size < 100 else 192
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

        return lambda: sampler.fit_resample(images[:n], labels[:n])

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
        n = most if title in ("MixUp", "CutMix") else most // (4 if size < 100 else 3)
        contenders = {"skopt_wrap": ours(transforms, n)}
        if cv2 is not None:
            contenders["skopt_wrap, OpenCV"] = contenders.pop("skopt_wrap")
            contenders["skopt_wrap, numpy"] = without_opencv(ours(transforms, n))
        contenders["Keras, eager"] = batches(function, n)
        contenders["Keras, tf.function"] = batches(tf.function(function), n)
        if transforms == list(CHAIN):
            rival = albumentations_chain(size)
            if rival is not None:
                contenders["albumentations"] = one_by_one(rival, images[:n])
            contenders["numpy + Pillow"] = lambda n=n: pillow_chain(
                images[:n], np.random.default_rng(0)
            )
        turned = take_turns(contenders, turns)
        tables.append(compared(f"{title}, {size} px, {n} images", n, turned))
    return tables


def layers_and_transforms(size: int) -> dict:
    """Return the Keras layer and the albumentations transform that do what each of ours does."""
    import keras

    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    try:
        import albumentations as A
    except ImportError:
        A = None
    L, pad, near = keras.layers, round(0.125 * size), {"fill_mode": "nearest"}
    crop = keras.Sequential([L.ZeroPadding2D(pad), L.RandomCrop(size, size)])
    layers = {
        "horizontal_flip": L.RandomFlip("horizontal"),
        "vertical_flip": L.RandomFlip("vertical"),
        "rotation": L.RandomRotation(10 / 360, **near),
        "random_crop": crop,
        "resized_crop": None,
        "translation": L.RandomTranslation(0.1, 0.1, **near),
        "zoom": L.RandomZoom(0.1, **near),
        "shear": L.RandomShear(0.1, 0.0, **near),
        "brightness": L.RandomBrightness(0.1),
        "contrast": L.RandomContrast(0.1),
        "saturation": L.RandomSaturation(0.3),
        "hue": L.RandomHue(0.05),
        "noise": L.GaussianNoise(0.05),
        "blur": L.RandomGaussianBlur(kernel_size=7, sigma=1.0),
        "cutout": L.RandomErasing(factor=1.0, scale=(0.0625, 0.0625)),
        "random_erasing": L.RandomErasing(factor=0.5, scale=(0.02, 0.33)),
        "aug_mix": L.AugMix((0, 255)),
    }
    if A is None:
        return {name: (layer, None) for name, layer in layers.items()}
    edge, one = {"border_mode": 1, "p": 1.0}, (1.0, 1.0)
    transforms = {
        "horizontal_flip": A.HorizontalFlip(p=0.5),
        "vertical_flip": A.VerticalFlip(p=0.5),
        "rotation": A.Rotate((-10, 10), **edge),
        "random_crop": A.Compose([A.Pad(pad, p=1.0), A.RandomCrop(size, size, p=1.0)]),
        "resized_crop": A.RandomResizedCrop((size, size), scale=(0.7, 1.0), p=1.0),
        "translation": A.Affine(translate_percent=(-0.1, 0.1), **edge),
        "zoom": A.Affine(scale=(0.9, 1.1), **edge),
        "shear": A.Affine(shear=(-10, 10), **edge),
        "brightness": A.RandomBrightnessContrast(0.1, 0.0, p=1.0),
        "contrast": A.RandomBrightnessContrast(0.0, 0.1, p=1.0),
        "saturation": A.ColorJitter(one, one, (0.7, 1.3), (0.0, 0.0), p=1.0),
        "hue": A.ColorJitter(one, one, one, (-0.05, 0.05), p=1.0),
        "noise": A.GaussNoise((0.05, 0.05), p=1.0),
        "blur": A.GaussianBlur(0, (0.1, 1.0), p=1.0),
        "cutout": A.CoarseDropout((1, 1), (0.25, 0.25), (0.25, 0.25), p=1.0),
        "random_erasing": A.Erasing(fill="random", p=0.5),
    }
    return {name: (layer, transforms.get(name)) for name, layer in layers.items()}


def transform_speed(size: int, turns: int, threads: int) -> list[dict]:
    """Compare each transform of images with its like in Keras and albumentations."""
    import tensorflow as tf

    from skopt_wrap.sampling import AugmentingSampler
    from skopt_wrap.sampling._images._opencv import load_opencv

    if load_opencv() is not None:
        load_opencv().setNumThreads(threads)
    n, step = (2048 if size < 100 else 192), 64
    images = np.random.default_rng(0).integers(0, 256, size=(n, size, size, 3), dtype=np.uint8)
    labels, floats = np.arange(n) % 10, images.astype(np.float32)
    rows: dict = {}
    for name, (layer, transform) in layers_and_transforms(size).items():
        sampler = AugmentingSampler(
            "image", name, factor=1, keep_original=False, random_state=0, n_jobs=threads
        )
        work = {"ours": lambda s=sampler: s.fit_resample(images, labels)}
        if layer is not None:
            given = images if name in TAKES_BYTES else floats
            change = lambda x, f=layer: f(x, training=True)  # noqa: E731
            for kind, call in (("eager", change), ("tf.function", tf.function(change))):
                work[kind] = lambda f=call, x=given: [f(x[i : i + step]) for i in range(0, n, step)]
        if transform is not None:
            work["albumentations"] = one_by_one(transform, images)
        seconds = take_turns(work, turns)
        row = compared("", n, seconds)["rows"]
        rows[name] = {kind: row[kind][0 if kind == "ours" else 1] for kind in row}
    title = f"Each transform alone, {size} px, {n} images"
    return [{"title": title, "unit": "others", "rows": rows}]


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
            "time_masking": tsaug.Dropout(p=0.1, size=20, fill="mean"),
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


def formatted(tables: dict[int, list[dict]]) -> str:
    """Return the tables of one part, the numbers of cores side by side or one after the other."""
    first = next(iter(tables.values()))
    if first[0]["unit"] == "others":
        parts = [beside_others(cores, table) for cores, part in tables.items() for table in part]
        return "\n".join(parts)
    return "\n".join(side_by_side(tables, k) for k in range(len(first)))


def core_name(cores: int) -> str:
    """Return a number of cores in words."""
    return ("one core", "two cores")[cores - 1]


def beside_others(cores: int, table: dict) -> str:
    """Return the speed of each transform, and how many times as fast it is as the others'."""
    kinds = ["eager", "tf.function", "albumentations"]
    lines = [
        f"{table['title']}, {core_name(cores)}",
        f"  {'':<18}{'ours, rows/s':>14}" + "".join(f"{'/ ' + kind:>18}" for kind in kinds),
    ]
    for name, row in table["rows"].items():
        ratios = "".join(f"{row[kind]:>17.2f}x" if kind in row else f"{'-':>18}" for kind in kinds)
        lines.append(f"  {name:<18}{row['ours']:>14,.0f}{ratios}")
    return "\n".join(lines) + "\n"


def side_by_side(tables: dict[int, list[dict]], k: int) -> str:
    """Return the k-th table of a part, with columns for each number of cores."""
    table = next(iter(tables.values()))[k]
    unit, rates = table["unit"], table["unit"] == "rows/s"
    lines = [table["title"]]
    lines.append(" " * 26 + "".join(f"{core_name(n):>24}" for n in tables))
    alone = None in (times for _, times in table["rows"].values())
    ratio = "" if alone else ("ours is" if rates else "ratio")
    lines.append((" " * 26 + f"{unit:>14}{ratio:>10}" * len(tables)).rstrip())
    for name in table["rows"]:
        line = f"  {name:<24}"
        for part in tables.values():
            value, times = part[k]["rows"][name]
            line += f"{value:>14,.0f}" if rates else f"{value:>14.2f}"
            line += "" if times is None else f"{times:>9.2f}x"
        lines.append(line)
    return "\n".join(lines) + "\n"


def measure(part: str, threads: int, quick: bool) -> list[dict]:
    """Return the tables of one part, measured in this process."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    turns = 3 if quick else 7
    if part.startswith("images"):
        return image_speed(int(part.removeprefix("images")), turns, threads)
    if part.startswith("transforms"):
        return transform_speed(int(part.removeprefix("transforms")), turns, threads)
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
