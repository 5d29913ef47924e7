"""Transforms written outside the package work as ours do, through the public classes only."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.sampling import AugmentingSampler, Transform

RNG = np.random.default_rng(0)
Y = np.array([0] * 9 + [1] * 3)
IMAGES = RNG.integers(0, 256, size=(12, 8, 8, 3), dtype=np.uint8)
TABLE = pd.DataFrame({"a": RNG.normal(size=12), "b": np.arange(12), "c": list("uvw") * 4})


@dataclass(frozen=True)
class Solarize(Transform):
    """Invert the pixels above a threshold that is learned from all the images."""

    kinds: ClassVar[tuple[str, ...]] = ("image",)
    needs_float: ClassVar[bool] = False
    max_magnitude: ClassVar[float] = 1.0

    magnitude: float = 0.5
    threshold: Any = None

    def _bind(self, X):
        return replace(self, threshold=np.quantile(X, 1 - self.magnitude))

    def _apply(self, X, rng):
        return np.where(self.threshold <= X, 255 - X, X)


@dataclass(frozen=True)
class Shift(Transform):
    """Add one random number to each sample; no kinds: it takes all that is numeric."""

    magnitude: float = 2.0

    def _apply(self, X, rng):
        size = (len(X), *[1] * (X.ndim - 1))
        return X + rng.uniform(-self.magnitude, self.magnitude, size=size)


@dataclass(frozen=True)
class Shout(Transform):
    """Write texts in upper case."""

    kinds = ("text",)

    def _apply(self, X, rng):
        X[:] = [text.upper() for text in X]
        return X


class Quiet(Shout):
    """A class without new parameters needs no decorator."""

    def _apply(self, X, rng):
        X[:] = [text.lower() for text in X]
        return X


def changed(transform, X, **params):
    sampler = AugmentingSampler(
        transforms=[transform], factor=1, keep_original=False, random_state=0, **params
    )
    return sampler, sampler.fit_resample(X, Y)[0]


def test_transform_changes_images_and_learns_from_all_of_them():
    sampler, new = changed(Solarize(0.25), IMAGES)
    limit = np.quantile(IMAGES, 0.75)
    assert sampler.transforms_ == [Solarize(0.25, threshold=limit)]
    np.testing.assert_array_equal(new, np.where(limit <= IMAGES, 255 - IMAGES, IMAGES))


def test_transform_obeys_magnitude_probability_and_its_limit():
    assert changed(Solarize(0.2), IMAGES, magnitude=2.0)[0].transforms_[0].magnitude == 0.4
    assert changed(Solarize(0.2), IMAGES, magnitude=9.0)[0].transforms_[0].magnitude == 1.0
    many = np.repeat(IMAGES, 50, axis=0)
    sampler = AugmentingSampler("image", [Shift(50.0, probability=0.5)], factor=1, random_state=0)
    new = sampler.set_params(keep_original=False).fit_resample(many, np.repeat(Y, 50))[0]
    share = (new != many[sampler.sample_indices_]).any(axis=(1, 2, 3)).mean()
    assert 0.4 < share < 0.6
    for bad in ({"probability": 2.0}, {"magnitude": 3.0}):
        with pytest.raises(ParameterError, match=next(iter(bad))):
            Solarize(**bad)


def test_transform_works_in_tables_series_and_texts():
    _, table = changed(Shift(), TABLE)
    assert list(table.dtypes) == list(TABLE.dtypes)
    difference = table["a"] - TABLE["a"]
    assert 0 < np.abs(difference).max() <= 2.0
    _, series = changed(Shift(), RNG.standard_normal((12, 20, 2)), kind="series")
    assert series.shape == (12, 20, 2)
    texts = [f"Text {i}" for i in range(12)]
    assert changed(Shout(), texts)[1] == [text.upper() for text in texts]
    assert changed(Quiet(), texts)[1] == [text.lower() for text in texts]


def test_transform_mixes_with_ours_and_does_not_depend_on_threads():
    policy = ["rotation", Shift(20.0), "cutout"]
    results = [
        AugmentingSampler("image", policy, factor=40, random_state=1, n_jobs=n).fit_resample(
            IMAGES, Y
        )[0]
        for n in (1, 3)
    ]
    np.testing.assert_array_equal(*results)


def test_transform_is_cloned_pickled_and_searched():
    sampler = AugmentingSampler("tabular", [Shift(0.1)], factor=2, random_state=0)
    assert clone(sampler).transforms == [Shift(0.1)]
    assert pickle.loads(pickle.dumps(Shift(0.1))) == Shift(0.1)
    assert repr(Shift(0.1)) == "Shift(magnitude=0.1)"
    pipeline = make_pipeline(sampler, LogisticRegression())
    grid = {"augmentingsampler__transforms": [[Shift(0.1)], [Shift(5.0)]]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(TABLE[["a", "b"]], Y)
    assert search.best_params_["augmentingsampler__transforms"] in ([Shift(0.1)], [Shift(5.0)])


@pytest.mark.keras
def test_transform_works_in_batches_for_keras():
    batches = AugmentingSampler("image", Solarize(0.5), random_state=0).flow(IMAGES, Y, 6)
    assert [len(batches[i][1]) for i in range(len(batches))] == [6, 6, 6]


def test_transform_is_previewed():
    pytest.importorskip("matplotlib")
    display = AugmentingSampler("image", Solarize(0.5)).preview(IMAGES, Y, n_samples=2)
    assert display.variants.shape == (2, 4, 8, 8, 3)


def test_transform_of_another_kind_or_shape_is_refused():
    with pytest.raises(ParameterError, match="'Solarize' is for kind='image'"):
        changed(Solarize(), RNG.standard_normal((12, 20)), kind="series")

    @dataclass(frozen=True)
    class Halve(Transform):
        def _apply(self, X, rng):
            return X[:, ::2]

    with pytest.raises(DataError, match=r"Halve\(\) returned shape .* must keep the shape"):
        changed(Halve(), IMAGES)


def test_transform_that_is_no_dataclass_is_refused():
    class Plain(Transform):
        def __init__(self, magnitude):
            object.__setattr__(self, "magnitude", magnitude)

    class Undecorated(Transform):
        strength: float = 1.0

    for transform in (Plain(0.5), Undecorated()):
        with pytest.raises(ParameterError, match=r"@dataclass\(frozen=True\)"):
            changed(transform, IMAGES)
