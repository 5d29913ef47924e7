"""Where a student learns more from a teacher than from labels alone.

The same student network, of at most a tenth of the teacher's parameters, is trained on labels alone
and by distillation, with equal numbers of gradient steps, on several seeds. Printed are accuracies
on rows held out and the paired difference with its 95 % interval over the seeds, also where it is
nothing or negative. Settings were chosen on seeds from 100 on, which are not used here.

Run ``python benchmarks/distillation.py`` (about 6 minutes); ``--seeds 2`` for a quick look.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from scipy.stats import t as student_t
from sklearn.datasets import load_digits, make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skopt_wrap import KerasClassifier, distill
from skopt_wrap.training import TrainingData, train

STEPS = 3000  # of the student, in every row of the table
TEMPERATURE = 1.5
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def digits(seed: int):
    """Digits of 8 x 8 pixels, in [0, 1]."""
    X, y = load_digits(return_X_y=True)
    return train_test_split(X / 16, y, test_size=600, random_state=seed, stratify=y)


def gaussians(seed: int):
    """Ten overlapping classes in 20 dimensions."""
    X, y = make_classification(
        9000, n_features=20, n_informative=12, n_classes=10, n_clusters_per_class=2,
        class_sep=1.5, random_state=seed,
    )  # fmt: skip
    X = StandardScaler().fit_transform(X)
    return train_test_split(X, y, test_size=3000, random_state=seed, stratify=y)


def shifted(X, y, copies: int, seed: int):
    """Digits and copies of them moved by up to a pixel, for the teacher's own training."""
    rng = np.random.default_rng(seed)
    moved = [X]
    for _ in range(copies):
        images = X.reshape(-1, 8, 8)
        steps = rng.integers(-1, 2, (len(X), 2))
        pairs = zip(images, steps, strict=True)
        rolled = np.stack([np.roll(image, tuple(step), (0, 1)) for image, step in pairs])
        moved.append(rolled.reshape(len(X), -1))
    return np.concatenate(moved), np.tile(y, copies + 1)


def convolutional(X, y, seed: int):
    """A teacher that knows what images are: 94,000 parameters, trained on moved digits."""
    knobs = {"model__filters": (32, 64), "model__dense_units": 128, "model__dropout": 0.3}
    teacher = KerasClassifier(
        "cnn", model__input_shape=(8, 8, 1), **knobs, epochs=30, random_state=seed
    )
    return teacher.fit(*shifted(X, y, 4, seed)).model_


def wide(X, y, seed: int):
    """A dense teacher."""
    teacher = KerasClassifier(
        "dense", model__units=(256, 256), model__dropout=0.3, epochs=40, random_state=seed
    )
    return teacher.fit(X, y).model_


def small(width: int, n_features: int, n_classes: int):
    """A builder of the student."""

    def build():
        return keras.Sequential(
            [keras.Input((n_features,)), keras.layers.Dense(width, "relu"),
             keras.layers.Dense(n_classes)]
        )  # fmt: skip

    return build


CASES = {
    "digits, 150 labels, 1,047 rows without": (digits, convolutional, 64, 150, {}),
    "digits, 300 labels, 897 rows without": (digits, convolutional, 64, 300, {}),
    "digits, 300 labels, mixup": (digits, convolutional, 64, 300, {"augment": "mixup"}),
    "digits, 300 labels, nothing more": (digits, convolutional, 64, 300, {"only": True}),
    "digits, 1,197 labels": (digits, convolutional, 64, 1197, {"only": True}),
    "Gaussians, 500 labels, 5,500 rows without": (gaussians, wide, 48, 500, {}),
    "Gaussians, 6,000 labels": (gaussians, wide, 48, 6000, {"only": True}),
    "Gaussians, 6,000 labels, mixup": (gaussians, wide, 48, 6000, {"augment": "mixup"}),
}


def accuracy(model, X, y) -> float:
    """Return the accuracy in percent."""
    outputs = model(X.astype("float32"), training=False)
    return 100 * float(np.mean(np.argmax(np.asarray(outputs), axis=1) == y))


def run(case: str, seed: int) -> tuple[float, float, float, float]:
    """Return accuracies of teacher, student alone and student taught, and the share of size."""
    data, make_teacher, width, n_labels, options = CASES[case]
    X, X_test, y, y_test = (part.astype("float32") for part in data(seed))
    X_more = None
    if n_labels < len(X):
        X, X_more, y, _ = train_test_split(X, y, train_size=n_labels, random_state=seed, stratify=y)
    teacher = make_teacher(X, y, seed)
    build = small(width, X.shape[1], len(np.unique(y)))
    keras.utils.set_random_seed(seed)
    alone = build()
    epochs = round(STEPS / -(-len(X) // 32))
    steps = epochs * -(-len(X) // 32)
    alone.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)), LOSS)
    rows = TrainingData(X, y, np.ones(len(X), "float32"))
    train(alone, rows, epochs=epochs, batch_size=32, seed=seed)
    extra = {}
    n_rows = len(X)
    if options.get("augment"):
        extra, n_rows = {"augment": options["augment"], "copies": 4}, 5 * len(X)
    elif not options.get("only"):
        extra, n_rows = {"x_unlabelled": X_more}, len(X) + len(X_more)
    taught = distill(
        teacher, build, X, y, temperature=TEMPERATURE, alpha=0.9, loss=LOSS,
        epochs=round(STEPS / -(-n_rows // 32)), random_state=seed, **extra,
    ).model  # fmt: skip
    scores = [accuracy(model, X_test, y_test) for model in (teacher, alone, taught)]
    return *scores, taught.count_params() / teacher.count_params()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--case", default="", help="only cases whose name holds this")
    options = parser.parse_args()
    print(f"Accuracy in percent, {options.seeds} seeds, {STEPS} steps of the student in each row\n")
    head = f"{'case':44}{'size':>7}{'teacher':>9}{'alone':>8}{'taught':>8}   gain (95 % interval)"
    print(head + "\n" + "-" * len(head))
    for case in (name for name in CASES if options.case in name):
        seeds = range(options.first, options.first + options.seeds)
        table = np.array([run(case, seed) for seed in seeds])
        teacher, alone, taught, size = table.mean(axis=0)
        gains = table[:, 2] - table[:, 1]
        half = 0.0
        if len(gains) > 1:
            half = student_t.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / len(gains) ** 0.5
        print(
            f"{case:44}{size:>7.0%}{teacher:>9.1f}{alone:>8.1f}{taught:>8.1f}"
            f"   {gains.mean():+.1f} ({gains.mean() - half:+.1f} to {gains.mean() + half:+.1f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
