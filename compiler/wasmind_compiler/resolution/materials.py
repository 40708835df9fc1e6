"""Folders of fetched actors, in the cache under the digest of what is in them.

    sources/<tree digest>/tree/      the files, read-only
    sources/<tree digest>/complete   written last before the folder appears by rename

A folder is never changed: whoever finds it digests it before use, and one that does not have the
digest it is called by is thrown away. Two processes that make the same folder do no harm.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import shutil
import time
from pathlib import Path
from typing import Final

from wasmind.last_use import mark_used
from wasmind_compiler.errors import CompilerFailure
from wasmind_compiler.resolution.tree import (
    LinkLeavesTreeError,
    Tree,
    TreeLimits,
    TreeTooLargeError,
    read_tree,
)

_MARKER: Final = "complete"
_ASIDE: Final = ".new-"
_ABANDONED_SECONDS: Final = 24 * 3600


class Materials:
    """The folder `sources/` of the cache.

    Args:
        folder: where it is.
        limits: how large a tree may be.
    """

    def __init__(self, folder: Path, limits: TreeLimits) -> None:
        self._folder = folder
        self._limits = limits
        self._swept = False

    def folder(self, digest: str) -> Path:
        """Where the files of a tree are, if they are."""
        return self._folder / digest / "tree"

    def has(self, digest: str) -> bool:
        """Whether a tree is there; `find` also looks at its content."""
        return (self._folder / digest / _MARKER).is_file()

    def find(self, digest: str) -> Tree | None:
        """A tree by its digest, or None if it is not there or damaged."""
        if not self.has(digest):
            return None
        try:
            tree = read_tree(self.folder(digest), self._limits)
        except (OSError, LinkLeavesTreeError, TreeTooLargeError):
            tree = None
        if tree is None or tree.digest != digest:
            _discard(self._folder / digest)
            return None
        mark_used(self._folder / digest)
        return tree

    def put(self, tree: Tree) -> None:
        """Write a tree whose paths have been found safe.

        Raises:
            CompilerFailure: it cannot be written.
        """
        if self.has(tree.digest):
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            aside = self._folder / f"{_ASIDE}{os.getpid()}-{os.urandom(8).hex()}"
            aside.mkdir()
            try:
                _write(tree, aside)
                self._publish(aside, self._folder / tree.digest)
            finally:
                _discard(aside)
        except OSError as error:
            raise CompilerFailure(f"cannot write to `{self._folder}`: {error.strerror}") from error

    def _publish(self, aside: Path, target: Path) -> None:
        try:
            aside.rename(target)
        except OSError:
            if (target / _MARKER).is_file():
                return
            # Something without a marker is in the way: the rest of a folder being cleaned.
            _discard(target)
            aside.rename(target)

    def _sweep(self) -> None:
        """Remove what killed processes left behind, once it is certain that they are gone."""
        if self._swept:
            return
        self._swept = True
        before = time.time() - _ABANDONED_SECONDS
        for path in self._folder.glob(f"{_ASIDE}*"):
            pid = path.name.removeprefix(_ASIDE).partition("-")[0]
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < before or (pid.isdigit() and not _is_alive(int(pid))):
                    _discard(path)


def _write(tree: Tree, aside: Path) -> None:
    root = os.fspath(aside / "tree")
    made = {""}
    os.mkdir(root)  # noqa: PTH102 - objects made of paths would take longer than the writing
    # Links last, so that nothing is ever written through one.
    for entry in sorted(tree.entries, key=lambda entry: entry.kind == "l"):
        folder, target = posixpath.dirname(entry.path), f"{root}/{entry.path}"
        if folder not in made:
            os.makedirs(f"{root}/{folder}", exist_ok=True)  # noqa: PTH103
            made.add(folder)
        if entry.kind == "l":
            os.symlink(os.fsdecode(entry.content), target)  # noqa: PTH211
            continue
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        mode = 0o555 if entry.kind == "x" else 0o444
        with os.fdopen(os.open(target, flags, mode), "wb") as file:
            file.write(entry.content)
    (aside / _MARKER).touch()


def _discard(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
