"""
A threshold under a constraint
==============================

"Find as many faults as you can, but four of five alarms must be right." The threshold that does so
is chosen on training rows, by cross-validation, and travels with the model.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skopt_wrap import ImbalanceAwareScorer, KerasClassifier, ThresholdDisplay

# %%
# One row in fifteen is a fault
# -----------------------------

X, y = make_classification(
    6000, n_features=12, n_informative=6, weights=[0.94], flip_y=0.01, class_sep=1.2, random_state=0
)
y = np.where(y == 1, "fault", "fine")
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
network = make_pipeline(
    StandardScaler(), KerasClassifier(model__units=16, epochs=30, random_state=0)
)

# %%
# Choose the threshold within the training rows
# ---------------------------------------------
#
# ``tune`` returns scikit-learn's ``TunedThresholdClassifierCV``. A threshold that misses the
# constraint in a fold ranks below all that keep it.

folds = StratifiedKFold(3, shuffle=True, random_state=0)
scorer = ImbalanceAwareScorer("recall", threshold="precision>=0.8", pos_label="fault")
tuned = scorer.tune(network, cv=folds).fit(X_train, y_train)
print(f"threshold {tuned.best_threshold_:.2f}")

# %%
# What it does on rows held out
# -----------------------------
#
# A constraint kept in training is no promise for new rows, but it should nearly hold.

for name, model in {"predict at 0.5": tuned.estimator_, "under the constraint": tuned}.items():
    found = {
        metric: ImbalanceAwareScorer(metric, pos_label="fault")(model, X_test, y_test)
        for metric in ("precision", "recall")
    }
    print(f"{name:22}", {metric: round(value, 2) for metric, value in found.items()})

# %%
# Prices instead of a constraint: a missed fault costs twenty false alarms. Rows and columns of the
# matrix follow the sorted classes.

costs = [[0, 20], [1, 0]]
price = ImbalanceAwareScorer("expected_cost", costs=costs, pos_label="fault")
cheap = price.tune(network, cv=folds).fit(X_train, y_train)
print(f"threshold {cheap.best_threshold_:.2f}")
print(f"cost of a row {-price(cheap, X_test, y_test):.2f}, at 0.5 "
      f"{-price(cheap.estimator_, X_test, y_test):.2f}")  # fmt: skip

# %%
# Metrics and cost against the threshold
# --------------------------------------

display = ThresholdDisplay.from_estimator(
    tuned, X_test, y_test, metrics=["precision", "recall", "f1", price], pos_label="fault",
    name="Rows held out",
)  # fmt: skip
plt.show()
