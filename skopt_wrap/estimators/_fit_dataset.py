"""Training on data that do not fit in memory: ``tf.data`` and ``PyDataset``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.utils import check_random_state

from .._keras import dtype_scope, load_keras, load_tensorflow, seed_scope
from ..exceptions import DataError, ParameterError
from ..training import train_batches
from ._inputs._batch_targets import is_nested, target_names, target_table
from ._inputs._batches import as_arrays, as_dataset, batch_rows, cast_batch
from ._inputs._cells import decoded
from ._losses import HARD_LOSSES, loss_name
from ._tables._check import check_dataset
from ._targets._units import training_units

Encode = Callable[[np.ndarray, np.ndarray | None], tuple[np.ndarray, np.ndarray]]


def fit_on_batches(
    estimator: Any, batches: Any, classes: Any, validation: Any, steps: int | None
) -> None:
    """Fit `estimator` on batches; the body of its ``fit_dataset``."""
    batches, once = as_dataset("dataset", batches)
    if validation is not None:
        validation, comes_once = as_dataset("validation_data", validation)
        if comes_once:
            raise DataError(
                "validation_data is a generator, which can be read once, but it is read after "
                "every epoch; give a function that returns a generator."
            )
    if estimator.validation_split:
        raise ParameterError(
            "validation_split cannot split a dataset, got "
            f"{estimator.validation_split!r}; give validation_data to fit_dataset."
        )
    settings = estimator._settings({}, None, None)
    if settings["validation_split"] and validation is None:
        raise DataError(
            f"early_stopping={estimator.early_stopping!r} watches validation rows; give "
            "validation_data to fit_dataset."
        )
    if isinstance(getattr(estimator, "class_weight", None), str):
        raise ParameterError(
            f"class_weight={estimator.class_weight!r} needs all labels at once; give a "
            "dict, or weights as the third item of each batch."
        )
    if estimator.augment is not None:
        raise ParameterError(
            "augment makes the batches of arrays, and a dataset has its own: give the arrays to "
            "fit, or change the batches with dataset.map."
        )
    _check_generator(once, settings["epochs"], steps, estimator, classes)
    options = dict(settings["passed_on"])
    if "validation_batch_size" in options:
        raise ParameterError(
            "fit__validation_batch_size has no effect on a dataset, which is batched already."
        )
    options |= options.pop("fit_options", {})
    if steps:
        options["steps_per_epoch"] = steps
    keep = estimator.warm_start and hasattr(estimator, "model_")
    first = _first_batch(batches)
    if keep:
        check_dataset(estimator)
    # A first fit does not see all rows: it prepares none of them.
    X = estimator._check_X(_text_rows(batch_rows(first[0])), reset=not keep, tables=False)
    y = estimator._check_y(_text(target_table(first[1])))
    if classes is None and is_classifier(estimator) and not keep:
        classes = _collect_classes(batches, y)
        y = estimator._check_y(classes) if y.ndim == 2 else y
    target = _target_of(estimator, first, y, classes, keep)
    seed = int(check_random_state(estimator.random_state).randint(2**31 - 1))
    floatx = estimator._floatx
    with seed_scope(seed), dtype_scope(estimator.dtype):
        if keep:
            network = estimator.model_
        else:
            network, target = estimator._new_network(X, y, target)
        callbacks, _ = estimator._new_callbacks(settings["callbacks"], validation is not None)

        def encode(labels: np.ndarray, weights: np.ndarray | None) -> tuple[Any, Any]:
            labels = _decoded(labels, target)
            weights = np.ones(len(labels)) if weights is None else np.asarray(weights)
            return estimator._training_target(labels, target), weights.astype(floatx)

        def encode_balanced(labels: np.ndarray, weights: np.ndarray | None) -> tuple[Any, Any]:
            code, weights = encode(labels, weights)
            balanced = estimator._class_weights(_decoded(labels, target), weights, target)
            return code, balanced.astype(floatx)

        with training_units(network, target, keep), _own_errors() as errors:
            dtypes = (estimator.input_dtype_, floatx)
            held_out = None
            if validation is not None:
                held_out = _encoded(validation, encode, dtypes, errors)
            result = train_batches(
                network,
                _encoded(batches, encode_balanced, dtypes, errors),
                epochs=settings["epochs"],
                validation=held_out,
                callbacks=callbacks,
                verbose=int(estimator.verbose),
                fit_options=options,
            )
    estimator._store(network, target, result, keep=keep)


def _target_of(estimator: Any, first: Any, y: np.ndarray, classes: Any, keep: bool) -> Any:
    """Return the target encoder for the labels of all batches."""
    if keep:
        return estimator.target_encoder_
    names = target_names(first[1])
    if y.ndim == 1 and classes is not None:
        return estimator._make_target(np.asarray(classes), np.ones(len(classes)), classes, names)
    return estimator._make_target(y, np.ones(len(y)), None, names)


@contextlib.contextmanager
def _own_errors() -> Iterator[list[Exception]]:
    """Raise the first error of the list, where TensorFlow raises one of its own in its place."""
    errors: list[Exception] = []
    try:
        yield errors
    except Exception as error:
        if errors and error is not errors[0]:
            raise errors[0] from error
        raise


def train_augmented(
    estimator: Any,
    network: Any,
    rows: tuple[Any, np.ndarray, np.ndarray],
    target: Any,
    settings: Mapping[str, Any],
    validation: Any,
    callbacks: list[Any],
    seed: int,
) -> Any:
    """Train `network` on the batches that ``estimator.augment.flow`` makes of `rows`."""
    X, y, weights = rows
    sampler = clone(estimator.augment, safe=False)
    params = sampler.get_params(deep=False) if hasattr(sampler, "get_params") else {}
    if params.get("random_state", seed) is None:
        sampler.set_params(random_state=seed)
    batch_size = len(y) if settings["batch_size"] == -1 else settings["batch_size"]
    balanced = estimator._class_weights(y, weights, target)
    batches = sampler.flow(
        X, y, batch_size=batch_size, sample_weight=balanced, shuffle=settings["shuffle"]
    )
    floatx = estimator._floatx
    soft = np.asarray(batches[0][1]).shape[1:] != y.shape[1:]
    columns = getattr(sampler, "classes_", None)
    if soft:
        _check_soft(estimator, network, target)

    def encode(labels: np.ndarray, weights: np.ndarray | None) -> tuple[Any, Any]:
        if soft:
            return target.transform_soft(labels, columns, floatx), np.asarray(weights, floatx)
        return estimator._training_target(labels, target), np.asarray(weights, floatx)

    options = dict(settings["passed_on"])
    fit_options = options.pop("fit_options", {})
    return train_batches(
        network,
        _encoded(batches, encode, (estimator.input_dtype_, floatx), []),
        epochs=settings["epochs"],
        validation=validation,
        callbacks=callbacks,
        verbose=int(settings["verbose"]),
        fit_options={**options, **fit_options},
        reason="augment makes the batches",
    )


def _check_soft(estimator: Any, network: Any, target: Any) -> None:
    """Raise where class probabilities meet a loss that takes labels."""
    name = loss_name(network.loss)
    if target.encoding_ not in ("column", "onehot") or name in HARD_LOSSES:
        raise ParameterError(
            f"augment={estimator.augment!r} mixes labels, and loss={name!r} takes labels as they "
            "are. Use loss='categorical_crossentropy' (loss=None does where the estimator "
            "compiles), or mix within classes, as MixUp(same_class=True) does."
        )


def _check_generator(once: bool, epochs: int, steps: Any, estimator: Any, classes: Any) -> None:
    """Raise for a generator, which can be read once, where more is asked of it."""
    if not once:
        return
    if epochs > 1 and not steps:
        raise ParameterError(
            f"epochs={epochs} and a generator, which can be read once: give steps_per_epoch for a "
            "generator without an end, or a function that returns a new generator for every epoch."
        )
    if classes is None and is_classifier(estimator) and not hasattr(estimator, "classes_"):
        raise DataError(
            "A generator can be read once, so that its labels cannot be collected: give classes to "
            "fit_dataset, or a function that returns a generator."
        )


def _batches(source: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the batches of `source` as numpy arrays, once."""
    if isinstance(source, load_keras().utils.PyDataset):
        items: Any = (source[i] for i in range(len(source)))
    else:
        items = source.as_numpy_iterator()
    for item in items:
        if not isinstance(item, (tuple, list)) or len(item) not in (2, 3):
            raise DataError(
                "A dataset must yield batches (X, y) or (X, y, sample_weight), got "
                f"{type(item).__name__}."
            )
        if isinstance(item[-1], Mapping | tuple | list) and len(item) == 3:
            raise DataError(
                "A batch gives sample_weight as a dict or list; give one array with a weight for "
                "each row, and weigh outputs by compile__loss_weights."
            )
        yield as_arrays(item)


