"""`package`: the modules that make the shared interpreter one particular actor."""

from __future__ import annotations

from typing import Final

from wasmind.runtime.host.door import Host
from wasmind.runtime.host.interface import HostFunction, Interface


def _modules(host: Host) -> list[tuple[str, bytes]]:
    return list(host.modules)


PACKAGE: Final = Interface(
    name="wasmind:ext/package",
    capability=None,
    functions={"modules": HostFunction(_modules)},
)
