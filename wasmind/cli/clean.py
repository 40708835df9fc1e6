"""`wasmind clean`: empty the cache."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from wasmind.cli import cache_use, compiling, terminal
from wasmind.cli.sizes import human, tree_size
from wasmind.paths import cache_dir

_LOCK: Final = ".lock"
_QUIETLY: Final = 1.0


@click.command(name="clean")
@click.option("--dry-run", "-n", is_flag=True, help="Say what would be removed, remove nothing.")
@click.option(
    "--wait",
    "seconds",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for commands that use the cache.",
)
def command(*, dry_run: bool, seconds: float) -> None:
    """Remove everything the cache holds and say how much it was.

    The cache holds the Python interpreter component, native code, compiled actors, bundles of `run`
    and git sources. All of it is made again when it is needed; nothing else is touched. While other
    commands use the cache, nothing is removed.

    Exit codes: 0 done, 2 the cache is in use or cannot be emptied.
    """
    cache = cache_dir()
    if not cache.is_dir():
        terminal.result(f"nothing to clean: {cache}")
        return
    if dry_run:
        _clean(cache, "would remove", lambda _: None)
        return
    try:
        with cache_use.alone(cache, seconds):
            _clean(cache, "removed", lambda part: _remove(part, seconds))
    except cache_use.CacheInUseError as error:
        raise compiling.EnvironmentProblem(f"the cache is in use: {error}") from None
    except OSError as error:
        raise compiling.EnvironmentProblem(f"cannot clean `{cache}`: {error.strerror}") from None


def _clean(cache: Path, verb: str, remove: Callable[[Path], None]) -> None:
    parts = sorted(part for part in cache.iterdir() if part.name != cache_use.LOCK_FILE)
    if not parts:
        terminal.result(f"nothing to clean: {cache}")
        return
    total_files, total_bytes = 0, 0
    for part in parts:
        files, size = tree_size(part)
        total_files, total_bytes = total_files + files, total_bytes + size
        remove(part)
        terminal.result(f"  {part.name:<14} {human(size):>10}  {files} files")
    terminal.result(f"{verb} {human(total_bytes)} in {total_files} files: {cache}")


def _remove(part: Path, seconds: float) -> None:
    """Remove a part of the cache, each entry that has a lock under that lock.

    A git that outlived its killed parent holds the lock of its store.
    """
    if part.is_symlink() or not part.is_dir():
        part.unlink(missing_ok=True)
        return
    for lock in sorted(part.glob(f"*{_LOCK}")):
        _remove_locked(lock, seconds)
    shutil.rmtree(part)


def _remove_locked(lock: Path, seconds: float) -> None:
    with _held(lock, seconds):
        for entry in lock.parent.glob(f"{lock.stem}*"):
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry != lock:
                entry.unlink()


@contextmanager
def _held(path: Path, seconds: float) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock, holder = FileLock(path), f"the process that holds `{path.name}`"
    try:
        try:
            lock.acquire(timeout=min(seconds, _QUIETLY))
        except Timeout:
            terminal.status("Waiting", f"for {holder}")
            lock.acquire(timeout=seconds)
    except Timeout:
        raise cache_use.CacheInUseError(f"waited {seconds:g} s for {holder}") from None
    try:
        yield
    finally:
        lock.release()
