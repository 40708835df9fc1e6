"""Applying fixes to the bytes of files. Nothing here reads or writes one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from wasmind_compiler.diagnostics.masking import masked_file
from wasmind_compiler.diagnostics.model import Edit, Fix


@dataclass(frozen=True, slots=True)
class Change:
    """What fixes make of one file."""

    file: str
    before: bytes
    after: bytes

    def diff(self) -> str:
        """A unified diff for people, secrets covered."""
        before, after = (
            masked_file(content.decode("utf-8", "replace")).splitlines(keepends=True)
            for content in (self.before, self.after)
        )
        lines = difflib.unified_diff(before, after, self.file, self.file)
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def choose(fixes: Iterable[Fix]) -> list[Fix]:
    """The fixes that can be applied together; of two that overlap the first is taken.

    What is inserted at one place does not overlap: it is inserted in the order of the fixes.
    """
    taken: list[Edit] = []
    chosen = []
    for fix in fixes:
        if not any(_overlap(edit, other) for edit in fix.edits for other in taken):
            chosen.append(fix)
            taken += fix.edits
    return chosen


def apply(fixes: Iterable[Fix], contents: Mapping[str, bytes]) -> list[Change]:
    """What the fixes, which do not overlap, make of the files they touch.

    Args:
        fixes: all are applied.
        contents: bytes by the name that spans have for a file.
    """
    by_file: dict[str, list[Edit]] = {}
    for fix in fixes:
        for edit in fix.edits:
            by_file.setdefault(edit.span.file, []).append(edit)
    return [
        Change(file, contents[file], apply_edits(contents[file], edits))
        for file, edits in by_file.items()
    ]


def apply_edits(content: bytes, edits: Iterable[Edit]) -> bytes:
    """The content with all edits made; those at one place in their order."""
    ordered = sorted(enumerate(edits), key=lambda each: (each[1].span.start.byte, each[0]))
    for _, edit in reversed(ordered):
        start, end = edit.span.start.byte, edit.span.end.byte
        content = content[:start] + edit.replacement.encode() + content[end:]
    return content


def _overlap(one: Edit, other: Edit) -> bool:
    if one.span.file != other.span.file:
        return False
    if one.span == other.span and one.replacement == other.replacement:
        # The same edit twice would be made twice.
        return True
    start = max(one.span.start.byte, other.span.start.byte)
    end = min(one.span.end.byte, other.span.end.byte)
    both_insert = start == end and one.span == other.span
    return start < end or (one.span.start.byte == other.span.start.byte and not both_insert)
