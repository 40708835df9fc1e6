"""Compaction, against a host that only pretends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wasmind_actor.chat import (
    AssistantReply,
    ChatState,
    Function,
    SystemPrompt,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from wasmind_actor.http import NetworkError, Request, Response
from wasmind_actor.messages import (
    BaseUrlUpdate,
    ChatStateUpdated,
    CompactedConversation,
    QueueStatusChange,
)
from wasmind_actor.status import IDLE, CompactingConversation, Wait
from wasmind_actor.testing import FakeHost, Stage, load

FOLDER = Path(__file__).parents[2] / "actors" / "conversation_compaction"
CONFIG = {"token_threshold": 100, "model_name": "small"}
COMPACTING = Wait(reason=CompactingConversation())


def reply(number: int, content: str = "", *calls: ToolCall) -> AssistantReply:
    return AssistantReply(
        content=content, tool_calls=calls or None, originating_request_id=f"req_{number}"
    )


def call(name: str, **arguments: str) -> ToolCall:
    function = Function(name=name, arguments=json.dumps(arguments))
    return ToolCall(id=f"id_{name}", function=function)


HISTORY = (
    UserMessage(content="fix the parser, keep the lexer"),
    reply(1, "I look", call("read_file", path="src/parser.py")),
    ToolMessage(tool_call_id="id_read_file", name="read_file", content="x" * 9_000),
    reply(2, "", call("execute_bash", command="pytest")),
)


class Summariser:
    """A model that answers with a summary, or fails as it is told."""

    def __init__(self, answer: str | None = "# State\n**Goal:** parser", status: int = 200) -> None:
        self.requests: list[Request] = []
        self._answer, self._status = answer, status

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        if self._status == 0:
            raise NetworkError("no route")
        document = {"choices": [{"message": {"role": "assistant", "content": self._answer}}]}
        return Response(status=self._status, body=json.dumps(document).encode())


def stage(summariser: Summariser, history=HISTORY, tokens: int = 150, **config) -> Stage:
    actor = Stage(load(FOLDER), config={**CONFIG, **config}, host=FakeHost(http=summariser))
    actor.deliver(BaseUrlUpdate(base_url="http://models", models_available=()), from_scope="000000")
    state = ChatState(system=SystemPrompt(content="secret prompt"), tools=(), messages=history)
    actor.deliver(ChatStateUpdated(chat_state=state))
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": tokens}
    message = {"originating_request_id": "req_2"}
    actor.deliver(("wasmind.common.assistant.Response", {"message": message, "usage": usage}))
    return actor


def test_replaces_everything_before_the_last_answer():
    summariser = Summariser()
    actor = stage(summariser)
    assert [each.status for each in actor.sent(QueueStatusChange)] == [COMPACTING]
    (compacted,) = actor.sent(CompactedConversation)
    assert compacted.compacted_to == "req_2"
    (message,) = compacted.messages
    assert isinstance(message, UserMessage)
    for part in (
        "<original_task>\nfix the parser, keep the lexer\n</original_task>",
        "<current_state_summary>\n# State\n**Goal:** parser\n</current_state_summary>",
        "<files>\nsrc/parser.py\n</files>",
    ):
        assert part in message.content


def test_the_model_sees_a_transcript_without_prompt_and_long_results():
    summariser = Summariser()
    stage(summariser)
    (request,) = summariser.requests
    assert request.url == "http://models/v1/chat/completions"
    document = json.loads(request.body)
    assert document["model"] == "small"
    assert "tools" not in document
    system, user = document["messages"]
    assert system["role"] == "system"
    transcript = user["content"]
    assert transcript.startswith("<user>\nfix the parser")
    assert '<tool name="read_file">' in transcript
    assert "characters left out" in transcript
    assert "read_file" in transcript
    assert "secret prompt" not in transcript
    assert "pytest" not in transcript, "the last answer stays as it is"


def test_a_second_compaction_keeps_task_and_files():
    first = stage(Summariser()).sent(CompactedConversation)[0].messages[0]
    history = (
        first,
        *HISTORY[3:],
        ToolMessage(tool_call_id="id_execute_bash", name="execute_bash", content="failed"),
        reply(3, "", call("edit_file", path="src/lexer.py")),
        ToolMessage(tool_call_id="id_edit_file", name="edit_file", content="ok"),
        reply(4, "done"),
    )
    (compacted,) = stage(Summariser("second"), history).sent(CompactedConversation)
    content = compacted.messages[0].content
    assert compacted.compacted_to == "req_4"
    assert content.count("<original_task>") == 1
    assert "fix the parser, keep the lexer" in content
    assert "<files>\nsrc/parser.py\nsrc/lexer.py\n</files>" in content


@pytest.mark.parametrize(
    ("summariser", "reason"),
    [
        (Summariser(status=0), "no route"),
        (Summariser(status=500), "status 500"),
        (Summariser(answer=None), "no text"),
        (Summariser(answer="  "), "no text"),
    ],
)
def test_a_failure_releases_the_assistant(summariser, reason):
    actor = stage(summariser)
    assert [each.status for each in actor.sent(QueueStatusChange)] == [COMPACTING, IDLE]
    assert not actor.sent(CompactedConversation)
    assert any(reason in line for _, line in actor.host.lines)


@pytest.mark.parametrize(
    "given",
    [
        {"tokens": 99},
        {"history": ()},
        {"history": (UserMessage(content="x"),)},
        {"history": (reply(1, "x"),)},
    ],
)
def test_nothing_happens_when_there_is_nothing_to_compact(given):
    actor = stage(Summariser(), **given)
    assert not actor.sent(QueueStatusChange)
    assert not actor.sent(CompactedConversation)


def test_its_own_endpoint_wins():
    summariser = Summariser()
    stage(summariser, base_url="http://own/v1")
    assert summariser.requests[0].url == "http://own/v1/chat/completions"
