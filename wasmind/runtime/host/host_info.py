"""`host-info`: the working directory and the kind of machine."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from wasmind.runtime.host.door import Host
from wasmind.runtime.host.interface import HostFunction, Interface

# The names Rust uses, which actors of the reference expect.
_OS: Final[Mapping[str, str]] = {"Darwin": "macos"}
_ARCH: Final[Mapping[str, str]] = {"AMD64": "x86_64", "arm64": "aarch64", "i686": "x86"}


def _working_directory(_host: Host) -> str:
    try:
        return str(Path.cwd())
    except OSError:  # deleted underneath us
        return "/"


def _os_info(_host: Host) -> tuple[str, str]:
    system, machine = platform.system(), platform.machine()
    return _OS.get(system, system.lower()), _ARCH.get(machine, machine)


HOST_INFO: Final = Interface(
    name="wasmind:actor/host-info",
    capability="host-info",
    functions={
        "get-host-working-directory": HostFunction(_working_directory),
        "get-host-os-info": HostFunction(_os_info),
    },
)
