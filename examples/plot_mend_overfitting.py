"""
Mend an overfitting network
===========================

A large network on few rows learns them by heart. The diagnosis says so in numbers, lists what may
help, and measures what does.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skopt_wrap import FitDisplay, KerasClassifier, diagnose

# %%
# Few rows, a large network, many epochs
# --------------------------------------

X, y = make_classification(
    1200, n_features=30, n_informative=6, flip_y=0.05, class_sep=1.5, random_state=0
)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=240, stratify=y, random_state=0
)
network = KerasClassifier(model__units=128, epochs=60, batch_size=16, random_state=0)

# %%
# The diagnosis
# -------------
#
# Cross-validated, beside a linear model and gradient-boosted trees, and on fewer rows. The score is
# the (negated) log loss, which sees that the network is too sure of itself.

diagnosis = diagnose(network, X_train, y_train, scoring="neg_log_loss", train_sizes=(0.5,))
print(diagnosis)

# %%
# The validation loss (dashed) turns early, while the training loss goes on falling.

FitDisplay.from_diagnosis(diagnosis)
plt.show()

# %%
# What may help
# -------------

for remedy in diagnosis.remedies():
    print(f"{remedy.name:28} {remedy.params}")

# %%
# What does help
# --------------
#
# Each is fitted on the same folds. The intervals allow for the training rows that folds share; with
# three folds of 80 rows they are wide.

results = diagnosis.try_remedies(remedies=[r for r in diagnosis.remedies() if r.params])
print(results)

# %%
# The best one, on rows that took no part
# ---------------------------------------

mended = diagnosis.best_remedy()
for name, model in {"as it was": network, "mended": mended}.items():
    model.fit(X_train, y_train)
    loss = log_loss(y_test, model.predict_proba(X_test))
    print(f"{name:10} log loss {loss:.3f}, accuracy {model.score(X_test, y_test):.3f}")
print(mended)
