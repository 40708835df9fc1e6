"""The folder of an actor at a commit, submodules included where they are wanted."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from wasmind_compiler.diagnostics.rules import fetching
from wasmind_compiler.diagnostics.suggestions import advice
from wasmind_compiler.frontend.manifest import FILE_NAME
from wasmind_compiler.resolution.git.failures import explain_failure, host_problem
from wasmind_compiler.resolution.git.folder import (
    Count,
    Fetcher,
    Listed,
    Warned,
    find_folder,
    folders_with,
    list_folder,
    read_files,
    read_folder,
)
from wasmind_compiler.resolution.git.lfs import Pointer
from wasmind_compiler.resolution.git.limits import GitLimits
from wasmind_compiler.resolution.git.objects import Objects
from wasmind_compiler.resolution.git.revisions import GIT_FAILURES, Revisions
from wasmind_compiler.resolution.git.url import GitUrl, UrlFault, mask_credentials, read_git_url
from wasmind_compiler.resolution.provider import GitOrigin, SourceFailure, SourceProblem
from wasmind_compiler.resolution.tree import Tree

_MODULES: Final = ".gitmodules"
_MODULES_MIB: Final = 1
#: How many names of a commit are looked at to find actors that may be wanted too.
_MOST_NAMES: Final = 5_000
_DEEPEST: Final = 8
_SECTION: Final = re.compile(r'\s*\[\s*submodule\s+"(?P<name>.*)"\s*\]')
_SETTING: Final = re.compile(r"\s*(?P<key>path|url)\s*=\s*(?P<value>.*?)\s*")


class Checkouts:
    """Reads folders of commits.

    Args:
        open_repository: the commits of a repository by its URL.
        limits: what a folder may cost.
    """

    def __init__(self, open_repository: Callable[[GitUrl], Revisions], limits: GitLimits) -> None:
        self._open = open_repository
        self._limits = limits
        self._owners: dict[int, Revisions] = {}
        self._commits: dict[int, set[str]] = {}
        self._folders: set[str] = set()

    def read(self, url: GitUrl, origin: GitOrigin) -> tuple[Tree, list[Warned]]:
        """The content of an actor's folder, and what may be wrong with it.

        Args:
            url: to fetch from, with its secret.
            origin: commit and folder.

        Raises:
            SourceFailure: it cannot be had or cannot be used.
            GitCommandError, GitMissingError, LimitExceededError, OSError: git failed.
        """
        revisions = self._open(url)
        commit = revisions.require(origin.revision, origin.ref)
        objects = self._objects(revisions, commit)
        tree = find_folder(objects, commit, origin.sub_dir)
        if tree is None:
            raise SourceFailure(_no_folder(objects, commit, origin))
        count = Count(self._limits.files)
        listed = list_folder(objects, tree, count)
        if all(each.path != FILE_NAME for each in listed):
            raise SourceFailure(_no_manifest(objects, commit, origin, listed))
        warned = []
        submodules = [each for each in listed if each.kind == "s"]
        if submodules and origin.submodules:
            listed += self._submodules(url, commit, origin.sub_dir, submodules, count, 1)
        elif submodules:
            paths = ", ".join(f"`{each.path}`" for each in submodules)
            message = f"submodules are left out: {paths}; `submodules = true` takes them in"
            warned.append(Warned(fetching.SUBMODULES_OFF, message))
        large_files = self._large_files if origin.lfs else None
        fetchers: list[Fetcher] = [partial(self._fetch_folders, commit, tree), *self._fetchers]
        tree_read, more = read_folder(listed, self._limits, fetchers, large_files)
        return tree_read, [*warned, *more]

    def no_manifest(self, origin: GitOrigin, tree: Tree) -> SourceProblem:
        """The problem of a folder whose manifest is there but leads nowhere."""
        found = sum(entry.path == FILE_NAME for entry in tree.entries)
        message = f"`{FILE_NAME}` of `{origin.place}` is a link to nothing" if found else ""
        return SourceProblem(
            rule=fetching.SUB_DIR_WITHOUT_MANIFEST,
            message=message or f"`{origin.place}` has no `{FILE_NAME}`",
            key=_key(origin),
        )

    @property
    def _fetchers(self) -> list[Fetcher]:
        return [self._fetch_files, self._fetch_all]

    def _fetch_folders(self, commit: str, tree: str, missing: Sequence[Listed]) -> None:
        """Have the folders of all actors of a commit, of which this one is rarely the last."""
        objects = missing[0].objects
        actors = folders_with(objects, commit, FILE_NAME, _MOST_NAMES)
        trees = {tree, *(oid for folder, oid in actors.items() if folder)} - self._folders
        if tree in trees:
            self._folders |= trees
            self._owners[id(objects)].require_folders(sorted(trees))

    def _fetch_files(self, missing: Sequence[Listed]) -> None:
        for owner, group in self._by_repository(missing):
            owner.require_files([each.oid for each in group])

    def _fetch_all(self, missing: Sequence[Listed]) -> None:
        """Have whole commits: some servers give out nothing less."""
        for owner, group in self._by_repository(missing):
            owner.require_all(sorted(self._commits[id(group[0].objects)]))

    def _large_files(self, wanted: Mapping[Listed, Pointer]) -> Mapping[Pointer, bytes]:
        """The files that are kept in Git LFS, each repository's from its own server."""
        found: dict[Pointer, bytes] = {}
        for owner, group in self._by_repository(wanted):
            paths = {wanted[each]: each.path for each in group}
            found |= owner.require_large_files(group[0].oid, paths)
        return found

    def _by_repository(
        self, files: Iterable[Listed]
    ) -> Iterator[tuple[Revisions, Sequence[Listed]]]:
        groups: dict[int, list[Listed]] = {}
        for each in files:
            groups.setdefault(id(each.objects), []).append(each)
        return ((self._owners[key], group) for key, group in groups.items())

    def _objects(self, revisions: Revisions, commit: str) -> Objects:
        """The reader of a repository, remembered so that missing files can be fetched for it."""
        objects = revisions.objects(commit)
        self._owners[id(objects)] = revisions
        self._commits.setdefault(id(objects), set()).add(commit)
        return objects

    def _module_urls(self, objects: Objects, commit: str) -> Mapping[str, str]:
        """Path to URL, as far as `.gitmodules` says it in the form git writes."""
        items = objects.tree(commit) or ()
        oid = next((item.oid for item in items if item.name == os.fsencode(_MODULES)), None)
        if oid is None:
            return {}
        listed = [Listed(_MODULES, "f", oid, objects)]
        limits = self._limits._replace(folder_mib=_MODULES_MIB)
        return _urls(read_files(listed, limits, self._fetchers)[oid].decode("utf-8", "replace"))

    def _submodules(
        self,
        url: GitUrl,
        commit: str,
        folder: str,
        found: Sequence[Listed],
        count: Count,
        depth: int,
    ) -> list[Listed]:
        """The files of submodules, and of theirs."""
        if depth > _DEEPEST:
            raise _failure(found[0].path, f"submodules are nested deeper than {_DEEPEST}")
        urls = self._module_urls(self._open(url).objects(commit), commit)
        listed: list[Listed] = []
        for each in found:
            written = urls.get(posixpath.join(folder, each.path) if folder else each.path)
            if written is None:
                raise _failure(each.path, f"`{_MODULES}` does not say where it comes from")
            module = _module_url(url, written, each.path)
            if (problem := host_problem(module, self._limits)) is not None:
                raise _failure(each.path, problem.message)
            inside = self._list_module(module, each, count)
            listed += inside
            deeper = [
                below._replace(path=below.path.removeprefix(f"{each.path}/"))
                for below in inside
                if below.kind == "s"
            ]
            if deeper:
                found_below = self._submodules(module, each.oid, "", deeper, count, depth + 1)
                listed += [
                    below._replace(path=f"{each.path}/{below.path}") for below in found_below
                ]
        return listed

    def _list_module(self, module: GitUrl, each: Listed, count: Count) -> list[Listed]:
        try:
            revisions = self._open(module)
            commit = revisions.require(each.oid, None)
            objects = self._objects(revisions, commit)
            return list_folder(objects, commit, count, f"{each.path}/")
        except SourceFailure as failure:
            problem = failure.problem
            raise _failure(each.path, problem.message, *problem.notes) from failure
        except GIT_FAILURES as error:
            problem = explain_failure(error, module.shown)
            raise _failure(each.path, problem.message, *problem.notes) from error


