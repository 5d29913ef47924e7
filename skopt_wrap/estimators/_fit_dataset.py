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
from ._inputs._batches import as_arrays, as_dataset, batch_rows, cast_batch, decoded
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
    target = _target_of(estimator, batches, first, classes, keep)
    seed = int(check_random_state(estimator.random_state).randint(2**31 - 1))
    floatx = estimator._floatx
    with seed_scope(seed), dtype_scope(estimator.dtype):
        y = estimator._check_y(_text(first[1]))
        if keep:
            network = estimator.model_
        else:
            network, target = estimator._new_network(X, y, target)
        callbacks, _ = estimator._new_callbacks(settings["callbacks"], validation is not None)

        def encode(labels: np.ndarray, weights: np.ndarray | None) -> tuple[Any, Any]:
            labels = _decoded(labels, target)
            weights = np.ones(len(labels)) if weights is None else np.asarray(weights)
            code = estimator._training_target(labels, target)
            if not isinstance(code, np.ndarray):
                raise DataError("fit_dataset trains networks with one output; give arrays to fit.")
            return code, weights.astype(floatx)

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


def _target_of(estimator: Any, batches: Any, first: Any, classes: Any, keep: bool) -> Any:
    """Return the target encoder for the labels of all batches."""
    if keep:
        return estimator.target_encoder_
    y = estimator._check_y(_text(first[1]))
    if classes is None and is_classifier(estimator):
        classes = _collect_classes(batches, y)
    if y.ndim == 1 and classes is not None:
        return estimator._make_target(np.asarray(classes), np.ones(len(classes)), classes)
    return estimator._make_target(y, np.ones(len(y)), None)


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
        if any(isinstance(part, Mapping | tuple | list) for part in item[1:]):
            raise DataError(
                "A batch gives y as a dict or list; give one array with a column for each output."
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
        _check_lengths(n_samples, *batch[1:], *([None] if len(batch) == 2 else []))
        return batch
    raise DataError("The dataset is empty.")


def _collect_classes(source: Any, y: np.ndarray) -> Any:
    """Return all labels of `source`, after one pass over it; None for a multilabel target."""
    if y.ndim == 2:
        return None
    tf = load_tensorflow()
    if isinstance(source, tf.data.Dataset) and source.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise DataError("The dataset is infinite; give classes to fit_dataset.")
    seen: set[Any] = set()
    for batch in _batches(source):
        seen.update(_text(batch[1]).ravel().tolist())
    return np.array(sorted(seen))


def _text(labels: np.ndarray) -> np.ndarray:
    """Return labels with TensorFlow's bytes as text."""
    if labels.dtype.kind in "SO":
        return np.array([x.decode() if isinstance(x, bytes) else x for x in labels.ravel()])
    return labels


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
            _check_lengths(int(n_samples), labels, weights)
            return encode(labels, weights)
        except Exception as error:
            errors.append(error)
            raise

    if not isinstance(source, tf.data.Dataset):
        from ._sequence import EncodedSequence

        return EncodedSequence(source, checked, x_dtype)

    def change(x: Any, y: Any, weights: Any = None) -> tuple[Any, Any, Any]:
        n_samples = tf.shape(tf.nest.flatten(x)[0])[0]
        given = [n_samples, y] if weights is None else [n_samples, y, weights]
        code, balanced = tf.numpy_function(checked, given, [code_dtype, floatx])
        code.set_shape([None, *code_shape])
        balanced.set_shape([None])
        return cast_batch(x, x_dtype), code, balanced

    sample, _ = encode(_first_batch(source)[1], None)
    code_dtype, code_shape = sample.dtype, sample.shape[1:]
    return source.map(change, num_parallel_calls=1)
