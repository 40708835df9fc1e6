"""`messaging`: broadcast a message to everybody."""

from __future__ import annotations

from typing import Final

from wasmind.runtime.host.door import Host
from wasmind.runtime.host.interface import HostFunction, Interface


def _broadcast(host: Host, message_type: str, payload: bytes) -> None:
    host.around.broadcast(host, message_type, payload)


MESSAGING: Final = Interface(
    name="wasmind:actor/messaging",
    capability="messaging",
    functions={"broadcast": HostFunction(_broadcast)},
)
