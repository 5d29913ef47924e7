"""Every built-in layer of Keras 3: whether Keras 2 has it, and whether it converts to a file.

Each layer is built in a small network, rebuilt in Keras 2 by the bridge, and compared on random
rows. A layer that Keras 2 has goes through TFMOT; another one is left as it is by stages that need
TFMOT, or worked on in Keras 3 itself, and converts to a file all the same.

    python benchmarks/bridge.py [--save]
"""

from __future__ import annotations

import argparse
import inspect
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np

from skopt_wrap._keras import copy_network
from skopt_wrap.compression import compress
from skopt_wrap.compression._conversion._tf_keras import check_copy, to_tf_keras
from skopt_wrap.exceptions import SkoptWrapError

L = keras.layers
TABLE = Path(__file__).resolve().parents[1] / "docs" / "_tables" / "bridge.txt"

# Shape of a row -> layers that take it, with the arguments that they need.
VECTOR: dict[str, dict[str, Any]] = {
    "Dense": {"units": 3},
    "Activation": {"activation": "tanh"},
    "ActivityRegularization": {},
    "AlphaDropout": {"rate": 0.1},
    "BatchNormalization": {},
    "Discretization": {"bin_boundaries": [0.0, 1.0]},
    "Dropout": {"rate": 0.1},
    "ELU": {},
    "EinsumDense": {"equation": "ab,bc->ac", "output_shape": 3},
    "Flatten": {},
    "GaussianDropout": {"rate": 0.1},
    "GaussianNoise": {"stddev": 0.1},
    "GroupNormalization": {"groups": 2},
    "Identity": {},
    "LayerNormalization": {},
    "LeakyReLU": {},
    "Normalization": {"mean": 0.5, "variance": 2.0},
    "PReLU": {},
    "RMSNormalization": {},
    "ReLU": {},
    "RepeatVector": {"n": 2},
    "Rescaling": {"scale": 0.5},
    "Reshape": {"target_shape": (2, 4)},
    "Softmax": {},
    "UnitNormalization": {},
    "SpectralNormalization": {"layer": lambda: L.Dense(3)},
    "Lambda": {"function": lambda: lambda x: x + 1},
    "ReversibleEmbedding": {"input_dim": 9, "output_dim": 4},
}
SEQUENCE: dict[str, dict[str, Any]] = {
    "Conv1D": {"filters": 3, "kernel_size": 2},
    "Conv1DTranspose": {"filters": 3, "kernel_size": 2},
    "DepthwiseConv1D": {"kernel_size": 2},
    "SeparableConv1D": {"filters": 3, "kernel_size": 2},
    "AveragePooling1D": {"pool_size": 2},
    "MaxPooling1D": {},
    "GlobalAveragePooling1D": {},
    "GlobalMaxPooling1D": {},
    "AdaptiveAveragePooling1D": {"output_size": 2},
    "AdaptiveMaxPooling1D": {"output_size": 2},
    "Cropping1D": {},
    "ZeroPadding1D": {},
    "UpSampling1D": {},
    "SpatialDropout1D": {"rate": 0.1},
    "Permute": {"dims": (2, 1)},
    "Masking": {},
    "LSTM": {"units": 3},
    "GRU": {"units": 3},
    "SimpleRNN": {"units": 3},
    "RNN": {"cell": lambda: L.LSTMCell(3)},
    "Bidirectional": {"layer": lambda: L.LSTM(3)},
    "TimeDistributed": {"layer": lambda: L.Dense(3)},
}
IMAGE: dict[str, dict[str, Any]] = {
    "Conv2D": {"filters": 3, "kernel_size": 2},
    "Conv2DTranspose": {"filters": 3, "kernel_size": 2},
    "DepthwiseConv2D": {"kernel_size": 2},
    "SeparableConv2D": {"filters": 3, "kernel_size": 2},
    "AveragePooling2D": {"pool_size": 2},
    "MaxPooling2D": {},
    "GlobalAveragePooling2D": {},
    "GlobalMaxPooling2D": {},
    "AdaptiveAveragePooling2D": {"output_size": 2},
    "AdaptiveMaxPooling2D": {"output_size": 2},
    "Cropping2D": {},
    "ZeroPadding2D": {},
    "UpSampling2D": {},
    "SpatialDropout2D": {"rate": 0.1},
    "Resizing": {"height": 4, "width": 4},
    "CenterCrop": {"height": 4, "width": 4},
    "RandomFlip": {},
    "RandomRotation": {"factor": 0.1},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1},
    "RandomZoom": {"height_factor": 0.1},
    "RandomCrop": {"height": 4, "width": 4},
    "RandomContrast": {"factor": 0.1},
    "RandomBrightness": {"factor": 0.1},
    "ConvLSTM1D": {"filters": 2, "kernel_size": 2},
}
VOLUME: dict[str, dict[str, Any]] = {
    "Conv3D": {"filters": 3, "kernel_size": 2},
    "Conv3DTranspose": {"filters": 3, "kernel_size": 2},
    "AveragePooling3D": {"pool_size": 2},
    "MaxPooling3D": {},
    "GlobalAveragePooling3D": {},
    "GlobalMaxPooling3D": {},
    "Cropping3D": {},
    "ZeroPadding3D": {},
    "UpSampling3D": {},
    "SpatialDropout3D": {"rate": 0.1},
    "ConvLSTM2D": {"filters": 2, "kernel_size": 2},
}
_NOT_MEASURED = (
    "Not measured: base classes, cells, aliases, and preprocessing of texts, sounds and boxes."
)
MERGES = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")
ATTENTION: dict[str, dict[str, Any]] = {
    "Attention": {},
    "AdditiveAttention": {},
    "MultiHeadAttention": {"num_heads": 2, "key_dim": 3},
    "GroupedQueryAttention": {"head_dim": 3, "num_query_heads": 2, "num_key_value_heads": 1},
}
SHAPES = ((VECTOR, (8,)), (SEQUENCE, (6, 4)), (IMAGE, (6, 6, 2)), (VOLUME, (4, 4, 4, 2)))


