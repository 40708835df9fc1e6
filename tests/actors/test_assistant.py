"""The assistant on a stage: a scripted model behind HTTP, other actors played by the test."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.actors.talk import (
    COMPACTING,
    DONE,
    FOLDER,
    FOR_OTHER,
    OTHER,
    OWN,
    USER,
    Talk,
    calls,
    coordination,
    text,
    with_calls,
)
from wasmind_actor import ConfigError, Err
from wasmind_actor.chat import (
    SystemMessage,
    UserMessage,
)
from wasmind_actor.http import NetworkError, Request, Response
from wasmind_actor.messages import (
    AddMessage,
    AgentSpawned,
    AllActorsReady,
    BaseUrlUpdate,
    Data,
    ExecuteToolCall,
    QueueStatusChange,
    SystemPromptContribution,
    Text,
    ToolCallStatusUpdate,
    UserNotification,
)
from wasmind_actor.status import (
    IDLE,
    Processing,
    WaitingForTools,
)
from wasmind_actor.testing import Stage, describe, load
from wasmind_actor.wire import text_of

# --- start ---


def test_says_nothing_when_it_starts():
    assert Talk(endpoint=False).kinds == []


@pytest.mark.parametrize(
    ("events", "statuses"),
    [
        ("ready", ["WaitingForLiteLLM"]),
        ("ready url", ["WaitingForLiteLLM", "IDLE"]),
        ("url ready", ["IDLE"]),
        ("url url ready ready url", ["IDLE"]),
        ("say url ready", ["Processing", "IDLE"]),
        ("say ready url", ["WaitingForLiteLLM", "Processing", "IDLE"]),
        ("ready say url", ["WaitingForLiteLLM", "Processing", "IDLE"]),
        ("say say url ready", ["Processing", "IDLE"]),
    ],
)
def test_start_in_any_order(events, statuses):
    talk = Talk(text("hello"), endpoint=False)
    steps = {
        "ready": lambda: talk.tell(AllActorsReady()),
        "url": lambda: talk.tell(
            BaseUrlUpdate(base_url="http://model", models_available=()), OTHER
        ),
        "say": lambda: talk.say("hi"),
    }
    for event in events.split():
        steps[event]()
    assert talk.statuses == statuses


def test_a_configured_endpoint_wins():
    talk = Talk(text("hello"), base_url="http://model/")
    talk.tell(BaseUrlUpdate(base_url="http://elsewhere", models_available=()))
    talk.say("hi")
    assert talk.transcript == ["user: hi"]


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("", "model_name: missing"),
        ("model_name = 1", "model_name: expected a string"),
        ('model_name = "m"\nmodel = "m"', "model: unknown key"),
        (
            'model_name = "m"\nsystem_prompt.exclude = ["x"]',
            r"system_prompt.exclude\[0\]: expected",
        ),
        ('model_name = "m"\nsystem_prompt.overrides."a b" = "x"', "system_prompt.overrides: exp"),
        ('model_name = "m"\nsystem_prompt.exclude = "x"', "system_prompt.exclude: expected an arr"),
        ('model_name = "m"\ntimeout_seconds = 0', "timeout_seconds: expected at least 1"),
    ],
)
def test_a_wrong_configuration_stops_it(config, reason):
    with pytest.raises(ConfigError, match=reason):
        Stage(load(FOLDER), config=config)


# --- plain answers ---


def test_a_plain_exchange_in_the_order_of_the_bus():
    talk = Talk(text("hello"))
    talk.stage.take()
    talk.say("hi")
    assert talk.kinds == [
        "ChatStateUpdated",
        "StatusUpdate",
        "Request",
        "ChatStateUpdated",
        "Response",
        "StatusUpdate",
    ]
    assert talk.asked == [
        {
            "model": "m",
            "messages": [talk.asked[0]["messages"][0], {"role": "user", "content": "hi"}],
        }
    ]
    assert talk.asked[0]["messages"][0]["role"] == "system"


def test_nothing_said_is_lost_and_order_is_kept():
    talk = Talk(text("hello"), endpoint=False)
    talk.say("one")
    talk.hear("two")
    talk.say("three")
    talk.tell(BaseUrlUpdate(base_url="http://model", models_available=()))
    talk.tell(AllActorsReady())
    assert talk.transcript == ["user: one", "system: two", "user: three"]


def test_messages_for_others_are_not_its_own():
    talk = Talk()
    talk.tell(AddMessage(agent=OTHER, message=UserMessage(content="x")))
    assert talk.asked == []


def test_the_wire_role_of_system_messages_can_be_changed():
    talk = Talk(text("x"), system_messages_as="user")
    talk.hear("psst")
    assert talk.transcript == ["user: [message from the system]\npsst"]
    assert talk.history[0] == SystemMessage(content="psst")


# --- tools ---


def test_tools_run_and_their_results_go_back_in_the_order_of_the_calls():
    talk = with_calls("a", "b", answers=(text("done"),))
    assert [each.tool_call.id for each in talk.stage.sent(ExecuteToolCall)] == ["c_a", "c_b"]
    talk.finish("b", "bad", ok=False)
    talk.finish("b", "a second answer of b")
    talk.finish("a", scope=OTHER)
    assert len(talk.asked) == 1
    talk.finish("a")
    assert talk.transcript == [
        "user: go",
        "assistant: None",
        "tool: result of a",
        "tool: Error: bad",
    ]
    assert [each["function"]["name"] for each in talk.asked[1]["tools"]] == ["a", "b"]
    assert talk.statuses == ["IDLE", "Processing", "WaitingForTools", "Processing", "IDLE"]


def test_unknown_tools_are_answered_for_the_model_and_for_people():
    talk = Talk(calls("a"), text("sorry"))
    talk.say("go")
    assert talk.transcript[-1] == "tool: Error: there is no tool `a`"
    (update,) = talk.stage.sent(ToolCallStatusUpdate)
    assert isinstance(update.status.result, Err)
    assert talk.status == IDLE


def test_a_tool_belongs_to_who_offered_it_first():
    talk = Talk(text("x"))
    talk.offer("a", provider="one")
    talk.offer("a", "b", provider="two")
    talk.offer("a", provider="one")  # restarted
    talk.say("go")
    offered = {
        each["function"]["name"]: each["function"]["description"] for each in talk.asked[0]["tools"]
    }
    assert offered == {"a": "one", "b": "two"}
    assert talk.stage.host.lines[0][1] == "tool `a` of two ignored: one offers it too"


def test_an_empty_list_of_calls_is_no_call():
    talk = Talk(text("hello", tool_calls=[]))
    talk.say("hi")
    assert talk.status == IDLE


def test_equal_call_ids_are_made_different():
    talk = Talk(calls("a", "b", ids=("x", "x")), text("done"))
    talk.offer("a", "b")
    talk.say("go")
    assert [each.tool_call.id for each in talk.stage.sent(ExecuteToolCall)] == ["x", "x_2"]
    assert isinstance(talk.status.reason, WaitingForTools)
    assert set(talk.status.reason.tool_calls) == {"x", "x_2"}


def test_input_waits_until_the_tools_have_answered():
    talk = with_calls("a", answers=(text("done"),))
    talk.say("more")
    assert len(talk.asked) == 1
    talk.finish("a")
    assert talk.transcript[-2:] == ["tool: result of a", "user: more"]


def test_a_tool_that_never_answers_is_given_up(monkeypatch):
    talk = with_calls("a", "b", answers=(text("done"),), tool_timeout_seconds=60)
    talk.finish("b")
    later = talk.stage.actor.conversation._clock() + 61
    monkeypatch.setattr(talk.stage.actor.conversation, "_clock", lambda: later)
    talk.offer("c")  # anything that wakes the actor
    assert "tool: Error: the tool did not answer within 60 seconds" in talk.transcript
    assert talk.status == IDLE


# --- tools that change the status ---


def test_done_ends_the_agent_with_exit_first():
    talk = with_calls("a")
    talk.request(DONE)
    talk.finish("a")
    assert talk.kinds[-2:] == ["Exit", "StatusUpdate"]
    assert len(talk.asked) == 1


@pytest.mark.parametrize(
    ("agent", "request_id", "status"),
    [
        (OTHER, "", DONE),
        (OWN, "req_other", DONE),
        (OWN, "", COMPACTING),
        (OWN, "", Processing(request_id="x")),
    ],
)
def test_status_requests_that_do_not_fit_are_ignored(agent, request_id, status):
    talk = with_calls("a")
    talk.request(status, agent, request_id)
    assert isinstance(talk.status.reason, WaitingForTools)


@pytest.mark.parametrize(
    ("target", "user", "message", "wakes"),
    [
        (None, True, ("hear", OTHER), True),
        (OTHER, True, ("hear", OTHER), True),
        ("zzzzzz", True, ("hear", OTHER), False),
        (None, True, ("say", ""), True),
        (None, False, ("say", ""), False),
    ],
)
@pytest.mark.parametrize("early", [True, False], ids=["before the result", "after the result"])
def test_coordination(target, user, message, wakes, early):
    """A message wakes it whether it comes before or after the tool's own result."""
    talk = with_calls("wait", answers=(text("done"),))

    def speak() -> None:
        talk.hear("news", message[1]) if message[0] == "hear" else talk.say("news")

    talk.request(coordination(target, user=user))
    if early:
        speak()
        assert len(talk.asked) == 1  # the call is not answered yet
    talk.finish("wait")
    if not early:
        assert len(talk.asked) == 1
        speak()
    assert len(talk.asked) == (2 if wakes else 1)
    if wakes:
        assert [each.partition(":")[0] for each in talk.transcript[-2:]] in (
            ["tool", "system"],
            ["tool", "user"],
        )


