"""Nobody waits for ever: what is said to an agent is answered, or its failure is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.runtime.conftest import PYTHON_ACTOR, message, until
from wasmind.plan import Handled, Limits, Restart, SystemLimits
from wasmind.runtime.bundle import Bundle
from wasmind.runtime.events import Failure, Stopped
from wasmind.system import Answer, NoAnswer

ADD = "wasmind.common.assistant.AddMessage"
STATUS = "wasmind.common.assistant.StatusUpdate"
CALL = "wasmind.common.tools.ExecuteToolCall"
UPDATE = "wasmind.common.tools.ToolCallStatusUpdate"

# An assistant that answers, unless it is told to die.
SPEAKS = """
    from wasmind_actor import Actor, agents, on
    from wasmind_actor.chat import AssistantReply, Usage
    from wasmind_actor.messages import AddMessage, AllActorsReady, Response, StatusUpdate
    from wasmind_actor.status import IDLE, Processing

    class Speaks(Actor):
        @on(AllActorsReady)
        def ready(self):
            self.broadcast(StatusUpdate(status=IDLE))

        @on(AddMessage)
        def hear(self, message):
            if message.message.content == "spawn":
                agents.spawn(["speaks"], "child")
            if message.message.content == "hang":
                while True:
                    pass
            self.broadcast(StatusUpdate(status=Processing(request_id="r")))
            reply = AssistantReply(content="an answer", originating_request_id="r")
            self.broadcast(Response(message=reply, usage=Usage()))
            self.broadcast(StatusUpdate(status=IDLE))
"""
SPEAKER = PYTHON_ACTOR._replace(
    limits=Limits(compute_seconds=0.5, memory_mib=128),
    handles=(
        Handled(type=ADD, scope="any"),
        Handled(type="wasmind.common.actors.AllActorsReady", scope="own"),
    ),
    emits=(STATUS, "wasmind.common.assistant.Response"),
)


def all_at_once(bundle: Bundle) -> Bundle:
    """A bundle whose root agent consists of all its actors."""
    names = tuple(actor.name for actor in bundle.plan.actors)
    return replace(bundle, plan=bundle.plan._replace(starting=names))


def user(text: str, agent: str = "000000") -> dict[str, Any]:
    return {"agent": agent, "message": {"role": "user", "content": text}}


def ask(runtime: Any, text: str) -> Answer:
    """Speak to the root agent and wait until it rests or is gone."""
    events = runtime.subscribe()
    runtime.send(ADD, user(text))
    answer = Answer()
    until(events, answer.see)
    return answer


def test_a_message_the_assistant_died_of_ends_in_a_failure(python_bundle, run) -> None:
    runtime, events = run(python_bundle(speaks=(SPEAKS, SPEAKER)))
    until(events, message(STATUS))
    with pytest.raises(NoAnswer, match=r"computed for more than 0.5 s .*; it was restarted"):
        ask(runtime, "hang").text()
    assert ask(runtime, "hello").text() == "an answer"


def test_a_message_that_is_too_large_for_the_assistant_ends_in_a_failure(
    python_bundle, run
) -> None:
    runtime, events = run(python_bundle(speaks=(SPEAKS, SPEAKER)))
    until(events, message(STATUS))
    with pytest.raises(NoAnswer, match=r"a message of 40.0 MiB was not delivered: .*"):
        ask(runtime, "x" * (40 << 20)).text()
    assert ask(runtime, "hello").text() == "an answer"


def test_an_assistant_that_is_gone_for_good_is_told_at_once(python_bundle, run) -> None:
    actor = SPEAKER._replace(restart=Restart(policy="temporary"))
    bundle = python_bundle(speaks=(SPEAKS, actor), calls=(CALLS, CALLER))
    runtime, events = run(all_at_once(bundle))
    until(events, message(STATUS))
    with pytest.raises(NoAnswer, match=r"computed for more than 0.5 s"):
        ask(runtime, "hang").text()
    assert not runtime.hears("000000", ADD)


def test_the_agent_above_learns_what_became_of_one_below(python_bundle, run) -> None:
    runtime, events = run(python_bundle(speaks=(SPEAKS, SPEAKER)))
    runtime.send(ADD, user("spawn"))
    spawned = until(
        events,
        lambda event: (
            message("wasmind.common.actors.AgentSpawned")(event) and event.json()["name"] == "child"
        ),
    )
    child = spawned.json()["agent_id"]
    runtime.send(ADD, user("hang", child))
    told = until(events, message(ADD, from_scope=child)).json()
    assert told["agent"] == "000000"
    assert told["message"]["content"].startswith(
        f"Agent {child} could not go on: its actor `speaks` failed: computed for more than"
    )
    again = until(events, message(STATUS, from_scope=child))
    assert "WaitingForSystemInput" in json.dumps(again.json())


RUNS_AWAY = """
    from wasmind_actor import Actor, on
    from wasmind_actor.chat import ChatState, SystemPrompt
    from wasmind_actor.messages import AddMessage, Request

    class RunsAway(Actor):
        @on(AddMessage)
        def hear(self):
            empty = ChatState(system=SystemPrompt(content=""), tools=(), messages=())
            for _ in range(100):
                self.broadcast(Request(chat_state=empty))
