"""What a model has read of files, kept as one current copy of each."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Sequence
from typing import Final

from wasmind_actor import files
from wasmind_actor.struct import Struct
from wasmind_actor.workspace.lines import lines_of, numbered, omitted

LARGEST_FILE: Final = 10 << 20
#: Up to this size a file is read whole without being asked for a range.
LARGEST_WHOLE: Final = 64 << 10
#: What is shown of all files together, in characters.
LARGEST_SHOWN: Final = 512 << 10


class ReadError(Exception):
    """A file cannot be read as it was asked for; says why."""


class Slice(Struct):
    """Some lines of a file, `start` to `end`, both included and counted from 1."""

    start: int
    end: int


class CachedFile(Struct):
    """What is known of a file.

    Attributes:
        path: absolute and clean.
        digest: of the whole content when it was read.
        lines: all lines of the file.
        shown: what the model has seen of them, in order and without overlap.
    """

    path: str
    digest: str
    lines: tuple[str, ...]
    shown: tuple[Slice, ...]

    @property
    def total(self) -> int:
        """How many lines the file has."""
        return len(self.lines)

    @property
    def whole(self) -> bool:
        """Whether the model has seen all of it."""
        return self.covers(Slice(start=1, end=max(1, self.total)))

    def covers(self, wanted: Slice) -> bool:
        """Whether the model has seen a range already."""
        return any(each.start <= wanted.start and wanted.end <= each.end for each in self.shown)

    def content(self) -> str:
        """What the model has seen, with line numbers, and notes for what it has not."""
        parts: list[str] = []
        line = 1
        for each in self.shown:
            if each.start > line:
                parts.append(omitted(each.start - line))
            parts.append(numbered(self.lines[each.start - 1 : each.end], each.start))
            line = each.end + 1
        if line <= self.total:
            parts.append(omitted(self.total - line + 1))
        return "\n".join(part for part in parts if part)


class TextFile(Struct):
    """A file as it is now."""

    path: str
    digest: str
    text: str


def clean_path(path: str, folder: str) -> str:
    """An absolute path without `.`, `..` and doubled separators; links are not resolved."""
    clean = posixpath.normpath(posixpath.join(folder, path))
    return "/" + clean.lstrip("/")


def read_now(path: str) -> TextFile:
    """Read a file.

    Raises:
        ReadError: there is none, it is no text, or it is too large.
    """
    try:
        found = files.stat(path)
        if found.kind != "file":
            raise ReadError(f"`{path}` is a {found.kind}, not a file")
        if found.size > LARGEST_FILE:
            raise ReadError(
                f"`{path}` has {found.size} bytes; files of up to {LARGEST_FILE} bytes can be read"
            )
        content = files.read(path)
    except files.NotFoundError:
        raise ReadError(f"`{path}` does not exist") from None
    except files.DeniedError as error:
        raise ReadError(f"`{path}` may not be read: {error}") from None
    except files.FileError as error:
        raise ReadError(f"`{path}` cannot be read: {error}") from None
    return TextFile(path=path, digest=digest_of(content), text=_decoded(path, content))


def digest_of(content: bytes) -> str:
    """Tells two contents apart, whatever the clock says."""
    return hashlib.sha256(content).hexdigest()


def _decoded(path: str, content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReadError(
            f"`{path}` is not text in UTF-8 (byte {error.start} is 0x{content[error.start]:02x})"
        ) from None
    if "\0" in text:
        raise ReadError(f"`{path}` is a binary file")
    return text


class FileCache:
    """The files a model has read, least recently used first."""

    def __init__(self) -> None:
        self._files: dict[str, CachedFile] = {}

    def get(self, path: str) -> CachedFile | None:
        """What is known of a file."""
        return self._files.get(path)

    def clear(self) -> None:
        """Forget everything."""
        self._files.clear()

    def read(self, path: str, wanted: Slice | None) -> CachedFile:
        """Read a file, whole or some lines, and keep what has been seen of it.

        What had been seen of a file that has changed is shown as it is now.

        Raises:
            ReadError: it cannot be read, is too large to be read whole, or has no such lines.
        """
        now = read_now(path)
        lines = lines_of(now.text)
        known = self._files.get(path)
        ranges = list(known.shown) if known is not None else []
        if wanted is None:
            size = len(now.text.encode())
            if size > LARGEST_WHOLE:
                raise ReadError(_too_large(path, size, len(lines)))
            ranges = [Slice(start=1, end=len(lines))]
        else:
            ranges.append(within(wanted, len(lines), path))
        return self._keep(path, now.digest, lines, ranges)

    def refresh(self, path: str) -> None:
        """Show a file as it is now, after it was edited. One that was seen whole stays so, if it
        is not too large by now.

        Raises:
            ReadError: it cannot be read.
        """
        known = self._files.get(path)
        now = read_now(path)
        lines = lines_of(now.text)
        if known is None or known.whole:
            whole = len(now.text.encode()) <= LARGEST_WHOLE or known is not None
            ranges = [Slice(start=1, end=len(lines))] if whole else []
        else:
            ranges = list(known.shown)
        self._keep(path, now.digest, lines, ranges)

    def shown(self) -> list[CachedFile]:
        """All files by path; those that have vanished, and the least recently used of too many,
        are forgotten first."""
        for path in [path for path in self._files if not _exists(path)]:
            del self._files[path]
        sizes = {path: len(each.content()) for path, each in self._files.items()}
        for path in list(self._files)[:-1]:
            if sum(sizes.values()) <= LARGEST_SHOWN:
                break
            del self._files[path], sizes[path]
        return [self._files[path] for path in sorted(self._files)]

    def _keep(
        self, path: str, digest: str, lines: tuple[str, ...], ranges: Iterable[Slice]
    ) -> CachedFile:
        self._files.pop(path, None)
        shown = merged(ranges, len(lines))
        kept = CachedFile(path=path, digest=digest, lines=lines, shown=shown)
        self._files[path] = kept
        return kept


def within(wanted: Slice, total: int, path: str) -> Slice:
    """A range cut off at the end of the file.

    Raises:
        ReadError: it is no range of this file.
    """
    if wanted.start < 1 or wanted.start > total or wanted.end < wanted.start:
        raise ReadError(
            f"lines {wanted.start} to {wanted.end} are no range of `{path}`, which has {total} "
            "lines, counted from 1"
        )
    return Slice(start=wanted.start, end=min(wanted.end, total))


def merged(ranges: Iterable[Slice], total: int) -> tuple[Slice, ...]:
    """Ranges in order, those that touch joined, without what a file no longer has."""
    joined: list[Slice] = []
    for each in sorted(ranges, key=lambda item: item.start):
        end = min(each.end, total)
        if each.start > end:
            continue
        if joined and each.start <= joined[-1].end + 1:
            last = joined.pop()
            joined.append(Slice(start=last.start, end=max(last.end, end)))
        else:
            joined.append(Slice(start=each.start, end=end))
    return tuple(joined)


def prompt_data(folder: str, shown: Sequence[CachedFile]) -> dict[str, object]:
    """The files as data for the template of the prompt."""
    listed = [{"path": each.path, "content": each.content()} for each in shown]
    return {"working_directory": folder, "files": listed}


def _exists(path: str) -> bool:
    try:
        return files.exists(path)
    except files.FileError:
        return False


def _too_large(path: str, size: int, total: int) -> str:
    return (
        f"`{path}` is too large to be read whole; give `start_line` and `end_line`. "
        f'{{"path": "{path}", "size_bytes": {size}, "total_lines": {total}}}'
    )
