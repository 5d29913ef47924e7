"""Run a ``.tflite`` file with LiteRT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...exceptions import ConversionError, DataError, ParameterError
from .._specs import as_count
from ._described import predict, predict_proba
from ._metadata import read_description

_IDENTIFIER = b"TFL3"
BLOCK_ROWS = 256
_MAX_IDLE = 4
# Operations that keep values from one call to the next.
_STATEFUL = frozenset(
    "BIDIRECTIONAL_SEQUENCE_LSTM BIDIRECTIONAL_SEQUENCE_RNN CALL_ONCE LSTM RNN SVDF "
    "UNIDIRECTIONAL_SEQUENCE_LSTM UNIDIRECTIONAL_SEQUENCE_RNN VAR_HANDLE".split()
)


class LiteRTModel:
    """A ``.tflite`` file as a function from rows to rows.

    One row is run by an interpreter whose buffers stay allocated for one row. More
    rows are run in blocks of up to 256 by a second one, resized as needed. A file that was
    converted for one row at a time is run row by row. Calls from several threads run side by
    side, each with interpreters of its own; up to four are kept for later calls. State of
    recurrent layers is reset before every call, so that a row's output depends on that row
    alone. Integer inputs and outputs are converted with the scale written in the file.

    Pickles hold the file only; interpreters are built again where they are needed.

    Parameters
    ----------
    content : bytes, str or path-like
        A ``.tflite`` file with one input: its content, or where it lies.
    num_threads : int, default=1
        Threads of one interpreter. Small networks are fastest with one.

    Attributes
    ----------
    content : bytes
        The file.
    num_threads : int
        Threads of one interpreter.
    input_shape : tuple of int
        Shape of one row.
    output_shape : tuple of int
        Shape of the first output for one row.
    output_names : list of str
        Names of all outputs. A file with ``preprocessing="fold"`` of a classifier has two:
        "probabilities", and "label", the number of the predicted class.
    outputs : list of (str, tuple of int, numpy.dtype)
        Name, shape for one row, and dtype of each output.
    metadata : dict or None
        What the file says of itself, when :meth:`CompressedModel.export` wrote it: inputs by name,
        classes, threshold, preprocessing, versions, report, checksum.
    input_dtype : numpy.dtype
        What the file reads. Rows of another type are cast, or scaled for an integer file.
    output_dtype : numpy.dtype
        What the file writes. Outputs that are integers are scaled to float32.
    input_name, output_name : str
        Names in the file.
    scales : dict of str to tuple of (float, int)
        Scale and zero point of "input" and "output", those of them that are integers:
        ``real = (integer - zero_point) * scale``.
    dynamic_batch : bool
        Whether the file takes several rows at once.
    delegated : bool
        Whether LiteRT's default delegate runs the file; where it refuses a file, the interpreter
        runs it alone, more slowly.

    Raises
    ------
    ConversionError
        When `content` is not a ``.tflite`` file that LiteRT can run, or when it was changed after
        :meth:`CompressedModel.export` wrote it: its checksum does not fit then.

    See Also
    --------
    CompressedModel : Trains, compresses and runs a network.

    Examples
    --------
    >>> from skopt_wrap.compression import LiteRTModel
    >>> LiteRTModel(b"not a model")
    Traceback (most recent call last):
    ...
    skopt_wrap.exceptions.ConversionError: content is not a .tflite file: ...
    """

    def __init__(self, content: bytes | str | Path, num_threads: int = 1) -> None:
        if isinstance(content, (str, Path)):
            content = _read(Path(content))
        if not isinstance(content, (bytes, bytearray, memoryview)):
            raise ParameterError(
                "content must be the bytes of a .tflite file or its path, got "
                f"{type(content).__name__}."
            )
        self.content = bytes(content)
        self.num_threads = as_count(num_threads, "num_threads")
        self._open()

    def _open(self) -> None:
        if self.content[4:8] != _IDENTIFIER:
            raise ConversionError(
                f"content is not a .tflite file: bytes 4 to 8 must be {_IDENTIFIER!r}, "
                f"got {self.content[4:8]!r}."
            )
        self.metadata = read_description(self.content)
        self._idle: list[_Runner] = []
        runner = _Runner(self.content, self.num_threads)
        self.input_shape, self.output_shape = runner.input_shape, runner.output_shape
        self.input_dtype, self.dynamic_batch = runner.input_dtype, runner.dynamic_batch
        self.output_dtype, self.scales = runner.output_dtype, runner.scales
        self.input_name, self.output_names = runner.input_name, runner.output_names
        self.output_name, self.outputs = self.output_names[0], runner.outputs
        self.delegated = runner.delegated
        self._idle.append(runner)

    def __call__(self, x: np.ndarray) -> Any:
        """Return the outputs for the rows of `x`.

        Parameters
        ----------
        x : ndarray of shape (n_rows, ...)
            Rows as the network takes them.

        Returns
        -------
        outputs : ndarray of shape (n_rows, ...)
            Raw outputs, float32 (dequantized where the file's output is an integer). A list of
            arrays, one for each name of `output_names`, when there are several.
        """
        x = np.asarray(x)
        if x.shape[1:] != self.input_shape:
            raise DataError(
                f"X must have rows of shape {self.input_shape}, got an array of shape {x.shape}."
            )
        return self._run(x)

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels or values, as the compressed model does.

        Parameters
        ----------
        X : array-like or data frame of shape (n_rows, n_columns)
            Rows as the user has them. Columns of a frame are found by name; texts become the codes
            that the file's metadata names.

        Returns
        -------
        y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Labels, or values in float64.

        Raises
        ------
        ParameterError
            When the file does not say what it reads, or steps of the preprocessing are not in it.
        DataError
            For rows with other columns, missing values or unknown categories.
        """
        return predict(self.metadata, X, self)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return class probabilities, as the compressed model does.

        Parameters
        ----------
        X : array-like or data frame of shape (n_rows, n_columns)
            As for :meth:`predict`.

        Returns
        -------
        p : ndarray of shape (n_rows, n_classes), float64
            Probabilities, in the order of ``metadata["classes"]``.

        Raises
        ------
        ParameterError
            As :meth:`predict`; for the file of a regressor too.
        DataError
            As :meth:`predict`.
        """
        return predict_proba(self.metadata, X, self)

    def _run(self, x: np.ndarray) -> Any:
        """Return the outputs for rows of the right shape."""
        idle = self._idle
        try:
            runner = idle.pop()  # atomic: no other thread gets the same one
        except IndexError:
            runner = _Runner(self.content, self.num_threads)
        outputs = runner.one(x) if len(x) == 1 else runner.many(x)
        if len(idle) < _MAX_IDLE:
            idle.append(runner)  # one that raised is not used again
        return outputs

    def _plain_runner(self) -> _Runner | None:
        """Return a runner of one float row in and one out, without state; None for other files."""
        runner = self._idle[0] if self._idle else _Runner(self.content, self.num_threads)
        return runner if runner.plain else None

    def ops(self) -> list[str]:
        """Return the operations in the file.

        Returns
        -------
        names : list of str
            In the order in which they run.
        """
        return _Runner(self.content, self.num_threads).ops()

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds: the file and the number of threads."""
        return {"content": self.content, "num_threads": self.num_threads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Build the interpreter again."""
        self.__dict__.update(state)
        self._open()

    def __repr__(self) -> str:
        """Return the size and the shapes."""
        return (
            f"LiteRTModel({len(self.content):,} bytes, "
            f"{self.input_shape} -> {self.output_shape}, num_threads={self.num_threads})"
        )


class _Runner:
    """The interpreters of one thread at a time: one for single rows, one for blocks."""

    def __init__(self, content: bytes, num_threads: int) -> None:
        self._content, self._num_threads = content, num_threads
        self._resolver: dict[str, Any] = {}
        self.single = self._new()
        self.delegated = not self._resolver
        inputs, outputs = self.single.get_input_details(), self.single.get_output_details()
        if len(inputs) != 1 or not outputs:
            raise ConversionError(f"the file must have one input, got {len(inputs)}.")
        signature = inputs[0]["shape_signature"]
        if len(signature) < 1 or signature[0] not in (-1, 1) or (signature[1:] < 0).any():
            raise ConversionError(
                "the file must read rows of one fixed shape, one or any number at a time; "
                f"its input has shape {tuple(int(n) for n in signature)}."
            )
        self.dynamic_batch = bool(signature[0] == -1)
        self.input_index, self.output_index = inputs[0]["index"], outputs[0]["index"]
        self.input_shape = tuple(int(n) for n in inputs[0]["shape"][1:])
        self.output_shape = tuple(int(n) for n in outputs[0]["shape"][1:])
        self.input_dtype = np.dtype(inputs[0]["dtype"])
        self.output_dtype = np.dtype(outputs[0]["dtype"])
        self.input_name = str(inputs[0]["name"])
        self.output_names = [str(output["name"]) for output in outputs]
        self._others = [_Output(output) for output in outputs[1:]]
        self.outputs = [
            (name, tuple(int(n) for n in output["shape"][1:]), np.dtype(output["dtype"]))
            for name, output in zip(self.output_names, outputs, strict=True)
        ]
        self._in_scale, self._out_scale = _scale(inputs[0]), _scale(outputs[0])
        ends = {"input": self._in_scale, "output": self._out_scale}
        self.scales = {name: scale for name, scale in ends.items() if scale is not None}
        self._stateful = not _STATEFUL.isdisjoint(self.ops())
        self.plain = (
            not (self.scales or self._stateful or self._others) and self.input_dtype == np.float32
        )
        single = self.single
        self._reset, self.invoke = single.reset_all_variables, single.invoke
        self.set, self.get = single.set_tensor, single.get_tensor
        self._blocks: Any = None
        self._block_rows = 0

    def _new(self) -> Any:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        settings = {"model_content": self._content, "num_threads": self._num_threads}
        try:
            try:
                interpreter = Interpreter(**settings, **self._resolver)
                interpreter.allocate_tensors()
            except RuntimeError:
                if self._resolver:
                    raise
                # The default delegate refuses some files that the interpreter itself can run.
                plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
                self._resolver = {"experimental_op_resolver_type": plain}
                interpreter = Interpreter(**settings, **self._resolver)
                interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ConversionError(f"LiteRT cannot load the file: {error}") from error
        return interpreter

    def ops(self) -> list[str]:
        return [op["op_name"] for op in self.single._get_ops_details()]

    def one(self, x: np.ndarray) -> Any:
        if self._stateful:
            self._reset()
        self.set(self.input_index, x if x.dtype == self.input_dtype else self._to_input(x))
        self.invoke()
        raw = self.get(self.output_index)
        raw = raw if self._out_scale is None else self._from_output(raw)
        return [raw, *(other.of(self.single) for other in self._others)] if self._others else raw

    def many(self, x: np.ndarray) -> Any:
        if not len(x):
            first = np.zeros((0, *self.output_shape), dtype=np.float32)
            empty = [np.zeros((0, *other.shape), other.dtype) for other in self._others]
            return [first, *empty] if self._others else first
        if not self.dynamic_batch:
            parts = [self.one(x[i : i + 1]) for i in range(len(x))]
        else:
            parts = [self._block(x[i : i + BLOCK_ROWS]) for i in range(0, len(x), BLOCK_ROWS)]
        if len(parts) == 1:
            return parts[0]
        if self._others:
            return [np.concatenate(part) for part in zip(*parts, strict=True)]
        return np.concatenate(parts)

    def _block(self, x: np.ndarray) -> Any:
        if self._blocks is None:
            self._blocks = self._new()
        interpreter = self._blocks
        if len(x) != self._block_rows:
            interpreter.resize_tensor_input(self.input_index, x.shape)
            interpreter.allocate_tensors()
            self._block_rows = len(x)
        if self._stateful:
            interpreter.reset_all_variables()
        interpreter.set_tensor(self.input_index, self._to_input(x))
        interpreter.invoke()
        raw = self._from_output(interpreter.get_tensor(self.output_index))
        return [raw, *(other.of(interpreter) for other in self._others)] if self._others else raw

    def _to_input(self, x: np.ndarray) -> np.ndarray:
        if x.dtype == self.input_dtype:
            return x
        if self._in_scale is not None:
            scale, zero = self._in_scale
            limits = np.iinfo(self.input_dtype)
            x = np.clip(np.round(x / scale) + zero, limits.min, limits.max)
        return x.astype(self.input_dtype)

    def _from_output(self, raw: np.ndarray) -> np.ndarray:
        if self._out_scale is not None:
            scale, zero = self._out_scale
            return ((raw.astype(np.float32) - zero) * scale).astype(np.float32)
        return raw


class _Output:
    """An output beside the first."""

    def __init__(self, details: dict[str, Any]) -> None:
        self.index, self._scale = details["index"], _scale(details)
        self.shape = tuple(int(n) for n in details["shape"][1:])
        self.dtype = np.dtype(np.float32 if self._scale is not None else details["dtype"])

    def of(self, interpreter: Any) -> np.ndarray:
        """Return its values in the interpreter."""
        raw: np.ndarray = interpreter.get_tensor(self.index)
        if self._scale is None:
            return raw
        scale, zero = self._scale
        return ((raw.astype(np.float32) - zero) * scale).astype(np.float32)


def _read(path: Path) -> bytes:
    """Return the content of a file.

    Raises
    ------
    ParameterError
        When it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ParameterError(f"content: {str(path)!r} cannot be read: {error.strerror}.") from error


def _scale(details: dict[str, Any]) -> tuple[float, int] | None:
    """Return scale and zero point of an integer tensor, or None where values are plain."""
    scale, zero = details["quantization"]
    integer = np.issubdtype(details["dtype"], np.integer)
    return (float(scale), int(zero)) if integer and scale else None