def _first_batch(source: Any) -> tuple[Any, ...]:
    for batch in _batches(source):
        x = batch[0]
        if not isinstance(x, Mapping) and x.ndim < (1 if x.dtype.kind in "OS" else 2):
            raise DataError(
                f"A batch of X has shape {x.shape}; batch the dataset (dataset.batch(32))."
            )
        n_samples = len(next(iter(x.values())) if isinstance(x, Mapping) else x)
        labels, *weights = batch[1:]
        _check_lengths(n_samples, target_table(labels), *(weights or [None]))
        return batch
    raise DataError("The dataset is empty.")


def _collect_classes(source: Any, y: np.ndarray) -> Any:
    """Return all labels of `source`, after one pass over it; those of all rows for a table."""
    tf = load_tensorflow()
    if isinstance(source, tf.data.Dataset) and source.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise DataError("The dataset is infinite; give classes to fit_dataset.")
    if y.ndim == 2:
        return np.concatenate([_text(target_table(batch[1])) for batch in _batches(source)])
    seen: set[Any] = set()
    for batch in _batches(source):
        seen.update(_text(target_table(batch[1])).ravel().tolist())
    return np.array(sorted(seen))


def _text(labels: np.ndarray) -> np.ndarray:
    """Return labels with TensorFlow's bytes as text; columns of a table may be of several types."""
    texts = decoded(labels)
    return np.array(texts.tolist()) if texts.dtype == object and texts.ndim == 1 else texts


