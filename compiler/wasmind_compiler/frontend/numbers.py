"""Integers that TOML does not have room for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from wasmind_compiler.diagnostics import Diagnostic, Edit, Fix
from wasmind_compiler.diagnostics.rules import files
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath, dotted

_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1


def large_numbers(document: Document) -> Iterator[Diagnostic]:
    """The integers of a document that need more than 64 bits."""
    for path in _large(document.data, ()):
        span = document.value(path)
        fix = Fix(
            title="quote it, if it is an identifier",
            edits=(Edit(span, f'"{document.text(span)}"'),),
        )
        yield files.LARGE_NUMBER.at(
            span,
            f"`{dotted(path)}` does not fit into 64 bits",
            notes=(f"integers go from {_LEAST} to {_MOST}",),
            help=fix.title,
            fix=fix,
        )


def _large(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    if isinstance(value, int) and not _LEAST <= value <= _MOST:
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _large(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _large(item, (*path, index))
