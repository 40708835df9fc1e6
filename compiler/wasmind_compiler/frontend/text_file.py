"""Reading a file that people wrote, without trusting that it is one."""

from __future__ import annotations

import errno
import stat
from pathlib import Path
from typing import Final

#: More than anybody writes; a parser would take minutes over it.
LARGEST: Final = 8 * 1024 * 1024


def read_text_file(path: Path) -> bytes:
    """The content of a regular file of reasonable size.

    Raises:
        OSError: it cannot be read, is no regular file, or is too large.
    """
    # Opening a named pipe would wait for somebody to write to it.
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(errno.EFBIG, f"larger than {LARGEST // (1024 * 1024)} MiB", str(path))
    return content
