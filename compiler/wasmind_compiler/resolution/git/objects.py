"""Commits, trees and files of a repository, read through one `git cat-file --batch`."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final

from wasmind.records import Record
from wasmind_compiler.resolution.git.program import (
    GitCommandError,
    GitProgram,
    LimitExceededError,
)

#: Names that surely fit into the pipe to git, which may be waiting for us to read its answers.
MOST_AT_ONCE: Final = 200
_HEADER_LIMIT: Final = 4096
_SMALL_TREE: Final = 1_000
_MOST_TREES: Final = 1_000
_TREE_LIMIT: Final = 32 * 2**20
_COMMIT_LIMIT: Final = 8 * 2**20


class GitObject(Record):
    """An object with its full id; `kind` is `commit`, `tree`, `blob` or `tag`."""

    oid: str
    kind: str
    content: bytes


class TreeItem(Record):
    """A name in a tree. `mode` is git's, in octal text; the name is bytes, as stored."""

    mode: str
    name: bytes
    oid: str

    @property
    def is_folder(self) -> bool:
        """Whether it is a tree of its own."""
        return self.mode in {"40000", "040000"}

    @property
    def is_submodule(self) -> bool:
        """Whether it is a commit of another repository."""
        return self.mode == "160000"


class Objects:
    """Reads a bare repository. The process starts at the first question and serves all.

    Args:
        git: runs it.
        store: the bare repository.
    """

    def __init__(self, git: GitProgram, store: Path) -> None:
        self._git = git
        self._store = store
        self._process: subprocess.Popen[bytes] | None = None
        # The actors of a repository share their commit and the folders on the way to them.
        self._commits: dict[str, str] = {}
        self._trees: dict[str, tuple[TreeItem, ...]] = {}

    def commit(self, name: str) -> str | None:
        """The id of the commit that a name means; None if it is none or not here.

        What an id means is remembered, what a ref means is not.
        """
        if name in self._commits:
            return self._commits[name]
        found = self.read(f"{name}^{{commit}}", _COMMIT_LIMIT)
        if found is None or found.kind != "commit":
            return None
        if found.oid == name:
            self._commits[name] = name
        return found.oid

    def tree(self, name: str) -> tuple[TreeItem, ...] | None:
        """The tree of a commit or tree, given by its id; None if it is none or not here.

        Raises:
            LimitExceededError: it is too big.
            GitCommandError: it is damaged, or git ended.
        """
        if name in self._trees:
            return self._trees[name]
        found = self.read(f"{name}^{{tree}}", _TREE_LIMIT)
        if found is None:
            return None
        items = tuple(_items(found))
        if len(items) <= _SMALL_TREE and len(self._trees) < _MOST_TREES:
            self._trees[name] = items
        return items

    def read(self, name: str, limit: int) -> GitObject | None:
        """An object; None if it is not here.

        Args:
            name: an id or a revision expression on one line.
            limit: bytes that it may have.

        Raises:
            LimitExceededError: it has more.
            GitCommandError: git ended.
        """
        self.ask([name])
        return self.answer(limit)

    def ask(self, names: Sequence[str]) -> None:
        """Ask for `MOST_AT_ONCE` objects or fewer; `answer` gives one after the other.

        Raises:
            GitCommandError: git ended.
        """
        stdin, _ = self._pipes()
        try:
            stdin.write("".join(f"{name}\n" for name in names).encode())
            stdin.flush()
        except OSError as error:
            raise GitCommandError("git cat-file ended unexpectedly") from error

    def answer(self, limit: int) -> GitObject | None:
        """The next object that was asked for; see `read`. After an error there are no more."""
        _, stdout = self._pipes()
        header = stdout.readline(_HEADER_LIMIT).decode("utf-8", "replace").rstrip("\n")
        if header.endswith((" missing", " ambiguous")):
            return None
        words = header.split(" ")
        if len(words) != 3:
            self.close()
            raise GitCommandError("git cat-file ended unexpectedly")
        size = int(words[2])
        if size > limit:
            # The content is on its way already; it is cheaper to start again than to read it.
            self.close()
            message = f"an object has {size} bytes, more than {limit}"
            raise LimitExceededError("WASMIND_GIT_FOLDER_MIB", message)
        content = stdout.read(size + 1)
        if len(content) != size + 1:
            self.close()
            raise GitCommandError("git cat-file ended unexpectedly")
        return GitObject(words[0], words[1], content[:-1])

    def close(self) -> None:
        """End the process; the next question starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        process.wait()

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            store = str(self._store)
            self._process = self._git.start([f"--git-dir={store}", "cat-file", "--batch"])
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise AssertionError("cat-file was started with pipes")
        return stdin, stdout


def _items(tree: GitObject) -> Iterator[TreeItem]:
    """The raw format: mode, blank, name, NUL, id in bytes, without anything in between."""
    content, at, width = tree.content, 0, len(tree.oid) // 2
    while at < len(content):
        blank = content.find(b" ", at)
        end = content.find(b"\0", blank)
        after = end + 1 + width
        if blank < 0 or end < 0 or after > len(content):
            raise GitCommandError(f"damaged tree {tree.oid}")
        mode = content[at:blank].decode("ascii", "replace")
        yield TreeItem(mode, content[blank + 1 : end], content[end + 1 : after].hex())
        at = after
