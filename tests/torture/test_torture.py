"""Everything at once, at random, for a while; and at the end nothing is missing and nothing left.

`pytest tests/torture --torture-seconds 3600` goes on as long as one likes.
"""

from __future__ import annotations

import ctypes
import gc
import os
import random
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.observing import DEADLINE, wait_for
from tests.runtime.conftest import (  # noqa: F401 - fixtures
    PYTHON_ACTOR,
    interpreter,
    python_bundle,
)
from wasmind.paths import cache_dir
from wasmind.plan import Handled, Limits, Restart
from wasmind.runtime.events import Failure, Stopped
from wasmind.runtime.messages import Envelope
from wasmind.runtime.runtime import Runtime

VICTIM = """
    from wasmind_actor import Actor, Message, agents, command, http, on
    from wasmind_actor.messages import Exit

    class Order(Message):
        message_type = "test.Order"
        what: str
        chance: int

    class Noise(Message):
        message_type = "test.Noise"
        text: str

    class Victim(Actor):
        @on(Order, reach="any")
        def order(self, message: Order):
            # Every instance takes part in some of the orders, depending on its scope.
            if sum(map(ord, self.scope)) % 7 != message.chance % 7:
                return
            getattr(self, message.what)()

        def spawn(self):
            try:
                agents.spawn(["victim"], "More")
            except agents.SpawnError:
                pass

        def leave(self):
            if self.scope != "000000":
                self.broadcast(Exit())

        def spin(self):
            while True:
                pass

        def hoard(self):
            hoard = []
            while True:
                hoard.append(bytearray(1 << 20))

        def crash(self):
            raise RuntimeError("as ordered")

        def flood(self):
            for number in range(50):
                self.broadcast(Noise(text="x" * 200))

        def hang(self):
            script = "sleep 30 & setsid sleep 30 & yes | head -c 100000; sleep 30"
            command.run("sh", "-c", script, timeout=1)

        def echo(self):
            command.run("echo", "hello")

        def dead(self):
            try:
                http.get("http://127.0.0.1:1/", timeout=1)
            except http.HttpError:
                pass

        def slow(self):
            try:
                http.get("http://127.0.0.1:SLOW/", timeout=1)
            except http.HttpError:
                pass
"""
#: So many agents at least are to come and go.
ENOUGH = 10
ORDERS = (
    "spawn",
    "spawn",
    "leave",
    "spin",
    "hoard",
    "crash",
    "flood",
    "hang",
    "echo",
    "dead",
    "slow",
)
HANDLES = (Handled(type="test.Order", scope="any"), Handled(type="test.Noise", scope="own"))


@pytest.fixture
def slow_server() -> Iterator[int]:
    """A server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield server.getsockname()[1]


@pytest.mark.slow
def test_torture(
    python_bundle,  # noqa: F811
    slow_server: int,
    request,
    capsys,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # of its own, to find what is left
    seconds = request.config.getoption("--torture-seconds")
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    orders = random.Random(seed)
    actor = PYTHON_ACTOR._replace(
        grants={"http": {"hosts": ["127.0.0.1"]}, "agent": {"depth": 4}},
        limits=Limits(compute_seconds=0.3, memory_mib=64),
        restart=Restart(intensity=5, period_seconds=10),
        handles=HANDLES,
    )
    root = actor._replace(restart=Restart(intensity=1_000_000))
    source = VICTIM.replace("SLOW", str(slow_server))
    bundle = python_bundle(root=(source, root), victim=(source, actor))

    measure(bundle, orders, seconds=min(5.0, seconds / 4))  # the first round warms caches
    before = Left.now()
    summary, failures = measure(bundle, orders, seconds)
    wait_for(lambda: threading.active_count() <= before.threads)
    after = Left.now()

    assert summary.received == summary.taken + summary.discarded
    assert after.descriptors <= before.descriptors
    assert after.processes == before.processes
    assert after.temporary == before.temporary
    assert after.resident - before.resident < 64 << 20
    with capsys.disabled():
        print(
            f"\ntorture: {seconds:g} s, {summary.messages} messages, {summary.received} "
            f"deliveries, {summary.agents} agents, {failures} failures"
        )


def measure(bundle, orders: random.Random, seconds: float):
    """Run the system under random orders; its summary and how many failures it reported."""
    runtime = Runtime(bundle, cache_dir())
    events = runtime.subscribe()
    failures: list[Failure] = []
    sequence: list[int] = []

    def watch() -> None:
        for event in events:
            if isinstance(event, Failure):
                failures.append(event)
            elif isinstance(event, Envelope):
                sequence.append(event.sequence)
            assert not (isinstance(event, Stopped) and event.reason), event

    watcher = threading.Thread(target=watch)
    watcher.start()
    runtime.start()
    end = time.monotonic() + seconds
    # On a slow machine it takes longer until enough has happened.
    while time.monotonic() < end or not failures or runtime.summary().agents <= ENOUGH:
        order = {"what": orders.choice(ORDERS), "chance": orders.randrange(7)}
        runtime.send("test.Order", order)
        time.sleep(orders.random() * 0.1)
    runtime.stop(timeout=10)
    watcher.join(DEADLINE)
    assert not watcher.is_alive()
    assert sequence == list(range(1, len(sequence) + 1))
    return runtime.summary(), len(failures)


class Left:
    """What a process holds on to."""

    def __init__(self) -> None:
        gc.collect()
        _give_back_free_memory()
        self.threads = threading.active_count()
        self.descriptors = len(list(Path("/proc/self/fd").iterdir()))
        self.processes = sorted(_descendants(os.getpid()))
        self.temporary = sorted(path.name for path in Path(tempfile.gettempdir()).glob("*wasmind*"))
        self.resident = int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    @classmethod
    def now(cls) -> Left:
        """Once what is ending has ended."""
        wait_for(lambda: not list(_descendants(os.getpid())))
        return cls()


def _give_back_free_memory() -> None:
    """Otherwise the allocator's own reserves, one for each thread there ever was, would count."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _descendants(pid: int) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid:
            yield int(path.parent.name)
            yield from _descendants(int(path.parent.name))
