"""What a lockfile says about git sources, as resolution asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from wasmind.records import Record
from wasmind_compiler.diagnostics import Span
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath
from wasmind_compiler.frontend.source import GitRef
from wasmind_compiler.resolution.lockfile import Lock, LockedGit
from wasmind_compiler.resolution.provider import GitOrigin

if TYPE_CHECKING:
    from wasmind_compiler.resolution.git.url import GitUrl

#: Canonical URL and ref.
Requested = tuple[str, GitRef | None]


class Place(Record):
    """An entry of the lockfile; its position is looked up when somebody asks."""

    document: Document
    path: KeyPath

    def header(self) -> Span:
        """Where the entry begins."""
        return self.document.header(self.path)

    def value(self, key: str) -> Span:
        """One of its values."""
        return self.document.value((*self.path, key))


class Pin(Record):
    """The commit of a requested ref."""

    locked: LockedGit
    place: Place


class PinnedDigest(Record):
    """The digest that an actor's folder had, in hex."""

    digest: str
    place: Place


class LockedFolder(Record):
    """What a digest is of; `url` is canonical. See `GitOrigin`."""

    url: str
    revision: str
    sub_dir: str
    submodules: bool
    lfs: bool


class Pins(Record):
    """All pins of a lockfile.

    Attributes:
        commits: by canonical URL and ref.
        digests: of the folders of actors.
        moving: requested refs that are to be looked up again.
    """

    commits: Mapping[Requested, Pin] = MappingProxyType({})
    digests: Mapping[LockedFolder, PinnedDigest] = MappingProxyType({})
    moving: frozenset[Requested] = frozenset()

    def digest(self, origin: GitOrigin) -> PinnedDigest | None:
        """The digest of an actor's folder."""
        folder = LockedFolder(
            origin.canonical, origin.revision, origin.sub_dir, origin.submodules, origin.lfs
        )
        return self.digests.get(folder)

    def of_repository(self, canonical: str) -> Iterator[tuple[str, PinnedDigest]]:
        """Commits and digests of all actors of a repository."""
        for folder, pinned in self.digests.items():
            if folder.url == canonical:
                yield folder.revision, pinned


def read_pins(
    lock: Lock, document: Document, upgrade: frozenset[str], *, upgrade_all: bool
) -> Pins:
    """The pins of a lockfile.

    Args:
        lock: what it says.
        document: where it says it.
        upgrade: names of actors whose sources are to be looked up again.
        upgrade_all: all are.
    """
    commits: dict[Requested, Pin] = {}
    for index, locked in enumerate(lock.git):
        if (url := _url(locked.url)) is not None:
            place = Place(document, ("git", index))
            commits.setdefault((url.canonical, locked.ref), Pin(locked, place))
    digests: dict[LockedFolder, PinnedDigest] = {}
    moving = set(commits) if upgrade_all else set()
    for index, actor in enumerate(lock.actors):
        requested = _requested(actor.source)
        if requested is None or requested not in commits:
            continue
        if actor.name in upgrade:
            moving.add(requested)
        folder = LockedFolder(
            requested[0],
            commits[requested].locked.revision,
            str(actor.source.get("sub_dir", "")),
            submodules=actor.source.get("submodules") is True,
            lfs=actor.source.get("lfs") is True,
        )
        digests[folder] = PinnedDigest(actor.digest, Place(document, ("actor", index)))
    return Pins(commits=commits, digests=digests, moving=frozenset(moving))


def _requested(source: Mapping[str, Any]) -> Requested | None:
    url = _url(source["git"]) if "git" in source else None
    if url is None:
        return None
    ref = next((GitRef(kind, text) for kind, text in source.get("git_ref", {}).items()), None)
    return url.canonical, ref


def _url(text: str) -> GitUrl | None:
    # Not needed by systems without git sources.
    from wasmind_compiler.resolution.git.url import GitUrl, read_git_url

    url = read_git_url(text)
    return url if isinstance(url, GitUrl) else None
