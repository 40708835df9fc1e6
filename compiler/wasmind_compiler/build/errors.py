"""What can go wrong while building.

    BuildError
    ├── SourceError         a Python module does not compile
    ├── GuestError          an actor failed while it was loaded
    └── InterpreterError    the interpreter component could not be built
"""

from __future__ import annotations


class BuildError(Exception):
    """Base of what can go wrong while building."""


class SourceError(BuildError):
    """A Python module does not compile. Line and column count from 1; None when unknown."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class GuestError(BuildError):
    """An actor failed while it was loaded; `text` is the guest's traceback."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class InterpreterError(BuildError):
    """The interpreter component could not be built."""
