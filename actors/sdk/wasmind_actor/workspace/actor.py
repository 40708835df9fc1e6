"""The base of both file actors: the tool `read_file`, and what an edit needs."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Final

from wasmind_actor import files, host
from wasmind_actor.actor import Actor, ConfigT, Contribution
from wasmind_actor.codec import Param
from wasmind_actor.handlers import on
from wasmind_actor.messages import Data, StatusUpdate, SystemPromptContribution
from wasmind_actor.status import CompactingConversation, Wait
from wasmind_actor.struct import Struct
from wasmind_actor.tools import ToolError, ToolResult, tool
from wasmind_actor.wire import I64
from wasmind_actor.workspace.cache import (
    CachedFile,
    FileCache,
    ReadError,
    Slice,
    clean_path,
    prompt_data,
    read_now,
    within,
)
from wasmind_actor.workspace.edits import Edit, EditError, apply_edits, creates, unified_diff
from wasmind_actor.workspace.guides import EDIT_GUIDE, READ_GUIDE, TEMPLATE

POINTER: Final = "The current content is in the section FilesReadAndEdited of your system prompt."
_KEY: Final = "file_interaction"

READING: Final = Contribution.guide(
    "read_file", READ_GUIDE, key=f"{_KEY}:read_file_usage_guide", priority=900, after_tools=True
)


def editing(when: str | None = None) -> Contribution:
    """The guide to `edit_file`; `when` as in `Contribution`."""
    key = f"{_KEY}:edit_file_usage_guide"
    return Contribution.guide(
        "edit_file", EDIT_GUIDE, key=key, priority=901, after_tools=True, when=when
    )


class PlannedEdit(Struct):
    """An edit that fits, and what it will change.

    Attributes:
        path: absolute and clean.
        given: the path as the model gave it.
        after: the new content.
        diff: in unified format; empty if nothing changes.
        new: whether the file does not exist yet.
        count: how many replacements it is made of.
    """

    path: str
    given: str
    after: str
    diff: str
    new: bool
    count: int


class FileActor(Actor[ConfigT]):
    """Offers `read_file` and keeps what was read in the system prompt."""

    folder: str
    cache: FileCache

    def start(self) -> None:
        """No file is known yet; the working directory stays what it is now."""
        self.folder = host.working_directory()
        self.cache = FileCache()

    def stop(self) -> None:
        """Forget the files."""
        self.cache.clear()

    @on(StatusUpdate)
    def status_changed(self, message: StatusUpdate) -> None:
        """What was read belongs to the conversation that is being compacted: forget it."""
        match message.status:
            case Wait(reason=CompactingConversation()):
                self.cache.clear()
                self.show_files()

    @tool
    def read_file(
        self,
        path: Annotated[str, Param("The file, absolute or below the working directory.")],
        start_line: Annotated[I64 | None, Param("First line to read, counted from 1.")] = None,
        end_line: Annotated[I64 | None, Param("Last line to read, included.")] = None,
    ) -> ToolResult:
        """Reads a text file: small ones whole, large ones by a range of lines.

        The content appears in your system prompt, each line as NUMBER:LINE.
        """
        clean = clean_path(path, self.folder)
        wanted = _range(start_line, end_line)
        try:
            seen = self._read(clean, wanted)
        except ReadError as error:
            raise _failed(path, "read", str(error)) from None
        self.show_files()
        message = _told(path, seen, wanted)
        details = f"Path: {clean}\nLines: {seen.total}\n\n{seen.content()}"
        return ToolResult(f"{message} {POINTER}", message, details)

    def _read(self, path: str, wanted: Slice | None) -> CachedFile:
        known = self.cache.get(path)
        if known is not None and self._is_current(known):
            needed = Slice(start=1, end=known.total) if wanted is None else wanted
            if wanted is not None:
                needed = within(wanted, known.total, path)
            if known.covers(needed):
                return known
        return self.cache.read(path, wanted)

    def _is_current(self, known: CachedFile) -> bool:
        try:
            return read_now(known.path).digest == known.digest
        except ReadError:
            return False

    def plan_edit(self, path: str, edits: tuple[Edit, ...]) -> PlannedEdit:
        """What edits would make of a file as it is now.

        Raises:
            ToolError: the file was not read, has changed since, or an edit does not fit.
        """
        clean = clean_path(path, self.folder)
        try:
            before = self._before(clean, edits)
            after = apply_edits(before or "", edits)
        except (ReadError, EditError) as error:
            raise _failed(path, "edit", str(error)) from None
        return PlannedEdit(
            path=clean,
            given=path,
            after=after,
            diff=unified_diff(path, before or "", after),
            new=before is None,
            count=len(edits),
        )

    def _before(self, path: str, edits: tuple[Edit, ...]) -> str | None:
        """The content to edit; None for a file that does not exist and is to be made."""
        try:
            missing = not files.exists(path)
        except files.FileError as error:
            raise ReadError(str(error)) from None
        if missing:
            if creates(edits):
                return None
            raise EditError(
                f"`{path}` does not exist; to create it use an edit with an empty `old_string`"
            )
        known = self.cache.get(path)
        if known is None:
            raise EditError(f"`{path}` must be read with `read_file` before it can be edited")
        now = read_now(path)
        if now.digest != known.digest:
            raise EditError(f"`{path}` has changed since it was read; read it again")
        return now.text

    def carry_out(self, planned: PlannedEdit, review: str = "") -> ToolResult:
        """Write a planned edit and show the file as it is now.

        Args:
            planned: as `plan_edit` returned it just before.
            review: what reviewers said, for the model and for people.

        Raises:
            ToolError: the file cannot be written; it is as it was.
        """
        if planned.diff or planned.new:
            self._write(planned)
        with suppress(ReadError):  # it is gone again: the next edit will say so
            self.cache.refresh(planned.path)
        self.show_files()
        count = "1 edit" if planned.count == 1 else f"{planned.count} edits"
        parts = [f"Edited {planned.given}.", f"```diff\n{planned.diff}```", POINTER, review]
        details = f"Path: {planned.path}\nOperation: {'create' if planned.new else 'edit'}, {count}"
        return ToolResult(
            "\n\n".join(part for part in parts if part),
            f"{planned.given}: {count} applied",
            "\n\n".join(part for part in (details, planned.diff, review) if part),
        )

    def _write(self, planned: PlannedEdit) -> None:
        content = planned.after.encode("utf-8", "replace")
        try:
            if planned.new:
                files.make_folder(planned.path.rpartition("/")[0] or "/")
            files.write(planned.path, content)
        except files.FileError as error:
            raise _failed(
                planned.given, "edit", f"`{planned.path}` is unchanged: {error}"
            ) from None

    def show_files(self) -> None:
        """Put everything read and edited into the system prompt."""
        data = prompt_data(self.folder, self.cache.shown())
        self.broadcast(
            SystemPromptContribution(
                agent=self.scope,
                key=f"{_KEY}:files_read_and_edited",
                content=Data(data=data, default_template=TEMPLATE),
                priority=500,
                section="FilesReadAndEdited",
            )
        )


def _range(start: int | None, end: int | None) -> Slice | None:
    for name, value in (("start_line", start), ("end_line", end)):
        if value is not None and value < 0:
            raise ToolError(
                f"`{name}` is {value}; lines are counted from 1", f"`{name}`: invalid line number"
            )
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise ToolError("give both `start_line` and `end_line`, or neither")
    return Slice(start=start, end=end)


def _told(path: str, seen: CachedFile, wanted: Slice | None) -> str:
    """What was read, in a sentence."""
    total = seen.total
    if wanted is None:
        return f"Read {path}: complete file, {total} lines."
    if wanted.end > total:
        read = "complete file" if wanted.start == 1 else f"lines {wanted.start} to {total}"
        return (
            f"Read {path}: lines {wanted.start} to {wanted.end} were asked for, the file has "
            f"{total}; read {read}."
        )
    if (wanted.start, wanted.end) == (1, total):
        return f"Read {path}: lines 1 to {total} of {total}, complete file."
    left = total - wanted.end
    return f"Read {path}: lines {wanted.start} to {wanted.end} of {total}, {left} more follow."


def _failed(path: str, operation: str, reason: str) -> ToolError:
    return ToolError(
        reason,
        f"{path}: {operation} failed",
        f"Path: {path}\nOperation: {operation}\nReason: {reason}",
    )
