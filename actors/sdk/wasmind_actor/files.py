"""Files below the folders granted to the actor. Capability `filesystem`.

Paths are those of the host; relative ones start at its working directory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from wasmind_actor import door

Kind: TypeAlias = Literal["file", "directory", "other"]


class FileError(Exception):
    """It did not work; the text names the path."""


class DeniedError(FileError):
    """No grant covers the path."""


class NotFoundError(FileError):
    """There is no such file."""


class WrongKindError(FileError):
    """A folder where a file is needed, or the other way round."""


class TooLargeError(FileError):
    """More than the host hands over at once; read a range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat:
    """What a path is; `size` in bytes, `modified_ms` since 1970-01-01 UTC."""

    kind: Kind
    size: int
    modified_ms: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A member of a folder."""

    name: str
    kind: Kind


def read(path: str) -> bytes:
    """A whole file. Raises `FileError`, as all functions here."""
    return door.host().read(path)


def read_text(path: str) -> str:
    """A whole file as UTF-8, with replacement characters for what is not."""
    return read(path).decode("utf-8", "replace")


def read_range(path: str, offset: int, length: int) -> bytes:
    """Part of a file; shorter than `length` only at its end."""
    return door.host().read_range(path, offset, length)


def write(path: str, content: bytes | str) -> None:
    """Replace a whole file at once; text is written as UTF-8."""
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    door.host().write(path, data)


def stat(path: str) -> Stat:
    """What a path is, links followed."""
    return door.host().stat(path)


def exists(path: str) -> bool:
    """Whether there is something at the path."""
    try:
        stat(path)
    except NotFoundError:
        return False
    return True


def entries(path: str) -> tuple[Entry, ...]:
    """The members of a folder, sorted by name."""
    return door.host().entries(path)


def make_folder(path: str) -> None:
    """Make a folder, with missing parents; an existing one is fine."""
    door.host().make_folder(path)


def remove(path: str) -> None:
    """Remove a file, a link or an empty folder."""
    door.host().remove(path)
