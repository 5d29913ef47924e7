"""A network for each operation of ``keras.ops`` that computes numbers from numbers."""

from __future__ import annotations

import numpy as np

UNARY = (
    "abs absolute arccos arccosh arcsin arcsinh arctan arctanh ceil celu cos cosh elu erf exp exp2 "
    "expm1 floor gelu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu log log10 log1p log2 "
    "log_sigmoid log_softmax nan_to_num negative reciprocal relu relu6 round rsqrt selu sigmoid "
    "sign silu sin sinh soft_shrink softmax softplus softsign sparse_plus sparsemax sqrt square "
    "squareplus tan tanh tanh_shrink threshold trunc cumsum cumprod flip sort normalize"
).split()
BINARY = (
    "add arctan2 divide floor_divide logaddexp maximum minimum mod multiply power subtract "
    "true_divide hypot"
).split()
COMPARISONS = "equal greater greater_equal less less_equal not_equal".split()
REDUCTIONS = "amax amin logsumexp max mean min prod std sum var norm median".split()


def build(name):
    """Return a network of rows of 8 numbers that applies an operation between two Dense layers."""
    import keras

    L, ops = keras.layers, keras.ops
    keras.utils.set_random_seed(0)
    start = keras.Input((8,))
    # In (0, 1), where every function is defined and smooth.
    a = L.Dense(8, activation="sigmoid", name="a")(start)
    b = L.Dense(8, activation="sigmoid", name="b")(start)
    if name in UNARY:
        given = {"arccosh": a + 1.5, "threshold": a}.get(name, a)
        more = (0.2, 0.0) if name == "threshold" else ()
        x = getattr(ops, name)(given, *more)
    elif name in BINARY:
        x = getattr(ops, name)(a, b)
    elif name in COMPARISONS:
        x = ops.where(getattr(ops, name)(ops.round(a), ops.round(b)), a, b)
    elif name in REDUCTIONS:
        x = getattr(ops, name)(a, axis=-1, keepdims=True)
    else:
        x = OTHERS[name](ops, a, b)
    if len(x.shape) != 2:
        x = L.Flatten()(x)
    return keras.Model(start, L.Dense(2, name="last")(x))


OTHERS = {
    "x + y": lambda ops, a, b: a + b,
    "x - y": lambda ops, a, b: a - b,
    "x * y": lambda ops, a, b: a * b,
    "x / y": lambda ops, a, b: a / b,
    "x ** 2": lambda ops, a, b: a**2,
    "-x": lambda ops, a, b: -a,
    "x * 2": lambda ops, a, b: a * 2.0,
    "2 * x": lambda ops, a, b: 2.0 * a,
    "1 - x": lambda ops, a, b: 1.0 - a,
    "1 / x": lambda ops, a, b: 1.0 / (a + 1.0),
    "x + array": lambda ops, a, b: a + np.arange(8, dtype="float32"),
    "x @ y": lambda ops, a, b: ops.reshape(a, (-1, 2, 4)) @ ops.reshape(b, (-1, 4, 2)),
    "x[:, :4]": lambda ops, a, b: a[:, :4],
    "x[:, ::2]": lambda ops, a, b: a[:, ::2],
    "x[..., 3:]": lambda ops, a, b: a[..., 3:],
    "x[:, None]": lambda ops, a, b: a[:, None],
    "argmax": lambda ops, a, b: ops.cast(ops.argmax(a, axis=-1, keepdims=True), "float32"),
    "argsort": lambda ops, a, b: ops.cast(ops.argsort(a), "float32"),
    "average": lambda ops, a, b: ops.average(a, axis=-1)[:, None],
    "cast": lambda ops, a, b: ops.cast(ops.cast(a * 4, "int32"), "float32"),
    "clip": lambda ops, a, b: ops.clip(a, 0.3, 0.6),
    "concatenate": lambda ops, a, b: ops.concatenate([a, b], axis=-1),
    "diff": lambda ops, a, b: ops.diff(a),
    "einsum": lambda ops, a, b: ops.einsum("bi,bj->bij", a, b),
    "expand_dims": lambda ops, a, b: ops.expand_dims(a, 1),
    "matmul": lambda ops, a, b: ops.matmul(ops.reshape(a, (-1, 4, 2)), ops.reshape(b, (-1, 2, 4))),
    "moveaxis": lambda ops, a, b: ops.moveaxis(ops.reshape(a, (-1, 2, 4)), 1, 2),
    "one_hot": lambda ops, a, b: ops.one_hot(ops.cast(a * 4, "int32"), 4),
    "pad": lambda ops, a, b: ops.pad(a, ((0, 0), (1, 1))),
    "repeat": lambda ops, a, b: ops.repeat(a, 2, axis=-1),
    "reshape": lambda ops, a, b: ops.reshape(a, (-1, 2, 4)),
    "roll": lambda ops, a, b: ops.roll(a, 2, axis=-1),
    "split": lambda ops, a, b: ops.split(a, 2, axis=-1)[1],
    "squeeze": lambda ops, a, b: ops.squeeze(ops.reshape(a, (-1, 1, 8)), axis=1),
    "stack": lambda ops, a, b: ops.stack([a, b], axis=1),
    "swapaxes": lambda ops, a, b: ops.swapaxes(ops.reshape(a, (-1, 2, 4)), 1, 2),
    "take": lambda ops, a, b: ops.take(a, [0, 3, 5], axis=-1),
    "take_along_axis": lambda ops, a, b: ops.take_along_axis(a, ops.argsort(b), axis=-1),
    "tensordot": lambda ops, a, b: ops.tensordot(a, np.ones((8, 3), "float32"), axes=[[1], [0]]),
    "tile": lambda ops, a, b: ops.tile(a, (1, 2)),
    "top_k": lambda ops, a, b: ops.top_k(a, 3)[0],
    "transpose": lambda ops, a, b: ops.transpose(ops.reshape(a, (-1, 2, 4)), (0, 2, 1)),
    "unstack": lambda ops, a, b: ops.concatenate(
        ops.unstack(ops.reshape(a, (-1, 2, 4)), axis=1), axis=-1
    ),
    "where": lambda ops, a, b: ops.where(a > 0.5, a, b),
    "logical_and": lambda ops, a, b: ops.where(ops.logical_and(a > 0.4, b > 0.4), a, b),
    "moments": lambda ops, a, b: ops.concatenate(ops.moments(a, axes=[1], keepdims=True), axis=-1),
    "layer_normalization": lambda ops, a, b: ops.layer_normalization(a),
    "average_pool": lambda ops, a, b: ops.average_pool(ops.reshape(a, (-1, 4, 2)), 2),
    "max_pool": lambda ops, a, b: ops.max_pool(ops.reshape(a, (-1, 4, 2)), 2),
    "conv": lambda ops, a, b: ops.conv(ops.reshape(a, (-1, 4, 2)), np.ones((2, 2, 3), "float32")),
    "depthwise_conv": lambda ops, a, b: ops.depthwise_conv(
        ops.reshape(a, (-1, 4, 2)), np.ones((2, 2, 1), "float32")
    ),
    "image.resize": lambda ops, a, b: ops.image.resize(ops.reshape(a, (-1, 2, 2, 2)), (4, 4)),
    "softmax of axis 1": lambda ops, a, b: ops.softmax(ops.reshape(a, (-1, 2, 4)), axis=1),
}
NAMES = (*UNARY, *BINARY, *COMPARISONS, *REDUCTIONS, *OTHERS)
