"""The workers of a Ray cluster: hand out trials, and end them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ._worker_process import split


class RayCluster:
    """The workers of a Ray cluster that runs; the data are put into its object store once.

    Parameters
    ----------
    evaluate : Evaluation
        Sent to each worker once.
    """

    def __init__(self, evaluate: Any) -> None:
        import ray

        self._ray = ray
        self._source: Any = ray.put(split(evaluate))
        self._running: dict[Any, Any] = {}  # future -> reference
        self._begins: dict[int, float] = {}

    @staticmethod
    def processors() -> int:
        """Return how many trials the cluster runs at a time: one on each processor."""
        import ray

        if not ray.is_initialized():
            ray.init()  # as joblib's backend does
        return int(ray.cluster_resources().get("CPU", 1))

    def submit(self, function: Callable[..., Any], token: str, result: Any, *args: Any) -> Any:
        """Return the future of ``function(token, source of the data, result, *args)``."""
        self._begins[result.number] = time.monotonic()  # there are no more trials than processors
        # A trial that ends its worker is not run a second time there: it may do so again.
        remote = self._ray.remote(max_retries=0)(function)
        reference = remote.remote(token, self._source, result, *args)
        future = reference.future()
        self._running = {f: r for f, r in self._running.items() if not f.done()}
        self._running[future] = reference
        return future

    def began(self, number: int) -> float | None:
        """Return the moment at which a trial was handed out."""
        return self._begins.get(number)

    def end(self, futures: Sequence[Any]) -> bool:
        """End trials that run; the others go on."""
        for future in futures:
            if future in self._running:
                self._ray.cancel(self._running.pop(future), force=True)
        return False

    def renew(self) -> None:
        """Do nothing that could be asked for."""
        raise NotImplementedError  # `make_workers` refuses it

    def close(self, kill: bool) -> None:
        """Let the data go; `kill` ends what runs."""
        if kill:
            self.end([future for future in self._running if not future.done()])
        self._source = None
