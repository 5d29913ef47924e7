"""Raw outputs of a network through a compiled call that is kept.

``keras.Model.predict`` builds a data pipeline at every call. Here one traced function per
architecture is called with the weights as arguments; dense networks that differ in their widths
share one. Rows are computed in blocks of one fixed
size, the last one padded with zeros, because matrix kernels round differently for different
numbers of rows: a row's prediction must not depend on the rows beside it.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from typing import Any

import numpy as np

from ._backend import load_keras, load_tensorflow, traced
from ._inspect import object_state, shareable_key

MAX_CALLS = 32
_CALLS: OrderedDict[tuple[str, int], _Call] = OrderedDict()
# Models that remember their call, by id.
_USERS: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
_LOCK = threading.Lock()
_CALL_ATTRIBUTE = "_skopt_wrap_call"


def block_rows(row_shape: tuple[int, ...]) -> int:
    """Return how many rows are computed together: a power of two in [1, 32].

    Small rows are padded to a block of 32; large ones (images) fill the arithmetic units by
    themselves, and padding one to a block would multiply the time of a single prediction.

    Examples
    --------
    >>> from skopt_wrap._keras._predict import block_rows
    >>> block_rows((64,)), block_rows((32, 32, 3)), block_rows((224, 224, 3))
    (32, 4, 1)
    """
    fit = max(1, 2**14 // max(1, int(np.prod(row_shape))))
    return int(min(32, 2 ** int(np.log2(fit))))


class _Call:
    """Traced inference of one architecture: weights and blocks of rows in, outputs out.

    Parameters
    ----------
    model : keras.Model
        Traced, and kept.
    rows : int
        Rows of a block.
    weights : {"own", "given", "of any width"}
        Whether the weights are those of `model`, or arguments, of the same or of any shape.
    """

    def __init__(self, model: Any, rows: int, weights: str) -> None:
        keras, tf = load_keras(), load_tensorflow()
        self.rows = rows
        # Kept: which variables are trainable may change later on the model that was traced.
        variables = [] if weights == "own" else _variables(model)
        outputs = getattr(model, "outputs", None)
        dtype = outputs[0].dtype if outputs else model.variable_dtype

        def forward(weights: Any, x: Any) -> Any:
            if not variables:
                return tf.cast(model(x, training=False), dtype)
            scope = keras.StatelessScope()
            # Given past the constructor, which insists on the shapes of the variables.
            for pair in zip(variables, weights, strict=True):
                scope.add_update(pair)
            with scope:
                return tf.cast(model(x, training=False), dtype)

        def many_blocks(weights: Any, x: Any) -> Any:
            shape = tf.shape(x)
            blocks = tf.reshape(x, tf.concat([[-1, rows], shape[1:]], axis=0))
            blocks = tf.ensure_shape(blocks, [None, rows, *x.shape[1:]])
            outputs = tf.map_fn(
                lambda block: forward(weights, block),
                blocks,
                fn_output_signature=self.spec,
            )
            return tf.reshape(outputs, tf.concat([[-1], tf.shape(outputs)[2:]], axis=0))

        self.spec: Any = None
        signatures: list[Any] = [None, None]
        self.input_dtype: str | None = None
        if weights == "of any width":
            shape, kind = model.inputs[0].shape[1:], model.inputs[0].dtype
            self.input_dtype = kind
            given = [tf.TensorSpec([None] * len(v.shape), v.dtype) for v in variables]
            signatures = [[given, tf.TensorSpec((n, *shape), kind)] for n in (rows, None)]
        self.one_block = traced(forward, signatures[0])
        self.many_blocks = traced(many_blocks, signatures[1])

    def __call__(self, weights: Any, x: np.ndarray) -> np.ndarray:
        tf = load_tensorflow()
        n_rows = len(x)
        if self.input_dtype is not None:
            x = x.astype(self.input_dtype, copy=False)
        if self.spec is None:
            block = tf.constant(x[:1].repeat(self.rows, axis=0))
            outputs = self.one_block.get_concrete_function(weights, block).structured_outputs
            self.spec = tf.TensorSpec(outputs.shape, outputs.dtype)
        missing = -n_rows % self.rows
        if missing:
            x = np.concatenate([x, np.zeros((missing, *x.shape[1:]), x.dtype)])
        function = self.one_block if len(x) == self.rows else self.many_blocks
        return function(weights, tf.constant(x)).numpy()[:n_rows]


def predict_raw(model: Any, x: np.ndarray, *, rows: int | None = None) -> np.ndarray:
    """Return the raw outputs of `model` for the rows of `x`.

    Parameters
    ----------
    model : keras.Model
        Built network with one input and one output.
    x : ndarray of shape (n_rows, ...)
        Rows as the network takes them.
    rows : int, default=None
        Rows computed together; None lets the size of a row decide.

    Returns
    -------
    outputs : ndarray of shape (n_rows, ...)
        Raw outputs, in the network's dtype (float32 for half-precision networks).
    """
    rows = block_rows(x.shape[1:]) if rows is None else int(rows)
    call, weights = _call_for(model, rows)
    limit = max(rows, (2**26 // max(1, x[:1].nbytes)) // rows * rows)
    parts = [call(weights, x[start : start + limit]) for start in range(0, len(x), limit)]
    outputs = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return outputs.astype("float32") if outputs.dtype.itemsize < 4 else outputs


def _call_for(model: Any, rows: int) -> tuple[_Call, Any]:
    """Return the traced call for `model` and the weights to call it with."""
    own = model.__dict__.get(_CALL_ATTRIBUTE)
    if own is not None and own[0].rows == rows:
        return own
    key, weights = _chain_key(model), "of any width"
    if key is None:
        key, weights = shareable_key(model), "given"
    if key is None:
        found: tuple[_Call, list[Any]] = (_Call(model, rows, "own"), [])
    else:
        with _LOCK:
            call = _CALLS.get((key, rows))
            if call is None:
                call = _CALLS[key, rows] = _Call(model, rows, weights)
                if len(_CALLS) > MAX_CALLS:
                    _CALLS.popitem(last=False)
            _CALLS.move_to_end((key, rows))
        found = (call, [variable.value for variable in _variables(model)])
    object.__setattr__(model, _CALL_ATTRIBUTE, found)
    _USERS[id(model)] = model
    return found


def clear_prediction_calls() -> None:
    """Forget every traced call of inference; the next prediction traces its own again."""
    with _LOCK:
        _CALLS.clear()
        for model in list(_USERS.values()):
            model.__dict__.pop(_CALL_ATTRIBUTE, None)
        _USERS.clear()


def _chain_key(model: Any) -> str | None:
    """Return a text equal for dense networks that differ in widths alone; None for others."""
    keras = load_keras()
    layers = getattr(model, "layers", ())
    kinds = (keras.layers.Dense, keras.layers.Dropout, keras.layers.Activation)
    if type(model) is not keras.Sequential or not all(type(layer) in kinds for layer in layers):
        return None
    if not (model.built and layers and len(model.inputs[0].shape) == 2):
        return None
    parts: list[Any] = [model.inputs[0].shape[1], model.inputs[0].dtype]
    for layer in layers:
        activation = object_state(getattr(layer, "activation", None))
        altered = [getattr(layer, name, None) for name in ("quantization_mode", "lora_enabled")]
        if activation is None or any(altered) or "call" in vars(layer):
            return None
        policy = layer.dtype_policy
        parts.append([type(layer).__name__, getattr(layer, "use_bias", None), activation])
        parts.append([type(policy).__name__, policy.compute_dtype, policy.variable_dtype])
        parts.append([layer.trainable, [(str(v.dtype), v.trainable) for v in layer.variables]])
    return repr([*parts, keras.config.floatx()])


def _variables(model: Any) -> list[Any]:
    """Return the variables of `model` that inference reads or writes, in a fixed order."""
    return [*model.trainable_variables, *model.non_trainable_variables]
