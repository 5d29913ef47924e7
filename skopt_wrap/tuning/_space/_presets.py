"""Search spaces of the named architectures."""

from __future__ import annotations

from typing import Any

from ...exceptions import ParameterError, suggest
from ._conditions import Conditional, PerLayer

_WIDTHS = [16, 32, 64, 128, 256, 512]
_ACTIVATIONS = ["relu", "elu", "gelu", "silu", "tanh"]
_PENALTIES = [0.0, 1e-6, 1e-5, 1e-4, 1e-3]


def default_space(
    architecture: str = "dense", *, full: bool = False, epochs: int = 50
) -> dict[str, Any]:
    """Return the space that a search takes when the caller gives none.

    A new dict: change it as you like and give it as `space`. ``space={"preset": "full", ...}``
    changes it in place.

    Parameters
    ----------
    architecture : {"dense", "cnn", "lstm"}, default="dense"
        Name of the architecture.
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
        For an unknown architecture.

    Examples
    --------
    >>> from skopt_wrap.tuning import default_space
    >>> list(default_space("dense"))[:2]
    ['model__units', 'model__n_layers']
    >>> default_space("cnn", full=True)["model__kernel_size"]
    [3, 5]
    """
    from ...architectures import ARCHITECTURES

    if architecture not in ARCHITECTURES:
        raise ParameterError(
            f"model names no architecture: {architecture!r}. "
            + suggest(architecture, ARCHITECTURES)
        )
    if architecture not in _COMPACT:
        raise ParameterError(f"model={architecture!r} has no default space; pass space={{...}}.")
    return _full(architecture, epochs) if full else _compact(architecture)


_COMPACT: dict[str, dict[str, Any]] = {
    "dense": {"model__units": [32, 64, 128, 256], "model__n_layers": [1, 2, 3]},
    "cnn": {"model__filters": [16, 32, 64], "model__n_layers": [1, 2, 3]},
    "lstm": {"model__units": [16, 32, 64, 128], "model__n_layers": [1, 2]},
}


def _compact(architecture: str) -> dict[str, Any]:
    from scipy.stats import loguniform, uniform

    return {
        **{name: list(values) for name, values in _COMPACT[architecture].items()},
        "model__dropout": uniform(0.0, 0.5),
        "optimizer__learning_rate": loguniform(1e-4, 1e-2),
    }


def _full(architecture: str, epochs: int) -> dict[str, Any]:
    from scipy.stats import uniform

    layers = {
        "dense": {
            "model__n_layers": [1, 2, 3, 4],
            "model__units": PerLayer(_WIDTHS, "model__n_layers"),
            "model__activation": _ACTIVATIONS,
        },
        "cnn": {
            "model__n_layers": [1, 2, 3],
            "model__filters": PerLayer([8, 16, 32, 64, 128], "model__n_layers"),
            "model__kernel_size": [3, 5],
            "model__dense_units": [0, 32, 64, 128],
            "model__activation": _ACTIVATIONS,
        },
        "lstm": {
            "model__n_layers": [1, 2, 3],
            "model__units": PerLayer([8, 16, 32, 64, 128], "model__n_layers"),
            "model__bidirectional": [False, True],
            "model__activation": ["tanh", "relu"],
            "model__recurrent_dropout": [0.0, 0.1, 0.2],
        },
    }[architecture]
    return {
        **layers,
        "model__batch_norm": [False, True],
        "model__dropout": uniform(0.0, 0.5),
        "model__l1": list(_PENALTIES),
        "model__l2": list(_PENALTIES),
        "model__kernel_initializer": ["glorot_uniform", "glorot_normal", "he_normal", "he_uniform"],
        "model__bias_initializer": ["zeros", "random_normal"],
        **_optimizers(),
        "learning_rate_schedule": ["constant", "exponential", "cosine", "warmup_cosine"],
        "batch_size": [16, 32, 64, 128],
        "epochs": sorted({max(1, epochs // 4), max(1, epochs // 2), epochs}),
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
