"""What real providers answer, and what the assistant, its tools and people make of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.actors.talk import OTHER, Talk, calls, text, with_calls
from wasmind_actor import Envelope, Err
from wasmind_actor.chat import SystemMessage
from wasmind_actor.http import NetworkError, Response, TimedOutError
from wasmind_actor.log import Level
from wasmind_actor.messages import (
    ActorReady,
    AddMessage,
    AgentSpawned,
    ExecuteToolCall,
    QueueStatusChange,
    StatusUpdate,
    ToolCallStatusUpdate,
    UserNotification,
)
from wasmind_actor.messages import Response as Answered
from wasmind_actor.status import (
    IDLE,
    CompactingConversation,
    Processing,
    Wait,
    WaitingForUserInput,
)
from wasmind_actor.wire import dumps

COMPACTING = Wait(reason=CompactingConversation())


def body(message: Any, finish: str | None = None, **more: Any) -> Response:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    usage = {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16}
    return raw(json.dumps({"choices": [choice], "usage": usage, **more}))


def raw(content: str, status: int = 200, **headers: str) -> Response:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(status=status, body=content.encode(), headers=named)


def refusal(status: int, message: str, **more: Any) -> Response:
    return raw(json.dumps({"error": {"message": message, **more}}), status)


def call(name: str, arguments: Any, **more: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return text(None, tool_calls=[{"id": f"c_{name}", "function": function, **more}])


def errors(talk: Talk) -> list[str]:
    return [note.message for note in talk.stage.sent(UserNotification) if note.level == "Error"]


def answers(talk: Talk) -> list[str | None]:
    return [each.message.content for each in talk.stage.sent(Answered)]


# --- errors ---


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"error": {"message": "upstream is gone", "code": 502}}, "upstream is gone"),
        ({"error": {"message": "no such key", "code": 401}, "choices": []}, "no such key"),
        ({"error": "plain words"}, "plain words"),
        ([{"error": {"code": 400, "message": "as Gemini does", "status": "X"}}], "as Gemini does"),
    ],
)
def test_an_error_inside_a_200_is_the_providers(document, told):
    talk = Talk(raw(json.dumps(document)))
    talk.say("hi")
    (error,) = errors(talk)
    assert error.endswith(told)
    assert talk.status == IDLE


def test_the_gateways_own_words_are_told_once_and_unchanged():
    talk = Talk(refusal(402, "the budget `usd = 2.00` is used up", code="budget_exhausted"))
    talk.say("hi")
    assert errors(talk) == ["the budget `usd = 2.00` is used up"]
    assert {level for level, _ in talk.stage.host.lines} == {Level.INFO}


def test_a_request_that_was_cancelled_is_no_news_for_who_did_it():
    talk = Talk(refusal(499, "cancelled", code="cancelled"), text("hello"))
    talk.tell(AgentSpawned(agent_id="000000", name="x", parent_agent="parent", actors=()))
    talk.say("hi")
    assert talk.stage.sent(UserNotification) == []
    (told,) = [each for each in talk.stage.sent(AddMessage) if each.agent == "parent"]
    assert told.message.content.endswith("its request was cancelled")
    assert talk.status == IDLE


@pytest.mark.parametrize("status", [429, 500, 529])
def test_the_announced_endpoint_is_asked_once(status):
    talk = Talk(refusal(status, "busy"))
    talk.say("hi")
    assert len(talk.asked) == 1
    assert len(errors(talk)) == 1


# --- an endpoint of one's own ---


class Direct(Talk):
    """A conversation with a provider that the user configured; pauses are noted, not made."""

    def __init__(self, *given: Any, **config: Any) -> None:
        super().__init__(*given, base_url="http://model", **config)
        self.waits: list[float] = []
        self.interrupted = False
        self.stage.actor.endpoint._pause = self.pause

    def pause(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return not self.interrupted


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529])
def test_passing_trouble_is_waited_out_and_every_wait_is_shown(status):
    talk = Direct(refusal(status, "busy"), refusal(status, "busy"), text("hello"))
    talk.say("hi")
    assert answers(talk) == ["hello"]
    assert len(talk.waits) == 2
    warnings = [line for level, line in talk.stage.host.lines if level == Level.WARN]
    assert len(warnings) == 2
    assert (
        f"attempt 2: http://model/v1/chat/completions answered with status {status}: busy"
        in (warnings[0])
    )


def test_an_error_inside_a_200_may_pass_too():
    passing = raw(json.dumps({"error": {"message": "bad gateway", "code": 502}}))
    talk = Direct(passing, text("hello"))
    talk.say("hi")
    assert answers(talk) == ["hello"]


@pytest.mark.parametrize(
    "hopeless",
    [
        refusal(429, "You exceeded your current quota", code="insufficient_quota"),
        raw('{"error": {"message": "no"}}', 500, x_should_retry="false"),
        refusal(401, "no key"),
        refusal(404, "no such model"),
        NetworkError("certificate verify failed: self-signed certificate"),
        NetworkError("x is not granted; see `[actors.assistant.grants.http]`"),
        TimedOutError(),
    ],
)
def test_hopeless_trouble_is_told_at_once(hopeless):
    talk = Direct(hopeless)
    talk.say("hi")
    assert len(talk.asked) == 1
    assert talk.waits == []
    assert len(errors(talk)) == 1
    assert talk.status == IDLE


def test_a_pause_that_the_end_of_the_run_cuts_short_is_the_last():
    talk = Direct(refusal(503, "busy"))
    talk.interrupted = True
    talk.say("hi")
    assert (len(talk.asked), len(talk.waits)) == (1, 1)
    assert errors(talk) == []


def test_an_untrusted_certificate_comes_with_the_way_out():
    talk = Direct(NetworkError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))
    talk.say("hi")
    assert "`SSL_CERT_FILE`" in errors(talk)[0]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "3.5"}, 3.5),
        ({"retry_after_ms": "3000"}, 3.0),
        ({"retry_after": "20"}, 20.0),
        ({"retry_after": "-5"}, 1.0),
        ({"retry_after": "3s"}, 1.0),
    ],
)
def test_the_pause_is_what_the_provider_asks_for(headers, seconds):
    talk = Direct(raw("busy", 429, **headers), text("hello"))
    talk.say("hi")
    (wait,) = talk.waits
    assert seconds <= wait <= seconds * 1.25


def test_the_pause_may_be_a_date_and_has_an_end():
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=50), usegmt=True)
    talk = Direct(raw("busy", 429, retry_after=when), raw("busy", 429, retry_after="7200"))
    talk.say("hi")
    (wait,) = talk.waits
    assert 1 < wait <= 50
    assert "it wants 7200 s to pass" in errors(talk)[0]


def test_a_time_limit_is_for_the_whole_answer_and_can_be_set():
    seen: list[int | None] = []
    for config in ({}, {"timeout_seconds": 1800}):
        talk = Direct(text("hello"), **config)
        ask = talk.stage.host.http
        talk.stage.host.http = lambda request, ask=ask: (
            seen.append(request.timeout),
            ask(request),
        )[1]
        talk.say("hi")
    assert seen == [600, 1800]


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://model", "http://model/v1/chat/completions"),
        ("http://model/", "http://model/v1/chat/completions"),
        ("http://model:8080/v1", "http://model:8080/v1/chat/completions"),
        ("https://model/v1/", "https://model/v1/chat/completions"),
        ("https://model/api/v1", "https://model/api/v1/chat/completions"),
        ("https://model/v1beta/openai/", "https://model/v1beta/openai/chat/completions"),
        ("https://model/api/paas/v4", "https://model/api/paas/v4/chat/completions"),
        ("https://model/openai", "https://model/openai/v1/chat/completions"),
        ("https://model/v1/chat/completions", "https://model/v1/chat/completions"),
        ("https://model/v1/?key=1", "https://model/v1/chat/completions?key=1"),
    ],
)
def test_a_base_url_is_taken_as_people_paste_it(base_url, url):
    asked: list[str] = []
    talk = Talk(base_url=base_url)
    talk.stage.host.http = lambda request: (asked.append(request.url), body(text("x")))[1]
    talk.say("hi")
    assert asked == [url]


@pytest.mark.parametrize("base_url", ["localhost:8080", "http://", "ftp://x"])
def test_a_base_url_that_is_none_is_told_when_it_is_needed(base_url):
    """`check` says so before that."""
    talk = Talk(base_url=base_url)
    talk.say("hi")
    (told,) = talk.stage.sent(UserNotification)
    assert "`base_url` is not a URL" in told.message


# --- answers that end early ---


def test_a_call_of_a_cut_answer_is_not_made():
    talk = Talk(body(call("a", '{"x": "unterm'), "length"), text("shorter"))
    talk.offer("a")
    talk.say("go")
    assert talk.stage.sent(ExecuteToolCall) == []
    assert "your answer was cut off at 7 tokens" in talk.transcript[-1]
    assert answers(talk)[-1] == "shorter"
    (update,) = talk.stage.sent(ToolCallStatusUpdate)
    assert isinstance(update.status.result, Err)


def test_an_answer_that_is_always_cut_ends_in_a_failure():
    talk = Talk(*[body(call("a", "{"), "length")] * 4)
    talk.offer("a")
    talk.say("go")
    assert len(talk.asked) == 4
    assert errors(talk) == ["the model kept giving unusable answers after 3 corrections"]
    assert talk.status == IDLE


def test_the_text_of_a_cut_answer_is_used_with_a_warning():
    talk = Talk(body(text("half of"), "length"))
    talk.say("go")
    assert answers(talk) == ["half of"]
    (note,) = talk.stage.sent(UserNotification)
    assert (note.level, note.title) == ("Warning", "Answer cut off")
    assert "at 7 tokens" in note.message


def test_reasoning_that_leaves_no_room_for_an_answer_is_told_to_the_model():
    talk = Talk(body(text(None, reasoning_content="hm"), "length"), text("so"))
    talk.say("go")
    assert "before it contained text" in talk.transcript[-1]
    assert answers(talk)[-1] == "so"


@pytest.mark.parametrize("config", [{}, {"require_tool_call": True}])
def test_a_refusal_is_the_answer(config):
    talk = Talk(body(text(None, refusal="I will not do that.")), text("fine"), **config)
    talk.say("go")
    assert answers(talk) == ["The model refused: I will not do that."]
    assert (len(talk.asked), talk.status) == (1, IDLE)
    assert errors(talk) == []


def test_a_refusal_stays_in_the_history_as_text():
    talk = Talk(body(text(None, refusal="No.")), text("fine"))
    talk.say("go")
    talk.say("and this?")
    assert talk.transcript == ["user: go", "assistant: No.", "user: and this?"]


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (text(None), "The provider's content filter stopped this answer."),
        (text("Once upon"), "Once upon\n\n[The provider's content filter stopped this answer.]"),
    ],
)
def test_a_content_filter_ends_the_turn(message, answer):
    talk = Talk(body(message, "content_filter"))
    talk.say("go")
    assert answers(talk) == [answer]
    assert (len(talk.asked), talk.status) == (1, IDLE)


def test_calls_that_a_filter_stopped_are_not_made():
    talk = Talk(body(calls("a"), "content_filter"), text("fine"))
    talk.offer("a")
    talk.say("go")
    assert talk.stage.sent(ExecuteToolCall) == []
    assert talk.status == IDLE
    talk.say("again")
    assert talk.transcript == ["user: go\n\nagain"]


def test_thinking_aloud_is_no_part_of_the_answer_and_goes_back_as_it_came():
    talk = Talk(text("<think>\nhm\n</think>\n\nYes."), text("fine"))
    talk.say("go")
    reply = talk.history[-1]
    assert (reply.content, reply.reasoning_content) == ("Yes.", "hm")
    talk.say("sure?")
    assert talk.transcript[1] == "assistant: <think>\nhm\n</think>\n\nYes."


# --- tool calls in odd spellings ---


@pytest.mark.parametrize("name", [" Execute_Bash ", "EXECUTE_BASH", "execute_bash\n"])
def test_a_tool_is_found_whatever_its_case_and_the_blanks_around(name):
    talk = Talk(call(name, "{}"), text("done"))
    talk.offer("execute_bash")
    talk.say("go")
    (made,) = talk.stage.sent(ExecuteToolCall)
    assert made.tool_call.function.name == "execute_bash"


def test_a_tool_that_does_not_exist_is_answered_with_the_one_meant():
    talk = Talk(call("exec_bash", "{}"), text("done"))
    talk.offer("execute_bash")
    talk.say("go")
    assert talk.transcript[-1].endswith(
        "there is no tool `exec_bash`; did you mean `execute_bash`?"
    )


# --- numbers that JSON does not have ---


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
@pytest.mark.parametrize("message", [text("hello"), calls("a")], ids=["text", "call"])
def test_numbers_that_do_not_exist_break_nothing(number, message):
    document = body(message, usage={"prompt_tokens": 3, "details": "#"}).body.decode()
    spoilt = document.replace('"#"', number).replace('"role"', f'"extra": [{number}], "role"')
    talk = Talk(raw(spoilt), text("done"), text("fine"))
    talk.offer("a")
    talk.say("hi")
    if message.get("tool_calls"):
        talk.finish("a")
    assert talk.status == IDLE
    assert errors(talk) == []
    talk.say("again")
    assert talk.status == IDLE
    assert "fine" in answers(talk) or "done" in answers(talk)


def test_an_answer_nested_too_deeply_is_a_failure_and_not_an_end():
    deep = '{"choices": [{"message": {"content": "x", "y": ' + "[" * 5000 + "]" * 5000 + "}}]}"
    talk = Talk(raw(deep), text("better"))
    talk.say("hi")
    talk.say("again")
    assert answers(talk)[-1] == "better"


# --- event streams that nobody asked for ---


def stream(*chunks: Any, end: str = "\n\n") -> Response:
    events = [f"data: {json.dumps(chunk)}" for chunk in chunks]
    return raw(end.join([*events, "data: [DONE]", ""]))


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n"])
def test_a_stream_is_put_together(end):
    talk = Talk(
        stream(
            delta(role="assistant", content="", reasoning_content="h"),
            delta(reasoning_content="m"),
            delta(content="Hel"),
            delta(content="lo"),
            delta("stop"),
            {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
            end=end,
        )
    )
    talk.say("hi")
    (answer,) = talk.stage.sent(Answered)
    assert (answer.message.content, answer.message.reasoning_content) == ("Hello", "hm")
    assert answer.usage.total_tokens == 3


@pytest.mark.parametrize("indexed", [True, False])
def test_the_calls_of_a_stream_are_put_together(indexed):
    def piece(index: int, **fields: Any) -> dict[str, Any]:
        return {"index": index, **fields} if indexed else fields

    talk = Talk(
        stream(
            delta(role="assistant", tool_calls=None),
            delta(tool_calls=[piece(0, id="c_a", function={"name": "a", "arguments": ""})]),
            delta(tool_calls=[piece(0, function={"arguments": '{"x":'})]),
            delta(tool_calls=[piece(0, function={"arguments": " 1}"})]),
            delta(tool_calls=[piece(1, id="c_b", function={"name": "b", "arguments": "{}"})]),
            delta("tool_calls"),
        )
    )
    talk.offer("a", "b")
    talk.say("hi")
    made = [each.tool_call for each in talk.stage.sent(ExecuteToolCall)]
    assert [(each.id, each.function.name, each.function.arguments) for each in made] == [
        ("c_a", "a", '{"x": 1}'),
        ("c_b", "b", "{}"),
    ]


def test_a_stream_that_breaks_off_is_an_answer_that_was_cut():
    talk = Talk(raw(f"data: {json.dumps(delta(content='Hel'))}\n\n"))
    talk.say("hi")
    assert answers(talk) == ["Hel"]
    assert talk.stage.sent(UserNotification)[0].title == "Answer cut off"


def test_an_error_in_the_middle_of_a_stream_leaves_no_half_answer():
    talk = Talk(stream(delta(content="Hel"), {"error": {"message": "overloaded"}}))
    talk.say("hi")
    assert errors(talk) == ["overloaded"]
    assert answers(talk) == []


def test_an_error_in_a_stream_is_the_providers_and_short():
    talk = Talk(stream({"error": {"message": "overloaded", "code": 529}}))
    talk.say("hi")
    assert errors(talk) == ["overloaded"]


# --- a context that is too long ---


TOO_LONG = refusal(400, "maximum context length is 8192 tokens", code="context_length_exceeded")
WORDS_ONLY = refusal(400, "This model's maximum context length is 4096 tokens.")


def ready(actor_id: str) -> dict[str, Any]:
    return {"sender": actor_id}


@pytest.mark.parametrize(
    "answer", [TOO_LONG, WORDS_ONLY, refusal(400, "prompt is too long: 9 > 8")]
)
def test_without_a_compaction_actor_people_hear_what_helps(answer):
    talk = Talk(answer)
    talk.say("hi")
    (error,) = errors(talk)
    assert "too long for the model" in error
    assert "start a new conversation" in error
    assert talk.status == IDLE


def test_a_conversation_there_is_no_memory_for_is_too_long():
    talk = Talk(MemoryError(), text("fine"))
    talk.say("hi")
    (error,) = errors(talk)
    assert "too long for the memory the assistant has (`memory_mib` in its `limits`)" in error
    assert "start a new conversation" in error
    assert talk.status == IDLE
    talk.say("better")
    assert answers(talk) == ["fine"]


def with_compaction(*given: Any) -> Talk:
    talk = Talk(text("first"), *given)
    talk.stage.deliver(ActorReady(), sender="wasmind:conversation_compaction")
    talk.say("one")
    return talk


@pytest.mark.parametrize("trouble", [TOO_LONG, MemoryError()])
def test_a_compaction_actor_is_asked_and_the_message_answered_afterwards(trouble):
    talk = with_compaction(trouble, text("second"))
    talk.say("two")
    assert talk.status == COMPACTING
    asking = talk.stage.sent(Answered)[-1]
    assert asking.usage.total_tokens == 2**31 - 1
    assert asking.message.originating_request_id == talk.request_id
    talk.queue(COMPACTING)
    talk.compact()
    assert talk.transcript == ["user: summary", "assistant: first", "user: two"]
    assert answers(talk)[-1] == "second"
    assert talk.status == IDLE
    assert errors(talk) == []


@pytest.mark.parametrize("how", ["gives up", "dies", "does not help", "deadline"])
def test_a_compaction_that_fails_is_told(how):
    talk = with_compaction(TOO_LONG, TOO_LONG)
    talk.tell(AgentSpawned(agent_id="000000", name="x", parent_agent="parent", actors=()))
    talk.say("two")
    match how:
        case "gives up":
            talk.queue(Wait(reason=WaitingForUserInput()))
        case "does not help":
            talk.compact()
        case "dies":
            failed = UserNotification(level="Error", title="x", message="y", source="Runtime")
            talk.stage.deliver(failed, sender="wasmind:conversation_compaction")
        case "deadline":
            conversation = talk.stage.actor.conversation
            later = conversation._clock() + 601
            conversation._clock = lambda: later
            talk.offer("c")
    assert "start a new conversation" in errors(talk)[-1]
    (told,) = [each for each in talk.stage.sent(AddMessage) if each.agent == "parent"]
    assert isinstance(told.message, SystemMessage)
    assert talk.status != COMPACTING


def test_what_cannot_be_compacted_is_told_at_once():
    talk = Talk(TOO_LONG)
    talk.stage.deliver(ActorReady(), sender="wasmind:conversation_compaction")
    talk.say("a very long message")
    assert len(errors(talk)) == 1
    assert talk.status == IDLE


# --- loops ---


def test_the_same_call_again_and_again_is_told_to_the_model():
    same = [call("a", arguments) for arguments in ('{"x": 1, "y": 2}', '{"y":2,"x":1}', "{}")]
    talk = Talk(same[0], same[1], same[0], same[0], same[2], text("done"))
    talk.offer("a")
    talk.say("go")
    results = []
    while len(talk.asked) < 6:
        talk.finish("a")
        results.append(talk.transcript[-1])
    assert ["in a row" in each for each in results] == [False, False, True, True, False]
    assert "this call 4 times in a row" in results[3]
    warnings = [line for level, line in talk.stage.host.lines if level == Level.WARN]
    assert len(warnings) == 1


def test_what_the_user_asks_for_again_is_no_loop():
    talk = Talk(*[call("a", "{}"), text("done")] * 4)
    talk.offer("a")
    for _ in range(4):
        talk.say("once more")
        talk.finish("a")
        assert "in a row" not in talk.transcript[-1]


def by_the_host(message: Any) -> Envelope:
    return Envelope(
        id="root:limits",
        message_type=message.message_type,
        from_actor_id="wasmind__coordinator",
        from_scope="000000",
        content=dumps(message),
    )


def test_an_agent_at_its_limit_makes_no_further_call_until_the_user_speaks():
    talk = Talk(calls("a"), text("I was at it"))
    talk.offer("a")
    ask = talk.stage.host.http
    halt = QueueStatusChange(agent="000000", status=Wait(reason=WaitingForUserInput()))

    def halted(request: Any) -> Response:
        answer = ask(request)
        talk.stage.actor.handle(by_the_host(halt))
        return answer

    talk.stage.host.http = halted
    talk.say("go")
    talk.stage.host.http = ask
    assert talk.stage.sent(ExecuteToolCall) == []
    assert talk.status == Wait(reason=WaitingForUserInput())
    assert "stopped at its limit of turns" in talk.history[-1].content
    talk.hear("not you", OTHER)
    assert len(talk.asked) == 1
    talk.say("go on")
    assert answers(talk)[-1] == "I was at it"


# --- whatever happens ---


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("y"), RecursionError(), OSError("z")])
def test_an_exception_while_the_model_is_asked_is_a_failure_that_is_told(error):
    talk = Talk(error, text("better"))
    talk.say("hi")
    assert len(errors(talk)) == 1
    assert talk.status == IDLE
    talk.say("again")
    assert answers(talk) == ["better"]


LARGE = ["Response", "Request", "ChatStateUpdated", "ExecuteToolCall", "StatusUpdate"]


@pytest.mark.parametrize("refused", LARGE)
def test_a_message_that_cannot_be_sent_leaves_nobody_waiting(refused, monkeypatch):
    talk = Talk(calls("a"), text("done"), text("fine"))
    talk.offer("a")
    send = talk.stage.host.broadcast

    def broadcast(message_type: str, payload: str) -> None:
        if message_type.endswith(f".{refused}"):
            raise ValueError("a message of 17.0 MiB; at most 16 (limit `payload_mib`)")
        send(message_type, payload)

    monkeypatch.setattr(talk.stage.host, "broadcast", broadcast)
    talk.say("go")
    if talk.stage.sent(ExecuteToolCall):
        talk.finish_all()
    assert talk.stage.actor.conversation.status == IDLE
    assert errors(talk) or "done" in answers(talk)
    monkeypatch.undo()
    talk.say("again")
    assert answers(talk)[-1] in ("done", "fine")


@pytest.mark.parametrize("broken", ["response_seen", "message_added", "tool_answered", "replied"])
def test_a_fault_of_our_own_leaves_nobody_waiting(broken, monkeypatch):
    talk = Talk(calls("a"), text("done"), text("fine"))
    talk.offer("a")
    conversation = talk.stage.actor.conversation

    def fail(*_: Any, **__: Any) -> None:
        monkeypatch.undo()
        raise RuntimeError("a fault")

    monkeypatch.setattr(conversation, broken, fail)
    talk.say("go")
    if talk.stage.sent(ExecuteToolCall):
        talk.finish_all()
    assert not isinstance(conversation.status, Processing)
    talk.say("again")
    talk.finish_all()
    assert conversation.status == IDLE
    assert answers(talk)[-1] in ("done", "fine")


def test_all_statuses_of_a_failure_are_announced():
    talk = with_calls("a", answers=(NetworkError("gone"),))
    talk.finish("a")
    assert talk.stage.sent(StatusUpdate)[-1].status == IDLE
