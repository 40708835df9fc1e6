"""Runs git: nobody else's environment, no prompt, no hook, and an end to patience.

What git inherits is chosen, not filtered away: of the caller's `GIT_*` variables only those that
say how to reach a host stay. The user's own git configuration (credential programs, proxies,
`url.….insteadOf` mirrors) is honoured, except where it would change what is read.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from wasmind.records import Record
from wasmind_compiler.resolution.git.limits import GitLimits
from wasmind_compiler.resolution.git.memory import private_bytes
from wasmind_compiler.resolution.git.progress import ProgressReader, without_progress
from wasmind_compiler.resolution.git.url import GitUrl

OLDEST: Final = (2, 29)
_KEPT: Final = frozenset(
    {"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_PROXY_COMMAND"}
    | {"GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_CERT", "GIT_SSL_KEY"}
    | {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH"}
)
_DROPPED: Final = frozenset({"SSH_ASKPASS", "XDG_SESSION_ID"})
_SET: Final = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PROTOCOL_FROM_USER": "0",
    "SSH_ASKPASS_REQUIRE": "never",
    "LC_ALL": "C",
}
_SETTINGS: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.autocrlf=false",
    "core.symlinks=true",
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.recurseSubmodules=false",
    "fetch.unpackLimit=1",
    "fetch.writeCommitGraph=false",
    "protocol.version=2",
    "transfer.bundleURI=false",
    # A server that stops talking is given up on long before the total limit.
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=60",
)
#: Answers for the host and port of the URL only: a redirect elsewhere gets nothing.
_CREDENTIAL_HELPER: Final = (
    '!f() { test "$1" = get || exit 0; ok=; while IFS= read -r line && test -n "$line"; do '
    'case "$line" in host="$WASMIND_GIT_HOST") ok=1;; esac; done; '
    'test -n "$ok" || exit 0; echo "username=$WASMIND_GIT_USER"; '
    'echo "password=$WASMIND_GIT_PASSWORD"; }; f'
)
_TICK: Final = 0.1
#: How long what git printed last may take to arrive. What git leaves behind, such as an ssh
#: connection kept for later, may hold its ends open for ever.
_GRACE_SECONDS: Final = 1.0
_MOST_OUTPUT: Final = 64 * 2**20
#: What git may fill to fetch even the smallest repository.
_LEAST_MEMORY_MIB: Final = 256


class GitMissingError(Exception):
    """There is no usable git. The message says what was found."""


class GitCommandError(Exception):
    """A git command failed; the message is what it printed on stderr."""


class LimitExceededError(Exception):
    """One of the limits. `name` is that of its setting, the message says what it was."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class Output(Record):
    """What a command printed."""

    stdout: bytes
    stderr: str


