"""OpenCV, where it is installed, does what NumPy does; rows are read where they are."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

from skopt_wrap.sampling import (
    AugmentingSampler,
    Blur,
    Brightness,
    Contrast,
    HorizontalFlip,
    Hue,
    MixUp,
    RandomCrop,
    ResizedCrop,
    Rotation,
    Saturation,
    VerticalFlip,
)
from skopt_wrap.sampling._batch import Source
from skopt_wrap.sampling._images import _kernels as kernels
from skopt_wrap.sampling._images import _opencv as opencv
from skopt_wrap.sampling._images._warp import WarpTransform
from skopt_wrap.sampling._mix import blend
from skopt_wrap.sampling._transform import REGISTRY, Policy

IMAGES = sorted(name for name, cls in REGISTRY.items() if "image" in cls.kinds)


def smooth_images(n, height, width, channels=()):
    rng = np.random.default_rng(0)
    row, column = np.mgrid[:height, :width] / 9
    phase = rng.uniform(0, 6, size=(n, 2, 1, 1))
    grey = np.sin(row + phase[:, 0]) + np.cos(column * 1.3 + phase[:, 1]) + 2
    return np.broadcast_to((grey * 60)[(...,) + (None,) * len(channels)], (*grey.shape, *channels))


def warp(images, maps, fill, fill_value):
    class Given(WarpTransform):
        def _maps(self, n, height, width, rng):
            return maps

    return Given(fill=fill, fill_value=fill_value)._apply(images.copy(), None)


@pytest.mark.parametrize("fill", ["constant", "nearest", "reflect", "wrap"])
@pytest.mark.parametrize("channels", [(), (1,), (2,), (3,), (4,)])
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
    monkeypatch.setattr(kernels, "PIXELS_FOR_FOUR", 10**9)
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
    order = np.arange(9)
    fast = blend(rows, order, partner, share, np.empty_like(rows))
    monkeypatch.setattr(opencv, "load_opencv", lambda: None)
    slow = blend(rows, order, partner, share, np.empty_like(rows))
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
    fast = sampler.fit_resample(images, np.arange(8) % 2)[0].astype(float)
    monkeypatch.setattr(opencv, "load_opencv", lambda: None)
    slow = sampler.fit_resample(images, np.arange(8) % 2)[0].astype(float)
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
    small = large[:, :8, :8]
    for images in (small, small[..., 0], small[..., :2], large, large[..., 1].repeat(3, axis=2)):
        transform = cls(0.5, value_range=value_range)
        fast = transform(images, rng=0).astype(int)
        with monkeypatch.context() as patch:
            patch.setattr(opencv, "load_opencv", lambda: None)
            slow = transform(images, rng=0).astype(int)
        assert np.abs(fast - slow).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("size", [20, 70])
@pytest.mark.parametrize(
    "transform",
    [
        HorizontalFlip(),
        VerticalFlip(),
        Saturation(0.8),
        Hue(0.3),
        Blur(2.0),
        ResizedCrop(0.6),
        RandomCrop(0.5, fill_value=7),
        Saturation(0.8, value_range=(40, 180)),
        Blur(2.0, probability=0.5),
    ],
    ids=repr,
)
def test_opencv_transform_agrees_with_numpy(transform, size, dtype, monkeypatch):
    pytest.importorskip("cv2", minversion="5.0")
    images = smooth_images(6, size, size - 3, (3,)) * np.array([1.0, 0.7, 0.4])
    images = images.astype(dtype)
    fast = transform(images, rng=0).astype(float)
    monkeypatch.setattr(opencv, "load_opencv", lambda: None)
    slow = transform(images, rng=0).astype(float)
    assert np.abs(fast - slow).max() <= (1.0 if dtype == np.uint8 else 0.02)
    if transform.probability == 1.0:
        assert (fast != images).any()


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("size", [9, 80])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("probability", [1.0, 0.4, 0.0])
def test_rows_read_where_they_are_give_what_a_copy_gives(name, size, dtype, probability):
    values = np.random.default_rng(0).integers(0, 256, size=(7, size, size, 3)).astype(dtype)
    before, chosen = values.copy(), np.array([3, 0, 3, 6, 5])
    policy = Policy([REGISTRY[name](probability=probability)._bind(values)])
    labels = np.eye(5)
    expected = policy(values[chosen], np.random.default_rng(1), labels)
    new = policy(
        np.full_like(values[chosen], 99),
        np.random.default_rng(1),
        labels,
        source=Source(values, chosen),
    )
    np.testing.assert_array_equal(new[0], expected[0])
    np.testing.assert_array_equal(new[1], expected[1])
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("shape", [(70, 60), (70, 60, 1), (70, 60, 3)])
def test_rows_may_be_read_only(shape):
    images = np.random.default_rng(0).integers(0, 256, size=(6, *shape), dtype=np.uint8)
    images.flags.writeable = False
    policies = ["vertical_flip", "rotation", "random_crop", "brightness", "contrast", "blur"]
    for transforms in (*policies, [MixUp(soft_labels=True)], "resized_crop"):
        sampler = AugmentingSampler("image", transforms, factor=2, random_state=0)
        assert sampler.fit_resample(images, np.arange(6) % 2)[0].shape == (12, *shape)


def test_opencv_keeps_the_threads_of_its_user():
    cv2 = pytest.importorskip("cv2", minversion="5.0")
    before, inside = cv2.getNumThreads(), []
    cv2.setNumThreads(3)
    try:
        with opencv.one_thread(cv2):
            other = threading.Thread(target=lambda: Rotation()(np.zeros((2, 9, 9), np.uint8)))
            other.start()
            other.join()
            inside.append(cv2.getNumThreads())
        with pytest.raises(ValueError, match="stop"), opencv.one_thread(cv2):
            raise ValueError("stop")
        assert inside == [1] and cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


def random_policy(rng, channels):
    policy = []
    for name in rng.choice(IMAGES, rng.integers(1, 5)):
        options = {"probability": float(rng.random())} if rng.random() < 0.5 else {}
        if name in ("mixup", "cutmix"):
            options["soft_labels" if rng.random() < 0.5 else "same_class"] = True
        if channels == (3,) or name not in ("hue", "saturation"):
            policy.append(REGISTRY[name](**options))
    return policy


@pytest.mark.parametrize("seed", range(60))
def test_any_policy_gives_the_same_with_and_without_opencv(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    channels = [(), (1,), (2,), (3,), (4,), (5,)][rng.integers(6)]
    dtype = [np.uint8, np.uint8, np.float32, np.float64, np.int16, np.float16][rng.integers(6)]
    shape = (*rng.integers(2, 90, size=2), *channels)
    images = (rng.random((rng.integers(2, 40), *shape)) * 250).astype(dtype)
    before, y = images.copy(), np.arange(len(images)) % 2
    policy = random_policy(rng, channels)
    sampler = AugmentingSampler("image", policy, factor=float(rng.uniform(1, 3)), random_state=seed)
    new, labels = sampler.fit_resample(images, y)
    again = sampler.set_params(n_jobs=3).fit_resample(images, y)
    np.testing.assert_array_equal(again[0], new)
    np.testing.assert_array_equal(again[1], labels)
    np.testing.assert_array_equal(images, before)
    assert new.dtype == dtype and np.isfinite(new.astype(float)).all()
    monkeypatch.setattr(opencv, "load_opencv", lambda: None)
    slow, slow_labels = sampler.fit_resample(images, y)
    np.testing.assert_allclose(slow_labels, labels, atol=1 / 256)  # shares of bytes are rounded
    # Roundings add up, and contrast stretches them; another draw would differ everywhere.
    difference = np.abs(slow.astype(float) - new.astype(float))
    assert difference.mean() < 1.0, policy
