"""Git LFS: the files that a repository holds only pointers to.

https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md

An object is known by the sha256 of its content, so that it does not matter who hands it over: what
does not have the size and digest of its pointer is never used.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from wasmind.records import Record
from wasmind_compiler.frontend.limits import read_bounded
from wasmind_compiler.resolution.git.store import Repository

_FIRST_LINE: Final = b"version https://git-lfs.github.com/spec/v1\n"
_POINTER: Final = re.compile(
    re.escape(_FIRST_LINE) + rb"oid sha256:([0-9a-f]{64})\nsize (0|[1-9][0-9]{0,17})\n"
)


class LfsError(Exception):
    """An object cannot be had; the message says why."""

    def __init__(self, pointer: Pointer | None, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


class Pointer(Record):
    """What stands in the repository for a file: its sha256 in hex and its size in bytes."""

    oid: str
    size: int

    def check(self, content: bytes) -> bytes:
        """The content of the file, if it is that.

        Raises:
            LfsError: it is not.
        """
        if len(content) != self.size:
            raise LfsError(self, f"it has {len(content)} bytes, its pointer says {self.size}")
        found = hashlib.sha256(content).hexdigest()
        if found != self.oid:
            raise LfsError(self, f"its sha256 is {found}, its pointer says {self.oid}")
        return content


def is_pointer(content: bytes) -> bool:
    """Whether a file begins like a pointer."""
    return content.startswith(_FIRST_LINE)


def read_pointer(content: bytes) -> Pointer | None:
    """The pointer that a file is; None if it is malformed, or of a kind that is not known."""
    found = _POINTER.fullmatch(content)
    return None if found is None else Pointer(found[1].decode(), int(found[2]))


class LfsObjects:
    """Objects below a folder, laid out as Git LFS does it: `aa/bb/<oid>`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, pointer: Pointer) -> bytes | None:
        """The content of an object; None if it is not here.

        Raises:
            LfsError: something else is in its place.
        """
        try:
            content = read_bounded(self._path(pointer), pointer.size)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise LfsError(pointer, f"it cannot be read: {error.strerror}") from error
        return pointer.check(content)

    def write(self, pointer: Pointer, content: bytes) -> None:
        """Keep an object whose content has been checked."""
        target = self._path(pointer)
        target.parent.mkdir(parents=True, exist_ok=True)
        import tempfile  # takes a while; few actors have big files

        with tempfile.NamedTemporaryFile(dir=target.parent, prefix="tmp_", delete=False) as aside:
            aside.write(content)
        Path(aside.name).replace(target)

    def _path(self, pointer: Pointer) -> Path:
        return self._folder / pointer.oid[:2] / pointer.oid[2:4] / pointer.oid


def fetch_large_files(
    repository: Repository, like: str, pointers: Iterable[Pointer], *, offline: bool
) -> Mapping[Pointer, bytes]:
    """The content of exactly these objects.

    Args:
        repository: whose pointers they are.
        like: any id of the repository, which tells its store.
        pointers: what is wanted.
        offline: only the cache may be asked; what it does not have is missing in the result.

    Raises:
        LfsError: an object cannot be had, or is not what its pointer says.
        GitCommandError, GitMissingError, LimitExceededError, OSError: see `Repository.fetch`.
    """
    kept = LfsObjects(repository.store(like) / "lfs" / "objects")
    wanted = list(dict.fromkeys(pointers))
    contents = _kept(kept, wanted)
    missing = [pointer for pointer in wanted if pointer not in contents]
    if not missing or offline:
        return contents
    with repository.held(like):
        # Another process may have fetched them while this one waited.
        contents |= _kept(kept, missing)
        missing = [pointer for pointer in missing if pointer not in contents]
        for pointer, content in _fetched(repository, missing):
            kept.write(pointer, content)
            contents[pointer] = content
    return contents


def _kept(kept: LfsObjects, wanted: Iterable[Pointer]) -> dict[Pointer, bytes]:
    found = {}
    for pointer in wanted:
        try:
            content = kept.read(pointer)
        except LfsError:
            continue  # damaged: it is fetched and written anew
        if content is not None:
            found[pointer] = content
    return found


def _fetched(repository: Repository, missing: Iterable[Pointer]) -> Iterable[tuple[Pointer, bytes]]:
    if repository.address().scheme == "file":
        return _from_folder(repository.address().folder, missing)
    # Only sources with big files need a web client, and it is slow to import.
    from wasmind_compiler.resolution.git.lfs_server import LfsServer

    return LfsServer(repository).download(missing)


def _from_folder(root: Path, missing: Iterable[Pointer]) -> Iterable[tuple[Pointer, bytes]]:
    """From the store of a repository on this machine, bare or with a work tree."""
    for pointer in missing:
        for git in (root / ".git", root, root.with_name(f"{root.name}.git")):
            content = LfsObjects(git / "lfs" / "objects").read(pointer)
            if content is not None:
                yield pointer, content
                break
        else:
            raise LfsError(pointer, "the repository's `lfs/objects` does not have it")
