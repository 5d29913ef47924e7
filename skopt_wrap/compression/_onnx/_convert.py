"""Convert a network, with operations around it, to ONNX. In the conversion process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

from ...exceptions import ConversionError
from .._conversion._lowering import lower_plain
from .._delivery._operations import run
from .._serialization import from_payload
from ._model import nodes_of

# The newest version of ONNX's operations that tf2onnx writes in full.
OPSET = 17


def convert_to_onnx(
    network: dict[str, Any],
    shape: tuple[int, ...],
    dtype: str,
    front: tuple[list[Any], int] | None,
    end: tuple[list[Any], Any, tuple[int, ...]] | None,
    names: list[str],
) -> dict[str, bytes | None]:
    """Return the ONNX file of a network, and that of what stands in front of it alone.

    Parameters
    ----------
    network : dict
        Made by ``to_payload``.
    shape : tuple of int
        Of one row of the network.
    dtype : str
        Of the network's rows.
    front : tuple of (list, int) or None
        Operations, and the number of columns that the first of them reads.
    end : tuple of (list, Label or None, tuple of int) or None
        Operations, what makes labels of their result, and the shape of one row in front of them.
    names : list of str
        Names of the outputs.

    Raises
    ------
    ConversionError
        For an operation that ONNX lacks.
    """
    lowered = lower_plain(from_payload(network))
    before, width = front if front is not None else ([], 0)
    after, label, _ = end if end is not None else ([], None, ())

    def whole(row: Any) -> dict[str, Any]:
        found = run(after, tf, lowered.call(run(before, tf, row)))
        return dict(
            zip(names, [found] if label is None else [found, label(tf, found)], strict=True)
        )

    ends = ((width,), "float32") if front is not None else (shape, dtype)
    files: dict[str, bytes | None] = {"whole": _file(whole, *ends, names), "front": None}
    if front is not None:
        files["front"] = _file(lambda row: {"rows": run(before, tf, row)}, *ends, ["rows"])
    return files


def _file(
    function: Callable[[Any], Any], shape: tuple[int, ...], dtype: str, names: list[str]
) -> bytes:
    """Return the ONNX file of a function of rows, whose outputs have the order of `names`.

    Raises
    ------
    ConversionError
        For an operation that ONNX lacks.
    """
    signature = [tf.TensorSpec((None, *shape), dtype, name="row")]
    traced = tf.function(function, input_signature=signature, autograph=False)
    model, _ = tf2onnx.convert.from_function(
        traced,
        input_signature=signature,
        opset=OPSET,
        custom_op_handlers={"Erfc": (_erfc, [])},
    )
    lacking = sorted(
        {
            node.op_type
            for node in nodes_of(model.graph)
            if node.domain == "" and not onnx.defs.has(node.op_type, "")
        }
    )
    if lacking:
        raise ConversionError(
            f"the network computes with {lacking}, and ONNX has no such operation. Write a .tflite "
            "file, or replace the layers that use it."
        )
    ends = sorted(model.graph.output, key=lambda end: names.index(end.name))
    del model.graph.output[:]
    model.graph.output.extend(ends)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "rows"
    return bytes(model.SerializeToString())


def _erfc(context: Any, node: Any, name: str, _: Any) -> Any:
    """Write ``erfc(x)``, which exact GELU computes with, as ``1 - erf(x)``."""
    dtype, shape, output = context.get_dtype(node.output[0]), None, node.output[0]
    source = node.input[0]
    context.remove_node(name)
    one = context.make_const(name + "_one", np.array(1.0, dtype=np.float32))
    erf = context.make_node("Erf", [source], name=name + "_erf", dtypes=[dtype], shapes=[shape])
    return context.make_node(
        "Sub", [one.output[0], erf.output[0]], name=name, outputs=[output], dtypes=[dtype],
        shapes=[shape],
    )  # fmt: skip
