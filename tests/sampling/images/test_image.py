"""Transforms of images against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage, stats

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.sampling import (
    AugmentingSampler,
    Blur,
    Brightness,
    Contrast,
    CutMix,
    Cutout,
    HorizontalFlip,
    MixUp,
    PixelNoise,
    RandomCrop,
    RandomErasing,
    Rotation,
    Saturation,
    Shear,
    Translation,
    VerticalFlip,
    Zoom,
)
from skopt_wrap.sampling._images._colour import LUMA, hue_matrices
from skopt_wrap.sampling._images._geometry import rotation_maps
from skopt_wrap.sampling._images._pixels import random_boxes
from skopt_wrap.sampling._images._warp import warp_with_numpy as warp
from skopt_wrap.sampling._transform import REGISTRY, Policy

IMAGES = sorted(
    name
    for name, cls in REGISTRY.items()
    if "image" in cls.kinds and "series" not in cls.kinds and name not in ("hue", "saturation")
)
PLUS = np.array([[0, 1, 0], [2, 3, 4], [0, 5, 0]], dtype=float)


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("shape", [(40, 9, 7), (40, 9, 7, 3), (40, 9, 7, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_image_transform_keeps_shape_dtype_and_input(name, shape, dtype):
    X = np.random.default_rng(0).integers(1, 255, size=shape).astype(dtype)
    before = X.copy()
    result = REGISTRY[name]()(X, rng=0)
    assert result.shape == shape and result.dtype == dtype
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(result, REGISTRY[name]()(X, rng=0))
    assert (result != X).any()


@pytest.mark.parametrize("name", IMAGES)
def test_image_transform_probability_zero_changes_nothing(name):
    X = np.random.default_rng(0).random((5, 8, 8, 3))
    result = REGISTRY[name](probability=0.0)(X, rng=0)
    np.testing.assert_array_equal(result, X)


@pytest.mark.parametrize("name", IMAGES)
def test_image_transform_probability_half_changes_some(name):
    X = np.random.default_rng(0).random((200, 8, 8))
    result = REGISTRY[name](probability=0.5)(X, rng=0)
    changed = (result != X).any(axis=(1, 2)).mean()
    assert 0.3 < changed < 0.7


def test_flips_mirror_the_right_axis():
    X = np.arange(6).reshape(1, 2, 3)
    np.testing.assert_array_equal(HorizontalFlip(probability=1.0)(X)[0], [[2, 1, 0], [5, 4, 3]])
    np.testing.assert_array_equal(VerticalFlip(probability=1.0)(X)[0], [[3, 4, 5], [0, 1, 2]])


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [(90, np.rot90(PLUS)), (180, np.rot90(PLUS, 2)), (-90, np.rot90(PLUS, -1))],
)
def test_rotation_by_right_angles_is_exact(degrees, expected):
    maps = rotation_maps(np.deg2rad([degrees]))
    np.testing.assert_allclose(warp(PLUS[None], maps, "nearest", 0.0)[0], expected, atol=1e-12)


@pytest.mark.parametrize(
    ("fill", "mode"),
    [
        ("constant", "constant"),
        ("nearest", "nearest"),
        ("reflect", "reflect"),
        ("wrap", "grid-wrap"),
    ],
)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-4), (np.float64, 1e-11)])
@pytest.mark.parametrize("tail", [(), (3,)])
def test_warp_equals_scipy(fill, mode, dtype, tolerance, tail):
    rng = np.random.default_rng(0)
    X = rng.random((6, 9, 12, *tail)).astype(dtype)
    maps = np.tile(np.eye(3), (6, 1, 1))
    maps[:, :2] += rng.uniform(-0.5, 0.5, size=(6, 2, 3)) * [1, 1, 8]
    result = warp(X, maps, fill, 0.7)
    assert result.dtype == dtype
    centre = np.array([4, 5.5])
    for image, new, matrix in zip(X, result, maps, strict=True):
        offset = matrix[:2, 2] + centre - matrix[:2, :2] @ centre
        channels = [(image, new)] if not tail else zip(image.T, new.T, strict=True)
        for old, got in channels:
            old, got = (old, got) if not tail else (old.T, got.T)
            expected = ndimage.affine_transform(
                old, matrix[:2, :2], offset, order=1, mode=mode, cval=0.7
            )
            np.testing.assert_allclose(got, expected, atol=tolerance)


def test_warp_halfway_shift_averages_neighbours():
    maps = np.eye(3)[None].copy()
    maps[0, 1, 2] = 0.5  # reads half a pixel to the right
    result = warp(np.array([[[0.0, 2.0, 4.0]]]), maps, "nearest", 0.0)
    np.testing.assert_allclose(result[0, 0], [1, 3, 4])


@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        ("constant", [2, 3, 9]),
        ("nearest", [2, 3, 3]),
        ("reflect", [2, 3, 3]),
        ("wrap", [2, 3, 1]),
    ],
)
def test_warp_fills_beyond_the_border(fill, expected):
    maps = np.eye(3)[None].copy()
    maps[0, 1, 2] = 1.0
    result = warp(np.array([[[1.0, 2.0, 3.0]]]), maps, fill, 9.0)
    np.testing.assert_allclose(result[0, 0], expected)


def test_zoom_by_two_reads_half_the_way_from_the_centre():
    class Fixed:
        def uniform(self, low, high, size):
            return np.full(size, 2.0)

    maps = Zoom(0.5)._maps(1, 5, 5, Fixed())
    ramp = np.tile(np.arange(5.0), (5, 1))[None]
    np.testing.assert_allclose(warp(ramp, maps, "nearest", 0)[0, 0], [1, 1.5, 2, 2.5, 3])


def test_shear_moves_columns_in_proportion_to_the_row():
    maps = np.eye(3)[None].copy()
    maps[0, 1, 0] = 1.0  # 45 degrees
    ramp = np.tile(np.arange(5.0), (3, 1))[None]
    result = warp(ramp, maps, "nearest", 0)[0]
    np.testing.assert_allclose(result[:, 2], [1, 2, 3])
    angles = Shear(30)._maps(1000, 8, 8, np.random.default_rng(0))[:, 1, 0]
    assert np.abs(angles).max() <= np.tan(np.deg2rad(30))


def test_translation_stays_within_its_magnitude():
    shift = Translation(0.25)._maps(1000, 8, 16, np.random.default_rng(0))[:, :2, 2]
    assert np.abs(shift).max(axis=0)[0] <= 2 and 3.9 < np.abs(shift).max(axis=0)[1] <= 4


def test_consecutive_warps_are_fused_into_one_interpolation():
    X = np.random.default_rng(0).random((3, 9, 9))
    policy = Policy([Rotation(20), Zoom(0.2), Translation(0.1)])
    assert len(policy.stages) == 1
    fused = policy(X.copy(), np.random.default_rng(5))[0]
    rng = np.random.default_rng(5)
    maps = Rotation(20)._maps(3, 9, 9, rng) @ Zoom(0.2)._maps(3, 9, 9, rng)
    maps = maps @ Translation(0.1)._maps(3, 9, 9, rng)
    np.testing.assert_allclose(fused, warp(X, maps, "nearest", 0.0))
    assert len(Policy([Rotation(20), Zoom(0.2, fill="wrap")]).stages) == 2


def test_random_crop_moves_whole_pixels():
    X = np.arange(1.0, 17).reshape(1, 4, 4).repeat(200, axis=0)
    result = RandomCrop(0.25)(X, rng=0)
    places = set()
    for image in result:
        rows, columns = np.nonzero(image)
        values = image[rows, columns] - 1
        move = {
            (int(r - v // 4), int(c - v % 4)) for r, c, v in zip(rows, columns, values, strict=True)
        }
        assert len(move) == 1
        places |= move
    assert places == {(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1)}


def test_random_crop_differs_within_a_batch():
    X = np.arange(1.0, 65).reshape(1, 8, 8).repeat(8, axis=0)
    assert len(np.unique(RandomCrop(0.25)(X, rng=0), axis=0)) > 4


def test_brightness_adds_one_constant_per_image():
    X = np.full((50, 4, 4), 0.5)
    change = Brightness(0.2, value_range=(0, 1))(X, rng=0) - X
    assert np.ptp(change, axis=(1, 2)).max() < 1e-12
    assert 0.15 < np.abs(change).max() <= 0.2


def test_contrast_keeps_the_mean_and_scales_deviations():
    X = np.array([[[0.4, 0.6]]])
    result = Contrast(0.5, value_range=(0, 1))(X, rng=0)
    gain = 1 + np.random.default_rng(0).uniform(-0.5, 0.5)
    np.testing.assert_allclose(result, [[[0.5 - 0.1 * gain, 0.5 + 0.1 * gain]]])


def test_light_stays_in_range():
    X = np.random.default_rng(0).integers(0, 256, size=(20, 8, 8), dtype=np.uint8)
    for transform in (Brightness(1.0), Contrast(1.0), PixelNoise(1.0)):
        result = transform(X / 255.0, rng=0)
        assert result.min() >= 0 and result.max() <= 1
        assert transform(X, rng=0).dtype == np.uint8


def test_noise_has_the_standard_deviation_asked_for():
    X = np.full((10, 50, 50), 0.5)
    assert abs(PixelNoise(0.05, value_range=(0, 1))(X, rng=0).std() - 0.05) < 0.001


def test_noise_of_bytes_is_gaussian_rounded_and_clipped():
    X = np.full((8, 100, 100), 100, dtype=np.uint8)
    noise = PixelNoise(0.05)(X, rng=0).astype(int) - 100
    assert abs(noise.mean()) < 0.2 and abs(noise.std() - np.hypot(12.75, 12**-0.5)) < 0.1
    steps = np.arange(-40, 41) + 0.5
    expected = stats.norm.cdf(steps / 12.75)
    shares = (noise.ravel()[:, None] <= steps).mean(axis=0)
    np.testing.assert_allclose(shares, expected, atol=0.004)
    assert abs(np.corrcoef(noise.ravel()[:-1], noise.ravel()[1:])[0, 1]) < 0.01
    strong = PixelNoise(1.0, value_range=(20, 200))(X, rng=0)
    assert (strong.min(), strong.max()) == (20, 200)


def test_cutout_erases_a_square():
    result = Cutout(0.5, fill_value=-1)(np.ones((300, 8, 8)), rng=0)
    erased = (result == -1).sum(axis=(1, 2))
    assert erased.max() == 16 and erased.min() >= 4
    assert ((result == 1) | (result == -1)).all()


def test_random_erasing_has_the_area_and_shape_asked_for():
    erase = RandomErasing(0.4, ratio=2.0, fill_value=-1, probability=1.0)
    gone = erase(np.ones((500, 100, 60)), rng=0) == -1
    heights, widths = gone.any(axis=2).sum(axis=1), gone.any(axis=1).sum(axis=1)
    areas = gone.sum(axis=(1, 2))
    np.testing.assert_array_equal(areas, heights * widths)  # a rectangle, whole, inside
    assert areas.min() > 0.015 * 6000 and areas.max() < 0.42 * 6000
    assert abs(areas.mean() / 6000 - 0.21) < 0.02
    ratios = np.maximum(heights / widths, widths / heights)[areas > 300]
    assert ratios.max() < 2.2 and ratios.max() > 1.7
    whole = RandomErasing(1.0, ratio=1.0, fill_value=5, probability=1.0, value_range=(0, 1))
    assert whole(np.ones((4, 9, 9)), rng=0).max() == 5


@pytest.mark.parametrize("high", [200, 255])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_random_erasing_fills_with_random_pixels_of_the_range(dtype, high):
    X = np.zeros((60, 30, 30, 3), dtype=dtype)
    result = RandomErasing(1.0, probability=1.0, value_range=(0, high))(X, rng=0)
    erased = result[(result != 0).any(axis=3)]
    assert erased.min() >= 0 and erased.max() <= high and abs(erased.mean() - high / 2) < 2
    assert len(np.unique(erased)) > 190 and (erased[:, 0] != erased[:, 1]).mean() > 0.9
    with pytest.raises(ParameterError, match="ratio"):
        RandomErasing(ratio=0.5)


def test_random_boxes_are_cut_at_the_border():
    class Corner:
        def integers(self, low, high, size):
            return np.full(size, high - 1)

    boxes = random_boxes(Corner(), np.array([[4.0, 2.0], [8.0, 4.0]]), 8, 4)
    assert boxes.tolist() == [[5, 8, 2, 4], [3, 8, 1, 4]]


def test_mixup_blends_data_and_labels_alike():
    X = np.arange(4.0)[:, None, None] * np.ones((1, 2, 2))
    labels = np.arange(4.0)[:, None]
    mixed, soft = MixUp(1.0)._mix(X.copy(), np.random.default_rng(0), labels, None)
    np.testing.assert_allclose(mixed[:, 0, 0], soft[:, 0])
    rng = np.random.default_rng(0)
    share = rng.beta(1.0, 1.0, size=4)
    share = np.maximum(share, 1 - share)
    partner = rng.permutation(4)
    np.testing.assert_allclose(soft[:, 0], share * np.arange(4) + (1 - share) * partner)


def test_cutmix_labels_follow_the_pasted_area():
    X = np.eye(6)[:, :, None, None] * np.ones((1, 1, 8, 8))
    X = np.moveaxis(X, 1, -1)  # image i is 1 in channel i
    mixed, soft = CutMix()._mix(X.copy(), np.random.default_rng(0), np.eye(6), None)
    np.testing.assert_allclose(mixed.mean(axis=(1, 2)), soft)
    assert (np.diag(soft) >= 0.5).all() and (np.diag(soft) < 1).any()


@pytest.mark.parametrize("name", ["hue", "saturation"])
def test_colour_keeps_grey_and_luma(name):
    rng = np.random.default_rng(0)
    grey = np.repeat(rng.integers(0, 256, size=(5, 6, 6, 1), dtype=np.uint8), 3, axis=3)
    np.testing.assert_array_equal(REGISTRY[name](0.5)(grey, rng=0), grey)
    X = rng.uniform(0.3, 0.7, size=(5, 6, 6, 3))
    result = REGISTRY[name](0.2, value_range=(-9, 9))(X, rng=0)
    assert (result != X).any()
    np.testing.assert_allclose(result @ LUMA, X @ LUMA, atol=1e-5)
    with pytest.raises(DataError, match="needs images of shape"):
        REGISTRY[name]()(X[..., 0], rng=0)


def test_saturation_of_minus_one_is_grey():
    X = np.random.default_rng(0).random((200, 2, 2, 3))
    result = Saturation(1.0)(X, rng=0)
    gain = 1 + np.random.default_rng(0).uniform(-1, 1, size=200)
    luma = (X @ LUMA)[..., None]
    expected = np.clip(luma + gain[:, None, None, None] * (X - luma), 0, 1)
    np.testing.assert_allclose(result, expected)


def test_hue_full_turn_is_the_identity():
    np.testing.assert_allclose(hue_matrices(np.array([0.0, 2 * np.pi])), [np.eye(3)] * 2, atol=1e-9)
    there, back = hue_matrices(np.array([0.7, -0.7]))
    np.testing.assert_allclose(there @ back, np.eye(3), atol=1e-9)


def test_blur_spreads_and_keeps_channels_apart():
    X = np.zeros((1, 9, 9, 2))
    X[0, 4, 4, 0] = 1.0
    result = Blur(1.8)(X, rng=0)
    width = np.random.default_rng(0).uniform(0, 1.8)
    expected = ndimage.gaussian_filter(X[0, :, :, 0], width, mode="nearest", truncate=3)
    np.testing.assert_allclose(result[0, :, :, 0], expected)
    assert (result[..., 1] == 0).all()


def test_transform_repr_shows_what_differs():
    assert repr(Rotation(10)) == "Rotation(magnitude=10)"
    assert repr(HorizontalFlip(probability=1.0)) == "HorizontalFlip(probability=1.0)"
    assert Rotation(10) == Rotation(10.0) != Rotation(11)


def test_mixup_of_bytes_agrees_with_floats():
    images = np.random.default_rng(0).integers(0, 256, size=(40, 6, 6, 3), dtype=np.uint8)
    images[:2], images[2:4] = 0, 255
    labels = np.arange(40) % 4
    mixing = AugmentingSampler("image", [MixUp(1.0, soft_labels=True)], factor=2, random_state=0)
    new, soft = mixing.fit_resample(images, labels)
    exact, exact_soft = mixing.fit_resample(images.astype(float), labels)
    assert new.dtype == np.uint8
    assert np.abs(new - exact).max() <= 1.0 and np.abs(soft - exact_soft).max() <= 1 / 512
