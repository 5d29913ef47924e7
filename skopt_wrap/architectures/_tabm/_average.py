"""What several members say together. Import it inside functions only: it imports Keras."""

from __future__ import annotations

from typing import Any

from keras import ops

_SMALLEST = 1e-7  # probability, so that logits stay finite


def answers_of(outputs: Any, average: str) -> Any:
    """Return what units mean: values as they are, or probabilities of logits.

    Parameters
    ----------
    outputs : tensor of shape (..., units)
        Values, or logits.
    average : {"values", "labels", "classes"}
        What they are: values, logits of independent labels, or logits of classes.

    Returns
    -------
    answers : tensor of shape (..., units)
        Values, or probabilities.
    """
    if average == "values":
        return outputs
    return ops.softmax(outputs, axis=-1) if average == "classes" else ops.sigmoid(outputs)


def average_members(outputs: Any, average: str) -> Any:
    """Return the mean of the values, or of the probabilities, of all members.

    Parameters
    ----------
    outputs : tensor of shape (n_rows, n_members, units)
        Values, or logits.
    average : {"values", "labels", "classes"}
        What they are: values, logits of independent labels, or logits of classes.

    Returns
    -------
    averaged : tensor of shape (n_rows, units)
        Values, or probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.architectures._tabm._average import average_members
    >>> logits = np.log(np.array([[[0.2, 0.8], [0.4, 0.6]]]))
    >>> np.asarray(average_members(logits, "classes")).round(3).tolist()
    [[0.3, 0.7]]
    """
    return ops.mean(answers_of(outputs, average), axis=1)


def logits_of(answers: Any, average: str) -> Any:
    """Return the logits of averaged probabilities.

    Parameters
    ----------
    answers : tensor of shape (n_rows, units)
        Probabilities.
    average : {"labels", "classes"}
        Whether they are those of independent labels, or of classes.

    Returns
    -------
    logits : tensor of shape (n_rows, units)
        Logits.
    """
    logits = ops.log(answers + _SMALLEST)
    return logits if average == "classes" else logits - ops.log(1.0 - answers + _SMALLEST)
