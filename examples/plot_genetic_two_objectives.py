"""
Genetic search with two objectives
==================================

Accuracy against the number of parameters: a population of networks evolves towards both, and the
Pareto front shows what a smaller network costs.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skopt_wrap import SearchDisplay, TunedClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, train_size=600, stratify=y, random_state=0
)

# %%
# The search
# ----------
#
# ``tuner="genetic"`` is NSGA-II: candidates that no other one beats in both objectives are
# crossed and changed at random.

search = TunedClassifier(
    "dense",
    tuner="genetic",
    max_trials=40,
    cv=2,
    objectives=["score", "parameters"],
    space={
        "model__units": [2, 4, 8, 16, 32, 64],
        "model__n_layers": [1, 2],
        "optimizer__learning_rate": loguniform(1e-3, 1e-1),
    },
    epochs=5,
    batch_size=64,
    random_state=0,
).fit(X_train, y_train)

# %%
# The front
# ---------

SearchDisplay.from_estimator(search, kind="pareto")
plt.show()

# %%
# Each of its rows can be trained; the search trained the one that ``refit`` chose.

front = search.pareto_front_
for params, score, size in zip(
    front["params"], front["objective_score"], front["objective_parameters"], strict=True
):
    shown = ", ".join(f"{k.split('__')[1]}={np.round(v, 4)}" for k, v in params.items())
    print(f"{score:.3f} with {size:6.0f} parameters: {shown}")
print(f"chosen: {search.best_params_}, on new rows {search.score(X_test, y_test):.3f}")

# %%
# What the score depends on
# -------------------------

SearchDisplay.from_estimator(search, kind="importances")
plt.show()
