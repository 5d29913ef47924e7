"""
Search over a convolutional network
===================================

A network for images inside scikit-learn's own tools: a pipeline, a grid search over the network
and its optimizer, the training history, and a look at how far its probabilities can be trusted.
"""

# %%
# The digits are rows of 64 pixels. ``model__input_shape`` lets the scaler before it work on rows
# and the network see images.

import matplotlib.pyplot as plt
from sklearn.calibration import CalibrationDisplay
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skopt_wrap import KerasClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

classifier = KerasClassifier(
    "cnn",
    model__input_shape=(8, 8, 1),
    model__dense_units=32,
    model__dropout=0.1,
    metrics=["accuracy"],
    epochs=8,
    batch_size=64,
    random_state=0,
)
pipeline = make_pipeline(MinMaxScaler(), classifier)

# %%
# Parameters of the network and arguments of the optimizer are parameters like any other. Both
# learning rates of one architecture train in the same compiled graph.

grid = {
    "kerasclassifier__model__filters": [4, 8],
    "kerasclassifier__optimizer__learning_rate": [0.002, 0.01],
}
search = GridSearchCV(pipeline, grid, cv=3, scoring="neg_log_loss").fit(X_train, y_train)
for name, value in search.best_params_.items():
    print(f"{name:45} {value}")
print(f"accuracy on the test rows: {search.best_estimator_.score(X_test, y_test):.3f}")

# %%
# The best network once more, with a fifth of the rows held out to see when it has learned enough.
# ``history_`` holds one list for each curve.

best = search.best_estimator_.set_params(
    kerasclassifier__validation_split=0.2,
    kerasclassifier__early_stopping=5,
    kerasclassifier__epochs=40,
)
history = best.fit(X_train, y_train)[-1].history_

_, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
for ax, name in zip(axes, ["loss", "accuracy"], strict=True):
    epochs = range(1, len(history[name]) + 1)
    ax.plot(epochs, history[name], label="training")
    ax.plot(epochs, history[f"val_{name}"], label="validation")
    ax.set(xlabel="epoch", ylabel=name)
    ax.legend()

# %%
# Is a digit that is called an 8 with a probability of 70 % an 8 in 70 % of the cases? One class
# against the others, for two classes that are easily taken for one another.

_, ax = plt.subplots(figsize=(4.5, 4.5), layout="constrained")
probabilities = best.predict_proba(X_test)
for digit in (1, 8):
    CalibrationDisplay.from_predictions(
        y_test == digit, probabilities[:, digit], n_bins=5, name=f"digit {digit}", ax=ax
    )
plt.show()
