"""
Watch a model over a year
=========================

Bicycle counters, tills and sensors follow the seasons. A monitor that does not know them cries wolf
every weekend. A monitor that tests every day at p < 0.05 cries wolf anyway. Here a year of hourly
counts is watched, in which a sensor begins to fail in September.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor

from skopt_wrap import DriftDisplay, DriftMonitor

# %%
# Two years of counts
# -------------------
#
# The count depends on the hour, the weekday and the temperature; the temperature depends on the
# month.

rng = np.random.default_rng(0)
index = pd.date_range("2024-01-01", "2025-12-31 23:00", freq="h")
season = np.cos(2 * np.pi * (index.month - 7) / 12)
frame = pd.DataFrame(
    {
        "hour": index.hour,
        "weekday": index.day_of_week,
        "temperature": 12 + 9 * season + rng.normal(scale=4, size=len(index)),
        "humidity": rng.beta(5, 3, len(index)),
    },
    index=index,
)
rush = np.exp(-((frame["hour"] - 8) ** 2) / 8) + np.exp(-((frame["hour"] - 17) ** 2) / 8)
busy = np.where(frame["weekday"] < 5, rush, 0.3)
count = rng.poisson(200 * busy * np.clip(frame["temperature"] + 5, 1, None) / 20 + 5)

# %%
# From September on the humidity sensor reads too much, a little more every week.

late = np.clip((index - pd.Timestamp("2025-09-01")).days.to_numpy() / 60, 0, 1)
frame["humidity"] = frame["humidity"] + 0.15 * late

# %%
# Train on one half of 2024, take the other as the reference
# ----------------------------------------------------------
#
# The reference must not have been seen in training. Weeks alternate, so that both halves know all
# seasons. Hour and weekday are left out: they do nothing but follow each other. Each month is
# compared with the same month, and each update is a whole week, so that the order within it does
# not matter.

first = index.year == 2024
week = index.isocalendar().week.to_numpy() % 2 == 0
model = HistGradientBoostingRegressor(random_state=0).fit(frame[first & week], count[first & week])
monitor = DriftMonitor(
    model,
    features=["temperature", "humidity"],
    reference_by="month",
    shuffle=True,
    random_state=0,
)
monitor.fit(frame[first & ~week], count[first & ~week])

# %%
# A year, week by week
# --------------------

for start in pd.date_range("2025-01-01", "2025-12-25", freq="7D"):
    rows = (index >= start) & (index < start + pd.Timedelta(days=7))
    report = monitor.update(frame[rows], count[rows])
    if report.alarm:
        break
print(f"alarm in the week from {start.date()}")
print(report)

# %%
# Evidence over time
# ------------------

DriftDisplay.from_monitor(monitor, kind="heatmap")
plt.show()

# %%
# The distribution of what changed, since it began to
# ---------------------------------------------------

DriftDisplay.from_report(report, items=[report.look_at_first])
plt.show()

# %%
# Without the seasons
# -------------------
#
# A monitor that compares January with the whole year raises an alarm at once, and for a change that
# everybody knows.

plain = DriftMonitor(features=["temperature", "humidity"], random_state=0).fit(frame[first & ~week])
january = (index >= "2025-01-01") & (index < "2025-01-15")
print(plain.check(frame[january]).verdict)
