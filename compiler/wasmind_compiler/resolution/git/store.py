"""The bare repository of one URL in the cache.

Invariants: a store appears by rename, whole; only one process at a time fetches into it, and its
git keeps the lock open, so that a fetch that outlives its killed parent is not disturbed; readers
need no lock, because git adds objects by rename too. Nothing in a store depends on refs: they only
keep objects known to the next fetch.

Fetches are shallow and leave files out where the remote can do that: first come the names of all
files, then the content of actors' folders, last what is big. A store is therefore never asked about
history, except after `whole`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from wasmind.last_use import mark_used
from wasmind.records import Record
from wasmind_compiler.reporter import Reporter
from wasmind_compiler.resolution.git.failures import (
    redirected_to,
    wants_local_transport,
    wants_whole_history,
)
from wasmind_compiler.resolution.git.objects import Objects
from wasmind_compiler.resolution.git.program import (
    GitCommandError,
    GitProgram,
    LimitExceededError,
    Output,
    transports,
)
from wasmind_compiler.resolution.git.store_lock import held_lock
from wasmind_compiler.resolution.git.url import GitUrl, UrlFault, read_git_url

_REMOTE: Final = "wasmind"
_NO_FILES: Final = "blob:none"
#: Larger ones stay at the remote until an actor needs them.
_SMALL_FILES: Final = "blob:limit=1m"
_EVERYTHING: Final = ("+refs/heads/*:refs/wasmind/heads/*", "+refs/tags/*:refs/wasmind/tags/*")
#: Repositories of this machine leave files out when asked to, as most servers do.
_LOCAL_SERVER: Final = "git -c uploadpack.allowFilter=true upload-pack"
_TIP: Final = "--depth=1"
_WHOLE: Final = f"--depth={2**31 - 1}"
_SHA256_LENGTH: Final = 64


class Advertised(Record):
    """What a remote has: ids by full ref name, and the branch its HEAD names."""

    refs: Mapping[str, str]
    head: str | None

    def names(self, kind: str) -> list[str]:
        """Short names of all `heads` or `tags`."""
        prefix = f"refs/{kind}/"
        found = (name.removeprefix(prefix) for name in self.refs if name.startswith(prefix))
        return sorted(name for name in found if not name.endswith("^{}"))

    def commits(self) -> set[str]:
        """Ids of the commits, annotated tags peeled."""
        return {oid for name, oid in self.refs.items() if f"{name}^{{}}" not in self.refs}


class Repository:
    """A remote and what the cache has of it.

    Args:
        url: the remote.
        home: folder of all stores.
        git: runs git.
        reporter: hears about fetches and about waiting for other processes.

    Attributes:
        redirect: where the remote said it has moved to, once it has been asked.
        further_hosts: names of hosts that were asked for what is not in the repository itself.
        mirror: the repository of this machine that the user's git has instead, once it was asked.
    """

    def __init__(self, url: GitUrl, home: Path, git: GitProgram, reporter: Reporter) -> None:
        self.url = url
        self.redirect: str | None = None
        self.further_hosts: set[str] = set()
        self.mirror: GitUrl | None = None
        self._home = home
        self._git = git
        self._reporter = reporter
        self._advertised: Advertised | None = None
        self._objects: dict[str, Objects] = {}
        self._only_files = False
        self._takes_all = False
        self._address: GitUrl | None = None
        self._unannounced = threading.Lock()
        self._finding_mirror = threading.Lock()
        self._was_asked = False

    def store(self, oid: str = "") -> Path:
        """The folder of the store for ids of this kind; git keeps SHA-1 and SHA-256 apart."""
        form = "sha256" if len(oid) == _SHA256_LENGTH else "sha1"
        return self._home / hashlib.sha256(f"{form}\n{self.url.canonical}".encode()).hexdigest()

    def objects(self, oid: str = "") -> Objects:
        """Reads the store; an empty one finds nothing."""
        store = self.store(oid)
        if str(store) not in self._objects:
            mark_used(store)
            self._objects[str(store)] = Objects(self._git, store)
        return self._objects[str(store)]

    def likely_id(self) -> str:
        """Something like the repository's ids, as far as the cache knows what those are like."""
        sha256 = "0" * _SHA256_LENGTH
        return sha256 if (self.store(sha256) / "HEAD").is_file() else ""

    def has(self, commit: str) -> bool:
        """Whether a commit is here already, known by its full id."""
        if not (self.store(commit) / "HEAD").is_file():
            return False
        return self.objects(commit).commit(commit) is not None

    def address(self) -> GitUrl:
        """The URL that is really used: a mirror if the user's git knows one, else the own."""
        if self._address is None:
            self._address = self.url
            remote = f"remote.{_REMOTE}.url={self.url.shown}"
            # The time may be up already; then nobody knows about mirrors.
            with contextlib.suppress(GitCommandError, LimitExceededError, OSError):
                output = self._git.run(["ls-remote", "--get-url", _REMOTE], settings=[remote])
                found = _read_address(os.fsdecode(output.stdout).strip())
                self._address = found if isinstance(found, GitUrl) else self.url
        return self._address

    def hosts(self) -> set[str]:
        """Names of the hosts that were asked so far; takes a git process to find mirrors out."""
        urls: list[GitUrl | UrlFault] = [self.address()] if self._was_asked else []
        if self.redirect is not None:
            urls.append(read_git_url(self.redirect))
        asked = [url for url in urls if isinstance(url, GitUrl)]
        allowed = transports(self.url)
        return self.further_hosts | {url.host for url in asked if url.scheme in allowed} - {""}

    def allows(self, host: str) -> bool:
        """Whether a host may be asked."""
        return self._git.limits.allows(host)

    def require_git(self) -> None:
        """Raises `GitMissingError` unless git is there and new enough."""
        self._git.require()

    def check_time(self) -> None:
        """Raises `LimitExceededError` when fetching has taken too long."""
        self._git.check_time()

    def credentials(self, scheme: str, host: str, path: str) -> tuple[str, str]:
        """User and password for a place: from the URL, credential programs or `netrc`.

        Raises:
            GitCommandError: nobody knows any.
        """
        asked = f"protocol={scheme}\nhost={host}\npath={path.lstrip('/')}\n\n"
        try:
            output = self._git.run(["credential", "fill"], url=self.url, stdin=asked)
        except GitCommandError:
            if (found := _from_netrc(host)) is not None:
                return found
            raise
        lines = output.stdout.decode("utf-8", "replace").splitlines()
        said = dict(line.split("=", 1) for line in lines if "=" in line)
        return said.get("username", ""), said.get("password", "")

    def certificates(self, place: str) -> str | None:
        """The file of certificates that the user's git trusts at a place, if it was given one."""
        if found := os.environ.get("GIT_SSL_CAINFO"):
            return found
        asked = ["config", "--type=path", "--get-urlmatch", "http.sslCAInfo", place]
        try:
            return os.fsdecode(self._git.run(asked).stdout.rstrip(b"\n"))
        except GitCommandError:
            return None

    def held(self, like: str) -> AbstractContextManager[tuple[int, ...]]:
        """The lock of the store for ids of this kind; see `held_lock`."""
        store, limits = self.store(like), self._git.limits
        check = self._git.check_wanted
        return held_lock(store, self.url.shown, limits.seconds, self._reporter, check)

    def close(self) -> None:
        """End the processes that read."""
        for objects in self._objects.values():
            objects.close()

    def advertised(self) -> Advertised:
        """The refs of the remote, asked for once.

        Raises:
            GitMissingError, GitCommandError, LimitExceededError, OSError: it cannot be asked.
        """
        if self._advertised is None:
            self._announce()
            try:
                output = self._run(["ls-remote", "--symref", _REMOTE])
            except (GitCommandError, OSError):
                self._git.require()  # no git or an old one may be the reason
                raise
            self._advertised = _read_refs(output.stdout.decode("utf-8", "replace"))
        return self._advertised

    def fetch(self, wanted: Sequence[str], like: str, *, whole: bool = False) -> None:
        """Fetch commits into the store, without files where the remote can do that.

        Args:
            wanted: full names of refs that the remote has, and full ids.
            like: any id of the repository, which tells its kind of ids.
            whole: with their history.

        Raises:
            GitMissingError, GitCommandError, LimitExceededError, OSError: it did not work.
        """
        self._fetch(
            [f"+{name}:{local_ref(name)}" for name in wanted], like, depth=_WHOLE if whole else _TIP
        )

    def fetch_everything(self, like: str, *, whole: bool) -> None:
        """Fetch all branches and tags; see `fetch`."""
        self._fetch(_EVERYTHING, like, depth=_WHOLE if whole else _TIP)

    def fetch_folders(self, trees: Sequence[str]) -> None:
        """Fetch the files of folders, except big ones, by the ids of their trees; see `fetch`."""
        self._fetch(trees, trees[0], depth="--refetch", left_out=_SMALL_FILES)

    def fetch_files(self, oids: Sequence[str]) -> None:
        """Fetch files, big ones too, by their ids; see `fetch`."""
        self._fetch(oids, oids[0])

    def take_all(self) -> None:
        """From now on no fetch leaves files out."""
        self._takes_all = True

    def commits_beginning(self, prefix: str, like: str) -> list[str]:
        """Ids of all commits in the store that begin with some digits, sorted."""
        store = f"--git-dir={self.store(like)}"
        listed = self._git.run([store, "rev-parse", f"--disambiguate={prefix}"]).stdout.decode()
        objects = self.objects(like)
        return sorted({oid for oid in listed.split() if objects.commit(oid) == oid})

    def _announce(self) -> None:
        # Refs are asked for while commits are fetched; whoever is first says so.
        if not self._objects and self._unannounced.acquire(blocking=False):
            self._reporter.status("Fetching", self.url.shown)

    def _fetch(
        self, refspecs: Sequence[str], like: str, *, depth: str = "", left_out: str = _NO_FILES
    ) -> None:
        self._announce()
        store = self.store(like)
        with self.held(like) as held:
            self._prepare(store, like)
            try:
                self._fetch_once(store, refspecs, depth, left_out, held)
            except GitCommandError as error:
                if not wants_whole_history(error):
                    self._git.require()
                    raise
                self._only_files = True
                self._fetch_once(store, refspecs, depth, left_out, held)

    def progress(self, text: str) -> None:
        """Show how far a fetch has come; nothing if it is done."""
        if self._reporter.shows_progress:
            self._reporter.progress(f"{self.url.shown}: {text}" if text else "")

    def _fetch_once(
        self,
        store: Path,
        refspecs: Sequence[str],
        depth: str,
        left_out: str,
        held: tuple[int, ...],
    ) -> None:
        self._run(
            [
                f"--git-dir={store}",
                *("fetch", "--progress" if self._reporter.shows_progress else "--quiet"),
                *("--no-tags", "--no-write-fetch-head", "--force"),
                *("--no-auto-maintenance", "--no-show-forced-updates", "--stdin"),
                *([depth] if depth and not self._only_files else ()),
                _REMOTE,
            ],
            settings=self._manner(depth, left_out),
            stdin="".join(f"{refspec}\n" for refspec in refspecs),
            size=lambda: _size(store),
            held=held,
        )

    def _manner(self, depth: str, left_out: str) -> Sequence[str]:
        """What the remote may leave out, and what it may take for granted."""
        if self._only_files:
            return ()
        # The remote must not conclude from a commit we have that we have all its files.
        doubt = () if depth and not self._takes_all else ("fetch.negotiationAlgorithm=noop",)
        if self._takes_all:
            return doubt
        # Told on the command line only: were it in the store's configuration, reading a missing
        # file would quietly go to the network.
        promisor = f"remote.{_REMOTE}.promisor=true"
        return (promisor, f"remote.{_REMOTE}.partialclonefilter={left_out}", *doubt)

    def _run(
        self,
        arguments: Sequence[str],
        *,
        settings: Sequence[str] = (),
        stdin: str = "",
        size: Callable[[], int] | None = None,
        held: tuple[int, ...] = (),
    ) -> Output:
        remote = [f"remote.{_REMOTE}.url={self.url.shown}"]
        if "file" in {self.url.scheme, self.mirror and self.mirror.scheme}:
            remote.append(f"remote.{_REMOTE}.uploadpack={_LOCAL_SERVER}")
        was_local = self.mirror is not None
        try:
            output = self._git.run(
                arguments,
                url=self.url,
                settings=[*remote, *settings],
                stdin=stdin,
                size=size,
                held=held,
                progress=self.progress,
                local=was_local,
            )
        except GitCommandError as error:
            if not was_local and wants_local_transport(error) and self._has_mirror_here():
                return self._run(arguments, settings=settings, stdin=stdin, size=size, held=held)
            self._was_asked = True
            raise
        except LimitExceededError:
            self._was_asked = True  # other errors mean that there is no git which could ask
            raise
        finally:
            self.progress("")
        self._was_asked = True
        self.redirect = redirected_to(output.stderr) or self.redirect
        return output

    def _has_mirror_here(self) -> bool:
        """Whether the user's git configuration has a repository of this machine for the URL.

        Nothing else can: git reads no configuration that a manifest or repository could write.
        Where a path climbs, its author and not the user would choose the folder.
        """
        with self._finding_mirror:
            if self.mirror is None and not self.url.climbs and self.address().scheme == "file":
                self.mirror = self.address()
                self._reporter.status("Via", self.mirror.shown)
        return self.mirror is not None

    def _prepare(self, store: Path, like: str) -> None:
        """Make the store, or clear away what a killed git left in it. The lock is held."""
        if (store / "HEAD").is_file():
            _sweep(store)
            return
        shutil.rmtree(store, ignore_errors=True)
        aside = store.with_name(f".{store.name}.new")
        shutil.rmtree(aside, ignore_errors=True)
        form = "sha256" if len(like) == _SHA256_LENGTH else "sha1"
        arguments = ["init", "--quiet", "--bare", "--template=", f"--object-format={form}"]
        try:
            self._git.run([*arguments, str(aside)])
            aside.rename(store)
        except (GitCommandError, OSError):
            self._git.require()
            raise


