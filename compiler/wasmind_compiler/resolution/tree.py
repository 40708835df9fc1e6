"""The tree digest: one number for everything in an actor's folder.

It is the sha256 of the line `wasmind tree 1` followed by one line for every entry, in the order of
the UTF-8 bytes of the paths:

    KIND SP LENGTH SP SHA256 SP PATH LF

`KIND` is `f` for a file, `x` for a file its owner may execute, `l` for a symbolic link. `PATH` is
relative with `/` between its parts, `LENGTH` the number of its UTF-8 bytes (so that no name can
imitate a line end). `SHA256` is that of the content, for a link that of its target text. Folders
count only through what is in them. Times, owners and other permissions never count.

Left out wherever they occur, as files and as folders, because programs make them, not authors:

* of version control: `.git`, `.hg`, `.svn`
* of Python and its tools: `__pycache__`, `.venv`, `.mypy_cache`, `.pytest_cache`, `.ruff_cache`,
  `.hypothesis`, `.tox`, `.nox`, `.ipynb_checkpoints`, `.coverage`, `.coverage.*`, `htmlcov`,
  `*.egg-info`, `*.pyc`, `*.pyo`
* of other tools: `node_modules`, `target`
* of editors: `.idea`, `.vscode`, `*~`, `#*#`, `.#*`, `*.swp`, `*.swo`, hidden files ending in
  `.swa` to `.swp`, `*.kate-swp`, `*___jb_tmp___`, `*___jb_old___`
* of desktops and file systems: `.DS_Store`, `._*`, `Thumbs.db`, `desktop.ini`, `.directory`,
  `.nfs*`, `.fuse_hidden*`
* of one machine and not meant to leave it: `.env`, `.envrc`, `.direnv`

A `.gitignore` is a file like any other and has no say: what it leaves out depends on folders above,
on the user's own settings and on what was committed all the same, so the digest of one folder would
differ from place to place.

Nothing that is left out may become part of an actor, so whoever reads an actor's folder goes
through `read_tree`. Links that lead out of the folder are refused, and so are folders beyond any
reasonable size, before they are in memory.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import Final, Literal, NoReturn

from wasmind.records import Record
from wasmind_compiler.frontend.limits import read_up_to

_IGNORED: Final = frozenset(
    {".git", ".hg", ".svn", ".venv", "__pycache__", ".mypy_cache", ".pytest_cache"}
    | {".ruff_cache", ".hypothesis", ".tox", ".nox", ".ipynb_checkpoints", ".coverage", "htmlcov"}
    | {"node_modules", "target", ".idea", ".vscode", ".DS_Store", "Thumbs.db", "desktop.ini"}
    | {".directory", ".env", ".envrc", ".direnv"}
)
_IGNORED_BEGINNINGS: Final = (".coverage.", ".#", "._", ".nfs", ".fuse_hidden")
_IGNORED_ENDINGS: Final = (
    *(".egg-info", ".pyc", ".pyo", "~", ".swp", ".swo"),
    *(".kate-swp", "___jb_tmp___", "___jb_old___"),
)
#: Vim counts down from `p` while other swap files are there.
_SWAP_FILES: Final = frozenset(f".sw{letter}" for letter in "abcdefghijklmnop")
_FIRST_LINE: Final = b"wasmind tree 1\n"
_MIB: Final = 1024 * 1024
#: Parts of a path and of the links on it; links can lead in circles.
_MOST_STEPS: Final = 10_000


class TreeLimits(Record):
    """How large an actor's folder may be: files and links, bytes in all files, nested folders."""

    files: int = 20_000
    size: int = 512 * _MIB
    depth: int = 100


DEFAULT_LIMITS: Final = TreeLimits()


class LinkLeavesTreeError(Exception):
    """A symbolic link leads out of the folder. `path` is relative, `target` its text."""

    def __init__(self, path: str, target: str) -> None:
        super().__init__(f"`{path}` is a link to `{target}`")
        self.path = path
        self.target = target


class TreeTooLargeError(Exception):
    """A folder is beyond a limit; the message says which, `path` where reading stopped."""

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.path = path


