"""How an architecture is trained when the user says nothing about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from numbers import Integral
from typing import Any

from ..exceptions import ParameterError


@dataclass(frozen=True)
class Recipe:
    """How to train networks of one architecture; what the user sets counts instead.

    An estimator whose `epochs`, `batch_size`, `optimizer` and `early_stopping` are "auto", and
    whose `loss` and `learning_rate_schedule` are None, takes them from here. The defaults below
    hold for every network without a recipe of its own.

    Parameters
    ----------
    epochs : int, default=50
        Passes over the data.
    batch_size : int or callable, default=32
        Rows per step, or ``f(n_rows)`` that returns them.
    drop_remainder : bool, default=False
        Leave out the last batch of an epoch when it is not full.
    optimizer : str or callable, default="adam"
        Name of a Keras optimizer; or ``f(regression)``, which returns a class of optimizers and a
        dict of its arguments.
    learning_rate_schedule : str, default=None
        Name of a schedule; None keeps the rate of the optimizer.
    label_smoothing : float, default=0.0
        Share of each row's target that is spread over all classes, in [0, 1).
    holdout : float, default=0.0
        Share of the rows held out to choose the best epoch, in [0, 1); 0 holds out none, and the
        weights after the last epoch are kept.
    patience : int, default=None
        End training after so many epochs without a better one; None trains for all epochs.
    least_rows : int, default=100
        Nothing is held out from fewer rows than these.
    start : callable, default=None
        ``f(network, data, rng)`` sets the first weights from the training rows, a
        :class:`skopt_wrap.training.TrainingData`; `rng` is a NumPy generator.
    finish : callable, default=None
        ``f(network, held_out)`` corrects the trained network on rows that were held out, a
        :class:`skopt_wrap.training.TrainingData`.

    Raises
    ------
    ParameterError
        When `epochs`, `batch_size` or `patience` is no count, or a share is not in [0, 1).

    Examples
    --------
    >>> from skopt_wrap.architectures import Recipe
    >>> recipe = Recipe(epochs=100, batch_size=lambda n_rows: 32 if n_rows < 5000 else 256)
    >>> recipe.rows_per_step(20_000)
    256
    """

    epochs: int = 50
    batch_size: int | Callable[[int], int] = 32
    drop_remainder: bool = False
    optimizer: str | Callable[[bool], tuple[type, Mapping[str, Any]]] = "adam"
    learning_rate_schedule: str | None = None
    label_smoothing: float = 0.0
    holdout: float = 0.0
    patience: int | None = None
    least_rows: int = 100
    start: Callable[..., None] | None = field(default=None, repr=False)
    finish: Callable[[Any, Any], None] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        counts = {"epochs": self.epochs}
        if not callable(self.batch_size):
            counts["batch_size"] = self.batch_size
        if self.patience is not None:
            counts["patience"] = self.patience
        for name, value in counts.items():
            if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
                raise ParameterError(f"{name} of a recipe must be an int >= 1, got {value!r}.")
        for name in ("label_smoothing", "holdout"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ParameterError(f"{name} of a recipe must be in [0, 1), got {value!r}.")

    def rows_per_step(self, n_rows: int) -> int:
        """Return the batch size for a training set.

        Parameters
        ----------
        n_rows : int
            Number of training rows.

        Returns
        -------
        batch_size : int
            Rows per step.
        """
        return int(self.batch_size(n_rows) if callable(self.batch_size) else self.batch_size)


DEFAULT_RECIPE = Recipe()

# Files that register something with Keras.
_LAYER_FILES = (
    "_grouped_adam",
    "_hidden_layers",
    "_series._filters",
    "_table_layer",
    "_table_layers",
    "_tabm._embedding",
    "_tabm._layers",
    "_tabm._losses",
    "_text_layers",
)


def register_layers() -> None:
    """Make layers and optimizers of the named networks known to Keras.

    Call it in a new process before ``keras.models.load_model`` opens the file of such a network.
    Pickles, and files of :func:`skopt_wrap.save`, do not need it.

    Examples
    --------
    >>> import keras
    >>> from skopt_wrap.architectures import register_layers
    >>> register_layers()
    >>> keras.saving.get_registered_object("skopt_wrap>TangentDense").__name__
    'TangentDense'
    """
    for module in _LAYER_FILES:
        import_module(f".{module}", __package__)


def recipe_of(architecture: Any) -> Recipe:
    """Return the recipe of an architecture, or the default for everything else.

    Parameters
    ----------
    architecture : Architecture, callable or None
        An architecture, or any other builder.

    Returns
    -------
    recipe : Recipe
        How its networks are trained.

    Examples
    --------
    >>> from skopt_wrap.architectures import ARCHITECTURES, recipe_of
    >>> recipe_of(ARCHITECTURES["dense"]).epochs
    50
    """
    recipe = getattr(architecture, "recipe", None)
    return recipe if isinstance(recipe, Recipe) else DEFAULT_RECIPE
