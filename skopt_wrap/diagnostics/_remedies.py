"""Concrete changes of parameters for each finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sklearn.base import clone, is_classifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ._findings import Finding
from ._parts import find_network

Change = tuple[str, dict[str, Any]]

# Features beyond this mean or standard deviation make scaling the first remedy.
LARGE_INPUT = 5.0
_DEFAULT_RATES = {"sgd": 0.01, "adadelta": 0.001, "adagrad": 0.001}
_SIZES = ("units", "filters", "dense_units")


@dataclass(frozen=True)
class Remedy:
    """A change that may mend a finding.

    Parameters
    ----------
    name : str
        What is changed, in words.
    params : dict
        For the estimator's `set_params`; empty where the change is around the estimator, or where
        only you can make it.
    finding : str
        Kind of the finding that it is for.
    wrapper : {"scale", "augment"} or None
        "scale" puts a StandardScaler before the estimator; "augment" an AugmentingSampler, which
        acts while fitting only.
    """

    name: str
    params: dict[str, Any] = field(default_factory=dict)
    finding: str = ""
    wrapper: str | None = None

    @property
    def runnable(self) -> bool:
        """Whether :meth:`apply` changes anything."""
        return bool(self.params or self.wrapper)

    def apply(self, estimator: Any) -> Any:
        """Return a changed clone of an estimator.

        Parameters
        ----------
        estimator : estimator
            What the diagnosis was about.

        Returns
        -------
        changed : estimator
            Not fitted.
        """
        changed = clone(estimator).set_params(**self.params)
        if self.wrapper == "scale":
            return make_pipeline(StandardScaler(), changed)
        if self.wrapper == "augment":
            from imblearn.pipeline import make_pipeline as make_sampling_pipeline

            from ..sampling import AugmentingSampler

            seed = find_network(changed)[0].get_params(deep=False).get("random_state")
            sampler = AugmentingSampler(sampling_strategy="all", factor=1.0, random_state=seed)
            return make_sampling_pipeline(sampler, changed)
        return changed


class _Knobs:
    """Changes of one network's parameters; each yields nothing where it does not apply."""

    def __init__(self, network: Any, prefix: str, history: dict[str, list[float]]) -> None:
        self.params = network.get_params(deep=True) if hasattr(network, "get_params") else {}
        self.prefix = prefix
        self.history = history
        self.is_network = hasattr(network, "early_stopping") and hasattr(network, "epochs")

    def change(self, name: str, **params: Any) -> Iterator[Change]:
        yield name, {f"{self.prefix}{key}": value for key, value in params.items()}

    def _model(self, knob: str) -> tuple[str, Any]:
        """Return the name under which a knob of the builder is set, and its value."""
        for key in (f"model__{knob}", knob):
            if key in self.params:
                return key, self.params[key]
        return "", None

    def early_stopping(self) -> Iterator[Change]:
        if self.is_network and self.params["early_stopping"] is False:
            yield from self.change("early stopping", early_stopping=True)

    def dropout(self, *, more: bool) -> Iterator[Change]:
        key, value = self._model("dropout")
        if key and more and value < 0.6:
            new = 0.3 if not value else min(0.6, round(value + 0.2, 3))
            yield from self.change(f"dropout {new:g}", **{key: new})
        elif key and not more and value:
            yield from self.change("no dropout", **{key: 0.0})

    def l2(self, *, more: bool) -> Iterator[Change]:
        key, value = self._model("l2")
        if key and more:
            new = 1e-3 if not value else value * 10
            yield from self.change(f"L2 penalty {new:g}", **{key: new})
        elif key and not more and value:
            yield from self.change("no L2 penalty", **{key: 0.0})

    def weight_decay(self) -> Iterator[Change]:
        if not self.is_network or not isinstance(self.params["optimizer"], str):
            return
        value = self.params.get("optimizer__weight_decay")
        new = 0.01 if not value else value * 10
        yield from self.change(f"weight decay {new:g}", optimizer__weight_decay=new)

    def batch_norm(self) -> Iterator[Change]:
        key, value = self._model("batch_norm")
        if key and not value:
            yield from self.change("batch normalization", **{key: True})

    def size(self, factor: float) -> Iterator[Change]:
        changed = {}
        for knob in _SIZES:
            key, value = self._model(knob)
            if key:
                several = isinstance(value, list | tuple)
                sizes = [max(2, int(v * factor)) for v in (value if several else [value])]
                changed[key] = tuple(sizes) if several else sizes[0]
        key, layers = self._model("n_layers")
        units = self._model("units")[1]
        if key and layers == 0 and factor > 1 and not isinstance(units, list | tuple):
            yield from self.change("hidden layers", **{key: 2})
        elif changed and changed != {k: self.params[k] for k in changed}:
            word = "larger" if factor > 1 else "smaller"
            yield from self.change(f"{word} layers (x{factor:g})", **changed)

    def layers(self) -> Iterator[Change]:
        key, layers = self._model("n_layers")
        units = self._model("units")[1]
        if key and layers and not isinstance(units, list | tuple):
            yield from self.change("one layer more", **{key: layers + 1})

    def rate(self, factor: float) -> Iterator[Change]:
        if not self.is_network:
            return
        schedule = self.params["learning_rate_schedule"]
        if isinstance(schedule, int | float):
            new = float(f"{schedule * factor:.3g}")
            yield from self.change(f"learning rate {new:g}", learning_rate_schedule=new)
        elif schedule is None and isinstance(self.params["optimizer"], str):
            default = _DEFAULT_RATES.get(self.params["optimizer"].lower(), 0.001)
            old = self.params.get("optimizer__learning_rate", default)
            new = float(f"{old * factor:.3g}")
            yield from self.change(f"learning rate {new:g}", optimizer__learning_rate=new)

    def clip(self) -> Iterator[Change]:
        if self.is_network and isinstance(self.params["optimizer"], str):
            if "optimizer__clipnorm" not in self.params:
                yield from self.change("gradients clipped to norm 1", optimizer__clipnorm=1.0)

    def epochs(self, factor: float) -> Iterator[Change]:
        if self.is_network and "fit__epochs" not in self.params:
            new = max(1, int(self.params["epochs"] * factor))
            yield from self.change(f"{new} epochs", epochs=new)

    def best_epochs(self) -> Iterator[Change]:
        val = self.history.get("val_loss") or []
        best = val.index(min(val)) + 1 if val else 0
        if self.is_network and 0 < best < self.params["epochs"] and len(val) > best:
            word = "epoch" if best == 1 else "epochs"
            yield from self.change(f"{best} {word}", epochs=best)

    def batch(self, factor: float) -> Iterator[Change]:
        size = self.params.get("batch_size") if self.is_network else None
        if size is not None and size > 0 and "fit__batch_size" not in self.params:
            new = max(1, int(size * factor))
            if new != size:
                yield from self.change(f"batches of {new}", batch_size=new)


