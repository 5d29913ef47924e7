"""Keras layers, albumentations transforms, and arrays of any layout."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.sampling import AugmentingSampler, Rotation, _row_blocks
from skopt_wrap.sampling._adapters import KerasStep, adapt

X = np.random.default_rng(0).integers(0, 256, size=(100, 8, 8, 3), dtype=np.uint8)
Y = np.arange(100) % 2


@pytest.mark.keras
def test_keras_layers_are_seeded_and_put_back(monkeypatch):
    monkeypatch.setattr(_row_blocks, "BLOCKS_PER_THREAD", 1)
    import keras

    layers = [
        keras.layers.RandomFlip("horizontal", seed=3),
        keras.layers.RandomBrightness(0.2, seed=4),
        keras.layers.GaussianNoise(0.9, seed=5),
    ]
    sampler = AugmentingSampler("image", layers, factor=2, random_state=0)
    new, y = sampler.fit_resample(X, Y)
    assert new.dtype == np.uint8 and len(y) == 200
    assert (new[100:] != X[sampler.sample_indices_[100:]]).any(axis=(1, 2, 3)).all()
    for other in (sampler, clone(sampler), clone(sampler).set_params(n_jobs=3)):
        np.testing.assert_array_equal(other.fit_resample(X, Y)[0], new)
    state = np.asarray(layers[0].generator.state)
    sampler.fit_resample(X, Y)
    np.testing.assert_array_equal(np.asarray(layers[0].generator.state), state)


@pytest.mark.keras
def test_keras_layers_take_grey_images_and_float64():
    import keras

    layer = keras.layers.RandomTranslation(0.2, 0.2)
    for images in (X[..., 0], X[..., 0] / 255):
        new, _ = AugmentingSampler("image", layer, factor=2, random_state=0).fit_resample(images, Y)
        assert new.shape == (200, 8, 8) and new.dtype == images.dtype


@pytest.mark.keras
def test_keras_layers_in_other_data():
    import keras

    noise = keras.layers.GaussianNoise(0.1)
    table = np.random.default_rng(0).standard_normal((100, 3))
    sampler = AugmentingSampler(transforms=noise, factor=2, random_state=0)
    new, _ = sampler.fit_resample(table, Y)
    assert 0 < np.abs(new[100:] - table[sampler.sample_indices_[100:]]).max() < 1
    with pytest.raises(DataError, match="texts"):
        AugmentingSampler("text", noise, factor=2).fit_resample(["a b"] * 4, [0, 1] * 2)
    crop = keras.layers.RandomCrop(4, 4)
    with pytest.raises(DataError, match="keep the shape"):
        AugmentingSampler("image", crop, factor=2).fit_resample(X, Y)
    with pytest.raises(ParameterError, match="instances"):
        AugmentingSampler("image", keras.layers.RandomFlip, factor=2).fit_resample(X, Y)


@pytest.mark.keras
def test_keras_sequential_is_seeded_inside():
    import keras

    model = keras.Sequential([keras.layers.RandomFlip(), keras.layers.RandomRotation(0.1)])
    sampler = AugmentingSampler("image", [model, "brightness"], factor=2, random_state=0)
    np.testing.assert_array_equal(sampler.fit_resample(X, Y)[0], sampler.fit_resample(X, Y)[0])


def test_other_objects_are_left_as_they_are():
    for item in (len, Rotation(), lambda batch: batch):
        assert adapt(item) is item
    assert "tensorflow" not in KerasStep.__module__


def test_albumentations_transforms_are_seeded(monkeypatch):
    monkeypatch.setattr(_row_blocks, "BLOCKS_PER_THREAD", 1)
    monkeypatch.setenv("NO_ALBUMENTATIONS_UPDATE", "1")
    albumentations = pytest.importorskip("albumentations")
    chain = albumentations.Compose(
        [albumentations.HorizontalFlip(p=0.5), albumentations.Rotate(20, p=1.0)]
    )
    single = albumentations.RandomBrightnessContrast(p=1.0)
    sampler = AugmentingSampler("image", [chain, single], factor=2, random_state=0)
    new, _ = sampler.fit_resample(X, Y)
    assert new.dtype == np.uint8 and (new[100:] != X).any(axis=(1, 2, 3)).all()
    for other in (sampler, clone(sampler), clone(sampler).set_params(n_jobs=2)):
        np.testing.assert_array_equal(other.fit_resample(X, Y)[0], new)
    with pytest.raises(DataError, match="uint8 or float32"):
        sampler.fit_resample(X.astype(float), Y)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16, np.float32, np.float64])
def test_image_chain_takes_any_layout(dtype):
    policy = ["horizontal_flip", "rotation", "random_crop", "brightness", "contrast", "cutout"]
    images = X.astype(dtype)
    for cut in (images[..., :1], images[:, ::2, 1:], np.ones((100, 5, 6, 7), dtype)):
        sampler = AugmentingSampler("image", policy, factor=2, random_state=0)
        new, _ = sampler.fit_resample(np.ascontiguousarray(cut), Y)
        assert new.dtype == dtype and new.shape == (200, *cut.shape[1:])
        for other in (np.asfortranarray(cut), cut):
            np.testing.assert_array_equal(sampler.fit_resample(other, Y)[0], new)
