"""
Accuracy against F1 on a rare class
===================================

One digit in about twenty is an eight here. A network that never sees an eight would still be right
nineteen times out of twenty, so accuracy says little. The scores below see the rare class.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skopt_wrap import (
    CalibrationDisplay,
    ImbalanceAwareScorer,
    KerasClassifier,
    PrecisionRecallDisplay,
    imbalance_report,
)

# %%
# Make eights rare
# ----------------

X, y = load_digits(return_X_y=True)
eights, others = np.flatnonzero(y == 8), np.flatnonzero(y != 8)
rows = np.r_[others, np.random.default_rng(0).choice(eights, len(others) // 20, replace=False)]
X, y = X[rows], np.where(y[rows] == 8, "eight", "other")
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
print(f"{np.sum(y_train == 'eight')} eights among {len(y_train)} training rows")

# %%
# Two networks with nearly the same accuracy
# ------------------------------------------
#
# One is trained for two epochs only. Accuracy barely tells them apart; F1 does.


def network(epochs):
    return make_pipeline(
        StandardScaler(), KerasClassifier(model__units=32, epochs=epochs, random_state=0)
    )


scorers = {"accuracy": "accuracy", **ImbalanceAwareScorer.bundle("f1", "average_precision")}
for epochs in (2, 30):
    found = cross_validate(network(epochs), X_train, y_train, scoring=scorers, cv=3)
    line = "  ".join(f"{name} {found[f'test_{name}'].mean():.3f}" for name in scorers)
    print(f"{epochs:2} epochs: {line}")

# %%
# Every metric beside what ignoring the picture gives
# ---------------------------------------------------

models = {epochs: network(epochs).fit(X_train, y_train) for epochs in (2, 30)}
for epochs, model in models.items():
    report = imbalance_report(model, X_test, y_test, n_resamples=300)
    print(f"{epochs} epochs. {report.summary}")
report

# %%
# Precision, recall and calibration
# ---------------------------------
#
# The dashed line is chance, whose precision is the prevalence; the mark is what ``predict`` does.

fig, axes = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
PrecisionRecallDisplay.from_estimator(models[30], X_test, y_test, name="30 epochs", ax=axes[0])
CalibrationDisplay.from_estimator(
    models[30], X_test, y_test, name="30 epochs", strategy="uniform", n_bins=5, ax=axes[1]
)
plt.show()