def _no_folder(objects: Objects, commit: str, origin: GitOrigin) -> SourceProblem:
    known = [folder or "." for folder in folders_with(objects, commit, FILE_NAME)]
    help_line = advice(origin.sub_dir, known, "folders with a manifest")
    ref = f" at {origin.ref.kind} `{origin.ref.text}`" if origin.ref else ""
    return SourceProblem(
        rule=fetching.SUB_DIR_MISSING,
        message=f"`{origin.url}`{ref} has no folder `{origin.sub_dir}` in commit {commit[:7]}",
        help=help_line or f"no folder of the repository has a `{FILE_NAME}`",
        key=_key(origin),
    )


def _no_manifest(
    objects: Objects, commit: str, origin: GitOrigin, listed: Sequence[Listed]
) -> SourceProblem:
    names = (each.path for each in listed if posixpath.basename(each.path) == FILE_NAME)
    deeper = sorted(names)
    elsewhere = [folder or "." for folder in folders_with(objects, commit, FILE_NAME)]
    notes: tuple[str, ...] = ()
    if any(each.path == "Cargo.toml" for each in listed):
        notes = ("there is a `Cargo.toml`, so this may be a package that is no actor",)
    if deeper:
        prefix = f"{origin.sub_dir}/" if origin.sub_dir else ""
        folders = ", ".join(f"`{prefix}{posixpath.dirname(path)}`" for path in deeper[:10])
        help_line: str | None = f"folders in it that have one: {folders}"
    else:
        help_line = advice(origin.sub_dir, elsewhere, "folders with a manifest")
    return SourceProblem(
        rule=fetching.SUB_DIR_WITHOUT_MANIFEST,
        message=f"`{origin.place}` has no `{FILE_NAME}`",
        notes=notes,
        help=help_line,
        key=_key(origin),
    )


