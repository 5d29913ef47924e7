"""Metrics of training: made from names, classes and objects, and tried before training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..._keras import load_keras, metric_classes
from ...exceptions import ParameterError, suggest
from .._routed_objects import make_parts

# Names for which Keras takes the accuracy that suits the shapes of labels and outputs.
_ACCURACY = ("accuracy", "acc")
_SHORT_NAMES = ("bce", "mae", "mape", "mse", "msle")

_ZERO_OR_ONE = ("column", "multilabel", "onehot")
_LABEL_METRICS = (
    "AUC BinaryAccuracy BinaryIoU F1Score FBetaScore FalseNegatives FalsePositives Hinge Precision "
    "PrecisionAtRecall Recall RecallAtPrecision SensitivityAtSpecificity SpecificityAtSensitivity "
    "SquaredHinge TrueNegatives TruePositives"
)
_VALUE_METRICS = (
    "BinaryCrossentropy ConcordanceCorrelation CosineSimilarity KLDivergence LogCoshError "
    "MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError "
    "PearsonCorrelation Poisson R2Score RootMeanSquaredError"
)
_ONE_HOT_METRICS = (
    "CategoricalAccuracy CategoricalCrossentropy CategoricalHinge OneHotIoU OneHotMeanIoU "
    "TopKCategoricalAccuracy"
)
_INDEX_METRICS = (
    "SparseCategoricalAccuracy SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy"
)
# Metrics of Keras -> the forms of the target with which they compare outputs.
_FORMS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_LABEL_METRICS.split(), _ZERO_OR_ONE),
    **dict.fromkeys(_VALUE_METRICS.split(), ("values", *_ZERO_OR_ONE)),
    **dict.fromkeys(_ONE_HOT_METRICS.split(), ("onehot",)),
    **dict.fromkeys(_INDEX_METRICS.split(), ("index",)),
    **dict.fromkeys(("IoU", "MeanIoU"), ("index", *_ZERO_OR_ONE)),
    "Accuracy": (),  # asks whether outputs equal labels exactly, which outputs hardly ever do
}
# They take raw outputs, or ask only which output is the largest.
_SAME_ON_LOGITS = (
    "CategoricalAccuracy CategoricalHinge Hinge IoU MeanIoU OneHotIoU OneHotMeanIoU "
    "SparseCategoricalAccuracy SparseTopKCategoricalAccuracy SquaredHinge TopKCategoricalAccuracy"
).split()
_WORDS = {
    "values": "a target of numbers",
    "column": "a binary target and one output unit",
    "multilabel": "a multilabel target",
    "onehot": "classes that the loss takes one-hot",
    "index": "classes that the loss takes as numbers, one output unit for each",
}
_INSTEAD = {
    "values": "Use a metric of numbers, for instance 'mae' or 'r2_score'.",
    "column": "Use for instance 'accuracy', 'auc' or 'precision'.",
    "multilabel": "Use for instance 'accuracy', 'auc' or 'precision'.",
    "onehot": "Use for instance 'accuracy', 'categorical_crossentropy' or 'auc'.",
    "index": (
        "Use for instance 'accuracy' or 'sparse_categorical_crossentropy'; give "
        "loss='categorical_crossentropy', which takes classes one-hot; or judge the fitted "
        "estimator by a scorer, for instance scoring='roc_auc_ovr'."
    ),
}


def make_metrics(
    metrics: Any,
    options: Mapping[str, Any],
    *,
    form: str,
    units: int,
    kind: str,
    name: str = "metrics",
) -> list[Any] | None:
    """Return fresh metrics that suit target and outputs.

    Metrics of Keras that take probabilities get probabilities, also from a network that ends in
    logits.

    Parameters
    ----------
    metrics : None, str, class, object, function, or list, tuple or dict of them
        As the user gave them.
    options : mapping
        Their routed arguments.
    form : {"values", "column", "multilabel", "onehot", "index", ""}
        How the loss takes the target; empty for an output without a loss.
    units : int
        Output units.
    kind : {"logits", "probabilities"}
        What the outputs mean.
    name : str, default="metrics"
        The parameter, for messages.

    Raises
    ------
    ParameterError
        For a name that Keras does not know, a metric that does not suit the target, and one that
        cannot be computed.
    """
    if metrics is None and not options:
        return None
    base = load_keras().metrics.Metric
    made = []
    for item in make_parts(name, metrics, options, base, text=True):
        metric = _named(name, item, form) if isinstance(item, str) else item
        _check_form(name, item, metric, form)
        _try(name, item, metric, form, units)
        logits = kind == "logits" and form not in ("values", "")
        ready = (
            on_probabilities(metric, form == "onehot")
            if logits and isinstance(metric, base)
            else metric
        )
        if isinstance(item, str) and ready is metric and type(metric).__name__ != "F1Score":
            ready = item  # Keras reads the name as we do
        elif isinstance(item, str):
            ready.name = item.lower()
        made.append(ready)
    return made


def check_compiled_metrics(metrics: Any, form: str, units: int) -> None:
    """Raise when a metric with which a builder compiled its network cannot be computed.

    Parameters
    ----------
    metrics : object
        As ``keras.Model.compile`` was given them. Nested ones are left to Keras.
    form, units
        As in :func:`make_metrics`.

    Raises
    ------
    ParameterError
        As :func:`make_metrics`.
    """
    name = "The builder's metrics"
    for item in metrics if isinstance(metrics, list | tuple) else [metrics]:
        if isinstance(item, str):
            _try(name, item, _named(name, item, form), form, units)
        elif callable(item):
            _try(name, item, item, form, units)


def _named(parameter: str, name: str, form: str) -> Any:
    """Return the metric of Keras with this name."""
    metrics = load_keras().metrics
    if name.lower() in _ACCURACY:
        classes = {
            "onehot": metrics.CategoricalAccuracy,
            "index": metrics.SparseCategoricalAccuracy,
            "values": metrics.Accuracy,
        }
        return classes.get(form, metrics.BinaryAccuracy)(name=name)
    try:
        metric = metrics.get(name)
    except TypeError as error:
        raise ParameterError(
            f"{parameter} names {name!r}, which needs arguments ({error}). Give the class, and its "
            "arguments as metrics__<argument>, or an object."
        ) from error
    except ValueError:
        metric = None
    if not callable(metric):
        known = [*metric_classes(), *_ACCURACY, *_SHORT_NAMES]
        raise ParameterError(
            f"{parameter} names {name!r}, which is no metric of Keras. {suggest(name, known)}"
        )
    if type(metric) is metrics.F1Score:
        threshold = None if form == "onehot" else 0.5
        return metrics.F1Score(average="macro", threshold=threshold, name=name)
    if isinstance(metric, metrics.Metric):
        metric.name = name
    return metric


def _of_keras(metric: Any) -> bool:
    return type(metric) in metric_classes().values()


def _label(item: Any) -> str:
    if isinstance(item, str):
        return repr(item)
    return str(getattr(item, "__name__", None) or type(item).__name__)


def _check_form(parameter: str, item: Any, metric: Any, form: str) -> None:
    """Raise for a metric of Keras that compares outputs with another form of the target."""
    forms = _FORMS.get(type(metric).__name__) if _of_keras(metric) else None
    if forms is None or not form:
        return
    if form not in forms:
        raise ParameterError(
            f"{parameter} holds {_label(item)}, which does not suit {_WORDS[form]}. "
            + _INSTEAD[form]
        )
    if form == "column" and metric.get_config().get("threshold", 0.5) is None:
        raise ParameterError(
            f"{parameter} holds {_label(item)} without a threshold, which takes the largest output "
            "for the class; here there is one output unit. Give threshold=0.5."
        )


def _try(parameter: str, item: Any, metric: Any, form: str, units: int) -> None:
    """Raise unless a copy of `metric` gives one number for two rows.

    Keras would say so in the first step of training, in the words of TensorFlow.
    """
    if not form:
        return
    keras = load_keras()
    outputs = np.full((2, units), 1 / max(units, 2), "float32")
    labels = {
        "index": np.arange(2) % max(units, 1),
        "onehot": np.eye(2, max(units, 2), dtype="float32")[:, :units],
    }
    y = labels.get(form, np.tile([[0.0], [1.0]], (1, units)).astype("float32"))
    y, outputs = keras.ops.convert_to_tensor(y), keras.ops.convert_to_tensor(outputs)
    try:
        if isinstance(metric, keras.metrics.Metric):
            copy = type(metric).from_config(metric.get_config())
            copy.update_state(y, outputs)
            value = keras.ops.convert_to_numpy(copy.result())
        else:
            value = keras.ops.convert_to_numpy(keras.ops.mean(metric(y, outputs)))
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ParameterError(
            f"{parameter} holds {_label(item)}, which cannot be computed for {_WORDS[form]} "
            f"({type(error).__name__}: {reason}). {_INSTEAD[form]}"
        ) from error
    if np.ndim(value):
        raise ParameterError(
            f"{parameter} holds {_label(item)}, which gives an array with a number for each class; "
            "the history of a training holds one number. Ask for their mean, for instance "
            "average='macro'."
        )


def on_probabilities(metric: Any, shared: bool) -> Any:
    """Return a metric like `metric` for outputs that are logits.

    Thresholds are moved where that does; other metrics of Keras get the logits turned into
    probabilities. Metrics of the user's, and those told to expect logits, stay as they are.

    Parameters
    ----------
    metric : keras.metrics.Metric
        It takes probabilities.
    shared : bool
        Whether the probabilities of a row add up to 1.
    """
    name, config = type(metric).__name__, metric.get_config()
    if not _of_keras(metric) or name in _SAME_ON_LOGITS or config.get("from_logits"):
        return metric
    if config.get("thresholds") in (0, 0.0, [0.0]) or config.get("threshold") in (0, 0.0):
        return metric  # written for logits: every probability is above
    if "from_logits" in config and not (name == "AUC" and shared):
        return type(metric).from_config({**config, "from_logits": True})
    share = config.get("threshold")
    if name == "BinaryAccuracy" and 0 < share < 1:
        return type(metric).from_config({**config, "threshold": math.log(share / (1 - share))})
    from ._probability_metric import ProbabilityMetric

    return ProbabilityMetric(metric, shared, name=metric.name)
