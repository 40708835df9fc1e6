"""Agents from their start to their end, on a component written in WebAssembly text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.runtime.conftest import message, until
from wasmind.paths import cache_dir
from wasmind.plan import Actor, Handled
from wasmind.runtime.bundle import Bundle
from wasmind.runtime.errors import SpawnError
from wasmind.runtime.events import LogRecord, Stopped
from wasmind.runtime.messages import Envelope
from wasmind.runtime.runtime import Runtime

ECHO = Actor(
    name="echo", actor_id="test:echo", component="0" * 64, capabilities=("messaging", "agent")
)

READY_ALL = "wasmind.common.actors.AllActorsReady"


def names(*changes: str) -> tuple[Actor, ...]:
    return tuple(ECHO._replace(name=name) for name in changes)


def test_start_announces_each_actor_then_the_agent_then_readiness(echo_bundle, run) -> None:
    _, events = run(echo_bundle(*names("a", "b"), starting=("a", "b")))
    seen = []
    until(events, lambda event: seen.append(event) or message(READY_ALL)(event))
    kinds = [event.message_type.rpartition(".")[2] for event in seen]
    assert kinds == [
        "Started",
        "Started",
        "ActorReady",
        "ActorReady",
        "AgentSpawned",
        "AllActorsReady",
    ]
    spawned = seen[4]
    assert (spawned.from_actor_id, spawned.from_scope) == ("wasmind__context", "000000")
    assert spawned.json() == {
        "agent_id": "000000",
        "name": "Root Agent",
        "parent_agent": None,
        "actors": ["a", "b"],
    }


def test_an_actor_answers_with_a_child_of_the_id_it_handles(echo_bundle, run) -> None:
    runtime, events = run(echo_bundle(ECHO, starting=("echo",)))
    ping = runtime.send("echo.Ping", {"n": 1})
    pong = until(events, message("echo.Pong"))
    assert isinstance(pong, Envelope)
    assert pong.payload == b'{"n":1}'
    assert (pong.from_actor_id, pong.from_scope, pong.sender) == ("test:echo", "000000", "echo")
    assert pong.id.split(":")[0] == ping.id.split(":")[1]


def test_messages_arrive_in_the_order_they_were_sent(echo_bundle, run) -> None:
    runtime, events = run(echo_bundle(ECHO, starting=("echo",)))
    for number in range(200):
        runtime.send("echo.Ping", number)
    answers = [until(events, message("echo.Pong")).json() for _ in range(200)]
    assert answers == list(range(200))


@pytest.mark.parametrize("size", [0, 1, 1_000, 300_000, 3_000_000])
def test_payloads_of_any_size_come_through_unchanged(echo_bundle, run, size: int) -> None:
    # What is handed out as a list of bytes has its limit: the largest must fail, visibly.
    runtime, events = run(echo_bundle(ECHO, starting=("echo",)))
    text = "ä" * (size // 2)
    runtime.send("echo.Ping", text)
    if size < 1_000_000:
        assert until(events, message("echo.Pong")).json() == text
    else:
        notice = until(events, message("wasmind.common.ui.UserNotification")).json()
        assert notice["title"] == "Actor `echo` failed"


def test_an_actor_with_a_contract_is_given_only_what_it_handles(echo_bundle, run) -> None:
    deaf = ECHO._replace(name="deaf", handles=(Handled(type="other", scope="any"),))
    own = ECHO._replace(name="own", handles=(Handled(type="echo.Ping", scope="own"),))
    runtime, events = run(echo_bundle(deaf, own, starting=("deaf", "own")))
    runtime.send("echo.Ping", 1)
    assert until(events, message("echo.Pong")).sender == "own"
    runtime.stop()
    assert not [event for event in events if message("echo.Pong")(event)]


def test_stop_runs_destructors_and_ends_the_event_stream(echo_bundle, run) -> None:
    runtime, events = run(echo_bundle(*names("a", "b"), starting=("a", "b")))
    assert runtime.stop()
    rest = list(events)
    assert [event.message_type for event in rest if isinstance(event, Envelope)].count(
        "echo.Stopped"
    ) == 2
    assert rest[-1] == Stopped(None)


def test_companions_and_auto_spawned_actors_join(echo_bundle, run) -> None:
    plan_actors = (
        ECHO._replace(name="a", spawn_with=("b",)),
        ECHO._replace(name="b"),
        ECHO._replace(name="c", auto_spawn=True),
        ECHO._replace(name="d"),
    )
    _, events = run(echo_bundle(*plan_actors, starting=("a",)))
    spawned = until(events, message("wasmind.common.actors.AgentSpawned"))
    assert spawned.json()["actors"] == ["a", "b", "c"]


def test_an_actor_that_cannot_be_constructed_stops_the_start(
    echo_bundle: Callable[..., Bundle], run
) -> None:
    # Constructing broadcasts, which this actor may not.
    mute = ECHO._replace(name="mute", capabilities=())
    with pytest.raises(SpawnError, match=r"actor `mute`: .*was not granted `messaging`"):
        run(echo_bundle(ECHO, mute, starting=("echo", "mute")))


def test_a_refused_capability_is_logged_with_the_line_that_grants_it(echo_bundle) -> None:
    runtime = Runtime(
        echo_bundle(ECHO._replace(name="mute", capabilities=()), starting=("mute",)), cache_dir()
    )
    events = runtime.subscribe()
    with pytest.raises(SpawnError):
        runtime.start()
    record = until(events, lambda event: isinstance(event, LogRecord))
    assert "write `grants = { messaging = true }` in `[actors.mute]`" in record.text
    runtime.stop()
