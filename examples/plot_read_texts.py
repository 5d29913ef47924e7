"""
Raw texts: no vectorizer, no download
=====================================

``KerasClassifier("text")`` takes a list of texts. It makes ids of words, of pairs of words and of
parts of words by itself, so that one object holds everything that a prediction needs.
"""

# %%
# Texts that everybody has: the first lines of docstrings, and the package that each is from.
import numpy as np
import pandas as pd
import scipy.stats
from sklearn.model_selection import train_test_split

found = {}
for package, places in {
    "numpy": (np, np.ndarray, np.linalg, np.random),
    "pandas": (pd, pd.Series, pd.DataFrame, pd.Index),
    "scipy": (scipy.stats,),
}.items():
    for place in places:
        for name in dir(place):
            lines = (getattr(getattr(place, name, None), "__doc__", None) or "").splitlines()
            first = next((line.strip() for line in lines if line.strip()), "")
            if first and not name.startswith("_"):
                found.setdefault(first, package)
texts, packages = list(found), np.array(list(found.values()))
X_train, X_test, y_train, y_test = train_test_split(
    texts, packages, stratify=packages, random_state=0
)
print(len(texts), texts[:3])

# %%
# Beside what many people begin with.
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skopt_wrap import KerasClassifier

linear = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(X_train, y_train)
reader = KerasClassifier("text", model__n_buckets=4096, random_state=0).fit(X_train, y_train)
print(f"TF-IDF and logistic regression: {linear.score(X_test, y_test):.3f}")
print(f"text:                           {reader.score(X_test, y_test):.3f}")

# %%
# What the network holds important. A word that says nothing has an importance below zero.
importance = reader.model_.get_layer("importance").get_weights()[0][:, 0]
places = reader.text_encoder_.places
words = sorted(places, key=lambda word: importance[places[word]])
print("least:", words[:8])
print("most: ", words[-8:])

# %%
# A file of 8-bit numbers reads ids; its description says how they are made of a text.
import tempfile
from pathlib import Path

from skopt_wrap import CompressedModel, LiteRTModel

small = CompressedModel(reader, quantization="int8").fit(X_train, y_train)
path = small.export(Path(tempfile.mkdtemp()) / "reader")
file = LiteRTModel(path)
print(f"{path.stat().st_size / 1000:.0f} kB", file.predict(["Return a copy of the DataFrame."]))
print({name: file.metadata["text"][name] for name in ("n_words", "n_more", "n_buckets", "hash")})
