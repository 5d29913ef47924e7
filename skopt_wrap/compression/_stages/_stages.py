"""The stages of this package.

To add one, write its class in a file of this folder and name the class here.
"""

from __future__ import annotations

from .._stage import CompressionStage
from ._clustering import Cluster
from ._distillation import Distil
from ._factorization import Factorize
from ._float_file import Convert
from ._pruning import Prune
from ._quantization import Quantize

STAGES: tuple[type[CompressionStage], ...] = (
    Convert,
    Factorize,
    Distil,
    Prune,
    Cluster,
    Quantize,
)
