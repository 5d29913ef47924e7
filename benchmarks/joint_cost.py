"""What decides which networks of unequal widths are trained together.

Prints the seconds of a small operation in a traced graph, of a multiplication with its addition in
products of small matrices, and of a value that is read and written, each the least of several
rounds. ``skopt_wrap/training/_joint/_parts.py`` holds such numbers.

    python benchmarks/joint_cost.py
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf


def seconds(function: Callable[[Any, Any], Any], x: Any, y: Any, times: int) -> float:
    """Return how long a traced function takes that calls `function` several times in a row."""

    @tf.function(input_signature=[tf.TensorSpec(part.shape, part.dtype) for part in (x, y)])
    def repeat(x: Any, y: Any) -> Any:
        for _ in range(times):
            x = function(x, y)
        return x

    found = []
    for _ in range(10):
        began = time.perf_counter()
        repeat(x, y).numpy()
        found.append(time.perf_counter() - began)
    return min(found[1:])


if __name__ == "__main__":
    small, many = tf.ones((1, 8)), tf.ones((16, 8192))
    rows, kernels = tf.ones((16, 32, 64)), tf.fill((16, 64, 64), 1 / 64)
    with tf.experimental.function_executor_type("SINGLE_THREADED_EXECUTOR"):
        operation = seconds(lambda x, y: x * y, small, small, 200) / 200
        product = seconds(tf.matmul, rows, kernels, 10) / (10 * 16 * 32 * 64 * 64)
        value = seconds(lambda x, y: x * y, many, many, 20) / (20 * 16 * 8192)
    print(f"operation {operation:.1e} s, product {product:.1e} s, value {value:.1e} s")
