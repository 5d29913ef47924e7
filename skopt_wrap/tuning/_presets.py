"""Default search spaces of the named architectures."""

from __future__ import annotations

from typing import Any

from ..exceptions import ParameterError, suggest


def default_space(architecture: str) -> dict[str, Any]:
    """Return the space that is searched when the caller gives none.

    Parameters
    ----------
    architecture : {"dense", "cnn", "lstm"}
        Name of the architecture.

    Returns
    -------
    space : dict
        Parameter names mapped to lists and frozen scipy distributions.

    Examples
    --------
    >>> from skopt_wrap.tuning._presets import default_space
    >>> list(default_space("dense"))[:2]
    ['model__units', 'model__n_layers']
    """
    from scipy.stats import loguniform, uniform

    from ..architectures import ARCHITECTURES

    if architecture not in ARCHITECTURES:
        raise ParameterError(
            f"model names no architecture: {architecture!r}. "
            + suggest(architecture, ARCHITECTURES)
        )
    width = {
        "dense": {"model__units": [32, 64, 128, 256], "model__n_layers": [1, 2, 3]},
        "cnn": {"model__filters": [16, 32, 64], "model__n_layers": [1, 2, 3]},
        "lstm": {"model__units": [16, 32, 64, 128], "model__n_layers": [1, 2]},
    }
    if architecture not in width:
        raise ParameterError(f"model={architecture!r} has no default space; pass space={{...}}.")
    return {
        **width[architecture],
        "model__dropout": uniform(0.0, 0.5),
        "optimizer__learning_rate": loguniform(1e-4, 1e-2),
    }
