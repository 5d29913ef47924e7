"""Changes of a network's parameters: more dropout, fewer epochs, another learning rate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Change = tuple[str, dict[str, Any]]

_DEFAULT_RATES = {"sgd": 0.01, "adadelta": 0.001, "adagrad": 0.001}
_SIZES = ("units", "filters", "dense_units")


class ParameterChanges:
    """Changes of one network's parameters; each yields nothing where it does not apply.

    Parameters
    ----------
    network : estimator
        The estimator whose parameters are changed.
    prefix : str
        What stands before their names, in a pipeline.
    history : dict
        History of a training, to read the best epoch from; may be empty.
    """

    def __init__(self, network: Any, prefix: str, history: dict[str, list[float]]) -> None:
        self.params = network.get_params(deep=True) if hasattr(network, "get_params") else {}
        self.params |= _settled(network, self.params)
        self.prefix = prefix
        self.history = history
        self.is_network = hasattr(network, "early_stopping") and hasattr(network, "epochs")

    def _change(self, name: str, **params: Any) -> Iterator[Change]:
        yield name, {f"{self.prefix}{key}": value for key, value in params.items()}

    def _model(self, parameter: str) -> tuple[str, Any]:
        """Return the name under which a parameter of the builder is set, and its value."""
        for key in (f"model__{parameter}", parameter):
            if key in self.params:
                return key, self.params[key]
        return "", None

    def early_stopping(self) -> Iterator[Change]:
        if self.is_network and self.params["early_stopping"] in (False, "auto"):
            yield from self._change("early stopping", early_stopping=True)

    def dropout(self, *, more: bool) -> Iterator[Change]:
        key, value = self._model("dropout")
        if key and more and value < 0.6:
            new = 0.3 if not value else min(0.6, round(value + 0.2, 3))
            yield from self._change(f"dropout {new:g}", **{key: new})
        elif key and not more and value:
            yield from self._change("no dropout", **{key: 0.0})

    def l2(self, *, more: bool) -> Iterator[Change]:
        key, value = self._model("l2")
        if key and more:
            new = 1e-3 if not value else value * 10
            yield from self._change(f"L2 penalty {new:g}", **{key: new})
        elif key and not more and value:
            yield from self._change("no L2 penalty", **{key: 0.0})

    def weight_decay(self) -> Iterator[Change]:
        if not self.is_network or not isinstance(self.params["optimizer"], str):
            return
        value = self.params.get("optimizer__weight_decay")
        new = 0.01 if not value else value * 10
        yield from self._change(f"weight decay {new:g}", optimizer__weight_decay=new)

    def batch_norm(self) -> Iterator[Change]:
        key, value = self._model("batch_norm")
        if key and not value:
            yield from self._change("batch normalization", **{key: True})

    def size(self, factor: float) -> Iterator[Change]:
        changed = {}
        for parameter in _SIZES:
            key, value = self._model(parameter)
            if key:
                several = isinstance(value, list | tuple)
                sizes = [max(2, int(v * factor)) for v in (value if several else [value])]
                changed[key] = tuple(sizes) if several else sizes[0]
        key, layers = self._model("n_layers")
        units = self._model("units")[1]
        if key and layers == 0 and factor > 1 and not isinstance(units, list | tuple):
            yield from self._change("hidden layers", **{key: 2})
        elif changed and changed != {k: self.params[k] for k in changed}:
            word = "larger" if factor > 1 else "smaller"
            yield from self._change(f"{word} layers (x{factor:g})", **changed)

    def layers(self) -> Iterator[Change]:
        key, layers = self._model("n_layers")
        units = self._model("units")[1]
        if key and layers and not isinstance(units, list | tuple):
            yield from self._change("one layer more", **{key: layers + 1})

    def rate(self, factor: float) -> Iterator[Change]:
        if not self.is_network:
            return
        schedule = self.params["learning_rate_schedule"]
        if isinstance(schedule, int | float):
            new = float(f"{schedule * factor:.3g}")
            yield from self._change(f"learning rate {new:g}", learning_rate_schedule=new)
        elif schedule is None and isinstance(self.params["optimizer"], str):
            default = _DEFAULT_RATES.get(self.params["optimizer"].lower(), 0.001)
            old = self.params.get("optimizer__learning_rate", default)
            new = float(f"{old * factor:.3g}")
            yield from self._change(f"learning rate {new:g}", optimizer__learning_rate=new)

    def clip(self) -> Iterator[Change]:
        named = self.is_network and isinstance(self.params["optimizer"], str)
        if named and "optimizer__clipnorm" not in self.params:
            yield from self._change("gradients clipped to norm 1", optimizer__clipnorm=1.0)

    def epochs(self, factor: float) -> Iterator[Change]:
        if self.is_network and "fit__epochs" not in self.params:
            new = max(1, int(self.params["epochs"] * factor))
            yield from self._change(f"{new} epochs", epochs=new)

    def best_epochs(self) -> Iterator[Change]:
        val = self.history.get("val_loss") or []
        best = val.index(min(val)) + 1 if val else 0
        if self.is_network and 0 < best < self.params["epochs"] and len(val) > best:
            word = "epoch" if best == 1 else "epochs"
            yield from self._change(f"{best} {word}", epochs=best)

    def batch(self, factor: float) -> Iterator[Change]:
        size = self.params.get("batch_size") if self.is_network else None
        if size is not None and size > 0 and "fit__batch_size" not in self.params:
            new = max(1, int(size * factor))
            if new != size:
                yield from self._change(f"batches of {new}", batch_size=new)

    def class_weight(self) -> Iterator[Change]:
        if "class_weight" in self.params and self.params["class_weight"] is None:
            yield from self._change("class weights", class_weight="balanced")


def _settled(network: Any, params: dict[str, Any]) -> dict[str, Any]:
    """Return what the last fit took for the parameters that are "auto"."""
    settled = {
        name: getattr(network, f"{name}_", default)
        for name, default in (("epochs", 50), ("batch_size", 32))
        if params.get(name) == "auto"
    }
    optimizer = getattr(getattr(network, "model_", None), "optimizer", None)
    if params.get("optimizer") == "auto" and optimizer is not None:
        settled["optimizer__learning_rate"] = float(optimizer.learning_rate)
    return {**settled, **{k: v for k, v in params.items() if k == "optimizer__learning_rate"}}