def test_coordination_keeps_the_results_of_the_other_tools():
    talk = with_calls("a", "wait", "b", answers=(text("done"),))
    talk.finish("a")
    talk.request(coordination())
    talk.finish("wait")
    talk.hear("news")
    assert len(talk.asked) == 1
    talk.finish("b")
    names = [each.get("name") for each in talk.asked[1]["messages"]]
    assert names == [None, None, None, "a", "wait", "b", None]


# --- interruptions ---


def test_an_interrupt_while_idle_takes_effect_at_once():
    talk = Talk(text("x"))
    talk.queue(USER)
    assert talk.status == USER
    talk.hear("not you")
    assert talk.asked == []
    talk.say("me")
    assert talk.transcript == ["system: not you", "user: me"]


def test_an_interrupt_stops_waiting_for_tools():
    talk = with_calls("a", "b", answers=(text("done"),))
    talk.finish("a")
    talk.queue(USER)
    assert talk.status == USER
    talk.say("stop that")
    assert talk.transcript[2:] == [
        "tool: result of a",
        "tool: Error: the user interrupted before there was a result",
        "user: stop that",
    ]
    talk.finish("b", "too late")
    assert len(talk.asked) == 2


def test_an_interrupt_while_the_model_thinks_keeps_its_tools_from_running():
    talk = Talk(calls("a"))
    talk.offer("a")
    ask = talk.stage.host.http

    def interrupted(request: Request) -> Response:
        # On the bus before the answer, which is broadcast when this returns.
        talk.stage.host.broadcast(
            QueueStatusChange.message_type, text_of(QueueStatusChange(agent=OWN, status=USER))
        )
        return ask(request)

    talk.stage.host.http = interrupted
    talk.say("go")
    assert talk.status == USER
    assert talk.stage.sent(ExecuteToolCall) == []
    assert talk.history[-1].content.startswith("Error: the user interrupted")


