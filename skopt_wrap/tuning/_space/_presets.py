"""Search spaces of the named architectures."""

from __future__ import annotations

from typing import Any

from ...architectures import ARCHITECTURES, Architecture
from ...exceptions import ParameterError, suggest
from ._conditions import Conditional, PerLayer


def default_space(
    architecture: str | Architecture = "dense", *, full: bool = False, epochs: int = 50
) -> dict[str, Any]:
    """Return the space that a search takes when the caller gives none.

    A new dict: change it as you like and give it as `space`. ``space={"preset": "full", ...}``
    changes it in place.

    Parameters
    ----------
    architecture : str or Architecture, default="dense"
        The architecture, or its name (a key of ``skopt_wrap.architectures.ARCHITECTURES``).
    full : bool, default=False
        False: width, depth, dropout and learning rate, which matter most. True: everything that
        practice tunes, layer by layer: activation, batch normalization, L1 and L2 penalties,
        initializers, optimizer with its own momentum, ``beta_1``, ``beta_2`` and ``epsilon``,
        learning rate and its decay, weight decay, batch size and epochs.
    epochs : int, default=50
        Largest number of epochs of the full space; a quarter and a half of it are searched too.

    Returns
    -------
    space : dict
        Parameter names mapped to lists, frozen scipy distributions, :class:`Conditional` and
        :class:`PerLayer`.

    Raises
    ------
    ParameterError
        For an unknown architecture, and for one that has no space.

    Examples
    --------
    >>> from skopt_wrap.tuning import default_space
    >>> list(default_space("dense"))[:2]
    ['model__units', 'model__n_layers']
    >>> default_space("cnn", full=True)["model__kernel_size"]
    [3, 5]
    """
    from scipy.stats import loguniform

    if isinstance(architecture, str):
        if architecture not in ARCHITECTURES:
            raise ParameterError(
                f"model names no architecture: {architecture!r}. "
                + suggest(architecture, ARCHITECTURES)
            )
        architecture = ARCHITECTURES[architecture]
    entries = _with_layers(architecture) if full else architecture.space()
    if not entries:
        raise ParameterError(
            f"model={architecture.name!r} has no default space; pass space={{...}}."
        )
    if any(name.startswith("optimizer__") for name in entries):
        return entries  # an architecture with an optimizer of its own says what to search in it
    if not full:
        return {**entries, "optimizer__learning_rate": loguniform(1e-4, 1e-2)}
    return {
        **entries,
        **_optimizers(),
        "learning_rate_schedule": ["constant", "exponential", "cosine", "warmup_cosine"],
        "batch_size": [16, 32, 64, 128],
        "epochs": sorted({max(1, epochs // 4), max(1, epochs // 2), epochs}),
    }


def _with_layers(architecture: Architecture) -> dict[str, Any]:
    """Return the full space, with one value for each layer where the architecture says so."""
    counts = architecture.per_layer
    return {
        name: PerLayer(values, counts[name]) if name in counts else values
        for name, values in architecture.space(full=True).items()
    }


def _optimizers() -> dict[str, Any]:
    """Return the optimizers, each with the parameters that it has."""
    from scipy.stats import loguniform

    def at(values: Any, *optimizers: str) -> Conditional:
        return Conditional(values, when={"optimizer": list(optimizers)})

    adaptive = ("adam", "adamw", "rmsprop")
    return {
        "optimizer": ["adam", "adamw", "rmsprop", "sgd"],
        "optimizer__learning_rate": [
            at(loguniform(1e-4, 1e-2), *adaptive),
            at(loguniform(1e-3, 1.0), "sgd"),
        ],
        "optimizer__momentum": at([0.0, 0.5, 0.9, 0.99], "sgd", "rmsprop"),
        "optimizer__nesterov": at([False, True], "sgd"),
        "optimizer__rho": at([0.8, 0.9, 0.95, 0.99], "rmsprop"),
        "optimizer__beta_1": at([0.8, 0.9, 0.95], "adam", "adamw"),
        "optimizer__beta_2": at([0.9, 0.98, 0.99, 0.999], "adam", "adamw"),
        "optimizer__epsilon": at([1e-8, 1e-7, 1e-5, 1e-3], *adaptive),
        "optimizer__weight_decay": at(loguniform(1e-5, 1e-1), "adamw"),
    }