def networks() -> dict[str, Callable[[], keras.Model]]:
    """Return a builder for every layer that has one."""
    made: dict[str, Callable[[], keras.Model]] = {}

    def one(name: str, shape: tuple[int, ...], options: dict[str, Any]) -> keras.Model:
        given = {k: v() if inspect.isfunction(v) else v for k, v in options.items()}
        dtype = "int32" if "Embedding" in name else "float32"
        start = keras.Input(shape, dtype=dtype)
        return keras.Model(start, getattr(L, name)(**given)(start))

    def merged(name: str) -> keras.Model:
        start = keras.Input((8,))
        return keras.Model(start, getattr(L, name)()([L.Dense(3)(start), L.Dense(3)(start)]))

    def attending(name: str, options: dict[str, Any]) -> keras.Model:
        start = keras.Input((6, 4))
        layer = getattr(L, name)(**options)
        call = [[start, start]] if name in ("Attention", "AdditiveAttention") else [start, start]
        return keras.Model(start, layer(*call))

    for table, shape in SHAPES:
        for name, options in table.items():
            made[name] = lambda n=name, s=shape, o=options: one(n, s, o)
    made["Embedding"] = lambda: one("Embedding", (6,), {"input_dim": 9, "output_dim": 4})
    for name in MERGES:
        made[name] = lambda n=name: merged(n)
    for name, options in ATTENTION.items():
        made[name] = lambda n=name, o=options: attending(n, o)
    return made


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:70]


def measure(build: Callable[[], keras.Model]) -> str:
    """Return what becomes of one layer."""
    keras.utils.set_random_seed(0)
    try:
        model = build()
    except Exception as error:
        return f"not built: {first_line(error)}"
    rng = np.random.default_rng(0)
    start = model.inputs[0]
    x = rng.integers(0, 9, (16, *start.shape[1:])) if "int" in start.dtype else rng.normal(
        size=(16, *start.shape[1:]))  # fmt: skip
    x = x.astype(start.dtype)
    expected = np.asarray(model(x, training=False), dtype=float)
    try:
        copied, layers = to_tf_keras(model)
        check_copy(model, copied, layers, x)
        found = np.asarray(copied(x, training=False), dtype=float)
        road = f"Keras 2 {np.abs(found - expected).max():.1e}"
    except SkoptWrapError:
        try:
            found = np.asarray(copy_network(model)(x, training=False), dtype=float)
            road = f"native  {np.abs(found - expected).max():.1e}"
        except SkoptWrapError as error:
            road = f"refused ({first_line(error)})"
    try:
        file = compress(model, x, quantization=None, random_state=0)
        file_text = f"file    {np.abs(file.predict(x) - expected).max():.1e}"
    except (SkoptWrapError, ValueError) as error:
        file_text = f"no file ({first_line(error)})"
    return f"{road:<26} {file_text}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", action="store_true", help="write the table into docs/_tables")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    made = networks()
    lines = [
        "Every layer of keras.layers: what a stage trains (a copy in Keras 2, or one in Keras",
        "3 itself: native) and the float32 file, each with its largest difference to the layer, on",
        "random rows.",
        "",
    ]
    for name, item in sorted(vars(L).items()):
        if not inspect.isclass(item) or not issubclass(item, keras.Layer):
            continue
        if name not in made:
            continue
        lines.append(f"{name:<26} {measure(made[name])}")
        print(lines[-1], flush=True)
    lines += ["", _NOT_MEASURED]
    if options.save:
        TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
