"""
Clean a dirty table
===================

Real tables hold numbers kept as text, words and numbers that mean "missing", and wrong labels. The
report says what is wrong; two steps of a pipeline mend it.
"""

import numpy as np
import pandas as pd
from imblearn.pipeline import make_pipeline
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skopt_wrap import DataCleaner, RowCleaner, quality_report

# %%
# Wine, made dirty
# ----------------

X, y = load_wine(return_X_y=True, as_frame=True)
rng = np.random.default_rng(0)
X["alcohol"] = [f"{value:.2f} %" for value in X["alcohol"]]
X["magnesium"] = X["magnesium"].where(rng.random(len(X)) > 0.1, -999)
X["hue"] = X["hue"].map("{:.2f}".format).where(rng.random(len(X)) > 0.05, "n/a")
X["bottle"] = np.arange(len(X))
X["country"] = "Italy"
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
wrong = rng.random(len(y_train)) < 0.08
y_train = y_train.where(~wrong, (y_train + 1) % 3)

# %%
# What is wrong?
# --------------

report = quality_report(X_train, y_train, X_test=X_test)
print(report)

# %%
# Mend the columns
# ----------------

cleaner = DataCleaner().fit(X_train)
print(cleaner.report_)

# %%
# Mend the rows, while training only
# ----------------------------------

model = make_pipeline(
    DataCleaner(), StandardScaler(), RowCleaner(random_state=0), LogisticRegression()
).fit(X_train, y_train)
rows = model[-2]
print(rows.report_.summary)
found = rows.flags_["labels"]
print(f"{found[wrong].mean():.0%} of the wrong labels, {found[~wrong].mean():.0%} of the others")

# %%
# Was it worth it?
# ----------------
#
# On rows held out, whose labels are right.

plain = make_pipeline(DataCleaner(), StandardScaler(), LogisticRegression()).fit(X_train, y_train)
scores = {"columns mended": plain, "columns and rows mended": model}
print(pd.Series({name: m.score(X_test, y_test) for name, m in scores.items()}).round(3))
