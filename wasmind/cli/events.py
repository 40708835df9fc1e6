"""How a run is shown: as lines for people, or as JSON lines for programs."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final, Protocol, TextIO

from wasmind.cli.logs import LogLevels
from wasmind.cli.sizes import human
from wasmind.plan import ROOT_SCOPE
from wasmind.runtime import messages
from wasmind.runtime.events import (
    Event,
    Failure,
    LogRecord,
    ModelCall,
    ModelDelta,
    ModelRetry,
    Stopped,
)
from wasmind.runtime.messages import Envelope
from wasmind.runtime.metrics import ActorUsage, ModelUsage, Summary

_LONGEST_LINE: Final = 400
_MOST_LINES: Final = 20
_MOST_TOLD: Final = 20
_STYLES: Final = {"label": "\x1b[36m", "error": "\x1b[31m", "warn": "\x1b[33m", "dim": "\x1b[2m"}


class EventView(Protocol):
    """Shows events and, at the end of a prompt, the answer."""

    def show(self, event: Event) -> None:
        """Show an event, or not, as the view sees fit."""

    def answer(self, text: str) -> None:
        """The answer to a prompt is complete."""

    def told(self, text: str) -> bool:
        """Whether people have been told this already, as the failure of a model."""

    def summary(self, summary: Summary) -> None:
        """The run has ended; this is what it used."""


class TextView:
    """Events as lines on `notes`, answers on `results`.

    Args:
        results: where answers go, usually stdout.
        notes: where everything else goes, usually stderr.
        levels: which log records are shown.
        colour: use terminal colours on `notes`.
    """

    def __init__(self, results: TextIO, notes: TextIO, levels: LogLevels, *, colour: bool) -> None:
        self._results = results
        self._notes = notes
        self._levels = levels
        self._colour = colour
        #: Why models failed lately; their actors say it once more, in their own words.
        self._told: deque[str] = deque(maxlen=_MOST_TOLD)

    def show(self, event: Event) -> None:
        """Tool calls, their results, notifications, failures and log records."""
        match event:
            case Envelope():
                self._message(event)
            case LogRecord():
                if self._levels.wants(event) and not self.told(event.text):
                    style = event.level if event.level in ("warn", "error") else "dim"
                    self._line(event.actor, event.scope, f"{event.level}: {event.text}", style)
            case Failure():
                text = f"failed: {event.reason}; {event.outcome}"
                self._line(event.actor, event.scope, text, "error")
                if event.traceback:
                    self._line(event.actor, event.scope, event.traceback, "dim")
            case ModelRetry():
                self._line(event.actor, event.scope, _retry(event), "warn")
            case ModelCall(error=str(error), final=True):
                self._told.append(error)
                self._line(
                    event.actor, event.scope, f"no answer of {event.model}: {error}", "error"
                )
            case Stopped(reason=str(reason)):
                print(f"stopped: {_printable(reason)}", file=self._notes)

    def answer(self, text: str) -> None:
        """The answer, alone on stdout."""
        print(text, file=self._results, flush=True)

    def told(self, text: str) -> bool:
        """Whether a model failed for this reason, which has been shown."""
        return any(reason in text or _as_json(reason) in text for reason in self._told)

    def summary(self, summary: Summary) -> None:
        """A table."""
        print(
            f"{summary.messages} messages, {summary.deliveries} deliveries, "
            f"{summary.agents} agents",
            file=self._notes,
        )
        rows = [_COLUMNS]
        rows += [_cells(name, usage) for name, usage in summary.actors.items()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            print("  ".join(cells), file=self._notes)
        self._models("model", summary.models)
        if len(summary.model_actors) > 1:
            self._models("asked by", summary.model_actors)
        if len(summary.model_agents) > 1:
            self._models("in agent", summary.model_agents)

    def _models(self, title: str, used: Mapping[str, ModelUsage]) -> None:
        """What models have used, by something."""
        if not used:
            return
        rows = [(title, *_MODEL_COLUMNS)]
        rows += [_model_cells(name, usage) for name, usage in used.items()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        print(file=self._notes)
        for row in rows:
            cells = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            print("  ".join(cells), file=self._notes)

    def _message(self, event: Envelope) -> None:
        sender = event.sender or event.from_actor_id
        match event.message_type, event.json():
            case messages.EXECUTE_TOOL_CALL, {"tool_call": {"function": dict(function)}}:
                call = f"calls {function.get('name')} {_arguments(function)}"
                self._line(sender, event.from_scope, call, "label")
            case messages.TOOL_CALL_STATUS, {"status": {"Done": {"result": dict(result)}}}:
                good = "Ok" in result
                content = str((result.get("Ok") or result.get("Err") or {}).get("content"))
                self._line(sender, event.from_scope, content, "label" if good else "error")
            case messages.USER_NOTIFICATION, {"title": str(title), "message": str(text), **rest}:
                # The runtime's own notices repeat a Failure, which has been shown in full.
                if rest.get("source") != "Runtime" and not self.told(text):
                    style = "error" if rest.get("level") == "Error" else "warn"
                    self._line(sender, event.from_scope, f"{title}: {text}", style)
            case messages.AGENT_SPAWNED, {"name": str(name), "agent_id": str(scope)}:
                if scope != ROOT_SCOPE:
                    self._line(name, scope, "started", "dim")

    def _line(self, who: str, scope: str, text: str, style: str) -> None:
        label = who if scope == ROOT_SCOPE else f"{who}@{scope}"
        lines = _printable(text).splitlines() or [""]
        if len(lines) > _MOST_LINES:
            left_out = len(lines) - _MOST_LINES
            lines = [*lines[:_MOST_LINES], f"... {left_out} more lines"]
        for number, line in enumerate(lines):
            shown = label if number == 0 else ""
            self._write(f"{shown:>14}", style, line[:_LONGEST_LINE])

    def _write(self, label: str, style: str, text: str) -> None:
        if self._colour:
            label = f"{_STYLES[style]}{label}\x1b[0m"
        print(f"{label}  {text}", file=self._notes, flush=True)


_COLUMNS: Final[tuple[str, ...]] = (
    "actor", "sent", "handled", "busy s", "waited s", "memory", "failures", "tokens",
)  # fmt: skip


_MODEL_COLUMNS: Final[tuple[str, ...]] = (
    "calls", "failed", "retries", "prompt", "cached", "answer", "reasoning", "USD", "first s", "s",
)  # fmt: skip


def _model_cells(name: str, usage: ModelUsage) -> tuple[str, ...]:
    answered = usage.calls - usage.failures
    each = max(1, answered)
    unknown = "?" if usage.unpriced == answered else f"{usage.cost:.4f}+?"
    return (
        _printable(name),
        str(usage.calls),
        str(usage.failures),
        str(usage.retries),
        str(usage.prompt_tokens),
        str(usage.cached_tokens),
        str(usage.completion_tokens),
        str(usage.reasoning_tokens),
        unknown if usage.unpriced else f"{usage.cost:.4f}",
        f"{usage.first_token_seconds / each:.2f}",
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


def _as_json(text: str) -> str:
    """As it stands in an error document, which some actors show as it is."""
    return json.dumps(text)[1:-1]


def _cells(name: str, usage: ActorUsage) -> tuple[str, ...]:
    return (
        _printable(name),
        str(usage.sent),
        str(usage.handled),
        f"{usage.busy_seconds:.3f}",
        f"{usage.host_seconds:.3f}",
        human(usage.memory_bytes) if usage.memory_bytes else "-",
        str(usage.failures),
        str(usage.tokens),
    )


class JsonView:
    """Every event as one JSON object a line."""

    def __init__(self, results: TextIO) -> None:
        self._results = results

    def show(self, event: Event) -> None:
        """Any event."""
        print(json.dumps(_document(event), ensure_ascii=False), file=self._results, flush=True)

    def told(self, text: str) -> bool:
        """Events are for programs; people are told beside them."""
        return False

    def answer(self, text: str) -> None:
        """The answer is an event like others."""
        line = json.dumps({"event": "answer", "text": text}, ensure_ascii=False)
        print(line, file=self._results, flush=True)

    def summary(self, summary: Summary) -> None:
        """An event like others."""
        document = {"event": "summary", **asdict(summary)}
        print(json.dumps(document, ensure_ascii=False), file=self._results, flush=True)


def make_view(form: str, levels: LogLevels) -> EventView:
    """The view for `--format`: `text` or `jsonl`; the latter shows all log records."""
    if form == "jsonl":
        return JsonView(sys.stdout)
    from wasmind.cli.terminal import use_colour

    return TextView(sys.stdout, sys.stderr, levels, colour=use_colour(sys.stderr))


def _document(event: Event) -> Mapping[str, Any]:
    match event:
        case Envelope():
            payload = event.json()
            if payload is None and event.payload != b"null":
                payload = event.payload.decode("utf-8", "replace")
            return {
                "event": "message",
                "sequence": event.sequence,
                "id": event.id,
                "type": event.message_type,
                "from_actor_id": event.from_actor_id,
                "from_scope": event.from_scope,
                "actor": event.sender,
                "payload": payload,
            }
        case LogRecord(level=level, actor=actor, scope=scope, text=text):
            return {
                "event": "log",
                "level": level,
                "actor": actor,
                "scope": scope,
                "id": event.id,
                "text": text,
            }
        case Failure():
            return {
                "event": "failure",
                "actor": event.actor,
                "scope": event.scope,
                "reason": event.reason,
                "traceback": event.traceback,
                "outcome": event.outcome,
                "log": list(event.log),
            }
        case ModelCall():
            return {"event": "model_call", **asdict(event)}
        case ModelRetry():
            return {"event": "model_retry", **asdict(event)}
        case ModelDelta():
            return {"event": "model_delta", **asdict(event)}
        case Stopped(reason=reason):
            return {"event": "stopped", "reason": reason}


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


def _printable(text: str) -> str:
    """Text without control characters: what an actor says must not steer the terminal."""
    return "".join(
        char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text
    )
