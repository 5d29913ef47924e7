"""
Compare a dense, a convolutional and a recurrent network
========================================================

``TunedClassifier("auto")`` tunes each kind of network that the shape of the data allows, with the
same budget on the same splits, and compares them by score, size and training time.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, train_test_split

from skopt_wrap import TunedClassifier

digits = load_digits()
X_train, X_test, y_train, y_test = train_test_split(
    digits.images / 16, digits.target, train_size=600, stratify=digits.target, random_state=0
)
X_train.shape

# %%
# One search over three kinds
# ---------------------------
#
# Rows of shape (8, 8) are sequences: eight lines of eight pixels, which the convolution and the
# recurrence run down. The dense network gets them flattened. An entry of the space goes to the
# kinds that know it, ``model__filters`` to the convolutional one alone.

search = TunedClassifier(
    "auto",
    tuner="grid",
    max_trials=None,
    cv=StratifiedKFold(3, shuffle=True, random_state=0),
    space={
        "optimizer__learning_rate": [0.003, 0.01],
        "model__units": [32, 64],
        "model__filters": [16, 32],
    },
    epochs=6,
    random_state=0,
).fit(X_train, y_train)

# %%
# The comparison
# --------------
#
# ``families_`` has one row for each kind, the best first. ``fit_seconds`` is the training of one
# split of its best trial; the first trial of an architecture pays for tracing its graph.

pd.DataFrame(search.families_).round(3)

# %%
# The best trial of all was trained again on all training rows. What it makes of new ones:

print(search.best_params_)
print(f"accuracy on new rows: {search.score(X_test, y_test):.3f}")

# %%
# Scores of all splits
# --------------------
#
# Splits differ more than some kinds do: compare on the same ones.

families = search.families_
scores = np.array(
    [search.cv_results_[f"split{k}_test_score"][families["best_index"]] for k in range(3)]
)
figure, ax = plt.subplots(layout="constrained")
ax.plot(families["model"], scores.T, "o-", alpha=0.8)
ax.set(ylabel="Accuracy of the best candidate", title="One line for each split")
plt.show()
