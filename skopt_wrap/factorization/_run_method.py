"""Apply one method to one network: choose ranks, fit layer by layer, rebuild the network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._keras import rebuild
from ..exceptions import ParameterError
from ._allocation import Choice, share_out
from ._forms import CPForm, Factors, Form, Problem, Ranks, form_for
from ._low_rank import refitted, regularized
from ._measure import divergence
from ._replace import chain_for
from ._result import LayerRow
from ._specs import Factorization, TensorTrain
from ._statistics import Moments, Network, TargetLayer, moments, outputs_of

Array = np.ndarray

# Weight of directions that the rows never took, in units of the mean over directions.
_RIDGE = 1e-3
_METRIC_RIDGE = 1e-2
_PROBE_ROWS = 1024
# Divergence of the outputs from which on balanced mode sizes are tried.
_FAR = 0.005


@dataclass
class Observations:
    """What is known of a network before it is factorized; shared by all methods.

    Parameters
    ----------
    model : keras.Model
        The network.
    targets : dict of str to TargetLayer
        Layers that can be factorized.
    x : ndarray of shape (n_rows, ...)
        Rows to fit on.
    kind : str
        What the outputs are: "probabilities" or "logits".
    seed : int
        Draws projections and starts.
    """

    model: Any
    targets: dict[str, TargetLayer]
    x: Array
    kind: str
    seed: int

    def __post_init__(self) -> None:
        """Run the network once for each layer."""
        self.network = Network(self.model, self.targets)
        self.moments = {
            name: moments(s, self.network, None, self.x) for name, s in self.targets.items()
        }
        self.metrics = {
            name: regularized(metric, _METRIC_RIDGE)
            for name, metric in self.network.output_metrics(self.x, self.seed).items()
        }
        self.probe = self.x[:_PROBE_ROWS]
        self.outputs = self.network.outputs(self.probe)

    def problem(self, name: str, *, with_metric: bool) -> Problem:
        """Return the kernel of a layer with what its errors cost."""
        target, known = self.targets[name], self.moments[name]
        return Problem(
            target.kind,
            target.kernel,
            None if known is None else weighting(known.covariance),
            self.metrics.get(name) if with_metric else None,
        )

    def measured(self, name: str, kernel: Array) -> float:
        """Return how far the outputs move when one kernel is exchanged."""
        target, known = self.targets[name], self.moments[name]
        self.network.assign(name, kernel, shifted_bias(target, known, target.kernel, kernel))
        loss = divergence(self.outputs, self.network.outputs(self.probe), self.kind)
        self.network.assign(name, target.kernel, target.bias)
        return loss

    def moved(self, model: Any) -> float:
        """Return how far the outputs of a network are from the original's."""
        return divergence(self.outputs, outputs_of(model, self.probe), self.kind)


def weighting(covariance: Array) -> Array:
    """Return a covariance, or frequencies, as a positive definite weight of errors."""
    return covariance if covariance.ndim == 1 else regularized(covariance, _RIDGE)


def shifted_bias(
    target: TargetLayer, known: Moments | None, kernel: Array, approximation: Array
) -> Array | None:
    """Return the bias that keeps the mean output where it was."""
    bias = target.bias
    if bias is None or known is None:
        return bias
    n_outputs = kernel.shape[-1]
    return (
        bias
        + known.mean_before @ kernel.reshape(-1, n_outputs)
        - known.mean @ approximation.reshape(-1, n_outputs)
    )


@dataclass
class Outcome:
    """A factorized network and its report.

    Parameters
    ----------
    model : keras.Model
        Not compiled.
    rows : list of LayerRow
        Layers that were replaced.
    skipped : dict of str to str
        Layers that were kept although they could be factorized, with the reason.
    notes : list of str
        What the form of a layer has to say.
    """

    model: Any
    rows: list[LayerRow]
    skipped: dict[str, str]
    notes: list[str]


def carry_out(seen: Observations, spec: Factorization) -> Outcome:
    """Factorize the layers of a network by one method.

    A Tensor-Train that may choose its mode sizes chooses them layer by layer. Where the network's
    outputs then move far, balanced ones are tried as well, and the nearer network is returned.

    Raises
    ------
    ParameterError
        When a rank is above that of every layer, or a target cannot be met.
    """
    if not isinstance(spec, TensorTrain) or spec.target_params is None:
        return _carry_out(seen, spec)
    if spec.mode_sizes != "auto" or spec.n_cores != 2:
        return _carry_out(seen, spec)
    balanced = replace(spec, mode_sizes="balanced")
    try:
        outcome = _carry_out(seen, spec)
    except ParameterError:  # low-rank products have more parameters at least than balanced trains
        return _carry_out(seen, balanced)
    moved = seen.moved(outcome.model)
    if moved > _FAR:
        other = _carry_out(seen, balanced)
        nearer = seen.moved(other.model)
        if nearer < moved:
            other.notes.append(
                f"balanced mode sizes: the outputs move by {nearer:.2g}; by {moved:.2g} with those "
                "that the layers take one by one"
            )
            return other
    return outcome


def _carry_out(seen: Observations, spec: Factorization) -> Outcome:
    # A promise on the layer's own outputs (energy) leaves out what the network makes of them.
    with_metric = spec.energy is None
    problems = {name: seen.problem(name, with_metric=with_metric) for name in seen.targets}
    options = (spec.n_cores, spec.mode_sizes) if isinstance(spec, TensorTrain) else ()
    forms = {name: form_for(p, spec.method, *options) for name, p in problems.items()}
    for name, form in forms.items():
        form.settle(problems[name], spec.rank, spec.energy, spec.target_params or 0.0)
    skipped = {
        name: "has unequal strides, which depthwise layers do not take"
        for name, form in forms.items()
        if isinstance(form, CPForm) and len(set(seen.targets[name].layer.strides)) > 1
    }
    forms = {name: form for name, form in forms.items() if name not in skipped}
    ranks = _ranks(seen, spec, problems, forms, skipped)
    sweeps = spec.max_sweeps if isinstance(spec, TensorTrain) else 8
    return _fitted(seen, problems, forms, ranks, sweeps, skipped)


