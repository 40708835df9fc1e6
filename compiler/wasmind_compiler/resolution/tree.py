"""The tree digest: one number for everything in an actor's folder.

It is the sha256 of the line `wasmind tree 1` followed by one line for every entry, in the order of
the UTF-8 bytes of the paths:

    KIND SP LENGTH SP SHA256 SP PATH LF

`KIND` is `f` for a file, `x` for a file its owner may execute, `l` for a symbolic link. `PATH` is
relative with `/` between its parts, `LENGTH` the number of its UTF-8 bytes (so that no name can
imitate a line end). `SHA256` is that of the content, for a link that of its target text. Folders
count only through what is in them. Times, owners and other permissions never count.

Left out wherever they occur, because they are made by programs and not by authors: `.git`, `.hg`,
`.svn`, `.venv`, `__pycache__`, `.mypy_cache`, `.pytest_cache`, `.ruff_cache`, `node_modules`,
`target` and `.DS_Store`. Nothing that is left out may become part of an actor, so whoever reads an
actor's folder goes through `read_tree`. Links that lead out of the folder are refused.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Final, Literal

IGNORED: Final = frozenset(
    {".git", ".hg", ".svn", ".venv", "__pycache__", ".mypy_cache", ".pytest_cache"}
    | {".ruff_cache", "node_modules", "target", ".DS_Store"}
)
_FIRST_LINE: Final = b"wasmind tree 1\n"


class LinkLeavesTreeError(Exception):
    """A symbolic link leads out of the folder. `path` is relative, `target` its text."""

    def __init__(self, path: str, target: str) -> None:
        super().__init__(f"`{path}` is a link to `{target}`")
        self.path = path
        self.target = target


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file or link of a tree. `path` is relative and posix; `content` of a link is its target."""

    path: str
    kind: Literal["f", "x", "l"]
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A folder as it was read, and its digest in hex."""

    entries: tuple[Entry, ...]
    digest: str

    def content(self, path: str) -> bytes | None:
        """What a path holds; links inside the tree are followed once."""
        entry = self._find(path)
        if entry is not None and entry.kind == "l":
            target = PurePosixPath(path).parent / os.fsdecode(entry.content)
            entry = self._find(Path(os.path.normpath(target)).as_posix())
        return None if entry is None or entry.kind == "l" else entry.content

    def _find(self, path: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.path == path), None)


def read_tree(folder: Path) -> Tree:
    """Read a folder.

    Raises:
        LinkLeavesTreeError: a link leads outside.
        OSError: something cannot be read.
    """
    root = folder.resolve()
    entries = sorted(_walk(root, root), key=lambda entry: os.fsencode(entry.path))
    return Tree(entries=tuple(entries), digest=tree_digest(entries))


def tree_digest(entries: list[Entry]) -> str:
    """The digest of entries that are already in order."""
    digest = hashlib.sha256(_FIRST_LINE)
    for entry in entries:
        path = os.fsencode(entry.path)
        content = hashlib.sha256(entry.content).hexdigest()
        digest.update(b"%s %d %s %s\n" % (entry.kind.encode(), len(path), content.encode(), path))
    return digest.hexdigest()


def _walk(root: Path, folder: Path) -> Iterator[Entry]:
    pending = [folder]
    while pending:
        with os.scandir(pending.pop()) as found:
            for item in found:
                if item.name in IGNORED:
                    continue
                if item.is_dir(follow_symlinks=False):
                    pending.append(Path(item.path))
                elif (entry := _entry(root, Path(item.path))) is not None:
                    yield entry


def _entry(root: Path, path: Path) -> Entry | None:
    relative = path.relative_to(root).as_posix()
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        target = os.readlink(path)  # noqa: PTH115 - pathlib would tidy the text
        if PurePath(target).is_absolute() or not path.resolve().is_relative_to(root):
            raise LinkLeavesTreeError(relative, target)
        return Entry(path=relative, kind="l", content=os.fsencode(target))
    if not stat.S_ISREG(mode):
        # Sockets, pipes and devices have no content that could be pinned.
        return None
    kind: Literal["f", "x"] = "x" if mode & stat.S_IXUSR else "f"
    return Entry(path=relative, kind=kind, content=path.read_bytes())
