"""Models behind a running system: agents that are interrupted, end, or ask all at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.models.test_run import SYSTEM, Project, models
from tests.models.zoo import USAGE, Visit, chunk, event, hangs, says, sse
from wasmind.plan import ROOT_SCOPE
from wasmind.runtime.events import Event, ModelCall, ModelDelta, Subscription
from wasmind.runtime.messages import Envelope
from wasmind.system import System

STOP = {"Wait": {"reason": "WaitingForUserInput"}}


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[[str], System]]:
    """Starts the system of a config."""
    running: list[System] = []

    def start(text: str) -> System:
        project = Project(tmp_path)
        project.write(text)
        made = project.wasmind("bundle", "app.toml", "-o", "bundle")
        assert made.returncode == 0, made.stderr
        running.append(System.open(tmp_path / "bundle"))
        running[-1].start()
        return running[-1]

    yield start
    for system in running:
        system.stop()


def until(events: Subscription, matches: Callable[[Event], bool]) -> Event:
    while (found := events.get(timeout=60)) is not None:
        if matches(found):
            return found
    pytest.fail("no such event")


def call_ended(found: Event) -> bool:
    return isinstance(found, ModelCall) and found.phase == "end"


def test_actors_are_told_of_models_at_an_address_that_nobody_else_has(started, provider) -> None:
    system = started(SYSTEM + models(provider(says("hi"))))
    events = system.subscribe()
    assert system.ask("hello") == "hi"
    ended = until(events, call_ended)
    assert (ended.actor, ended.scope, ended.model) == ("assistant", ROOT_SCOPE, "smart")
    assert ended.id
    assert system.summary().models["smart"].calls == 1


def test_an_interruption_cancels_the_call(started, provider) -> None:
    released = threading.Event()
    made = provider(hangs(released))
    system = started(SYSTEM + models(made))
    events = system.subscribe()
    system.tell("hello")
    assert made.visited.wait(60)
    system.send("wasmind.common.assistant.QueueStatusChange", {"agent": ROOT_SCOPE, "status": STOP})
    ended = until(events, call_ended)
    released.set()
    assert (ended.status, ended.code, ended.error) == (499, "cancelled", None)
    made.behave = says("here again")
    assert system.ask("and now?") == "here again"


def test_the_end_of_the_run_cancels_calls(started, provider) -> None:
    released = threading.Event()
    made = provider(hangs(released))
    system = started(SYSTEM + models(made))
    events = system.subscribe()
    system.tell("hello")
    assert made.visited.wait(60)
    assert system.stop(timeout=10)
    released.set()
    assert until(events, call_ended).code == "cancelled"


def test_who_watches_sees_answers_grow_and_actors_do_not(started, provider) -> None:
    def grows(visit: Visit) -> None:
        with visit.stream() as send:
            send(event(chunk({"reasoning_content": "hm"})))
            send(event(chunk({"content": "hello "})))
            send(sse([chunk({"content": "you"}), chunk({}, finish="stop", usage=USAGE)]))

    system = started(SYSTEM + models(provider(grows)))
    watching, other = system.subscribe(deltas=True), system.subscribe()
    assert system.ask("hello") == "hello you"
    pieces: list[tuple[str, str]] = []
    found = watching.get(timeout=60)
    while not call_ended(found):
        if isinstance(found, ModelDelta):
            pieces.append((found.kind, found.text))
        found = watching.get(timeout=60)
    assert pieces[0] == ("reasoning", "hm")
    assert "".join(text for kind, text in pieces if kind == "text") == "hello you"
    while (each := other.get(timeout=0)) is not None:
        assert not isinstance(each, ModelDelta)
        if isinstance(each, Envelope):
            assert "model_delta" not in each.message_type


def test_a_wildcard_answers_and_is_announced_by_the_names_that_need_it(started, provider) -> None:
    made = provider(says("hi"))
    system = started(SYSTEM + models(made).replace("[models.smart]", '[models."*"]'))
    assert system.ask("hello") == "hi"
    assert made.asked[0]["model"] == "fake"
    assert system._gateway.names == ["smart"]
