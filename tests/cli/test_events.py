"""How events are shown to people: each failure once, by whoever says it best."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wasmind.cli.events import TextView
from wasmind.cli.json_events import JsonView, document
from wasmind.cli.logs import LogLevels
from wasmind.cli.patience import Patience
from wasmind.runtime import messages
from wasmind.runtime.events import Failure, HttpRetry, LogRecord, Waiting
from wasmind.runtime.messages import Envelope

ROOT = "000000"
REASON = "the model's endpoint answered with status 401: bad key"


def said(message_type: str, payload: Any, scope: str = ROOT, sender: str = "desk") -> Envelope:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Envelope(1, "a:b", message_type, "test:desk", scope, data, sender)


def notice(text: str, scope: str = ROOT) -> Envelope:
    payload = {"title": "LLM Request Failed", "message": text, "level": "Error", "source": "A"}
    return said(messages.USER_NOTIFICATION, payload, scope)


def logged(text: str, level: str = "error", scope: str = ROOT) -> LogRecord:
    return LogRecord(level=level, actor="desk", scope=scope, text=text)


def failure(reason: str) -> Failure:
    return Failure(
        actor="desk", scope=ROOT, reason=reason, traceback="File x", outcome="its agent was ended"
    )


@pytest.fixture
def view() -> TextView:
    return TextView(LogLevels("warn"))


def test_what_ends_a_run_is_told_once(view: TextView, capsys: pytest.CaptureFixture[str]) -> None:
    view.show(logged(f"LLM Request Failed: {REASON}"))
    view.show(notice(REASON))
    view.fail(REASON)
    view.ended(REASON)
    assert capsys.readouterr().err == f"error: {REASON}\n"


def test_a_failure_that_goes_on_is_told_once_and_in_full(
    view: TextView, capsys: pytest.CaptureFixture[str]
) -> None:
    view.show(logged(f"LLM Request Failed: {REASON}"))
    view.show(notice(REASON))
    view.show(logged("later", "warn"))
    view.ended(None)
    lines = [line.strip() for line in capsys.readouterr().err.splitlines()]
    assert lines == [f"desk  error: LLM Request Failed: {REASON}", "desk  warn: later"]


def test_two_failures_are_two(view: TextView, capsys: pytest.CaptureFixture[str]) -> None:
    view.show(notice("one"))
    view.show(notice("two"))
    view.fail("three")
    lines = [line.split()[-1] for line in capsys.readouterr().err.splitlines()]
    assert lines == ["one", "two", "three"]


def refused(content: str) -> Envelope:
    """A tool call that was answered with an error."""
    done = {"Done": {"result": {"Err": {"content": content}}}}
    return said(messages.TOOL_CALL_STATUS, {"status": done, "id": "1"})


def test_what_ends_a_run_is_told_once_although_calls_were_refused_because_of_it(
    view: TextView, capsys: pytest.CaptureFixture[str]
) -> None:
    view.show(notice("the agent had 5 turns and was stopped"))
    view.show(refused("the call was not made"))
    view.fail("the agent had 5 turns and was stopped")
    assert [line.strip() for line in capsys.readouterr().err.splitlines()] == [
        "desk  the call was not made",
        "error: the agent had 5 turns and was stopped",
    ]


def test_an_error_that_is_logged_and_answered_is_told_once_and_two_answers_are_two(
    view: TextView, capsys: pytest.CaptureFixture[str]
) -> None:
    view.show(logged("too large"))
    view.show(refused("the answer could not be sent: too large"))
    view.show(refused("the answer could not be sent: too large"))
    view.answer("sorry")
    lines = [line.strip() for line in capsys.readouterr().err.splitlines()]
    assert lines == ["desk  the answer could not be sent: too large"] * 2


def test_the_traceback_of_what_ends_a_run_is_kept(
    view: TextView, capsys: pytest.CaptureFixture[str]
) -> None:
    view.show(failure("KeyError: 'x'"))
    view.fail("actor `desk` failed: KeyError: 'x'")
    assert [line.strip() for line in capsys.readouterr().err.splitlines()] == [
        "desk  File x",
        "error: actor `desk` failed: KeyError: 'x'",
    ]


def test_what_an_actor_says_because_it_is_ended_is_left_out(
    view: TextView, capsys: pytest.CaptureFixture[str]
) -> None:
    """Requests that were cut off fail, which is no news beside the reason they were."""
    view.show(failure("trapped"))
    view.show(said(messages.EXIT, None, scope="worker"))
    view.show(notice("could not reach the model: the actor is ending", scope="worker"))
    view.show(logged("could not reach the model", scope="worker"))
    view.fail("actor `desk` failed: trapped")
    assert "could not reach" not in capsys.readouterr().err


def test_words_beside_tool_calls_and_progress_are_shown(
    view: TextView, capsys: pytest.CaptureFixture[str]
) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    view.show(said(messages.RESPONSE, {"message": {"content": "I look.", "tool_calls": [call]}}))
    view.show(said(messages.RESPONSE, {"message": {"content": "The answer."}}))
    display = {"display_info": {"collapsed": "3 of 7 files", "expanded": None}}
    view.show(said(messages.TOOL_CALL_STATUS, {"status": {"Received": display}, "id": "1"}))
    assert [line.strip() for line in capsys.readouterr().err.splitlines()] == [
        "desk  I look.",
        "desk  ... 3 of 7 files",
    ]


def test_a_retry_says_whom_why_and_when(view: TextView, capsys: pytest.CaptureFixture[str]) -> None:
    retry = HttpRetry(
        actor="desk",
        scope=ROOT,
        target="127.0.0.1:8080",
        attempt=2,
        attempts=7,
        reason="status 503",
        wait_seconds=4.04,
    )
    view.show(retry)
    line = "127.0.0.1:8080: status 503; attempt 2 of 7, the next in 4.0 s"
    assert capsys.readouterr().err.strip() == f"desk  {line}"


def test_patience_speaks_ever_more_seldom() -> None:
    patience = Patience()

    def at(seconds: float, what: str = "running bash") -> int:
        wait = Waiting(actor="desk", scope=ROOT, what=what, seconds=seconds)
        return len(patience.due([wait]))

    heard = [seconds for seconds in range(200) if at(float(seconds))]
    assert heard == [2, 10, 30, 60, 120, 180]
    assert at(2.5) == 1  # a new wait that looks like the old one


def test_many_waits_are_one_line(view: TextView, capsys: pytest.CaptureFixture[str]) -> None:
    view.glance(
        [Waiting(actor=f"w{n}", scope=ROOT, what="running bash", seconds=2.0) for n in range(9)]
    )
    assert capsys.readouterr().err == (
        "running bash (2 s), running bash (2 s), running bash (2 s), 6 more\n"
    )


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (b'{"a": NaN}', '{"a": NaN}'),
        (b"[1e999]", "[1e999]"),
        (b'"\\ud83d"', "\ud83d"),
        (b'"\xc2\x9b"', "\x9b"),
        (b"\xff", "\ufffd"),
        (b"null", None),
        (b"[" * 990 + b"]" * 990, None),
    ],
)
def test_every_payload_is_json(
    payload: bytes, shown: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    JsonView().show(said("test.Any", payload))
    line = capsys.readouterr().out
    decoded = json.loads(line, parse_constant=pytest.fail)
    if len(payload) < 100:
        assert decoded["payload"] == shown
    assert not {"\x9b", "\ud83d"} & set(line)


def test_a_payload_that_is_left_out_can_be_compared() -> None:
    event = said(messages.REQUEST, {"chat_state": {}})
    assert "payload" not in document(event, payloads=False)
    assert document(event, payloads=False)["left_out"]["bytes"] == len(event.payload)
    assert document(event, payloads=True)["payload"] == {"chat_state": {}}
