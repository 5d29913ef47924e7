"""What a fit takes from the training recipe of its architecture: everything that is "auto"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from .._keras import load_keras
from ..architectures import Recipe, recipe_of
from ..exceptions import DataError
from ..training import TrainingData

AUTO = "auto"


def is_auto(value: Any) -> bool:
    """Whether a parameter leaves its value to the recipe."""
    return isinstance(value, str) and value == AUTO


def recipe_for(estimator: Any) -> Recipe:
    """Return the recipe of the estimator's architecture."""
    return recipe_of(estimator._builder())


def chooses_epoch(estimator: Any) -> bool:
    """Whether the weights of the best epoch on held-out rows are kept without being asked for."""
    return is_auto(estimator.early_stopping) and recipe_for(estimator).holdout > 0


def best_epoch_monitor(estimator: Any) -> str | None:
    """Return the name of the value whose best epoch is kept, or None."""
    if not chooses_epoch(estimator):
        return None
    return (
        "val_accuracy"
        if is_classifier(estimator) and not wants_probabilities(estimator)
        else "val_loss"
    )


def wants_probabilities(estimator: Any) -> bool:
    """Whether probabilities count more than labels: the smoothing of the recipe is switched off."""
    return recipe_for(estimator).label_smoothing > 0 and label_smoothing_of(estimator) == 0


def resolved_epochs(estimator: Any) -> int:
    """Return how many epochs `fit` of a network's estimator takes.

    Parameters
    ----------
    estimator : KerasClassifier or KerasRegressor
        Its parameter `epochs` may be "auto".

    Returns
    -------
    epochs : int
        The number given, or that of the architecture's recipe.

    Examples
    --------
    >>> from skopt_wrap import KerasClassifier
    >>> from skopt_wrap.estimators import resolved_epochs
    >>> resolved_epochs(KerasClassifier()), resolved_epochs(KerasClassifier("realmlp"))
    (50, 256)
    """
    epochs = estimator.epochs
    return recipe_for(estimator).epochs if is_auto(epochs) else int(epochs)


def optimizer_and_options(
    estimator: Any, options: Mapping[str, Any], rate: Any
) -> tuple[Any, dict[str, Any]]:
    """Return the optimizer and its arguments, those of the user over those of the recipe.

    `rate` is a learning rate from elsewhere, which stands in for the recipe's, or None.
    """
    if not is_auto(estimator.optimizer):
        return estimator.optimizer, dict(options)
    wanted = recipe_for(estimator).optimizer
    if isinstance(wanted, str):
        return wanted, dict(options)
    optimizer, defaults = wanted(not is_classifier(estimator))
    given = {**defaults, **options}
    if rate is not None and "learning_rate" not in options:
        given.pop("learning_rate", None)
    return optimizer, given


def schedule_of(estimator: Any) -> Any:
    """Return the schedule: the user's, or that of the recipe for the optimizer of the recipe."""
    schedule = estimator.learning_rate_schedule
    if schedule is not None or not is_auto(estimator.optimizer):
        return schedule
    rate = estimator._routed("optimizer").get("learning_rate")
    if isinstance(rate, load_keras().optimizers.schedules.LearningRateSchedule):
        return None
    return recipe_for(estimator).learning_rate_schedule


def label_smoothing_of(estimator: Any) -> float:
    """Return the share of a target that is spread over all classes, of an inferred cross-entropy.

    A builder may have a parameter `label_smoothing`, which counts unless it is "auto".
    """
    recipe = recipe_for(estimator)
    if not recipe.label_smoothing:
        return 0.0
    given = estimator._routed("model").get("label_smoothing", AUTO)
    return recipe.label_smoothing if is_auto(given) else float(given)


def metrics_of(estimator: Any) -> Any:
    """Return the metrics, with the accuracy where the best epoch is chosen by it."""
    metrics = estimator.metrics
    if not (chooses_epoch(estimator) and is_classifier(estimator)):
        return metrics
    if metrics is None:
        return ["accuracy"]
    if isinstance(metrics, (list, tuple)):
        return list(metrics) if "accuracy" in metrics else [*metrics, "accuracy"]
    return metrics if isinstance(metrics, dict) or metrics == "accuracy" else [metrics, "accuracy"]


def hold_out_some(
    estimator: Any, y: np.ndarray, target: Any, settings: Mapping[str, Any], seed: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return training and held-out rows as the recipe wants them, or None.

    Nothing is held out from few rows, or where a class would have no row left.
    """
    recipe = recipe_for(estimator)
    if not settings["holdout"] or len(y) < recipe.least_rows:
        return None
    share = {**settings, "validation_split": settings["holdout"]}
    try:
        return estimator._hold_out(y, target, share, seed)
    except DataError:
        return None


def start_network(
    estimator: Any, network: Any, data: Callable[[], TrainingData], seed: int
) -> None:
    """Set the first weights from training rows, where the recipe does."""
    start = recipe_for(estimator).start
    if start is not None:
        start(network, data(), np.random.default_rng(seed))


def finish_training(estimator: Any, network: Any, held_out: TrainingData | None) -> None:
    """Correct the trained network on held-out rows, where the recipe does."""
    finish = recipe_for(estimator).finish
    if finish is not None and held_out is not None and chooses_epoch(estimator):
        finish(network, held_out)
