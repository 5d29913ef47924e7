"""Learning-rate schedules by name: the rate of every step of a fit."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

import numpy as np

from .._keras import load_keras
from ..exceptions import ParameterError, UnknownParameterError, suggest

_COSINE = {"warmup": 0.0, "final": 0.0}
# Name -> its options and their defaults.
SCHEDULES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "constant": {"warmup": 0.0},
        "coslog": {"warmup": 0.0, "n_cycles": 4},
        "cosine": _COSINE,
        "cosine_restarts": {**_COSINE, "n_cycles": 3, "t_mul": 2.0, "m_mul": 1.0},
        "exponential": {"warmup": 0.0, "final": 0.01},
        "one_cycle": {"warmup": 0.3, "start": 0.04, "final": 0.0},
        "polynomial": {"warmup": 0.0, "final": 0.0, "power": 1.0},
        "reduce_on_plateau": {"warmup": 0.0, "final": 0.0, "decay_rate": 0.1, "patience": 5},
        "step": {"warmup": 0.0, "decay_rate": 0.1, "n_drops": 2},
        "warmup_cosine": {**_COSINE, "warmup": 0.1},
    }
)
# Option -> type, least and greatest value, and whether these two are legal themselves.
_RULES: dict[str, tuple[type, float, float, str]] = {
    "decay_rate": (Real, 0, 1, "()"),
    "final": (Real, 0, 1, "[]"),
    "m_mul": (Real, 0, 1, "(]"),
    "n_cycles": (Integral, 1, np.inf, "[)"),
    "n_drops": (Integral, 1, np.inf, "[)"),
    "patience": (Integral, 1, np.inf, "[)"),
    "power": (Real, 0, np.inf, "()"),
    "start": (Real, 0, 1, "[]"),
    "t_mul": (Real, 1, np.inf, "[)"),
    "warmup": (Real, 0, 1, "[)"),
}


def schedule_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that a schedule uses, defaults filled in.

    Options of other schedules are left out, as scikit-learn's ``SVC`` leaves out ``gamma`` for a
    linear kernel: a search over several schedules gives each trial the options of all.

    Parameters
    ----------
    name : str
        Name of the schedule.
    options : mapping
        Options by name; every value is checked, used or not.

    Returns
    -------
    used : dict
        Options of this schedule.

    Raises
    ------
    ParameterError
        For an unknown schedule, or a value that breaks its rule.
    UnknownParameterError
        For an option that no schedule has.

    Examples
    --------
    >>> from skopt_wrap.training._schedules import schedule_options
    >>> schedule_options("cosine", {"warmup": 0.1, "decay_rate": 0.5})
    {'warmup': 0.1, 'final': 0.0}
    """
    if name not in SCHEDULES:
        raise ParameterError(
            f"learning_rate_schedule={name!r} is no schedule. " + suggest(name, SCHEDULES)
        )
    for option, value in options.items():
        if option not in _RULES:
            raise UnknownParameterError(
                f"a learning-rate schedule has no option {option!r}. " + suggest(option, _RULES)
            )
        kind, low, high, ends = _RULES[option]
        legal = isinstance(value, kind) and not isinstance(value, bool)
        if legal:
            legal = low < value < high or (
                (ends[0] == "[" and value == low) or (ends[1] == "]" and value == high)
            )
        if not legal:
            what = "an int" if kind is Integral else "a number"
            raise ParameterError(
                f"learning_rate_schedule__{option} must be {what} in "
                f"{ends[0]}{low}, {high}{ends[1]}, got {value!r}."
            )
    known = SCHEDULES[name]
    return {option: options.get(option, default) for option, default in known.items()}


