"""Masks, boxes and key points move with the pixels of their images."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from imblearn.pipeline import Pipeline
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.preprocessing import FunctionTransformer

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.sampling import (
    AugmentingSampler,
    HorizontalFlip,
    RandAugment,
    RandomCrop,
    Rotation,
    Translation,
    VerticalFlip,
    available_transforms,
)

RNG = np.random.default_rng(0)
N, HEIGHT, WIDTH = 12, 40, 32
Y = np.array([0] * 8 + [1] * 4)


def scenes():
    """Return images of one bright rectangle each, its mask, its box and its corners."""
    images = np.zeros((N, HEIGHT, WIDTH), dtype=np.float32)
    boxes, points = [], []
    for image in images:
        top, left = RNG.integers(8, 16), RNG.integers(8, 12)
        bottom, right = top + RNG.integers(8, 14), left + RNG.integers(6, 10)
        image[top:bottom, left:right] = 1.0
        boxes.append([[left, top, right, bottom]])
        points.append([[left, top], [right - 1, bottom - 1]])
    masks = (images > 0).astype(np.int16) * 7
    return images, masks, np.array(boxes, dtype=float), np.array(points, dtype=float)


IMAGES, MASKS, BOXES, POINTS = scenes()

MOVING = {
    "rotation": Rotation(20.0),
    "zoom": "zoom",
    "translation": Translation(0.1),
    "shear": "shear",
    "resized_crop": "resized_crop",
    "horizontal_flip": HorizontalFlip(probability=0.5),
    "vertical_flip": VerticalFlip(probability=1.0),
    "random_crop": RandomCrop(0.1),
}
STILL = ["brightness", "contrast", "noise", "blur", "cutout", "random_erasing"]
REFUSED = ["mixup", "cutmix", "aug_mix"]


def moved(policy, images=IMAGES, **params):
    sampler = AugmentingSampler("image", policy, factor=3, random_state=0, **params)
    return sampler, sampler.fit_resample(images, Y, masks=MASKS, boxes=BOXES, keypoints=POINTS)


@pytest.mark.parametrize("probability", [1.0, 0.5])
@pytest.mark.parametrize("name", MOVING)
def test_masks_boxes_and_points_follow_the_pixels(name, probability):
    transform = MOVING[name]
    if probability < 1 and not isinstance(transform, str):
        transform = type(transform)(probability=probability)
    sampler, (X, _, masks, boxes, points) = moved([transform])
    assert masks.dtype == MASKS.dtype and masks.shape == X.shape and set(np.unique(masks)) <= {0, 7}
    np.testing.assert_array_equal(masks[:N], MASKS)
    np.testing.assert_array_equal(boxes[:N], BOXES)
    np.testing.assert_array_equal(points[:N], POINTS)
    for image, mask, box, corners in zip(X, masks, boxes, points, strict=True):
        # The mask is where the image is bright, to within the pixels of the edge.
        assert ((image > 0.5) != (mask > 0)).mean() < 0.02
        rows, columns = np.nonzero(mask)
        left, top, right, bottom = box[0]
        assert left - 1 <= columns.min() and columns.max() <= right
        assert top - 1 <= rows.min() and rows.max() <= bottom
        slack = 3.0 if name in ("rotation", "shear") else 1.5
        if name not in ("rotation", "shear"):
            assert abs(columns.min() - left) <= slack and abs(columns.max() + 1 - right) <= slack
            assert abs(rows.min() - top) <= slack and abs(rows.max() + 1 - bottom) <= slack
        for x, y in corners:
            near = mask[max(0, round(y) - 2) : round(y) + 3, max(0, round(x) - 2) : round(x) + 3]
            inside = 0 <= x < WIDTH and 0 <= y < HEIGHT
            assert not inside or (near > 0).any()
    assert (masks[N:] != MASKS[sampler.sample_indices_[N:]]).any()


@pytest.mark.parametrize(
    "policy", [*MOVING.values(), *STILL, "rand_augment", list(MOVING.values())]
)
def test_images_are_the_same_with_and_without(policy):
    sampler, (X, *_) = moved(policy)
    np.testing.assert_array_equal(clone(sampler).fit_resample(IMAGES, Y)[0], X)
    bytes_ = (IMAGES * 255).astype(np.uint8)
    sampler, (X, *_) = moved(policy, bytes_)
    np.testing.assert_array_equal(clone(sampler).fit_resample(bytes_, Y)[0], X)


@pytest.mark.parametrize("name", STILL)
def test_transforms_of_light_leave_them_where_they_are(name):
    sampler, (_, _, masks, boxes, points) = moved([name])
    for new, old in ((masks, MASKS), (boxes, BOXES), (points, POINTS)):
        np.testing.assert_array_equal(new, old[sampler.sample_indices_])


def test_chains_and_drawn_policies_move_them_too():
    images = np.repeat(MASKS[..., None] / 7, 3, axis=-1).astype(np.float32)
    for policy in (
        ["horizontal_flip", Rotation(10), "random_crop", "brightness", "zoom"],
        [RandAugment(0.3, transforms=(Rotation(30), Translation(0.2), HorizontalFlip()))],
        [RandAugment(0.3, transforms=(Rotation(30), VerticalFlip()), probability=0.5)],
    ):
        sampler = AugmentingSampler("image", policy, factor=4, random_state=0)
        X, _, masks = sampler.fit_resample(images, Y, masks=MASKS)
        assert ((X[..., 0] > 0.5) != (masks > 0)).mean() < 0.03
        threads = clone(sampler).set_params(n_jobs=3).fit_resample(images, Y, masks=MASKS)
        np.testing.assert_array_equal(threads[2], masks)


def test_flips_are_exact():
    images = RNG.random((N, 5, 4)).astype(np.float32)
    params = {"factor": 1, "keep_original": False, "random_state": 0}
    flip = AugmentingSampler("image", [HorizontalFlip(probability=1.0)], **params)
    box, point = [[[0, 1, 2, 3]]] * N, [[[0, 0], [3, 4]]] * N
    X, _, masks, boxes, points = flip.fit_resample(
        images, Y, masks=images, boxes=box, keypoints=point
    )
    np.testing.assert_array_equal(masks, X)
    assert boxes == [[[2, 1, 4, 3]]] * N, "a list of lists comes back as one"
    assert points == [[[3, 0], [0, 4]]] * N


def test_entries_may_differ_in_number_and_have_further_columns():
    boxes = [
        np.column_stack([np.tile(BOXES[i, 0], (i % 3, 1)), np.full(i % 3, i)]) for i in range(N)
    ]
    sampler = AugmentingSampler("image", [Translation(0.1)], factor=2, random_state=0)
    _, _, new = sampler.fit_resample(IMAGES, Y, boxes=boxes)
    assert isinstance(new, list) and len(new) == 2 * N
    for entry, source in zip(new, sampler.sample_indices_, strict=True):
        assert entry.shape[0] == source % 3
        if len(entry):
            assert (entry[:, 4] == source).all()


def test_boxes_are_clipped_and_integers_rounded():
    boxes = np.tile(np.array([[0, 0, WIDTH, HEIGHT]]), (N, 1, 1))
    sampler = AugmentingSampler("image", [Translation(0.3)], factor=3, random_state=0)
    _, _, new = sampler.fit_resample(IMAGES, Y, boxes=boxes)
    assert new.dtype == boxes.dtype and new.min() >= 0
    assert (new[..., 2] <= WIDTH).all() and (new[..., 3] <= HEIGHT).all()
    assert (new[N:] != boxes[0]).any(axis=(1, 2)).mean() > 0.9


def test_masks_beyond_the_border_follow_the_fill_mode():
    masks = np.ones((N, HEIGHT, WIDTH), dtype=np.uint8)
    for fill, lowest in (("constant", 0), ("nearest", 1), ("reflect", 1), ("wrap", 1)):
        policy = [Translation(0.3, fill=fill), RandomCrop(0.1, fill=fill)]
        sampler = AugmentingSampler("image", policy, factor=3, random_state=0)
        assert sampler.fit_resample(IMAGES, Y, masks=masks)[2].min() == lowest


@pytest.mark.parametrize("name", [*REFUSED, "a callable"])
def test_what_does_not_tell_how_it_moves_pixels_is_refused(name):
    transform = name if name != "a callable" else (lambda batch: batch)
    sampler = AugmentingSampler("image", [transform], factor=2)
    with pytest.raises(ParameterError, match="does not tell how it moves pixels, so masks"):
        sampler.fit_resample(IMAGES, np.linspace(0, 1, N), masks=MASKS)


def test_every_transform_of_images_is_one_of_these():
    assert set(available_transforms("image")) - {"saturation", "hue", "rand_augment"} == {
        *MOVING,
        *STILL,
        *REFUSED,
    }


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("masks", MASKS[:, :10], r"masks needs .*Entry 0 has shape \(10, 32\)"),
        ("boxes", np.zeros((N, 4)), r"boxes needs an array of shape \(n_boxes, 4 or more\)"),
        ("keypoints", [[[1]]] * N, "keypoints needs"),
        ("masks", MASKS[:3], "masks has 3 entries; X has 12 rows"),
        ("masks", np.full((N, HEIGHT, WIDTH), "a"), "dtype <U1"),
    ],
)
def test_shapes_are_checked(name, value, message):
    with pytest.raises(DataError, match=message):
        AugmentingSampler("image", "rotation", factor=2).fit_resample(IMAGES, Y, **{name: value})


def test_names_are_for_images_only():
    with pytest.raises(ParameterError, match=r"keypoints: .* the data are kind='series'"):
        AugmentingSampler("series").fit_resample(IMAGES[:, 0], Y, keypoints=POINTS)
    none = AugmentingSampler("series", random_state=0).fit_resample(IMAGES[:, 0], Y, masks=None)
    assert none[2] is None


def test_requests_follow_the_rules_of_metadata_routing():
    sampler = AugmentingSampler("image", "horizontal_flip", factor=2, random_state=0)
    with sklearn.config_context(enable_metadata_routing=True):
        requests = sampler.get_metadata_routing().fit_resample.requests
        assert set(requests) == {"sample_weight", "groups", "masks", "boxes", "keypoints"}
        assert set(requests.values()) == {None}
        asked = clone(sampler).set_fit_resample_request(masks=True, boxes="frames")
        assert clone(asked).get_metadata_routing().fit_resample.requests["masks"] is True
        same = FunctionTransformer(validate=False)
        pipeline = Pipeline([("same", same), ("augment", asked)])
        X, _, masks, boxes = pipeline.fit_resample(IMAGES, Y, masks=MASKS, frames=BOXES)
        assert X.shape == masks.shape and len(boxes) == len(X)
        with pytest.raises(UnsetMetadataPassedError, match="masks"):
            Pipeline([("same", same), ("augment", sampler)]).fit_resample(IMAGES, Y, masks=MASKS)
