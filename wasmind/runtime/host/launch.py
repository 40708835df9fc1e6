"""Starting commands through a launcher, so that nothing of them can stay behind; see `launcher`."""

from __future__ import annotations

import marshal
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

from wasmind.runtime.host import orphans

_LAUNCHER: Final = str(Path(__file__).with_name("launcher.py"))
_LINE_BYTES: Final = 16_384
#: How long ending a command may take; a keeper itself gives up after two seconds.
_END_SECONDS: Final = 5.0
#: How long a launcher may take to accept a command; it never takes that long unless it is stopped.
_HAND_OVER_SECONDS: Final = 10.0
_GLANCE_SECONDS: Final = 0.05
#: What becomes of a command whose keeper was killed.
_KILLED: Final = ("signaled", 9)
_NO_LAUNCHER: Final = ("no-launcher", 0)


class LauncherError(OSError):
    """No command can be started."""


class Launchers:
    """Starts commands; keeps one launcher, which is started with the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._current: _Launcher | None = None
        self._closed = False

    def launch(
        self, command: Sequence[str], directory: str, environment: Mapping[str, str]
    ) -> Launched:
        """Start a command.

        Args:
            command: the path of the program, and its arguments.
            directory: an absolute path.
            environment: all that the command gets to see.

        Raises:
            OSError: there are no more processes or descriptors, or the system is stopping.
            ValueError: a null character somewhere.
        """
        request = (
            os.fsencode(directory),
            [os.fsencode(word) for word in command],
            {os.fsencode(name): os.fsencode(value) for name, value in environment.items()},
        )
        if any(b"\0" in text for text in (request[0], *request[1], *request[2].values())) or any(
            not name or b"\0" in name or b"=" in name for name in request[2]
        ):
            raise ValueError("a null character in the command, or a faulty name of a variable")
        try:
            return Launched(self._launcher(), marshal.dumps(request))
        except LauncherError:  # another command has just killed it
            return Launched(self._launcher(), marshal.dumps(request))

    def close(self) -> None:
        """End the launcher, and with it every command."""
        with self._lock:
            self._closed = True
            if self._current is not None:
                self._current.close()

    def _launcher(self) -> _Launcher:
        with self._lock:
            if self._closed:
                raise LauncherError("the system is stopping")
            if self._current is None or not self._current.healthy():
                self._current = _Launcher()
            return self._current


class _Launcher:
    """The launcher's process."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair()
        # Python code of other threads may hold this one up, so only what waits for room is limited.
        self._requests.settimeout(_HAND_OVER_SECONDS)
        self._sending = threading.Lock()
        self._ending = threading.Lock()
        self._ended = False
        self._started = False
        with theirs, orphans.registering():
            try:
                self._process = _start(theirs.fileno())
            except OSError as error:
                self._requests.close()
                raise LauncherError(f"the launcher of commands cannot start: {error}") from None
            orphans.register(self._process.pid)

    def hand_over(self, descriptors: Sequence[int]) -> None:
        """Give it what a command needs.

        Raises:
            LauncherError: it has ended, or does not take it.
        """
        try:
            with self._sending:
                socket.send_fds(self._requests, [b"\0"], descriptors)
        except OSError:
            self.end()
            problem = "answer any more" if self.started() else "come up"
            raise LauncherError(f"the launcher of commands does not {problem}") from None

    def started(self) -> bool:
        """Whether it ever came up; asked for when a command is lost."""
        if not self._started:
            with suppress(OSError):
                self._started = bool(self._requests.recv(1, socket.MSG_DONTWAIT))
        return self._started

    def healthy(self) -> bool:
        """Whether it works; if a command has killed or stopped it, everything of it is ended."""
        if self._ended:
            return False
        if _works(self._process):
            return True
        self.end()
        return False

    def close(self) -> None:
        """Let it end in order: first its commands, then itself."""
        self._requests.close()
        with self._ending:
            deadline = time.monotonic() + _END_SECONDS
            while not self._ended and _works(self._process) and time.monotonic() < deadline:
                time.sleep(0.001)
        self.end()

    def end(self) -> None:
        """End it and everything that came from it, at once."""
        with self._ending:
            if self._ended:
                return
            self._ended = True
            self._process.kill()
            self._process.wait()
            self.started()
            self._requests.close()
            orphans.sweep(self._process.pid)


