"""Where an actor's code lives, as written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, cast

from wasmind.records import Record
from wasmind_compiler.diagnostics import Span
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath
from wasmind_compiler.frontend.tables import Table

RefKind = Literal["branch", "tag", "rev"]
_REF_KINDS: tuple[RefKind, ...] = ("branch", "tag", "rev")
GIT_KEYS: Final = frozenset({"git", "git_ref", "sub_dir", "submodules", "lfs", "insecure"})
#: The user part of a URL, also with `@` or `/` in a password, where they should be escaped.
USER_INFO: Final = re.compile(r"(?<=://)(?:[^/\s\"@:\[]+:(?!\d*/)[^\s\"]{,100}|[^/\s\"]+)@")
PORTS: Final = "ports are numbers from 1 to 65535"
#: The same as in the schemas.
_LIBRARY: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SHORTEST: Final[Mapping[RefKind, int]] = {"branch": 1, "tag": 1, "rev": 4}


class Written(Record):
    """The table a source was read from."""

    document: Document
    path: KeyPath

    def span(self, key: str) -> Span:
        """The value of one key of the source."""
        return self.document.value((*self.path, key))

    def value(self, *keys: str) -> Span:
        """A value inside the source's table."""
        return self.document.value((*self.path, *keys))

    def inside(self, key: str, start: int, end: int) -> Span:
        """A part of the string under one key of the source."""
        return self.document.inside((*self.path, key), start, end)

    def table(self) -> Mapping[str, Any]:
        """The source as it is written."""
        value: Any = self.document.data
        for part in self.path:
            value = value[part]
        return cast(Mapping[str, Any], value)


class PathSource(Record):
    """A folder, relative to the file that names it."""

    path: str
    written: Written

    @property
    def is_clear(self) -> bool:
        """Whether the path is all that says where the folder is."""
        return "sub_dir" not in self.written.table()

    def span(self) -> Span:
        """The value that a problem with the source is reported at."""
        return self.written.span("path")

    def inside(self, start: int, end: int) -> Span:
        """A part of the path."""
        return self.written.inside("path", start, end)

    def __str__(self) -> str:
        return f"path `{self.path}`"


class LibrarySource(Record):
    """An actor shipped with Wasmind."""

    library: str
    written: Written

    def span(self) -> Span:
        """The value that a problem with the source is reported at."""
        return self.written.span("library")

    def __str__(self) -> str:
        return f"library `{self.library}`"


class GitRef(Record):
    """One of a branch, a tag and a revision."""

    kind: RefKind
    text: str


class GitSource(Record):
    """A folder of a git repository; without a ref the remote's default branch.

    `git` is what is fetched from and may hold secrets; `shown` is for everything else.
    """

    git: str
    ref: GitRef | None
    sub_dir: str | None
    written: Written
    submodules: bool = False
    lfs: bool = False
    insecure: bool = False

    def __repr__(self) -> str:
        return f"GitSource({self.shown!r}, {self.ref!r}, {self.sub_dir!r})"

    @property
    def is_clear(self) -> bool:
        """Whether all keys of the table are known; one that is not may be a misspelled ref."""
        return GIT_KEYS.issuperset(self.written.table())

    @property
    def shown(self) -> str:
        """The URL as written, with secrets left out."""
        return USER_INFO.sub(lambda found: "git@" * (found.group() == "git@"), self.git)

    def span(self) -> Span:
        """The value that a problem with the source is reported at."""
        return self.written.span("git")

    def inside(self, start: int, end: int) -> Span:
        """A part of the URL."""
        return self.written.inside("git", start, end)

    def __str__(self) -> str:
        ref = f" at {self.ref.kind} `{self.ref.text}`" if self.ref else ""
        folder = f" in `{self.sub_dir}`" if self.sub_dir else ""
        return f"git `{self.shown}`{ref}{folder}"


Source = PathSource | LibrarySource | GitSource


def is_port(digits: str) -> bool:
    """Whether a number in a URL is one that a host can listen at."""
    number = digits.lstrip("0")
    # Python refuses to read numbers of thousands of digits.
    return 0 < len(number) <= 5 and int(number) <= 65535


def read_source(table: Table | None) -> Source | None:
    """The source of a table; None where the schema had something to report."""
    if table is None or sum(key in table for key in ("path", "git", "library")) != 1:
        return None
    written = Written(document=table.document, path=table.path)
    if path := table.string("path"):
        return PathSource(path=path, written=written)
    if library := table.string("library"):
        usable = _LIBRARY.fullmatch(library) is not None
        return LibrarySource(library=library, written=written) if usable else None
    return _read_git(table, written)


def _read_git(table: Table, written: Written) -> GitSource | None:
    git, refs = table.string("git"), table.table("git_ref")
    ref = _read_ref(refs)
    # A ref that cannot be understood must not become the default branch.
    if not git or ("git_ref" in table and ref is None):
        return None
    return GitSource(
        git=git,
        ref=ref,
        sub_dir=table.string("sub_dir"),
        written=written,
        submodules=table.boolean("submodules") or False,
        lfs=table.boolean("lfs") or False,
        insecure=table.boolean("insecure") or False,
    )


def _read_ref(table: Table | None) -> GitRef | None:
    if table is None or len(table.values) != 1:
        return None
    for kind in _REF_KINDS:
        if (text := table.string(kind)) is not None and len(text) >= _SHORTEST[kind]:
            return GitRef(kind, text)
    return None
