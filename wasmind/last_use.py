"""When an entry of the cache was last used: the modification time of its file or folder.

Access times will not do, because most systems do not keep them.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

#: Seconds for which a mark is good: marking again would write to the disk on every start.
_GOOD_FOR: Final = 86_400.0


def mark_used(entry: str | Path) -> None:
    """Note that an entry is used today; one that cannot be marked is used all the same."""
    try:
        if time.time() - os.stat(entry).st_mtime > _GOOD_FOR:  # noqa: PTH116 - on every start
            os.utime(entry)
    except OSError:
        pass
