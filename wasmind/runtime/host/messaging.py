"""`messaging`: broadcast a message to everybody."""

from __future__ import annotations

from typing import Final

from wasmind.runtime.abi import Err, Ok
from wasmind.runtime.errors import NotSent
from wasmind.runtime.host.door import Host, warn_of_size
from wasmind.runtime.host.interface import HostFunction, Interface


def _broadcast(host: Host, message_type: str, payload: bytes) -> Ok | Err:
    try:
        host.around.broadcast(host, message_type, payload)
    except NotSent as error:
        host.around.log(host, "error", str(error))
        return Err(str(error))
    return Ok()


def _broadcast_unanswered(host: Host, message_type: str, payload: bytes) -> None:
    """The reference's interface has no room for an error: it stands in the log alone."""
    warn_of_size(host, f"a message `{message_type}`", len(payload))
    _broadcast(host, message_type, payload)


MESSAGING: Final = Interface(
    name="wasmind:actor/messaging",
    capability="messaging",
    functions={"broadcast": HostFunction(_broadcast_unanswered)},
)
EXT_MESSAGING: Final = Interface(
    name="wasmind:ext/messaging",
    capability="messaging",
    functions={"broadcast": HostFunction(_broadcast, Err)},
)
