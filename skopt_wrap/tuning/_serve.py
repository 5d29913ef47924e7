"""Serve a storage to searches on other machines."""

from __future__ import annotations

from typing import Any


def serve_storage(
    storage: Any, *, host: str = "localhost", port: int = 13000, n_threads: int = 10
) -> None:
    """Serve a storage to searches in other processes and on other machines, until Ctrl-C.

    Searches connect with ``storage="grpc://HOST:PORT"``. The server alone reads and writes the
    file or the database, so that many processes need neither a file system with locks nor a
    database of their own. It is Optuna's gRPC proxy, which has no password and does not encrypt:
    open the port to machines that you trust only.

    Parameters
    ----------
    storage : str or path-like
        What searches take as `storage`: a Journal file, or the URL of a database.
    host : str, default="localhost"
        Name or address on which the server listens; ``"0.0.0.0"`` is for all machines.
    port : int, default=13000
        Its port.
    n_threads : int, default=10
        Requests that are answered at a time.

    Raises
    ------
    ParameterError
        `storage` is itself a server, or its URL cannot be opened.
    StorageError
        The file is damaged, holds something else, or cannot be written.

    See Also
    --------
    skopt_wrap.TunedClassifier : Its `storage` and `study`.

    Examples
    --------
    >>> from skopt_wrap.tuning import serve_storage
    >>> serve_storage("trials.log", host="0.0.0.0")  # doctest: +SKIP
    """
    from ._storage._server import serve

    serve(storage, host, port, n_threads)
