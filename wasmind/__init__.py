"""Wasmind: declarative TOML in, running systems of LLM agents out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wasmind.system import NoAnswer, System

__all__ = ["NoAnswer", "System", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # The command line imports this package for its version; it must not pay for wasmtime.
    if name in ("System", "NoAnswer"):
        from wasmind import system

        return getattr(system, name)
    raise AttributeError(f"module `wasmind` has no attribute `{name}`")
