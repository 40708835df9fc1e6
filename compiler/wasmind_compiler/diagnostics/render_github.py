"""Diagnostics as workflow commands: GitHub shows them at the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wasmind_compiler.diagnostics.model import Diagnostic, Severity

_COMMANDS: Final = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "notice",
}


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """A command for each diagnostic, on a line of its own."""
    return "".join(f"{_command(found)}\n" for found in diagnostics)


def _command(found: Diagnostic) -> str:
    properties = {"title": f"{found.code}: {found.message}"}
    if (span := found.span) is not None:
        properties = {
            "file": span.file,
            "line": str(span.start.line),
            "endLine": str(span.end.line),
            # GitHub refuses columns that go over several lines.
            **(
                {"col": str(span.start.column), "endColumn": str(span.end.column)}
                if span.start.line == span.end.line
                else {}
            ),
            **properties,
        }
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[found.severity]} {written}::{_data(_body(found))}"


def _body(found: Diagnostic) -> str:
    lines = [found.label or found.message]
    lines += [f"{label.span}: {label.text}" for label in found.labels]
    lines += [f"note: {note}" for note in found.notes]
    return "\n".join(lines + ([f"help: {found.help}"] if found.help else []))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
