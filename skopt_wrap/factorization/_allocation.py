"""Divide a budget of parameters among the layers of a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ._forms import Ranks


@dataclass(frozen=True)
class Choice:
    """One way to store a layer.

    Parameters
    ----------
    ranks : tuple of int or None
        None keeps the layer as it is.
    parameters : int
        Entries of the kernel or its factors.
    loss : float
        Measured loss of the whole network when only this layer is changed.
    """

    ranks: Ranks | None
    parameters: int
    loss: float


def share_out(
    curves: dict[str, list[Choice]], budget: int, refine: Callable[[str, float], Ranks | None]
) -> dict[str, Ranks | None]:
    """Spend `budget` parameters over the layers where the loss falls most per parameter.

    Greedy over the lower convex hulls of the layers' curves, which is optimal where losses add up
    and the hulls' corners fit the budget. What remains goes, in the same order, to ranks between
    the measured ones.

    Parameters
    ----------
    curves : dict of str to list of Choice
        Choices of every layer, in any order.
    budget : int
        Parameters that may be spent; at least the sum of the smallest choices.
    refine : callable
        ``refine(layer, parameters)`` returns the largest ranks within that many parameters.

    Returns
    -------
    ranks : dict of str to (tuple of int or None)
        What every layer gets; None keeps it whole.

    Examples
    --------
    >>> from skopt_wrap.factorization._allocation import Choice, share_out
    >>> curves = {
    ...     "needs little": [Choice((1,), 10, 0.1), Choice((2,), 20, 0.0)],
    ...     "needs much": [Choice((1,), 10, 9.0), Choice((5,), 50, 1.0), Choice(None, 80, 0.0)],
    ... }
    >>> share_out(curves, 65, lambda layer, parameters: None)
    {'needs little': (1,), 'needs much': (5,)}
    """
    hulls = {name: _hull(choices) for name, choices in curves.items()}
    at = dict.fromkeys(hulls, 0)
    left = budget - sum(hull[0].parameters for hull in hulls.values())
    waiting = set(hulls)
    chosen = {name: hull[0].ranks for name, hull in hulls.items()}

    def gain(name: str) -> float:
        now, then = hulls[name][at[name]], hulls[name][at[name] + 1]
        return (now.loss - then.loss) / (then.parameters - now.parameters)

    while waiting := {name for name in waiting if at[name] + 1 < len(hulls[name])}:
        name = max(sorted(waiting), key=gain)
        now, then = hulls[name][at[name]], hulls[name][at[name] + 1]
        cost = then.parameters - now.parameters
        if cost <= left:
            at[name] += 1
            left -= cost
            chosen[name] = then.ranks
            continue
        waiting.discard(name)
        between = refine(name, now.parameters + left)
        if between is not None and now.ranks is not None and between > now.ranks:
            # Its parameters are counted as spent in full: what rounding leaves is little.
            chosen[name], left = between, 0
    return chosen


def _hull(choices: list[Choice]) -> list[Choice]:
    """Return the corners of the lower convex hull, by increasing parameters."""
    hull: list[Choice] = []
    for choice in sorted(choices, key=lambda c: (c.parameters, c.loss)):
        if hull and choice.loss >= hull[-1].loss:
            continue
        while len(hull) > 1:
            (a, b), c = hull[-2:], choice
            if (a.loss - b.loss) * (c.parameters - b.parameters) > (b.loss - c.loss) * (
                b.parameters - a.parameters
            ):
                break
            hull.pop()
        hull.append(choice)
    return hull
