"""
Distil a recurrent network
==========================

An LSTM reads digits as sequences of rows. A student with a tenth of its weights learns from it, on
rows that nobody labelled, and is compared with the same student trained on the labels alone.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from skopt_wrap import CompressedModel, CompressionDisplay, Distillation, KerasClassifier

# %%
# Few labels, many rows
# ---------------------
# A sequence of 8 steps with 8 features. 300 rows have a label, 897 have none.

digits = load_digits()
X, X_test, y, y_test = train_test_split(
    digits.images.astype("float32") / 16,
    digits.target,
    test_size=600,
    stratify=digits.target,
    random_state=0,
)
X, X_unlabelled, y, _ = train_test_split(X, y, train_size=300, stratify=y, random_state=0)


def lstm(units, epochs):
    return KerasClassifier(
        "lstm",
        model__units=units,
        model__bidirectional=True,
        epochs=epochs,
        learning_rate_schedule="cosine",
        optimizer__learning_rate=0.003,
        random_state=0,
    )


teacher = lstm(48, epochs=60).fit(X, y)
print(f"teacher: {teacher.model_.count_params():,} weights, {teacher.score(X_test, y_test):.3f}")

# %%
# The student alone
# -----------------
# As many steps of training as it will have with a teacher.

alone = lstm(12, epochs=160).fit(X, y)
share = alone.model_.count_params() / teacher.model_.count_params()
print(f"student: {share:.0%} of the weights, {alone.score(X_test, y_test):.3f} alone")

# %%
# With a teacher
# --------------
# ``alpha=1``: the student learns from the teacher's outputs only, on all 1,197 rows.
# :class:`~skopt_wrap.CompressedModel` distils and makes the file, which `score` runs. In a network
# this small most bytes of the file are its operations, so that int8 would not shrink it.

lesson = Distillation(
    "lstm",
    student_params={"units": 12, "bidirectional": True},
    temperature=2.0,
    alpha=1.0,
    epochs=40,
)
model = CompressedModel(
    FrozenEstimator(teacher),
    distillation=lesson,
    quantization=None,
    random_state=0,
)
model.fit(X, y, X_val=X_test, y_val=y_test, X_unlabelled=X_unlabelled)
print(model.report_)
print(f"student: {model.score(X_test, y_test):.3f} taught")

# %%
# What each stage cost
# --------------------
# :ref:`distillation` tells on several seeds when a teacher helps, and when not.

CompressionDisplay.from_estimator(model, against="latency")
assert np.mean(model.predict(X_test) == y_test) == model.score(X_test, y_test)
plt.show()