def local_ref(name: str) -> str:
    """Where a fetched ref is kept. A digest, so that no two names get in each other's way."""
    return f"refs/wasmind/own/{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def _read_address(text: str) -> GitUrl | UrlFault:
    """What git makes of a URL, which may be the path of a folder."""
    if text.startswith("file://"):
        return read_git_url(quote(text, safe="/:%"))
    return read_git_url(f"file://{quote(text)}" if Path(text).is_absolute() else text)


def _read_refs(text: str) -> Advertised:
    refs, head = {}, None
    for line in text.splitlines():
        value, _, name = line.partition("\t")
        if value.startswith("ref: ") and name == "HEAD":
            head = value.removeprefix("ref: ")
        elif name:
            refs[name] = value
    return Advertised(refs, head)


def _sweep(store: Path) -> None:
    """Remove locks and half packs of a git that was killed; nobody else is at work here."""
    leftovers = [
        *store.glob("*.lock"),
        *(store / "refs").rglob("*.lock"),
        *(store / "objects" / "pack").glob("tmp_*"),
        *(store / "lfs").rglob("tmp_*"),
    ]
    for path in leftovers:
        path.unlink(missing_ok=True)


def _from_netrc(place: str) -> tuple[str, str] | None:
    """What the user's `netrc` says about a host, which git itself leaves to its web client."""
    from netrc import NetrcParseError, netrc

    try:
        found = netrc().authenticators(place.rpartition(":")[0] or place)
    except (OSError, NetrcParseError):
        return None
    return None if found is None else (found[0], found[2] or "")


def _size(store: Path) -> int:
    total = 0
    with contextlib.suppress(OSError), os.scandir(store / "objects" / "pack") as found:
        for item in found:
            with contextlib.suppress(OSError):
                total += item.stat().st_size
    return total
