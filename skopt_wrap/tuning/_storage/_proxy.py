"""A storage behind a server: many processes write through one that has the file or the database."""

from __future__ import annotations

import re
from typing import Any

import optuna

from ...exceptions import ParameterError, StorageError
from .._optuna import quiet

SCHEME = "grpc://"
_PORT = 13000
_SECONDS = 10.0  # to wait for a server
_ADDRESS = re.compile(r"(?P<host>[^:/@]+|\[[0-9a-fA-F:]+\])(:(?P<port>\d+))?/?")


def address_of(url: str) -> tuple[str, int]:
    """Return host and port of a server.

    Examples
    --------
    >>> from skopt_wrap.tuning._storage._proxy import address_of
    >>> address_of("grpc://server:13001"), address_of("grpc://localhost")
    (('server', 13001), ('localhost', 13000))
    """
    found = _ADDRESS.fullmatch(url.removeprefix(SCHEME))
    if found is None:
        raise ParameterError(
            f"storage={url!r} is no address of a server; write grpc://HOST:PORT, for instance "
            f"'grpc://localhost:{_PORT}'."
        )
    return found["host"], int(found["port"] or _PORT)


def open_proxy(url: str) -> Any:
    """Connect to a server of :func:`serve_storage`.

    Raises
    ------
    StorageError
        When none answers.
    """
    host, port = address_of(url)
    try:
        with quiet():
            storage = optuna.storages.GrpcStorageProxy(host=host, port=port)
            storage.wait_server_ready(timeout=_SECONDS)
    except Exception as error:
        raise StorageError(
            f"storage={url!r} has no server that answers within {_SECONDS:g} s "
            f"({type(error).__name__}: {error}). Start one there: "
            f'python -c "from skopt_wrap.tuning import serve_storage; '
            f"serve_storage('trials.log', host='0.0.0.0', port={port})\""
        ) from error
    return storage
