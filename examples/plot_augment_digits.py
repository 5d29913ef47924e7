"""
Augmenting digits
=================

Ten images of each digit are few. This example looks at what augmentation makes of them, measures
whether that helps two classifiers on images held out, and trains a small network on batches that
are changed afresh in every epoch.
"""

import matplotlib.pyplot as plt
import numpy as np
from imblearn.pipeline import make_pipeline
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skopt_wrap import AugmentingSampler, KerasClassifier
from skopt_wrap.sampling import Rotation, Translation, VerticalFlip

# %%
# Ten images per class
# --------------------

digits = load_digits()
images, labels = digits.images.astype("float32") / 16, digits.target
X_train, X_test, y_train, y_test = train_test_split(
    images, labels, train_size=100, stratify=labels, random_state=0
)
X_train.shape, np.bincount(y_train).tolist()

# %%
# Look before you train
# ---------------------
# Small turns and shifts leave a digit what it is; a vertical flip does not. The preview shows it.

gentle = AugmentingSampler("image", [Rotation(12), Translation(0.1)], factor=5, random_state=0)
display = gentle.preview(X_train, y_train, n_samples=4, n_variants=5)
display.figure_.suptitle("Rotation and translation")
wrong = AugmentingSampler("image", [VerticalFlip()], factor=5, random_state=0)
display = wrong.preview(X_train, y_train, n_samples=4, n_variants=5)
display.figure_.suptitle("Vertical flip: is this still a 2?")
plt.show()

# %%
# With and without
# ----------------
# In a pipeline of imbalanced-learn the sampler acts on the training rows only. Five draws of the
# training images show how far chance goes.

flat = FunctionTransformer(lambda X: X.reshape(len(X), -1))
samplers = {"none": None, "gentle": gentle, "vertical flip": wrong}
models = {"SVC": SVC(C=10), "logistic regression": LogisticRegression(max_iter=500)}
scores = {name: np.empty((len(samplers), 5)) for name in models}
for seed in range(5):
    split = train_test_split(images, labels, train_size=100, stratify=labels, random_state=seed)
    for row, sampler in enumerate(samplers.values()):
        for name, model in models.items():
            steps = [flat, model] if sampler is None else [sampler, flat, model]
            scores[name][row, seed] = (
                make_pipeline(*steps).fit(split[0], split[2]).score(split[1], split[3])
            )

_, ax = plt.subplots(layout="constrained")
for shift, (name, values) in enumerate(scores.items()):
    places = np.arange(len(samplers)) + 0.2 * shift - 0.1
    ax.errorbar(places, values.mean(axis=1), values.std(axis=1), fmt="o", capsize=4, label=name)
ax.set_xticks(range(len(samplers)), samplers)
ax.set(
    xlabel="augmentation", ylabel="accuracy on images held out", title="Mean and spread, 5 draws"
)
ax.legend()
plt.show()

# %%
# Fresh in every epoch
# --------------------
# A network that gets the sampler as ``augment`` sees every image changed anew in each epoch, where
# a pipeline would hand it one fixed set of copies.

network = KerasClassifier(
    "cnn", model__filters=16, model__dropout=0.2, epochs=40, batch_size=20, random_state=0
)
augmented = KerasClassifier(**{**network.get_params(deep=False), "augment": gentle})
for name, model in {"without": network, "with": augmented}.items():
    model.fit(X_train[..., None], y_train)
    print(f"{name:>8} augmentation: accuracy {model.score(X_test[..., None], y_test):.3f}")
