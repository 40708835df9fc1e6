"""How a run is shown to people: as lines on stderr, and its answers on stdout."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from wasmind.cli import terminal
from wasmind.cli.growing import Growing
from wasmind.cli.logs import LogLevels
from wasmind.cli.patience import MARK_SECONDS, Patience
from wasmind.cli.sizes import human
from wasmind.plan import ROOT_SCOPE
from wasmind.records import Record
from wasmind.runtime import messages
from wasmind.runtime.events import (
    Event,
    Failure,
    HttpRetry,
    LeftOut,
    LogRecord,
    ModelCall,
    ModelDelta,
    ModelRetry,
    Waiting,
)
from wasmind.runtime.messages import Envelope
from wasmind.runtime.metrics import ActorUsage, ModelUsage, Summary
from wasmind.visible import visible, visible_line

_LONGEST_LINE: Final = 400
_MOST_LINES: Final = 20
_MOST_WAITS: Final = 3
_STYLES: Final = {"label": "\x1b[36m", "error": "\x1b[31m", "warn": "\x1b[33m", "dim": "\x1b[2m"}


class EventView(Protocol):
    """Shows what happens in a run."""

    @property
    def wants_deltas(self) -> bool:
        """Whether it shows answers while they grow."""

    def show(self, event: Event) -> None:
        """Show an event, or not, as the view sees fit; never `Stopped`, see `ended`."""

    def glance(self, waits: Sequence[Waiting]) -> None:
        """Called several times a second while nothing else happens: what actors wait for now."""

    def answer(self, text: str) -> None:
        """The answer to a prompt is complete."""

    def fail(self, reason: str) -> None:
        """A prompt got no answer, or the run could not start."""

    def ended(self, reason: str | None) -> None:
        """The run has ended; None for an ordinary end. Only `summary` follows."""

    def summary(self, summary: Summary) -> None:
        """What the run used."""


class TextView:
    """Events as lines on stderr, answers on stdout.

    An error is often told by several: the actor logs it, notifies the user of it, and the run ends
    with it. Errors are therefore held back until something else happens, and said once.

    Args:
        levels: which log records are shown.
    """

    def __init__(self, levels: LogLevels) -> None:
        self._levels = levels
        self._held: list[_Held] = []
        self._held_since = 0.0
        self._told: str | None = None
        self._leaving: set[str] = set()
        self._patience = Patience()
        self._growing = Growing()

    @property
    def wants_deltas(self) -> bool:
        """Whether growing answers are shown: where lines can be written over."""
        return terminal.rewrites_lines()

    def show(self, event: Event) -> None:
        """Tool calls, their results, notifications, retries, failures and log records."""
        self._growing.see(event)
        match event:
            case ModelDelta():
                terminal.transient("\n".join(self._growing.lines(terminal.columns())))
            case ModelRetry():
                self._line(event.actor, event.scope, _retry(event), "warn")
            case ModelCall(error=str(error), final=True):
                text = f"no answer of {event.model}: {error}"
                self._hold(_Held(event.actor, event.scope, text, error, ""))
            case Envelope():
                self._message(event)
            case LogRecord():
                if self._levels.wants(event):
                    self._log(event)
            case HttpRetry():
                text = f"{event.target}: {event.reason}; attempt {event.attempt} of "
                text += f"{event.attempts}, the next in {event.wait_seconds:.1f} s"
                self._line(event.actor, event.scope, text, "warn")
            case LeftOut():
                terminal.say(f"{event.count} events left out: nobody read what came before them")
            case Failure():
                text = f"failed: {event.reason}; {event.outcome}"
                self._hold(_Held(event.actor, event.scope, text, event.reason, event.traceback))

    def glance(self, waits: Sequence[Waiting]) -> None:
        """On a terminal a line that is written over; elsewhere a line now and then."""
        long = [wait for wait in waits if wait.seconds >= MARK_SECONDS]
        if self._held and time.monotonic() - self._held_since > MARK_SECONDS:
            self._release()
        if terminal.rewrites_lines():
            if self._growing.lines(terminal.columns()):
                return  # that says enough
            terminal.transient(_waits(sorted(long, key=lambda wait: -wait.seconds)))
        elif due := self._patience.due(waits):
            terminal.say(_waits(due))

    def answer(self, text: str) -> None:
        """The answer, alone on stdout."""
        self._release()
        terminal.result(text)

    def fail(self, reason: str) -> None:
        """The reason once, whoever else said it."""
        held, self._held = self._held, []
        for each in held:
            if not each.says(reason):
                self._write_held(each)
            elif each.traceback:
                self._write(each.actor, each.scope, each.traceback, "dim")
        terminal.fail(reason)
        self._told = reason

    def ended(self, reason: str | None) -> None:
        """The reason, unless it has been told."""
        terminal.transient("")
        if reason is not None and reason != self._told:
            self.fail(reason)
        self._release()

    def summary(self, summary: Summary) -> None:
        """A table."""
        terminal.say(
            f"{summary.messages} messages, {summary.deliveries} deliveries, {summary.agents} agents"
        )
        rows = [_COLUMNS]
        rows += [_cells(name, usage) for name, usage in summary.actors.items()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            terminal.say("  ".join(cells))
        _models("model", summary.models)
        if len(summary.model_actors) > 1:
            _models("asked by", summary.model_actors)
        if len(summary.model_agents) > 1:
            _models("in agent", summary.model_agents)

    def _log(self, record: LogRecord) -> None:
        if record.level == "error":
            self._error(record.actor, record.scope, "error", record.text)
        else:
            style = "warn" if record.level == "warn" else "dim"
            self._line(record.actor, record.scope, f"{record.level}: {record.text}", style)

    def _message(self, event: Envelope) -> None:
        sender, scope = event.sender or event.from_actor_id, event.from_scope
        match event.message_type, event.json():
            case messages.EXECUTE_TOOL_CALL, {"tool_call": {"function": dict(function)}}:
                call = f"calls {function.get('name')} {_arguments(function)}"
                self._line(sender, scope, call, "label")
            case messages.TOOL_CALL_STATUS, {"status": {"Received": {"display_info": dict(info)}}}:
                self._line(sender, scope, f"... {info.get('collapsed')}", "dim")
            case messages.TOOL_CALL_STATUS, {"status": {"Done": {"result": dict(result)}}}:
                content = str((result.get("Ok") or result.get("Err") or {}).get("content"))
                if "Ok" in result:
                    self._line(sender, scope, content, "label")
                else:
                    self._hold(_Held(sender, scope, content, content, "", is_answer=True))
            case messages.RESPONSE, {"message": {"content": str(text), "tool_calls": [_, *_]}}:
                if text.strip():
                    self._line(sender, scope, text, "label")
            case messages.USER_NOTIFICATION, {"title": str(title), "message": str(text), **rest}:
                # The runtime's own notices repeat a Failure, which has been shown in full.
                if rest.get("source") == "Runtime":
                    return
                if rest.get("level") == "Error":
                    self._error(sender, scope, title, text)
                else:
                    self._line(sender, scope, f"{title}: {text}", "warn")
            case messages.AGENT_SPAWNED, {"name": str(name), "agent_id": str(scope)}:
                if scope != ROOT_SCOPE:
                    self._line(name, scope, "started", "dim")
            case messages.EXIT, _:
                self._leaving.add(scope)

    def _error(self, who: str, scope: str, title: str, text: str) -> None:
        # What an actor complains about after it was told to end comes of its ending.
        if scope not in self._leaving or self._levels.default == "debug":
            self._hold(_Held(who, scope, f"{title}: {text}", text, ""))

    def _hold(self, new: _Held) -> None:
        """Keep an error until it is clear who says it best: the longest text of the same."""
        for index, held in enumerate(self._held):
            if held.is_answer and new.is_answer:
                continue  # two calls that failed alike are two failures
            if held.says(new.core) or new.says(held.core):
                longer = new if len(new.text) > len(held.text) else held
                self._held[index] = longer._replace(
                    traceback=held.traceback or new.traceback,
                    is_answer=held.is_answer or new.is_answer,
                )
                return
        self._held.append(new)
        self._held_since = time.monotonic()

    def _release(self) -> None:
        held, self._held = self._held, []
        for each in held:
            self._write_held(each)

    def _write_held(self, held: _Held) -> None:
        self._write(held.actor, held.scope, held.text, "error")
        if held.traceback:
            self._write(held.actor, held.scope, held.traceback, "dim")

    def _line(self, who: str, scope: str, text: str, style: str) -> None:
        self._release()
        self._write(who, scope, text, style)

    def _write(self, who: str, scope: str, text: str, style: str) -> None:
        label = visible_line(who if scope == ROOT_SCOPE else f"{who}@{scope}")
        lines = visible(text).splitlines() or [""]
        if len(lines) > _MOST_LINES:
            left_out = len(lines) - _MOST_LINES
            lines = [*lines[:_MOST_LINES], f"... {left_out} more lines"]
        for number, line in enumerate(lines):
            shown = label if number == 0 else ""
            terminal.say(f"  {line[:_LONGEST_LINE]}", label=f"{shown:>14}", tint=_STYLES[style])


class _Held(Record):
    """An error that may be told by others, too.

    Attributes:
        core: what others would repeat.
        is_answer: whether a tool call was answered with it.
    """

    actor: str
    scope: str
    text: str
    core: str
    traceback: str
    is_answer: bool = False

    def says(self, other: str) -> bool:
        """Whether one who reads this knows `other`, or the other way round."""
        return bool(self.core and other) and (self.core in other or other in self.text)


def _waits(waits: Sequence[Waiting]) -> str:
    shown = [f"{wait.what} ({wait.seconds:.0f} s)" for wait in waits[:_MOST_WAITS]]
    more = [f"{len(waits) - _MOST_WAITS} more"] if len(waits) > _MOST_WAITS else []
    return visible_line(", ".join(shown + more))


_COLUMNS: Final[tuple[str, ...]] = (
    "actor", "sent", "handled", "busy s", "waited s", "memory", "failures", "tokens",
)  # fmt: skip


_MODEL_COLUMNS: Final[tuple[str, ...]] = (
    "calls", "failed", "retries", "prompt", "cached", "answer", "reasoning", "USD", "first s", "s",
)  # fmt: skip


def _models(title: str, used: Mapping[str, ModelUsage]) -> None:
    """A table of what models have used, by something."""
    if not used:
        return
    rows = [(title, *_MODEL_COLUMNS)]
    rows += [_model_cells(name, usage) for name, usage in used.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    terminal.say("")
    for row in rows:
        cells = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        terminal.say("  ".join(cells))


def _model_cells(name: str, usage: ModelUsage) -> tuple[str, ...]:
    answered = usage.calls - usage.failures
    unknown = "?" if usage.unpriced == answered else f"{usage.cost:.4f}+?"
    return (
        visible_line(name),
        str(usage.calls),
        str(usage.failures),
        str(usage.retries),
        str(usage.prompt_tokens),
        str(usage.cached_tokens),
        str(usage.completion_tokens),
        str(usage.reasoning_tokens),
        unknown if usage.unpriced else f"{usage.cost:.4f}",
        f"{usage.first_token_seconds / max(1, answered):.2f}",
        f"{usage.seconds / max(1, usage.calls):.2f}",
    )


def _retry(event: ModelRetry) -> str:
    if event.fallback is not None:
        return f"asking {event.fallback} instead of {event.model} ({event.reason})"
    lost = "; what was shown is discarded" if event.discarded else ""
    return (
        f"retrying {event.model} in {event.wait_seconds:.2g} s ({event.reason}): "
        f"attempt {event.attempt} of {event.attempts}{lost}"
    )


def _cells(name: str, usage: ActorUsage) -> tuple[str, ...]:
    return (
        visible_line(name),
        str(usage.sent),
        str(usage.handled),
        f"{usage.busy_seconds:.3f}",
        f"{usage.host_seconds:.3f}",
        human(usage.memory_bytes) if usage.memory_bytes else "-",
        str(usage.failures),
        str(usage.tokens),
    )


def _arguments(function: Mapping[str, Any]) -> str:
    """Arguments as `name=value`; the raw text where they are no JSON object."""
    raw = str(function.get("arguments", ""))
    try:
        decoded = json.loads(raw)
    except (ValueError, RecursionError):
        return raw
    if not isinstance(decoded, dict):
        return raw
    return " ".join(
        f"{key}={json.dumps(item, ensure_ascii=False)}" for key, item in decoded.items()
    )
