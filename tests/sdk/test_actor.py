"""An actor's life: construction, tools, handlers, failures, end."""

from __future__ import annotations

from pathlib import Path

import pytest

from wasmind_actor import ConfigError, Err, Ok
from wasmind_actor.chat import SystemMessage, UserMessage
from wasmind_actor.faults import named
from wasmind_actor.log import Level
from wasmind_actor.messages import (
    AddMessage,
    AgentSpawned,
    Exit,
    Received,
    RequestStatusUpdate,
    SystemPromptContribution,
    ToolCallStatusUpdate,
    ToolsAvailable,
    UserNotification,
)
from wasmind_actor.modules import EntryError
from wasmind_actor.testing import Stage, load

NOTES = Path(__file__).parent / "actors" / "notes"


@pytest.fixture
def notes() -> Stage:
    return Stage(load(NOTES), config={"title": "Book"})


def test_announces_itself_in_order(notes):
    assert [
        (sent.message_type.rpartition(".")[2], sent.json.get("key")) for sent in notes.take()
    ] == [
        ("SystemPromptContribution", "read:usage_guide"),
        ("SystemPromptContribution", "notes:write"),
        ("ToolsAvailable", None),
        ("SystemPromptContribution", "notes:last"),
    ]


def test_what_the_configuration_turns_off_is_not_offered():
    notes = Stage(load(NOTES), config={"writable": False})
    (offer,) = notes.sent(ToolsAvailable)
    assert [tool.function.name for tool in offer.tools] == ["read", "await_note", "refuse"]
    keys = [each.key for each in notes.sent(SystemPromptContribution)]
    assert keys == ["read:usage_guide", "notes:last"]
    assert notes.outcome(notes.start_call("write", text="x")) is None


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ('titel = "x"', "titel: unknown key"),
        ("title = 1", "title: expected a string, found an integer"),
        ("title =", "Invalid value"),
    ],
)
def test_a_wrong_configuration_is_refused(config, reason):
    with pytest.raises(ConfigError, match=f"the configuration of Notes is wrong: .*{reason}"):
        Stage(load(NOTES), config=config)


def test_state_lives_between_calls(notes):
    assert notes.call("write", text="one").content == "Book: 1"
    assert notes.call("write", text="two", times=2).content == "Book: 3"
    result = notes.call("read")
    assert result.content == "one\ntwo\ntwo"
    assert result.ui_display_info.collapsed == "one"
    assert result.ui_display_info.expanded == "one\ntwo\ntwo"


def test_an_actor_hears_itself(notes):
    notes.call("write", text="one")
    assert notes.actor.seen == ["noted"]


def test_errors_of_a_tool_are_answers(notes):
    error = notes.call_error("refuse")
    assert error.content == "No."
    assert error.ui_display_info.collapsed == "refused"
    assert error.ui_display_info.expanded == "at length"


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (KeyError("x"), "KeyError: 'x'"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (MemoryError(), "MemoryError: no memory is left (limit `memory_mib`)"),
    ],
)
def test_an_exception_in_one_line(error, shown):
    assert named(error) == shown


def test_a_tool_that_raises_is_answered_logged_and_survived(notes):
    error = notes.call_error("read", number=3)
    assert error.content == "`read` failed unexpectedly: IndexError: list index out of range"
    (line,) = notes.host.lines
    assert line[0] is Level.ERROR
    assert "tool `read` failed\nTraceback" in line[1]
    assert f'File "{NOTES}/actor.py", line' in line[1]
    assert "wasmind_actor" not in line[1]  # the library's own frames are of no interest
    assert notes.call("write", text="x").content == "Book: 1"


