"""What can go wrong while building.

CompilerFailure
└── InterpreterError    the interpreter component could not be built
Exception
└── ActorFault          an actor's own mistake, which becomes a diagnostic
    ├── SourceError     a Python module does not compile
    └── GuestError      the actor failed while it was loaded
"""

from __future__ import annotations

from wasmind_compiler.errors import CompilerFailure


class InterpreterError(CompilerFailure):
    """The interpreter component could not be built."""


class ActorFault(Exception):
    """An actor's own mistake, found by the guest."""


class SourceError(ActorFault):
    """A Python module does not compile. Line and column count from 1; None when unknown."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class GuestError(ActorFault):
    """An actor failed while it was loaded; `text` is the guest's traceback."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
