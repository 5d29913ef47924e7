"""What a training run leaves besides the trained network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class TrainingResult:
    """What a training run leaves besides the trained model.

    Parameters
    ----------
    history : dict of str to list of float
        Loss and metrics of every epoch.
    n_epochs : int
        Epochs that were run.
    path : {"fused", "joint", "fit"}
        Whether an epoch was one graph, of this network alone or of several networks that were
        trained jointly, or ``model.fit`` was called.
    reason : str or None
        Why training was not fused.
    interrupted : bool
        Whether the user interrupted it and the best weights so far were kept.
    """

    history: dict[str, list[float]] = field(default_factory=dict)
    n_epochs: int = 0
    path: str = "fused"
    reason: str | None = None
    interrupted: bool = False


def recorded(result: TrainingResult, history: Any) -> TrainingResult:
    """Return `result` with what a ``keras.callbacks.History`` recorded."""
    # A loop of the user's that calls no callback records nothing.
    result.n_epochs = len(getattr(history, "epoch", ()))
    result.history = {name: [float(v) for v in vs] for name, vs in history.history.items()}
    return result
