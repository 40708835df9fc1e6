"""Replacing a file whole: a reader, or a process that is killed, sees the old or the new text."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, content: bytes, mode: int) -> None:
    """Write `content` beside `path` and rename it; on any failure nothing is left behind.

    Raises:
        OSError: it cannot be written; `path` is as it was.
    """
    import tempfile  # here, because most commands write nothing

    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(aside).chmod(mode)
        Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
