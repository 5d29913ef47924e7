"""Losses of Keras 3 that Keras 2 has too."""

from __future__ import annotations

from typing import Any

# Losses that mean the same in both, with the settings that are carried over.
_LOSSES = {
    "BinaryCrossentropy": ("from_logits", "label_smoothing"),
    "CategoricalCrossentropy": ("from_logits", "label_smoothing"),
    "SparseCategoricalCrossentropy": ("from_logits", "ignore_class"),
    "MeanSquaredError": (),
    "MeanAbsoluteError": (),
    "MeanSquaredLogarithmicError": (),
    "LogCosh": (),
    "Huber": ("delta",),
    "Poisson": (),
}


def portable_loss(loss: Any) -> dict[str, Any] | None:
    """Return name and settings of a Keras 3 loss that Keras 2 has too, or None."""
    import keras

    if loss is None:
        return None
    try:
        loss = keras.losses.get(loss)
    except ValueError:
        return None
    kind = type(loss).__name__
    if not hasattr(loss, "get_config"):
        # A function: keras.losses.get("mse") gives one, and a class of the same meaning exists.
        name = getattr(loss, "__name__", "").replace("_", "")
        kind = next((known for known in _LOSSES if known.lower() == name), "")
    # A function or class of the user's may have the name of one of Keras.
    if kind not in _LOSSES or not str(getattr(loss, "__module__", "")).startswith("keras."):
        return None
    config = loss.get_config() if hasattr(loss, "get_config") else {}
    if config.get("axis", -1) != -1:
        return None
    return {"kind": kind, "settings": {k: config[k] for k in _LOSSES[kind] if k in config}}
