"""Masks, boxes and key points of images: they move along with the pixels.

A transform that moves pixels tells how, as a :class:`Movement`; here the same is done to what
belongs to the images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...exceptions import DataError
from .._batch import Movement

#: Names under which `fit_resample` takes arrays that move with the pixels of images, and how many
#: coordinates an entry has (0: an image of its own).
ANNOTATIONS = {"masks": 0, "boxes": 4, "keypoints": 2}

_RULES = {
    "masks": "shape (n, height, width) or (n, height, width, channels), as high and wide as X",
    "boxes": "an array of shape (n_boxes, 4 or more) for each image: x_min, y_min, x_max, y_max",
    "keypoints": "an array of shape (n_points, 2 or more) for each image: x, y",
}


@dataclass
class Annotations:
    """What belongs to the images, and the moved copies of it for the new samples.

    Attributes
    ----------
    size : (int, int)
        Height and width of the images.
    given : dict of str to ndarray or list of ndarray
        For each name in `ANNOTATIONS` that the caller passed: one entry for each image.
    moved : dict of str to list
        For each name: one entry for each new sample.
    """

    size: tuple[int, int]
    given: dict[str, Any]
    moved: dict[str, list[Any]]

    def start(self, n_new: int) -> None:
        """Make room for the entries of `n_new` samples."""
        self.moved = {name: [None] * n_new for name in self.given}

    def move(self, positions: np.ndarray, sources: np.ndarray, track: Sequence[Movement]) -> None:
        """Write the entries of some new samples.

        Parameters
        ----------
        positions : ndarray of int, of shape (n,)
            Which of the new samples these are.
        sources : ndarray of int, of shape (n,)
            The image that each is made of.
        track : sequence of Movement
            How its pixels were moved, in this order.
        """
        for name, entries in self.given.items():
            if name == "masks":
                changed: Any = np.stack([entries[source] for source in sources.tolist()])
                for movement in track:
                    changed[movement.rows] = move_masks(changed[movement.rows], movement)
            else:
                changed = [np.array(entries[source]) for source in sources.tolist()]
                for movement in track:
                    backwards = np.linalg.inv(movement.maps)
                    for row, matrix in zip(movement.rows.tolist(), backwards, strict=True):
                        move = move_boxes if name == "boxes" else move_points
                        changed[row] = move(changed[row], matrix, self.size)
            for position, entry in zip(positions.tolist(), changed, strict=True):
                self.moved[name][position] = entry

    def result(self, name: str, original: Any, kept: np.ndarray) -> Any:
        """Return the entries of the originals kept and of the new samples, in their container."""
        entries = [self.given[name][row] for row in kept.tolist()] + self.moved[name]
        if not isinstance(original, list | tuple):
            return np.stack(entries) if entries else np.asarray(original)[:0]
        of_lists = len(original) > 0 and isinstance(original[0], list | tuple)
        return [entry.tolist() if of_lists else entry for entry in entries]


def read_annotations(aligned: Mapping[str, Any], images: np.ndarray) -> Annotations | None:
    """Return what belongs to the images among the aligned arrays; None if nothing does.

    Parameters
    ----------
    aligned : mapping of str to array-like or None
        Aligned arrays by name.
    images : ndarray of shape (n, height, width) or (n, height, width, channels)
        The images.

    Raises
    ------
    DataError
        For shapes that do not fit the images.
    """
    size = (images.shape[1], images.shape[2])
    given: dict[str, Any] = {}
    for name, coordinates in ANNOTATIONS.items():
        entries = aligned.get(name)
        if entries is None:
            continue
        items = [np.asarray(entry) for entry in entries]
        for row, item in enumerate(items):
            if coordinates and not item.size:
                item = items[row] = np.zeros((0, coordinates), dtype=item.dtype)
            fits = (
                (item.ndim == 2 and item.shape[1] >= coordinates)
                if coordinates
                else (item.ndim in (2, 3) and item.shape[:2] == size)
            )
            if not fits or item.dtype.kind not in "biuf":
                raise DataError(
                    f"{name} needs {_RULES[name]}. Entry {row} has shape {item.shape} and dtype "
                    f"{item.dtype}; the images have height and width {size}."
                )
        given[name] = items
    return Annotations(size, given, {}) if given else None


def move_masks(masks: np.ndarray, movement: Movement) -> np.ndarray:
    """Return masks whose pixels were moved; each takes the nearest pixel, none is interpolated.

    Parameters
    ----------
    masks : ndarray of shape (n, height, width) or (n, height, width, channels)
        Masks.
    movement : Movement
        How the pixels of their images were moved. Beyond the border the mask is 0 where the image
        has a constant.

    Returns
    -------
    moved : ndarray of the same shape and dtype
        The masks.
    """
    height, width = masks.shape[1:3]
    row, column = np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2
    moved = np.empty_like(masks)
    for i, matrix in enumerate(movement.maps):
        places, outside = [], np.zeros((height, width), dtype=bool)
        for axis, size in ((0, height), (1, width)):
            a, b, c = matrix[axis]
            where = a * row[:, None] + b * column + (c + (size - 1) / 2)
            if movement.fill == "constant":
                outside |= (where < -1e-4) | (where > size - 1 + 1e-4)
            places.append(_inside(np.rint(where).astype(np.intp), size, movement.fill))
        moved[i] = masks[i][places[0], places[1]]
        moved[i][outside] = 0
    return moved


def _inside(places: np.ndarray, size: int, fill: str) -> np.ndarray:
    """Return the pixels that the fill mode puts at these places, all of them inside."""
    if fill == "wrap":
        return places % size
    if fill == "reflect":
        places = places % (2 * size)
        return np.minimum(places, 2 * size - 1 - places)
    return np.clip(places, 0, size - 1)


def move_points(points: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return key points where they are after the pixels have moved.

    Parameters
    ----------
    points : ndarray of shape (n_points, 2 or more)
        x and y in pixels; (0, 0) is the middle of the first pixel. Other columns are kept.
    matrix : ndarray of shape (3, 3)
        Map from source to result, in (row, column, 1) from the centre of the image.
    size : (int, int)
        Height and width of the image.

    Returns
    -------
    moved : ndarray of the same shape and dtype
        The points; those that left the image have coordinates outside of it.
    """
    centre = (np.array(size) - 1) / 2
    moved = (points[:, 1::-1] - centre) @ matrix[:2, :2].T + matrix[:2, 2] + centre
    return _with_coordinates(points, moved[:, ::-1])


