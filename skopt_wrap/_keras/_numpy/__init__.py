"""Small networks computed by NumPy."""

from ._network import NoTwinError, NumpyNetwork
from ._predict import predict_rows

__all__ = ["NoTwinError", "NumpyNetwork", "predict_rows"]
