"""What is said about a mistake whose cause is known, instead of the general words."""

from __future__ import annotations

from dataclasses import dataclass

from wasmind_compiler.diagnostics import Edit, Fix, Label
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What to say; None leaves the general words as they are."""

    message: str | None = None
    labels: tuple[Label, ...] = ()
    help: str | None = None
    fix: Fix | None = None


def rewritten(document: Document, path: KeyPath, text: str, *, sure: bool = False) -> Hint:
    """Write `text` instead of the value at `path`."""
    fix = Fix(
        title=f"write `{text}`",
        edits=(Edit(document.value(path), text),),
        applicability="always" if sure else "maybe",
    )
    return Hint(help=fix.title, fix=fix)
