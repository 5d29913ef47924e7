"""
Compression inside cross-validation
===================================

``CompressedModel`` is an estimator like any other: a grid search over its parameters scores the
file that each candidate gives, on rows that neither training nor calibration has seen.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skopt_wrap import CompressedModel, KerasClassifier

X, y = load_breast_cancer(return_X_y=True)
network = KerasClassifier("dense", model__units=(64,), epochs=10, random_state=0)

# %%
# One number for what is deployed
# -------------------------------
# The scaler stays in front of the file and is fitted in every fold.

model = CompressedModel(make_pipeline(StandardScaler(), network), random_state=0)
scores = cross_val_score(model, X, y, cv=3)
print(f"accuracy of the int8 file {scores.mean():.3f} +/- {scores.std():.3f}")

# %%
# A grid over stages
# ------------------

search = GridSearchCV(
    model.set_params(fine_tune_epochs=5),
    {"quantization": ["float16", "int8"], "pruning": [None, 0.5, 0.8]},
    cv=2,
).fit(X, y)

for params, score in zip(
    search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
):
    print(f"{score:.3f}  {params}")

# %%
# The winner, compressed from all rows.

best = search.best_estimator_
print(best.report_)
assert np.array_equal(best.predict(X[:1]), best.predict(X)[:1])
