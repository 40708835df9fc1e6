"""Starts commands and takes down everything they started. Executed as a script, once per host.

    python -I -S launcher.py REQUESTS

    host -- launcher -- keeper -- command -- whatever it starts

REQUESTS is a stream socket. Each byte on it brings four descriptors: a connection to the host, a
file with what to run, and the two streams the command writes to. For each the launcher forks a
keeper, which starts the command, tells on the connection how it ended, waits until the host closes
its side, and kills every descendant, also those that left the process group or the session. When
the host is gone its side is closed as well, so nothing outlives it. One
byte goes back: that all is ready.

A keeper says, a line each:

    no-folder ERRNO, failed-to-start ERRNO, exited CODE or signaled NUMBER
    left and, after tabs, the command lines of processes that lived on after the command

A command may send signals to its keeper. One that dies or is stopped is ended by the launcher, with
everything that then falls to the launcher. Whatever became of a keeper, the launcher says `closed`
when nothing of it is left. A connection that ends without tells the host that something was done to
the launcher itself, and the host looks after what is left (`launch`).

Started with an empty environment and made unreadable for other processes of the user, so that a
command learns nothing about the host. Single-threaded, since it forks, and small, since a keeper is
a copy of it: what `signal` and `socket` add to the modules beneath them is not needed here.
"""

import _signal as signal  # type: ignore[import-not-found]  # see below
import _socket as socket
import array
import gc
import marshal
import os
import resource
import select
import sys
import time

_SUBREAPER, _DUMPABLE = 36, 4  # of Linux' prctl(2)
_DESCRIPTORS = 4
_KILL_SECONDS = 2.0
_STEP_MS = 10
_SHOWN_PROCESSES = 20
_SHOWN_CHARACTERS = 200
_LINUX = sys.platform == "linux"
#: Handled or ignored so that a command's `kill 0` does not end its keeper; reset for commands.
_SIGNALS = tuple(
    number
    for number in signal.valid_signals()
    if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD)
    and number not in (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT)
)


