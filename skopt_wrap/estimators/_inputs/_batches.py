"""Batches that the caller makes: datasets, generators, and functions that return generators."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..._keras import load_keras, load_tensorflow
from ...exceptions import DataError, ParameterError
from ._batch_targets import as_parts, is_nested
from ._cells import column_array, decoded
from ._rows import InputRows

_METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function")


def as_dataset(name: str, source: Any) -> tuple[Any, bool]:
    """Return batches as a ``tf.data.Dataset`` or ``PyDataset``, and whether they come once only.

    Parameters
    ----------
    name : str
        The argument, for messages.
    source : tf.data.Dataset, keras.utils.PyDataset, generator or callable
        A callable returns a fresh iterator of batches at every call.

    Raises
    ------
    DataError
        For something else, and for a generator without batches.
    """
    keras, tf = load_keras(), load_tensorflow()
    if isinstance(source, tf.data.Dataset | keras.utils.PyDataset):
        return source, False
    once = hasattr(source, "__next__")
    if not once and not callable(source):
        raise DataError(
            f"{name} must hold batches: a tf.data.Dataset, a keras.utils.PyDataset, a generator, "
            f"or a function that returns one, got {type(source).__name__}; arrays go to fit or "
            "predict."
        )
    make: Callable[[], Iterator[Any]]
    if once:
        first = next(source, None)
        if first is None:
            raise DataError(f"{name} is a generator that yields no batch.")
        make = lambda: itertools.chain([first], source)  # noqa: E731
    else:
        make = lambda: iter(source())  # noqa: E731
        first = next(make(), None)
        if first is None:
            raise DataError(f"{name} returns a generator that yields no batch.")
    nested = isinstance(first, tuple)
    signature = _signature(as_arrays(first))

    def arrays() -> Iterator[Any]:
        for batch in make():
            found = as_arrays(batch)
            yield found if nested else found[0]

    spec = signature if nested else signature[0]
    return tf.data.Dataset.from_generator(arrays, output_signature=spec), once


def _signature(parts: tuple[Any, ...]) -> Any:
    tf = load_tensorflow()

    def spec(array: Any) -> Any:
        if isinstance(array, tuple):
            return tuple(map(spec, array))
        dtype = tf.string if array.dtype.kind in "OUS" else array.dtype
        return tf.TensorSpec([None, *array.shape[1:]], dtype)

    return tuple(
        {key: spec(value) for key, value in part.items()}
        if isinstance(part, Mapping)
        else spec(part)
        for part in parts
    )


def as_arrays(batch: Any) -> tuple[Any, ...]:
    """Return the parts of a batch as arrays, or dicts of arrays; targets also as tuples of them."""
    parts = batch if isinstance(batch, tuple | list) else (batch,)
    return tuple(
        as_parts(part)
        if isinstance(part, Mapping) or (place == 1 and is_nested(part))
        else np.asarray(part)
        for place, part in enumerate(parts)
    )


def batch_rows(x: Any) -> Any:
    """Return the X of a batch as an estimator takes it: a dict as rows of named inputs."""
    if not isinstance(x, Mapping):
        return x
    parts = {}
    for name, values in x.items():
        array = column_array(decoded(np.asarray(values)), f"the input {name!r} of a batch")
        parts[name] = array[:, None] if array.ndim == 1 else array
    return InputRows(parts, len(parts))


def cast_batch(x: Any, dtypes: Any) -> Any:
    """Return the X of a batch in the dtypes of the network's inputs."""
    tf = load_tensorflow()
    if isinstance(x, Mapping) and not isinstance(dtypes, Mapping):
        (x,) = x.values()
    if isinstance(x, Mapping):
        return {name: cast_batch(x[name], dtype) for name, dtype in dtypes.items()}
    return x if dtypes == "string" else tf.cast(x, dtypes)


def predict_batches(estimator: Any, dataset: Any, method: str, steps: int | None) -> Any:
    """Return the predictions for all rows of a dataset; the body of ``predict_dataset``.

    Raises
    ------
    ParameterError
        For a method that the estimator does not have, and an endless dataset without `steps`.
    DataError
        For what holds no batches.
    """
    if method not in _METHODS or not hasattr(estimator, method):
        known = [name for name in _METHODS if hasattr(estimator, name)]
        raise ParameterError(f"method must be one of {known}, got {method!r}.")
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 1):
        raise ParameterError(f"steps must be an int >= 1 or None, got {steps!r}.")
    keras, tf = load_keras(), load_tensorflow()
    source, _ = as_dataset("dataset", dataset)
    if isinstance(source, keras.utils.PyDataset):
        if source.num_batches is None and steps is None:
            raise ParameterError("The dataset is endless; give steps, the number of batches.")
        batches: Any = (source[i] for i in range(steps or len(source)))
    else:
        if steps is None and source.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ParameterError("The dataset is endless; give steps, the number of batches.")
        batches = source.as_numpy_iterator()
    call = getattr(estimator, method)
    results = [
        call(batch_rows(as_arrays(batch if isinstance(batch, tuple) else (batch,))[0]))
        for batch in itertools.islice(batches, steps)
    ]
    if not results:
        raise DataError("The dataset is empty.")
    if isinstance(results[0], list):
        return [np.concatenate(parts) for parts in zip(*results, strict=True)]
    return np.concatenate(results)
