"""
Compare a dense, a convolutional and a recurrent network
========================================================

The same rows seen as a table, as images and as sequences: each kind of network is tuned with the
same budget on the same splits, and compared by score, size and training time.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, train_test_split

from skopt_wrap import TunedClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, train_size=600, stratify=y, random_state=0
)
splits = StratifiedKFold(3, shuffle=True, random_state=0)

# %%
# Three searches with the same budget
# -----------------------------------
#
# ``model__input_shape`` lets a network read the flat rows as images or as sequences.
# ``TunedClassifier("auto")`` compares the kinds that the shape of the rows allows in one search and
# lists them in ``families_``; here each kind has a space of its own.

rates = {"optimizer__learning_rate": [0.003, 0.01]}
families = {
    "dense": {"model__units": [32, 64]},
    "cnn": {"model__filters": [4, 8], "model__input_shape": [(8, 8, 1)]},
    "lstm": {"model__units": [16, 32], "model__input_shape": [(8, 8)]},
}
found = {}
for name, space in families.items():
    found[name] = TunedClassifier(
        name, tuner="grid", cv=splits, space={**rates, **space}, epochs=6, random_state=0
    ).fit(X_train, y_train)

# %%
# The comparison
# --------------
#
# ``mean_fit_time`` holds the seconds that training took per split; the first trial of an
# architecture pays for tracing its graph.

print(f"{'':6} {'cross-validated':>15} {'new rows':>9} {'parameters':>11} {'seconds':>8}")
for name, search in found.items():
    seconds = np.median(search.cv_results_["mean_fit_time"])
    print(
        f"{name:6} {search.best_score_:15.3f} {search.score(X_test, y_test):9.3f} "
        f"{search.model_.count_params():11d} {seconds:8.2f}"
    )

# %%
# Scores of all splits
# --------------------
#
# Splits differ more than some families do: compare on the same ones.

figure, ax = plt.subplots(layout="constrained")
scores = np.array(
    [
        [search.cv_results_[f"split{k}_test_score"][search.best_index_] for k in range(3)]
        for search in found.values()
    ]
)
ax.plot(list(found), scores, "o-", alpha=0.8)
ax.set(ylabel="Accuracy of the best candidate", title="One line for each split")
plt.show()
