"""The loop of a search: propose a trial, run it, learn from its score, until a limit is reached."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tqdm.auto import tqdm

from ...exceptions import SearchError, StorageError
from .._keras_tuner import temporary_folder
from .._space._search_space import SearchSpace, resource_of
from .._storage._stored_trial import check_values, outcome_of, restore
from .._storage._trial_log import Entry, TrialLog, plain
from .._strategies._protocol import OBJECTIVE
from .._strategies._pruners import Pruning
from .._strategies._resume import is_independent, register
from .._trial import COMPLETED, FAILED, TrialResult, fail
from ._callbacks import Tasks
from ._executors import Outcome, Serial, Workers
from ._interrupt import Interrupt
from ._limits import Limits, TimeIsUp
from ._report import report

_POLL_SECONDS = 0.2
_MOST_DEATHS = 2  # of processes in a trial, before it is run in a process of its own
INTERRUPTED, UNWANTED = "it was interrupted", "a callback asked for it"  # why a search stopped
_BAR = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_inv_fmt}{postfix}]"


@dataclass
class Proposal:
    """A trial that the strategy proposed, here or in another process."""

    trial: Any
    result: TrialResult
    state: str = "running"  # or "free", "finished"
    mine: bool = True
    told: bool = False


@dataclass
class Search:
    """One search.

    Trials have numbers, in the order in which they are proposed. With several workers the
    strategy hears of results in that order too, and trial ``k`` is proposed with the results of
    those before ``k - n_workers + 1``, however long each takes: the same seed and number of
    workers give the same trials.

    Attributes
    ----------
    oracle : keras_tuner.Oracle
        Proposes trials.
    space : SearchSpace
        Turns proposals into parameters.
    workers : Serial or Workers
        Runs them.
    metric : callable
        Returns the name of the metric that is maximized, given a finished TrialResult.
    trial_log : TrialLog
        Where the trials are written down.
    tasks : Tasks
        Tells scikit-learn's callbacks what runs.
    pruning : Pruning or None
        Stops trials that score too low; it learns of a trial when the oracle does.
    limits : Limits
        When its time is over no trial starts, and the running ones are dropped.
    n_splits, metrics : int, sequence of str or None
        Number of splits and names of the metrics, for the check of stored results.
    progress : bool
        Whether to show a bar.
    n_trials : int or None
        Total of the bar.
    reraise : bool
        Whether an error of a trial ends the search.
    """

    oracle: Any
    space: SearchSpace
    workers: Serial | Workers
    metric: Callable[[TrialResult], str]
    tasks: Tasks
    trial_log: TrialLog = field(default_factory=TrialLog)
    pruning: Pruning | None = None
    limits: Limits = field(default_factory=Limits)
    n_splits: int = 0
    metrics: Sequence[str] | None = None
    progress: bool = False
    n_trials: int | None = None
    reraise: bool = False
    proposals: list[Proposal] = field(default_factory=list)
    errors: dict[int, Exception] = field(default_factory=dict)
    best: float | None = None
    stopped: str | None = None
    storage_error: StorageError | None = None
    _exhausted: bool = False
    _unproposed: bool = False  # whether another process is about to propose a trial
    _waiting_for: int | None = None

    @property
    def results(self) -> list[TrialResult]:
        """The finished trials, by number."""
        return [item.result for item in self.proposals if item.state == "finished"]

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
        interrupt = Interrupt(self._has_best)

        def out_of_time() -> bool:  # asked after every epoch and every split
            interrupt.check()
            return self.limits.is_over()

        bar = tqdm(total=self.n_trials, unit="trial", disable=not self.progress, bar_format=_BAR)
        with (
            temporary_folder(self.oracle),
            bar,
            self.tasks,
            self.trial_log,
            self.workers,
            interrupt.watch(),
        ):
            try:
                self._sync()
                bar.initial = bar.n = len(self.results)  # for the time that is left
                self._loop(bar, interrupt, out_of_time)
            except TimeIsUp:
                self.stopped = f"max_time={self.limits.max_seconds:g} s passed"
                self.workers.stop()
            except KeyboardInterrupt:
                if not self._has_best():
                    raise
                self.stopped = INTERRUPTED
                self.workers.stop()
            except StorageError as error:
                self.storage_error = error
                self.trial_log.abandon()
                self.workers.stop()
            self._tell(len(self.proposals))
        report(self)
        return self.results

    def _loop(self, bar: Any, interrupt: Interrupt, out_of_time: Callable[[], bool]) -> None:
        while True:
            while self.workers.is_free and not (interrupt.requested or self.tasks.stop):
                if not self._start(out_of_time):
                    break
            if not self.workers.running:
                if interrupt.requested:
                    raise KeyboardInterrupt
                if self.tasks.stop:
                    self.stopped = UNWANTED
                    return
                if not self._others_run():
                    return
                time.sleep(_POLL_SECONDS)
            for outcome in self.workers.wait(_POLL_SECONDS):
                self._finish(outcome)
            self._sync()
            bar.n = len(self.results)
            if self.best is not None:
                bar.set_postfix(best=f"{self.best:.4f}", refresh=False)
            bar.refresh()
            if out_of_time():
                raise TimeIsUp

    def _has_best(self) -> bool:
        return self.best is not None

    def _others_run(self) -> bool:
        return self._unproposed or any(item.state != "finished" for item in self.proposals)

    # Proposals

    def _start(self, out_of_time: Callable[[], bool]) -> bool:
        """Start a trial that another process left, or a new one; False when there is none now."""
        for number, item in enumerate(self.proposals):
            if item.state != "free":
                continue
            deaths = self.trial_log.take(number)
            if deaths is not None:
                item.state, item.mine = "running", True
                isolated = deaths >= _MOST_DEATHS
                self._submit(item, None, out_of_time, isolated=isolated)
                return True
        number = len(self.proposals)
        if self._is_done(number) or not self._may_propose(number):
            return False
        number = self.trial_log.claim()
        self._sync()
        if self._is_done(number):
            self.trial_log.withdraw(number)
            return False
        trial = self._ask(number)
        if trial is None:
            self.trial_log.withdraw(number)
            return False
        item, error = self._declare(number, trial)
        pending = [n for n, earlier in enumerate(self.proposals[:-1]) if not earlier.told]
        if not self.trial_log.propose(number, trial.hyperparameters.values, pending):
            raise SearchError(
                f"this process was silent for so long that others gave trial {number} up for lost."
            )
        self._submit(item, error, out_of_time)
        return True

    def _is_independent(self) -> bool:
        """Whether trials do not depend on the results of others."""
        return self.pruning is None and is_independent(self.oracle)

    @property
    def _n_independent(self) -> int:
        """How many of the first trials do not depend on the results of others."""
        return 0 if self.pruning else getattr(self.oracle, "n_independent", 0)

    def _is_done(self, number: int) -> bool:
        limit = self.oracle.max_trials
        return self._exhausted or (limit is not None and number >= limit)

    def _may_propose(self, number: int) -> bool:
        """Whether all results are there that the strategy is to know."""
        if self._waiting_for is not None:
            if self.proposals[self._waiting_for].state != "finished":
                return False
            self._tell(self._waiting_for + 1)
            self._waiting_for = None
        if self._is_independent() or number < self._n_independent:
            return True
        return all(n > number - self.workers.capacity for n in self.workers.running)

    def _ask(self, number: int) -> Any:
        """Return a new trial of the oracle, or None when it has none for now."""
        self._tell(number if self._is_independent() else number - self.workers.capacity + 1)
        while True:
            trial = self.oracle.create_trial(str(number))
            if trial.status == "RUNNING":
                return trial
            # A result may change its mind.
            untold = [n for n, item in enumerate(self.proposals) if not item.told]
            if not untold:
                self._exhausted = True
                return None
            if self.proposals[untold[0]].state != "finished":
                self._waiting_for = untold[0]
                return None
            self._tell(untold[0] + 1)

    def _declare(self, number: int, trial: Any) -> tuple[Proposal, Exception | None]:
        """Let the network declare further hyperparameters, and fix the parameters."""
        values = trial.hyperparameters.values
        item = Proposal(trial, TrialResult(number, {}, resource=resource_of(values)))
        self.proposals.append(item)
        error: Exception | None = None
        try:
            self.space.declare(trial.hyperparameters)
            self.oracle.update_space(trial.hyperparameters)
        except Exception as raised:
            error = raised
            fail(item.result, error, traceback.format_exc())
        item.result.params = self._params(trial.hyperparameters.values)
        return item, error

    def _submit(
        self,
        item: Proposal,
        error: Exception | None,
        out_of_time: Callable[[], bool],
        *,
        isolated: bool = False,
    ) -> None:
        self.tasks.begin(item.result.number)
        if error is not None:
            self._finish(Outcome(item.result.number, item.result, error))
        else:
            self.workers.submit(item.result, out_of_time, self.pruning, isolated=isolated)

    def _params(self, values: dict[str, Any]) -> dict[str, Any]:
        params = self.space.decode(values)
        if "tuner/epochs" in values:  # Hyperband
            params["epochs"] = values["tuner/epochs"]
        return params

    # Results

    def _finish(self, outcome: Outcome) -> None:
        item = self.proposals[outcome.number]
        outcome.result.params = item.result.params  # not copies that came from a worker
        item.result, item.state = outcome.result, "finished"
        score = self._note(item.result, outcome.error)
        self.trial_log.finish(outcome.number, outcome_of(item.result), score)
        self.tasks.end(outcome.number)
        if outcome.error is not None and self.reraise:
            raise outcome.error

    def _note(self, result: TrialResult, error: Exception | None) -> float | None:
        """Keep the best score and the errors; return the score."""
        if error is not None:
            self.errors[result.number] = error
            return None
        score = result.mean(self.metric(result))
        if result.state == COMPLETED:
            self.best = score if self.best is None else max(self.best, score)
        return score

    def _tell(self, end: int) -> None:
        """Tell the oracle the results of the trials before `end`, and of other processes."""
        for number, item in enumerate(self.proposals):
            if item.state == "finished" and not item.told and (number < end or not item.mine):
                self._tell_one(item)

    def _tell_one(self, item: Proposal) -> None:
        trial, result = item.trial, item.result
        if result.state == FAILED:
            trial.status = "FAILED"
        else:
            metric = self.metric(result)
            if result.state != COMPLETED and hasattr(self.oracle, "set_reports"):
                reports = {epoch: means[metric] for epoch, means in result.reports.items()}
                self.oracle.set_reports(trial.trial_id, reports)
            if result.objectives and hasattr(self.oracle, "set_values"):
                self.oracle.set_values(trial.trial_id, list(result.objectives.values()))
            # The strategy learns from the partial score of a pruned trial as well.
            self.oracle.update_trial(trial.trial_id, {OBJECTIVE: result.mean(metric)})
            trial.status = "COMPLETED"
        if self.pruning is not None:
            self.pruning.finish(result)
        trial.message = result.error
        self.oracle.end_trial(trial)
        item.told = True

    # What is stored

    def _sync(self) -> None:
        """Take over what this search's processes, earlier ones included, have written down."""
        self._unproposed = False
        running = set(self.workers.running)
        for number, entry in enumerate(self.trial_log.entries()):
            if entry.values is None:
                self._unproposed = True
                break
            if number == len(self.proposals):
                self._replay(number, entry)
            item = self.proposals[number]
            if item.state == "finished" or number in running:
                continue
            if entry.state == "finished":
                self._restore(item, entry)
            item.mine, item.state = entry.mine, entry.state

    def _replay(self, number: int, entry: Entry) -> None:
        """Let the oracle propose as it did then, and set what was tried where it differs."""
        pending = set(entry.pending)
        for earlier, item in enumerate(self.proposals):
            if earlier not in pending and item.state == "finished" and not item.told:
                self._tell_one(item)
        trial = self.oracle.create_trial(str(number))
        check_values(
            entry.values,
            self.oracle.get_space().space,
            self.space.hypermodel is None,
            lambda: self.trial_log.place(entry.key, "values"),
        )
        assert entry.values is not None
        proposed = plain(trial.hyperparameters.values)
        same = proposed.items() <= entry.values.items()
        if trial.status != "RUNNING" or not same:
            trial = register(self.oracle, trial, str(number), entry.values)
        self._declare(number, trial)

    def _restore(self, item: Proposal, entry: Entry) -> None:
        restore(item.result, entry, self)
        lost = item.result.state == FAILED
        error = SearchError(f"{item.result.error}\n{item.result.traceback}") if lost else None
        self._note(item.result, error)
