"""A model that always calls a tool does not do so for ever, and the user can let it go on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wasmind import NoAnswer, System
from wasmind.plan import ROOT_SCOPE
from wasmind.runtime import messages
from wasmind.runtime.messages import Envelope
from wasmind.runtime.turns import Turns

ROOT = Path(__file__).parents[1]
CONFIG = f"""
starting_actors = ["assistant", "bash"]
[actors.assistant]
source = {{ path = "{ROOT}/actors/assistant" }}
config.model_name = "tireless"
[actors.bash]
source = {{ path = "{ROOT}/actors/execute_bash" }}
[models.tireless]
kind = "scripted"
script = "tireless.toml"
[run.limits]
turns = 4
"""
TIRELESS = """
[[rules]]
when = { contains = "enough" }
answer.text = "as you like"
[[rules]]
answer.tool_calls = [{ name = "execute_bash", arguments = { command = "echo again" } }]
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("turns")
    (folder / "app.toml").write_text(CONFIG)
    (folder / "tireless.toml").write_text(TIRELESS)
    program = "from wasmind.cli import main; main()"
    command = [sys.executable, "-c", program, "bundle", "app.toml", "-o", "bundle"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "bundle"


def test_an_agent_has_so_many_turns_for_each_message(bundle: Path) -> None:
    with System.open(bundle) as system:
        for _ in range(2):
            events = system.subscribe()
            with pytest.raises(NoAnswer, match=r"had 4 turns for one message \(limit `turns`\)"):
                system.ask("go on for ever")
            system.unsubscribe(events)
            seen = [event for event in drained(events) if isinstance(event, Envelope)]
            kinds = [event.message_type for event in seen]
            assert kinds.count(messages.REQUEST) == 4
            assert kinds.count(messages.EXECUTE_TOOL_CALL) == 3
            notes = [
                event.json()["message"]
                for event in seen
                if event.message_type == messages.USER_NOTIFICATION
            ]
            assert len(notes) == 1
        assert system.ask("that is enough") == "as you like"


def drained(events):
    while (event := events.get(timeout=0)) is not None:
        yield event


def envelope(kind: str, scope: str, payload: bytes, sender: str | None = None) -> Envelope:
    return Envelope(1, "root:x", kind, "x", scope, payload, sender)


def test_only_the_users_word_starts_the_count_anew() -> None:
    turns = Turns(2)
    asked = envelope(messages.REQUEST, "abcdef", b"{}", "assistant")
    said = messages.encode({"agent": ROOT_SCOPE, "message": {"role": "user", "content": "x"}})
    turns.note(asked)
    assert not turns.used_up("abcdef")
    turns.note(asked)
    assert turns.used_up("abcdef")
    assert not turns.used_up(ROOT_SCOPE)
    turns.note(envelope(messages.ADD_MESSAGE, "abcdef", said, "assistant"))
    turns.note(
        envelope(messages.ADD_MESSAGE, ROOT_SCOPE, messages.system_message("abcdef", "go on"))
    )
    assert turns.used_up("abcdef")
    turns.note(envelope(messages.ADD_MESSAGE, ROOT_SCOPE, said))
    assert not turns.used_up("abcdef")