def _key(origin: GitOrigin) -> tuple[str, ...]:
    return ("sub_dir",) if origin.sub_dir else ()


def _urls(modules: str) -> Mapping[str, str]:
    urls: dict[str, str] = {}
    section: dict[str, str] = {}
    for line in modules.splitlines():
        if _SECTION.fullmatch(line):
            section = {}
        elif (setting := _SETTING.fullmatch(line)) is not None:
            section[setting["key"]] = setting["value"].strip('"')
            if len(section) == 2:
                urls[section["path"]] = section["url"]
    return urls


def _module_url(parent: GitUrl, written: str, path: str) -> GitUrl:
    """The repository of a submodule, judged like any other source."""
    if written.startswith(("./", "../")):
        scheme, _, place, path = parent.shown.split("/", 3)
        joined = posixpath.normpath(posixpath.join(f"/{path}", written))
        written = f"{scheme}//{place}{joined}"
    url = read_git_url(written)
    if isinstance(url, UrlFault):
        raise _failure(path, url.message)
    if url.is_insecure or (url.scheme == "file" and parent.scheme != "file"):
        raise _failure(path, f"`{mask_credentials(written)}` uses a transport that is not allowed")
    same_place = (url.scheme, url.place) == (parent.scheme, parent.place)
    return url._replace(secret=parent.secret) if same_place and url.secret is None else url


def _failure(path: str, reason: str, *notes: str) -> SourceFailure:
    message = f"the submodule `{path}` cannot be used: {reason}"
    return SourceFailure(
        SourceProblem(rule=fetching.SUBMODULE_FAILED, message=message, notes=notes)
    )