def test_a_queued_wait_that_is_satisfied_is_skipped():
    talk = with_calls("a", answers=(text("done"),))
    talk.queue(FOR_OTHER)
    talk.hear("from the one it would wait for")
    talk.finish("a")
    assert talk.statuses[-2:] == ["Processing", "IDLE"]


def test_a_queued_wait_is_taken_at_the_next_submit():
    talk = with_calls("a", answers=(text("done"),))
    talk.queue(FOR_OTHER)
    talk.finish("a")
    assert talk.statuses[-1] == "WaitingForSystemInput"
    talk.say("hello?")
    assert len(talk.asked) == 1
    talk.hear("go on", OTHER)
    assert talk.transcript[-2:] == ["user: hello?", "system: go on"]


def test_a_queued_done_ends_the_agent():
    talk = with_calls("a")
    talk.queue(DONE)
    talk.finish("a")
    assert talk.kinds[-2:] == ["Exit", "StatusUpdate"]


def test_a_queued_processing_means_nothing():
    talk = Talk(text("x"))
    talk.queue(Processing(request_id="y"))
    talk.say("hi")
    assert talk.statuses == ["IDLE", "Processing", "IDLE"]


# --- compaction ---


def test_compaction_between_tools_and_the_next_request():
    talk = with_calls("a", answers=(text("done"),))
    talk.queue(COMPACTING)
    talk.finish("a")
    assert talk.status == COMPACTING
    talk.compact()
    assert talk.transcript == ["user: summary", "assistant: None", "tool: result of a"]
    assert talk.status == IDLE


def test_compaction_of_an_idle_agent_ends_idle():
    talk = Talk(text("done"))
    talk.say("go")
    talk.queue(COMPACTING)
    assert talk.status == COMPACTING
    talk.compact()
    assert talk.status == IDLE
    assert len(talk.asked) == 1
    assert [type(each).__name__ for each in talk.history] == ["UserMessage", "AssistantReply"]


