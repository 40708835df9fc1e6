"""A conversation with the assistant: its model is scripted, other actors are played by the test."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wasmind_actor import Actor, Err, Message, Ok
from wasmind_actor.chat import (
    AssistantReply,
    Display,
    FunctionDefinition,
    SystemMessage,
    Tool,
    ToolCallResult,
    UserMessage,
)
from wasmind_actor.http import Request, Response
from wasmind_actor.messages import (
    AddMessage,
    AllActorsReady,
    BaseUrlUpdate,
    CallDone,
    ChatStateUpdated,
    CompactedConversation,
    ExecuteToolCall,
    QueueStatusChange,
    RequestStatusUpdate,
    StatusUpdate,
    ToolCallStatusUpdate,
    ToolsAvailable,
)
from wasmind_actor.status import (
    IDLE,
    CompactingConversation,
    Done,
    Status,
    TaskResponse,
    Wait,
    WaitingForAgentCoordination,
    WaitingForSystemInput,
    WaitingForUserInput,
)
from wasmind_actor.testing import FakeHost, Stage, load

FOLDER = Path(__file__).parents[2] / "actors" / "assistant"
USER = Wait(reason=WaitingForUserInput())
COMPACTING = Wait(reason=CompactingConversation())
FOR_OTHER = Wait(reason=WaitingForSystemInput(required_scope="abcdef", interruptible_by_user=False))
DONE = Done(result=Ok(TaskResponse(summary="all good", success=True)))
OWN, OTHER = "000000", "abcdef"


def text(content: str | None, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


def calls(*names: str, ids: tuple[str, ...] = ()) -> dict[str, Any]:
    return text(
        None,
        tool_calls=[
            {"id": call, "type": "function", "function": {"name": name, "arguments": "{}"}}
            for call, name in zip(ids or [f"c_{name}" for name in names], names, strict=True)
        ],
    )


class Talk:
    """A conversation: what the model answers is scripted, what it was asked is kept."""

    def __init__(self, *answers: Any, endpoint: bool = True, **config: Any) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []
        self.during: Callable[[], None] | None = None
        settings = {"model_name": "m", **config}
        self.stage = Stage(self.actor(), config=settings, host=FakeHost(http=self.answer))
        if endpoint:
            self.tell(BaseUrlUpdate(base_url="http://model", models_available=("m",)))
            self.tell(AllActorsReady())

    @staticmethod
    def actor() -> type[Actor[Any]]:
        """The assistant; loaded anew only if another actor was loaded in between."""
        loaded = getattr(sys.modules.get("actor"), "Assistant", None)
        return loaded or load(FOLDER)

    def answer(self, request: Request) -> Response:
        assert request.url == "http://model/v1/chat/completions"
        self.asked.append(json.loads(request.body or b""))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Response):
            return answer
        usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
        document = {"id": "1", "choices": [{"index": 0, "message": answer}], "usage": usage}
        return Response(status=200, body=json.dumps(document).encode())

    def tell(self, message: Message, from_scope: str = OWN) -> None:
        self.stage.deliver(message, from_scope=from_scope)

    def say(self, content: str) -> None:
        self.tell(AddMessage(agent=OWN, message=UserMessage(content=content)))

    def hear(self, content: str, source: str = OTHER) -> None:
        self.tell(AddMessage(agent=OWN, message=SystemMessage(content=content)), source)

    def queue(self, status: Status) -> None:
        self.tell(QueueStatusChange(agent=OWN, status=status))

    def offer(self, *names: str, provider: str = "tools") -> None:
        tools = tuple(
            Tool(function=FunctionDefinition(name=name, description=provider, parameters={}))
            for name in names
        )
        self.stage.deliver(ToolsAvailable(tools=tools), sender=provider)

    def finish(self, name: str, content: str = "", *, ok: bool = True, scope: str = OWN) -> None:
        result = ToolCallResult(
            content=content or f"result of {name}", ui_display_info=Display(collapsed="")
        )
        update = ToolCallStatusUpdate(
            status=CallDone(result=Ok(result) if ok else Err(result)),
            id=f"c_{name}",
            originating_request_id=self.request_id,
        )
        self.tell(update, scope)

    def finish_all(self) -> None:
        """Let every tool answer whose call has no answer yet."""
        answered = {
            (update.originating_request_id, update.id)
            for update in self.stage.sent(ToolCallStatusUpdate)
        }
        for each in self.stage.sent(ExecuteToolCall):
            key = (each.originating_request_id, each.tool_call.id)
            if key not in answered:
                result = ToolCallResult(content="result", ui_display_info=Display(collapsed=""))
                self.tell(
                    ToolCallStatusUpdate(
                        status=CallDone(result=Ok(result)), id=key[1], originating_request_id=key[0]
                    )
                )

    def request(self, status: Status, agent: str = OWN, request_id: str = "") -> None:
        message = RequestStatusUpdate(
            agent=agent, status=status, originating_request_id=request_id or self.request_id
        )
        self.tell(message)

    def compact(self, to: str = "") -> None:
        summary = UserMessage(content="summary")
        message = CompactedConversation(
            agent=OWN, messages=(summary,), compacted_to=to or self.request_id
        )
        self.tell(message)

    @property
    def request_id(self) -> str:
        replies = [each for each in self.history if isinstance(each, AssistantReply)]
        return replies[-1].originating_request_id

    @property
    def history(self) -> tuple[Any, ...]:
        return self.stage.sent(ChatStateUpdated)[-1].chat_state.messages

    @property
    def transcript(self) -> list[str]:
        """What the model was last asked, without the system prompt: role and text."""
        return [f"{each['role']}: {each.get('content')}" for each in self.asked[-1]["messages"][1:]]

    @property
    def statuses(self) -> list[str]:
        """The kinds of status announced, in order."""
        return [_kind(update.status) for update in self.stage.sent(StatusUpdate)]

    @property
    def status(self) -> Status:
        return self.stage.sent(StatusUpdate)[-1].status

    @property
    def kinds(self) -> list[str]:
        """The types of all messages since the last look."""
        return [sent.message_type.rpartition(".")[2] for sent in self.stage.take()]


def _kind(status: Status) -> str:
    if status == IDLE:
        return "IDLE"
    return type(status.reason if isinstance(status, Wait) else status).__name__


def coordination(target: str | None = None, *, user: bool = True) -> Wait:
    return Wait(
        reason=WaitingForAgentCoordination(
            originating_request_id="r",
            coordinating_tool_name="wait",
            target_agent_scope=target,
            user_can_interrupt=user,
        )
    )


def with_calls(*names: str, answers: tuple[Any, ...] = (), **config: Any) -> Talk:
    """A conversation in which the tools of these names are at work."""
    talk = Talk(calls(*names), *answers, **config)
    talk.offer(*names)
    talk.say("go")
    return talk