def _text_rows(x: Any) -> Any:
    return decoded(x) if isinstance(x, np.ndarray) else x


def _decoded(labels: np.ndarray, target: Any) -> np.ndarray:
    labels = _text(np.asarray(labels))
    return labels.ravel() if target.n_outputs_ == 1 else labels


def _check_lengths(n_samples: int, labels: np.ndarray, weights: np.ndarray | None) -> None:
    """Raise unless the parts of a batch have the same number of samples."""
    lengths = {"y": len(labels), "sample_weight": n_samples if weights is None else len(weights)}
    for name, length in lengths.items():
        if length != n_samples:
            raise DataError(
                "Found input variables with inconsistent numbers of samples: in a batch, X has "
                f"{n_samples} rows, {name} has {length}."
            )


def _encoded(source: Any, encode: Encode, dtypes: tuple[Any, str], errors: list[Exception]) -> Any:
    """Return `source` with labels and weights as the loss takes them.

    `dtypes` are those of X and of the weights. What is raised while batches are encoded is put into
    `errors`, because TensorFlow raises an error of its own instead.
    """
    tf, (x_dtype, floatx) = load_tensorflow(), dtypes

    def checked(n_samples: int, labels: Any, weights: Any = None) -> tuple[Any, Any]:
        try:
            labels = target_table(labels)
            _check_lengths(int(n_samples), labels, weights)
            code, balanced = encode(labels, weights)
        except Exception as error:
            errors.append(error)
            raise
        # A dataset takes a list for one tensor.
        return tuple(code) if isinstance(code, list) else code, balanced

    if not isinstance(source, tf.data.Dataset):
        from ._sequence import EncodedSequence

        return EncodedSequence(source, checked, x_dtype)

    labels = _first_batch(source)[1]
    sample, _ = encode(target_table(labels), None)
    sample = tuple(sample) if isinstance(sample, list) else sample
    codes = tf.nest.flatten(sample)

    def flat(n_samples: Any, *parts: Any) -> list[Any]:
        given, weights = parts[:n_parts], parts[n_parts:]
        y = given if is_nested(labels) else given[0]
        code, balanced = checked(n_samples, y, *weights)
        return [*tf.nest.flatten(code), balanced]

    n_parts = len(labels) if is_nested(labels) else 1

    def change(x: Any, y: Any, *weights: Any) -> tuple[Any, Any, Any]:
        n_samples = tf.shape(tf.nest.flatten(x)[0])[0]
        parts = [y[name] for name in labels] if isinstance(labels, Mapping) else y
        parts = parts if is_nested(labels) else [y]
        dtypes = [*(code.dtype for code in codes), floatx]
        *found, balanced = tf.numpy_function(flat, [n_samples, *parts, *weights], dtypes)
        for tensor, code in zip(found, codes, strict=True):
            tensor.set_shape([None, *code.shape[1:]])
        balanced.set_shape([None])
        return cast_batch(x, x_dtype), tf.nest.pack_sequence_as(sample, found), balanced

    return source.map(change, num_parallel_calls=1)
