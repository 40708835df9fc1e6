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
        ("class A(Actor):\n def f(self): agents.spawn(['a', 'b'], 'x')", ["a", "b"]),
        ("class A(Actor):\n def f(self): agents.spawn(name='x', actors=('a',))", ["a"]),
        ("X = ['a']\nclass A(Actor):\n def f(self): agents.spawn(X, 'x')", ["a"]),
        ("X = ['a']\nX = []\nclass A(Actor):\n def f(self): agents.spawn(X, 'x')", None),
        ("class A(Actor):\n def f(self): agents.spawn(['a', self.b], 'x')", None),
        ("class A(Actor):\n def f(self): agents.spawn(*self.b)", None),
        ("class A(Actor):\n def f(self): map(agents.spawn, self.b)", None),
        ("class A(Actor):\n def f(self): getattr(agents, 'spawn')(['a'], '')", None),
        ("class A(Actor):\n def f(self): self.g(agents).spawn(['a'], '')", None),
    ],
)
def test_spawns(tmp_path, code, spawns):
    (tmp_path / "actor.py").write_text(f"from wasmind_actor import Actor, agents\n{code}\n")
    assert describe(tmp_path)["spawns"] == spawns


def test_lists_in_spawn_calls_have_a_place(tmp_path):
    (tmp_path / "actor.py").write_text(
        "from wasmind_actor.agents import spawn\n"
        "import wasmind_actor as w\n"
        "class A(w.Actor):\n"
        "    def f(self):\n"
        "        spawn(['a', 'b'], 'x')\n"
        "        w.agents.spawn(('c',), 'y')\n"
        "        spawn(self.config, 'z')\n"
    )
    contract = describe(tmp_path)
    assert contract["spawns"] is None
    assert contract["agents"] == [
        {"actors": ["a", "b"], "at": {"file": "actor.py", "span": [5, 15, 5, 25]}},
        {"actors": ["c"], "at": {"file": "actor.py", "span": [6, 24, 6, 30]}},
    ]


@pytest.mark.parametrize(
    ("code", "programs"),
    [
        ("", []),
        ("from wasmind_actor import command\ndef f(): command.run('ls')", ["ls"]),
        ("from wasmind_actor import command\ndef f(): command.run(program='ls')", ["ls"]),
        ("import wasmind_actor.command as c\ndef f(x): c.run('ls', *x); c.run('cp')", ["cp", "ls"]),
        ("import wasmind_actor\ndef f(): wasmind_actor.command.run('ls')", ["ls"]),
        ("from wasmind_actor.command import run as r\nP = 'ls'\ndef f(): r(P)", ["ls"]),
        ("from wasmind_actor.command import run\ndef f(p): run(p)", None),
        ("from wasmind_actor.command import run\ndef f(p): run(*p)", None),
        ("from wasmind_actor.command import run\ndef f(): g(run)", None),
        ("from wasmind_actor.command import *\ndef f(): run('ls')", None),
        ("from wasmind_actor import command\ndef f(): g(command)", None),
        ("from wasmind_actor.command import Command\ndef f(p): Command(program='ls')", None),
        ("from wasmind_actor.command import Exited", []),
    ],
)
def test_programs(tmp_path, code, programs):
    (tmp_path / "other.py").write_text(code)
    (tmp_path / "actor.py").write_text("from wasmind_actor import Actor\nclass A(Actor): ...\n")
    assert describe(tmp_path)["programs"] == programs


def test_names_that_modules_make_on_demand_may_fail(tmp_path):
    (tmp_path / "lazy.py").write_text(
        "def __getattr__(name):\n    raise RuntimeError(f'no {name} here')\n"
    )
    (tmp_path / "actor.py").write_text(
        "import lazy\n"
        "from wasmind_actor import Actor, messages\n"
        "class A(Actor):\n"
        "    def f(self):\n"
        "        from lazy import Pool\n"
        "        lazy.Thing(Pool, messages.Exit())\n"
    )
    contract = describe(tmp_path)
    assert contract["findings"] == []
    assert "wasmind.common.actors.Exit" in [each["type"] for each in contract["emits"]]
