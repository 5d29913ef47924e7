"""
A digits network in 20 kB
=========================

A convolutional network of 38,000 weights takes 155 kB as a file. This example asks for one of at
most 20 kB that loses at most two points of accuracy, looks at what each stage did, and writes the
file for a program without TensorFlow.
"""

import tempfile
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from skopt_wrap import CompressedModel, CompressionDisplay, CompressionSearch, KerasClassifier
from skopt_wrap.compression import Pruning

# %%
# A network
# ---------

digits = load_digits()
images, labels = digits.images[..., None].astype("float32") / 16, digits.target
X_train, X_test, y_train, y_test = train_test_split(
    images, labels, test_size=0.3, stratify=labels, random_state=0
)


def build(meta):
    return keras.Sequential(
        [
            keras.Input(meta["X_shape_"][1:]),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(meta["n_outputs_expected_"]),
        ]
    )


network = KerasClassifier(build, epochs=15, random_state=0).fit(X_train, y_train)
print(f"{network.model_.count_params():,} weights, accuracy {network.score(X_test, y_test):.3f}")

# %%
# int8 alone is not enough
# ------------------------
# Weights of one byte each are 38 kB. ``FrozenEstimator`` keeps the network as it is.

frozen = FrozenEstimator(network)
int8 = CompressedModel(frozen, random_state=0).fit(X_train, y_train, X_val=X_test, y_val=y_test)
print(int8.report_)

# %%
# Fewer units
# -----------
# ``structured=True`` removes whole units and channels, so that the file itself shrinks. The budgets
# are promises: `fit` raises a ``BudgetError`` with what it reached when one is missed.

small = CompressedModel(
    frozen,
    pruning=Pruning(0.5, structured=True),
    fine_tune_epochs=15,
    max_size="20 kB",
    max_score_drop=0.02,
    random_state=0,
)
small.fit(X_train, y_train, X_val=X_test, y_val=y_test)
print(small.report_)

CompressionDisplay.from_estimator(small)

# %%
# Which chain is best?
# --------------------
# A search trains the network once for each fold and scores every candidate, as a file, on the rows
# held out. The smallest file within the budgets wins; the line joins what no other one beats.

grid = [
    {"quantization": [None, "float16", "int8"]},
    {"pruning": [Pruning(share, structured=True) for share in (0.3, 0.5, 0.7)]},
]
search = CompressionSearch(
    KerasClassifier(build, epochs=10, random_state=0),
    grid,
    cv=2,
    max_score_drop=0.02,
    fine_tune_epochs=5,
    random_state=0,
)
search.fit(X_train, y_train)
print(search.best_params_, f"{len(search.best_estimator_.tflite_model_):,} bytes")

CompressionDisplay.from_estimator(search)

# %%
# The file
# --------
# ``export`` writes it with a description; ``to_c_array`` is for microcontrollers. Predictions of
# the estimator come from the same bytes.

with tempfile.TemporaryDirectory() as folder:
    path = small.export(Path(folder) / "digits")
    print(sorted(item.name for item in path.parent.iterdir()), path.stat().st_size, "bytes")

print("\n".join(small.to_c_array("digits").splitlines()[:10]))
assert np.mean(small.predict(X_test) == y_test) == small.score(X_test, y_test)
plt.show()