class Entry(Record):
    """A file or link of a tree. `path` is relative and posix; `content` of a link is its target."""

    path: str
    kind: Literal["f", "x", "l"]
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A folder as it was read, and its digest in hex."""

    entries: tuple[Entry, ...]
    digest: str

    def content(self, path: str) -> bytes | None:
        """What a path holds; links inside the tree are followed."""
        entry = self._by_path.get(path)
        if entry is None or entry.kind == "l":
            entry = self._behind_links(path)
        return None if entry is None else entry.content

    def _behind_links(self, path: str) -> Entry | None:
        """The file at a path that leads over links."""
        at: list[str] = []
        pending = path.split("/")[::-1]
        for _ in range(_MOST_STEPS):
            if not pending:
                return self._by_path.get("/".join(at))
            part = pending.pop()
            if part == "..":
                del at[-1:]
            elif part not in ("", "."):
                at.append(part)
                entry = self._by_path.get("/".join(at))
                if entry is not None and entry.kind == "l":
                    at.pop()
                    pending += os.fsdecode(entry.content).split("/")[::-1]
        return None

    @cached_property
    def _by_path(self) -> Mapping[str, Entry]:
        return {entry.path: entry for entry in self.entries}


def read_tree(folder: Path, limits: TreeLimits = DEFAULT_LIMITS) -> Tree:
    """Read a folder.

    Raises:
        LinkLeavesTreeError: a link leads outside, or in circles.
        TreeTooLargeError: it is beyond the limits.
        OSError: something cannot be read.
    """
    entries = _Reader(folder.resolve(), limits).read()
    entries.sort(key=lambda entry: os.fsencode(entry.path))
    return Tree(entries=tuple(entries), digest=tree_digest(entries))


def is_ignored(name: str) -> bool:
    """Whether an entry of this name, file or folder, never is part of a tree."""
    return (
        name in _IGNORED
        or name.endswith(_IGNORED_ENDINGS)
        or (name[0] in ".#" and _is_hidden_trace(name))
    )


def _is_hidden_trace(name: str) -> bool:
    if name[0] == "#":
        return len(name) > 1 and name[-1] == "#"
    return name.startswith(_IGNORED_BEGINNINGS) or name[-4:] in _SWAP_FILES


def tree_digest(entries: list[Entry]) -> str:
    """The digest of entries that are already in order."""
    digest = hashlib.sha256(_FIRST_LINE)
    for entry in entries:
        path = os.fsencode(entry.path)
        content = hashlib.sha256(entry.content).hexdigest()
        digest.update(b"%s %d %s %s\n" % (entry.kind.encode(), len(path), content.encode(), path))
    return digest.hexdigest()


class _Reader:
    """Reads one folder, counting as it goes."""

    # With the paths that `scandir` gives: for thousands of small folders, objects made of paths
    # would cost more than reading the files.

    def __init__(self, root: Path, limits: TreeLimits) -> None:
        self._root = root
        self._prefix = len(os.path.join(root, ""))  # noqa: PTH118 - with the separator at its end
        self._limits = limits
        self._left = limits.size

    def read(self) -> list[Entry]:
        entries: list[Entry] = []
        pending = [(os.fspath(self._root), 0)]
        while pending:
            folder, depth = pending.pop()
            if depth > self._limits.depth:
                self._refuse(f"folders nested more than {self._limits.depth} deep", folder)
            with os.scandir(folder) as found:
                for item in found:
                    if is_ignored(item.name):
                        continue
                    if len(entries) + len(pending) >= self._limits.files:
                        self._refuse(f"more than {self._limits.files:,} files", folder)
                    if item.is_dir(follow_symlinks=False):
                        pending.append((item.path, depth + 1))
                    elif (entry := self._entry(item)) is not None:
                        entries.append(entry)
        return entries

    def _entry(self, item: os.DirEntry[str]) -> Entry | None:
        relative = self._relative(item.path)
        status = item.stat(follow_symlinks=False)
        mode = status.st_mode
        if stat.S_ISLNK(mode):
            return self._link(Path(item.path), relative)
        if not stat.S_ISREG(mode):
            # Sockets, pipes and devices have no content that could be pinned.
            return None
        kind: Literal["f", "x"] = "x" if mode & stat.S_IXUSR else "f"
        return Entry(path=relative, kind=kind, content=self._content(item.path, status.st_size))

    def _relative(self, path: str) -> str:
        return path[self._prefix :].replace(os.sep, "/")

    def _content(self, path: str, size: int) -> bytes:
        with open(path, "rb") as file:  # noqa: PTH123 - see above
            # Asking for one byte too many tells a file that grows from one that fits.
            content = read_up_to(file, self._left + 1, size)
        self._left -= len(content)
        if self._left < 0:
            self._refuse(f"more than {self._limits.size // _MIB} MiB", path)
        return content

    def _link(self, path: Path, relative: str) -> Entry:
        target = os.readlink(path)  # noqa: PTH115 - pathlib would tidy the text
        try:
            leads_to = path.resolve()
        except RuntimeError:
            # What Python before 3.13 raises for links that lead in circles.
            raise LinkLeavesTreeError(relative, target) from None
        # Later ones stop at such a link.
        if PurePath(target).is_absolute() or leads_to.is_symlink():
            raise LinkLeavesTreeError(relative, target)
        if not leads_to.is_relative_to(self._root):
            raise LinkLeavesTreeError(relative, target)
        return Entry(path=relative, kind="l", content=os.fsencode(target))

    def _refuse(self, what: str, path: str) -> NoReturn:
        raise TreeTooLargeError(what, self._relative(path))
