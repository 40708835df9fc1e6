"""Words."""

from __future__ import annotations


def shout(text: str) -> str:
    """Make it loud; the module is imported when it is needed."""
    from wasmind_actor import host

    return f"{text.upper()} from {host.working_directory()}"
