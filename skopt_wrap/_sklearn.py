"""The private names of scikit-learn that this package uses, each behind a public name.

scikit-learn may change private names in any release and without notice. They are imported here and
nowhere else, so that such a change has to be met in one file only.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sklearn.base import _clone_parametrized as clone_parametrized
from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.metadata_routing import _raise_for_params as raise_for_params
from sklearn.utils.metaestimators import _safe_split as safe_split
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import _check_method_params as check_method_params
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _num_samples as num_samples

from .exceptions import DataError, nearest

__all__ = [
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "callbacks_of",
    "check_matplotlib_support",
    "check_method_params",
    "check_sample_weight",
    "clone_parametrized",
    "fit_context",
    "num_samples",
    "parameter_constraints",
    "raise_for_params",
    "running_callback_context",
    "safe_indexing",
    "safe_split",
    "start_callback_context",
    "target_type",
    "tuned_positive_label",
    "validate_parameter_constraints",
    "validate_parameters",
]


def fit_context(
    *, prefer_skip_nested_validation: bool
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return scikit-learn's decorator of `fit`; its error names the option that was meant."""

    def decorate(fit: Callable[..., Any]) -> Callable[..., Any]:
        checked = _fit_context(prefer_skip_nested_validation=prefer_skip_nested_validation)(fit)

        @functools.wraps(fit)
        def wrapper(estimator: Any, *args: Any, **kwargs: Any) -> Any:
            with _naming_the_nearest_option(estimator):
                return checked(estimator, *args, **kwargs)

        return wrapper

    return decorate


def validate_parameters(estimator: Any) -> None:
    """Raise scikit-learn's error for a parameter of `estimator` that breaks its constraints."""
    with _naming_the_nearest_option(estimator):
        estimator._validate_params()


@contextlib.contextmanager
def _naming_the_nearest_option(estimator: Any) -> Iterator[None]:
    """Add to scikit-learn's error which of the legal texts was probably meant."""
    try:
        yield
    except InvalidParameterError as error:
        found = re.match(r"The '(\w+)' parameter of (\w+) must be", str(error))
        if found is None or found[2] != type(estimator).__name__:
            raise
        value = getattr(estimator, found[1], None)
        constraints = estimator._parameter_constraints.get(found[1], ())
        legal = [
            text for item in constraints if isinstance(item, StrOptions) for text in item.options
        ]
        near = nearest(value, legal) if isinstance(value, str) else None
        if near is None:
            raise
        raise InvalidParameterError(f"{error} Did you mean {near!r}?") from error


def parameter_constraints(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the constraints that scikit-learn puts on the parameters of one of its functions."""
    return dict(function._skl_parameter_constraints)  # type: ignore[attr-defined]


def callbacks_of(estimator: Any) -> Sequence[Any]:
    """Return the scikit-learn callbacks that were set on `estimator`."""
    return getattr(estimator, "_skl_callbacks", None) or ()


def start_callback_context(estimator: Any, **options: Any) -> Any:
    """Return the root context of the callbacks that watch a fit which begins.

    `options` are those of scikit-learn: `task_name`, `max_subtasks` and so on. The fit must run
    inside :func:`fit_context`, which ends the context.
    """
    return estimator._init_callback_context(**options)


def running_callback_context(estimator: Any) -> Any:
    """Return the root context of the fit that is running, made by `start_callback_context`."""
    return estimator._callback_fit_ctx


def tuned_positive_label(estimator: Any) -> Any:
    """Return the class whose probability a fitted TunedThresholdClassifierCV compares.

    None stands for the greater of the two classes.
    """
    return estimator._curve_scorer._get_pos_label()


def target_type(y: Any, **options: Any) -> str:
    """Return scikit-learn's name of the type of a target.

    Raises
    ------
    DataError
        For labels of several types, such as texts and numbers, which have no order.
    """
    try:
        return str(type_of_target(y, **options))
    except (TypeError, ValueError) as error:
        labels = getattr(y, "ravel", lambda: ())()
        kinds = sorted({type(label).__name__ for label in labels})
        if "str" not in kinds or len(kinds) < 2:
            raise
        raise DataError(
            f"y holds labels of several types ({', '.join(kinds)}), which have no order; make them "
            "all texts, y.astype(str), or all numbers."
        ) from error
