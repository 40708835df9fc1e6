"""The folder of an actor as git stored it: judged before anything of it is written anywhere.

The listing comes from git's trees and never from a file system, so that what one file system would
hide (two names that differ in case, a link out of the folder, a name like `..`) is seen on all.
"""

from __future__ import annotations

import os
import posixpath
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from wasmind.records import Record
from wasmind_compiler.diagnostics.registry import Rule
from wasmind_compiler.diagnostics.rules import fetching, sources
from wasmind_compiler.resolution.git.lfs import Pointer, is_pointer, read_pointer
from wasmind_compiler.resolution.git.limits import GitLimits
from wasmind_compiler.resolution.git.objects import MOST_AT_ONCE, Objects, TreeItem
from wasmind_compiler.resolution.git.program import LimitExceededError
from wasmind_compiler.resolution.provider import SourceFailure, SourceProblem
from wasmind_compiler.resolution.tree import DEFAULT_LIMITS, Entry, Tree, is_ignored, tree_digest

#: Files that a build takes in as they are.
_INPUTS: Final = (".py", ".wasm", ".toml", ".json")
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul"}
    | {f"{device}{number}" for device in ("com", "lpt") for number in range(1, 10)}
)
_UNPORTABLE: Final = frozenset('<>:"|?*\\') | {chr(code) for code in range(32)}
_MOST_HOPS: Final = 40
_LONGEST_PATH: Final = 1024
_LONGEST_LINK: Final = 4096


class Listed(Record):
    """A file, link or submodule below the folder. `path` is relative to the folder."""

    path: str
    kind: Literal["f", "x", "l", "s"]
    oid: str
    objects: Objects


@dataclass(slots=True)
class Count:
    """Files and folders of an actor so far, those of its submodules included."""

    most: int
    seen: int = 0

    def add(self) -> None:
        """Count one more; raises `LimitExceededError` if that is too many."""
        self.seen += 1
        if self.seen > self.most:
            message = f"the actor's folder has more than {self.most} files and folders"
            raise LimitExceededError("WASMIND_GIT_FILES", message)


class Warned(Record):
    """Something about a folder that is no error."""

    rule: Rule
    message: str


#: Brings files that a repository left out so far, if it can; raises `SourceFailure` if nobody can.
Fetcher = Callable[[Sequence[Listed]], None]
#: The files that pointers stand for; raises `SourceFailure` if they cannot be had.
LargeFiles = Callable[[Mapping[Listed, Pointer]], Mapping[Pointer, bytes]]


def find_folder(objects: Objects, commit: str, sub_dir: str) -> str | None:
    """The id of the tree of a folder; None if there is no such folder.

    Raises:
        SourceFailure: the repository lacks a folder on the way.
    """
    expression = commit
    for part in sub_dir.split("/") if sub_dir else ():
        items = _tree(objects, expression, sub_dir)
        found = next((item for item in items if item.name == os.fsencode(part)), None)
        if found is None or not found.is_folder:
            return None
        expression = found.oid
    return expression


def list_folder(objects: Objects, tree: str, count: Count, prefix: str = "") -> list[Listed]:
    """Everything in a folder but what tree digests leave out.

    Args:
        objects: of the repository.
        tree: id of the folder's tree, or of the commit it is the root of.
        count: goes on from what was listed before.
        prefix: goes before every path, with a `/` at its end.

    Raises:
        SourceFailure: a path cannot be used, or the repository lacks a folder.
        LimitExceededError: there is too much.
    """
    listed: list[Listed] = []
    pending = [(prefix, tree)]
    while pending:
        above, expression = pending.pop()
        for item in _tree(objects, expression, above):
            count.add()
            name = _name(item, above)
            if is_ignored(name):
                continue
            path = above + name
            if path.count("/") > DEFAULT_LIMITS.depth:
                reason = f"it lies more than {DEFAULT_LIMITS.depth} folders deep"
                raise _unsafe(path[:60] + "…", reason)
            if len(path) > _LONGEST_PATH:
                raise _unsafe(path[:60] + "…", "its path is too long")
            if item.is_folder:
                pending.append((f"{path}/", item.oid))
            else:
                listed.append(Listed(path, _kind(item), item.oid, objects))
    return listed


