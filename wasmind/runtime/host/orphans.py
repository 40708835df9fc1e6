"""What of a launcher's processes falls to this one, and is ended here.

A command may kill the launcher and every keeper above it. Its processes then become children of
the nearest ancestor that asked for orphans: this process, from the start of its first launcher to
the end of its last one. Among its children they are known by a limit that launchers lower for
themselves and all they start (`launcher`), and which a process without special rights cannot
raise again; other children of the program are never touched. Linux only: elsewhere nothing is
adopted.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_SUBREAPER: Final = 36  # PR_SET_CHILD_SUBREAPER of Linux' prctl(2)
_LIMIT: Final = "Max realtime timeout"
_SECONDS: Final = 2.0

# The kernel knows one parent of orphans, the process, so this is kept once for all systems in it.
_launchers: Final[set[int]] = set()
_lock: Final = threading.Lock()


def registering() -> threading.Lock:
    """To be held from the start of a launcher until it is registered, so nobody sweeps it away."""
    return _lock


def register(launcher: int) -> None:
    """A launcher was started; from now on orphans come here."""
    if not _launchers:
        _adopt(True)
    _launchers.add(launcher)


def sweep(launcher: int) -> None:
    """A launcher has ended: end what it left behind, within a deadline."""
    with _lock:
        _launchers.discard(launcher)
        deadline = time.monotonic() + _SECONDS
        while (orphans := list(_orphans())) and time.monotonic() < deadline:
            for pid in orphans:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.001)
            for pid in orphans:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
        if not _launchers:
            _adopt(False)


def _adopt(wanted: bool) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_SUBREAPER, int(wanted), 0, 0, 0)


def _orphans() -> Iterator[int]:
    """Children of this process that descend from a launcher which has ended."""
    own = _limit(os.getpid())
    if own is None:
        return
    for pid in _children():
        limit = _limit(pid)
        if pid not in _launchers and limit is not None and limit < own:
            yield pid


def _children() -> Iterator[int]:
    for thread in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            yield from map(int, thread.read_text().split())


def _limit(pid: int) -> float | None:
    """The most that a process may set the limit to; None where that is not known."""
    try:
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(_LIMIT):
            most = line.removeprefix(_LIMIT).split()[1]
            return float("inf") if most == "unlimited" else int(most)
    return None
