"""
Fine-tune a backbone: the head first, then the rest
===================================================

:class:`skopt_wrap.FineTuned` puts a new head on a network that was trained elsewhere. Here a small
backbone learns the digits 0 to 4, and is then adapted to the digits 5 to 9, of which 30 images are
labelled. With a function of ``keras.applications`` in its place the code is the same.
"""

# %%
# The backbone: what a network for the first five digits computes in front of its last layer.
import keras
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skopt_wrap import FineTuned, KerasClassifier

digits = load_digits()
images = (digits.images / 16).astype("float32")[..., None]
first = digits.target < 5

before = KerasClassifier("cnn", model__filters=16, epochs=8, random_state=0)
before.fit(images[first], digits.target[first])
network = before.model_
maps = network.layers[-3].output  # behind it stand the average over all places and the outputs
backbone = keras.Model(network.inputs, maps)
print("maps of an image:", backbone.output_shape[1:])

# %%
# Thirty labelled images of the other five digits.
X_train, X_test, y_train, y_test = train_test_split(
    images[~first],
    digits.target[~first],
    train_size=30,
    stratify=digits.target[~first],
    random_state=0,
)

# %%
# A new head on a network of random weights, which shows what the first five digits have taught the
# backbone; a new head on the frozen backbone; and the backbone trained too, at a low rate.
random_weights = keras.models.clone_model(backbone)
low_rate = {"optimizer__learning_rate": 0.0005, "epochs": 20, "batch_size": 8}
scores = {}
for name, body, freeze, training in (
    ("random weights, frozen", random_weights, "all", {"epochs": 1}),
    ("frozen", backbone, "all", {"epochs": 1}),
    ("trained at a low rate", backbone, 0, low_rate),
):
    tuned = FineTuned(body, freeze=freeze, head_epochs=60, head_rate=0.01)
    model = KerasClassifier(tuned, random_state=0, **training).fit(X_train, y_train)
    scores[name] = model.score(X_test, y_test)
    print(f"{name:24}{scores[name]:.3f}")

# %%
# The backbone that was given stays as it is: every fit begins with a copy of its weights.
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(6, 2.2), layout="constrained")
bars = axes.barh(list(scores), list(scores.values()))
axes.bar_label(bars, fmt="%.2f", padding=3)
axes.set(xlim=(0, 1.1), xlabel="accuracy on digits 5 to 9, 30 labelled images")
plt.show()
