"""Sockets that say where the network is: a guest has none, and trying one would end it."""

from __future__ import annotations

import errno
import socket
from typing import Any, Final, NoReturn

_ADVICE: Final = "an actor has no sockets: use `wasmind_actor.http`, which asks the host"
#: Whatever of the module reaches for the network.
_FUNCTIONS: Final = (
    "create_connection",
    "create_server",
    "fromfd",
    "getaddrinfo",
    "getfqdn",
    "gethostbyaddr",
    "gethostbyname",
    "gethostbyname_ex",
    "gethostname",
    "getnameinfo",
    "getservbyname",
    "getservbyport",
    "if_nameindex",
    "socketpair",
)


def refuse(*_: Any, **__: Any) -> NoReturn:
    """Stands in for every function that would open or ask for something."""
    raise OSError(errno.ENOTSUP, _ADVICE)


def close_all() -> None:
    """Make everything that needs a socket fail with an error the caller can handle."""
    socket.socket.__init__ = refuse  # type: ignore[method-assign]
    for name in _FUNCTIONS:
        if hasattr(socket, name):
            setattr(socket, name, refuse)
