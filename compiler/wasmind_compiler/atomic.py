"""Replacing a file whole: a reader, or a process that is killed, sees the old or the new text."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Write `content` beside `path` and rename it; on any failure nothing is left behind.

    The file keeps its permissions; one that nobody may write stays as it is.

    Raises:
        OSError: it cannot be written; `path` is as it was.
    """
    mode = _permissions(path)
    aside = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            # Else a machine that stops now may come back with the new name and nothing in it.
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            aside.chmod(mode)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _permissions(path: Path) -> int | None:
    """Those of the file, if there is one."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None
    # The bits too: they say what is wanted, and do not keep an administrator from writing.
    if not os.access(path, os.W_OK) or not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return mode
