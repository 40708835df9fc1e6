"""A whole run against a provider of the user's own: a real server on loopback, strict and moody."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.actors.test_history import check_strictly
from wasmind import NoAnswer, System
from wasmind.runtime import messages
from wasmind.runtime.events import LogRecord
from wasmind.runtime.messages import Envelope

ROOT = Path(__file__).parents[1]
CONFIG = """
starting_actors = ["assistant", "bash", "compaction"]
[actors.assistant]
source = {{ path = "{root}/actors/assistant" }}
config = {{ model_name = "m", base_url = "{url}/v1/" }}
grants = {{ http = {{ private = true }}, messaging = true, logger = true, host-info = true }}
[actors.bash]
source = {{ path = "{root}/actors/execute_bash" }}
[actors.compaction]
source = {{ path = "compaction" }}
[models.m]
kind = "scripted"
script = "unused.toml"
"""

MANIFEST = 'actor_id = "wasmind:conversation_compaction"\n'
COMPACTION = '''
from wasmind_actor import Actor, on
from wasmind_actor.chat import UserMessage
from wasmind_actor.messages import CompactedConversation, QueueStatusChange, Response
from wasmind_actor.status import CompactingConversation, Wait


class Compaction(Actor):
    """Summarises as the actor of the reference does: when an answer has used too many tokens."""

    @on(Response)
    def answered(self, message: Response) -> None:
        """Replace everything before the answer."""
        if message.usage.total_tokens > 1_000_000:
            held = Wait(reason=CompactingConversation())
            self.broadcast(QueueStatusChange(agent=self.scope, status=held))
            summary = UserMessage(content="what was said before")
            boundary = message.message.originating_request_id
            self.broadcast(
                CompactedConversation(
                    agent=self.scope, messages=(summary,), compacted_to=boundary
                )
            )
'''


class Provider:
    """A server that answers as it was told and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.asked: list[dict[str, Any]] = []
        self.faults: list[str] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    assert self.path == "/v1/chat/completions"
                    check_strictly(body)
                except AssertionError as error:
                    provider.faults.append(str(error))
                provider.asked.append(json.loads(body))
                status, headers, content = provider.answers.pop(0)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Nothing is logged."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def will_say(self, document: Any, status: int = 200, **headers: str) -> None:
        content = document if isinstance(document, str) else json.dumps(document)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, named, content.encode()))

    def will_answer(self, finish: str = "stop", **message: Any) -> None:
        self.will_say({"choices": [{"message": {"role": "assistant", **message},
                                    "finish_reason": finish}]})  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Provider, Path]]:
    provider = Provider()
    folder = tmp_path_factory.mktemp("direct")
    (folder / "app.toml").write_text(CONFIG.format(root=ROOT, url=provider.url))
    (folder / "compaction").mkdir()
    (folder / "compaction" / "Wasmind.toml").write_text(MANIFEST)
    (folder / "compaction" / "actor.py").write_text(COMPACTION)
    (folder / "unused.toml").write_text('[[rules]]\nanswer.text = "x"\n')
    program = "from wasmind.cli import main; main()"
    command = [sys.executable, "-c", program, "bundle", "app.toml", "-o", "bundle"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    yield provider, folder / "bundle"
    provider.server.shutdown()
    provider.server.server_close()


@pytest.fixture
def talk(world: tuple[Provider, Path]) -> Iterator[tuple[Provider, System]]:
    provider, bundle = world
    provider.answers.clear()
    provider.asked.clear()
    provider.faults.clear()
    with System.open(bundle) as system:
        yield provider, system
    assert provider.faults == []


def observed(system: System, work: Callable[[], Any]) -> list[Any]:
    """All that happened meanwhile."""
    events = system.subscribe()
    work()
    system.unsubscribe(events)
    seen = []
    while (event := events.get(timeout=0)) is not None:
        seen.append(event)
    return seen


def test_a_tool_loop_with_content_null_and_words_beside_the_call(talk) -> None:
    provider, system = talk
    function = {"name": " Execute_Bash ", "arguments": '{"command": "echo\nhi"}'}
    call = {"id": "c1", "type": "function", "function": function}
    provider.will_answer("tool_calls", content=None, tool_calls=[call], reasoning_content="hm")
    deep = {**call, "function": {**function, "arguments": '{"command": ' + "[" * 100_000}}
    provider.will_answer("tool_calls", content="let me look", tool_calls=[deep])
    provider.will_answer(content="done")
    seen = observed(system, lambda: system.ask("go"))
    responses = [
        event.json()["message"]
        for event in seen
        if isinstance(event, Envelope) and event.message_type == messages.RESPONSE
    ]
    assert [each.get("content") for each in responses] == [None, "let me look", "done"]
    first = provider.asked[1]["messages"][2]
    assert first["content"] is None
    assert first["reasoning_content"] == "hm"
    assert "hi" in provider.asked[1]["messages"][3]["content"]
    assert "levels deep" in provider.asked[2]["messages"][5]["content"]


def test_a_pause_is_made_and_shown(talk) -> None:
    provider, system = talk
    provider.will_say({"error": {"message": "overloaded"}}, 529, Retry_After="1.5")
    provider.will_answer(content="at last")
    seen = observed(system, lambda: system.ask("go"))
    warnings = [each.text for each in seen if isinstance(each, LogRecord) and each.level == "warn"]
    assert len(warnings) == 1
    assert "answered with status 529: overloaded" in warnings[0]
    assert len(provider.asked) == 2


def test_numbers_that_do_not_exist_and_a_dead_conversation_that_lives(talk) -> None:
    provider, system = talk
    odd = '"x": NaN, "y": ' + "[" * 50 + "1e999" + "]" * 50
    provider.will_say('{"choices": [{"message": {"content": "one", ' + odd + "}}]}")
    assert system.ask("go") == "one"
    provider.will_say({"error": {"message": "quota", "code": "insufficient_quota"}}, 429)
    with pytest.raises(NoAnswer, match="status 429: quota"):
        system.ask("and")
    provider.will_say("[" * 100_000)
    with pytest.raises(NoAnswer, match="no JSON"):
        system.ask("and")
    pieces = [{"choices": [{"delta": {"content": piece}}]} for piece in ("tw", "o")]
    provider.will_say("".join(f"data: {json.dumps(each)}\n\n" for each in pieces))
    assert system.ask("now?") == "two"
    assert [each["role"] for each in provider.asked[-1]["messages"]] == [
        "system", "user", "assistant", "user",
    ]  # fmt: skip


def test_a_context_that_is_too_long_is_compacted_and_the_message_answered(talk) -> None:
    provider, system = talk
    provider.will_answer(content="first")
    assert system.ask("one") == "first"
    refusal = {"message": "maximum context length is 8 tokens", "code": "context_length_exceeded"}
    provider.will_say({"error": refusal}, 400)
    provider.will_answer(content="second")
    assert system.ask("two") == "second"
    sent = [each["content"] for each in provider.asked[-1]["messages"][1:]]
    assert sent == ["what was said before", "first", "two"]
    assert system.summary().actors["assistant"].tokens < 1_000_000
    provider.will_say({"error": refusal}, 400)
    provider.will_say({"error": refusal}, 400)
    with pytest.raises(NoAnswer, match="start a new conversation"):
        system.ask("three")


def test_a_pause_does_not_hold_up_the_end(world) -> None:
    provider, bundle = world
    provider.answers.clear()
    with System.open(bundle) as system:
        provider.will_say({"error": {"message": "busy"}}, 503, Retry_After="50")
        events = system.subscribe()
        system.tell("go")
        while not (isinstance(event := events.get(60), LogRecord) and "asking again" in event.text):
            assert event is not None
        assert system.stop(30), "a pause was interrupted, not waited for"
    assert len(provider.asked) >= 1
