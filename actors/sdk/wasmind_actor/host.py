"""Facts about the machine the system runs on. Capability `host-info`."""

from __future__ import annotations

from dataclasses import dataclass

from wasmind_actor import door


@dataclass(frozen=True, slots=True)
class OsInfo:
    """Operating system and processor, for example `linux` and `x86_64`."""

    os: str
    arch: str


def working_directory() -> str:
    """The host's working directory."""
    return door.host().working_directory()


def os_info() -> OsInfo:
    """The host's operating system."""
    return door.host().os_info()