def _start(requests: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", _LAUNCHER, str(requests)],
        env={},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(requests,),
        start_new_session=True,
    )


def _works(process: subprocess.Popen[bytes]) -> bool:
    """Whether a child has neither ended nor been stopped."""
    if not hasattr(os, "waitid"):
        return process.poll() is None
    options = os.WEXITED | os.WSTOPPED | os.WNOHANG | os.WNOWAIT
    try:
        return os.waitid(os.P_PID, process.pid, options) is None
    except ChildProcessError:
        return False


def _in_memory() -> IO[bytes]:
    """A file without a name, which a keeper reads when it gets to it."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("command"), "w+b", buffering=0)
    import tempfile

    return tempfile.TemporaryFile(buffering=0)


class Launched:
    """A running command; leaving the `with` ends it and everything it started.

    Attributes:
        stdout, stderr: descriptors to read from.
        report: a descriptor that becomes readable when the command has ended.
        status: how it ended: `exited` or `signaled` with a number, `no-folder` or
            `failed-to-start` with an error number, `no-launcher`; None while it runs.
        left: afterwards, the command lines of processes that lived on after it and were ended.
    """

    def __init__(self, launcher: _Launcher, request: bytes) -> None:
        self._launcher = launcher
        self.status: tuple[str, Any] | None = None
        self.left: tuple[str, ...] = ()
        self._said = b""
        self._silent = False
        self._connection, theirs = socket.socketpair()
        self.report = self._connection.fileno()
        self.stdout, out = os.pipe()
        self.stderr, err = os.pipe()
        try:
            with theirs, _in_memory() as file:
                file.write(request)
                launcher.hand_over((theirs.fileno(), file.fileno(), out, err))
        except BaseException:
            self._close()
            raise
        finally:
            os.close(out)
            os.close(err)

    def read_status(self) -> None:
        """Take note of what `report` says; called when it is readable."""
        try:
            chunk = self._connection.recv(_LINE_BYTES)
        except ConnectionResetError:
            chunk = b""
        self._said += chunk
        while b"\n" in self._said:
            line, _, self._said = self._said.partition(b"\n")
            self._note(line.decode(errors="replace"))
        if not chunk and not self._silent:
            self._silent = True
            self._launcher.end()
            self._lost()

    def watch(self) -> None:
        """See to it that the command has an end when something was done to its launcher."""
        if not self._launcher.healthy():
            self._lost()

    def _lost(self) -> None:
        self.status = self.status or (_KILLED if self._launcher.started() else _NO_LAUNCHER)

    def _note(self, line: str) -> None:
        kind, *processes = line.split("\t")
        if kind == "left":
            self.left = tuple(processes)
            self._silent = True
        elif kind == "closed":
            self._silent = True
            self.status = self.status or _KILLED
        elif self.status is None:
            kind, _, number = line.partition(" ")
            self.status = (kind, int(number))

    def __enter__(self) -> Launched:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._connection.shutdown(socket.SHUT_WR)  # the keeper sees this and ends everything
            self._connection.settimeout(_GLANCE_SECONDS)
            deadline = time.monotonic() + _END_SECONDS
            while not self._silent and time.monotonic() < deadline:
                try:
                    self.read_status()
                except TimeoutError:
                    self.watch()
        except OSError:
            pass  # the keeper has ended and closed its side
        finally:
            self._close()

    def _close(self) -> None:
        self._connection.close()
        os.close(self.stdout)
        os.close(self.stderr)
