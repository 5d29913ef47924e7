"""What an architecture is: a builder of networks, with its search spaces and the data it fits."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..exceptions import ParameterError
from ._recipe import Recipe

Space = Mapping[str, Any] | Callable[[], Mapping[str, Any]]


def _fits_everything(shape: Sequence[int]) -> bool:  # noqa: ARG001
    return True


@dataclass(frozen=True, eq=False)
class Architecture:
    """A family of networks: how to build one, what to search, and which data it is for.

    The estimators and searches take an architecture as `model`, one of yours like one of ours.
    It is called like its builder, and never changed.

    Parameters
    ----------
    name : str
        Name in tables and messages.
    builder : callable
        ``builder(meta, **parameters)`` returns a ``keras.Model``; see
        :class:`skopt_wrap.KerasClassifier`. Its keyword arguments are the ``model__*`` parameters.
    compact : dict or callable, default={}
        Space of the few parameters that matter most, in the notation of the parameter `space` of
        :class:`skopt_wrap.TunedClassifier`: ``{"model__units": [32, 64]}``. A function without
        arguments that returns such a dict is called when a search needs it.
    full : dict or callable, default=None
        Space of everything that practice tunes. None takes `compact`.
    per_layer : dict of str to str, default={}
        Parameters of `full` that have a value of their own in each layer, each with the parameter
        that holds the number of layers: ``{"model__units": "model__n_layers"}``.
    tables : bool, default=False
        Whether the estimator prepares tables for the network: numbers scaled, gaps filled,
        categories taken apart. The builder is told of prepared columns then: their number in
        ``meta["X_shape_"]``, their order in ``meta["table_"]``, which has the attributes
        ``n_numbers``, ``n_other`` and ``cardinalities``. Images, sequences and sparse X are not
        prepared.
    texts : bool, default=False
        Whether the estimator reads raw texts and makes ids of them for the network. The builder is
        told their number in ``meta["n_ids_"]``, and how many of a row are those of words in
        ``meta["n_words_"]``. Parameters of the builder that are called `max_words`, `max_length`,
        `n_buckets`, `part_lengths`, `pairs` or `lowercase` say how ids are made, as those of
        ``"text"`` do.
    fits : callable, default: fits everything
        ``fits(shape)`` returns whether ``model="auto"`` may offer the architecture for samples of
        that shape (``X.shape[1:]``).
    recipe : Recipe, default=None
        How its networks are trained where the user says nothing; None takes ``Recipe()``.

    Raises
    ------
    ParameterError
        When `name` is no text, or `builder` cannot be called.

    See Also
    --------
    skopt_wrap.tuning.default_space : The spaces that a search takes by default.

    Examples
    --------
    >>> import keras
    >>> from skopt_wrap import KerasClassifier
    >>> from skopt_wrap.architectures import Architecture
    >>> def wide(meta, *, units=256):
    ...     inputs = keras.Input(meta["X_shape_"][1:])
    ...     hidden = keras.layers.Dense(units, activation="relu")(inputs)
    ...     return keras.Model(inputs, keras.layers.Dense(meta["n_outputs_expected_"])(hidden))
    >>> architecture = Architecture("wide", wide, compact={"model__units": [128, 256, 512]})
    >>> KerasClassifier(architecture).get_params()["model__units"]
    256
    """

    name: str
    builder: Callable[..., Any]
    compact: Space = field(default_factory=dict, repr=False)
    full: Space | None = field(default=None, repr=False)
    per_layer: Mapping[str, str] = field(default_factory=dict, repr=False)
    fits: Callable[[Sequence[int]], bool] = field(default=_fits_everything, repr=False)
    tables: bool = field(default=False, repr=False)
    texts: bool = field(default=False, repr=False)
    recipe: Recipe | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ParameterError(f"name of an architecture must be text, got {self.name!r}.")
        if not callable(self.builder):
            raise ParameterError(
                f"builder of the architecture {self.name!r} must be a function that returns a "
                f"keras.Model, got {self.builder!r}."
            )

    @property
    def __name__(self) -> str:
        return self.name

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self.builder)

    def __call__(self, *args: Any, **parameters: Any) -> Any:
        """Build a network.

        Parameters
        ----------
        *args, **parameters
            Those of the builder.

        Returns
        -------
        model : keras.Model
            What the builder returns.
        """
        return self.builder(*args, **parameters)

    # Immutable: a clone of an estimator shares it, as it shares a function.
    def __copy__(self) -> Architecture:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Architecture:
        return self

    def space(self, *, full: bool = False) -> dict[str, Any]:
        """Return a new dict of the compact or the full space.

        Parameters
        ----------
        full : bool, default=False
            Which of the two.

        Returns
        -------
        space : dict
            Parameter names mapped to what a search accepts as their values.
        """
        entries = self.full if full and self.full is not None else self.compact
        return dict(entries() if callable(entries) else entries)
