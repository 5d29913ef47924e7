"""What runs inside a worker process: how it is set up, and how it gets and evaluates a trial."""

from __future__ import annotations

import fcntl
import os
import pickle
import signal
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import replace
from itertools import count
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

import joblib
from sklearn import config_context, get_config

from ...exceptions import SearchError
from .._trial import TrialResult, fail
from ._pickling import dumps

_FIRST = 1_000_000
_gpu_marks: list[Any] = []  # open for as long as this process lives
_loaded: dict[str, Any] = {}  # the evaluation of the search that ran last
_one_at_a_time = threading.Lock()  # a worker of Dask may have several threads


def start_worker(folder: str | None, gpus: list[str]) -> None:
    """Prepare a worker process: it ignores Ctrl-C, and has a GPU of its own where it can.

    A terminal sends Ctrl-C to the workers too, where it would end a training early. The parent
    decides what Ctrl-C means, and ends its workers when it stops.

    Parameters
    ----------
    folder : str or None
        Where the workers mark the GPUs that they took.
    gpus : list of str
        Identifiers of the GPUs, as ``CUDA_VISIBLE_DEVICES`` takes them.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if folder is None or not gpus:
        return
    for slot in count():
        mark = open(Path(folder) / f"slot{slot}", "ab")  # noqa: SIM115 - open while we live
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until this process ends
        except BlockingIOError:
            mark.close()
            continue
        _gpu_marks.append(mark)
        break
    os.environ["CUDA_VISIBLE_DEVICES"] = gpus[slot % len(gpus)]
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")


def begin_worker(folder: str | None, gpus: list[str]) -> None:
    """Prepare a worker process of joblib; see `start_worker`, and let it end without delay.

    A worker that joblib replaces ends before Python and TensorFlow take themselves down: their
    threads may wait for each other, and the search would wait for the worker.
    """
    start_worker(folder, gpus)
    Finalize(None, os._exit, args=(0,), exitpriority=_FIRST)


def split(evaluate: Any) -> tuple[bytes, tuple[Any, ...]]:
    """Return an evaluation without its data, pickled, and the data."""
    task = evaluate.task
    arrays = (task.X, task.y, task.fit_params, task.score_params)
    bare = replace(evaluate, task=replace(task, X=None, y=None, fit_params={}, score_params={}))
    return dumps((bare, get_config())), arrays


def join(pickled: bytes, arrays: tuple[Any, ...]) -> tuple[Any, dict[str, Any]]:
    """Return the evaluation that `split` took apart, and scikit-learn's configuration then."""
    bare, config = pickle.loads(pickled)
    X, y, fit_params, score_params = arrays
    task = replace(bare.task, X=X, y=y, fit_params=fit_params, score_params=score_params)
    return replace(bare, task=task), config


def dump(evaluate: Any, folder: Path) -> None:
    """Write an evaluation into a folder, its arrays so that processes can map them."""
    pickled, arrays = split(evaluate)
    joblib.dump(arrays, folder / "data.joblib")
    (folder / "evaluation.pickle").write_bytes(pickled)


def load(folder: Path) -> tuple[Any, dict[str, Any]]:
    """Read what `dump` wrote; large arrays stay on the disk, shared by all processes."""
    arrays = joblib.load(folder / "data.joblib", mmap_mode="r")
    return join((folder / "evaluation.pickle").read_bytes(), arrays)


def mark_of(folder: Path, number: int) -> Path:
    """Return the file in which a worker notes when it began to run a trial."""
    return folder / f"began{number}"


def work(
    token: str, source: Any, result: TrialResult, pruning: bytes | None
) -> tuple[TrialResult, Exception | None]:
    """Evaluate a trial in a worker process."""
    with _one_at_a_time:
        if token not in _loaded:
            _loaded.clear()
            _loaded[token] = load(source) if isinstance(source, Path) else join(*source)
        evaluate, config = _loaded[token]
        if isinstance(source, Path):
            with suppress(OSError):  # a full disk: the parent counts from another moment then
                mark_of(source, result.number).write_text(repr(time.monotonic()))
        with config_context(**config):
            try:
                error = evaluate(result, lambda: False, pruning and pickle.loads(pruning))
            except BaseException as raised:
                # SystemExit, KeyboardInterrupt and GeneratorExit come from the trial itself: a
                # worker does not hear of Ctrl-C. They end this trial and not the search.
                error = SearchError(f"the trial raised {type(raised).__name__}: {raised}")
                fail(result, raised, traceback.format_exc())
    return result, _picklable(error)


def _picklable(error: Exception | None) -> Exception | None:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return SearchError(f"{type(error).__name__}: {error}")
    return error
