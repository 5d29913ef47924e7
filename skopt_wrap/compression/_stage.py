"""What a stage of a compression is: the base class, what it is given, and what it returns.

A stage takes a network and returns a changed one. This file has no list of stages: the stages of
this package are in ``_stages/``, and anybody can write another one outside of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from .._keras import predict_raw
from ..exceptions import DataError, ParameterError
from ._fine_tuning_data import FineTuningData
from ._litert._runtime import LiteRTModel
from ._process import ConversionProcess
from ._serialization import to_payload
from ._specs import CALIBRATED, Quantization

# The float32 file of the trained network is made before, the quantized file after all others.
FIRST, LAST = 0.0, 1000.0


@dataclass
class StageContext:
    """What a stage is given beside the network.

    Parameters
    ----------
    x : ndarray of shape (n_rows, ...)
        All rows as the network takes them.
    check_x : ndarray of shape (n_rows, ...)
        Some of these rows, on which networks and files are compared.
    seed : int
        Seed of everything that the stage draws.
    make_training_data : callable
        Returns the rows and settings for fine-tuning; use :attr:`training_data`.
    process : ConversionProcess
        Where converters and Keras 2 run; use :meth:`run_in_process`.
    stage : str
        Name of the stage.
    file_settings : Quantization
        Mode and form of the last file of the chain.
    calibration_samples : int
        Rows on which the ranges of integer activations are measured.
    num_threads : int
        Threads of the LiteRT interpreter.
    say : callable
        Prints a text when the user asked for it (`verbose`).
    earlier : tuple of str
        Names of the stages before this one.
    file : LiteRTModel or None
        File of the stage before this one.
    """

    x: np.ndarray
    check_x: np.ndarray
    seed: int
    make_training_data: Callable[[], FineTuningData]
    process: ConversionProcess
    stage: str
    file_settings: Quantization
    calibration_samples: int
    num_threads: int
    say: Callable[[str], None]
    earlier: tuple[str, ...] = ()
    file: LiteRTModel | None = None

    @cached_property
    def training_data(self) -> FineTuningData:
        """Rows and settings for fine-tuning, made when a stage first asks for them.

        An object with the attributes ``x``, ``y``, ``sample_weight``, ``loss``, ``epochs``,
        ``batch_size`` and ``x_unlabelled``. The samplers of a pipeline act when it is made.
        """
        return self.make_training_data()

    def draw(self, n: int) -> np.ndarray:
        """Return up to `n` of the rows, drawn with the seed, in their order.

        Parameters
        ----------
        n : int
            Number of rows.

        Returns
        -------
        rows : ndarray of shape (min(n, n_rows), ...)
            Some rows of ``x``.
        """
        return self.x[draw_rows(len(self.x), n, self.seed)]

    def run_in_process(self, function: str | Callable[..., Any], request: dict[str, Any]) -> Any:
        """Call a function in the conversion process, whose crash leaves this one unharmed.

        Parameters
        ----------
        function : str or callable
            ``"package.module:name"``, imported there and not here; or a function, sent there.
        request : dict
            Its keyword arguments.

        Returns
        -------
        answer : object
            What the function returns.

        Raises
        ------
        ConversionError
            When the function fails, or the process dies.
        """
        return self.process.run(function, request, stage=self.stage)

    def convert(self, network: Any, mode: str | None = None) -> dict[str, Any]:
        """Convert a network to a ``.tflite`` file that agrees with it.

        Parameters
        ----------
        network : keras.Model
            Network to convert.
        mode : str, default=None
            Quantization of the file; None is float32.

        Returns
        -------
        answer : dict
            ``content`` (bytes), ``difference`` (float), ``notes`` (list of str).

        Raises
        ------
        DataError
            When the network's own outputs are not finite.
        ConversionError
            When the converter refuses the network, or its file does not agree with it.
        """
        self.say(f"{self.stage}: {mode or 'float32'} file")
        check_raw = predict_raw(network, self.check_x)
        if not np.isfinite(check_raw).all():
            raise DataError(
                f"{self.stage}: the network's own outputs for rows of X are not finite. Are there "
                "NaN or infinite values in X?"
            )
        integer_io = self.file_settings.integer_io and mode is not None
        answer: dict[str, Any] = self.run_in_process(
            "skopt_wrap.compression._conversion._convert:convert",
            {
                "network": to_payload(network),
                "quantization": replace(self.file_settings, mode=mode, integer_io=integer_io),
                "calibration": self.draw(self.calibration_samples) if mode in CALIBRATED else None,
                "check_x": self.check_x,
                "check_raw": check_raw,
            },
        )
        return answer


@dataclass
class StageResult:
    """What a stage returns.

    Parameters
    ----------
    model : keras.Model
        The changed network, not the one that was given.
    done : list of str, default=[]
        Layers that the stage changed.
    skipped : list of str, default=[]
        Layers that it left alone, each with the reason.
    notes : list of str, default=[]
        What else the report says.
    content : bytes, default=None
        The ``.tflite`` file, for a stage that makes it itself. None: the network is converted to
        a float32 file.
    difference : float, default=0.0
        Of the outputs of `content` from those of the network it was made from.
    quantization : str, default=None
        Mode of `content`; None is float32.
    """

    model: Any
    done: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    content: bytes | None = None
    difference: float = 0.0
    quantization: str | None = None


class CompressionStage:
    """Base class of the stages of a compression.

    A stage of your own is given to :class:`CompressedModel` or :func:`compress` as
    ``stages=[...]``, or to :class:`CompressionSearch` in its `param_grid`. It runs at the place
    that its `order` says. The network that it returns is converted to a float32 file, measured
    and scored, and gets a row of the report like the others.

    Attributes
    ----------
    name : str
        Name in the report and in messages; no two stages of a chain may share one.
    order : float
        Place in the chain, between 0 and 1000, both excluded: factorization is 100, distillation
        200, pruning 300, clustering 400. Quantization comes last, at 1000.
    trains : bool
        Whether the stage asks for the rows to fine-tune with, ``context.training_data``; True by
        default. :func:`compress` then checks the target before any work.

    Notes
    -----
    A stage must not keep anything of a run: it may be used for several networks. Two stages that
    compare equal count as one, so that a search runs them once for candidates that begin alike;
    a dataclass compares its parameters.

    Examples
    --------
    A stage that rounds weights:

    >>> import keras, numpy as np
    >>> from skopt_wrap.compression import CompressionStage, StageResult, compress
    >>> class Round(CompressionStage):
    ...     name = "round"
    ...     order = 450
    ...
    ...     def run(self, model, context):
    ...         copy = keras.models.clone_model(model)
    ...         copy.set_weights([weight.round(2) for weight in model.get_weights()])
    ...         return StageResult(copy, done=[layer.name for layer in copy.layers])
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> X = np.random.default_rng(0).normal(size=(50, 4)).astype("float32")
    >>> result = compress(model, X, stages=[Round()], quantization="float16", random_state=0)
    >>> [row.stage for row in result.report.rows]
    ['trained', 'convert', 'round', 'quantize']
    """

    name: str = ""
    order: float = LAST - 1
    # Whether it asks for rows to fine-tune with: the target is checked before any work then.
    trains: bool = True
    # Parameters of CompressedModel that the stage is made of; for the stages of this package.
    parameters: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> CompressionStage | None:
        """Return the stage that parameters of :class:`CompressedModel` ask for, or None.

        Parameters
        ----------
        settings : mapping of str to object
            All parameters of the compression by name.

        Returns
        -------
        stage : CompressionStage or None
            None when they leave the stage out.

        Raises
        ------
        ParameterError
            For a parameter outside its rule.
        """
        raise NotImplementedError

    def check(self, model: Any) -> None:
        """Raise when the stage cannot take a network; called before :meth:`run`.

        Parameters
        ----------
        model : keras.Model
            The network as the stages before made it.
        """

    def run(self, model: Any, context: StageContext) -> StageResult:
        """Return the changed network.

        Parameters
        ----------
        model : keras.Model
            The network as the stages before made it. It must not be changed.
        context : StageContext
            Rows, seed, and the way into the conversion process.

        Returns
        -------
        result : StageResult
            The new network, and what the report says of it.
        """
        raise NotImplementedError


def check_stages(stages: Any) -> tuple[CompressionStage, ...]:
    """Return `stages` as a tuple when each of them is a stage.

    Raises
    ------
    ParameterError
        Naming what is missing.
    """
    if stages is None:
        return ()
    if not isinstance(stages, (list, tuple)):
        raise ParameterError(
            f"stages must be None or a list of CompressionStage objects, got {stages!r}."
        )
    for stage in stages:
        if isinstance(stage, type) or not all(
            callable(getattr(stage, name, None)) for name in ("check", "run")
        ):
            raise ParameterError(
                f"stages: {stage!r} is no stage. Derive a class from CompressionStage and give an "
                "object of it."
            )
        name, order = getattr(stage, "name", None), getattr(stage, "order", None)
        if not isinstance(name, str) or not name:
            raise ParameterError(f"stages: name of {stage!r} must be a text, got {name!r}.")
        if not isinstance(order, (int, float)) or not FIRST < order < LAST:
            raise ParameterError(
                f"stages: order of {name!r} must be a number between {FIRST:g} and {LAST:g}, both "
                f"excluded, got {order!r}."
            )
    return tuple(stages)


def draw_rows(n_rows: int, n: int, seed: int) -> np.ndarray:
    """Return the indices of up to `n` of `n_rows` rows, drawn with `seed`, in order."""
    return np.sort(np.random.default_rng(seed).permutation(n_rows)[:n])
