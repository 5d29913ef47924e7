"""Compile a network with several outputs, and settle how the target is encoded for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..._keras import OutputForm, output_kind, output_tensors
from ...exceptions import ModelError, ParameterError
from .._losses import check_logits, label_encoding, make_loss
from .._routed_objects import options_of_each
from .._targets._several import SeveralClasses, SeveralValues
from ._metrics import make_metrics


def target_of_outputs(target: Any, form: OutputForm, y: np.ndarray) -> Any:
    """Return the target for the outputs that a network turned out to have.

    Raises
    ------
    ModelError
        When outputs and columns of `y` do not go together.
    """
    if isinstance(target, SeveralClasses):
        target.match_outputs(form)
        return target
    if len(form) == 1:
        return target
    names = getattr(target, "column_names_", ())
    if target.target_type_.startswith("continuous"):
        several: Any = SeveralValues(y, form, names)
        several.column_names_ = names
        return several
    if target.target_type_ != "multilabel-indicator":
        raise ModelError(
            f"The network has {len(form)} outputs ({', '.join(form.names)}), but y has 1 column; "
            "give one column for each output, or a network with one output."
        )
    several = SeveralClasses(y, names)
    several.match_outputs(form)
    return several


def finish_outputs(
    estimator: Any, network: Any, target: Any, form: OutputForm, settings: Mapping[str, Any]
) -> None:
    """Compile `network` unless its builder did; settle the encoding of every output.

    Parameters
    ----------
    estimator : KerasClassifier or KerasRegressor
        Its loss, metrics and compile settings are used.
    network : keras.Model
        Built.
    target : ClassTarget, ValueTarget, SeveralClasses or SeveralValues
        As :func:`target_of_outputs` returned it.
    form : OutputForm
        The outputs of `network`.
    settings : mapping
        Further arguments of ``keras.Model.compile``, the optimizer among them.

    Raises
    ------
    ModelError
        When loss, target and an output do not suit each other.
    ParameterError
        For names that no output has.
    """
    parts = _parts(target)
    tensors = output_tensors(network) or [None] * len(form)
    given = network.loss if network.compiled else estimator.loss
    losses = by_output("loss", given, form)
    kinds = [output_kind(network, *pair) for pair in zip(losses, tensors, strict=True)]
    for part, units, kind in zip(parts, form.units, kinds, strict=True):
        part.match(units=units, encoding="", output_kind=kind)
    if not network.compiled:
        options = _options(estimator._routed("loss"), form)
        made = [
            make_loss(loss, routed, part, units, kind)
            for loss, routed, part, units, kind in zip(
                losses, options, parts, form.units, kinds, strict=True
            )
        ]
        encodings = [
            "" if loss is None else label_encoding(loss, part, units)
            for loss, part, units in zip(made, parts, form.units, strict=True)
        ]
        metrics = _metrics(estimator, form, encodings, kinds)
        network.compile(
            loss=form.pack(made),
            metrics=metrics,
            **{**settings, **_nested_settings(settings, form)},
        )
        losses = made
    for part, loss, units, kind in zip(parts, losses, form.units, kinds, strict=True):
        if loss is not None:
            check_logits(loss, kind, network)
            encoding = label_encoding(loss, part, units)
            part.match(units=units, encoding=encoding, output_kind=kind)


def setting_of_one(
    name: str, given: Any, options: Mapping[str, Any], form: OutputForm
) -> tuple[Any, dict[str, Any]]:
    """Return the loss or the metrics of the only output, and their arguments.

    Keras takes them also in a list or dict with an entry for each output, here one.
    """
    nested = isinstance(given, Mapping) or (isinstance(given, list | tuple) and len(given) == 1)
    if name == "metrics":
        values = list(given.values()) if isinstance(given, Mapping) else given
        nested = nested and all(isinstance(value, list | tuple) for value in values)
    if not nested:
        return given, dict(options)
    if isinstance(given, Mapping) and len(given) == 1 and form.names == ("output",):
        given = list(given.values())  # an output that is no dict has no name of its own
    found = by_output(name, given, form)[0]
    return found, _options(options, form)[0] if name == "loss" else dict(options)


def _parts(target: Any) -> list[Any]:
    if isinstance(target, SeveralClasses):
        return target.output_parts
    return target.parts_ if isinstance(target, SeveralValues) else [target]


def by_output(name: str, given: Any, form: OutputForm) -> list[Any]:
    """Return a setting for every output, given by name, in order, or once for all.

    Parameters
    ----------
    name : str
        The setting, for messages.
    given : object
        A dict by the name of output or layer, a list in the order of the outputs, or one object.
    form : OutputForm
        The outputs.

    Raises
    ------
    ParameterError
        For a name that no output has, and a list of another length.
    """
    if isinstance(given, Mapping):
        found: list[Any] = [None] * len(form)
        for key, value in given.items():
            for names in (form.names, form.layer_names):
                if key in names:
                    found[names.index(key)] = value
                    break
            else:
                raise ParameterError(
                    f"{name} names the output {key!r}, but the outputs of the network are "
                    f"{list(form.names)}."
                )
        return found
    if isinstance(given, list | tuple):
        if len(given) != len(form):
            raise ParameterError(
                f"{name} holds {len(given)} entries, but the network has {len(form)} outputs, "
                f"{list(form.names)}."
            )
        return list(given)
    return [given] * len(form)


def _options(options: Mapping[str, Any], form: OutputForm) -> list[dict[str, Any]]:
    """Return the ``loss__*`` of each output: of all, or of one as ``loss__<output>__*``.

    An output goes by its name, by that of its layer, or by its position.
    """
    layers = form.layer_names or form.names
    names = zip(form.names, layers, strict=True)
    routed, unknown = options_of_each(options, [(*pair, str(i)) for i, pair in enumerate(names)])
    if unknown:
        raise ParameterError(
            f"loss__{unknown[0]} names the output {unknown[0].partition('__')[0]!r}, but the "
            f"outputs of the network are {list(form.names)}."
        )
    return routed


def _metrics(estimator: Any, form: OutputForm, encodings: list[str], kinds: list[str]) -> Any:
    """Return the metrics of every output, nested as the outputs are."""
    given, options = estimator.metrics, estimator._routed("metrics")
    if given is None and not options:
        return None
    nested = isinstance(given, list | tuple) and any(isinstance(m, list | tuple) for m in given)
    named = isinstance(given, Mapping)
    shares = by_output("metrics", given, form) if nested or named else [given] * len(form)
    made = [
        make_metrics(share, options, form=encoding, units=units, kind=kind) or []
        for share, encoding, units, kind in zip(shares, encodings, form.units, kinds, strict=True)
    ]
    return form.pack(made)


def _nested_settings(settings: Mapping[str, Any], form: OutputForm) -> dict[str, Any]:
    """Return weights of losses and weighted metrics, given by name, as Keras nests them."""
    nested = {}
    weights = settings.get("loss_weights")
    if isinstance(weights, Mapping | list | tuple):
        found = by_output("compile__loss_weights", weights, form)
        nested["loss_weights"] = form.pack([1.0 if weight is None else weight for weight in found])
    weighted = settings.get("weighted_metrics")
    if isinstance(weighted, Mapping):
        found = by_output("compile__weighted_metrics", weighted, form)
        listed = [m if isinstance(m, list | tuple) else [] if m is None else [m] for m in found]
        nested["weighted_metrics"] = form.pack(listed)
    return nested
