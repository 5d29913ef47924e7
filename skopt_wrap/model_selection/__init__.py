"""Cross-validation that trains the networks of all folds together.

`cross_validate`, `cross_val_score` and `cross_val_predict` take the place of scikit-learn's; the
names live here alone, so that ``from skopt_wrap import ...`` never hides scikit-learn's.
"""

from .._pipelines import last_step
from ._candidates import Candidate, evaluate_candidates
from ._deferred_fit import why_whole
from ._folds import Fold, FoldOptions, as_scores, evaluate_folds
from ._validation import CVResults, cross_val_predict, cross_val_score, cross_validate

__all__ = [
    "CVResults",
    "Candidate",
    "Fold",
    "FoldOptions",
    "as_scores",
    "cross_val_predict",
    "cross_val_score",
    "cross_validate",
    "evaluate_candidates",
    "evaluate_folds",
    "last_step",
    "why_whole",
]
