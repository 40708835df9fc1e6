"""Actors that fail do not take the system with them, and say what happened."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.observing import wait_for
from tests.runtime.conftest import PYTHON_ACTOR, message, until
from wasmind.plan import Limits, Restart
from wasmind.runtime.errors import SpawnError
from wasmind.runtime.events import Failure, LogRecord, Stopped

POKE = """
    from wasmind_actor import Actor, Message, on

    class Poke(Message):
        message_type = "test.Poke"

    class Ouch(Message):
        message_type = "test.Ouch"
        count: int
"""

COUNTS = (
    POKE
    + """
    class Counts(Actor):
        def start(self):
            self.count = 0

        @on(Poke, reach="any")
        def poke(self, message: Poke):
            self.count += 1
            if self.count == 2:
                raise ValueError("the second is too much")
            self.broadcast(Ouch(count=self.count))
"""
)


def test_an_exception_in_a_handler_is_reported_and_costs_no_state(python_bundle, run) -> None:
    runtime, events = run(python_bundle(counts=COUNTS))
    for _ in range(3):
        runtime.send("test.Poke", None)
    assert until(events, message("test.Ouch")).json() == {"count": 1}
    record = until(events, lambda event: isinstance(event, LogRecord) and event.level == "error")
    assert record.actor == "counts"
    assert "ValueError: the second is too much" in record.text
    assert "actor.py" in record.text
    assert until(events, message("test.Ouch")).json() == {"count": 3}


LOOPS = (
    POKE
    + """
    class Loops(Actor):
        @on(Poke, reach="any")
        def poke(self, message: Poke):
            self.broadcast(Ouch(count=0))
            while True:
                pass
"""
)


def test_an_endless_loop_is_ended_and_the_actor_restarted(python_bundle, run) -> None:
    limits = Limits(compute_seconds=1)
    runtime, events = run(python_bundle(loops=(LOOPS, PYTHON_ACTOR._replace(limits=limits))))
    runtime.send("test.Poke", None)
    failure = until(events, lambda event: isinstance(event, Failure))
    assert failure.actor == "loops"
    assert failure.reason == "computed for more than 1 s on one call (limit `compute_seconds`)"
    assert failure.outcome == "it was restarted"
    notice = until(events, message("wasmind.common.ui.UserNotification")).json()
    assert notice["title"] == "Actor `loops` failed"


def test_a_loop_that_the_end_of_the_run_interrupts_is_not_told_to_be_too_slow(
    python_bundle, run
) -> None:
    runtime, events = run(python_bundle(loops=(LOOPS, PYTHON_ACTOR)))
    runtime.send("test.Poke", None)
    until(events, message("test.Ouch"))
    assert runtime.stop(0.1) is False
    failure = until(events, lambda event: isinstance(event, Failure))
    assert failure.reason == "interrupted while it computed: the system is stopping"


def test_an_agent_whose_actor_keeps_failing_is_ended(python_bundle, run) -> None:
    actor = PYTHON_ACTOR._replace(limits=Limits(compute_seconds=1), restart=Restart(intensity=1))
    runtime, events = run(python_bundle(loops=(LOOPS, actor)))
    runtime.send("test.Poke", None)
    runtime.send("test.Poke", None)
    outcomes = [until(events, lambda event: isinstance(event, Failure)).outcome for _ in range(2)]
    assert outcomes == ["it was restarted", "its agent was ended"]
    stopped = until(events, lambda event: isinstance(event, Stopped))
    assert stopped.reason.startswith("actor `loops` failed: computed for more than 1 s")


HOARDS = (
    POKE
    + """
    class Hoards(Actor):
        @on(Poke, reach="any")
        def poke(self, message: Poke):
            hoard = []
            while True:
                hoard.append(bytearray(1 << 20))
