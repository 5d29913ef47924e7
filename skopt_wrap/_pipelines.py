"""Look inside scikit-learn pipelines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklearn.pipeline import Pipeline


def last_step(estimator: Any) -> Any:
    """Return the estimator that a chain of pipelines ends in.

    Parameters
    ----------
    estimator : estimator
        A pipeline, or anything else.

    Returns
    -------
    last : estimator
        The last step of the innermost pipeline; `estimator` itself where it is no pipeline.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skopt_wrap.model_selection import last_step
    >>> last_step(make_pipeline(StandardScaler(), Ridge()))
    Ridge()
    """
    while isinstance(estimator, Pipeline) and estimator.steps:
        estimator = estimator.steps[-1][1]
    return estimator


def leading_steps(estimator: Any) -> Iterator[tuple[str, Any]]:
    """Yield name and object of each step before the last one, of nested pipelines in order.

    Parameters
    ----------
    estimator : estimator
        A pipeline, or anything else, which has no such step.

    Yields
    ------
    step : tuple of str and object
        Name and step.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skopt_wrap._pipelines import leading_steps
    >>> list(leading_steps(make_pipeline(StandardScaler(), Ridge())))
    [('standardscaler', StandardScaler())]
    """
    while isinstance(estimator, Pipeline) and estimator.steps:
        yield from estimator.steps[:-1]
        estimator = estimator.steps[-1][1]
