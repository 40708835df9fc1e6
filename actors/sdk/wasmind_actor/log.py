"""The host's log. Lines carry the actor's id and scope by themselves."""

from __future__ import annotations

from enum import Enum

from wasmind_actor import door


class Level(Enum):
    """How much a line matters."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


def debug(text: str) -> None:
    """Log what helps to follow the actor's work."""
    door.host().log(Level.DEBUG, text)


def info(text: str) -> None:
    """Log what is worth knowing."""
    door.host().log(Level.INFO, text)


def warn(text: str) -> None:
    """Log what looks wrong but does no harm yet."""
    door.host().log(Level.WARN, text)


def error(text: str) -> None:
    """Log a failure."""
    door.host().log(Level.ERROR, text)
