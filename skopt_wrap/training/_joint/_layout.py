"""Where the weights of networks of unequal widths lie when they are trained jointly.

The weights of every network lie in one row of a matrix. Networks whose layers have unequal widths
get rows for the widest of them: a narrow layer takes the first units of a wide one, and what is
left is padding. Padding starts at zero and gets no gradient, so that it stays at zero; a unit of
padding may have any output (the sigmoid of zero is one half), since every weight that leads away
from it is padding too. Layers that count units, a softmax for instance, are not padded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._layer_spec import NotJointlyTrainable
from ._plan import Plan, Step, count_values

# Activations whose output for one unit depends on the others.
_OVER_UNITS = ("softmax", "log_softmax", "sparsemax", "glu")
_EACH_UNIT = (
    "Dropout", "SpatialDropout", "MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool",
    "ZeroPadding",
)  # fmt: skip
_MERGES = ("Add", "Multiply", "Subtract", "Average", "Maximum", "Minimum")


@dataclass
class Units:
    """The units of a value: their places among those of the widest network."""

    places: np.ndarray
    width: int

    @property
    def padded(self) -> bool:
        """Whether there are more places than units."""
        return len(self.places) < self.width


@dataclass
class Layout:
    """The places of several networks' weights in the rows of one matrix.

    Attributes
    ----------
    shapes : list of tuple of int
        Shapes of the weights of the widest network.
    weights : list of ndarray of int
        For each network the places of its weights in its row.
    stats : list of list of ndarray of int
        For each network, and each of its statistics, the places of the values.
    sizes : list of int
        Length of each statistic.
    drawn : list of ndarray of int
        For each layer of dropout (networks, units): which of its draws a unit takes.
    widths : ndarray of int of shape (networks, layers of dropout)
        Units of which a layer of dropout draws.
    padded : bool
        Whether any network has padding.
    """

    shapes: list[tuple[int, ...]]
    weights: list[np.ndarray]
    stats: list[list[np.ndarray]]
    sizes: list[int]
    drawn: list[np.ndarray]
    widths: np.ndarray
    padded: bool

    @property
    def n_weights(self) -> int:
        """Length of a row."""
        return count_values(self.shapes)

    def mask(self, dtype: str) -> np.ndarray:
        """Return (networks, weights): 1 where a network has a weight, 0 where it has padding."""
        found = np.zeros((len(self.weights), self.n_weights), dtype)
        for row, places in zip(found, self.weights, strict=True):
            row[places] = 1
        return found

    def keep(self, who: Sequence[int]) -> Layout:
        """Return the layout of some of the networks."""
        return Layout(
            self.shapes,
            [self.weights[k] for k in who],
            [self.stats[k] for k in who],
            self.sizes,
            [drawn[list(who)] for drawn in self.drawn],
            self.widths[list(who)],
            self.padded,
        )


def widest(plans: Sequence[Plan]) -> list[tuple[int, ...]]:
    """Return the greatest shape of each weight."""
    each = zip(*(plan.shapes for plan in plans), strict=True)
    return [tuple(map(max, zip(*shapes, strict=True))) for shapes in each]


def joint_layout(plans: Sequence[Plan]) -> Layout:
    """Return where the weights of networks of equal `Plan.key` lie.

    Raises
    ------
    NotJointlyTrainable
        When widths differ where a layer counts its units.
    """
    shapes = widest(plans)
    places = [_Placement(plan, shapes) for plan in plans]
    first = places[0]
    if any(place.n_stats != first.n_stats for place in places):
        raise NotJointlyTrainable("statistics are of several widths")
    padded = any(place.padded for place in places)
    if padded and any(place.unknown for place in places):
        raise NotJointlyTrainable("dropout of values of unknown width")
    return Layout(
        shapes,
        [place.weights for place in places],
        [place.stats for place in places],
        first.n_stats,
        [
            np.stack([place.drawn[i] for place in places]).astype(np.int32)
            for i in range(len(plans[0].seeds))
        ],
        np.array([place.widths for place in places], np.int32).reshape(len(plans), -1),
        padded,
    )


class _Placement:
    """The places of one network's weights."""

    def __init__(self, plan: Plan, shapes: Sequence[tuple[int, ...]]) -> None:
        self.plan, self._shapes = plan, shapes
        self.padded = any(own != shape for own, shape in zip(plan.shapes, shapes, strict=True))
        self._found: list[np.ndarray | None] = [None] * len(shapes)
        self.stats: list[np.ndarray] = []
        self.n_stats: list[int] = []
        self.drawn: list[np.ndarray] = []
        self.widths: list[int] = []
        self.unknown = False  # whether a layer of dropout has an unknown width
        values: list[Units | None] = [None]  # None where all units are there
        for step in plan.steps:
            values.append(self._step(step, [values[n] for n in step.inputs]))
        last = values[plan.output]
        if last is not None and last.padded:
            raise NotJointlyTrainable("outputs are of several widths")
        starts = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])
        parts = [
            start + (np.arange(int(np.prod(shape))) if places is None else places)
            for start, shape, places in zip(starts, shapes, self._found, strict=False)
        ]
        self.weights = np.concatenate(parts)

    def _step(self, step: Step, given: list[Units | None]) -> Units | None:
        """Place the weights and statistics of a step, and return the units of its output."""
        kind, units = step.kind, given[0]
        if kind in ("Dense", "Conv"):
            found = self._affine(step, units)
        elif kind == "BatchNormalization":
            for number in step.weights:
                self._put(number, units)
            found = units
        elif kind == "Activation":
            name = getattr(step.settings[0], "__name__", "")
            if units is not None and units.padded and name in _OVER_UNITS:
                raise NotJointlyTrainable(f"{name} of layers of several widths")
            found = units
        elif kind in _EACH_UNIT:
            found = units
        elif kind == "Flatten":
            found = _flattened(units, step.size)
        elif kind == "Concatenate":
            found = _joined(given)
        elif kind in _MERGES and all(_same(units, other) for other in given):
            found = units
        elif any(value is not None and value.padded for value in given):
            raise NotJointlyTrainable(f"{kind} of layers of several widths")
        else:
            found = None  # its weights have one shape, or are refused below
            for number in step.weights:
                self._put(number, None)
        if step.seed is not None:
            self._draw(units, step.size)
        for number in step.stats:
            self._put_stat(self.plan.stats[number], units)
        return found

    def _affine(self, step: Step, units: Units | None) -> Units | None:
        kernel = step.weights[0]
        own, wide = self.plan.shapes[kernel], self._shapes[kernel]
        if own[:-2] != wide[:-2]:
            raise NotJointlyTrainable("kernels are of several sizes")
        if units is None and own[-2] != wide[-2]:
            raise NotJointlyTrainable("rows are of several widths")
        before = np.arange(own[-2]) if units is None else units.places
        after = np.arange(own[-1])
        if own != wide:
            axes = [*map(np.arange, own[:-2]), before, after]
            self._found[kernel] = np.ravel_multi_index(np.ix_(*axes), wide).ravel()
        found = Units(after, wide[-1])
        for number in step.weights[1:]:
            self._put(number, found)
        return found

    def _put(self, number: int, units: Units | None) -> None:
        """Place a weight that has one value for each unit."""
        own, wide = self.plan.shapes[number], self._shapes[number]
        if own == wide:
            return
        if units is None or len(own) != 1 or (len(units.places), units.width) != (*own, *wide):
            raise NotJointlyTrainable("weights are of several shapes")
        self._found[number] = units.places

    def _put_stat(self, variable: Any, units: Units | None) -> None:
        size = int(np.prod(variable.shape))
        if units is None or not units.padded:
            self.stats.append(np.arange(size))
            self.n_stats.append(size)
        else:
            self.stats.append(units.places)
            self.n_stats.append(units.width)

    def _draw(self, units: Units | None, size: int | None) -> None:
        if units is None or not units.padded:
            self.unknown |= size is None
            self.drawn.append(np.arange(size or 0))
            self.widths.append(size or 0)
            return
        drawn = np.zeros(units.width, int)  # what padding draws does not matter
        drawn[units.places] = np.arange(len(units.places))
        self.drawn.append(drawn)
        self.widths.append(len(units.places))


def _flattened(units: Units | None, positions: int | None) -> Units | None:
    """Return the units after the positions of each were put side by side."""
    if positions is None and units is not None and units.padded:
        raise NotJointlyTrainable("a value of unknown size is flattened")
    if positions is None or units is None:
        return None
    places = np.arange(positions)[:, None] * units.width + units.places
    return Units(places.ravel(), positions * units.width)


def _joined(given: list[Units | None]) -> Units | None:
    """Return the units of values that are put side by side."""
    known = [value for value in given if value is not None]
    if len(known) < len(given):
        if any(value.padded for value in known):
            raise NotJointlyTrainable("Concatenate of layers of several widths")
        return None
    starts = np.cumsum([0, *(value.width for value in known)])
    parts = [start + value.places for start, value in zip(starts, known, strict=False)]
    return Units(np.concatenate(parts), int(starts[-1]))


def _same(units: Units | None, other: Units | None) -> bool:
    if all(value is None or not value.padded for value in (units, other)):
        return True
    if units is None or other is None:
        return False
    return units.width == other.width and np.array_equal(units.places, other.places)
