"""Compressed networks that stay scikit-learn estimators, run by LiteRT."""

from ._compress import CompressionResult, compress
from ._compressed_model import CompressedModel
from ._display import CompressionDisplay
from ._litert._runtime import LiteRTModel
from ._onnx._export import export_onnx
from ._report import CompressionReport, StageRow
from ._search import CompressionSearch
from ._specs import Clustering, Pruning, Quantization
from ._stage import CompressionStage, StageContext, StageResult

__all__ = [
    "Clustering",
    "CompressedModel",
    "CompressionDisplay",
    "CompressionReport",
    "CompressionResult",
    "CompressionSearch",
    "CompressionStage",
    "LiteRTModel",
    "Pruning",
    "Quantization",
    "StageContext",
    "StageResult",
    "StageRow",
    "compress",
    "export_onnx",
]
