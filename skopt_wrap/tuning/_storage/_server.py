"""The server of a storage."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import optuna

from ...exceptions import ParameterError
from .._optuna import quiet
from ._backends import open_storage
from ._proxy import SCHEME


def serve(storage: Any, host: str, port: int, n_threads: int) -> None:
    """Serve a storage until Ctrl-C; see :func:`skopt_wrap.tuning.serve_storage`."""
    if isinstance(storage, str) and storage.startswith(SCHEME):
        raise ParameterError(
            f"storage={storage!r} is a server already; give the file or database that it serves."
        )
    opened = open_storage(storage)
    with quiet(), ThreadPoolExecutor(max_workers=n_threads) as pool:
        optuna.storages.run_grpc_proxy_server(opened, host=host, port=port, thread_pool=pool)
