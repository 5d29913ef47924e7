"""What a metric is: one object with its name, what it judges, and how it is computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ...exceptions import ParameterError
from .._targets import Target

__all__ = ["ALL_TARGETS", "SINGLE_LABEL", "Metric", "Settings"]

ALL_TARGETS = ("binary", "multiclass", "multilabel")
SINGLE_LABEL = ("binary", "multiclass")


@dataclass(frozen=True)
class Settings:
    """What a metric may need besides the arrays; `costs` has the positive class last."""

    kind: str
    n_classes: int
    average: str | None = None
    sample_weight: np.ndarray | None = None
    zero_division: float = 0.0
    beta: float = 1.0
    costs: np.ndarray | None = None
    level: float | None = None


@dataclass(frozen=True)
class Metric:
    """A metric, and all that the package knows of it.

    `function` takes ``(y, output, settings)``. For a binary target, `y` holds 1 for the positive
    class and 0 for the other one; for a multiclass target, positions of classes; for a multilabel
    target, the 0/1 indicator. `output` holds labels in the same form, or scores (1-D for two
    classes), or probabilities (one column a class; the positive class is the last one of two).
    Where the metric is not defined, `function` returns a fixed value and never NaN: 0.5 for ROC
    AUC, `zero_division` for ratios, 0 for agreement beyond chance.

    Attributes
    ----------
    name : str
        Name that callers write.
    title : str
        Name that tables print.
    needs : {"labels", "probabilities", "scores"}
        Which prediction it judges.
    function : callable
        ``function(y, output, settings) -> float``.
    greater_is_better : bool
        False for losses. The scorer negates these.
    targets : tuple of str
        Types of target for which it is defined.
    averages : tuple of str
        Legal values of `average` besides "auto"; empty when it does not average over classes.
    default_average : dict
        What "auto" means for each type of target, where it is not "binary" or "macro".
    parameters : frozenset of str
        Which of beta, costs, zero_division it uses.
    level : float or None
        Default of the number that its name may carry, as in "lift_at_k=5".
    level_max : float
        Greatest legal level; every level is greater than 0.
    level_text : str
        How tables print the level; empty when they do not.
    fixed_beta : float or None
        Beta of an F score that has it in its name.
    from_confusion : callable or None
        ``from_confusion(matrices, settings) -> ndarray``: the same metric, for a stack of
        confusion matrices. Metrics of labels have it; it makes resampling fast.
    from_ranking : callable or None
        ``from_ranking(found, taken, settings) -> ndarray of shape (...)``: the same metric, from
        the cumulative weight of positive samples and of all samples, the highest score first, both
        of shape (..., n_scores).
    sample_values : callable or None
        ``sample_values(target, output) -> ndarray of shape (n_samples,)``, for a metric that is the
        mean of one value a sample.
    score_interval : callable or None
        ``score_interval(value, n_positive, n_negative)``: the variance of a ranking metric of two
        classes if `value` were the true one.
    edge_weight : float
        Weight of the samples that the interval of a ranking metric imagines above and below all
        scores; see the guide.
    biased : bool
        Whether few samples make the metric too high.
    interval_note : str
        What was measured against its interval; empty for nothing.
    constant : str
        Name of its scorer in :mod:`skopt_wrap.scoring`, such as "F1"; empty for none.
    in_report : bool
        Whether :func:`imbalance_report` shows it without being asked.
    """

    name: str
    title: str
    needs: str
    function: Callable[..., float]
    greater_is_better: bool = True
    targets: tuple[str, ...] = ALL_TARGETS
    averages: tuple[str, ...] = ()
    default_average: dict[str, str] = field(default_factory=dict)
    parameters: frozenset[str] = frozenset()
    level: float | None = None
    level_max: float = 1.0
    level_text: str = ""
    fixed_beta: float | None = None
    from_confusion: Callable[[np.ndarray, Settings], np.ndarray] | None = None
    from_ranking: Callable[[np.ndarray, np.ndarray, Settings], np.ndarray] | None = None
    sample_values: Callable[[Target, np.ndarray], np.ndarray] | None = None
    score_interval: Callable[[float, int, int], float] | None = None
    edge_weight: float = 0.5
    biased: bool = False
    interval_note: str = ""
    constant: str = ""
    in_report: bool = False

    def compute(self, target: Target, output: np.ndarray, settings: Settings) -> float:
        """Return the metric as it is published: losses are not negated.

        Parameters
        ----------
        target : Target
            True labels.
        output : ndarray
            Prediction, with one column a class in the order of `target.classes` where it is 2-D.
        settings : Settings
            Parameters and weights.
        """
        codes = target.codes
        if target.kind == "binary":
            codes = target.to_binary(codes)
            if self.needs == "labels":
                output = target.to_binary(output)
            elif self.needs == "probabilities" and target.pos_index == 0:
                output = output[:, ::-1]
        return float(self.function(codes, output, settings))

    def compute_resampled(
        self, target: Target, output: np.ndarray, settings: Settings, counts: np.ndarray
    ) -> float:
        """Return the metric when each sample is drawn so and so often.

        Parameters
        ----------
        target, output, settings
            As of :meth:`compute`.
        counts : ndarray of shape (n_samples,)
            How often each sample is drawn.
        """
        own = settings.sample_weight
        weight = counts if own is None else counts * own
        return self.compute(target, output, replace(settings, sample_weight=weight))

    def title_with_level(self, settings: Settings) -> str:
        """Return the title, with the level where tables print it."""
        return self.title + (f" ({self.level_text.format(settings.level)})" * bool(self.level_text))

    def resolve_average(self, kind: str, average: str) -> str | None:
        """Return the average for this type of target, or raise ParameterError."""
        if not self.averages:
            return None
        if average == "auto":
            return self.default_average.get(kind, "binary" if kind == "binary" else "macro")
        if average == "binary" and kind != "binary":
            raise ParameterError(f"average='binary' needs a binary target, got a {kind} one.")
        if average == "samples" and kind != "multilabel":
            raise ParameterError(f"average='samples' needs a multilabel target, got a {kind} one.")
        return average
