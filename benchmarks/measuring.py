"""Timing whole processes side by side, and printing the ratios."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
#: F of the tables: a bare interpreter with what any reader of TOML and hashes needs.
FLOOR = [sys.executable, "-I", "-c", "import json, tomllib, hashlib"]
WASMIND = [sys.executable, "-c", "from wasmind.__main__ import main; main()"]


def seconds(
    command: Sequence[str],
    *,
    cwd: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    repeat: int = 7,
    expected: int = 0,
) -> float:
    """The least wall time of several runs: what the command takes when nothing is in its way.

    The first run may write bytecode, as installing a package does, so that no other run compiles
    Python sources.
    """
    variables = {**os.environ, **(environment or {})}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    best = float("inf")
    for _ in range(repeat):
        started = time.perf_counter()
        done = subprocess.run(
            command, cwd=cwd, env=variables, capture_output=True, text=True, check=False
        )
        best = min(best, time.perf_counter() - started)
        if done.returncode != expected:
            raise RuntimeError(f"{' '.join(command)} gave {done.returncode}: {done.stderr}")
    return best


def row(name: str, taken: float, floor: float, target: str = "") -> None:
    """One line of a table: milliseconds, their ratio to F, and what was aimed at."""
    aim = f"   target {target}" if target else ""
    print(f"{name:<46}{taken * 1000:>10.0f} ms{taken / floor:>9.1f} F{aim}", flush=True)