def read_folder(
    listed: Sequence[Listed],
    limits: GitLimits,
    fetchers: Sequence[Fetcher],
    large_files: LargeFiles | None = None,
) -> tuple[Tree, list[Warned]]:
    """The content of a listing, as the tree it would be on disk.

    Args:
        listed: what is in the folder; submodules are left out.
        limits: how much it may be.
        fetchers: bring what is missing; each is asked for what those before it did not bring.
        large_files: what stands for pointers of Git LFS; None to leave the pointers.

    Raises:
        SourceFailure: it cannot be used.
        LimitExceededError: it is too big.
    """
    files = sorted(
        (each for each in listed if each.kind != "s"), key=lambda each: os.fsencode(each.path)
    )
    _check_clashes([each.path for each in files])
    warned = list(_unportable(files))
    contents = read_files(files, limits, fetchers)
    if large_files is not None:
        replaced = _replaced_pointers(files, contents, limits, large_files)
    else:
        replaced = {}
        warned += _report_pointers(files, contents)
    entries = [
        Entry(path=each.path, kind=each.kind, content=replaced.get(each, contents[each.oid]))
        for each in files
        if each.kind != "s"
    ]
    _check_links(entries)
    return Tree(entries=tuple(entries), digest=tree_digest(entries)), warned


def read_files(
    files: Sequence[Listed], limits: GitLimits, fetchers: Sequence[Fetcher]
) -> Mapping[str, bytes]:
    """The content of files and links by their ids; see `read_folder`."""
    contents: dict[str, bytes] = {}
    missing = _read_into(contents, files, limits)
    for fetch in fetchers:
        if missing:
            fetch(missing)
            missing = _read_into(contents, files, limits)
    if missing:
        raise _lacking(missing[0].path)
    return contents


def folders_with(objects: Objects, commit: str, file: str, most: int = 20_000) -> Mapping[str, str]:
    """Folders of a commit that hold a file of some name, with the ids of their trees, in order.

    Looks at `most` names at most.
    """
    found: dict[str, str] = {}
    pending, seen = [("", commit)], 0
    while pending and seen < most:
        above, expression = pending.pop()
        for item in objects.tree(expression) or ():
            seen += 1
            name = os.fsdecode(item.name)
            if item.is_folder:
                pending.append((f"{above}{name}/", item.oid))
            elif name == file:
                found[above.rstrip("/")] = expression
    return dict(sorted(found.items()))


def _tree(objects: Objects, expression: str, path: str) -> Sequence[TreeItem]:
    items = objects.tree(expression)
    if items is None:
        raise _lacking(path or ".")
    return items


def _lacking(path: str) -> SourceFailure:
    message = f"the repository lacks the content of `{path}`"
    return SourceFailure(SourceProblem(rule=fetching.UNREACHABLE, message=message))


def _name(item: TreeItem, above: str) -> str:
    name = os.fsdecode(item.name)
    if name in {"", ".", ".."} or "/" in name or (name.lower() == ".git" and name != ".git"):
        raise _unsafe(above + name, "git would never have made such a name")
    return name


def _unsafe(path: str, reason: str) -> SourceFailure:
    message = f"the repository holds a path that cannot be written safely: `{path}`"
    return SourceFailure(SourceProblem(rule=fetching.PATH_CLASH, message=message, notes=(reason,)))


def _kind(item: TreeItem) -> Literal["f", "x", "l", "s"]:
    if item.is_submodule:
        return "s"
    if item.mode == "120000":
        return "l"
    return "x" if item.mode == "100755" else "f"


def _read_into(
    contents: dict[str, bytes], files: Sequence[Listed], limits: GitLimits
) -> list[Listed]:
    """Read what is there; returns what is not.

    What several files have in common counts as often as it would be written.
    """
    left = limits.folder_mib * 2**20
    for each in files:
        left -= len(contents.get(each.oid, b""))
        if left < 0:
            raise _too_big(each, limits)
    missing = []
    for group in _groups([each for each in files if each.oid not in contents]):
        objects = group[0].objects
        objects.ask([each.oid for each in group])
        for each in group:
            try:
                found = objects.answer(_LONGEST_LINK if each.kind == "l" else left)
            except LimitExceededError as error:
                raise _too_big(each, limits) from error
            if found is None:
                missing.append(each)
            else:
                contents[each.oid] = found.content
                left -= len(found.content)
    return missing


def _too_big(file: Listed, limits: GitLimits) -> LimitExceededError:
    message = f"the actor's folder is larger than {limits.folder_mib} MiB at `{file.path}`"
    return LimitExceededError("WASMIND_GIT_FOLDER_MIB", message)


