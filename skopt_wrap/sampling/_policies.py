"""Turn the parameter ``transforms`` (names, objects, callables) into a list of transforms."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import fields
from numbers import Real
from typing import Any

from imblearn.base import BaseSampler
from sklearn.base import BaseEstimator, clone

from ..exceptions import DataError, ParameterError, suggest
from ._adapters import AdaptedStep, adapt
from ._containers import Data
from ._images._annotations import ANNOTATIONS
from ._images._colour import Brightness
from ._images._geometry import Rotation, Translation, Zoom
from ._over_samplers import (
    OVER_SAMPLERS,
    Interpolation,
    as_interpolation,
    named_over_sampler,
)
from ._tabular import GaussianNoise
from ._texts._text import KeyboardTypos, RandomSwap
from ._texts._words import SynonymReplacement
from ._time_series._series import Jitter, Scaling, TimeWarp
from ._transform import REGISTRY, MixingTransform, Step, Transform

#: What ``transforms="default"`` stands for: changes that hardly ever change the label. There are no
#: flips, only small angles and shifts, and no word is lost.
DEFAULTS: dict[str, tuple[Transform, ...]] = {
    "image": (Rotation(10.0), Zoom(0.1), Translation(0.08), Brightness(0.1)),
    "series": (Jitter(0.05), Scaling(0.1), TimeWarp(0.2)),
    "tabular": (GaussianNoise(0.1),),
    "text": (SynonymReplacement(0.1), RandomSwap(0.1), KeyboardTypos(0.02)),
}


def available_transforms(kind: str | None = None) -> list[str]:
    """Return the names that ``AugmentingSampler(transforms=[...])`` knows.

    Parameters
    ----------
    kind : {"image", "tabular", "series", "text"}, default=None
        Only those that suit this kind of data; None for all.

    Returns
    -------
    names : list of str
        Sorted names.

    Raises
    ------
    ParameterError
        If `kind` is unknown.

    Examples
    --------
    >>> from skopt_wrap.sampling import available_transforms
    >>> available_transforms("tabular")  # doctest: +NORMALIZE_WHITESPACE
    ['adasyn', 'borderline_smote', 'gaussian_noise', 'smote', 'smote_enn', 'smote_tomek',
     'smoten', 'smotenc', 'svm_smote', 'tabular_mixup']
    """
    if kind is not None and kind not in DEFAULTS:
        raise ParameterError(f"kind={kind!r} is unknown. {suggest(str(kind), DEFAULTS)}")
    names = [name for name, cls in REGISTRY.items() if kind is None or kind in cls.kinds]
    if kind in (None, "tabular"):
        names += OVER_SAMPLERS
    return sorted(names)


def resolve(
    transforms: Any, kind: str, magnitude: float
) -> tuple[Interpolation | None, list[Step]]:
    """Return the over-sampler, if one comes first, and the transforms after it.

    Parameters
    ----------
    transforms : "default", str, transform, callable or sequence of these
        The parameter ``transforms``.
    kind : {"image", "tabular", "series", "text"}
        Kind of data.
    magnitude : float
        Factor by which all magnitudes are multiplied.

    Returns
    -------
    generator : Interpolation or None
        Over-sampler of imbalanced-learn.
    steps : list of Transform or callable
        The other transforms, in order.
    """
    if isinstance(transforms, str) and transforms == "default":
        steps: list[Any] = list(DEFAULTS[kind])
    else:
        items = transforms if isinstance(transforms, list | tuple) else [transforms]
        steps = [_one(item, kind) for item in items]
    generator = None
    if steps and isinstance(steps[0], Interpolation):
        generator = steps.pop(0)
    late = [step for step in steps if isinstance(step, Interpolation)]
    if late:
        raise ParameterError(
            f"transforms={transforms!r}: {type(late[0].sampler).__name__} makes new rows, so it "
            f"must be the first transform, and the only one of its sort."
        )
    return generator, [
        step._scaled(magnitude) if isinstance(step, Transform) else step for step in steps
    ]


def _one(item: Any, kind: str) -> Step | Interpolation:
    """Return the transform for one entry of ``transforms``."""
    if isinstance(item, str):
        if item in OVER_SAMPLERS:
            _check_kind(item, ("tabular",), kind)
            return named_over_sampler(item)
        if item not in REGISTRY:
            known = available_transforms(kind)
            raise ParameterError(f"The transform {item!r} is unknown. {suggest(item, known)}")
        item = REGISTRY[item]()
    if isinstance(item, type):
        raise ParameterError(f"Transforms must be instances: write {item.__name__}().")
    if isinstance(item, Transform):
        _check_fields(item)
        _check_kind(item.name or type(item).__name__, item.kinds, kind)
        return item
    if isinstance(item, BaseSampler):
        _check_kind(type(item).__name__, ("tabular",), kind)
        return as_interpolation(item)
    item = adapt(item)
    if callable(item):
        return item
    raise ParameterError(
        f"A transform must be a name, a transform, an over-sampler of imbalanced-learn, a Keras "
        f"layer, an albumentations transform, or a callable on a batch. Got {item!r}."
    )


def _check_fields(item: Transform) -> None:
    """Raise :class:`ParameterError` for a class of the user's whose parameters are no fields.

    Copies with another magnitude are made by ``dataclasses.replace``, which knows fields only.
    """
    cls = type(item)
    annotated = {
        name for name, hint in inspect.get_annotations(cls).items() if "ClassVar" not in str(hint)
    }
    names = {field.name for field in fields(item)}
    wanted = annotated | ({"magnitude"} if hasattr(item, "magnitude") else set())
    if wanted - names or ("__init__" in vars(cls) and "__dataclass_params__" not in vars(cls)):
        raise ParameterError(
            f"The transform {cls.__name__} must be a dataclass with its parameters as fields: "
            f"decorate the class with @dataclass(frozen=True), and write each parameter as "
            f"`name: type = default`. No fields: {sorted(wanted - names)}."
        )


def _check_kind(name: str, kinds: tuple[str, ...], kind: str) -> None:
    """Raise :class:`ParameterError` for a transform of another kind of data."""
    if kinds and kind not in kinds:
        raise ParameterError(
            f"The transform {name!r} is for kind={' or '.join(map(repr, kinds))}, and the data are "
            f"kind={kind!r}. {suggest(name, available_transforms(kind))}"
        )


def check_annotations_can_move(steps: list[Step], data: Data, aligned: Mapping[str, Any]) -> None:
    """Raise where masks, boxes or key points were passed, and cannot be moved with the pixels."""
    names = [name for name in ANNOTATIONS if aligned.get(name) is not None]
    if not names:
        return
    if data.kind != "image":
        raise ParameterError(
            f"{', '.join(names)}: these names stand for what moves with the pixels of images, and "
            f"the data are kind={data.kind!r}. Pass other aligned arrays under another name."
        )
    for step in steps:
        if getattr(step, "moves_pixels", None) is None:
            raise ParameterError(
                f"{step!r} does not tell how it moves pixels, so {', '.join(names)} cannot move "
                f"along. Use transforms of this package that keep images apart (no MixUp, CutMix, "
                f"AugMix), or a Transform of your own with moves_pixels = False."
            )


def check_value_range(value_range: Any, data: Data) -> tuple[float, float] | None:
    """Return the parameter ``value_range`` as floats; raise where it does not suit the data."""
    if value_range is None:
        return None
    numbers = [v for v in value_range if isinstance(v, Real) and not isinstance(v, bool)]
    if len(value_range) != 2 or len(numbers) != 2 or not numbers[0] < numbers[1]:
        raise ParameterError(
            f"value_range must be None or (low, high), two numbers with low < high. Got "
            f"{value_range!r}."
        )
    if data.kind != "image":
        raise ParameterError(
            f"value_range={value_range!r} is for images, and the data are kind={data.kind!r}. "
            f"Leave it at None."
        )
    low, high = float(numbers[0]), float(numbers[1])
    smallest, largest = float(data.values.min()), float(data.values.max())
    if smallest < low or largest > high:
        raise DataError(
            f"X has pixels from {smallest:g} to {largest:g}, outside of value_range="
            f"{value_range!r}. Widen it, or leave it at None."
        )
    return low, high


def bind(step: Step, X: Any, value_range: tuple[float, float] | None) -> Step:
    """Return a transform with what it has to learn from all the data.

    Parameters
    ----------
    step : Transform, AdaptedStep or callable
        Transform; a callable of the user's is returned as it is.
    X : ndarray or sparse matrix of shape (n_samples, ...)
        All samples; of a table, the numeric columns.
    value_range : (float, float) or None
        Range of the pixels that the caller gave.
    """
    if isinstance(step, AdaptedStep):
        return step.bind(X, value_range)
    if not isinstance(step, Transform):
        return step
    return (step if value_range is None else step._within(value_range))._bind(X)


def check_labels_can_mix(steps: list[Step], hard: bool) -> None:
    """Raise :class:`ParameterError` where hard labels would be mixed without being asked for."""
    for step in steps:
        if isinstance(step, MixingTransform) and hard and not (step.soft_labels or step.same_class):
            name = type(step).__name__
            raise ParameterError(
                f"{name} mixes labels, and y holds hard ones. Pass {name}(soft_labels=True) to get "
                f"y as class probabilities of shape (n_samples, n_classes), or "
                f"{name}(same_class=True) to mix within classes only."
            )


def mixes_labels(transforms: Any) -> bool:
    """Return whether the parameter ``transforms`` mixes labels of different classes."""
    items = transforms if isinstance(transforms, list | tuple) else [transforms]
    known = [REGISTRY.get(item) if isinstance(item, str) else item for item in items]
    return makes_soft_labels([item() if isinstance(item, type) else item for item in known])


def makes_soft_labels(steps: Sequence[Any]) -> bool:
    """Return whether some transform mixes labels of different classes."""
    return any(isinstance(step, MixingTransform) and not step.same_class for step in steps)


def copy_transforms(transforms: Any) -> Any:
    """Return a copy of the parameter ``transforms``."""
    if isinstance(transforms, list | tuple):
        return type(transforms)(copy_transforms(item) for item in transforms)
    return clone(transforms) if isinstance(transforms, BaseEstimator) else copy.deepcopy(transforms)
