"""What a search says at its end: an error when nothing succeeded, warnings about what was lost."""

from __future__ import annotations

import warnings
from typing import Any

from ...exceptions import SearchError, SkippedWarning, TrainingInterruptedWarning
from .._trial import FAILED


def report(search: Any) -> None:
    """Raise when nothing succeeded; warn when something was lost."""
    n_failed = len(search.errors)
    if search.best is None:
        if search.storage_error is not None:
            raise search.storage_error
        if not search.errors:
            if search.stopped is not None and not search.results:
                raise SearchError(
                    f"{search.stopped} before a trial had finished. Give it more time, or make "
                    "trials shorter: fewer epochs, fewer splits, less data. With "
                    "trial_timeout=... a trial that hangs fails alone."
                )
            every = f"all {len(search.results)} trials were pruned."
            raise SearchError(every if search.results else "the strategy proposed no trial.")
        first = search.errors[min(search.errors)]
        first.add_note(f"All {n_failed} trials of the search failed; this is the first error.")
        raise first
    if search.stopped is not None:
        warnings.warn(
            f"The search stopped after {len(search.results)} trials, since {search.stopped}; "
            "the finished trials are kept.",
            TrainingInterruptedWarning,
            stacklevel=3,
        )
    if n_failed:
        first_failed = next(r for r in search.results if r.state == FAILED)
        warnings.warn(
            f"{n_failed} of {len(search.results)} trials failed; see trials_[i].traceback. "
            f"The first was trial {first_failed.number}, {first_failed.error}",
            SkippedWarning,
            stacklevel=3,
        )