def move_boxes(boxes: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the boxes around what was in the boxes before the pixels moved.

    Parameters
    ----------
    boxes : ndarray of shape (n_boxes, 4 or more)
        x_min, y_min, x_max, y_max in pixels; (0, 0, width, height) is the whole image. Other
        columns are kept.
    matrix : ndarray of shape (3, 3)
        Map from source to result, in (row, column, 1) from the centre of the image.
    size : (int, int)
        Height and width of the image.

    Returns
    -------
    moved : ndarray of the same shape and dtype
        The boxes, clipped to the image; one that left it has no area.
    """
    centre = np.array(size) / 2
    corners = boxes[:, [1, 0, 1, 2, 3, 0, 3, 2]].reshape(-1, 4, 2)  # (y, x) of each corner
    moved = (corners - centre) @ matrix[:2, :2].T + matrix[:2, 2] + centre
    limits = np.array(size)
    first = np.clip(moved.min(axis=1), 0, limits)
    last = np.clip(moved.max(axis=1), 0, limits)
    return _with_coordinates(boxes, np.concatenate([first[:, ::-1], last[:, ::-1]], axis=1))


def _with_coordinates(entries: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """Return entries with other coordinates in their first columns; integers are rounded."""
    result = entries.copy()
    whole = entries.dtype.kind in "iu"
    result[:, : coordinates.shape[1]] = np.rint(coordinates) if whole else coordinates
    return result


def at_rows(track: Sequence[Movement], rows: np.ndarray) -> list[Movement]:
    """Return movements of a part of a batch as movements of the whole batch.

    Parameters
    ----------
    track : sequence of Movement
        Movements; their rows are positions in the part.
    rows : ndarray of int
        Positions of the part in the batch.
    """
    return [replace(movement, rows=rows[movement.rows]) for movement in track]
