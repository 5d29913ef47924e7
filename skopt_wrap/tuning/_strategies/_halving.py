"""Successive halving and screening by one epoch, and their settings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from ...exceptions import ParameterError
from ._named import check_epochs
from ._protocol import SearchRequest
from ._setting_checks import check_count, check_name

RESOURCES = ("epochs", "samples")
_MOST_ROUNDS = 4  # by default the first round takes 1/27 of the epochs or samples


@dataclass(frozen=True, kw_only=True)
class Halving:
    """Successive halving: many candidates on little, the best of them on more.

    The first round draws candidates at random and gives each a small share of the epochs, of the
    training samples, or of both. The best ``1 / factor`` go on with `factor` times as much, until
    the last round has everything. A promoted candidate is trained anew, and only trials of the
    last round can be the best: scores on different shares are not compared.

    Parameters
    ----------
    resource : {"epochs", "samples"} or tuple of both, default="epochs"
        What grows from round to round. Samples are drawn from the training samples of each split,
        in the proportions of the classes, and a smaller share is a part of a larger one.
    factor : int, default=3
        How much the resource grows, and the candidates become fewer, at least 2.
    min_resource : int, float or None, default=None
        First round: an int is a number of epochs or samples (of a single resource), a float in
        (0, 1] a share. None makes at most four rounds and leaves no class without samples.
    n_candidates : int or None, default=None
        Candidates of the first round. None makes the whole search cost as much as `max_trials`
        full trainings.

    Raises
    ------
    ParameterError
        When a value breaks its rule.

    See Also
    --------
    TunedClassifier : Takes it as `tuner`.
    sklearn.model_selection.HalvingRandomSearchCV : The same idea for any estimator.

    References
    ----------
    .. [1] K. Jamieson, A. Talwalkar, "Non-stochastic best arm identification and hyperparameter
       optimization", AISTATS 2016.

    Examples
    --------
    >>> from skopt_wrap.tuning import Halving
    >>> Halving(resource="samples", min_resource=100).rounds(900, least=10)
    [0.111..., 0.333..., 1.0]
    """

    resource: Any = "epochs"
    factor: int = 3
    min_resource: int | float | None = None
    n_candidates: int | None = None
    ends_itself: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for item in self.resources:
            check_name("resource", item, RESOURCES)
        check_count("factor", self.factor, 2)
        least = self.min_resource
        if isinstance(least, float):
            if not 0 < least <= 1:
                raise ParameterError(
                    f"min_resource must be an int >= 1 or a share in (0, 1]; got {least!r}."
                )
        elif least is not None:
            check_count("min_resource", least, 1)
            if len(self.resources) > 1:
                raise ParameterError(
                    "min_resource must be a share in (0, 1] for two resources, which are counted "
                    f"differently; got {least!r}."
                )
        if self.n_candidates is not None:
            check_count("n_candidates", self.n_candidates, 1)

    @property
    def resources(self) -> tuple[str, ...]:
        """The resources, as a tuple."""
        return (self.resource,) if isinstance(self.resource, str) else tuple(self.resource)

    @property
    def sets_epochs(self) -> bool:
        """Whether the trials of a round get a number of epochs."""
        return "epochs" in self.resources

    def rounds(self, full: int, least: int) -> list[float]:
        """Return the share of the resource in each round, the last one 1.

        Parameters
        ----------
        full : int
            Epochs or rows of the last round.
        least : int
            Smallest useful number of them, where `min_resource` is None.

        Returns
        -------
        shares : list of float
            Increasing.
        """
        wanted = self.min_resource
        if wanted is None:
            first, most = least / full, _MOST_ROUNDS
        else:
            first = wanted if isinstance(wanted, float) else wanted / full
            most = 64
        if first > 1:
            if wanted is None:
                return [1.0]
            raise ParameterError(f"min_resource={wanted} is more than all there are, {full}.")
        # Rounding must not cost a round: 1/9 is two steps of 3.
        steps = math.floor(math.log(1 / first, self.factor) + 1e-9)
        n_rounds = min(most, 1 + steps)
        return [float(self.factor) ** (i - n_rounds + 1) for i in range(n_rounds)]

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return the oracle of a search, as `Strategy` says."""
        from ._halving_oracle import HalvingOracle

        if self.sets_epochs:
            check_epochs("halving", search.epochs)
        by_epochs = self.resources[0] == "epochs"
        full, least = (search.epochs, 1) if by_epochs else (search.n_samples, search.least_samples)
        shares = self.rounds(int(full or 1), least)
        n_candidates = self.n_candidates
        if n_candidates is None:
            # Every round costs about as much, and all together as much as max_trials trainings.
            cost = sum(share / self.factor**i for i, share in enumerate(shares))
            wanted = round((search.max_trials or 20) / cost)
            n_candidates = max(self.factor ** (len(shares) - 1), wanted)
        arguments = search.oracle_arguments()
        return HalvingOracle(
            self.factor, self.resources, shares, n_candidates, search.epochs, **arguments
        )


@dataclass(frozen=True, kw_only=True)
class Screen:
    """Train many candidates for one epoch, and the best few of them in full.

    The simplest search of several fidelities, and known to be hard to beat. Candidates are drawn at
    random. A finalist is trained anew, and only finalists can be the best trial.

    Parameters
    ----------
    n_candidates : int or None, default=None
        Candidates of one epoch. None takes as many as keep the whole search at the epochs of
        `max_trials` full trainings, at most five times `max_trials`.
    n_finalists : int or None, default=None
        Candidates that are trained in full. None takes a quarter of `max_trials`.

    Raises
    ------
    ParameterError
        When a value breaks its rule.

    See Also
    --------
    Halving : In more than two rounds.

    References
    ----------
    .. [1] R. Egele et al., "Is one epoch all you need for multi-fidelity hyperparameter
       optimization?", ESANN 2023, arXiv:2307.15422.

    Examples
    --------
    >>> from skopt_wrap.tuning import Screen
    >>> Screen(n_finalists=3).sizes(20, epochs=50)
    (100, 3)
    """

    n_candidates: int | None = None
    n_finalists: int | None = None
    ends_itself: ClassVar[bool] = True
    sets_epochs: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("n_candidates", "n_finalists"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name), 1)
        if self.n_candidates is not None and self.n_candidates < (self.n_finalists or 1):
            raise ParameterError(
                f"n_finalists={self.n_finalists} is more than n_candidates={self.n_candidates}."
            )

    def sizes(self, max_trials: int | None, epochs: int) -> tuple[int, int]:
        """Return the numbers of candidates and of finalists.

        Parameters
        ----------
        max_trials : int or None
            Full trainings that the search may cost; None is 20.
        epochs : int
            Epochs of a full training.

        Returns
        -------
        n_candidates, n_finalists : int
            Trials of one epoch, and of all epochs.
        """
        budget = max_trials or 20
        finalists = self.n_finalists or max(1, round(budget / 4))
        candidates = min(5 * budget, max(1, budget - finalists) * epochs)
        candidates = self.n_candidates or max(candidates, finalists)
        return candidates, min(finalists, candidates)

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return the oracle of a search, as `Strategy` says."""
        from ._halving_oracle import ScreenOracle

        epochs = check_epochs("screen", search.epochs)
        sizes = self.sizes(search.max_trials, epochs)
        return ScreenOracle(*sizes, epochs, **search.oracle_arguments())
