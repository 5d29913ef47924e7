"""
The whole flow on real data
===========================

From rows to a small file, twice: breast cancer with malignant cases made rare, and one digit
against all others. Each time the same steps: scale, augment the rare class inside the training
folds, tune a network with cross-validation, judge it by a score that knows the class balance,
compress it to int8, and compare what was trained with what would be shipped.

Run as a script, it writes the files, a plot and the table to ``demo_output/``.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from imblearn.under_sampling import RandomUnderSampler
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skopt_wrap import AugmentingSampler, CompressedModel, ImbalanceAwareScorer, TunedClassifier
from skopt_wrap.compression import CompressionDisplay
from skopt_wrap.tuning import SearchDisplay

OUTPUT = Path("demo_output")
OUTPUT.mkdir(exist_ok=True)

# %%
# Two imbalanced problems
# -----------------------
# Of the malignant cases every eighth is kept, so that about one row in fifteen is malignant. In
# the digits, one in ten is an eight, the digit that is taken for another most easily.

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
malignant = np.where(y == 0, "malignant", "benign")
rare = RandomUnderSampler(sampling_strategy={"malignant": 26}, random_state=0)
cancer = rare.fit_resample(X, malignant)

images, digit = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8, 1)
digits = images, np.where(digit == 8, "eight", "other")

# %%
# One function for both
# ---------------------
# The scaler stands in front; the sampler belongs to the tuned estimator, which applies it to the
# training rows of each fold and never to the rows that are scored. The score is the F1 of the
# rare class.


def flow(name, data, positive, scaler, model, sampler, space):
    X_train, X_test, y_train, y_test = train_test_split(
        *data, test_size=0.3, stratify=data[1], random_state=0
    )
    f1 = ImbalanceAwareScorer("f1", pos_label=positive)
    tuned = TunedClassifier(
        model,
        space=space,
        sampler=sampler,
        scoring=f1,
        max_trials=6,
        cv=3,
        epochs=15,
        random_state=0,
        verbose=1,
    )
    search = make_pipeline(scaler, tuned).fit(X_train, y_train)
    print(f"{name}: best of {len(tuned.trials_)} trials {tuned.best_params_}")

    small = CompressedModel(
        FrozenEstimator(search), quantization="int8", scoring=f1, random_state=0
    )
    small.fit(X_train, y_train, X_val=X_test, y_val=y_test)  # held out, for the report only
    small.export(OUTPUT / f"{name}.tflite")

    before, after = small.report_.rows[0], small.report_.rows[-1]
    accuracy = ImbalanceAwareScorer("accuracy", pos_label=positive)
    always_common = (y_test != positive).mean()
    return (
        {
            "data": name,
            "accuracy of saying 'no'": always_common,
            "accuracy": accuracy(search, X_test, y_test),
            "F1 trained": f1(search, X_test, y_test),
            "F1 int8 file": f1(small, X_test, y_test),
            "bytes trained": before.bytes,
            "bytes int8 file": after.bytes,
            "1 row trained, ms": 1e3 * before.latency_p50,
            "1 row int8 file, ms": 1e3 * after.latency_p50,
        },
        search,
        small,
    )


# %%
# Breast cancer: a table, a dense network, SMOTE
# ----------------------------------------------

cancer_row, cancer_search, cancer_small = flow(
    "breast_cancer",
    cancer,
    "malignant",
    StandardScaler(),
    "dense",
    AugmentingSampler("tabular", ["smote"], sampling_strategy=0.5),
    {
        "model__units": [32, 64, 128],
        "model__dropout": [0.0, 0.2],
        "optimizer__learning_rate": [1e-3, 3e-3, 1e-2],
    },
)
cancer_small.report_

# %%
# Digits: images, a convolutional network, shifted and turned copies
# ------------------------------------------------------------------
# Pixels count from 0 to 16; the network wants them near [0, 1].


def to_unit_range(images):
    return images / 16


digits_row, digits_search, digits_small = flow(
    "digits",
    digits,
    "eight",
    FunctionTransformer(to_unit_range),
    "cnn",
    AugmentingSampler("image", ["translation", "rotation", "zoom"], sampling_strategy=0.5),
    {"model__filters": [16, 32], "model__dropout": [0.0, 0.2], "batch_size": [32, 64]},
)
digits_small.report_

# %%
# Before and after
# ----------------
# Latencies are those of one row, measured in this process: the network through a compiled call,
# the file through LiteRT.

table = pd.DataFrame([cancer_row, digits_row]).set_index("data").T
table.to_csv(OUTPUT / "table.csv")
print()
print(table.map(lambda value: f"{value:,}" if value > 1000 else f"{value:.3g}").to_string())

figure, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained")
pairs = [("breast cancer", cancer_search, cancer_small), ("digits", digits_search, digits_small)]
for (name, search, small), row in zip(pairs, axes, strict=True):
    SearchDisplay.from_estimator(search[-1], ax=row[0])
    row[0].set_title(f"{name}: search")
    CompressionDisplay.from_estimator(small, ax=row[1])
    row[1].set_title(f"{name}: compression")
figure.savefig(OUTPUT / "whole_flow.png", dpi=120)
print(f"\nWritten to {OUTPUT.resolve()}: {sorted(p.name for p in OUTPUT.iterdir())}")

# %%
# The rare class is found in both, which accuracy alone would not have shown: saying "no" to every
# row is nearly as accurate. The int8 file is a fraction of the trained network's size, answers one
# row faster, and scores about the same; ``report_`` of each compressed model says what it did.
