"""Keras layers, albumentations transforms and OpenCV."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.base import clone

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.sampling import (
    AugmentingSampler,
    Brightness,
    Contrast,
    HorizontalFlip,
    Rotation,
    _blocks,
)
from skopt_wrap.sampling import _opencv as opencv
from skopt_wrap.sampling._adapters import KerasStep, adapt
from skopt_wrap.sampling._mix import blend
from skopt_wrap.sampling._warp import warp

X = np.random.default_rng(0).integers(0, 256, size=(100, 8, 8, 3), dtype=np.uint8)
Y = np.arange(100) % 2


@pytest.mark.keras
def test_keras_layers_are_seeded_and_put_back(monkeypatch):
    monkeypatch.setattr(_blocks, "BLOCKS_PER_THREAD", 1)
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
    monkeypatch.setattr(_blocks, "BLOCKS_PER_THREAD", 1)
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


def smooth_images(n, height, width, channels=()):
    rng = np.random.default_rng(0)
    row, column = np.mgrid[:height, :width] / 9
    phase = rng.uniform(0, 6, size=(n, 2, 1, 1))
    grey = np.sin(row + phase[:, 0]) + np.cos(column * 1.3 + phase[:, 1]) + 2
    return np.broadcast_to((grey * 60)[(...,) + (None,) * len(channels)], (*grey.shape, *channels))


@pytest.mark.parametrize("fill", ["constant", "nearest", "reflect", "wrap"])
@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_opencv_warps_as_numpy_does(fill, channels, monkeypatch):
    pytest.importorskip("cv2", minversion="5.0")
    images = smooth_images(6, 30, 25, channels).astype(np.float32)
    maps = Rotation(40)._maps(6, 30, 25, np.random.default_rng(0))
    maps[0] = np.eye(3)
    maps[1, :2, 2] += (3.5, -2.25)
    fast, fast_bytes = warp(images, maps, fill, 7.0), warp(images.astype(np.uint8), maps, fill, 7.0)
    monkeypatch.setattr(opencv, "load_opencv", lambda: None)
    slow = warp(images, maps, fill, 7.0)
    np.testing.assert_allclose(fast, slow, atol=0.01)
    slow_bytes = warp(images.astype(np.uint8).astype(np.float32), maps, fill, 7.0)
    np.testing.assert_allclose(fast_bytes, slow_bytes, atol=1.0)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_opencv_warps_large_colours_through_a_fourth_channel(dtype, monkeypatch):
    pytest.importorskip("cv2", minversion="5.0")
    images = np.random.default_rng(0).integers(0, 256, size=(3, 60, 55, 3)).astype(dtype)
    maps = Rotation(40)._maps(3, 60, 55, np.random.default_rng(0))
    maps[0] = np.eye(3)
    four = warp(images, maps, "reflect", 0.0)
    monkeypatch.setattr(opencv, "PIXELS_FOR_FOUR", 10**9)
    np.testing.assert_array_equal(four, warp(images, maps, "reflect", 0.0))
    np.testing.assert_array_equal(four[0], images[0])


@pytest.mark.parametrize("fill", ["constant", "nearest", "reflect", "wrap"])
@pytest.mark.parametrize("channels", [(), (1,), (2,), (3,)])
def test_warp_of_bytes_rounds_that_of_floats(fill, channels, monkeypatch):
    monkeypatch.setattr(opencv, "load_opencv", lambda: None)
    images = np.random.default_rng(0).integers(0, 256, size=(40, 20, 13, *channels), dtype=np.uint8)
    images[:3] = 255  # the lanes must not overflow
    maps = Rotation(180)._maps(40, 20, 13, np.random.default_rng(1))
    maps[0] = np.eye(3)
    exact = warp(images.astype(np.float32), maps, fill, 9.0)
    np.testing.assert_allclose(warp(images, maps, fill, 9.0), exact, atol=0.6)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(8, 8, 3), (50, 40), (2000,), (700, 2)])
def test_mixup_with_opencv_agrees_with_numpy(shape, dtype, monkeypatch):
    pytest.importorskip("cv2", minversion="5.0")
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 256, size=(9, *shape)).astype(dtype)
    partner, share = rng.permutation(9), rng.integers(0, 257, size=9) / 256
    share[:2] = 0.0, 1.0
    fast = blend(rows.copy(), partner, share)
    monkeypatch.setattr(opencv, "load_opencv", lambda: None)
    slow = blend(rows, partner, share)
    np.testing.assert_allclose(fast, slow, atol=1.0 if dtype == np.uint8 else 1e-3)
    weight = share.reshape(-1, *(1,) * len(shape))
    exact = weight * rows + (1 - weight) * rows[partner]
    np.testing.assert_allclose(slow, exact, atol=0.51 if dtype == np.uint8 else 1e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_opencv_policy_agrees_with_numpy(dtype, monkeypatch):
    pytest.importorskip("cv2", minversion="5.0")
    images = smooth_images(8, 20, 20, (3,)).astype(dtype)
    policy = [HorizontalFlip(), Rotation(20), Brightness(0.2), Contrast(0.3), HorizontalFlip()]
    sampler = AugmentingSampler("image", policy, factor=3, random_state=0)
    fast = sampler.fit_resample(images, Y[:8])[0].astype(float)
    monkeypatch.setattr(opencv, "load_opencv", lambda: None)
    slow = sampler.fit_resample(images, Y[:8])[0].astype(float)
    assert np.abs(fast - slow).max() <= (3.0 if dtype == np.uint8 else 0.05)
    assert np.abs(fast - slow).mean() < 0.5


def test_old_or_missing_opencv_is_not_used(monkeypatch):
    class Old:
        __version__ = "4.12.0"

    for module in (Old, None):
        opencv.load_opencv.cache_clear()
        monkeypatch.setitem(sys.modules, "cv2", module)
        assert opencv.load_opencv() is None
    opencv.load_opencv.cache_clear()


@pytest.mark.parametrize("value_range", [None, (20, 200)])
@pytest.mark.parametrize("cls", [Brightness, Contrast])
def test_opencv_light_agrees_with_numpy(cls, value_range, monkeypatch):
    pytest.importorskip("cv2", minversion="5.0")
    large = np.random.default_rng(0).integers(0, 256, size=(2, 60, 60, 3), dtype=np.uint8)
    for images in (X, X[..., 0], X[..., :2], large, large[..., 1].repeat(3, axis=2)):
        transform = cls(0.5, value_range=value_range)
        fast = transform(images, rng=0).astype(int)
        with monkeypatch.context() as patch:
            patch.setattr(opencv, "load_opencv", lambda: None)
            slow = transform(images, rng=0).astype(int)
        assert np.abs(fast - slow).max() <= 1


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
