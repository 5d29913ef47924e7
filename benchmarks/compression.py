"""What compression costs and saves: sizes, scores and latencies beside what others offer.

Three tables, medians over seeds, everything of one table in one run: chains of stages (size
relative to the float32 file, plain and after gzip, and points of accuracy lost on held-out rows);
other tools on the same networks; latency of one row and of 256 rows beside ``keras.Model.predict``,
a compiled ``tf.function`` and the raw interpreter.

    python benchmarks/compression.py [--seeds 5] [--table chains|peers|latency] [--save]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits, make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from skopt_wrap import CompressedModel, Distillation, KerasClassifier
from skopt_wrap.compression import LiteRTModel, Pruning
from skopt_wrap.exceptions import ParameterError

EPOCHS = 20
TABLES = Path(__file__).resolve().parents[1] / "docs" / "_tables"
L = keras.layers

# A further chain is a further line.
CHAINS: dict[str, dict[str, Any]] = {
    "float16": {"quantization": "float16"},
    "dynamic": {"quantization": "dynamic"},
    "int8": {"quantization": "int8"},
    "int4": {"quantization": "int4"},
    "svd -60 %, int8": {"factorization": "svd"},
    "student of half the width, int8": {"distillation": Distillation(0.5, epochs=EPOCHS)},
    "half the units removed, int8": {"pruning": Pruning(0.5, structured=True)},
    "80 % pruned, int8": {"pruning": 0.8},
    "16 clusters, int8": {"clustering": 16},
    "80 % pruned, 16 clusters, int8": {"pruning": 0.8, "clustering": 16},
    "the same, quantization-aware": {
        "pruning": 0.8,
        "clustering": 16,
        "quantization_aware": True,
    },
}


def cnn() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, padding="same", activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(32, 3, padding="same", activation="relu"),
            L.Flatten(),
            L.Dense(64, "relu"),
            L.Dense(10),
        ]
    )


def mlp() -> keras.Model:
    return keras.Sequential(
        [keras.Input((40,)), L.Dense(256, "relu"), L.Dense(256, "relu"), L.Dense(8)]
    )


def lstm() -> keras.Model:
    return keras.Sequential([keras.Input((8, 8)), L.LSTM(32), L.Dense(10)])


def problem(name: str, seed: int) -> tuple[Callable[[], keras.Model], list[np.ndarray]]:
    """Return a builder, and training and held-out rows."""
    if name == "mlp, synthetic":
        X, y = make_classification(
            4000, 40, n_informative=12, n_classes=8, n_clusters_per_class=2, random_state=seed
        )
        build = mlp
    else:
        X, y = load_digits(return_X_y=True)
        X = X / 16
        build = cnn if name == "cnn, digits" else lstm
    X = X.astype("float32").reshape(-1, *build().input_shape[1:])
    return build, train_test_split(X, y, test_size=0.3, stratify=y, random_state=seed)


PROBLEMS = ("cnn, digits", "mlp, synthetic", "lstm, digits")


def trained(name: str, seed: int) -> tuple[KerasClassifier, list[np.ndarray]]:
    build, rows = problem(name, seed)
    network = KerasClassifier(build, epochs=EPOCHS, random_state=seed)
    return network.fit(rows[0], rows[2]), rows


def median(values: list[float], form: str) -> str:
    low, high = min(values), max(values)
    spread = "" if len(values) == 1 else f" [{low:{form}}, {high:{form}}]"
    return f"{statistics.median(values):{form}}{spread}"


def chains(seeds: int) -> str:
    """Return the table of chains of stages."""
    lines = [
        "Size relative to the float32 file, plain and after gzip; points of accuracy lost on",
        f"held-out rows; medians [range] of {seeds} seeds. {EPOCHS} epochs of training, as many of",
        "tuning for each stage that trains.",
    ]
    for name in PROBLEMS:
        measured: dict[str, list[tuple[float, float, float]]] = {}
        reasons: dict[str, str] = {}
        sizes = []
        for seed in range(seeds):
            network, (X, X_val, y, y_val) = trained(name, seed)
            for chain, params in CHAINS.items():
                if chain in reasons:
                    continue
                model = CompressedModel(
                    FrozenEstimator(network), fine_tune_epochs=EPOCHS, random_state=seed, **params
                )
                try:
                    model.fit(X, y, X_val=X_val, y_val=y_val)
                except (ParameterError, RuntimeError, ValueError) as error:
                    reasons[chain] = str(error).splitlines()[0][:90]
                    continue
                table = model.report_.to_dict()
                measured.setdefault(chain, []).append(
                    (
                        table["bytes"][-1] / table["bytes"][1],
                        table["gzip_bytes"][-1] / table["gzip_bytes"][1],
                        100 * (table["score"][0] - table["score"][-1]),
                    )
                )
                sizes.append((table["parameters"][0], table["bytes"][1]))
        parameters, size = sizes[0]
        lines += ["", f"{name}: {parameters:,} parameters, float32 file {size:,} bytes"]
        for chain in CHAINS:
            if chain in reasons:
                lines.append(f"  {chain:<32} not run: {reasons[chain]}")
                continue
            plain, packed, lost = zip(*measured[chain], strict=True)
            lines.append(
                f"  {chain:<32} size {statistics.median(plain):.3f}x   gzip "
                f"{statistics.median(packed):.3f}x   lost {median(list(lost), '.2f')}"
            )
    return "\n".join(lines)


_TFMOT = """
import sys, os
os.environ.update(TF_USE_LEGACY_KERAS="1", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
import numpy as np, tensorflow as tf, tf_keras, tensorflow_model_optimization as tfmot
data = np.load(sys.argv[1], allow_pickle=True)
L = tf_keras.layers
tf_keras.utils.set_random_seed(int(data["seed"]))
if str(data["name"]).startswith("cnn"):
    layers = [tf_keras.Input((8, 8, 1)), L.Conv2D(16, 3, padding="same", activation="relu"),
              L.MaxPooling2D(), L.Conv2D(32, 3, padding="same", activation="relu"), L.Flatten(),
              L.Dense(64, "relu"), L.Dense(10)]
else:
    layers = [tf_keras.Input((40,)), L.Dense(256, "relu"), L.Dense(256, "relu"), L.Dense(8)]
model = tf_keras.Sequential(layers)
model.set_weights(list(data["weights"]))
X, y = data["X"], data["y"]

def convert(net):
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([row[None]] for row in X[:256])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return np.frombuffer(converter.convert(), dtype=np.uint8)

out = {"int8": convert(model)}  # first: pruning trains the same layers
prune = tfmot.sparsity.keras
steps = 10 * (len(X) // 32 + 1)
schedule = prune.PolynomialDecay(0.0, 0.8, 0, 3 * steps // 4, frequency=max(1, steps // 50))
pruned = prune.prune_low_magnitude(model, pruning_schedule=schedule)
loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
pruned.compile(tf_keras.optimizers.Adam(1e-3), loss)
pruned.fit(X, y, epochs=10, verbose=0, callbacks=[prune.UpdatePruningStep()])
out["80 % pruned, int8"] = convert(prune.strip_pruning(pruned))
np.savez(sys.argv[2], **{k: v for k, v in out.items()})
"""


def _tfmot(name: str, network: KerasClassifier, X: np.ndarray, y: np.ndarray, seed: int) -> Any:
    weights = np.empty(len(network.model_.weights), dtype=object)
    weights[:] = [np.asarray(w) for w in network.model_.get_weights()]
    with tempfile.TemporaryDirectory() as folder:
        source, answer = Path(folder, "in.npz"), Path(folder, "out.npz")
        np.savez(source, name=name, seed=seed, weights=weights, X=X, y=y)
        subprocess.run(
            [sys.executable, "-c", _TFMOT, str(source), str(answer)],
            check=True,
            capture_output=True,
        )
        with np.load(answer) as files:
            return {f"TFMOT on tf_keras, {key}": files[key].tobytes() for key in files}


def _converter(model: keras.Model, X: np.ndarray, mode: str | None) -> bytes:
    """Return what the converter makes of a Keras 3 network by the documented way."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if mode is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode == "int8":
        converter.representative_dataset = lambda: ([row[None]] for row in X[:256])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return bytes(converter.convert())


def _quantizer(content: bytes, kind: str, X: np.ndarray) -> bytes:
    from ai_edge_quantizer import quantizer, recipe

    tool = quantizer.Quantizer(bytearray(content), getattr(recipe, kind)())
    found = None
    if kind.startswith("static"):
        runner = tf.lite.Interpreter(model_content=content).get_signature_runner()
        (key,) = runner.get_input_details()
        found = tool.calibrate({"serving_default": [{key: row[None]} for row in X[:256]]})
    return bytes(tool.quantize(found, enable_progress_report=False).quantized_model)


def _accuracy(raw: np.ndarray, y: np.ndarray) -> float:
    return 100 * float((raw.argmax(axis=1) == y).mean())


def peers(seeds: int) -> str:
    """Return the table of other tools."""
    lines = [
        "Bytes of the file, relative to the converter's float32 file; points of accuracy lost;",
        f"microseconds for one row and for 256 rows. Medians of {seeds} seeds.",
    ]
    for name in PROBLEMS[:2]:
        found: dict[str, list[tuple[float, float, float, float]]] = {}
        for seed in range(seeds):
            network, (X, X_val, y, y_val) = trained(name, seed)
            model = network.model_
            base = _accuracy(model.predict(X_val, verbose=0), y_val)
            plain = _converter(model, X, None)
            files = {
                "converter, float32": plain,
                "converter, dynamic": _converter(model, X, "dynamic"),
                "converter, int8": _converter(model, X, "int8"),
                "ai-edge-quantizer, dynamic int8": _quantizer(plain, "dynamic_wi8_afp32", X),
                "ai-edge-quantizer, static int8": _quantizer(plain, "static_wi8_ai8", X),
                **_tfmot(name, network, X, y, seed),
            }
            for label, params in (
                ("CompressedModel, float32", {"quantization": None}),
                ("CompressedModel, dynamic", {"quantization": "dynamic"}),
                ("CompressedModel, int8", {}),
                ("CompressedModel, int4", {"quantization": "int4"}),
                ("CompressedModel, 80 % pruned, int8", {"pruning": 0.8}),
            ):
                mine = CompressedModel(FrozenEstimator(network), random_state=seed, **params)
                files[label] = mine.fit(X, y).tflite_model_
            for label, content in files.items():
                run = LiteRTModel(content)
                found.setdefault(label, []).append(
                    (
                        len(content) / len(plain),
                        base - _accuracy(run(X_val), y_val),
                        1e6 * seconds(lambda run=run, x=X[:1]: run(x)),
                        1e6 * seconds(lambda run=run, x=X[:256]: run(x)),
                    )
                )
            own = keras.models.clone_model(model)
            own.set_weights(model.get_weights())
            own.quantize("int8")
            size = sum(np.asarray(weight).nbytes for weight in own.weights)
            call = tf.function(lambda x, own=own: own(x, training=False))
            found.setdefault('Keras quantize("int8"), tf.function', []).append(
                (
                    size / len(plain),
                    base - _accuracy(own.predict(X_val, verbose=0), y_val),
                    1e6 * seconds(lambda call=call, x=X[:1]: call(x).numpy()),
                    1e6 * seconds(lambda call=call, x=X[:256]: call(x).numpy()),
                )
            )
        lines += ["", name]
        for label, values in found.items():
            size, lost, one, many = (statistics.median(v) for v in zip(*values, strict=True))
            lines.append(
                f"  {label:<38} {size:.3f}x   lost {lost:5.2f}   1 row {one:7.1f}   "
                f"256 rows {many:8.1f}"
            )
    return "\n".join(lines)


def seconds(function: Callable[[], Any], budget: float = 0.3) -> float:
    """Return the median time of a call."""
    for _ in range(3):
        function()
    times: list[float] = []
    stop = time.perf_counter() + budget
    while len(times) < 7 or time.perf_counter() < stop:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _calls(network: KerasClassifier, small: CompressedModel, x: np.ndarray) -> dict[str, Any]:
    """Return the calls whose latency is compared."""
    from ai_edge_litert.interpreter import Interpreter

    model = network.model_
    compiled = tf.function(lambda x: model(x, training=False))
    raw = Interpreter(model_content=small.tflite_model_, num_threads=1)
    source, target = (
        details[0]["index"] for details in (raw.get_input_details(), raw.get_output_details())
    )
    raw.resize_tensor_input(source, x.shape)
    raw.allocate_tensors()

    def bare() -> np.ndarray:
        raw.set_tensor(source, x)
        raw.invoke()
        return raw.get_tensor(target)

    return {
        "keras.Model.predict": lambda: model.predict(x, verbose=0),
        "tf.function": lambda: compiled(x).numpy(),
        "KerasClassifier.predict": lambda: network.predict(x),
        "raw interpreter": bare,
        "LiteRTModel": lambda: small.runtime_(x),
        "CompressedModel.predict": lambda: small.predict(x),
        "CompressedModel.predict_proba": lambda: small.predict_proba(x),
    }


def latency(seeds: int) -> str:
    """Return the table of latencies."""
    lines = [
        "Microseconds of one call with a NumPy array, int8 file, one thread, medians of",
        f"{seeds} rounds that measure everything in turn; and the median ratio to the raw",
        "interpreter (set_tensor, invoke, get_tensor).",
    ]
    for name in PROBLEMS:
        network, (X, _, y, _) = trained(name, 0)
        small = CompressedModel(FrozenEstimator(network), random_state=0).fit(X, y)
        lines += ["", name]
        for rows in (1, 256):
            calls = _calls(network, small, np.ascontiguousarray(X[:rows]))
            rounds = [{label: seconds(call) for label, call in calls.items()} for _ in range(seeds)]
            for label in calls:
                ratio = statistics.median(r[label] / r["raw interpreter"] for r in rounds)
                took = 1e6 * statistics.median(r[label] for r in rounds)
                lines.append(f"  {rows:>3} rows  {label:<30} {took:10.1f}   {ratio:8.2f}x")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--table", choices=["chains", "peers", "latency"], action="append")
    parser.add_argument("--save", action="store_true", help="write the tables into docs/_tables")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in options.table or ["chains", "peers", "latency"]:
        text = globals()[name](options.seeds)
        print(text + "\n", flush=True)
        if options.save:
            (TABLES / f"compression_{name}.txt").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
