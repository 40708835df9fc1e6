"""Runs all suites, or those that are named."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable

import benchmarks


def suites() -> dict[str, Callable[[], None]]:
    """Every module of the package that has a `main`, by name."""
    found = {}
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if module.name != "__main__":
            main = getattr(importlib.import_module(f"benchmarks.{module.name}"), "main", None)
            if main is not None:
                found[module.name] = main
    return found


def run(wanted: list[str]) -> None:
    """Run suites by name; all without names."""
    found = suites()
    if unknown := sorted(set(wanted) - set(found)):
        sys.exit(f"no suite called {', '.join(unknown)}; there are: {', '.join(found)}")
    for name in wanted or found:
        print(f"\n== {name} ==", flush=True)
        found[name]()


if __name__ == "__main__":
    run(sys.argv[1:])
