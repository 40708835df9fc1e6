"""Options and fixtures for all tests."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator

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


@pytest.fixture(autouse=True, scope="session")
def _state_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests accept is nothing their user has accepted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True, scope="module")
def _modules_of_no_actor() -> Iterator[None]:
    """Modules of actors that a file has loaded are not found by whoever looks through all."""
    yield
    testing = sys.modules.get("wasmind_actor.testing")
    installed = [] if testing is None else testing._installed
    while installed:
        installed.pop().uninstall()