def _groups(files: Sequence[Listed]) -> Iterator[Sequence[Listed]]:
    """What can be asked for at once: of one repository, and not too much."""
    for _, found in groupby(files, key=lambda each: id(each.objects)):
        group = list(found)
        for start in range(0, len(group), MOST_AT_ONCE):
            yield group[start : start + MOST_AT_ONCE]


def _check_clashes(paths: Sequence[str]) -> None:
    """Refuse two paths that some file system takes for one, folders on the way included."""
    spelled: dict[str, str] = {}
    whole: set[str] = set()
    for path in paths:
        if path in whole:
            raise _clash(path, path)
        whole.add(path)
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            part = "/".join(parts[:end])
            folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", part).casefold())
            if spelled.setdefault(folded, part) != part:
                raise _clash(spelled[folded], part)
            if end < len(parts) and part in whole:
                raise _clash(part, path)


def _clash(first: str, second: str) -> SourceFailure:
    return SourceFailure(
        SourceProblem(
            rule=fetching.PATH_CLASH,
            message=f"the repository holds two paths that cannot coexist: `{first}` and `{second}`",
            help="rename one of them in the repository",
        )
    )


def _unportable(files: Sequence[Listed]) -> Iterator[Warned]:
    for each in files:
        for part in each.path.split("/"):
            stem = part.split(".")[0].lower()
            if stem in _RESERVED or part[-1] in ". " or _UNPORTABLE & set(part):
                message = f"Windows cannot have a file called `{each.path}`"
                if sys.platform == "win32":
                    raise SourceFailure(SourceProblem(rule=fetching.PATH_CLASH, message=message))
                yield Warned(fetching.UNPORTABLE_NAME, message)


def _check_links(entries: Sequence[Entry]) -> None:
    links = {each.path: os.fsdecode(each.content) for each in entries if each.kind == "l"}
    for path, target in links.items():
        if not _stays_inside(path, links):
            raise SourceFailure(
                SourceProblem(
                    rule=sources.LINK_LEAVES_FOLDER,
                    message=f"`{path}` is a link to `{target}`, which leads out of the folder",
                )
            )


def _stays_inside(path: str, links: Mapping[str, str]) -> bool:
    """Follow a link part by part, as the kernel would; links in the middle count."""
    at: list[str] = []
    rest = path.split("/")[::-1]
    hops = 0
    while rest:
        part = rest.pop()
        if part in {"", "."}:
            continue
        if part == "..":
            if not at:
                return False
            at.pop()
            continue
        target = links.get("/".join([*at, part]))
        if target is None:
            at.append(part)
            continue
        hops += 1
        if hops > _MOST_HOPS or posixpath.isabs(target) or "\0" in target:
            return False
        rest.extend(target.split("/")[::-1])
    return True


def _pointers(files: Sequence[Listed], contents: Mapping[str, bytes]) -> Iterator[Listed]:
    return (each for each in files if each.kind != "l" and is_pointer(contents[each.oid]))


def _report_pointers(files: Sequence[Listed], contents: Mapping[str, bytes]) -> Iterator[Warned]:
    for each in _pointers(files, contents):
        message = f"`{each.path}` is a Git LFS pointer"
        if not each.path.endswith(_INPUTS):
            yield Warned(fetching.LFS_POINTER, f"{message}; `lfs = true` fetches the file itself")
            continue
        raise SourceFailure(
            SourceProblem(
                rule=fetching.LFS_INPUT,
                message=f"{message}, not the file itself",
                help="say `lfs = true` beside `git` to have it fetched, or commit the file itself",
            )
        )


def _replaced_pointers(
    files: Sequence[Listed],
    contents: Mapping[str, bytes],
    limits: GitLimits,
    large_files: LargeFiles,
) -> Mapping[Listed, bytes]:
    """The files that pointers stand for."""
    wanted: dict[Listed, Pointer] = {}
    left = limits.folder_mib * 2**20 - sum(len(contents[each.oid]) for each in files)
    for each in _pointers(files, contents):
        pointer = read_pointer(contents[each.oid])
        if pointer is None:
            message = f"`{each.path}` is no Git LFS pointer of a known kind"
            raise SourceFailure(SourceProblem(rule=fetching.LFS_FAILED, message=message))
        wanted[each], left = pointer, left - pointer.size
        if left < 0:
            # Before anything is fetched: the pointers say how much it would be.
            raise _too_big(each, limits)
    if not wanted:
        return {}
    found = large_files(wanted)
    return {each: found[pointer] for each, pointer in wanted.items()}
