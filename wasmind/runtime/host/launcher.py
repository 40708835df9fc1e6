"""Runs one command and takes everything it started down with it. Executed as a script.

    python -I -S launcher.py CONTROL REPORT PROGRAM [ARGUMENT ...]

CONTROL is the read end of a pipe that the host keeps open as long as the command may live: when it
closes, because the call is over or because the host is gone, every descendant is killed, also those
that left the process group or the session. The first thing on it is the command's environment: its
size in four bytes, big-endian, and `name=value` entries with a null byte after each. It does not
come as this script's own, because Python adds to that. On REPORT goes one line about how the
command ended or why it could not start, and one with the number of processes that had to be killed
after its end.

Imports as little as possible: its start is part of every command's.
"""

import errno
import os
import select
import signal
import sys
import time

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of Linux' prctl(2)
_KILL_SECONDS = 2.0
_STEP_MS = 10


def main() -> None:
    """Start the command, report its end, wait for the host, clean up."""
    control, report = int(sys.argv[1]), int(sys.argv[2])
    command = sys.argv[3:]
    os.set_inheritable(control, False)
    os.set_inheritable(report, False)
    _adopt_orphans()
    # Python ignores these for itself; the command expects their defaults.
    defaults = [signal.SIGPIPE, signal.SIGXFSZ]
    try:
        pid = os.posix_spawn(command[0], command, _environment(control), setsigdef=defaults)
    except OSError as error:
        _say(report, f"failed-to-start {os.strerror(error.errno or errno.EIO)}")
        return
    # The host must see the end of the streams when the command closes them.
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)
    outcome = _wait(pid, control)
    _say(report, outcome)
    _await_end(control)
    _say(report, f"killed {_kill_all(pid, running=outcome == 'cut-off')}")


def _environment(control: int) -> dict[bytes, bytes]:
    block = _read(control, int.from_bytes(_read(control, 4), "big"))
    return dict(entry.split(b"=", 1) for entry in block.split(b"\0")[:-1])


def _read(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size and (chunk := os.read(descriptor, size - len(data))):
        data += chunk
    return data


def _adopt_orphans() -> None:
    """Become the parent of descendants whose own parent died, where the system can do that."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def _wait(pid: int, control: int) -> str:
    """How the command ended, or `cut-off` when the host gave it up first."""
    poll = select.poll()
    poll.register(control, select.POLLHUP | select.POLLIN)
    patience: int | None = _STEP_MS
    if hasattr(os, "pidfd_open"):
        poll.register(os.pidfd_open(pid), select.POLLIN)
        patience = None
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return f"signaled {-code}" if code < 0 else f"exited {code}"
        if any(descriptor == control for descriptor, _ in poll.poll(patience)):
            return "cut-off"


def _await_end(control: int) -> None:
    """Until the host has read what it wants."""
    while os.read(control, 1):
        pass


def _kill_all(pid: int, running: bool) -> int:
    """Kill every descendant; returns how many lived on after the command itself."""
    if running:
        _kill(pid)  # also where descendants cannot be listed
    killed = set()
    deadline = time.monotonic() + _KILL_SECONDS
    while time.monotonic() < deadline:
        for child in _children():
            _kill(child)
            if child != pid:
                killed.add(child)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            break
        time.sleep(0.001)
    return len(killed)


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:  # noqa: PTH123 - pathlib is slow
            return [int(text) for text in file.read().split()]
    except OSError:
        return []


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # gone already, or not ours to end


def _say(report: int, line: str) -> None:
    try:
        os.write(report, (line + "\n").encode())
    except BrokenPipeError:
        return  # the host is gone


if __name__ == "__main__":
    main()
