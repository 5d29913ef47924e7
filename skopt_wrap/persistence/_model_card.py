"""`model_card`: measure a fitted estimator on test rows and write down what it is."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.base import is_classifier, is_regressor

from ..exceptions import DataError, ParameterError
from ._card import CardSection, ModelCard
from ._manifest import describe, is_fitted, sources
from ._measures import Measuring, at_thresholds, by_group, read_groups

_THRESHOLDS = ("best_threshold_", "decision_threshold_", "threshold_")
_MOST_NAMES = 30
_SMALL_GROUP = 30
# Metrics that are shown for each group, of those that were measured.
_SHOWN = ("accuracy", "balanced_accuracy", "f1", "matthews_corrcoef", "average_precision",
          "r2", "mean_absolute_error")  # fmt: skip


def model_card(
    estimator: Any,
    X_test: Any,
    y_test: Any,
    *,
    intended_use: str,
    groups: Any = None,
    limits: str | Sequence[str] | None = None,
    name: str | None = None,
    data: str | None = None,
    licence: str | None = None,
    pos_label: Any = "auto",
    n_resamples: int = 1000,
    confidence_level: float = 0.95,
    random_state: int = 0,
) -> ModelCard:
    """Measure a fitted estimator on rows that it has not seen, and write a model card [1]_.

    The card holds what you state (intended use, limits, where the data come from) and what was
    measured: metrics with bootstrap intervals, overall and for each group, thresholds, and the
    report of the compression where there was one. It also holds versions, parameters and the form
    of the data. Nothing else is claimed.

    Parameters
    ----------
    estimator : estimator
        A fitted classifier or regressor, or a pipeline or search around one.
    X_test : array-like of shape (n_samples, ...)
        Rows that were not used for training or for choosing the model.
    y_test : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their true classes or values.
    intended_use : str
        Who may use the model, and for what. Markdown.
    groups : array-like of shape (n_samples,), mapping or DataFrame, default=None
        A group for each row, or several groupings by name. The metrics are measured again in each
        group. Missing values make a group of their own.
    limits : str or sequence of str, default=None
        Where the model should not be used, and known weaknesses. Markdown.
    name : str, default=None
        Title of the card; None takes the class of the estimator.
    data : str, default=None
        Where the training data come from. Markdown.
    licence : str, default=None
        Licence of the model, such as ``"mit"``.
    pos_label : object, default="auto"
        Positive class of a binary target; "auto" takes the class with fewer rows.
    n_resamples : int, default=1000
        Bootstrap resamples; 0 leaves the intervals out.
    confidence_level : float, default=0.95
        Level of the intervals, in (0, 1).
    random_state : int, default=0
        Seed of the resampling.

    Returns
    -------
    card : ModelCard
        ``str(card)`` is Markdown, notebooks show HTML, and ``card.save("card.md")`` writes it.

    Raises
    ------
    ParameterError
        A parameter breaks its rule, the estimator is neither classifier nor regressor, or a
        grouping does not fit the rows.
    DataError
        The estimator was not fitted, or the predictions cannot be scored.

    See Also
    --------
    save : Write the estimator itself to a file.
    skopt_wrap.imbalance_report : The report behind the metrics of classifiers.

    References
    ----------
    .. [1] M. Mitchell et al., "Model cards for model reporting", Proceedings of the Conference on
       Fairness, Accountability, and Transparency, 2019.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> import skopt_wrap
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:400], y[:400])
    >>> card = skopt_wrap.model_card(
    ...     model,
    ...     X[400:],
    ...     y[400:],
    ...     intended_use="Teaching.",
    ...     groups=X[400:, 0] > 15,
    ...     n_resamples=50,
    ... )
    >>> round(card.metrics["f1"]["value"], 2), card.groups["group"]["True"]["rows"]
    (0.94, 39)
    >>> print(str(card)[:38])
    # Pipeline
    <BLANKLINE>
    ## Intended use
    <BLANKLINE>
    Teaching.
    """
    _check_texts(intended_use=intended_use, name=name, data=data, licence=licence)
    stated = _limits(limits)
    measuring = Measuring(
        _integer("n_resamples", n_resamples), _level(confidence_level),
        _integer("random_state", random_state),
    )  # fmt: skip
    if not (is_classifier(estimator) or is_regressor(estimator)):
        raise ParameterError(
            f"estimator must be a classifier or a regressor, got {type(estimator).__name__}."
        )
    if not is_fitted(estimator):
        raise DataError(f"{type(estimator).__name__} is not fitted; call fit first.")
    n_rows = len(y_test)
    members = {} if groups is None else read_groups(groups, n_rows)
    sections = [CardSection("Intended use", [intended_use]), _model(estimator, licence)]
    skipped: Mapping[str, str] = {}
    if is_classifier(estimator):
        report = measuring.classifier(estimator, X_test, y_test, pos_label)
        metrics, skipped, pos_label = report.metrics, report.skipped, report.pos_label
        classes = {"class": report.classes, "rows": report.counts}
        summary = [report.summary.replace("\n", " ")]
    else:
        metrics, classes, summary = measuring.regressor(estimator, X_test, y_test), {}, []
    measured = by_group(
        estimator, X_test, y_test, members, measuring, "auto" if pos_label is None else pos_label
    )
    sections.append(_data(estimator, data, n_rows, classes))
    sections.append(_metrics_section(metrics, summary, measuring))
    sections += [_group_section(title, found) for title, found in measured.items()]
    if is_classifier(estimator):
        sections.append(_thresholds(estimator, X_test, y_test, pos_label))
    sections += _compression(estimator)
    sections.append(CardSection("Limits", [*stated, *_weak_spots(measured, skipped)]))
    title = name or type(estimator).__name__
    return ModelCard(title, sections, metrics, measured, licence)


def _check_texts(*, intended_use: Any, **texts: Any) -> None:
    if not isinstance(intended_use, str) or not intended_use.strip():
        raise ParameterError(
            f"intended_use must be a text that is not empty, got {intended_use!r}. A card without "
            "it leaves the reader to guess."
        )
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            raise ParameterError(f"{name} must be a text or None, got {value!r}.")


def _limits(limits: Any) -> list[str]:
    items = [limits] if isinstance(limits, str) else limits
    if items is None:
        return ["None were stated."]
    if not isinstance(items, Sequence) or not all(isinstance(item, str) for item in items):
        raise ParameterError(f"limits must be a text or a sequence of texts, got {limits!r}.")
    return list(items)


def _integer(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 0:
        raise ParameterError(f"{name} must be an int of at least 0, got {value!r}.")
    return int(value)


def _level(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ParameterError(f"confidence_level must be a number in (0, 1), got {value!r}.")
    return float(value)


def _model(estimator: Any, licence: str | None) -> CardSection:
    manifest = describe(estimator, licence=licence, description=None, trust=())
    rows = {
        "class": manifest["estimator"]["class"],
        "licence": licence or "not stated",
        "card written": manifest["created"],
        **{f"version of {name}": version for name, version in manifest["versions"].items()},
        **{f"parameter {n}": v for n, v in manifest["estimator"]["parameters"].items()},
        **{f"training: {n}": v for n, v in manifest["training"].items()},
    }
    values = [str(value)[:200] for value in rows.values()]
    return CardSection("Model", columns={"what": list(rows), "value": values})


def _data(
    estimator: Any, data: str | None, n_rows: int, classes: Mapping[str, Sequence[Any]]
) -> CardSection:
    schema = describe(estimator, licence=None, description=None, trust=())["data"]
    texts = [data or "Where the training data come from was not stated."]
    if "n_features_in" in schema:
        texts.append(f"The model takes {schema['n_features_in']} columns.")
    names = schema.get("feature_names_in")
    if names:
        more = f", and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        texts.append(f"Columns: {', '.join(map(str, names[:_MOST_NAMES]))}{more}.")
    texts.append(f"The metrics below were measured on {n_rows:,} test rows.")
    return CardSection("Data", texts, classes)


def _interval(row: Mapping[str, Any]) -> str:
    return "" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f}"


def _metrics_section(
    metrics: Mapping[str, Mapping[str, Any]], summary: list[str], measuring: Measuring
) -> CardSection:
    rows = list(metrics.values())
    columns: dict[str, list[Any]] = {
        "metric": [row["title"] for row in rows],
        "value": [row["value"] for row in rows],
    }
    if measuring.n_resamples:
        columns[f"{measuring.confidence_level:.0%} interval"] = [_interval(row) for row in rows]
        summary = [*summary, f"Intervals: bootstrap with {measuring.n_resamples:,} resamples."]
    for column, key in (("majority class", "majority"), ("random", "random")):
        if any(key in row for row in rows):
            columns[column] = [row.get(key) for row in rows]
    return CardSection("Metrics", summary, columns)


def _group_section(name: str, found: Mapping[str, Mapping[str, Any]]) -> CardSection:
    measured = [group["metrics"] for group in found.values() if "metrics" in group]
    shown = [n for n in _SHOWN if any(n in metrics for metrics in measured)]
    columns: dict[str, list[Any]] = {
        name: list(found), "rows": [group["rows"] for group in found.values()]
    }  # fmt: skip
    for metric in shown:
        title = next(m[metric]["title"] for m in measured if metric in m)
        columns[title] = [_value_with_interval(group, metric) for group in found.values()]
    reasons = [f"{g}: not measured. {row['reason']}" for g, row in found.items() if "reason" in row]
    return CardSection(f"Metrics by {name}", reasons, columns)


def _value_with_interval(group: Mapping[str, Any], metric: str) -> str:
    row = group.get("metrics", {}).get(metric)
    if row is None:
        return "not measured"
    interval = _interval(row)
    return f"{row['value']:.3f} ({interval})" if interval else f"{row['value']:.3f}"


def _thresholds(estimator: Any, X: Any, y: Any, pos_label: Any) -> CardSection:
    chosen = next(
        (getattr(source, n) for source in sources(estimator) for n in _THRESHOLDS
         if isinstance(getattr(source, n, None), numbers.Real)),
        None,
    )  # fmt: skip
    if chosen is None:
        texts = ["No threshold was chosen; `predict` uses the rule of the estimator."]
    else:
        texts = [f"`predict` uses the threshold {float(chosen):.4g}, which was chosen in training."]
    if pos_label is None or not hasattr(estimator, "predict_proba"):
        return CardSection("Thresholds", texts)
    texts.append(
        f"What other thresholds of the probability of {pos_label!r} give on the test rows:"
    )
    return CardSection("Thresholds", texts, at_thresholds(estimator, X, y, pos_label))


def _compression(estimator: Any) -> list[CardSection]:
    for source in sources(estimator):
        report = getattr(source, "report_", None)
        if type(report).__name__ == "CompressionReport":
            text = "Size, score and latency after each stage, as they were measured in training."
            return [CardSection("Compression", [text], listing=str(report))]
    return []


def _weak_spots(
    measured: Mapping[str, Mapping[str, Mapping[str, Any]]], skipped: Mapping[str, str]
) -> list[str]:
    """Return what the card could not measure, or measured on few rows."""
    small = [
        f"{name} {group} ({row['rows']} rows)"
        for name, found in measured.items()
        for group, row in found.items()
        if row["rows"] < _SMALL_GROUP
    ]
    texts = [f"Measured on fewer than {_SMALL_GROUP} rows: {', '.join(small)}."] if small else []
    texts += [f"Not measured: {metric}. {reason}" for metric, reason in skipped.items()]
    if not measured:
        texts.append("The metrics were not measured for groups of rows.")
    return texts
