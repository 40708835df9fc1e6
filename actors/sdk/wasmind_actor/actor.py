"""The base class of all actors."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

ConfigT = TypeVar("ConfigT")


class Actor(Generic[ConfigT]):
    """An actor."""

    def __init__(self, scope: str, config: str) -> None:
        self.scope = scope

    def handle(self, envelope: Any) -> None:
        """Deliver a message."""