def test_compaction_faster_than_the_tools():
    talk = with_calls("a", answers=(text("done"),))
    talk.queue(COMPACTING)
    talk.compact()
    assert isinstance(talk.status.reason, WaitingForTools)
    talk.finish("a")
    assert talk.transcript[0] == "user: summary"
    assert talk.status == IDLE


@pytest.mark.parametrize("release", ["unknown boundary", "failure", "release", "deadline"])
def test_a_failed_compaction_lets_the_agent_go(release, monkeypatch):
    talk = with_calls("a", answers=(text("done"),))
    talk.queue(COMPACTING)
    talk.finish("a")
    match release:
        case "unknown boundary":
            talk.compact("req_other")
        case "failure":
            talk.queue(USER)
            assert talk.status == USER
            talk.say("go on")
        case "release":
            talk.queue(IDLE)
        case "deadline":
            later = talk.stage.actor.conversation._clock() + 601
            monkeypatch.setattr(talk.stage.actor.conversation, "_clock", lambda: later)
            talk.offer("c")
    assert talk.status == IDLE
    assert len(talk.asked) == 2


# --- answers that cannot be used ---


@pytest.mark.parametrize(
    ("config", "answer", "reason"),
    [
        ({}, text(None), "your answer was empty"),
        ({}, text(""), "your answer was empty"),
        ({"require_tool_call": True}, text("hi"), "contained no tool call"),
    ],
)
def test_unusable_answers_are_corrected_a_few_times(config, answer, reason):
    talk = Talk(*[answer] * 4, **config)
    talk.tell(AgentSpawned(agent_id=OWN, name="x", parent_agent="parent", actors=()))
    talk.say("hi")
    assert len(talk.asked) == 4
    assert reason in talk.transcript[-1]
    (note,) = talk.stage.sent(UserNotification)
    assert note.title == "Unusable answers"
    (report,) = talk.stage.sent(AddMessage)
    assert (report.agent, report.message.content[:21]) == ("parent", "Agent 000000 could no")
    assert talk.status == IDLE


def test_empty_answers_can_be_allowed():
    talk = Talk(text(None), allow_empty_responses=True)
    talk.say("hi")
    assert (len(talk.asked), talk.status) == (1, IDLE)


@pytest.mark.parametrize(
    ("answer", "title", "reason"),
    [
        (
            NetworkError("refused"),
            "LLM Request Failed",
            "http://model/v1/chat/completions: refused",
        ),
        (Response(status=401, body=b"no key"), "LLM Request Failed", "status 401: no key"),
        (Response(status=200, body=b"<html>"), "Unreadable Answer", "no JSON: <html>"),
        (Response(status=200, body=b'{"choices": []}'), "Empty Answer", "no choice"),
        (Response(status=200, body=b"[]"), "Empty Answer", "no choice"),
        ({"role": "user", "content": "x"}, "Unexpected Answer", "not an assistant message"),
    ],
)
def test_failures_are_told_and_the_agent_lives_on(answer, title, reason):
    talk = Talk(answer, text("better"))
    talk.say("hi")
    (note,) = talk.stage.sent(UserNotification)
    assert (note.level, note.title, note.source) == ("Error", title, "Assistant")
    assert reason in note.message
    assert talk.status == IDLE
    talk.say("again")
    assert talk.transcript == ["user: hi\n\nagain"]


def test_lenient_decoding_and_faithful_return():
    message = {
        "role": "assistant",
        "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        "refusal": None,
        "annotations": ["kept"],
        "thinking_blocks": [
            {"type": "redacted_thinking", "data": "x"},
            {"type": "thinking", "thinking": "hm", "signature": "s"},
        ],
        "tool_calls": [
            {
                "id": "c_a",
                "function": {"name": "a", "arguments": {"x": 1}},
                "extra_content": {"s": 1},
            }
        ],
    }
    body = json.dumps({"choices": [{"message": message}]}).encode()
    talk = Talk(Response(status=200, body=body), text("done"))
    talk.offer("a")
    talk.say("hi")
    reply = talk.history[-1]
    assert reply.content == "ab"
    assert reply.tool_calls[0].function.arguments == '{"x": 1}'
    assert reply.tool_calls[0].type == "function"
    assert [block.thinking for block in reply.thinking_blocks] == ["hm"]
    talk.finish("a")
    returned = talk.asked[1]["messages"][2]
    assert returned["content"] == message["content"]
    assert returned["thinking_blocks"] == message["thinking_blocks"]
    assert returned["annotations"] == ["kept"]
    assert returned["tool_calls"][0]["extra_content"] == {"s": 1}
    assert "refusal" not in returned