def _ranks(
    seen: Observations,
    spec: Factorization,
    problems: dict[str, Problem],
    forms: dict[str, Form],
    skipped: dict[str, str],
) -> dict[str, Ranks]:
    """Return the ranks of every layer that is replaced; note the others in `skipped`."""
    if spec.target_params is not None:
        return _ranks_for_target(seen, spec, problems, forms, skipped)
    wanted: dict[str, Ranks] = {}
    if spec.rank is not None and forms:
        largest = max(form.limit() for form in forms.values())
        if spec.rank > largest:
            raise ParameterError(
                f"factorization: rank={spec.rank} is above the largest rank of every layer, "
                f"{largest}."
            )
    for name, form in forms.items():
        if spec.rank is not None:
            if spec.rank > form.limit():
                skipped[name] = f"rank {spec.rank} is above its largest rank, {form.limit()}"
                continue
            ranks = form.ranks(spec.rank)
        else:
            assert spec.energy is not None
            ranks = form.for_energy(problems[name], spec.energy)
        if form.parameters(ranks) < form.size:
            wanted[name] = ranks
        else:
            shown = ", ".join(map(str, ranks))
            skipped[name] = (
                f"would not shrink: {form.parameters(ranks):,} parameters at rank {shown} instead "
                f"of {form.size:,}"
            )
    return wanted


def _ranks_for_target(
    seen: Observations,
    spec: Factorization,
    problems: dict[str, Problem],
    forms: dict[str, Form],
    skipped: dict[str, str],
) -> dict[str, Ranks]:
    assert spec.target_params is not None
    total = seen.model.count_params()
    curves: dict[str, list[Choice]] = {}
    for name, form in forms.items():
        grid = form.grid()
        if not grid:
            skipped[name] = "would not shrink at any rank"
            continue
        choices = [
            Choice(
                ranks,
                form.parameters(ranks),
                seen.measured(name, form.fit(problems[name], ranks, form.quick_sweeps).kernel),
            )
            for ranks in grid
        ]
        curves[name] = [*choices, Choice(None, form.size, 0.0)]
    fixed = total - sum(forms[name].size for name in curves)
    budget = int(spec.target_params * total) - fixed
    least = sum(min(c.parameters for c in curve) for curve in curves.values())
    if budget < least:
        raise ParameterError(
            f"factorization: target_params={spec.target_params:g} cannot be met: "
            f"{fixed:,} of {total:,} parameters are in layers that are kept, and the others need "
            f"{least:,} at least, together {(fixed + least) / total:.3f} of the network."
        )
    chosen = share_out(curves, budget, lambda name, n: _below(forms[name], n))
    for name, ranks in chosen.items():
        if ranks is None:
            skipped[name] = "kept whole: parameters are saved elsewhere at a smaller loss"
    return {name: ranks for name, ranks in chosen.items() if ranks is not None}


def _below(form: Form, parameters: float) -> Ranks | None:
    return form.ranks_for(min(parameters, form.size - 1))


def _fitted(
    seen: Observations,
    problems: dict[str, Problem],
    forms: dict[str, Form],
    ranks: dict[str, Ranks],
    sweeps: int,
    skipped: dict[str, str],
) -> Outcome:
    """Fit the layers from the input on, each on what the replaced layers in front of it give."""
    now = Network(seen.model, seen.targets)
    chains: dict[str, list[tuple[Any, list[Array]]]] = {}
    rows = []
    for name in seen.targets:
        if name not in ranks:
            continue
        target = seen.targets[name]
        known, problem = seen.moments[name], problems[name]
        if chains and target.kind != "embedding" and known is not None:
            known = moments(target, seen.network, now, seen.x)
            assert known is not None
            kernel = refitted(problem.matrix, known.covariance, known.cross, _RIDGE)
            problem = replace(
                problem,
                kernel=kernel.reshape(target.kernel.shape),
                covariance=weighting(known.covariance),
            )
        factors = forms[name].fit(problem, ranks[name], sweeps)
        bias = shifted_bias(target, known, target.kernel, factors.kernel)
        now.assign(name, factors.kernel, bias)
        chains[name] = chain_for(target, factors, bias)
        rows.append(_row(seen, name, factors))
    replacements = {name: [layer for layer, _ in chain] for name, chain in chains.items()}
    model = rebuild(seen.model, replacements)
    for chain in chains.values():
        for layer, weights in chain:
            layer.set_weights(weights)
    notes = [f"{name}: {note}" for name in chains if (note := forms[name].note)]
    return Outcome(model, rows, skipped, notes)


def _row(seen: Observations, name: str, factors: Factors) -> LayerRow:
    target = seen.targets[name]
    bias = 0 if target.bias is None else target.bias.size
    problem = seen.problem(name, with_metric=False)
    return LayerRow(
        layer=name,
        method=factors.form,
        ranks=tuple(int(rank) for rank in factors.ranks),
        parameters_before=int(target.kernel.size + bias),
        parameters_after=int(sum(array.size for array in factors.arrays) + bias),
        output_error=float(np.sqrt(problem.loss(factors.kernel))),
    )
