"""The cleaners inside a search of networks: preprocessor, sampler, and what a search reaches."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skopt_wrap import RowCleaner, TunedClassifier, make_preprocessor
from skopt_wrap.exceptions import DataChangedWarning


@pytest.mark.keras
def test_a_dirty_frame_becomes_a_tuned_network():
    rng = np.random.default_rng(0)
    n = 120
    y = rng.integers(0, 2, n)
    X = pd.DataFrame({
        "size": [f"{v:.2f} kg" for v in y * 2 + rng.normal(size=n)],
        "age": np.where(rng.random(n) < 0.1, -999, rng.integers(20, 70, n)),
        "city": rng.choice(["Oslo", "oslo ", "Rome"], n),
    })  # fmt: skip
    search = TunedClassifier(
        space={"model__units": [8, 16], "sampler__max_fraction": [0.0, 0.1]},
        preprocessor=make_preprocessor(X, y),
        sampler=RowCleaner(["duplicates", "labels"], cv=2, random_state=0),
        max_trials=2,
        epochs=60,
        cv=2,
        random_state=0,
    ).fit(X, y)
    assert search.score(X, y) > 0.7
    with pytest.warns(DataChangedWarning, match="new category"):
        assert search.predict(X.head(3).assign(city="Paris")).shape == (3,)