# --- the system prompt ---


def contribute(
    talk: Talk, key: str, content: Any, priority: int = 0, section: str | None = None
) -> None:
    talk.tell(
        SystemPromptContribution(
            agent=OWN, key=key, content=content, priority=priority, section=section
        ),
        OTHER,
    )


def prompt(talk: Talk) -> str:
    talk.answers.append(text("x"))
    talk.say("hi")
    content: str = talk.asked[-1]["messages"][0]["content"]
    return content


def test_the_prompt_is_sorted_and_stable():
    talk = Talk(system_prompt={"defaults": {"identity": "You are it.", "Mine": "{{ literal }}"}})
    contribute(talk, "z:last", Text(" z "), 5, "TOOLS")
    contribute(talk, "a:first", Text("a"), 5, "tools")
    contribute(talk, "m:high", Text("m"), 9, "tools")
    contribute(talk, "b:none", Text("b"))
    contribute(talk, "b:blank", Text("  "), 1, "Blank")
    contribute(talk, "f:file:name", Text("f"), 1, "FilesReadAndEdited")
    head, _, rest = prompt(talk).partition("<system_context>")
    assert head == "<identity>\nYou are it.</identity>\n\n<tools>\nm\n\na\n\nz</tools>\n\n"
    facts, _, tail = rest.partition("</system_context>\n\n")
    assert facts.startswith(
        "\nWorking directory: /work\n\nOperating system: linux x86_64\n\nCurrent"
    )
    assert tail == (
        "<filesreadandedited>\nf</filesreadandedited>\n\n"
        "<mine>\n{{ literal }}</mine>\n\n"
        "<default>\nb</default>\n\n"
    )


def test_the_prompt_is_the_same_all_day_and_its_section_ends_with_the_day():
    talk = Talk(system_prompt={"defaults": {"Identity": "You.", "glossary": "near no section"}})
    first = prompt(talk)
    assert prompt(talk) == first
    facts = first.partition("<system_context>")[2].partition("</system_context>")[0]
    assert re.fullmatch(r"Current date: \w+day, \d{4}-\d\d-\d\d \(UTC\)", facts.split("\n\n")[-1])


def test_data_is_rendered_with_its_template_or_the_users():
    talk = Talk(system_prompt={"overrides": {"p:two": "{{ data.n + 1 }}"}})
    for key in ("p:one", "p:two"):
        contribute(talk, key, Data(data={"n": 1}, default_template="<{{ data.n }}>\n"), 0, "P")
    assert "<p>\n<1>\n\n2</p>" in prompt(talk)


def test_a_broken_contribution_is_left_out_and_reported():
    talk = Talk()
    contribute(talk, "p:bad", Data(data={}, default_template="{{ data.x.y }}"), 0, "P")
    contribute(
        talk, "p:evil", Data(data={}, default_template="{{ data.__class__.__mro__ }}"), 0, "P"
    )
    contribute(talk, "p:good", Text("good"), 0, "P")
    contribute(talk, "no key", Text("dropped"), 0, "P")
    assert "<p>\ngood</p>" in prompt(talk)
    lines = [line for _, line in talk.stage.host.lines]
    assert any("bad key `no key`" in line for line in lines)
    assert any("`p:bad` does not render: UndefinedError" in line for line in lines)


def test_contributions_can_be_excluded_replaced_and_laid_out():
    talk = Talk(
        system_prompt={
            "exclude": ["p:no"],
            "base_template": "{% for name, texts in sections %}"
            "{{ name }}={{ texts|length }};{% endfor %}",
        }
    )
    contribute(talk, "p:no", Text("x"), 0, "P")
    contribute(talk, "p:yes", Text("x"), 0, "P")
    contribute(talk, "p:yes", Text("y"), 0, "P")
    assert prompt(talk) == "System Context=3;P=1;"


def test_contract():
    contract = describe(FOLDER)
    assert contract["capabilities"] == ["host-info", "http", "logger", "messaging"]
    assert contract["config"]["properties"]["model_name"]["x-wasmind"] == "model"
    assert contract["config"]["required"] == ["model_name"]
    assert contract["tools"] == []
    assert [each["type"].removeprefix("wasmind.common.") for each in contract["emits"]] == [
        "actors.Exit",
        "assistant.AddMessage",
        "assistant.ChatStateUpdated",
        "assistant.Request",
        "assistant.Response",
        "assistant.StatusUpdate",
        "tools.ExecuteToolCall",
        "tools.ToolCallStatusUpdate",
        "ui.UserNotification",
    ]
