"""Exact search and replace, all or nothing, and the diff that shows it. Pure functions."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Annotated, Final

from wasmind_actor.codec import Param
from wasmind_actor.wire import Record
from wasmind_actor.workspace.lines import quote, uses_crlf

_CONTEXT_LINES: Final = 10
_NO_NEWLINE: Final = "\\ No newline at end of file\n"


class EditError(Exception):
    """An edit does not fit the text; says why."""


class Edit(Record):
    """One replacement."""

    old_string: Annotated[
        str, Param("The exact text to replace, without line numbers; empty to create a file.")
    ]
    new_string: Annotated[str, Param("What to put in its place.")]
    replace_all: Annotated[bool, Param("Replace every occurrence, not just a single one.")] = False


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """The text after all edits, each applied to the result of the one before.

    In a text whose lines end in CRLF, so do the lines of an edit: models see no CR.

    Raises:
        EditError: an edit does not fit; which one, and why.
    """
    crlf = uses_crlf(text)
    for number, edit in enumerate(edits, start=1):
        try:
            text = _apply(text, _with_crlf(edit) if crlf else edit)
        except EditError as error:
            where = f"edit {number} of {len(edits)}: " if len(edits) > 1 else ""
            raise EditError(f"{where}{error}") from None
    return text


def creates(edits: Sequence[Edit]) -> bool:
    """Whether the edits are meant for a file that does not exist yet."""
    return any(not edit.old_string for edit in edits)


def unified_diff(path: str, before: str, after: str) -> str:
    """The difference between two texts in unified format; empty if there is none."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        path,
        f"{path} (modified)",
        n=_CONTEXT_LINES,
    )
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)


def _with_crlf(edit: Edit) -> Edit:
    def convert(text: str) -> str:
        return text.replace("\r\n", "\n").replace("\n", "\r\n")

    return Edit(
        old_string=convert(edit.old_string),
        new_string=convert(edit.new_string),
        replace_all=edit.replace_all,
    )


def _apply(text: str, edit: Edit) -> str:
    if not edit.old_string:
        if text:
            raise EditError("an empty `old_string` is only for new files, and this one has content")
        return edit.new_string
    count = text.count(edit.old_string)
    if count == 0:
        raise EditError(
            f"the text {quote(edit.old_string)} was not found; copy it exactly as it is shown, "
            "without the line numbers"
        )
    if count > 1 and not edit.replace_all:
        raise EditError(
            f"the text {quote(edit.old_string)} occurs {count} times; set `replace_all`, or add "
            "lines before or after it until it occurs once"
        )
    return text.replace(edit.old_string, edit.new_string)
