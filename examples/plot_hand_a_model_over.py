"""
Hand a model over
=================

A model for others needs two things: a file that they can open without running your code, and a card
that says what the model is for and how well it does.
"""

import tempfile
from pathlib import Path

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skopt_wrap

# %%
# A fitted pipeline
# -----------------

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
network = skopt_wrap.KerasClassifier(model__units=16, epochs=20, random_state=0)
model = make_pipeline(StandardScaler(), network).fit(X_train, y_train)

# %%
# One file
# --------
#
# It holds networks, arrays and plain values. It never holds code.

folder = tempfile.TemporaryDirectory()
path = skopt_wrap.save(
    model,
    Path(folder.name, "cancer.skw"),
    licence="BSD-3-Clause",
    description="Benign or malignant, from thirty measurements of cell nuclei.",
)
print(f"{path.stat().st_size:,} bytes")

# %%
# The receiver looks first
# ------------------------
#
# ``inspect`` loads nothing. It shows what the file says of itself, and which names would have to be
# trusted.

skopt_wrap.inspect(path)

# %%
# Then the receiver loads it. The predictions are the same to the last bit.

loaded = skopt_wrap.load(path)
print(bool((loaded.predict_proba(X_test) == model.predict_proba(X_test)).all()))

# %%
# A card
# ------
#
# Metrics come with intervals, and are measured again in each group. A group that is small, or has
# one class only, is named.

size = X_test["mean area"].gt(600).map({True: "large", False: "small"}).rename("cell size")
card = skopt_wrap.model_card(
    loaded,
    X_test,
    y_test,
    name="Breast cancer from cell nuclei",
    intended_use="To learn how a model is handed over. Not for patients.",
    data="Breast Cancer Wisconsin (Diagnostic), as scikit-learn ships it.",
    limits=["Measured on one random quarter of the rows of one hospital."],
    groups=size,
    licence="BSD-3-Clause",
)
card

# %%
# ``card.save("card.md")`` writes Markdown and ``card.save("card.html")`` a page.

print(card.save(Path(folder.name, "card.md")).read_text()[:300])
folder.cleanup()