def test_a_deferred_answer_comes_later_and_once(notes):
    call = notes.start_call("await_note")
    (progress,) = notes.sent(ToolCallStatusUpdate)
    assert isinstance(progress.status, Received)
    assert progress.status.display_info.collapsed == "waiting"
    assert notes.sent(RequestStatusUpdate)[0].originating_request_id == "req_000001"
    for text in ("first", "second"):
        notes.deliver(AddMessage(agent="000000", message=UserMessage(content=text)))
    outcome = notes.outcome(call)
    assert isinstance(outcome, Ok)
    assert outcome.value.content == "first"
    assert notes.host.lines[0][1].startswith("tool call `call_1` was answered twice")


def test_open_calls_are_answered_when_the_actor_stops(notes):
    call = notes.start_call("await_note")
    notes.stop()
    outcome = notes.outcome(call)
    assert isinstance(outcome, Err)
    assert outcome.value.content == "the actor stopped before it could answer"
    assert ("notes.NoteTaken", {"text": "closed"}) in [
        (sent.message_type, sent.json) for sent in notes.take()
    ]


@pytest.mark.parametrize(
    ("agent", "sender", "heard"),
    [("000000", "000000", True), ("000000", "abcdef", True), ("abcdef", "000000", False)],
)
def test_messages_with_an_agent_are_heard_by_that_agent(notes, agent, sender, heard):
    message = AddMessage(agent=agent, message=SystemMessage(content="x"))
    notes.deliver(message, from_scope=sender)
    assert notes.actor.seen == ([f"{sender}: x"] if heard else [])


def test_other_messages_are_heard_from_the_own_agent_only(notes):
    notes.deliver(("notes.NoteTaken", {"text": "x"}), from_scope="abcdef")
    assert notes.actor.seen == []
    notes.deliver(("notes.NoteTaken", {"text": "x"}))
    assert notes.actor.seen == ["noted"]


def test_messages_that_cannot_be_read_are_ignored(notes):
    notes.take()
    notes.deliver((AddMessage.message_type, {"agent": "000000", "message": "x"}))
    assert (notes.take(), notes.host.lines) == ([], [])


def test_a_handler_that_raises_is_reported_and_survived(notes):
    notes.deliver(Exit(), from_scope="abcdef")
    (note,) = notes.sent(UserNotification)
    assert (note.level, note.source) == ("Error", "Notes")
    assert note.message == "KeyError: 'abcdef'"
    assert "in gone\nKeyError: 'abcdef'" in notes.host.lines[0][1]
    notes.deliver(AgentSpawned(agent_id="abcdef", name="x", actors=()))
    assert notes.sent(AddMessage)[0].agent == "abcdef"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"main.py": ""}, "there is no module `actor`"),
        ({"actor.py": ""}, "exactly one subclass of `Actor`, found: none"),
        (
            {"actor.py": "import wasmind_actor as w\nclass A(w.Actor): ...\nclass B(w.Actor): ..."},
            "found: `A`, `B`",
        ),
        (
            {
                "actor.py": "from base import A",
                "base.py": "from wasmind_actor import Actor\nclass A(Actor): ...",
            },
            "found: none",
        ),
    ],
)
def test_an_actor_is_one_class_in_module_actor(tmp_path, files, reason):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(EntryError, match=reason):
        load(tmp_path)


def test_modules_of_the_actor_hide_others_of_the_same_name(tmp_path):
    (tmp_path / "actor.py").write_text(
        "import calendar\nfrom pkg import part\nfrom wasmind_actor import Actor\n"
        "class Mine(Actor):\n    '''' '''\n    origin = calendar.ORIGIN + part.ORIGIN\n"
    )
    (tmp_path / "calendar.py").write_text("ORIGIN = 'mine'")
    (tmp_path / "pkg").mkdir()  # without `__init__.py`
    (tmp_path / "pkg" / "part.py").write_text("ORIGIN = ' too'")
    assert load(tmp_path).origin == "mine too"


def test_a_result_that_cannot_be_sent_is_answered_with_an_error(notes):
    notes.host.payload_mib = 1
    notes.call("write", text="x" * 400_000, times=3)
    failed = notes.call_error("read")
    assert "the answer could not be sent: a message of" in failed.content