class _Launcher:
    """Forks keepers, and ends what falls to it when one of them was killed."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests: socket.socket | None = requests
        self._keepers: dict[int, int] = {}  # process id to the launcher's copy of the connection
        self._closing: dict[int, float] = {}  # connections of keepers that ended, until when
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._waker, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        self._poll = select.poll()
        self._poll.register(self._wake, select.POLLIN)
        self._poll.register(requests, select.POLLIN)

    def run(self) -> None:
        """Serve until the host is gone and nothing is left."""
        while self._requests is not None or self._keepers or self._closing:
            ready = dict(self._poll.poll(_STEP_MS if self._closing else None))
            if self._wake in ready:
                os.read(self._wake, 4096)
            self._look_after()
            if self._requests is not None and self._requests.fileno() in ready:
                self._accept(self._requests)

    def _accept(self, requests: socket.socket) -> None:
        """Fork a keeper, or note that the host is gone."""
        size = array.array("i").itemsize * _DESCRIPTORS
        cloexec = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
        byte, messages, _, _ = requests.recvmsg(1, socket.CMSG_SPACE(size), cloexec)
        if not byte:
            self._poll.unregister(requests)
            self._requests = None
            return
        descriptors = array.array("i", messages[0][2][:size]).tolist()
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        try:
            pid = os.fork()
        except OSError as error:
            _say(descriptors[0], f"failed-to-start {error.errno}")
            for descriptor in descriptors:
                os.close(descriptor)
            return
        if not pid:
            self._become_keeper(descriptors)
        self._keepers[pid] = descriptors[0]
        for descriptor in descriptors[1:]:
            os.close(descriptor)

    def _become_keeper(self, descriptors: list[int]) -> None:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            # The host must see each connection close when its own keeper closes it.
            for inherited in (*self._keepers.values(), *self._closing, self._wake, self._waker):
                os.close(inherited)
            if self._requests is not None:
                self._requests.close()
            _keep(*descriptors)
            os._exit(os.EX_OK)
        finally:
            os._exit(os.EX_SOFTWARE)

    def _look_after(self) -> None:
        """Reap; close the connections of keepers that ended once nothing of theirs is left."""
        now = time.monotonic()
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                break
            if not pid:
                break
            if os.WIFSTOPPED(status):
                _kill(pid)
            elif pid in self._keepers:
                connection = self._keepers.pop(pid)
                if status:
                    self._closing[connection] = now + _KILL_SECONDS
                else:  # it has left nothing
                    _close(connection)
        if self._closing:
            self._clean_up(now)

    def _clean_up(self, now: float) -> None:
        """End what keepers have left that were killed or gave up."""
        strays = [pid for pid in _children() if pid not in self._keepers]
        for pid in strays:
            _kill(pid)
        for connection, deadline in list(self._closing.items()):
            if not strays or now > deadline:
                del self._closing[connection]
                _close(connection)


def _keep(connection: int, request: int, out: int, err: int) -> None:
    """Run one command: from its start to the end of everything it started."""
    os.setsid()
    _adopt_orphans()
    size = os.fstat(request).st_size
    directory, command, environment = marshal.loads(os.pread(request, size, 0))  # noqa: S302 - the host wrote it
    try:
        os.chdir(directory)
    except OSError as error:
        _say(connection, f"no-folder {error.errno}")
        return
    try:
        pid = os.posix_spawn(
            command[0],
            command,
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, out, 1),
                (os.POSIX_SPAWN_DUP2, err, 2),
            ],
            setsigdef=_SIGNALS,
        )
    except OSError as error:
        _say(connection, f"failed-to-start {error.errno}")
        return
    # The host must see the end of the streams when the command closes them.
    os.close(out)
    os.close(err)
    os.chdir("/")
    outcome = _wait(pid, connection)
    if outcome is not None and not _has_children():
        _say(connection, f"{outcome}\nleft")  # which spares the host a round trip
        return
    if outcome is not None:
        _say(connection, outcome)
        _await_end(connection)
    left = _kill_all(pid, running=outcome is None)
    _say(connection, "\t".join(["left", *left]))
    if _has_children():
        os._exit(os.EX_TEMPFAIL)  # what cannot be ended now falls to the launcher


def _adopt_orphans() -> None:
    """Become the parent of descendants whose own parent died, where the system can do that."""
    if _LINUX:
        _prctl(_SUBREAPER, 1, 0, 0, 0)


def _wait(pid: int, connection: int) -> str | None:
    """How the command ended; None when the host gave it up first."""
    poll = select.poll()
    poll.register(connection, select.POLLHUP | select.POLLIN)
    patience: int | None = _STEP_MS
    if hasattr(os, "pidfd_open"):
        poll.register(os.pidfd_open(pid), select.POLLIN)
        patience = None
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return f"signaled {-code}" if code < 0 else f"exited {code}"
        if any(descriptor == connection for descriptor, _ in poll.poll(patience)):
            return None


def _has_children() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def _await_end(connection: int) -> None:
    """Until the host has read what it wants."""
    while os.read(connection, 1):
        pass


def _kill_all(pid: int, *, running: bool) -> list[str]:
    """Kill every descendant; returns the command lines of those that outlived the command."""
    if running:
        _kill(pid)  # also where descendants cannot be listed
    left: dict[int, str] = {}
    deadline = time.monotonic() + _KILL_SECONDS
    while time.monotonic() < deadline:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            break
        for child in _children():
            if not running and child not in left and (line := _command_line(child)):
                left[child] = line
            _kill(child)
        time.sleep(0.001)
    return list(left.values())[:_SHOWN_PROCESSES]


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:  # noqa: PTH123 - pathlib is slow
            return [int(text) for text in file.read().split()]
    except OSError:
        return []


def _command_line(pid: int) -> str:
    """What a process runs, on one line; empty when it has just ended by itself."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123 - pathlib is slow
            words = file.read(4 * _SHOWN_CHARACTERS).replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
    return " ".join(words.split())[:_SHOWN_CHARACTERS]


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # gone already, or not ours to end


def _close(connection: int) -> None:
    _say(connection, "closed")
    os.close(connection)


def _say(connection: int, line: str) -> None:
    try:
        os.write(connection, (line + "\n").encode(errors="replace"))
    except (BrokenPipeError, ConnectionResetError):
        return  # the host is gone


def _mark() -> None:
    """Lower a limit that matters to nobody, so that the host knows what comes from here.

    Every process inherits it, and none without special rights can raise it again.
    """
    if _LINUX:
        _, most = resource.getrlimit(resource.RLIMIT_RTTIME)
        least = (1 << 62) if most == resource.RLIM_INFINITY else most - 1
        resource.setrlimit(resource.RLIMIT_RTTIME, (least, least))


def main() -> None:
    """Serve the host that holds the other end of REQUESTS."""
    for number in _SIGNALS:
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue  # the C library keeps some to itself
    os.chdir("/")
    _mark()
    _adopt_orphans()
    if _LINUX:
        _prctl(_DUMPABLE, 0, 0, 0, 0)
    requests = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(requests.fileno(), False)
    # Keepers share these pages as long as nothing writes to them.
    gc.disable()
    gc.freeze()
    requests.send(b"\0")  # up and running
    _Launcher(requests).run()


if __name__ == "__main__":
    if _LINUX:
        import ctypes

        _prctl = ctypes.CDLL(None).prctl
    main()
