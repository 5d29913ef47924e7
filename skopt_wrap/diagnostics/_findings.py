"""Findings: what may be wrong with a fit, and from which number on it counts."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from ..exceptions import ParameterError
from ._kinds import KINDS


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a fit, with the numbers that say so.

    Parameters
    ----------
    kind : str
        "diverged", "leakage", "duplicates", "time_order", "no_signal", "label_noise", "imbalance",
        "overfitting", "underfitting", "plateau", "unfinished", "batch_too_large",
        "batch_too_small", "noisy_validation", "too_few_rows" or "baseline_wins".
    message : str
        The finding in a sentence.
    evidence : dict of str to float
        The numbers.
    thresholds : dict of str to float
        What they were compared with; fields of :class:`FitThresholds`.
    source : str
        Where the rule comes from.
    meaning : str
        What it means, for somebody who is new to the field.
    action : str
        What to do.
    """

    kind: str
    message: str
    evidence: dict[str, float] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)
    source: str = ""
    meaning: str = ""
    action: str = ""


def make_finding(
    kind: str, message: str, evidence: dict[str, float], used: dict[str, float]
) -> Finding:
    """Return a finding with plain floats and its source."""
    plain = {name: float(value) for name, value in evidence.items()}
    known = KINDS[kind]
    return Finding(kind, message, plain, used, known.source, known.meaning, known.action)


@dataclass(frozen=True)
class FitThresholds:
    """What counts as wrong. The defaults are conventions, chosen on planted cases.

    Scores are compared in *skill*: 0 is the score of a predictor that ignores X, and 1 that of what
    the score is compared with. Losses are compared relative to themselves. So no threshold depends
    on the scale of a score or loss, except `min_signal` and `perfect`.

    Parameters
    ----------
    skill_gap : float, default=0.2
        Overfitting: share of the skill on training rows that is lost on rows held out.
    val_rise : float, default=0.1
        Overfitting: rise of the validation loss after its best epoch, relative to the best.
    loss_gap : float, default=0.25
        Overfitting: final validation loss above the training loss, relative to the best
        validation loss. Only with `val_rise`.
    standard_errors : float, default=2.0
        How many standard errors over the folds a difference of scores must exceed.
    underfit_skill : float, default=0.8
        Underfitting: skill on training rows and on rows held out, relative to the best baseline,
        that both fall short of.
    min_signal : float, default=0.05
        Underfitting: how much the best baseline must gain over ignoring X, in units of the score.
    loss_left : float, default=0.9
        Underfitting and plateau, from losses: share of the constant predictor's loss (else of the
        first epoch's) that is left at the end.
    divergence : float, default=2.0
        Divergence: final training loss relative to the lowest, if it also exceeds the first.
    plateau_change : float, default=0.01
        Plateau: relative improvement of the training loss over the last third of the epochs
        that it falls short of.
    unfinished_change : float, default=0.05
        Unfinished: share of the whole decrease of the loss that happened in the last fifth of the
        epochs.
    val_noise : float, default=0.15
        Noisy validation: standard deviation of the validation loss around its trend over the last
        half of the epochs, relative to its level.
    train_noise : float, default=0.15
        Batch too small: the same of the training loss.
    min_steps : float, default=4.0
        Batch too large: steps in an epoch that an unfinished training falls short of.
    curve_rise : float, default=0.05
        Too few rows: gain from the last step of the learning curve, as a share of the skill.
    perfect : float, default=0.995
        Leakage: score that is implausible, for the network and for a single feature.
    min_epochs : float, default=5.0
        No finding on the shape of curves from fewer epochs.
    label_copy : float, default=0.9
        Leakage: balanced accuracy of a feature that takes one value for each class.
    duplicates : float, default=0.02
        Duplicates: share of the rows held out that are identical to a training row.
    order_drop : float, default=0.25
        Time order: share of the skill that a baseline loses on folds that keep the order.
    p_value : float, default=0.05
        No signal: the permutation test must exceed it.
    label_noise : float, default=0.15
        Label noise: share of labels that contradict a model where it is surest.
    rare_class : float, default=0.05
        Imbalance: share of the rarest of two classes (of k classes, 2 / k times this share).
    min_rows : float, default=50.0
        Too few rows: no score can be trusted with fewer.

    Raises
    ------
    ParameterError
        If a threshold is negative or no number.

    Examples
    --------
    >>> from skopt_wrap.diagnostics import FitThresholds
    >>> FitThresholds(skill_gap=0.1).val_rise
    0.1
    """

    skill_gap: float = 0.2
    val_rise: float = 0.1
    loss_gap: float = 0.25
    standard_errors: float = 2.0
    underfit_skill: float = 0.8
    min_signal: float = 0.05
    loss_left: float = 0.9
    divergence: float = 2.0
    plateau_change: float = 0.01
    unfinished_change: float = 0.05
    val_noise: float = 0.15
    train_noise: float = 0.15
    min_steps: float = 4.0
    curve_rise: float = 0.05
    perfect: float = 0.995
    min_epochs: float = 5.0
    label_copy: float = 0.9
    duplicates: float = 0.02
    order_drop: float = 0.25
    p_value: float = 0.05
    label_noise: float = 0.15
    rare_class: float = 0.05
    min_rows: float = 50.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
            if not number or not 0 <= value < np.inf:
                raise ParameterError(f"{item.name} must be a finite number >= 0, got {value!r}.")

    def pick(self, *names: str) -> dict[str, float]:
        """Return some thresholds by name.

        Parameters
        ----------
        *names : str
            Fields.

        Returns
        -------
        picked : dict of str to float
            Their values.
        """
        return {name: float(getattr(self, name)) for name in names}
