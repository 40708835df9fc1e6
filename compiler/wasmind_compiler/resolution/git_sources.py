"""Actors in git repositories, as the resolver asks for them.

A commit comes from the lockfile if that has one; only without, or on request, is a ref looked up. A
folder comes from the cache if the lockfile has its digest; only without is git asked at all.
"""

from __future__ import annotations

import posixpath
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wasmind_compiler.diagnostics import Collector, Edit, Fix, Label
from wasmind_compiler.diagnostics.registry import Rule
from wasmind_compiler.diagnostics.rules import fetching, locking
from wasmind_compiler.frontend.document import parse
from wasmind_compiler.frontend.manifest import FILE_NAME, Manifest, read_manifest
from wasmind_compiler.frontend.schemas import Schemas
from wasmind_compiler.frontend.source import GitRef, GitSource, PathSource, Source
from wasmind_compiler.reporter import Reporter
from wasmind_compiler.resolution.git.failures import explain_failure, host_problem
from wasmind_compiler.resolution.git.limits import GitLimits
from wasmind_compiler.resolution.git.local import has_uncommitted_changes
from wasmind_compiler.resolution.git.program import GitProgram
from wasmind_compiler.resolution.git.revisions import (
    GIT_FAILURES,
    Resolved,
    Revisions,
    bad_ref_name,
    full_name,
    is_abbreviated,
    is_full_id,
)
from wasmind_compiler.resolution.git.store import Repository
from wasmind_compiler.resolution.git.url import GitUrl, UrlFault, read_git_url
from wasmind_compiler.resolution.git_moves import Moves, pinned
from wasmind_compiler.resolution.materials import Materials
from wasmind_compiler.resolution.pins import Pin, PinnedDigest, Pins
from wasmind_compiler.resolution.policy import LockPolicy
from wasmind_compiler.resolution.provider import (
    GitOrigin,
    Identity,
    SourceFailure,
    SourceProblem,
)
from wasmind_compiler.resolution.tree import Tree
from wasmind_compiler.task import Task

if TYPE_CHECKING:
    from wasmind_compiler.resolution.git.checkout import Checkouts

_FETCHES_AT_ONCE: Final = 8


@dataclass(slots=True)
class _Remote:
    """A repository and what is known to be wanted of it."""

    repository: Repository
    revisions: Revisions
    refs: set[GitRef | None] = field(default_factory=set)
    prepared: bool = False
    failure: SourceProblem | None = None
    under_way: Task[None] | None = None
    edited: bool | None = None


