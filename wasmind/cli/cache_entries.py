"""What is in the cache, entry by entry: how old it is, how large, and how it is removed.

An entry is what is made and used as one: a folder, or the files of one name, together with its
lock. One is removed by renaming it first, so that a process killed on the way leaves no half of it
behind under its name. Whoever removes anything holds the cache for itself (`cache_use.alone`).
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wasmind.cli import cache_use, terminal
from wasmind.records import Record

_PARTS: Final = frozenset(
    {"actors", "bundles", "components", "git", "interpreter", "native", "sources"}
)
_LOCK: Final = ".lock"
_REMOVING: Final = ".removing-"
_QUIETLY: Final = 1.0


class Entry(Record):
    """An entry of the cache.

    Attributes:
        part: the folder of the cache it is in; its own name where it is in none.
        name: what it is called there, without endings.
        paths: its files and folders; the lock, if it has one, comes last.
        used: when it was last used, in seconds since the epoch.
    """

    part: str
    name: str
    paths: tuple[Path, ...]
    used: float

    @property
    def is_leftover(self) -> bool:
        """Whether it was left half done by a process that was killed.

        Only to be asked by who has the cache for itself: others may be at work on it.
        """
        return self.part in _PARTS and ("." in self.name or self.name.startswith("build-"))


def entries(cache: Path) -> list[Entry]:
    """All entries of a cache, sorted by part and name."""
    found: list[Entry] = []
    for part in sorted(cache.iterdir()):
        if part.name == cache_use.LOCK_FILE:
            continue
        if part.is_symlink() or not part.is_dir():
            found.append(_entry(part.name, part.name, [part]))
            continue
        named: dict[str, list[Path]] = {}
        for path in part.iterdir():
            named.setdefault(_name(path), []).append(path)
        found += [_entry(part.name, name, paths) for name, paths in sorted(named.items())]
    return found


def _name(path: Path) -> str:
    is_folder = path.is_dir() and not path.is_symlink()
    if is_folder or path.name.startswith(".") or path.suffix == ".tmp":
        return path.name
    return path.name.partition(".")[0]


def _entry(part: str, name: str, paths: list[Path]) -> Entry:
    # What a component's digest is written beside goes first, lest it stay without.
    paths.sort(key=lambda path: (path.suffix == _LOCK, path.suffix == ".sha256", path))
    used = max(path.lstat().st_mtime for path in paths)
    return Entry(part, name, tuple(paths), used)


def sizes(chosen: Iterable[Entry]) -> Mapping[str, tuple[int, int]]:
    """Files and bytes that the removal of some entries frees, by part.

    A file with several names is freed with the last of them.
    """
    names: Counter[tuple[int, int]] = Counter()
    freed: dict[str, tuple[int, int]] = {}
    for entry in chosen:
        files, size = freed.get(entry.part, (0, 0))
        for status in _files(entry.paths):
            key = status.st_dev, status.st_ino
            names[key] += 1
            files += 1
            size += status.st_size if names[key] == status.st_nlink else 0
        freed[entry.part] = files, size
    return freed


def _files(paths: Iterable[Path]) -> Iterator[os.stat_result]:
    for path in paths:
        if path.is_symlink() or path.is_file():
            yield path.lstat()
            continue
        for folder, _, files in os.walk(path):
            for file in files:
                yield os.lstat(f"{folder}/{file}")


def remove(entry: Entry, seconds: float) -> None:
    """Remove an entry under its lock, if it has one.

    A git that outlived its killed parent holds the lock of its store.

    Raises:
        CacheInUseError: somebody holds the lock for longer than that.
        OSError: it cannot be removed.
    """
    locks = [path for path in entry.paths if path.suffix == _LOCK]
    with _held(locks[0], seconds) if locks else _free():
        for path in entry.paths:
            if path.is_symlink() or not path.is_dir():
                path.unlink(missing_ok=True)
                continue
            aside = path.with_name(f"{_REMOVING}{path.name.lstrip('.')}")
            shutil.rmtree(aside, ignore_errors=True)
            path.rename(aside)
            shutil.rmtree(aside)


@contextmanager
def _free() -> Iterator[None]:
    yield


@contextmanager
def _held(path: Path, seconds: float) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock, holder = FileLock(path), f"the process that holds `{path.name}`"
    try:
        try:
            lock.acquire(timeout=min(seconds, _QUIETLY))
        except Timeout:
            if seconds <= _QUIETLY:
                raise
            terminal.status("Waiting", f"for {holder}")
            lock.acquire(timeout=seconds)
    except Timeout:
        raise cache_use.CacheInUseError(f"waited {seconds:g} s for {holder}") from None
    try:
        yield
    finally:
        lock.release()
