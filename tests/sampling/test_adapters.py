"""Keras layers, albumentations transforms, and arrays of any layout."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.sampling import AugmentingSampler, Brightness, Rotation, _row_blocks
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
    floats = sampler.fit_resample(X.astype(float), Y)[0]
    assert floats.dtype == np.float64 and floats.min() >= 0 and floats.max() <= 255


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


# Ranges of values ------------------------------------------------------------------------------

PHOTOS = np.random.default_rng(1).integers(0, 256, size=(6, 16, 16, 3)).astype(float)
LABELS = np.arange(6) % 2

#: Format -> the pixels of PHOTOS in it, and their range.
FORMATS = {
    "uint8": (PHOTOS.astype(np.uint8), None),
    "float 0..1": ((PHOTOS / 255).astype(np.float32), (0, 1)),
    "float64 0..1": (PHOTOS / 255, (0, 1)),
    "float 0..255": (PHOTOS.astype(np.float32), (0, 255)),
    "standardised": ((PHOTOS / 127.5 - 1).astype(np.float32), (-1, 1)),
    "uint16": ((PHOTOS * 257).astype(np.uint16), (0, 65535)),
    "int16": ((PHOTOS * 10 - 1000).astype(np.int16), (-1000, 1550)),
}

KERAS_LAYERS = {
    "AugMix": {"num_chains": 1, "chain_depth": 1},
    "AutoContrast": {},
    "ContrastLimitedAdaptiveHistogramEqualization": {"tile_grid_size": (2, 2)},
    "Equalization": {},
    "RandAugment": {},
    "RandomBrightness": {"factor": 0.3},
    "RandomColorDegeneration": {"factor": 0.5},
    "RandomColorJitter": {
        "brightness_factor": 0.2,
        "contrast_factor": 0.2,
        "saturation_factor": 0.2,
        "hue_factor": 0.2,
    },
    "RandomContrast": {"factor": 0.5},
    "RandomElasticTransform": {"factor": 0.5},
    "RandomErasing": {},
    "RandomFlip": {},
    "RandomGaussianBlur": {},
    "RandomGrayscale": {},
    "RandomHue": {"factor": 0.3},
    "RandomInvert": {},
    "RandomPerspective": {"factor": 0.5},
    "RandomPosterization": {"factor": 4},
    "RandomRotation": {"factor": 0.1},
    "RandomSaturation": {"factor": 0.3},
    "RandomSharpness": {"factor": 0.5},
    "RandomShear": {"x_factor": 0.2},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
    "Solarization": {"threshold_factor": 0.5},
}
# They sort pixels into 256 steps, or fill with 0 what lies outside of the image.
COARSE = {
    "AugMix",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "Equalization",
    "RandAugment",
    "RandomElasticTransform",
    "RandomPerspective",
    "RandomPosterization",
}
# They call many layers, some of them twice: two formats must do.
SLOW = {"AugMix", "RandAugment", "RandomElasticTransform"}


def in_bytes(images, value_range):
    """Return images of any format on the scale 0 to 255."""
    low, high = value_range or (0, 255)
    return (images.astype(float) - low) / (high - low) * 255


def resampled(step, images, value_range):
    sampler = AugmentingSampler(
        "image", [step], factor=1, keep_original=False, value_range=value_range, random_state=0
    )
    new, _ = sampler.fit_resample(images, LABELS)
    assert new.dtype == images.dtype and new.shape == images.shape
    return new


@pytest.mark.keras
@pytest.mark.parametrize("name", KERAS_LAYERS)
def test_keras_layers_do_the_same_in_every_range(name):
    import keras

    if not hasattr(keras.layers, name):
        pytest.skip(f"this version of Keras has no {name}")
    layer = getattr(keras.layers, name)(**KERAS_LAYERS[name])
    reference = resampled(layer, PHOTOS.astype(np.float32), (0, 255)).astype(float)
    assert np.ptp(reference) > 100, "no black image"
    formats = ["float 0..1", "uint16"] if name in SLOW else list(FORMATS)
    for name_of_format in formats:
        images, value_range = FORMATS[name_of_format]
        new = in_bytes(resampled(layer, images, value_range), value_range)
        error = np.abs(new - reference)
        if name in COARSE:
            assert np.median(error) < 0.6 and error.mean() < 3, name_of_format
        else:
            step = 0.51 if images.dtype.kind in "iu" else 0.05  # rounding
            assert (error <= step).mean() > 0.99, name_of_format


@pytest.mark.keras
def test_keras_layers_in_a_sequential_keep_their_own_ranges():
    import keras

    chain = keras.Sequential(
        [
            keras.layers.RandomBrightness((0.1, 0.1), value_range=(0, 1)),
            keras.layers.RandomInvert((1.0, 1.0), value_range=(0, 255)),
        ]
    )
    images = np.full((6, 8, 8, 3), 51, dtype=np.uint8)
    sampler = AugmentingSampler("image", [chain], factor=1, keep_original=False, random_state=0)
    new, _ = sampler.fit_resample(images, LABELS)
    assert set(np.unique(new)) <= {178, 179}, "255 - (51 + 25.5)"


ALBUMENTATIONS = {
    "Blur": {},
    "CLAHE": {},
    "ChannelShuffle": {},
    "CoarseDropout": {},
    "ColorJitter": {},
    "Defocus": {},
    "Downscale": {},
    "ElasticTransform": {},
    "Emboss": {},
    "Equalize": {},
    "GaussNoise": {},
    "GaussianBlur": {},
    "GridDistortion": {},
    "HorizontalFlip": {},
    "HueSaturationValue": {},
    "ISONoise": {},
    "ImageCompression": {},
    "InvertImg": {},
    "MotionBlur": {},
    "Posterize": {},
    "RGBShift": {},
    "RandomBrightnessContrast": {},
    "RandomGamma": {},
    "Rotate": {},
    "Sharpen": {},
    "Solarize": {},
    "ToGray": {},
}


@pytest.mark.parametrize("name", ALBUMENTATIONS)
def test_albumentations_do_the_same_in_every_range(name, monkeypatch):
    monkeypatch.setenv("NO_ALBUMENTATIONS_UPDATE", "1")
    albumentations = pytest.importorskip("albumentations")
    transform = getattr(albumentations, name)(**ALBUMENTATIONS[name], p=1.0)
    reference = resampled(transform, (PHOTOS / 255).astype(np.float32), (0, 1)).astype(float) * 255
    assert np.ptp(reference) > 50, "no black image"
    for name_of_format, (images, value_range) in FORMATS.items():
        if name_of_format == "uint8":  # passed as it is; what the library does with it is its own
            resampled(transform, images, value_range)
            continue
        new = in_bytes(resampled(transform, images, value_range), value_range)
        # Some transforms compute in 256 steps, so that rounding can move a pixel by one of them.
        assert np.median(np.abs(new - reference)) < 0.6, name_of_format
        assert np.abs(new - reference).mean() < 1.5, name_of_format


def test_range_is_learned_or_given_and_checked():
    dark = (PHOTOS[..., 0] / 1000).astype(np.float32)
    light = AugmentingSampler("image", ["brightness"], factor=2, random_state=0)
    light.fit_resample(dark, LABELS)
    assert light.transforms_[0].value_range == (0.0, 1.0)
    light.set_params(value_range=(0, 0.5)).fit_resample(dark, LABELS)
    assert light.transforms_[0].value_range == (0.0, 0.5)
    own = AugmentingSampler("image", [Brightness(0.1, value_range=(0, 2))], value_range=(0, 0.5))
    own.set_params(factor=2, random_state=0).fit_resample(dark, LABELS)
    assert own.transforms_[0].value_range == (0, 2)
    drawn = AugmentingSampler("image", ["rand_augment"], value_range=(0, 0.5), factor=9)
    new, _ = drawn.set_params(random_state=0).fit_resample(dark, LABELS)
    assert 0.3 < new.max() <= 0.5
    with pytest.raises(DataError, match=r"pixels from 0 to 0.25.*outside of value_range"):
        light.set_params(value_range=(0, 0.1)).fit_resample(dark, LABELS)
    for bad in ((1, 0), (0,), ("a", "b"), (0, 1, 2)):
        with pytest.raises(ParameterError, match=r"value_range must be None or \(low, high\)"):
            light.set_params(value_range=bad).fit_resample(dark, LABELS)
    with pytest.raises(ParameterError, match="is for images"):
        AugmentingSampler("series", value_range=(0, 1)).fit_resample(dark[:, 0], LABELS)


@pytest.mark.keras
def test_keras_layers_leave_the_random_state_of_python_alone():
    import random

    import keras

    layer = keras.layers.AugMix(num_chains=1, chain_depth=1)  # draws its own seed
    random.seed(3)
    state = random.getstate()
    resampled(layer, PHOTOS[:, :8, :8].astype(np.uint8), None)
    assert random.getstate() == state
