"""What can go wrong at run time; one small tree.

RuntimeFailure
├── BundleError          a bundle that is damaged, changed or made for another runtime
├── EngineError          a component that cannot be compiled, linked or instantiated
├── GuestFailure         an actor's code failed: it trapped or raised
│   └── LimitExceeded    ... because it used more than it was allowed to
├── SourceError          actor source the interpreter cannot compile
├── FolderError          a granted folder that is more than it looks on this machine
├── CapabilityDenied     a host call that was not granted
├── NotSent              a message that the bus does not take
├── UnusableModel        a model of the plan that cannot be asked; in `models.resolve`
└── SpawnError           an agent that could not be started
"""

from __future__ import annotations


class RuntimeFailure(Exception):
    """Base of all failures the runtime reports; the text is meant for people."""


class BundleError(RuntimeFailure):
    """The bundle is damaged, was changed, or needs another runtime."""


class EngineError(RuntimeFailure):
    """A component cannot be compiled, linked or instantiated."""


class GuestFailure(RuntimeFailure):
    """An actor's code failed.

    Attributes:
        reason: one line.
        traceback: what the guest printed before it died, often a Python traceback; may be empty.
    """

    def __init__(self, reason: str, traceback: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.traceback = traceback


class LimitExceeded(GuestFailure):
    """An actor used more than its limit; `reason` names the limit."""


class SourceError(RuntimeFailure):
    """Python source that the guest's interpreter cannot compile; `line` and `column` from 1."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class FolderError(RuntimeFailure):
    """A grant comes out as the user's home folder, or more, without saying so."""


class CapabilityDenied(RuntimeFailure):
    """A host call outside what the actor was granted; the text says which line would grant it."""


class NotSent(RuntimeFailure):
    """A message that an actor may not send, or that is too large; the text says which and why."""


class SpawnError(RuntimeFailure):
    """An agent could not be started; nothing of it is left running."""
