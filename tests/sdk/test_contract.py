"""What a contract says is read off the code."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from wasmind_actor.testing import describe

NOTES = Path(__file__).parent / "actors" / "notes"


@pytest.fixture(scope="module")
def contract():
    return describe(NOTES)


def test_handles(contract):
    assert [(each["type"], each["scope"]) for each in contract["handles"]] == [
        ("notes.NoteTaken", "own"),
        ("wasmind.common.actors.AgentSpawned", "any"),
        ("wasmind.common.actors.Exit", "any"),
        ("wasmind.common.assistant.AddMessage", "any"),
        ("wasmind.common.tools.ExecuteToolCall", "own"),
    ]


def test_emits(contract):
    assert [each["type"] for each in contract["emits"]] == [
        "notes.NoteTaken",
        "wasmind.common.assistant.AddMessage",
        "wasmind.common.assistant.RequestStatusUpdate",
        "wasmind.common.assistant.SystemPromptContribution",
        "wasmind.common.tools.ToolCallStatusUpdate",
        "wasmind.common.tools.ToolsAvailable",
        "wasmind.common.ui.UserNotification",
    ]


def test_tools(contract):
    assert [(tool["name"], tool.get("when")) for tool in contract["tools"]] == [
        ("await_note", None),
        ("read", None),
        ("refuse", None),
        ("write", "writable"),
    ]
    assert contract["tools"][0]["parameters"] == {"type": "object", "properties": {}}
    assert contract["tools"][3]["description"] == "Writes a note."


def test_the_rest(contract):
    assert (contract["contract"], contract["name"]) == (1, "Notes")
    assert contract["summary"] == "Takes notes."
    assert contract["config"]["properties"]["title"] == {"type": "string", "default": "Notes"}
    # `host` is imported inside a function of another module.
    assert contract["capabilities"] == ["host-info", "logger", "messaging"]
    assert contract["spawns"] == []


def test_schemas_are_schemas(contract):
    for each in [*contract["handles"], *contract["emits"]]:
        jsonschema.Draft202012Validator.check_schema(each["schema"])


def test_equal_code_gives_equal_text(contract):
    assert json.dumps(describe(NOTES)) == json.dumps(contract)


@pytest.mark.parametrize(
    ("code", "capabilities"),
    [
        ("from wasmind_actor import http", ["http"]),
        ("from wasmind_actor.http import get", ["http"]),
        ("import wasmind_actor.command", ["command"]),
        ("import wasmind_actor as w\ndef f(): return w.files.read('x')", ["filesystem"]),
        ("import wasmind_actor as w\nfrom wasmind_actor import log", []),
        ("def f():\n    from wasmind_actor import agents", ["agent"]),
        # More names than the argument of one instruction can count.
        (
            "\n".join(f"name{number} = {number}" for number in range(300))
            + "\nfrom wasmind_actor import http",
            ["http"],
        ),
    ],
)
def test_capabilities_come_from_imports(tmp_path, code, capabilities):
    (tmp_path / "actor.py").write_text(
        f"from wasmind_actor import Actor\n{code}\nclass A(Actor): ...\n"
    )
    assert describe(tmp_path)["capabilities"] == sorted([*capabilities, "logger", "messaging"])


@pytest.mark.parametrize(
    ("code", "spawns"),
    [
        ("class A(Actor): ...", []),
        ("class A(Actor):\n def f(self): agents.parent()", []),
        ("class A(Actor):\n def f(self): agents.spawn(self.names, 'x')", None),
        (
            "class A(Actor):\n spawns = ('b', 'a')\n def f(self): agents.spawn(self.spawns, '')",
            ["a", "b"],
        ),
    ],
)
def test_spawns(tmp_path, code, spawns):
    (tmp_path / "actor.py").write_text(f"from wasmind_actor import Actor, agents\n{code}\n")
    assert describe(tmp_path)["spawns"] == spawns
