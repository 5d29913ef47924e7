"""What runs the trials of a search: this process, several of them, or a cluster."""

from __future__ import annotations

from typing import Any

import joblib
from joblib.parallel import get_active_backend

from ...exceptions import ParameterError
from ._executors import Serial, Workers
from ._joint import MOST_STORED, MOST_TRIALS, Joint
from ._limits import Limits
from ._processes import Cluster, Processes
from ._ray import RayCluster


def make_workers(
    evaluate: Any,
    n_jobs: int | None,
    n_trials: int | None,
    limits: Limits | None = None,
    max_trials_per_worker: int | None = None,
    *,
    max_joint_bytes: float | None = None,
    stored: bool = False,
    batch: int = 1,
) -> Serial | Workers:
    """Return what runs the trials of a search.

    Parameters
    ----------
    evaluate : callable
        Picklable, as for Serial.
    n_jobs : int or None
        Number of processes, as joblib takes it.
    n_trials : int or None
        Number of trials, where it is known.
    limits : Limits, default=None
        Time limits; None for none.
    max_trials_per_worker : int or None, default=None
        Trials after which a worker process is replaced. One process is then not this one.
    max_joint_bytes : float or None, default=None
        Most memory of networks of several trials that are trained together in this process; with
        0 trials run one by one.
    stored : bool, default=False
        Whether a storage holds the trials.
    batch : int, default=1
        Trials that the strategy proposes before it hears of their results.

    Returns
    -------
    workers : Serial or Workers
        A cluster under ``joblib.parallel_config("dask")`` or ``("ray")``; otherwise processes of
        this machine. One process is this one, and so is every number inside a worker of joblib.

    Raises
    ------
    ParameterError
        When the workers of a cluster are to be replaced.
    """
    limits = limits or Limits()
    backend, _ = get_active_backend()
    capacity = joblib.effective_n_jobs(n_jobs)
    kind = type(backend).__name__
    if kind == "DaskDistributedBackend":
        if max_trials_per_worker is not None:
            raise ParameterError(
                f"max_trials_per_worker={max_trials_per_worker} has no effect on a Dask cluster, "
                "whose workers are replaced by Dask itself: start them with --lifetime."
            )
        client = backend.client
        capacity = min(capacity, len(client.scheduler_info(n_workers=-1)["workers"]))
        return Workers(evaluate, max(1, capacity), lambda task: Cluster(client, task), limits)
    if kind == "RayBackend":
        if max_trials_per_worker is not None:
            raise ParameterError(
                f"max_trials_per_worker={max_trials_per_worker} has no effect on a Ray cluster, "
                "which starts and ends its workers itself; leave it out."
            )
        processors = RayCluster.processors()
        capacity = processors if n_jobs is None else min(capacity, processors)
        return Workers(evaluate, max(1, capacity), RayCluster, limits)
    if kind not in ("LokyBackend", "MultiprocessingBackend"):
        capacity = 1
    capacity = max(1, min(capacity, n_trials or capacity))
    if capacity == 1 and max_trials_per_worker is None:
        if max_joint_bytes == 0 or not hasattr(evaluate, "together"):
            return Serial(evaluate, limits)
        most = MOST_STORED if stored else MOST_TRIALS
        return Joint(evaluate, limits, max_bytes=max_joint_bytes, most=most, batch=batch)
    return Workers(
        evaluate, capacity, lambda task: Processes(capacity, task), limits, max_trials_per_worker
    )
