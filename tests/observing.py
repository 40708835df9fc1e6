"""Waiting for what can be seen, never for a time: how fast a machine is must not matter."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

#: Long enough for any machine. It only ends a test that would hang.
DEADLINE: Final = 120.0
#: For commands that nobody waits for: whoever does has failed.
FOR_EVER: Final = "sleep 3600"


def wait_for(condition: Callable[[], object], seconds: float = DEADLINE) -> None:
    """Look again and again until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.01)


def wait_for_text(path: Path, text: str = "\n") -> str:
    """The content of a file as soon as a text is in it."""
    wait_for(lambda: path.exists() and text in path.read_text())
    return path.read_text()


def is_running(pid: int) -> bool:
    """Whether a process computes still; one that waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