def schedule_rates(name: str, rate: float, n_steps: int, **options: Any) -> np.ndarray:
    """Return the learning rate of every step of a training.

    The rates are those of :mod:`keras.optimizers.schedules`, stretched over the whole training.

    Parameters
    ----------
    name : str
        "constant", "step", "exponential", "polynomial", "cosine", "warmup_cosine", "coslog" [4]_,
        "cosine_restarts" [1]_, "one_cycle" [2]_ or "reduce_on_plateau" (which follows the
        validation loss and is constant here).
    rate : float
        Base rate: the greatest one.
    n_steps : int
        Steps of the training: batches of an epoch times epochs.
    **options : dict
        ``warmup`` (any schedule): share of the steps over which the rate rises to the base rate,
        in a line [3]_; for "one_cycle" along a cosine from ``start`` times the base rate.
        ``final``: rate at the end as a share of the base rate. ``decay_rate`` and ``n_drops``
        ("step"): factor and number of drops, evenly spaced. ``power`` ("polynomial").
        ``n_cycles``, ``t_mul``, ``m_mul`` ("cosine_restarts"): number of cycles, how much longer
        each is than the one before, and its peak as a share of the one before. ``n_cycles``
        ("coslog"): cycles from 0 to the base rate and back, each twice as long as the one before,
        ``(1 - cos(2 pi log2(1 + (2**n_cycles - 1) t))) / 2``, t the share of all steps at the
        middle of each;
        4 where it is not given. ``decay_rate``
        and ``patience`` (epochs) of "reduce_on_plateau". Options of other schedules are ignored.

    Returns
    -------
    rates : ndarray of shape (n_steps,), float32
        Learning rate of every step.

    Raises
    ------
    ParameterError
        For an unknown name or option, or a value that breaks its rule.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR
       2017.
    .. [2] L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks using
       large learning rates", 2018.
    .. [3] P. Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017.
    .. [4] D. Holzmüller, L. Grinsztajn, I. Steinwart, "Better by default: strong pre-tuned MLPs
       and boosted trees on tabular data", NeurIPS 2024.

    Examples
    --------
    >>> from skopt_wrap.training import schedule_rates
    >>> schedule_rates("polynomial", 1.0, 4).tolist()
    [1.0, 0.75, 0.5, 0.25]
    >>> schedule_rates("step", 1.0, 6, warmup=0.5, decay_rate=0.5).round(2).tolist()
    [0.33, 0.67, 1.0, 1.0, 0.5, 0.25]
    """
    used = schedule_options(name, options)
    n_warm = round(used["warmup"] * n_steps)
    n_rest = n_steps - n_warm
    if name == "one_cycle":
        rise = _cosine(rate, n_warm, used["start"])[::-1]
    else:
        rise = rate * np.arange(1, n_warm + 1) / max(n_warm, 1)
    rest = np.full(n_rest, rate) if n_rest == 0 else _decay(name, rate, n_rest, used)
    return np.concatenate([rise, rest]).astype(np.float32)


def _decay(name: str, rate: float, n_steps: int, used: Mapping[str, Any]) -> np.ndarray:
    """Return the rates after the warm-up."""
    if name in ("constant", "reduce_on_plateau"):
        return np.full(n_steps, rate)
    if name == "coslog":
        progress = (np.arange(n_steps) + 0.5) / n_steps  # a step at a rate of 0 would be lost
        phase = np.log2(1 + (2.0 ** used["n_cycles"] - 1) * progress)
        return rate * (1 - np.cos(2 * np.pi * phase)) / 2
    schedules = load_keras().optimizers.schedules
    if name == "step":
        n_drops = used["n_drops"]
        # Keras keeps a value up to and including its boundary.
        drops = [-(-n_steps * i // (n_drops + 1)) - 0.5 for i in range(1, n_drops + 1)]
        values = [rate * used["decay_rate"] ** i for i in range(n_drops + 1)]
        return _values(schedules.PiecewiseConstantDecay(drops, values), n_steps)
    if name == "exponential":
        # 0 is never reached by a factor; the least share is what float32 still tells from it.
        share = max(used["final"], 1e-7)
        return _values(schedules.ExponentialDecay(rate, n_steps, share), n_steps)
    if name == "polynomial":
        power, end = used["power"], rate * used["final"]
        return _values(schedules.PolynomialDecay(rate, n_steps, end, power), n_steps)
    if name != "cosine_restarts":
        return _cosine(rate, n_steps, used["final"])
    shares = np.cumsum(used["t_mul"] ** np.arange(used["n_cycles"], dtype=float))
    ends = np.round(n_steps * shares / shares[-1]).astype(int)
    lengths = np.diff(ends, prepend=0)
    peaks = rate * used["m_mul"] ** np.arange(used["n_cycles"])
    floor = rate * used["final"]
    # Cycle by cycle: CosineDecayRestarts finds the cycle by a logarithm in float32, which is off
    # by a step where a cycle ends.
    cycles = [
        _cosine(peak, n, min(1.0, floor / peak)) for peak, n in zip(peaks, lengths, strict=True)
    ]
    return np.concatenate(cycles)


def _cosine(rate: float, n_steps: int, final: float) -> np.ndarray:
    if n_steps == 0:
        return np.empty(0)
    schedule = load_keras().optimizers.schedules.CosineDecay(float(rate), int(n_steps), alpha=final)
    return _values(schedule, n_steps)


def _values(schedule: Any, n_steps: int) -> np.ndarray:
    """Return what a Keras schedule gives for each step; it computes all of them at once."""
    return np.asarray(schedule(np.arange(n_steps, dtype=np.float32)))
