"""
A raw table: gaps, categories, numbers of any scale
===================================================

``KerasRegressor`` takes a frame as it is. Its network scales numbers, fills gaps and takes
categories apart by itself, and returns the units of the target, so that one object, and one file,
holds everything that a prediction needs.
"""

# %%
# A table as people have it: prices of 600 houses, made up. Some areas are missing, districts are
# text, and prices are far from zero.
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(0)
n = 600
houses = pd.DataFrame(
    {
        "area": rng.normal(120, 30, n).round(),
        "built": rng.integers(1900, 2026, n),
        "district": rng.choice(["harbour", "centre", "hill", "station"], n),
        "garden": rng.random(n) < 0.4,
    }
)
premium = houses["district"].map({"harbour": 90e3, "centre": 60e3, "hill": 30e3, "station": 0})
price = 2_500 * houses["area"] + 300 * (houses["built"] - 1900) + premium + 25e3 * houses["garden"]
price += rng.normal(0, 10e3, n)
houses.loc[rng.random(n) < 0.1, "area"] = np.nan
X_train, X_test, y_train, y_test = train_test_split(houses, price, random_state=0)

# %%
# Nothing is scaled or encoded by hand.
from skopt_wrap import KerasRegressor

regressor = KerasRegressor(epochs=100, random_state=0).fit(X_train, y_train)
print(f"R2 on new houses: {regressor.score(X_test, y_test):.3f}")

# %%
# The network trains on prices of mean 0 and standard deviation 1: ``history_`` is in these units.
# ``target_scale_`` brings its errors back to the currency.
print(f"one unit of the loss: {regressor.target_scale_[0]:,.0f}")
rmse = np.sqrt(regressor.history_["loss"][-1]) * regressor.target_scale_[0]
print(f"error on the training rows: {rmse:,.0f}")

# %%
# The first layer holds what was learned of the columns; the estimator holds the categories.
for layer in regressor.model_.layers:
    print(f"{layer.name:16} {layer.output.shape}")
print(regressor.table_encoder_.categories)

# %%
# A district that was never seen is treated like a missing one, and a warning names it.
import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(regressor.predict(X_test.head(1).assign(district="airport")).round(-3))
print(caught[-1].message)
