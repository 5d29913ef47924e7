"""
Tensor-Train a dense network
============================

A network of some hundred thousand parameters, trained on digits, keeps its score with a fraction of
them. Tensor-Train and SVD side by side: parameters, accuracy and time.
"""

import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skopt_wrap import SVD, TensorTrain, factorize

# %%
# The network
# -----------

X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")
X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((64,)),
        keras.layers.Dense(400, activation="relu"),
        keras.layers.Dense(400, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(X, y, epochs=20, verbose=0)


def accuracy(network):
    return (np.asarray(network(X_test)).argmax(axis=1) == y_test).mean()


print(f"{model.count_params():,} parameters, accuracy {accuracy(model):.3f}")

# %%
# Sixty percent of the parameters less
# ------------------------------------
#
# No training: the cores are fitted to what each layer puts out. Ranks are shared out over
# the layers by measured loss, and the report says when the result is slower than the original.

train = factorize(model, X, method=TensorTrain(target_params=0.4), random_state=0)
print(train)
print(f"accuracy {accuracy(train.model):.3f}")

# %%
# The kernel of a layer is the product of its cores.

layer = next(part for part in train.model.layers if hasattr(part, "cores"))
print(layer.name, [tuple(core.shape) for core in layer.cores])

# %%
# How far it goes
# ---------------
#
# With mode sizes of its own choice a train is what SVD is, a low-rank product, where that is best.
# At few parameters it takes balanced mode sizes, with which this network keeps its score.

methods = {
    "SVD": lambda share: SVD(target_params=share),
    "Tensor-Train": lambda share: TensorTrain(target_params=share),
    "Tensor-Train, balanced": lambda share: TensorTrain(target_params=share, mode_sizes="balanced"),
}
shares = [0.05, 0.07, 0.1, 0.2, 0.4]
figure, axes = plt.subplots()
for (name, method), style in zip(methods.items(), ("o-", "s--", "^:"), strict=True):
    scores = [
        accuracy(factorize(model, X, method=method(share), random_state=0).model)
        for share in shares
    ]
    axes.plot(shares, scores, style, label=name)
axes.axhline(accuracy(model), color="grey", linewidth=0.8, label="original")
axes.set(xlabel="parameters left", ylabel="accuracy", xscale="log")
axes.set_xticks(shares, [f"{share:.0%}" for share in shares])
axes.minorticks_off()
axes.legend()
plt.show()
