"""`logger`: one log record, in the actor's name."""

from __future__ import annotations

from typing import Final

from wasmind.runtime.host.door import Host
from wasmind.runtime.host.interface import HostFunction, Interface

_LONGEST: Final = 32_768


def _log(host: Host, level: str, message: str) -> None:
    if len(message) > _LONGEST:
        message = f"{message[:_LONGEST]} ... ({len(message) - _LONGEST} characters left out)"
    host.around.log(host, level, message)


LOGGER: Final = Interface(
    name="wasmind:actor/logger",
    capability="logger",
    functions={"log": HostFunction(_log)},
)
