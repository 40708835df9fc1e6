"""How much memory running programs have for themselves, where the system tells (Linux)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_PROCESSES: Final = Path("/proc")
_PRIVATE: Final = re.compile(r"^RssAnon:\s+(\d+) kB$", re.MULTILINE)


def private_bytes(process: int) -> int:
    """Memory that a process and all it started have for themselves; 0 where that is not known.

    Args:
        process: its id.
    """
    folder, bytes_found = _PROCESSES / str(process), 0
    try:
        if own := _PRIVATE.search((folder / "status").read_text()):
            bytes_found = int(own[1]) * 1024
        children = (folder / "task" / str(process) / "children").read_text().split()
    except OSError:
        return bytes_found  # it ended, or this system does not tell
    return bytes_found + sum(private_bytes(int(child)) for child in children)
