"""Findings from a training history: the losses by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ._findings import Finding, FitThresholds, make_finding
from ._kinds import importance


def judge_history(
    history: Mapping[str, Sequence[float]],
    limits: FitThresholds,
    *,
    constant_loss: float | None = None,
    n_rows: int | None = None,
    batch_size: int | None = None,
    restored: bool = False,
) -> list[Finding]:
    """Return the findings from one history.

    Parameters
    ----------
    history : mapping of str to sequence of float
        With "loss" and, for most findings, "val_loss", one number an epoch.
    limits : FitThresholds
        Thresholds.
    constant_loss : float, default=None
        Loss of the best predictor that ignores X.
    n_rows, batch_size : int, default=None
        Training rows, and rows per step.
    restored : bool, default=False
        Whether the weights of the best epoch were restored, so that a later rise does no harm.

    Returns
    -------
    findings : list of Finding
        In the order of `KINDS`.
    """
    train = np.asarray(history["loss"], dtype=np.float64)
    val = np.asarray(history.get("val_loss", ()), dtype=np.float64)
    val = val if len(val) == len(train) else np.empty(0)
    found = _diverged(train, val, limits)
    if found is not None:
        return [found]
    if len(train) < limits.min_epochs:
        return []
    steps = None if not (n_rows and batch_size) else -(-n_rows // batch_size)
    stalled = _stalled(train, val, limits, constant_loss)
    findings = [
        None if restored else _overfitting(train, val, limits),
        *stalled,
        *_unfinished(train, val, limits, steps, batch_size),
        _noise(train, limits.train_noise, "batch_too_small", limits, batch_size),
        _noise(val, limits.val_noise, "noisy_validation", limits, None),
    ]
    return sorted((f for f in findings if f), key=lambda f: importance(f.kind))


def tail_mean(values: np.ndarray) -> float:
    """Return the mean of the last tenth of the epochs, at least one."""
    return float(values[-max(1, len(values) // 10) :].mean())


def residual_deviation(values: np.ndarray) -> float:
    """Return the standard deviation around the linear trend of the last half."""
    half = values[len(values) // 2 :]
    if len(half) < 3:
        return 0.0
    steps = np.arange(len(half))
    trend = np.polyval(np.polyfit(steps, half, 1), steps)
    return float((half - trend).std(ddof=2))


def residual_noise(values: np.ndarray) -> float:
    """Return the deviation around the trend over the level of the last half.

    The level is the mean, or a tenth of the greatest value where that is more: noise of a loss
    that is nearly zero harms nobody.
    """
    half = values[len(values) // 2 :]
    level = max(float(np.abs(half).mean()), 0.1 * float(np.abs(values).max()))
    return residual_deviation(values) / level if level > 0 else 0.0


def _diverged(train: np.ndarray, val: np.ndarray, limits: FitThresholds) -> Finding | None:
    used = limits.pick("divergence")
    for name, values in (("training", train), ("validation", val)):
        broken = np.flatnonzero(~np.isfinite(values))
        if len(broken):
            return make_finding(
                "diverged",
                f"The {name} loss is {values[broken[0]]} from epoch {broken[0] + 1} on.",
                {"epoch": broken[0] + 1},
                used,
            )
    if len(train) < 2:
        return None
    last, lowest = tail_mean(train), float(train.min())
    if last > train[0] and last > limits.divergence * lowest:
        return make_finding(
            "diverged",
            f"The training loss ends at {last:.3g}, above its first value {train[0]:.3g} and "
            f"{last / lowest:.1f} times its lowest.",
            {"final_loss": last, "first_loss": train[0], "lowest_loss": lowest},
            used,
        )
    return None


def _overfitting(train: np.ndarray, val: np.ndarray, limits: FitThresholds) -> Finding | None:
    if not len(val):
        return None
    best = int(val.argmin())
    scale = abs(float(val[best])) or 1.0
    final, fitted = tail_mean(val), tail_mean(train)
    rise, gap = (final - val[best]) / scale, (final - fitted) / scale
    # the lowest of noisy values lies below their level, which is no rise
    noise = limits.standard_errors * residual_deviation(val) / scale
    if rise <= limits.val_rise + noise or gap <= limits.loss_gap:
        return None
    return make_finding(
        "overfitting",
        f"The validation loss rose by {rise:.0%} after epoch {best + 1} of {len(val)}, while the "
        f"training loss fell to {fitted:.3g}.",
        {
            "best_epoch": best + 1,
            "best_val_loss": val[best],
            "final_val_loss": final,
            "final_loss": fitted,
            "val_rise": rise,
            "loss_gap": gap,
        },
        limits.pick("val_rise", "loss_gap"),
    )


def _stalled(
    train: np.ndarray, val: np.ndarray, limits: FitThresholds, constant: float | None
) -> list[Finding]:
    """Return a finding when the loss is still about that of a predictor that ignores X."""
    reference = float(train[0]) if constant is None else constant
    if reference <= 0:
        return []
    left = tail_mean(train) / reference
    held = tail_mean(val) / reference if len(val) else left
    if min(left, held) <= limits.loss_left:
        return []
    part = max(2, len(train) // 3)
    before = float(train[-part:][: max(1, part // 3)].mean())
    change = (before - tail_mean(train)) / abs(before) if before else 0.0
    whose = "of a predictor that looks at no feature" if constant is not None else (
        "of the first epoch")  # fmt: skip
    evidence = {"loss_left": left, "reference_loss": reference, "change": change}
    if len(val):
        evidence["val_loss_left"] = held
    findings = []
    if constant is not None:
        findings.append(
            make_finding(
                "underfitting",
                f"The training loss ends at {tail_mean(train):.3g}. A predictor that looks at no "
                f"feature reaches {reference:.3g}, so the network has learned little or nothing.",
                evidence,
                limits.pick("loss_left"),
            )
        )
    if change < limits.plateau_change:
        findings.append(
            make_finding(
                "plateau",
                f"The training loss changed by {change:.1%} over the last {part} epochs and stands "
                f"at {tail_mean(train):.3g}, near the {reference:.3g} {whose}.",
                evidence,
                limits.pick("plateau_change", "loss_left"),
            )
        )
    return findings


def _unfinished(
    train: np.ndarray, val: np.ndarray, limits: FitThresholds, steps: int | None, batch: int | None
) -> list[Finding]:
    watched = val if len(val) else train
    part = max(1, len(watched) // 5)
    drop = float(watched[0] - watched[-1])
    if drop <= 0 or int(watched.argmin()) < len(watched) - part:
        return []
    share = float(watched[-part - 1] - watched[-1]) / drop
    if share <= limits.unfinished_change:
        return []
    name = "validation" if len(val) else "training"
    evidence = {"recent_share": share, "epochs": len(watched), "final_loss": watched[-1]}
    findings = [
        make_finding(
            "unfinished",
            f"{share:.0%} of the whole decrease of the {name} loss came in the last {part} of "
            f"{len(watched)} epochs.",
            evidence,
            limits.pick("unfinished_change"),
        )
    ]
    if steps is not None and batch is not None and steps < limits.min_steps:
        findings.append(
            make_finding(
                "batch_too_large",
                f"An epoch has {steps} steps of {batch} rows, and training is not finished.",
                {**evidence, "steps": steps, "batch_size": batch},
                limits.pick("unfinished_change", "min_steps"),
            )
        )
    return findings


def _noise(
    values: np.ndarray, limit: float, kind: str, limits: FitThresholds, batch: int | None
) -> Finding | None:
    if len(values) < max(limits.min_epochs, 8):
        return None
    noise = residual_noise(values)
    if noise <= limit:
        return None
    name = "validation" if kind == "noisy_validation" else "training"
    evidence = {"noise": noise} | ({} if batch is None else {"batch_size": batch})
    tail = "" if batch is None else f" with {batch} rows a step"
    return make_finding(
        kind,
        f"The {name} loss varies by {noise:.0%} around its trend over the last half{tail}.",
        evidence,
        limits.pick("val_noise" if kind == "noisy_validation" else "train_noise"),
    )
