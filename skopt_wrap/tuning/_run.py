"""The ask-and-tell loop, its limits and its progress bar."""

from __future__ import annotations

import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tqdm.auto import tqdm

from ..exceptions import SearchError, SkippedWarning, TrainingInterruptedWarning
from ._oracles import OBJECTIVE, temporary_folder
from ._space import SearchSpace, resource_of
from ._trial import COMPLETED, FAILED, TimeIsUp, TrialResult, fail


class Interrupt:
    """Ctrl-C: the first one lets the running trial finish, the second one stops at once.

    Until a trial has finished, and outside the main thread, Ctrl-C does what it always does.
    Training that restores the best weights catches KeyboardInterrupt and returns; `check` raises
    it again, so that what was cut short is never scored.
    """

    def __init__(self, can_keep: Callable[[], bool]) -> None:
        self.requested = False
        self.at_once = False
        self._can_keep = can_keep

    def _handle(self, signum: int, frame: Any) -> None:
        if self.requested or not self._can_keep():
            self.at_once = True
        self.requested = True
        self.check()

    def check(self) -> None:
        """Raise KeyboardInterrupt when the running trial is to be dropped."""
        if self.at_once:
            raise KeyboardInterrupt

    @contextmanager
    def watch(self) -> Iterator[Interrupt]:
        """Catch Ctrl-C inside the block, unless the program has a handler of its own."""
        ours = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if ours:
            signal.signal(signal.SIGINT, self._handle)
        try:
            yield self
        finally:
            if ours:
                signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass
class Search:
    """One search.

    Attributes
    ----------
    oracle : keras_tuner.Oracle
        Proposes trials.
    space : SearchSpace
        Turns proposals into parameters.
    evaluate : callable
        ``evaluate(result, out_of_time)`` fills in a TrialResult and returns its first error.
    metric : callable
        Returns the name of the metric that is maximized, given a finished TrialResult.
    max_seconds : float or None
        No trial starts after this time, and the running one is dropped at the next split.
    progress : bool
        Whether to show a bar.
    n_trials : int or None
        Total of the bar.
    reraise : bool
        Whether an error of a trial ends the search.
    """

    oracle: Any
    space: SearchSpace
    evaluate: Callable[[TrialResult, Callable[[], bool]], Exception | None]
    metric: Callable[[TrialResult], str]
    max_seconds: float | None = None
    progress: bool = False
    n_trials: int | None = None
    reraise: bool = False
    results: list[TrialResult] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    best: float | None = None
    stopped: str | None = None

    def run(self) -> list[TrialResult]:
        """Run trials until the oracle, the time limit or Ctrl-C says stop.

        Returns
        -------
        results : list of TrialResult
            The finished trials, failed ones included; at least one is completed.

        Raises
        ------
        Exception
            The first error of a trial, when all have failed.
        KeyboardInterrupt
            When no trial had finished.
        """
        begin = time.monotonic()

        interrupt = Interrupt(self._has_best)

        def out_of_time() -> bool:  # asked after every split
            interrupt.check()
            spent = time.monotonic() - begin
            return self.max_seconds is not None and self._has_best() and spent >= self.max_seconds

        bar = tqdm(total=self.n_trials, unit="trial", disable=not self.progress)
        with temporary_folder(self.oracle), bar, interrupt.watch():
            try:
                while self._step(out_of_time):
                    bar.update()
                    if self.best is not None:
                        bar.set_postfix(best=f"{self.best:.4f}")
                    if interrupt.requested:
                        raise KeyboardInterrupt
                    if out_of_time():
                        raise TimeIsUp
            except TimeIsUp:
                self.stopped = f"max_time={self.max_seconds:g} s passed"
            except KeyboardInterrupt:
                if not self._has_best():
                    raise
                self.stopped = "it was interrupted"
        self._report()
        return self.results

    def _has_best(self) -> bool:
        return self.best is not None

    def _step(self, out_of_time: Callable[[], bool]) -> bool:
        """Run one trial; return False when the oracle has none left."""
        trial = self.oracle.create_trial("search")
        if trial.status != "RUNNING":
            return False
        result = TrialResult(len(self.results), {})
        error = self._attempt(trial, result, out_of_time)
        if error is None:
            score = result.mean(self.metric(result))
            if result.state == COMPLETED:
                self.best = score if self.best is None else max(self.best, score)
            elif hasattr(self.oracle, "set_reports"):
                metric = self.metric(result)
                reports = {epoch: means[metric] for epoch, means in result.reports.items()}
                self.oracle.set_reports(trial.trial_id, reports)
            if result.objectives and hasattr(self.oracle, "set_values"):
                self.oracle.set_values(trial.trial_id, list(result.objectives.values()))
            # The strategy learns from the partial score of a pruned trial as well.
            self.oracle.update_trial(trial.trial_id, {OBJECTIVE: score})
            trial.status = "COMPLETED"
        else:
            self.errors.append(error)
            trial.status = "FAILED"
        trial.message = result.error
        self.oracle.end_trial(trial)
        self.results.append(result)
        if error is not None and self.reraise:
            raise error
        return True

    def _attempt(
        self, trial: Any, result: TrialResult, out_of_time: Callable[[], bool]
    ) -> Exception | None:
        """Evaluate a trial; an error while its network declares itself fails it too."""
        values = trial.hyperparameters.values
        try:
            result.resource = resource_of(values)
            self.space.declare(trial.hyperparameters)
            result.params = self._params(values)
            return self.evaluate(result, out_of_time)
        except TimeIsUp:
            raise
        except Exception as error:
            result.params = result.params or self._params(values)
            fail(result, error, traceback.format_exc())
            return error

    def _params(self, values: dict[str, Any]) -> dict[str, Any]:
        params = self.space.decode(values)
        if "tuner/epochs" in values:  # Hyperband
            params["epochs"] = values["tuner/epochs"]
        return params

    def _report(self) -> None:
        """Raise when nothing succeeded; warn when something was lost."""
        n_failed = len(self.errors)
        if not self._has_best():
            if not self.errors:
                every = f"all {len(self.results)} trials were pruned."
                raise SearchError(every if self.results else "the strategy proposed no trial.")
            first = self.errors[0]
            first.add_note(f"All {n_failed} trials of the search failed; this is the first error.")
            raise first
        if self.stopped is not None:
            warnings.warn(
                f"The search stopped after {len(self.results)} trials, since {self.stopped}; "
                "the finished trials are kept.",
                TrainingInterruptedWarning,
                stacklevel=2,
            )
        if n_failed:
            first_failed = next(r for r in self.results if r.state == FAILED)
            warnings.warn(
                f"{n_failed} of {len(self.results)} trials failed; see trials_[i].traceback. "
                f"The first was trial {first_failed.number}, {first_failed.error}",
                SkippedWarning,
                stacklevel=2,
            )
