"""Timing whole processes side by side, and printing the ratios."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
#: F of the tables: a bare interpreter with what any reader of TOML and hashes needs.
FLOOR = [sys.executable, "-I", "-c", "import json, tomllib, hashlib"]
WASMIND = [sys.executable, "-c", "from wasmind.__main__ import main; main()"]


class Taken(NamedTuple):
    """What a command takes: median seconds, and median of its ratios to what ran just before it."""

    seconds: float
    ratio: float


def seconds(
    command: Sequence[str],
    *,
    cwd: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    expected: int = 0,
) -> float:
    """The wall time of one run.

    It may write bytecode, as installing a package does, so that no later run compiles Python.
    """
    variables = {**os.environ, **(environment or {})}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=cwd, env=variables, capture_output=True, text=True, check=False
    )
    taken = time.perf_counter() - started
    if done.returncode != expected:
        raise RuntimeError(f"{' '.join(command)} gave {done.returncode}: {done.stderr}")
    return taken


def beside(yardstick: Callable[[], float], measured: Callable[[], float], pairs: int = 11) -> Taken:
    """Measure in pairs, after one that does not count.

    Machines are shared and change their speed from one second to the next: figures taken one after
    the other can be compared, figures taken at the beginning and at the end of a run cannot.

    Args:
        yardstick: runs what to compare with; returns the seconds it took.
        measured: likewise.
        pairs: how many count.
    """
    taken = [(yardstick(), measured()) for _ in range(pairs + 1)][1:]
    return Taken(
        seconds=median(mine for _, mine in taken),
        ratio=median(mine / other for other, mine in taken),
    )


def row(name: str, taken: Taken, unit: str, target: str = "") -> None:
    """One line of a table: milliseconds, the ratio to `unit`, and what was aimed at."""
    aim = f"   target {target}" if target else ""
    ratio = f"{taken.ratio:.1f} {unit}"
    print(f"{name:<46}{taken.seconds * 1000:>10.0f} ms{ratio:>14}{aim}", flush=True)
