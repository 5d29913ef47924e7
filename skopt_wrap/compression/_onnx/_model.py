"""What runs the network while an ONNX file is made and checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._keras import predict_raw

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(string)": "str",
}


class KerasCore:
    """A Keras network as a file is: the truth that an ONNX file is compared with.

    Parameters
    ----------
    model : keras.Model
        With one input and one output.
    rows : ndarray of shape (n_rows, ...)
        As the network takes them.
    """

    scales: dict[str, Any] = {}  # noqa: RUF012
    dynamic_batch = True

    def __init__(self, model: Any, rows: np.ndarray) -> None:
        self.model = model
        self.input_dtype = rows.dtype
        self.input_shape = tuple(rows.shape[1:])
        self.output_shape = tuple(self(rows[:1]).shape[1:])

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return the outputs of the network."""
        return predict_raw(self.model, np.asarray(rows, dtype=self.input_dtype))


class OnnxModel:
    """An ONNX file, run by ONNX Runtime on one thread.

    Parameters
    ----------
    content : bytes
        The file.
    """

    scales: dict[str, Any] = {}  # noqa: RUF012
    dynamic_batch = True

    def __init__(self, content: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.content = content
        self.session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        source = self.session.get_inputs()[0]
        self.input_name, self.input_shape = source.name, tuple(source.shape[1:])
        self.input_dtype = np.dtype(_DTYPES[source.type])
        self.outputs = [
            (end.name, tuple(end.shape[1:]), np.dtype(_DTYPES[end.type]))
            for end in self.session.get_outputs()
        ]

    def __call__(self, rows: np.ndarray) -> Any:
        """Return the output for rows; a list when there are several outputs."""
        return self.run({self.input_name: np.asarray(rows).astype(self.input_dtype, copy=False)})

    def run(self, feed: dict[str, np.ndarray]) -> Any:
        """Return the output for the rows of each input, by name; a list when there are several."""
        found = self.session.run(None, feed)
        return found[0] if len(found) == 1 else found


def operators_of(content: bytes) -> list[str]:
    """Return the kinds of operations in an ONNX file, those inside its loops too."""
    import onnx

    return sorted({node.op_type for node in nodes_of(onnx.load_from_string(content).graph)})


def nodes_of(graph: Any) -> list[Any]:
    """Return the nodes of a graph, and those of its loops and branches."""
    found = []
    for node in graph.node:
        found.append(node)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                found += nodes_of(attribute.g)
    return found