"""
)


def test_allocating_without_end_is_reported_with_the_actors_name(python_bundle, run) -> None:
    limits = Limits(memory_mib=96)
    runtime, events = run(python_bundle(hoards=(HOARDS, PYTHON_ACTOR._replace(limits=limits))))
    runtime.send("test.Poke", None)

    def reported(event: object) -> bool:
        text = getattr(event, "text", "") + getattr(event, "reason", "")
        return "memory" in text.lower() and getattr(event, "actor", "") == "hoards"

    until(events, reported)
    runtime.send("test.Poke", None)  # and it lives on, or lives again
    until(events, reported)


def test_a_limit_of_the_process_is_not_blamed_on_the_actor(python_bundle) -> None:
    bundle = python_bundle(counts=COUNTS)
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from wasmind import System\n"
        "resource.setrlimit(resource.RLIMIT_AS, (3000 << 20, 3000 << 20))\n"
        f"with System.open({str(bundle.root)!r}): pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert "may have 3000 MiB of address space (`ulimit -v`)" in done.stderr
    assert "memory_mib" not in done.stderr


SLEEPS = (
    POKE
    + """
    from wasmind_actor import command

    class Sleeps(Actor):
        @on(Poke, reach="any")
        def poke(self, message: Poke):
            command.run("sleep", "2")
            self.broadcast(Ouch(count=0))
"""
)


def test_time_in_host_calls_does_not_count_as_computing(python_bundle, run) -> None:
    limits = Limits(compute_seconds=1)
    runtime, events = run(python_bundle(sleeps=(SLEEPS, PYTHON_ACTOR._replace(limits=limits))))
    runtime.send("test.Poke", None)
    event = until(events, lambda event: isinstance(event, Failure) or message("test.Ouch")(event))
    assert not isinstance(event, Failure), event


NAPS = (
    POKE
    + """
    import time

    class Naps(Actor):
        @on(Poke, reach="any")
        def poke(self, message: Poke):
            time.sleep(600)
"""
)


def test_a_pause_is_not_told_to_be_computing(python_bundle, run) -> None:
    runtime, _ = run(python_bundle(naps=(NAPS, PYTHON_ACTOR)))
    runtime.send("test.Poke", None)
    wait_for(lambda: [each.what for each in runtime.waits()] == ["pausing"])


REFUSES = """
    from wasmind_actor import Actor

    class Refuses(Actor):
        def start(self):
            raise RuntimeError("not today")
"""


def test_a_constructor_that_raises_stops_the_start_with_its_traceback(python_bundle, run) -> None:
    with pytest.raises(SpawnError, match=r"actor `refuses`: .*RuntimeError: not today"):
        run(python_bundle(refuses=REFUSES))


TOOL = """
    from wasmind_actor import Actor, tool

    class Spins(Actor):
        @tool
        def spin(self) -> str:
            '''Spins.'''
            while True:
                pass
"""


def test_a_tool_call_its_actor_dies_of_is_answered_with_an_error(python_bundle, run) -> None:
    limits = Limits(compute_seconds=1)
    actor = PYTHON_ACTOR._replace(limits=limits, tools=("spin",))
    runtime, events = run(python_bundle(spins=(TOOL, actor)))
    call = {
        "tool_call": {
            "id": "call_1",
            "type": "function",
            "function": {"name": "spin", "arguments": "{}"},
        },
        "originating_request_id": "req_1",
    }
    runtime.send("wasmind.common.tools.ExecuteToolCall", call)
    answer = until(events, message("wasmind.common.tools.ToolCallStatusUpdate")).json()
    assert answer["id"] == "call_1"
    assert "the tool's actor failed" in answer["status"]["Done"]["result"]["Err"]["content"]


def test_what_is_not_granted_is_refused_with_the_line_to_add(python_bundle, run) -> None:
    actor = PYTHON_ACTOR._replace(capabilities=("messaging", "logger"))
    runtime, events = run(python_bundle(sleeps=(SLEEPS, actor)))
    runtime.send("test.Poke", None)
    record = until(events, lambda event: isinstance(event, LogRecord) and event.level == "warn")
    assert "write `grants = { command = true }` in `[actors.sleeps]`" in record.text
    error = until(events, lambda event: isinstance(event, LogRecord) and event.level == "error")
    assert "was not granted `command`" in error.text


FORGES = """
    from wasmind_actor import Actor, BroadcastError, Message

    class Ready(Message):
        message_type = "wasmind.common.actors.AllActorsReady"

    class Forges(Actor):
        def start(self):
            try:
                self.broadcast(Ready())
            except BroadcastError:
                pass
"""


def test_messages_of_the_host_cannot_be_forged(python_bundle, run) -> None:
    _, events = run(python_bundle(forges=FORGES))
    record = until(events, lambda event: isinstance(event, LogRecord))
    assert (
        record.text == "refused to send `wasmind.common.actors.AllActorsReady`: only the host may"
    )
    ready = until(events, message("wasmind.common.actors.AllActorsReady"))
    assert ready.from_actor_id == "wasmind_coordinator"
