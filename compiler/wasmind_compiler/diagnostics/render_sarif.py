"""Diagnostics as SARIF 2.1.0, which code-scanning services and editors read.

The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from wasmind.visible import json_visible
from wasmind_compiler.diagnostics.masking import has_secret
from wasmind_compiler.diagnostics.model import Diagnostic, Fix, Severity, Span
from wasmind_compiler.diagnostics.registry import Rule, all_rules

_SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
#: Names what the fingerprint is made of, and which version of that.
_FINGERPRINT: Final = "codeFileMessage/v1"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def render_sarif(diagnostics: Iterable[Diagnostic], version: str) -> str:
    """One log with one run, and a final newline.

    Args:
        diagnostics: the results.
        version: of Wasmind.
    """
    found = list(diagnostics)
    codes = sorted({each.code for each in found})
    rules = [rule for rule in all_rules() if rule.code in codes]
    driver = {
        "name": "wasmind",
        "semanticVersion": version,
        "rules": [_rule(rule) for rule in rules],
    }
    index = {rule.code: number for number, rule in enumerate(rules)}
    run = {
        "tool": {"driver": driver},
        # What columns count.
        "columnKind": "unicodeCodePoints",
        "results": [
            {**_result(each, index[each.code]), "partialFingerprints": {_FINGERPRINT: fingerprint}}
            for each, fingerprint in zip(found, _fingerprints(found), strict=True)
        ],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json_visible(json.dumps(log, indent=2, ensure_ascii=False)) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.explanation.strip()},
        "help": {"text": f"`wasmind explain {rule.code}` shows this with an example"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(found: Diagnostic, rule_index: int) -> dict[str, Any]:
    lines = [found.message, *(f"note: {note}" for note in found.notes)]
    if found.help is not None:
        lines.append(f"help: {found.help}")
    result: dict[str, Any] = {
        "ruleId": found.code,
        "ruleIndex": rule_index,
        "level": _LEVELS[found.severity],
        "message": {"text": "\n".join(lines)},
        "locations": [],
    }
    if found.span is not None:
        result["locations"] = [_location(found.span, found.label)]
    if found.labels:
        result["relatedLocations"] = [
            {"id": number, **_location(label.span, label.text)}
            for number, label in enumerate(found.labels)
        ]
    if found.fix is not None and not any(has_secret(each.replacement) for each in found.fix.edits):
        result["fixes"] = [_fix(found.fix)]
    return result


def _fingerprints(diagnostics: Sequence[Diagnostic]) -> list[str]:
    """What tells a problem from others in every run, even when lines move.

    The same words in the same file are told apart by their order.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    fingerprints = []
    for found in diagnostics:
        said = (found.code, found.span.file if found.span else "", found.message)
        text = "\0".join((*said, str(seen[said])))
        seen[said] += 1
        fingerprints.append(hashlib.sha256(text.encode()).hexdigest())
    return fingerprints


def _location(span: Span, text: str) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": _artifact(span.file), "region": _region(span)}
    }
    if text:
        location["message"] = {"text": text}
    return location


def _artifact(file: str) -> dict[str, str]:
    path = PurePath(file)
    return {"uri": path.as_uri() if path.is_absolute() else quote(file, safe="/:@")}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.start.line,
        "startColumn": span.start.column,
        "endLine": span.end.line,
        "endColumn": span.end.column,
        "byteOffset": span.start.byte,
        "byteLength": span.end.byte - span.start.byte,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    by_file: dict[str, list[dict[str, Any]]] = {}
    for edit in fix.edits:
        by_file.setdefault(edit.span.file, []).append(
            {
                "deletedRegion": _region(edit.span),
                "insertedContent": {"text": edit.replacement},
            }
        )
    return {
        "description": {"text": fix.title},
        "properties": {"applicability": fix.applicability},
        "artifactChanges": [
            {"artifactLocation": _artifact(file), "replacements": replacements}
            for file, replacements in by_file.items()
        ],
    }
