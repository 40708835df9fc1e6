"""What a problem is: data, so that any renderer can show it and any tool can act on it.

The small parts are named tuples, which cost a fraction of a dataclass to define: every run loads
this module, and most have no problem to show.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from wasmind.records import Record

Applicability = Literal["always", "maybe"]


class Severity(Enum):
    """How much a problem weighs; only errors make a command fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Position(Record):
    """A place in a text: 1-based line, 1-based column in characters, 0-based offset in bytes."""

    line: int
    column: int
    byte: int


class Span(Record):
    """A stretch of one file. `end` is the first position behind it."""

    file: str
    start: Position
    end: Position

    def __str__(self) -> str:
        return f"{self.file}:{self.start.line}:{self.start.column}"


class Label(Record):
    """A further place that explains the problem, possibly in another file."""

    span: Span
    text: str


class Edit(Record):
    """Replace what `span` covers by `replacement`; an empty span inserts."""

    span: Span
    replacement: str


class Fix(Record):
    """A change that removes the problem. Only an `always` fix may be applied unasked."""

    title: str
    edits: tuple[Edit, ...]
    applicability: Applicability = "maybe"


class Diagnostic(Record):
    """One problem.

    Attributes:
        code: the rule it breaks, like `WM0201`.
        message: one line, lower-case start, no full stop.
        span: where it is; None only when no file can be named.
        label: what the carets under the span say; may be empty.
        labels: secondary places.
        notes: facts, a line each or a few.
        help: what to do about it.
        fix: the same as text edits, if the program can know them.
    """

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    label: str = ""
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    fix: Fix | None = None
