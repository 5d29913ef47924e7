"""Distillation: a small network learns from the outputs of a large one."""

from ._distill import DistillationResult, distill
from ._spec import Distillation

__all__ = ["Distillation", "DistillationResult", "distill"]
