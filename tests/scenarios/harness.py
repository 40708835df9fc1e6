"""Whole systems with a scripted model, run as a user would, and everything they say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wasmind import System
from wasmind.runtime.events import Event, Failure, Subscription
from wasmind.runtime.messages import Envelope

#: Long enough for any machine; only a test that hangs waits for it.
PATIENCE = 60.0

Rule = dict[str, Any]


def says(text: str, **when: Any) -> Rule:
    """The model answers with text."""
    return {"when": when, "answer": {"text": text}}


def calls(tool: str, arguments: Mapping[str, Any] | None = None, /, **when: Any) -> Rule:
    """The model calls a tool."""
    call = {"name": tool, "arguments": dict(arguments or {})}
    return {"when": when, "answer": {"tool_calls": [call]}}


def once(rule: Rule) -> Rule:
    """A rule that answers a single request."""
    return {**rule, "times": 1}


@dataclass
class Run:
    """A running system.

    Attributes:
        seen: every event so far, in order.
        names: scope to name of every agent.
        parents: scope to parent of every agent.
    """

    system: System
    events: Subscription
    seen: list[Event] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=lambda: {"000000": "Root Agent"})
    parents: dict[str, str | None] = field(default_factory=dict)
    _worked: bool = False

    def say(self, text: str, scope: str = "000000") -> None:
        """A message of the user."""
        self._worked = False
        self.system.tell(text, scope)

    def until(self, matches: Callable[[Envelope], object]) -> Envelope:
        """The next message that matches; AssertionError with everything said if none comes."""
        while (event := self.events.get(timeout=PATIENCE)) is not None:
            self._note(event)
            if isinstance(event, Envelope) and matches(event):
                return event
        raise AssertionError(f"no such message within {PATIENCE:.0f} s\n\n{self.transcript()}")

    def until_answer(self, text: str) -> None:
        """Wait until the root agent's model has answered with a text that contains this."""
        self.until(
            lambda each: (
                each.from_scope == "000000"
                and kind(each) == "Response"
                and text in (payload(each)["message"].get("content") or "")
            )
        )

    def until_ended(self, agent: str) -> None:
        """Wait until the agent of a name has ended, if it has not; it ends once."""
        scope = self.scope_of(agent)
        if not self.messages("Exit", agent):
            self.until(lambda each: kind(each) == "Exit" and each.from_scope == scope)
        assert len(self.messages("Exit", agent)) == 1

    def until_rest(self) -> None:
        """Wait until the root agent has worked on what was said last, and rests."""
        self.until(
            lambda each: self._worked and each.from_scope == "000000" and status(each) == "Idle"
        )

    def messages(self, name: str, agent: str | None = None) -> list[Envelope]:
        """All messages so far of a kind, from the agents of a name if one is given."""
        return [
            each
            for each in self.seen
            if isinstance(each, Envelope)
            and kind(each) == name
            and (agent is None or self.names.get(each.from_scope) == agent)
        ]

    def scope_of(self, name: str) -> str:
        """The agent of a name."""
        return next(scope for scope, each in self.names.items() if each == name)

    def requests(self, agent: str) -> list[dict[str, Any]]:
        """What the model of the agents of a name was asked, oldest first."""
        return [payload(each)["chat_state"] for each in self.messages("Request", agent)]

    def results(self, agent: str = "Root Agent") -> list[dict[str, Any]]:
        """The results of tool calls of an agent, oldest first, as `Ok` or `Err`."""
        statuses = [
            payload(each)["status"] for each in self.messages("ToolCallStatusUpdate", agent)
        ]
        return [each["Done"]["result"] for each in statuses if "Done" in each]

    def transcript(self) -> str:
        """Everything said so far, a line each."""
        return "\n".join(_line(self.names, event) for event in self.seen)

    def _note(self, event: Event) -> None:
        self.seen.append(event)
        if isinstance(event, Envelope) and event.from_scope == "000000":
            self._worked = self._worked or status(event) == "Processing"
        if isinstance(event, Envelope) and event.message_type.endswith(
            "common.actors.AgentSpawned"
        ):
            told = payload(event)
            self.names[told["agent_id"]] = told["name"]
            self.parents[told["agent_id"]] = told["parent_agent"]


def kind(envelope: Envelope) -> str:
    """The last word of a message's type."""
    return envelope.message_type.rpartition(".")[2]


def payload(envelope: Envelope) -> Any:
    """A message's payload."""
    return envelope.json()


def status(envelope: Envelope) -> str:
    """The name of the status an assistant has taken; empty for any other message."""
    if kind(envelope) != "StatusUpdate":
        return ""
    told = payload(envelope)["status"]
    if "Wait" not in told:
        return next(iter(told))
    reason = told["Wait"]["reason"]
    if isinstance(reason, str):
        return reason
    name = next(iter(reason))
    idle = {"required_scope": None, "interruptible_by_user": True}
    return "Idle" if name == "WaitingForSystemInput" and reason[name] == idle else name


def called(envelope: Envelope) -> str:
    """The name of the tool that is to be run; empty for any other message."""
    if kind(envelope) != "ExecuteToolCall":
        return ""
    name: str = payload(envelope)["tool_call"]["function"]["name"]
    return name


def _line(names: Mapping[str, str], event: Event) -> str:
    if isinstance(event, Envelope):
        name = names.get(event.from_scope, event.from_scope)
        return f"{name} / {event.sender}: {kind(event)} {json.dumps(event.json())[:300]}"
    if isinstance(event, Failure):
        return f"FAILED {event.actor}: {event.reason} {event.traceback}"
    return str(event)


def toml(value: Any) -> str:
    """A value in TOML, inline."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value)


def write_config(folder: Path, config: str, rules: list[Rule]) -> Path:
    """A config whose model `main` answers by rules, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    script = "".join(f"[[rules]]\n{_rule(rule)}\n" for rule in rules)
    (folder / "model.toml").write_text(script)
    path = folder / "app.toml"
    path.write_text(f'{config}\n[models.main]\nkind = "scripted"\nscript = "model.toml"\n')
    return path


def _rule(rule: Rule) -> str:
    return "".join(f"{name} = {toml(value)}\n" for name, value in rule.items())


@contextmanager
def running(config: Path, bundle: Path) -> Iterator[Run]:
    """Link a config and start it."""
    done = subprocess.run(
        [sys.executable, "-m", "wasmind", "bundle", str(config), "-o", str(bundle)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    system = System.open(bundle)
    run = Run(system, system.subscribe())
    with system:
        yield run
