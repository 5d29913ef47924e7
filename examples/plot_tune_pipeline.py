"""
Tune a pipeline
===============

Preprocessing, class balance and network are searched together, on cross-validation splits that no
step has seen. Plots show what mattered.
"""

import matplotlib.pyplot as plt
from imblearn.over_sampling import SMOTE
from scipy.stats import loguniform, uniform
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skopt_wrap import KerasClassifier, SearchDisplay, TunedClassifier, find_learning_rate

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# Where to look
# -------------
#
# A range test costs a fraction of one fit and tells where the learning rate should be searched.

scaled = StandardScaler().fit_transform(X_train)
tested = find_learning_rate(KerasClassifier(random_state=0), scaled, y_train)
print(f"the loss falls fastest at a rate of {tested.suggestion_:.2g}")
tested.plot()
plt.show()

# %%
# The search
# ----------
#
# Scaler and SMOTE are fitted on the training rows of each split. They and their parameters are
# searched like those of the network, the learning-rate schedule among them.

search = TunedClassifier(
    "dense",
    tuner="random",
    max_trials=15,
    cv=3,
    scoring="balanced_accuracy",
    epochs=10,
    space={
        "model__units": [8, 32],
        "optimizer__learning_rate": loguniform(tested.suggestion_ / 30, tested.suggestion_ * 10),
        "learning_rate_schedule": ["constant", "cosine", "one_cycle"],
        "model__dropout": uniform(0, 0.5),
        "sampler__k_neighbors": [3, 5],
        "preprocessor": [StandardScaler(), MinMaxScaler()],
    },
    preprocessor=StandardScaler(),
    sampler=SMOTE(random_state=0),
    random_state=0,
).fit(X_train, y_train)
print(search.best_params_)
print(f"cross-validated {search.best_score_:.3f}, on new rows {search.score(X_test, y_test):.3f}")

# %%
# What mattered
# -------------

SearchDisplay.from_estimator(search)
plt.show()

# %%
# Parameters that hardly matter can be fixed in the next search.

SearchDisplay.from_estimator(search, kind="importances")
plt.show()

# %%

SearchDisplay.from_estimator(search, kind="slices")
plt.show()

# %%
# One line for each trial, the best ones yellow.

SearchDisplay.from_estimator(search, kind="parallel")
plt.show()

# %%
# The best candidate is an ordinary pipeline, trained on all training rows.

search.best_estimator_