def _changes(kind: str, k: _Knobs) -> Iterator[Change]:
    """Yield changes for a finding, most promising first."""
    if kind == "overfitting":
        yield from k.early_stopping()
        yield from k.dropout(more=True)
        yield from k.l2(more=True)
        yield from k.size(0.25)
        yield from k.weight_decay()
        yield from k.batch_norm()
        yield from k.best_epochs()
    elif kind == "underfitting":
        yield from k.size(4)
        yield from k.epochs(4)
        yield from k.rate(10)
        yield from k.layers()
        yield from k.dropout(more=False)
        yield from k.l2(more=False)
        yield from k.batch_norm()
    elif kind == "plateau":
        yield from k.rate(10)
        yield from k.rate(0.1)
        yield from k.batch_norm()
    elif kind == "diverged":
        yield from k.rate(0.1)
        yield from k.rate(0.01)
        yield from k.clip()
        yield from k.batch_norm()
    elif kind == "unfinished":
        yield from k.epochs(3)
        yield from k.rate(3)
        yield from k.batch(0.5)
    elif kind == "batch_too_large":
        yield from k.batch(0.25)
    elif kind == "batch_too_small":
        yield from k.batch(4)
        yield from k.rate(0.3)
    elif kind == "noisy_validation":
        yield from k.rate(0.3)
        yield from k.batch(4)
    elif kind == "too_few_rows":
        yield from k.dropout(more=True)
        yield from k.l2(more=True)
    elif kind == "baseline_wins":
        yield from k.early_stopping()
        yield from k.epochs(3)


_SCALABLE = ("diverged", "underfitting", "plateau", "unfinished", "baseline_wins")
_AUGMENTABLE = ("overfitting", "too_few_rows")


def list_remedies(
    estimator: Any,
    findings: Sequence[Finding],
    *,
    input_scale: float = 0.0,
    augmentable: bool = False,
    history: dict[str, list[float]] | None = None,
) -> list[Remedy]:
    """Return the remedies for findings, without repetition, most promising first.

    Parameters
    ----------
    estimator : estimator
        What the findings are about; only parameters that it has are changed.
    findings : sequence of Finding
        In order of importance.
    input_scale : float, default=0.0
        Greatest mean or standard deviation of a feature.
    augmentable : bool, default=False
        Whether an AugmentingSampler may be put before the estimator.
    history : dict, default=None
        History, to read the best epoch from.

    Returns
    -------
    remedies : list of Remedy
        Empty for no findings.
    """
    network, prefix = find_network(estimator)
    knobs = _Knobs(network, prefix, history or {})
    remedies: list[Remedy] = []
    for finding in findings:
        kind = finding.kind
        if kind == "baseline_wins" and len(findings) > 1:
            continue  # the other findings say why
        if kind == "leakage":
            column = int(finding.evidence.get("feature", -1))
            remedies.append(Remedy(f"look where feature {column} comes from", finding=kind))
            continue
        if kind in _SCALABLE and input_scale > LARGE_INPUT and not prefix:
            remedies.append(Remedy("scaled features", finding=kind, wrapper="scale"))
        remedies += [Remedy(name, params, kind) for name, params in _changes(kind, knobs)]
        if kind in _AUGMENTABLE and augmentable and is_classifier(estimator):
            remedies.append(Remedy("augmentation", finding=kind, wrapper="augment"))
        if kind == "too_few_rows":
            remedies.append(Remedy("more rows", finding=kind))
    kept: list[Remedy] = []
    for remedy in remedies:
        same = [(r.params, r.wrapper) for r in kept if r.runnable]
        if not remedy.runnable or (remedy.params, remedy.wrapper) not in same:
            kept.append(remedy)
    return kept
