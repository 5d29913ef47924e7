"""Find the layer that prepares a table in a network."""

from __future__ import annotations

from typing import Any


def table_layer(model: Any) -> Any:
    """Return the layer of `model` that prepares a table, or None."""
    for layer in getattr(model, "layers", ()):
        if is_table_layer(layer):
            return layer
    return None


def is_table_layer(layer: Any) -> bool:
    """Return whether a layer is the one that prepares a table."""
    kind = type(layer)
    return kind.__name__ == "PreparedTable" and kind.__module__.startswith("skopt_wrap.")
