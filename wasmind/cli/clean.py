"""`wasmind clean`: empty the cache, or remove what is not used any more."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click

from wasmind.cli import cache_entries, cache_use, compiling, terminal
from wasmind.cli.cache_entries import Entry
from wasmind.cli.sizes import human
from wasmind.paths import cache_dir

_SECONDS: Final = {"h": 3600.0, "d": 86_400.0, "w": 7 * 86_400.0}


class _Age(click.ParamType[float]):
    """A number of hours, days or weeks, as seconds."""

    name = "AGE"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Read it."""
        given = re.fullmatch(r"(\d{1,6})([hdw])", str(value))
        if given is None:
            self.fail(f"`{value}` is not an age; `12h`, `7d` and `2w` are", param, ctx)
        return int(given[1]) * _SECONDS[given[2]]


@click.command(name="clean")
@click.option(
    "--older-than",
    "age",
    type=_Age(),
    metavar="AGE",
    help="Only what nothing has used for that long, like `7d`; also `h` and `w`.",
)
@click.option(
    "--unused",
    is_flag=True,
    help="Only what this version of Wasmind would not use again, and what killed commands left.",
)
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
def command(*, age: float | None, unused: bool, dry_run: bool, seconds: float) -> None:
    """Remove everything the cache holds and say how much it was.

    The cache holds the Python interpreter component, native code, compiled actors, bundles of `run`
    with the components they share, and git sources. All of it is made again when it is needed;
    nothing else is touched. While other commands use the cache, nothing is removed.

    --unused removes other interpreters than the present one, and the bundles and compiled actors
    made with them; native code of components that are not in the cache; shared components that no
    bundle has. With --older-than as well, either is reason enough.

    It need not be called: once a day, when the cache holds more than 2 GiB, what nothing has used
    for 30 days is removed. WASMIND_CACHE_MIB sets another limit.

    \b
    wasmind clean --older-than 7d
    wasmind clean --unused --dry-run

    Exit codes: 0 done, 2 the cache is in use or cannot be emptied.
    """
    cache = cache_dir()
    if not cache.is_dir():
        terminal.result(f"nothing to clean: {cache}")
        return
    choose = _chooser(age, unused=unused)
    if dry_run:
        _report(cache, "would remove", choose(cache_entries.entries(cache)))
        return
    try:
        with cache_use.alone(cache, seconds):
            chosen = choose(cache_entries.entries(cache))
            _report(cache, "removed", chosen, lambda: _remove(cache, chosen, seconds))
    except cache_use.CacheInUseError as error:
        raise compiling.EnvironmentProblem(f"the cache is in use: {error}") from None
    except OSError as error:
        raise compiling.EnvironmentProblem(f"cannot clean `{cache}`: {error.strerror}") from None


def _chooser(age: float | None, *, unused: bool) -> Callable[[Sequence[Entry]], list[Entry]]:
    before = None if age is None else time.time() - age

    def choose(found: Sequence[Entry]) -> list[Entry]:
        if before is None and not unused:
            return list(found)
        chosen = {entry for entry in found if before is not None and entry.used <= before}
        if unused:
            from wasmind.cli.unused_entries import unused_entries

            with compiling.compilation():
                chosen.update(unused_entries(found))
        return [entry for entry in found if entry in chosen]

    return choose


def _report(
    cache: Path, verb: str, chosen: Sequence[Entry], remove: Callable[[], None] | None = None
) -> None:
    freed = cache_entries.sizes(chosen)
    if remove is not None:
        remove()
    if not chosen:
        terminal.result(f"nothing to clean: {cache}")
        return
    for part, (files, size) in freed.items():
        terminal.result(f"  {part:<14} {human(size):>10}  {files} files")
    total_files = sum(files for files, _ in freed.values())
    total_bytes = sum(size for _, size in freed.values())
    terminal.result(f"{verb} {human(total_bytes)} in {total_files} files: {cache}")


def _remove(cache: Path, chosen: Sequence[Entry], seconds: float) -> None:
    for entry in chosen:
        cache_entries.remove(entry, seconds)
    for part in {entry.part for entry in chosen}:
        with suppress(OSError):  # there is more in it, or it was a file
            (cache / part).rmdir()
