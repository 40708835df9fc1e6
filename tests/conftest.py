"""Options and fixtures for all tests."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings

from wasmind.cli.allocator import limit_arenas

# Who runs the tests in the background has interrupts ignored, and so would everything they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# One arena for all threads, so that memory given back can be told from what an allocator keeps.
limit_arenas(1)

# Machines differ and are shared: no test passes or fails by the clock.
settings.register_profile("wasmind", deadline=None)
settings.load_profile("wasmind")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--torture-seconds",
        type=float,
        default=40.0,
        help="How long the torture test goes on (default: 40).",
    )
