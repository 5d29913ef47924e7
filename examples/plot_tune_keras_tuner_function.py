"""
Tune an existing Keras Tuner function
=====================================

A ``build_model(hp)`` function written for Keras Tuner is searched as it is, with cross-validation.
"""

import keras
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skopt_wrap import SearchDisplay, TunedClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)

# %%
# The function
# ------------
#
# It declares its hyperparameters while it builds, some only under a condition, and compiles.


def build_model(hp):
    model = keras.Sequential([keras.Input((64,))])
    if hp.Boolean("deep"):
        with hp.conditional_scope("deep", [True]):
            model.add(keras.layers.Dense(hp.Choice("first", [32, 64]), "relu"))
    model.add(keras.layers.Dense(hp.Int("last", 16, 64, step=16), "relu"))
    model.add(keras.layers.Dense(10, "softmax"))
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return model


# %%
# The search
# ----------
#
# ``space`` adds what the function leaves to training. Any metric of scikit-learn can decide.

search = TunedClassifier(
    build_model,
    tuner="tpe",
    max_trials=10,
    cv=3,
    scoring="f1_macro",
    epochs=5,
    space={"batch_size": [32, 128]},
    random_state=0,
).fit(X_train, y_train)
print(search.best_params_)
print(f"cross-validated {search.best_score_:.3f}, on new rows {search.score(X_test, y_test):.3f}")

# %%
# How it went
# -----------

SearchDisplay.from_estimator(search)
plt.show()

# %%
# Training loss of the best trial on each of its splits:

SearchDisplay.from_estimator(search, kind="curves")
plt.show()

# %%
# The trained network itself:

search.model_.summary()
