"""Whatever models, tools and other agents say: what is sent is valid, and nobody waits for ever."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.actors.talk import OTHER, OWN, Talk, calls, text
from wasmind_actor.chat import (
    AssistantReply,
    Function,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from wasmind_actor.http import NetworkError, Request, Response
from wasmind_actor.messages import CompactedConversation, UserNotification
from wasmind_actor.messages import Response as Answered
from wasmind_actor.status import IDLE


def check_strictly(body: bytes) -> None:
    """What the strictest of providers asks of a request."""
    document = json.loads(body.decode("utf-8", "strict"), parse_constant=_no_number)
    _check_values(document)
    messages = document["messages"]
    assert messages
    open_calls: list[str] = []
    previous = ""
    for message in messages:
        role = message["role"]
        if role == "tool":
            assert message["tool_call_id"] in open_calls
            open_calls.remove(message["tool_call_id"])
            assert isinstance(message["content"], str)
        else:
            assert not open_calls, "every call is answered before anybody else speaks"
        if role in ("user", "system"):
            assert message["content"].strip()
        if role == "user":
            assert previous != "user"
        if role == "assistant":
            open_calls = _check_assistant(message)
        previous = role
    assert not open_calls


def _check_assistant(message: dict[str, Any]) -> list[str]:
    calls, content = message.get("tool_calls"), message["content"]
    if calls is None:
        said = content if isinstance(content, str) else "".join(each["text"] for each in content)
        assert said.strip()
        return []
    assert calls
    assert content is None or isinstance(content, str | list)
    for call in calls:
        assert call["type"]
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", call["function"]["name"])
        arguments = json.loads(call["function"]["arguments"], parse_constant=_no_number)
        assert isinstance(arguments, dict)
        _check_values(arguments)
        json.dumps(arguments, ensure_ascii=False).encode("utf-8", "strict")
    ids = [call["id"] for call in calls]
    assert len(set(ids)) == len(ids)
    assert all(ids)
    return ids


def _check_values(value: Any) -> None:
    if isinstance(value, float):
        assert math.isfinite(value)
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            _check_values(each)


def _no_number(constant: str) -> None:
    raise AssertionError(f"{constant} is sent")


class Careless(Talk):
    """A conversation that says yes to everything; requests are checked."""

    def answer(self, request: Request) -> Response:
        check_strictly(request.body or b"")
        if not self.answers:
            self.answers.append(text("well then"))
        return super().answer(request)

    def settle(self) -> None:
        """Let tools answer until nobody waits for them."""
        for _ in range(10):
            self.finish_all()


ARGUMENTS = [
    "{}", "", "  ", '{"a": 1}', '{"a": "line\nbreak"}', "[]", '""', "null", "7", "{'a': 1}",
    '{"a": "cut o', '{"a": NaN}', '{"a": 1e999}', '{"a": "\\ud83d"}', "[" * 2000, "\udc00",
    '{"a": ' + "[" * 300 + "]" * 300 + "}", {"a": 1}, [], None, 5,
]  # fmt: skip
CONTENTS = [
    None, "", " \n", "hello", "\ud83d", [], [{"type": "text", "text": "parts"}],
    [{"type": "text", "text": ""}], [{"type": "thinking", "thinking": "hm"}], 5, {"a": 1},
    "<think>hm</think>", ["x"],
]  # fmt: skip

tool_calls = st.builds(
    lambda ident, name, arguments, more: {
        "id": ident,
        "function": {"name": name, "arguments": arguments},
        **more,
    },
    st.sampled_from(["c1", "c1", "c2", "", None, 3]),
    st.sampled_from(["a", " A ", "größe", "x.y", "", "n" * 80, None]),
    st.sampled_from(ARGUMENTS),
    st.sampled_from([{}, {"index": 0}, {"extra_content": {"s": float("nan")}}, {"type": None}]),
)
messages = st.fixed_dictionaries(
    {"content": st.sampled_from(CONTENTS)},
    optional={
        "role": st.sampled_from(["assistant", "assistant", None, "user"]),
        "tool_calls": st.one_of(st.none(), st.lists(tool_calls, max_size=3), st.just("x")),
        "refusal": st.sampled_from([None, "", "no", 5]),
        "reasoning_content": st.sampled_from([None, "hm", 5]),
        "thinking_blocks": st.sampled_from([None, [], [{"thinking": "x"}], 3]),
        "extra": st.sampled_from([float("inf"), {"x": [float("nan")]}, "\udfff", None]),
    },
)
finishes = st.sampled_from(["stop", None, "length", "content_filter", "tool_calls", 7])
completions = st.builds(
    lambda message, finish, usage: {
        "choices": [{"message": message, "finish_reason": finish}],
        "usage": usage,
    },
    messages,
    finishes,
    st.sampled_from([None, {}, {"prompt_tokens": float("nan")}, {"total_tokens": 2**40}, []]),
)
bodies = st.one_of(
    completions,
    completions,
    completions,
    st.sampled_from([{}, [], None, "x", {"choices": [None]}, {"error": {"code": 500}}]),
).map(lambda document: Response(status=200, body=json.dumps(document).encode()))
failures = st.sampled_from(
    [
        Response(status=500, body=b""),
        Response(status=400, body=b'{"error": {"code": "context_length_exceeded"}}'),
        Response(status=200, body=b"data: {\ndata: x\n\ndata: [DONE]\n\n"),
        Response(status=200, body=b"\xff\x00"),
        NetworkError("reset"),
        RuntimeError("anything"),
    ]
)
said = st.sampled_from(["hi", "", " ", "\ud83d", "more"])


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
@given(
    answers=st.lists(st.one_of(bodies, bodies, failures), max_size=8),
    lines=st.lists(said, min_size=1, max_size=3),
    require=st.booleans(),
)
def test_every_message_ends_in_an_answer_or_a_failure(answers, lines, require):
    talk = Careless(
        *answers, require_tool_call=require, allow_empty_responses=len(answers) % 2 == 0
    )
    talk.offer("a", "x.y")
    for line in lines:
        talk.stage.take()
        talk.say(line)
        talk.settle()
        assert talk.stage.actor.conversation.status == IDLE
        told = talk.stage.sent(UserNotification)
        answered = [each for each in talk.stage.sent(Answered) if not each.message.tool_calls]
        assert told or answered
        for _, line in talk.stage.host.lines:
            assert "Traceback" not in line or line.endswith("RuntimeError: anything")


replies = st.builds(
    lambda content, made: AssistantReply(
        content=content, tool_calls=tuple(made) or None, originating_request_id="req_x"
    ),
    st.sampled_from([None, "", "text"]),
    st.lists(
        st.builds(
            lambda ident, name, arguments: ToolCall(
                id=ident, function=Function(name=name, arguments=arguments)
            ),
            st.sampled_from(["c1", "c2"]),
            st.sampled_from(["a", "b c"]),
            st.sampled_from([each for each in ARGUMENTS if isinstance(each, str)]),
        ),
        max_size=3,
    ),
)
history = st.lists(
    st.one_of(
        replies,
        st.sampled_from(["", "x"]).map(lambda content: UserMessage(content=content)),
        st.sampled_from(["", "x"]).map(lambda content: SystemMessage(content=content)),
        st.sampled_from(["c1", "c2", "c9"]).map(
            lambda ident: ToolMessage(tool_call_id=ident, name="a", content="result")
        ),
    ),
    max_size=8,
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=history, role=st.sampled_from(["system", "user"]))
def test_a_history_that_others_wrote_is_sent_validly(history, role):
    talk = Careless(text("one"), system_messages_as=role)
    talk.say("go")
    talk.tell(
        CompactedConversation(agent=OWN, messages=tuple(history), compacted_to=talk.request_id)
    )
    talk.hear("news", OTHER)
    talk.say("and now?")
    assert talk.stage.actor.conversation.status == IDLE
    assert len(talk.asked) == 3


# --- the same, one by one ---


def returned(talk: Talk) -> dict[str, Any]:
    """The first assistant message that went back."""
    return next(each for each in talk.asked[-1]["messages"] if each["role"] == "assistant")


@pytest.mark.parametrize("content", [None, ""])
def test_the_content_of_a_tool_call_goes_back_with_its_key(content):
    talk = Talk({**calls("a"), "content": content}, text("done"))
    talk.offer("a")
    talk.say("go")
    talk.finish("a")
    assert returned(talk)["content"] == content
    assert "content" in returned(talk)


@pytest.mark.parametrize(
    "empty", [{"content": None}, {"content": ""}, {"content": []}, {"reasoning_content": "hm"}]
)
def test_an_empty_answer_never_goes_back(empty):
    talk = Talk({"role": "assistant", **empty}, text("better"))
    talk.say("go")
    assert [each["role"] for each in talk.asked[-1]["messages"]] == ["system", "user", "system"]
    assert talk.status == IDLE


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ('{"a": 1.0}', '{"a": 1.0}'),
        ('{ "a":1 }', '{ "a":1 }'),
        ("", "{}"),
        ("[]", '{"invalid_arguments": "[]"}'),
        ('{"a": "cut o', '{"invalid_arguments": "{\\"a\\": \\"cut o"}'),
        ('{"a": "two\nlines"}', '{"a": "two\\nlines"}'),
        ('{"a": NaN}', '{"a": null}'),
        ('{"a": 1e999}', '{"a": null}'),
    ],
)
def test_arguments_go_back_as_an_object(arguments, sent):
    message = calls("a")
    message["tool_calls"][0]["function"]["arguments"] = arguments
    talk = Talk(message, text("done"))
    talk.offer("a")
    talk.say("go")
    assert talk.history[-1].tool_calls[0].function.arguments == arguments, "the tool gets it raw"
    talk.finish("a")
    assert returned(talk)["tool_calls"][0]["function"]["arguments"] == sent


def test_user_messages_that_follow_one_another_are_sent_as_one():
    talk = Talk(NetworkError("gone"), text("hello"))
    talk.say("one")
    talk.say("two")
    assert talk.transcript == ["user: one\n\ntwo"]
    assert [type(each).__name__ for each in talk.history[:2]] == ["UserMessage", "UserMessage"]


def test_what_only_the_provider_knows_goes_back_unchanged():
    message = {
        **calls("a"),
        "reasoning_content": "hm",
        "extra_content": {"google": {"thought_signature": "s"}},
    }
    talk = Talk(message, text("done"))
    talk.offer("a")
    talk.say("go")
    talk.finish("a")
    assert returned(talk) == {**message, "role": "assistant"}
