"""Which operations TensorFlow Lite for Microcontrollers has."""

from __future__ import annotations

from typing import Any

# Of tflite::MicroMutableOpResolver, by their names in the format.
MICRO = frozenset(
    """
    ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND
    BROADCAST_ARGS BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION CONV_2D COS CUMSUM
    DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL
    EXP EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND GREATER
    GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG
    LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX MAXIMUM MAX_POOL_2D MEAN MINIMUM
    MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE READ_VARIABLE REDUCE_MAX
    RELU RELU6 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR ROUND RSQRT
    SELECT_V2 SHAPE SIN SLICE SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE
    SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE TRANSPOSE_CONV
    UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE
    """.split()
)


def operators(names: list[str]) -> list[dict[str, Any]]:
    """Return each operation once, with whether a microcontroller's library has it.

    Parameters
    ----------
    names : list of str
        Operations of a file.

    Examples
    --------
    >>> from skopt_wrap.compression._litert._micro import operators
    >>> operators(["FULLY_CONNECTED", "FULLY_CONNECTED", "POW"])
    [{'name': 'FULLY_CONNECTED', 'tflite_micro': True}, {'name': 'POW', 'tflite_micro': False}]
    """
    return [
        {"name": name, "tflite_micro": name in MICRO}
        for name in sorted(set(names))
        if name != "DELEGATE"
    ]