"""


def test_an_agent_that_does_not_stop_at_its_limit_is_ended(python_bundle, run) -> None:
    bundle = python_bundle(away=(RUNS_AWAY, PYTHON_ACTOR))
    limited = bundle.plan._replace(limits=SystemLimits(turns=5))
    runtime, events = run(replace(bundle, plan=limited))
    runtime.send(ADD, user("go"))
    stopped = until(events, lambda event: isinstance(event, Stopped))
    assert stopped.reason == "actor `away` was ended: it went on after its 5 turns (limit `turns`)"


TOOLS = """
    import os

    from wasmind_actor import Actor, Call, Deferred, Message, on, tool

    class Poke(Message, type="test.Poke"):
        pass

    class Tools(Actor):
        @tool
        def later(self, call: Call) -> Deferred:
            '''Answers never.'''
            call.progress("at it")
            return call.defer()

        @tool
        def now(self) -> str:
            '''Answers at once.'''
            return "done"

        @on(Poke, reach="any")
        def poke(self):
            os.abort()
"""
TOOL_ACTOR = PYTHON_ACTOR._replace(
    tools=("later", "now"),
    handles=(Handled(type=CALL, scope="own"), Handled(type="test.Poke", scope="any")),
    emits=(UPDATE, "wasmind.common.tools.ToolsAvailable"),
)
CALLS = """
    from wasmind_actor import Actor, Message, on
    from wasmind_actor.chat import Function, ToolCall
    from wasmind_actor.messages import ExecuteToolCall

    class Make(Message, type="test.Make"):
        tool: str
        id: str

    class Calls(Actor):
        @on(Make, reach="any")
        def make(self, message):
            call = ToolCall(id=message.id, function=Function(name=message.tool, arguments="{}"))
            self.broadcast(ExecuteToolCall(tool_call=call, originating_request_id="r"))
"""
CALLER = PYTHON_ACTOR._replace(
    handles=(Handled(type="test.Make", scope="any"),), emits=(CALL,), tools=()
)


def results(events: Any, count: int) -> Iterator[tuple[str, bool]]:
    """Call ids and whether they went well, in order."""
    for _ in range(count):
        update = until(events, lambda event: message(UPDATE)(event) and b'"Done"' in event.payload)
        yield update.json()["id"], "Ok" in update.json()["status"]["Done"]["result"]


def test_how_far_a_tool_is_can_be_seen(python_bundle, run) -> None:
    runtime, events = run(
        all_at_once(python_bundle(calls=(CALLS, CALLER), tools=(TOOLS, TOOL_ACTOR)))
    )
    runtime.send("test.Make", {"tool": "later", "id": "one"})
    status = until(events, message(UPDATE)).json()["status"]
    assert status == {"Received": {"display_info": {"collapsed": "at it", "expanded": None}}}


@pytest.mark.parametrize("policy", ["transient", "temporary"])
def test_whoever_fails_owes_no_answer_afterwards(policy, python_bundle, run) -> None:
    actor = TOOL_ACTOR._replace(restart=Restart(policy=policy))
    runtime, events = run(all_at_once(python_bundle(calls=(CALLS, CALLER), tools=(TOOLS, actor))))
    for name, tool in (("one", "later"), ("two", "now"), ("three", "later")):
        runtime.send("test.Make", {"tool": tool, "id": name})
    assert list(results(events, 1)) == [("two", True)]
    until(events, lambda event: message(UPDATE)(event) and b'"three"' in event.payload)
    runtime.send("test.Poke", None)
    until(events, lambda event: isinstance(event, Failure))
    runtime.send("test.Make", {"tool": "now", "id": "four"})
    assert list(results(events, 3)) == [
        ("one", False),
        ("three", False),
        ("four", policy == "transient"),
    ]
