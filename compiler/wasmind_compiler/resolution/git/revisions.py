"""From what a source asks for to a commit.

Names are always looked up by their kind (`refs/heads/…`, `refs/tags/…`), so that git never guesses.
A commit is looked for in the cache, then asked for by its id, then among all branches and tags.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from wasmind.records import Record
from wasmind_compiler.diagnostics.rules import fetching
from wasmind_compiler.diagnostics.suggestions import advice, nearest
from wasmind_compiler.frontend.source import GitRef
from wasmind_compiler.resolution.git.failures import explain_failure, is_refusal
from wasmind_compiler.resolution.git.lfs import LfsError, Pointer, fetch_large_files
from wasmind_compiler.resolution.git.objects import Objects
from wasmind_compiler.resolution.git.program import (
    GitCommandError,
    GitMissingError,
    LimitExceededError,
)
from wasmind_compiler.resolution.git.store import Advertised, Repository, local_ref
from wasmind_compiler.resolution.provider import SourceFailure, SourceProblem
from wasmind_compiler.task import Task

#: What a git command can end in.
GIT_FAILURES: Final = (GitCommandError, GitMissingError, LimitExceededError, OSError)
_HEX: Final = re.compile(r"[0-9a-fA-F]{4,64}")
_FULL: Final = frozenset({40, 64})
# https://git-scm.com/docs/git-check-ref-format
_BAD_NAME: Final = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|^[-./]|[./]$|^@$|^$"
)


class Resolved(Record):
    """A commit and how it was come by; see `GitOrigin`."""

    revision: str
    default_branch: str | None = None
    tag_object: str | None = None


def is_full_id(text: str) -> bool:
    """Whether a revision is a whole commit id."""
    return len(text) in _FULL and _HEX.fullmatch(text) is not None


def is_abbreviated(text: str) -> bool:
    """Whether a revision is the beginning of a commit id."""
    return len(text) not in _FULL and _HEX.fullmatch(text) is not None


def bad_ref_name(ref: GitRef) -> SourceProblem | None:
    """What is wrong with the form of a ref."""
    if ref.kind == "rev" and _HEX.fullmatch(ref.text):
        return None
    found = _BAD_NAME.search(ref.text)
    if found is None:
        return None
    reason = f": it contains `{found.group()}`" if found.group().strip() else ""
    message = f"`{ref.text}` is no name for a {ref.kind}{reason}"
    return SourceProblem(rule=fetching.BAD_REF_NAME, message=message, key=("git_ref", ref.kind))


class Revisions:
    """Commits of one repository. Every ref is resolved once, so that all actors agree.

    Args:
        repository: the repository.
        offline: the network is not to be used.
    """

    def __init__(self, repository: Repository, *, offline: bool) -> None:
        self._repository = repository
        self._offline = offline
        self._resolved: dict[GitRef | None, Resolved] = {}
        self._fetched: set[str] = set()

    def prepare(self, refs: Iterable[GitRef | None], pinned: Iterable[str]) -> None:
        """Fetch all that is going to be asked for in one go; failures show when it is asked for.

        Args:
            refs: refs to look up.
            pinned: commits that are known by their ids.
        """
        if self._offline:
            return
        repository = self._repository
        refs = list(refs)
        names = sorted({name for name in map(full_name, refs) if name is not None})
        named = [ref.text for ref in refs if ref is not None and is_full_id(ref.text)]
        ids = sorted({oid for oid in (*pinned, *named) if not repository.has(oid)})
        if names:
            self._fetch_named(names, ids)
        elif ids:
            self._fetch(names, ids, ids[0])

    def _fetch_named(self, names: Sequence[str], ids: Sequence[str]) -> None:
        """Fetch refs while the remote is asked which it has: mostly all that are asked for."""
        repository = self._repository
        if repository.url.secret is not None:
            self._ask()  # first: wrong passwords lock accounts, so they are tried once
        asking = Task(self._ask)
        try:
            repository.fetch([*names, *ids], ids[0] if ids else repository.likely_id())
            hoped_right = True
        except GitCommandError:
            hoped_right = False
        asking.wait()
        if not hoped_right:
            known = repository.advertised().refs
            names = [name for name in names if name in known]
            self._fetch(names, ids, next(iter(known.values()), ""))
        self._fetched.update(names)

    def _ask(self) -> None:
        self._repository.advertised()

    def _fetch(self, names: Sequence[str], ids: Sequence[str], like: str) -> None:
        try:
            if names or ids:
                self._repository.fetch([*names, *ids], like)
        except GitCommandError as error:
            if not ids or not is_refusal(error):
                raise
            # One commit the remote does not give out must not cost the others.
            if names:
                self._repository.fetch(names, like)

    def resolve(self, ref: GitRef | None) -> Resolved:
        """The commit a ref means at the remote now.

        Raises:
            SourceFailure: there is none, or it cannot be found out.
        """
        if ref not in self._resolved:
            with self._explained():
                self._resolved[ref] = self._resolve(ref)
        return self._resolved[ref]

    def require(self, commit: str, ref: GitRef | None) -> str:
        """Have a commit in the store that is known by its full id, and return the id in full.

        Args:
            commit: its id, or that of an annotated tag.
            ref: what it came from, for the message.

        Raises:
            SourceFailure: it cannot be had.
        """
        with self._explained():
            return self._require(commit.lower(), ref)

    def require_folders(self, trees: Sequence[str]) -> None:
        """Have the files of folders, except big ones, where the remote gives them out.

        Args:
            trees: ids of the folders' trees.

        Raises:
            SourceFailure: the network is not to be used, or has been for too long.
        """
        # What git and servers say that cannot do it differs; asking for the files tells the rest.
        with self._content_wanted(), contextlib.suppress(GitCommandError):
            self._repository.fetch_folders(trees)

    def require_files(self, oids: Sequence[str]) -> None:
        """Have files that the store has only the ids of, where the remote gives out single ones.

        Raises:
            SourceFailure: it cannot be asked.
        """
        with self._content_wanted():
            self._is_given(self._repository.fetch_files, oids)

    def require_all(self, commits: Iterable[str]) -> None:
        """Have commits with all their files.

        Raises:
            SourceFailure: they cannot be had.
        """
        with self._content_wanted():
            self._repository.take_all()
            for commit in commits:
                self._climb(commit, enough=lambda _: True)

    def require_large_files(
        self, like: str, paths: Mapping[Pointer, str]
    ) -> Mapping[Pointer, bytes]:
        """Have files that are kept in Git LFS.

        Args:
            like: any id of the repository.
            paths: where the pointers stand, for messages.

        Raises:
            SourceFailure: one cannot be had.
        """
        shown = self._repository.url.shown
        try:
            with self._explained():
                found = fetch_large_files(self._repository, like, paths, offline=self._offline)
        except LfsError as error:
            what = "big files" if error.pointer is None else f"`{paths[error.pointer]}`"
            message = f"{what} of `{shown}` cannot be fetched from Git LFS: {error}"
            problem = SourceProblem(rule=fetching.LFS_FAILED, message=message)
            raise SourceFailure(problem) from error
        missing = [path for pointer, path in paths.items() if pointer not in found]
        if missing:
            raise SourceFailure(self.offline(f"the content of `{missing[0]}`"))
        return found

    def objects(self, commit: str) -> Objects:
        """What reads the store that has a commit."""
        return self._repository.objects(commit)

    def _require(self, commit: str, ref: GitRef | None) -> str:
        repository = self._repository
        if not repository.has(commit):
            if self._offline:
                raise SourceFailure(self.offline(f"commit {commit[:7]}"))
            self._climb(commit, repository.has)
        found = repository.objects(commit).commit(commit)
        if found is None:
            raise SourceFailure(self._no_commit(commit, ref))
        return found

    def _climb(self, commit: str, enough: Callable[[str], bool]) -> None:
        """Ask for a commit by its id, then for everything unless that was `enough`."""
        given = self._is_given(lambda oids: self._repository.fetch(oids, commit), [commit])
        if not given or not enough(commit):
            self._repository.fetch_everything(commit, whole=True)

    def _is_given(self, fetch: Callable[[Sequence[str]], None], oids: Sequence[str]) -> bool:
        """Fetch; False if the remote answers that it does not give this out."""
        try:
            fetch(oids)
        except GitCommandError as error:
            if not is_refusal(error):
                raise
            return False
        return True

    @contextmanager
    def _content_wanted(self) -> Iterator[None]:
        if self._offline:
            raise SourceFailure(self.offline("the content of files"))
        with self._explained():
            yield

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Failures of git as problems of the source."""
        try:
            yield
        except GIT_FAILURES as error:
            raise SourceFailure(explain_failure(error, self._repository.url.shown)) from error

    def _resolve(self, ref: GitRef | None) -> Resolved:
        if ref is not None and ref.kind == "rev" and is_full_id(ref.text):
            return Resolved(revision=self._require(ref.text.lower(), ref))
        if self._offline:
            wanted = f"{ref.kind} `{ref.text}`" if ref else "the default branch"
            raise SourceFailure(self.offline(wanted))
        advertised = self._repository.advertised()
        if not advertised.refs or (ref is None and "HEAD" not in advertised.refs):
            raise SourceFailure(self._empty(advertised))
        name = full_name(ref)
        if name is None:
            return Resolved(revision=self._expand(ref.text if ref else "", advertised))
        if name not in advertised.refs:
            raise SourceFailure(self._no_ref(ref, advertised))
        like = advertised.refs[name]
        if name not in self._fetched:
            self._repository.fetch([name], like)
            self._fetched.add(name)
        return self._fetched_commit(name, like, ref, advertised)

    def _fetched_commit(
        self, name: str, like: str, ref: GitRef | None, advertised: Advertised
    ) -> Resolved:
        # The remote may have moved since it listed its refs: what was fetched counts.
        objects, local = self._repository.objects(like), local_ref(name)
        commit = objects.commit(local)
        if commit is None:
            message = f"`{name}` of `{self._repository.url.shown}` is no commit"
            raise SourceFailure(SourceProblem(rule=fetching.REV_NOT_FOUND, message=message))
        peeled = advertised.refs.get(f"{name}^{{}}")
        tag = like if ref is not None and ref.kind == "tag" and peeled == commit else None
        return Resolved(
            revision=commit, tag_object=tag, default_branch=advertised.head if not ref else None
        )

    def _expand(self, prefix: str, advertised: Advertised) -> str:
        """The one commit that begins with some digits. It takes all commits to be sure."""
        like = next(iter(advertised.refs.values()))
        repository = self._repository
        if not _HEX.fullmatch(prefix):
            raise SourceFailure(self._no_ref(GitRef("rev", prefix), advertised))
        prefix = prefix.lower()
        repository.fetch_everything(like, whole=True)
        found = repository.commits_beginning(prefix, like)
        if len(found) == 1:
            return found[0]
        if not found:
            raise SourceFailure(self._no_commit(prefix, GitRef("rev", prefix)))
        listed = tuple(found[:10])
        raise SourceFailure(
            SourceProblem(
                rule=fetching.REV_AMBIGUOUS,
                message=f"`{prefix}` is the beginning of {len(found)} commits",
                notes=("candidates:\n" + "\n".join(listed),),
                help="write the full id",
                key=("git_ref", "rev"),
            )
        )

    def offline(self, wanted: str) -> SourceProblem:
        """The problem of something that only the network has."""
        shown = self._repository.url.shown
        return SourceProblem(
            rule=fetching.OFFLINE,
            message=f"{wanted} of `{shown}` is not in the cache, and the network is not to be used",
            help="run `wasmind lock` once with the network",
        )

    def _empty(self, advertised: Advertised) -> SourceProblem:
        self._repository.require_git()  # an old one may not have said all
        shown = self._repository.url.shown
        if not advertised.refs:
            message = f"the repository `{shown}` has no commits"
        else:
            message = f"the default branch of `{shown}` has no commits"
        branches = advertised.names("heads")
        help_line = advice("", branches, "branches") if branches else None
        return SourceProblem(rule=fetching.EMPTY_REPOSITORY, message=message, help=help_line)

    def _no_ref(self, ref: GitRef | None, advertised: Advertised) -> SourceProblem:
        """A name the remote does not have, with the nearest and those of the other kind."""
        if ref is None:
            return self._empty(advertised)
        names = {"branch": advertised.names("heads"), "tag": advertised.names("tags")}
        other = next((kind for kind, there in names.items() if ref.text in there), None)
        near = nearest(ref.text, names.get(ref.kind, ()))
        replacement = near[0] if len(near) == 1 and other is None else None
        if other is not None:
            help_line = f'there is a {other} of this name: `{other} = "{ref.text}"`'
        elif ref.kind == "rev":
            help_line = "`rev` is a commit id, or a full ref such as `refs/pull/1/head`"
        else:
            plural = "branches" if ref.kind == "branch" else "tags"
            help_line = advice(ref.text, names[ref.kind], plural) or f"it has no {plural}"
        return SourceProblem(
            rule=fetching.REF_NOT_FOUND,
            message=f"`{self._repository.url.shown}` has no {ref.kind} `{ref.text}`",
            help=help_line,
            key=("git_ref", ref.kind),
            replacement=replacement,
        )

    def _no_commit(self, commit: str, ref: GitRef | None) -> SourceProblem:
        message = f"`{self._repository.url.shown}` has no commit {commit}"
        if ref is not None and ref.kind == "rev":
            key = ("git_ref", "rev")
            return SourceProblem(rule=fetching.REV_NOT_FOUND, message=message, key=key)
        origin, now = f"{ref.kind} `{ref.text}`" if ref else "the default branch", self._now(ref)
        return SourceProblem(
            rule=fetching.REV_NOT_FOUND,
            message=message,
            notes=(f"it was {origin}" + (f", which is now at {now[:7]}" if now else ""),),
            help="run `wasmind lock --upgrade`, or name a mirror with git's `url.….insteadOf`",
            key=("git_ref", ref.kind) if ref is not None else (),
        )

    def _now(self, ref: GitRef | None) -> str | None:
        refs, name = self._repository.advertised().refs, full_name(ref) or ""
        return refs.get(f"{name}^{{}}") or refs.get(name)


def full_name(ref: GitRef | None) -> str | None:
    """The ref to look up at the remote; None for commit ids."""
    if ref is None:
        return "HEAD"
    if ref.kind == "branch":
        return f"refs/heads/{ref.text}"
    if ref.kind == "tag":
        return f"refs/tags/{ref.text}"
    return ref.text if ref.text.startswith("refs/") else None
