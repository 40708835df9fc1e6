"""Sizes of what lies on disk, for people."""

from __future__ import annotations

from pathlib import Path


def tree_size(path: Path) -> tuple[int, int]:
    """Number of files below `path` and their size in bytes; links are not followed.

    A file with several names is counted once.
    """
    if path.is_symlink() or path.is_file():
        return 1, path.lstat().st_size
    found = [item.lstat() for item in path.rglob("*") if item.is_symlink() or item.is_file()]
    once = {(status.st_dev, status.st_ino): status.st_size for status in found}
    return len(once), sum(once.values())


def human(size: int) -> str:
    """A size in bytes, KiB, MiB or GiB."""
    if size < 1024:
        return f"{size} B"
    amount = float(size)
    for unit in ("KiB", "MiB", "GiB"):
        amount /= 1024
        if amount < 1024 or unit == "GiB":
            break
    return f"{amount:.1f} {unit}"
