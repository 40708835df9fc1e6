"""Diagnostics as JSON for programs; `schemas/diagnostics.schema.json` describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from wasmind.visible import json_visible
from wasmind_compiler.diagnostics.masking import has_secret
from wasmind_compiler.diagnostics.model import Diagnostic, Position, Severity, Span

VERSION: Final = 1


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """One document with all diagnostics, and a final newline."""
    found = list(diagnostics)
    summary = {
        f"{severity.value}s": sum(each.severity is severity for each in found)
        for severity in Severity
    }
    document = {
        "version": VERSION,
        "diagnostics": [_diagnostic(each) for each in found],
        "summary": summary,
    }
    return json_visible(json.dumps(document, indent=2, ensure_ascii=False)) + "\n"


def _diagnostic(found: Diagnostic) -> dict[str, Any]:
    return {
        "code": found.code,
        "severity": found.severity.value,
        "message": found.message,
        "span": _span(found.span) if found.span else None,
        "label": found.label,
        "labels": [{"span": _span(each.span), "text": each.text} for each in found.labels],
        "notes": list(found.notes),
        "help": found.help,
        "fix": None
        # With a covered secret in it an edit would do harm.
        if found.fix is None or any(has_secret(edit.replacement) for edit in found.fix.edits)
        else {
            "title": found.fix.title,
            "applicability": found.fix.applicability,
            "edits": [
                {"span": _span(edit.span), "replacement": edit.replacement}
                for edit in found.fix.edits
            ],
        },
    }


def _span(span: Span) -> dict[str, Any]:
    return {"file": span.file, "start": _position(span.start), "end": _position(span.end)}


def _position(position: Position) -> dict[str, int]:
    return {"line": position.line, "column": position.column, "byte": position.byte}
