"""Convert a chain of operations to a ``.tflite`` file. In the conversion process."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .._delivery._operations import Label, run
from ._strip import strip


def convert_programs(
    front: tuple[list[Any], int] | None,
    end: tuple[list[Any], Label | None, tuple[int, ...]] | None,
    batch: int | None,
) -> dict[str, bytes | None]:
    """Return the files of what stands in front of a network and behind it.

    Parameters
    ----------
    front : tuple of (list, int) or None
        Operations, and the number of columns that the first of them reads.
    end : tuple of (list, Label or None, tuple of int) or None
        Operations, what makes labels of their result, and the shape of one row in front of them.
    batch : int or None
        Rows of the files; None is any number.
    """
    files: dict[str, bytes | None] = {"front": None, "end": None}
    if front is not None:
        operations, width = front
        files["front"] = _file(lambda x: run(operations, tf, x), (batch, width))
    if end is not None:
        last, label, shape = end

        def answer(x: Any) -> Any:
            found = run(last, tf, x)
            if label is None:
                return found
            # A name fixes the order of the outputs.
            return {"output_0": found, "output_1": label(tf, found)}

        files["end"] = _file(answer, (batch, *shape))
    return files


def _file(function: Any, shape: tuple[int | None, ...]) -> bytes:
    spec = tf.TensorSpec(shape, tf.float32)
    concrete = tf.function(function, autograph=False).get_concrete_function(spec)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module())
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return strip(bytes(converter.convert()))
