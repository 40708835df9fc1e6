"""What guests can reach: one module for each capability, all behind one door."""

from __future__ import annotations

from typing import Final

from wasmind.runtime.host.agent import AGENT
from wasmind.runtime.host.command import COMMAND, EXT_COMMAND
from wasmind.runtime.host.filesystem import FILESYSTEM
from wasmind.runtime.host.host_info import HOST_INFO
from wasmind.runtime.host.http import EXT_HTTP, HTTP
from wasmind.runtime.host.interface import Interface
from wasmind.runtime.host.logger import LOGGER
from wasmind.runtime.host.messaging import EXT_MESSAGING, MESSAGING
from wasmind.runtime.host.package import PACKAGE
from wasmind.runtime.host.wasi import WASI

#: Every interface this host offers.
INTERFACES: Final[tuple[Interface, ...]] = (
    MESSAGING,
    COMMAND,
    HTTP,
    LOGGER,
    AGENT,
    HOST_INFO,
    FILESYSTEM,
    PACKAGE,
    EXT_MESSAGING,
    EXT_COMMAND,
    EXT_HTTP,
    *WASI,
)
