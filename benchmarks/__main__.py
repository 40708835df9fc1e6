"""Runs all suites, or those that are named."""

from __future__ import annotations

import importlib
import sys
from typing import Final

SUITES: Final = ("agents", "check", "commands", "lock", "messages", "models")


def run(wanted: list[str]) -> None:
    """Run suites by name; all without names."""
    if unknown := sorted(set(wanted) - set(SUITES)):
        sys.exit(f"no suite called {', '.join(unknown)}; there are: {', '.join(SUITES)}")
    for name in wanted or SUITES:
        print(f"\n== {name} ==", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    run(sys.argv[1:])
