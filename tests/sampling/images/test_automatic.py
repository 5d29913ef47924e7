"""RandAugment, AugMix, resized crops and flips that warps take in."""

from __future__ import annotations

import numpy as np
import pytest

from skopt_wrap.exceptions import ParameterError
from skopt_wrap.sampling import (
    AugmentingSampler,
    AugMix,
    Brightness,
    HorizontalFlip,
    RandAugment,
    ResizedCrop,
    Rotation,
    SynonymReplacement,
    VerticalFlip,
)
from skopt_wrap.sampling._transform import Policy

IMAGES = np.random.default_rng(0).integers(0, 256, size=(40, 10, 12, 3), dtype=np.uint8)


@pytest.mark.parametrize("cls", [RandAugment, AugMix, ResizedCrop])
@pytest.mark.parametrize("images", [IMAGES, IMAGES[..., 0], IMAGES / 255, IMAGES[..., :2]])
def test_image_policy_keeps_shape_dtype_and_range(cls, images):
    new = cls(0.8)(images, rng=0)
    assert new.shape == images.shape and new.dtype == images.dtype
    assert new.min() >= 0 and new.max() <= images.max() + 1e-9
    assert (new != images).reshape(len(images), -1).any(axis=1).mean() > 0.7
    np.testing.assert_array_equal(cls(0.8)(images, rng=0), new)


@pytest.mark.parametrize("cls", [RandAugment, AugMix])
def test_image_policy_of_no_strength_changes_nothing(cls):
    operations = (Rotation(30), Brightness(0.5))
    new = cls(0.0, transforms=operations)(IMAGES, rng=0)
    np.testing.assert_array_equal(new, IMAGES)


def test_rand_augment_applies_as_many_operations_as_asked():
    calls = np.zeros((5, 1, 1))
    plus = tuple(Brightness(0.5, value_range=(0, 100)) for _ in range(2))
    one = RandAugment(1.0, n_operations=1, transforms=plus)(calls + 50, rng=0)
    assert (one != 50).all() and np.unique(one).size == 5
    assert RandAugment(1.0, n_operations=3)._bind(IMAGES).n_operations == 3


def test_rand_augment_strength_scales_the_operations():
    bound = [op for policy in RandAugment(0.5)._bind(IMAGES).bound for op in policy.stages]
    assert bound[0].magnitude == 15.0 and any(type(op).__name__ == "Saturation" for op in bound)
    grey = RandAugment(0.5)._bind(IMAGES[..., 0]).bound
    assert not any(type(op).__name__ == "Saturation" for op in grey)


def test_aug_mix_is_a_weighted_mean():
    flip = (VerticalFlip(probability=1.0),)
    image = np.zeros((200, 2, 1))
    image[:, 0] = 1.0
    mixed = AugMix(1.0, depth=1, transforms=flip)(image, rng=0)
    np.testing.assert_allclose(mixed.sum(axis=(1, 2)), 1.0)
    own = mixed[:, 0, 0]
    assert 0.4 < own.mean() < 0.6 and own.min() < 0.1 and own.max() > 0.9


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: RandAugment(n_operations=0), "n_operations"),
        (lambda: AugMix(width=1.5), "width"),
        (lambda: AugMix(depth=True), "depth"),
        (lambda: RandAugment(transforms=()), "empty"),
        (lambda: RandAugment(transforms=(SynonymReplacement(),)), "images"),
        (lambda: RandAugment(2.0), "magnitude"),
        (lambda: ResizedCrop(ratio=0.5), "ratio"),
    ],
)
def test_image_policy_bad_values(build, message):
    with pytest.raises(ParameterError, match=message):
        build()


def test_resized_crop_shows_a_part_of_the_right_size():
    ramp = np.broadcast_to(np.arange(101.0)[None, :, None], (300, 101, 101))
    new = ResizedCrop(0.5, ratio=1.5)(ramp, rng=0)
    side = (new[:, -1, 0] - new[:, 0, 0]) / 100
    across = ResizedCrop(0.5, ratio=1.5)(ramp.transpose(0, 2, 1), rng=0)
    other = (across[:, 0, -1] - across[:, 0, 0]) / 100
    area = side * other
    # Sides are rounded to whole numbers of pixels.
    assert area.min() >= 0.49 and area.max() <= 1.001 and abs(area.mean() - 0.75) < 0.03
    assert (side / other).max() <= 1.53 and (side / other).max() > 1.2
    assert new.min() >= 0 and new.max() <= 100
    np.testing.assert_allclose(ResizedCrop(0.0)(ramp[:2], rng=0), ramp[:2])


@pytest.mark.parametrize("cls", [HorizontalFlip, VerticalFlip])
def test_flip_and_warp_are_one_interpolation(cls):
    images = np.random.default_rng(1).random((20, 9, 9))
    policy = Policy([cls(probability=1.0), Rotation(0.0), cls(probability=1.0)])
    assert len(policy.stages) == 1
    np.testing.assert_allclose(policy(images.copy(), np.random.default_rng(0))[0], images)
    odd = Policy([Rotation(0.0), cls(probability=1.0)])(images.copy(), np.random.default_rng(0))[0]
    np.testing.assert_allclose(odd, np.flip(images, 2 if cls is HorizontalFlip else 1))


def test_flip_happens_at_its_rate_alone_and_fused():
    images = np.tile(np.array([0.0, 1.0]), (2000, 2, 1))
    alone = HorizontalFlip(probability=0.3)(images, rng=0)[:, 0, 0]
    fused = Policy([HorizontalFlip(probability=0.3), Rotation(0.0)])
    both = fused(images.copy(), np.random.default_rng(0))[0][:, 0, 0]
    assert abs(alone.mean() - 0.3) < 0.04 and abs(both.mean() - 0.3) < 0.04


def test_sampler_knows_the_policies_by_name():
    sampler = AugmentingSampler("image", ["resized_crop", "rand_augment", "aug_mix"], factor=2)
    new, _ = sampler.set_params(random_state=0).fit_resample(IMAGES, np.arange(40) % 2)
    assert new.shape == (80, 10, 12, 3)