class GitSources:
    """Git actors of one run.

    Args:
        cache: the user's cache folder.
        limits: what git sources may cost.
        pins: from the lockfile.
        policy: whether refs and the network may be used.
        schemas: for manifests.
        collector: takes warnings, and what is wrong inside manifests.
        reporter: hears about fetches.
        advice: what to do about a lockfile that lacks a source.
    """

    def __init__(
        self,
        *,
        cache: Path,
        limits: GitLimits,
        pins: Pins,
        policy: LockPolicy,
        schemas: Schemas,
        collector: Collector,
        reporter: Reporter,
        advice: Callable[[], str],
    ) -> None:
        self._home = cache / "git"
        self._advice = advice
        self._limits = limits
        self._git = GitProgram(self._home, limits)
        self._materials = Materials(cache / "sources", limits.for_trees())
        self._pins = pins
        self._policy = policy
        self._schemas = schemas
        self._collector = collector
        self._reporter = reporter
        self._remotes: dict[str, _Remote] = {}
        self._moves = Moves(collector, reporter, accept_moved_tags=policy.accept_moved_tags)
        self._trees: dict[Identity, Tree] = {}
        self._first: dict[Identity, Source] = {}
        self._room = threading.Semaphore(_FETCHES_AT_ONCE)

    def hosts(self) -> list[str]:
        """Names of all hosts that were asked so far, sorted."""
        repositories = (remote.repository for remote in self._remotes.values())
        return sorted({host for each in repositories for host in each.hosts()})

    def close(self) -> None:
        """End all processes; fetches that nobody waited for too."""
        self._git.give_up()
        for remote in self._remotes.values():
            if remote.under_way is not None:
                remote.under_way.end()
            remote.repository.close()

    def folder(self, identity: Identity) -> Path:
        """The folder of an actor whose manifest has been read."""
        return self._materials.folder(self._trees[identity].digest)

    def tree(self, identity: Identity) -> Tree:
        """What is in that folder."""
        return self._trees[identity]

    def announce(self, sources: Iterable[GitSource]) -> None:
        """Hear of all sources of the config, and begin to fetch what they need.

        Each repository is fetched only once, all of them side by side; others wait for a fetch
        when they need something of it.
        """
        for source in sources:
            judged = self._judged(source, None)
            if not isinstance(judged, SourceProblem):
                self._remote(judged[0]).refs.add(source.ref)
        if self._policy.offline:
            return
        for remote in self._remotes.values():
            if self._has_work(remote):
                remote.prepared = True
                refs, revisions = self._wanted(remote)
                remote.under_way = Task(partial(self._fetch, remote, refs, revisions), self._room)

    def meanwhile(self, work: Callable[[], None]) -> None:
        """Do what can be done while fetches go on, if there are any."""
        under_way = [remote for remote in self._remotes.values() if remote.under_way is not None]
        if under_way:
            work()
        for remote in under_way:
            url = remote.repository.url
            if url.scheme == "file":
                remote.edited = has_uncommitted_changes(self._git, url)

    def identify(self, source: GitSource, parent: GitOrigin | None) -> Identity | SourceProblem:
        """The commit and folder that a source means.

        Args:
            source: as written.
            parent: the git actor whose manifest it is written in, if it is in one.
        """
        judged = self._judged(source, parent)
        if isinstance(judged, SourceProblem):
            return judged
        url, sub_dir = judged
        self._warn_about_form(url, source)
        try:
            resolved = self._resolve(url, source)
        except SourceFailure as failure:
            return failure.problem
        origin = GitOrigin(
            url=url.shown,
            canonical=url.canonical,
            ref=source.ref,
            revision=resolved.revision,
            sub_dir=sub_dir,
            submodules=source.submodules,
            lfs=source.lfs,
            default_branch=resolved.default_branch,
            tag_object=resolved.tag_object,
        )
        return self._known(origin, source)

    def identify_inside(self, source: PathSource, parent: GitOrigin) -> Identity | SourceProblem:
        """A path in the manifest of a git actor: a folder of the same commit."""
        inside = None
        if not posixpath.isabs(source.path):
            inside = _normal(posixpath.join(parent.sub_dir, source.path), may_climb=True)
        if inside is None:
            return SourceProblem(
                rule=fetching.PATH_LEAVES_REPOSITORY,
                message=f"`{source.path}` leads out of the repository `{parent.url}`",
                help="use a relative path inside the repository, or a `git` source",
            )
        return self._known(parent._replace(sub_dir=inside), source)

    def manifest(self, identity: Identity) -> Manifest | SourceProblem | None:
        """The manifest of an identified actor; its folder is in the cache afterwards."""
        origin = identity.origin
        if origin is None:
            raise AssertionError("a git identity has an origin")
        try:
            tree = self._trees[identity] = self._tree(identity, origin)
        except SourceFailure as failure:
            return failure.problem
        except GIT_FAILURES as error:
            return explain_failure(error, origin.place)
        content = tree.content(FILE_NAME)
        if content is None:
            return self._checkouts.no_manifest(origin, tree)
        document = parse(origin.file(FILE_NAME), content, self._collector)
        return read_manifest(document, self._schemas, self._collector) if document else None

    @cached_property
    def _checkouts(self) -> Checkouts:
        # Loaded while repositories are fetched.
        from wasmind_compiler.resolution.git.checkout import Checkouts

        return Checkouts(self._open, self._limits)

    def _judged(
        self, source: GitSource, parent: GitOrigin | None
    ) -> tuple[GitUrl, str] | SourceProblem:
        """What may be fetched from and the folder in it, or why nobody is asked."""
        url = read_git_url(source.git)
        if isinstance(url, UrlFault):
            return _faulty(url)
        sub_dir = _normal(source.sub_dir or "")
        if sub_dir is None:
            return SourceProblem(
                rule=fetching.SUB_DIR_LEAVES,
                message=f"`{source.sub_dir}` is no folder inside the repository",
                help="name a folder below the root of the repository, with `/` between its parts",
                key=("sub_dir",),
            )
        problem = self._refused(url, source, parent)
        if problem is None and source.ref is not None:
            problem = bad_ref_name(source.ref)
        return problem or (url, sub_dir)

    def _refused(
        self, url: GitUrl, source: GitSource, parent: GitOrigin | None
    ) -> SourceProblem | None:
        """Why a URL must not be fetched from, if so."""
        place = source.inside(0, len(url.scheme))
        if parent is not None and url.scheme == "file" and not parent.url.startswith("file:"):
            return SourceProblem(
                rule=fetching.SCHEME_NOT_ALLOWED,
                message=f"`{parent.url}` has no business with repositories of this machine",
                help="a `file://` source belongs in a config or manifest of this machine",
                span=place,
            )
        # What is risked is for the user to say, not for whoever wrote a manifest elsewhere.
        if url.is_insecure and (parent is not None or not source.insecure):
            where = (
                "" if parent is None else ", in the config: `[actor_overrides.NAME]` has sources"
            )
            return SourceProblem(
                rule=fetching.SCHEME_NOT_ALLOWED,
                message=f"nothing on `{url.scheme}://` proves that `{url.host}` answers",
                help=f"use `https://`, or allow it with `insecure = true`{where}",
                span=place,
            )
        return host_problem(url, self._limits)

    def _known(self, origin: GitOrigin, source: Source) -> Identity:
        key = f"{origin.canonical}#{origin.revision}:{origin.sub_dir}"
        key += "+submodules" * origin.submodules + "+lfs" * origin.lfs
        identity = Identity("git", key, origin)
        self._first.setdefault(identity, source)
        return identity

    def _remote(self, url: GitUrl) -> _Remote:
        known = self._remotes.get(url.canonical)
        if known is None:
            repository = Repository(url, self._home, self._git, self._reporter)
            known = _Remote(repository, Revisions(repository, offline=self._policy.offline))
            self._remotes[url.canonical] = known
        return known

    def _open(self, url: GitUrl) -> Revisions:
        return self._remote(url).revisions

    def _resolve(self, url: GitUrl, source: GitSource) -> Resolved:
        requested = (url.canonical, source.ref)
        pin = self._pins.commits.get(requested)
        if pin is not None and requested not in self._pins.moving:
            if self._policy.outdated:
                self._report_outdated(pin, self._remote(url), source)
            return pinned(pin)
        if self._policy.locked:
            message = f"{source} is not in the lockfile"
            raise SourceFailure(
                SourceProblem(rule=locking.LOCK_STALE, message=message, help=self._advice())
            )
        remote = self._remote(url)
        remote.refs.add(source.ref)
        self._prepare(remote)
        if remote.failure is not None:
            raise SourceFailure(remote.failure)
        resolved = remote.revisions.resolve(source.ref)
        self._warn_about_remote(remote, source)
        if pin is None:
            return resolved

        def distance(old: str, new: str) -> int | None:
            # Only what has moved is asked about.
            from wasmind_compiler.resolution.git.history import commits_between

            return commits_between(self._git, remote.repository, old, new)

        return self._moves.followed(pin, resolved, source, distance)

    def _report_outdated(self, pin: Pin, remote: _Remote, source: GitSource) -> None:
        """Compare a pin with the remote; one that cannot be asked does not stop the rest."""
        if full_name(source.ref) is None:
            return
        remote.refs.add(source.ref)
        self._prepare(remote)
        problem = remote.failure
        if problem is None:
            try:
                self._moves.report(pin, remote.repository.advertised(), source)
            except GIT_FAILURES as error:
                problem = explain_failure(error, remote.repository.url.shown)
        if problem is not None:
            self._collector.add(problem.at(source))

    def _has_work(self, remote: _Remote) -> bool:
        refs, revisions = self._wanted(remote)
        return bool(refs or revisions) or self._is_compared(remote)

    def _is_compared(self, remote: _Remote) -> bool:
        """Whether something may have moved that is to be reported."""
        return self._policy.outdated and any(full_name(ref) for ref in remote.refs)

    def _wanted(self, remote: _Remote) -> tuple[list[GitRef | None], list[str]]:
        """Refs to look up and commits to fetch, as far as is known."""
        canonical = remote.repository.url.canonical
        refs = []
        if not self._policy.locked:
            settled = self._pins.commits.keys() - self._pins.moving
            refs = [ref for ref in remote.refs if (canonical, ref) not in settled]
        moving = {self._pins.commits[key].locked.revision for key in self._pins.moving}
        revisions = {
            revision
            for revision, pinned in self._pins.of_repository(canonical)
            if revision not in moving and not self._materials.has(pinned.digest)
        }
        return refs, sorted(revisions)

    def _prepare(self, remote: _Remote) -> None:
        if remote.under_way is not None:
            remote.under_way.wait()
        if not remote.prepared:
            remote.prepared = True
            self._fetch(remote, *self._wanted(remote))

    def _fetch(
        self, remote: _Remote, refs: Iterable[GitRef | None], revisions: Iterable[str]
    ) -> None:
        try:
            remote.revisions.prepare(refs, revisions)
            if self._is_compared(remote):
                remote.repository.advertised()
        except GIT_FAILURES as error:
            remote.failure = explain_failure(error, remote.repository.url.shown)

    def _tree(self, identity: Identity, origin: GitOrigin) -> Tree:
        locked = self._pins.digest(origin)
        if locked is not None and (found := self._materials.find(locked.digest)) is not None:
            return found
        url = self._fetch_url(identity, origin)
        remote = self._remote(url)
        self._prepare(remote)
        if remote.failure is not None and not remote.repository.has(origin.revision):
            raise SourceFailure(remote.failure)
        tree, warned = self._checkouts.read(url, origin)
        if locked is not None and tree.digest != locked.digest:
            raise SourceFailure(self._mismatch(identity, origin, tree, locked))
        source = self._first[identity]
        for each in warned:
            self._collector.add(each.rule.at(source.span(), each.message))
        self._materials.put(tree)
        return tree

    def _fetch_url(self, identity: Identity, origin: GitOrigin) -> GitUrl:
        """The URL with its secret, which the origin does not have."""
        known = self._remotes.get(origin.canonical)
        if known is not None:
            return known.repository.url
        source = self._first[identity]
        url = read_git_url(source.git if isinstance(source, GitSource) else origin.url)
        assert isinstance(url, GitUrl), "an origin has a good URL"
        return url

    def _mismatch(
        self, identity: Identity, origin: GitOrigin, tree: Tree, locked: PinnedDigest
    ) -> SourceProblem:
        return SourceProblem(
            rule=locking.DIGEST_MISMATCH,
            message=f"the content of `{origin.place}` is not what was locked",
            notes=(f"locked: sha256:{locked.digest}\nfound:  sha256:{tree.digest}",),
            help="find out who changed it before locking again; nothing is repaired",
            span=locked.place.value("digest"),
            labels=(Label(self._first[identity].span(), "used here"),),
        )

    def _warn_about_form(self, url: GitUrl, source: GitSource) -> None:
        ref = source.ref
        if url.secret is not None:
            message = f"the URL of `{url.shown}` contains credentials"
            help_line = "leave them out; git asks credential programs and `netrc`"
            self._collector.add(fetching.URL_CREDENTIALS.at(source.span(), message, help=help_line))
        if ref is None or ref.kind != "rev":
            return
        span = source.written.value("git_ref", "rev")
        if is_abbreviated(ref.text):
            pin = self._pins.commits.get((url.canonical, ref))
            fix = None
            if pin is not None:
                edits = (Edit(span, f'"{pin.locked.revision}"'),)
                fix = Fix(title="write the full id", edits=edits, applicability="always")
            message = f"`{ref.text}` is only the beginning of a commit id"
            help_line = "write the full id" + (f": `{pin.locked.revision}`" if pin else "")
            closer = fetching.ABBREVIATED_REV.at(span, message, help=help_line, fix=fix)
            self._collector.replace(fetching.ABBREVIATED_REV, closer)
        elif not is_full_id(ref.text) and ref.text.startswith("refs/"):
            message = f"`{ref.text}` can point to another commit tomorrow"
            self._collector.add(fetching.MUTABLE_REV.at(span, message))

    def _warn_about_remote(self, remote: _Remote, source: GitSource) -> None:
        repository = remote.repository
        moved = repository.redirect
        if moved is not None:
            fix = Fix(title="use the new URL", edits=(Edit(source.span(), f'"{moved}"'),))
            message = f"`{repository.url.shown}` has moved to `{moved}`"
            self._collector.add(fetching.REDIRECTED.at(source.span(), message, fix=fix))
        if remote.edited is None:
            url = repository.url
            remote.edited = url.scheme == "file" and has_uncommitted_changes(self._git, url)
        if remote.edited:
            message = f"`{repository.url.shown}` has uncommitted changes, which are not used"
            help_line = "commit them, or use a `path` source while developing"
            self._collector.add(fetching.UNCOMMITTED.at(source.span(), message, help=help_line))


def _faulty(fault: UrlFault) -> SourceProblem:
    rule: Rule = fetching.SCHEME_NOT_ALLOWED if fault.is_scheme else fetching.BAD_URL
    return SourceProblem(
        rule=rule, message=fault.message, help=fault.help, replacement=fault.replacement
    )


def _normal(path: str, *, may_climb: bool = False) -> str | None:
    """A folder of a repository without `.`; None if it is absolute or leads out of it.

    Args:
        path: as written.
        may_climb: `..` is fine as long as the path stays inside.
    """
    parts: list[str] = []
    if path.startswith("/") or "\\" in path or any(ord(letter) < 32 for letter in path):
        return None
    for part in path.split("/"):
        if part == "..":
            if not parts or not may_climb:
                return None
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)