@dataclass(slots=True)
class _Drain:
    """Collects what a command prints on one of its ends, up to a limit.

    `hear` is told all of it at once.
    """

    hear: Callable[[bytes], None] | None = None
    content: bytearray = field(default_factory=bytearray)
    overflowed: bool = False

    def read(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(ValueError, OSError):
            while chunk := os.read(pipe.fileno(), 65536):
                if self.hear is not None:
                    self.hear(chunk)
                if len(self.content) + len(chunk) > _MOST_OUTPUT:
                    self.overflowed = True
                else:
                    self.content += chunk


class GitProgram:
    """The git on the user's path.

    Args:
        home: folder to run in, and to look for no repository above.
        limits: what it may cost.
    """

    def __init__(self, home: Path, limits: GitLimits) -> None:
        self.limits = limits
        self.home = home
        self._deadline: float | None = None
        self._given_up = False
        self._checking = threading.Lock()
        self._checked = False

    def require(self) -> None:
        """Raises `GitMissingError` unless git is there and new enough.

        Asked when something failed: an old git refuses options that every fetch has.
        """
        with self._checking:
            if not self._checked:
                self._check_version()
                self._checked = True

    def _check_version(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        needed = ".".join(map(str, OLDEST))
        try:
            text = self.run(["version"]).stdout.decode()
        except (OSError, GitCommandError) as error:
            raise GitMissingError(f"git is not installed; {needed} or newer is needed") from error
        found = text.removeprefix("git version").split()
        numbers = found[0].split(".")[:2] if found else []
        if not all(part.isdigit() for part in numbers) or tuple(map(int, numbers)) < OLDEST:
            raise GitMissingError(f"{text.strip()} is too old; {needed} or newer is needed")

    def start(self, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        """A command to talk to; it reads the cache only."""
        return subprocess.Popen(
            self._command(arguments, None),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.home,
            env=_environment(None, self.home),
            start_new_session=True,
        )

    def run(
        self,
        arguments: Sequence[str],
        *,
        url: GitUrl | None = None,
        settings: Sequence[str] = (),
        stdin: str = "",
        size: Callable[[], int] | None = None,
        held: Sequence[int] = (),
        progress: Callable[[str], None] | None = None,
        local: bool = False,
    ) -> Output:
        """Run a command to its end.

        Args:
            arguments: the command; nothing in it comes from a file unless it was judged.
            url: what it talks to; decides on transports and credentials.
            settings: further `name=value` of git's configuration.
            stdin: what it reads.
            size: bytes on disk so far, asked now and then, against the limit of a fetch.
            held: file descriptors the command keeps open, so that a lock outlives a killed parent.
            progress: hears how far it has come, from another thread.
            local: the user's git configuration leads from `url` to a repository of this machine.

        Raises:
            GitCommandError: it failed.
            LimitExceededError: it took too long or too much.
            OSError: it cannot be started.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        with _prepared(stdin) as source:
            process = subprocess.Popen(
                self._command(arguments, url, settings),
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self.home,
                env=_environment(url, self.home, local=local),
                start_new_session=True,
                pass_fds=() if os.name == "nt" else tuple(held),
            )
        try:
            steps = ProgressReader(progress) if progress is not None else None
            stdout, stderr = self._attend(process, size, steps)
        finally:
            _end(process)
        text = without_progress(stderr.content.decode("utf-8", "replace"))
        if process.returncode:
            raise GitCommandError(text.strip() or f"git ended with code {process.returncode}")
        return Output(bytes(stdout.content), text)

    def _command(
        self, arguments: Sequence[str], url: GitUrl | None, settings: Sequence[str] = ()
    ) -> list[str]:
        chosen = [*_SETTINGS, *settings]
        if url is not None and self.limits.hosts:
            # A redirect could lead to a host that is not on the list.
            chosen.append("http.followRedirects=false")
        if url is not None and url.secret is not None and url.scheme != "ssh":
            chosen += ["credential.helper=", f"credential.helper={_CREDENTIAL_HELPER}"]
        return ["git", *(word for each in chosen for word in ("-c", each)), *arguments]

    def _attend(
        self,
        process: subprocess.Popen[bytes],
        size: Callable[[], int] | None,
        steps: ProgressReader | None,
    ) -> tuple[_Drain, _Drain]:
        self.check_time()
        drains = _Drain(), _Drain(steps.feed if steps is not None else None)
        readers = [
            threading.Thread(target=drain.read, args=(pipe,), daemon=True)
            for drain, pipe in zip(drains, (process.stdout, process.stderr), strict=True)
        ]
        for reader in readers:
            reader.start()
        until = math.inf
        while time.monotonic() < until and any(reader.is_alive() for reader in readers):
            next(reader for reader in readers if reader.is_alive()).join(_TICK)
            self._check(process.pid, drains, size)
            if until == math.inf and process.poll() is not None:
                until = time.monotonic() + _GRACE_SECONDS
        process.wait(timeout=max(1.0, self._left()))
        return drains

    def give_up(self) -> None:
        """End what runs on other threads, within a moment; nothing more will be run."""
        self._given_up = True

    def check_wanted(self) -> None:
        """Raises `LimitExceededError` after `give_up`."""
        if self._given_up:
            raise LimitExceededError("the run", "the run has ended")

    def check_time(self) -> None:
        """Raises `LimitExceededError` when the time for all commands is used up."""
        self.check_wanted()
        if self._left() < 0:
            seconds = self.limits.seconds
            raise LimitExceededError("WASMIND_GIT_SECONDS", f"git took longer than {seconds:g} s")

    def _left(self) -> float:
        if self._deadline is None:
            self._deadline = time.monotonic() + self.limits.seconds
        return self._deadline - time.monotonic()

    def _check(
        self, process: int, drains: tuple[_Drain, ...], size: Callable[[], int] | None
    ) -> None:
        self.check_time()
        if any(drain.overflowed for drain in drains):
            raise LimitExceededError("output of git", "the remote lists more than 64 MiB of refs")
        most = self.limits.fetched_mib
        if size is not None and size() > most * 2**20:
            raise LimitExceededError("WASMIND_GIT_MIB", f"the repository is larger than {most} MiB")
        # The names of refs are nowhere on disk.
        memory = max(most, _LEAST_MEMORY_MIB)
        if private_bytes(process) > memory * 2**20:
            message = f"what the remote sends fills more than {memory} MiB of memory"
            raise LimitExceededError("WASMIND_GIT_MIB", message)


@contextlib.contextmanager
def _prepared(text: str) -> Iterator[IO[bytes] | int]:
    """What a process reads from, whenever it likes to."""
    if not text:
        yield subprocess.DEVNULL
        return
    import tempfile  # takes a while; few commands read something

    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        file.seek(0)
        yield file


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            if os.name == "nt":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def transports(url: GitUrl | None) -> set[str]:
    """Schemes by which git may fetch what a URL names, from a mirror for example; never `ext`."""
    return {"https", "ssh"} | ({url.scheme} if url is not None else set())


def _environment(url: GitUrl | None, home: Path, *, local: bool = False) -> Mapping[str, str]:
    chosen = {
        name: value
        for name, value in os.environ.items()
        if name not in _DROPPED and (not name.startswith("GIT_") or name in _KEPT)
    }
    chosen |= _SET
    # A repository around the cache, such as a home folder under git, has no say.
    chosen["GIT_CEILING_DIRECTORIES"] = str(home.parent)
    # An explicit list replaces all `protocol.*` settings.
    chosen["GIT_ALLOW_PROTOCOL"] = ":".join(
        sorted(transports(url) | ({"file"} if local else set()))
    )
    if url is not None and url.secret is not None:
        chosen["WASMIND_GIT_HOST"] = url.place
        chosen["WASMIND_GIT_USER"] = url.secret.user
        chosen["WASMIND_GIT_PASSWORD"] = url.secret.password
    return chosen
