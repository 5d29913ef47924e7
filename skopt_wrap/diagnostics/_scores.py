"""Findings from scores: of training rows, of rows held out, and of simple models."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ._findings import Finding, FitThresholds, make_finding


def standard_error(values: np.ndarray) -> float:
    """Return the standard error of a mean over folds; 0 for one fold."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def beyond_noise(differences: np.ndarray, limits: FitThresholds) -> bool:
    """Whether a mean difference over folds is positive by enough standard errors."""
    return float(differences.mean()) > limits.standard_errors * standard_error(differences)


def judge_scores(
    train: np.ndarray,
    validation: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    limits: FitThresholds,
    *,
    curve: Mapping[str, np.ndarray] | None = None,
    title: str = "score",
) -> list[Finding]:
    """Return the findings from scores on every fold.

    Parameters
    ----------
    train, validation : ndarray of shape (n_splits,)
        Scores of the estimator; greater is better.
    baselines : mapping of str to ndarray of shape (n_splits,)
        Validation scores of baselines; "dummy" is the one that ignores X.
    limits : FitThresholds
        Thresholds.
    curve : mapping, default=None
        Learning curve: n_rows (n_sizes,), validation (n_sizes, n_splits).
    title : str, default="score"
        What messages call the score.

    Returns
    -------
    findings : list of Finding
        Unordered.
    """
    if not (np.isfinite(train).all() and np.isfinite(validation).all()):
        broken = int((~np.isfinite(validation)).sum())
        return [
            make_finding(
                "diverged",
                f"The weights are NaN or infinite after {broken} of {len(validation)} fits.",
                {"n_diverged": broken, "n_fits": len(validation)},
                {},
            )
        ]
    dummy = baselines.get("dummy")
    compared = _against_baselines(train, validation, baselines, limits, title)
    underfitted = any(finding.kind == "underfitting" for finding in compared)
    findings = [
        # a gap between two poor scores is not what to mend first
        None if underfitted else _overfitting(train, validation, dummy, limits, title),
        *compared,
        None if curve is None else _too_few_rows(curve, dummy, limits, title),
    ]
    return [finding for finding in findings if finding is not None]


def _overfitting(
    train: np.ndarray,
    validation: np.ndarray,
    dummy: np.ndarray | None,
    limits: FitThresholds,
    title: str,
) -> Finding | None:
    if dummy is None:
        return None
    skill = float(train.mean() - dummy.mean())
    gap = train - validation
    if skill <= 0 or not beyond_noise(gap, limits):
        return None
    share = float(gap.mean()) / skill
    if share <= limits.skill_gap:
        return None
    return make_finding(
        "overfitting",
        f"{title} is {train.mean():.3f} on training rows and {validation.mean():.3f} on rows held "
        f"out: {share:.0%} of what was learned does not carry over.",
        {
            "train_score": train.mean(),
            "validation_score": validation.mean(),
            "dummy_score": dummy.mean(),
            "gap_standard_error": standard_error(gap),
            "skill_gap": share,
        },
        limits.pick("skill_gap", "standard_errors"),
    )


def _against_baselines(
    train: np.ndarray,
    validation: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    limits: FitThresholds,
    title: str,
) -> list[Finding]:
    real = {name: values for name, values in baselines.items() if name != "dummy"}
    if not real:
        return []
    best = max(real, key=lambda name: real[name].mean())
    findings: list[Finding] = []
    evidence = {
        "train_score": train.mean(),
        "validation_score": validation.mean(),
        f"{best}_score": real[best].mean(),
    }
    if "dummy" in baselines:
        dummy = baselines["dummy"]
        signal = float(real[best].mean() - dummy.mean())
        if signal > limits.min_signal and beyond_noise(real[best] - dummy, limits):
            learned = float(train.mean() - dummy.mean()) / signal
            held = float(validation.mean() - dummy.mean()) / signal
            if max(learned, held) < limits.underfit_skill:
                findings.append(
                    make_finding(
                        "underfitting",
                        f"{title} is {train.mean():.3f} on training rows and "
                        f"{validation.mean():.3f} on rows held out; the baseline {best!r} reaches "
                        f"{real[best].mean():.3f} there.",
                        {**evidence, "train_skill": learned, "validation_skill": held},
                        limits.pick("underfit_skill", "min_signal", "standard_errors"),
                    )
                )
    ahead = real[best] - validation
    if beyond_noise(ahead, limits) and ahead.mean() > limits.min_signal / 2:
        findings.append(
            make_finding(
                "baseline_wins",
                f"The baseline {best!r} scores {real[best].mean():.3f} on rows held out, the "
                f"network {validation.mean():.3f}.",
                {**evidence, "gain_of_baseline": ahead.mean()},
                limits.pick("min_signal", "standard_errors"),
            )
        )
    return findings


def _too_few_rows(
    curve: Mapping[str, np.ndarray], dummy: np.ndarray | None, limits: FitThresholds, title: str
) -> Finding | None:
    rows, scores = curve["n_rows"], curve["validation"]
    if len(rows) < 2 or dummy is None or not np.isfinite(scores).all():
        return None
    rise = scores[-1] - scores[-2]
    skill = float(scores[-1].mean() - dummy.mean())
    share = float(rise.mean()) / skill if skill > 0 else 0.0
    if share <= limits.curve_rise or not beyond_noise(rise, limits):
        return None
    return make_finding(
        "too_few_rows",
        f"{title} on rows held out still rises with more training rows: {scores[-2].mean():.3f} "
        f"with {rows[-2]}, {scores[-1].mean():.3f} with {rows[-1]}.",
        {
            "n_rows": rows[-1],
            "n_rows_before": rows[-2],
            "validation_score": scores[-1].mean(),
            "validation_score_before": scores[-2].mean(),
            "curve_rise": share,
        },
        limits.pick("curve_rise", "standard_errors"),
    )
