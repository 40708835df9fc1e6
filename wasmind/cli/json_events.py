"""A run as JSON lines, for programs; `schemas/event.schema.json` describes them."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, NoReturn

import click

from wasmind.cli import terminal
from wasmind.cli.patience import Patience
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
    Stopped,
    Waiting,
)
from wasmind.runtime.messages import Envelope
from wasmind.runtime.metrics import Summary
from wasmind.visible import json_visible

#: Kinds that can be left out; `payloads` are those of messages that repeat a whole conversation.
KINDS: Final = (
    *("message", "payloads", "log", "failure", "http_retry", "waiting"),
    *("model_call", "model_retry", "model_delta", "answer"),
)
_DEFAULT: Final = frozenset(KINDS) - {"payloads", "model_delta"}
_ALWAYS: Final = ("left_out", "stopped", "summary")
_REPEATING: Final = frozenset({messages.CHAT_STATE_UPDATED, messages.REQUEST})


def parse_kinds(settings: Sequence[str]) -> frozenset[str]:
    """What `--events` asks for: `all`, or kinds separated by commas.

    Raises:
        click.BadParameter: there is no such kind.
    """
    names = [name.strip() for name in ",".join(settings).split(",") if name.strip()]
    for name in names:
        if name not in (*KINDS, "all"):
            from wasmind_compiler.diagnostics.suggestions import advice

            raise click.BadParameter(
                f"there is no event `{name}`; {advice(name, (*KINDS, 'all'), 'events')}",
                param_hint="--events",
            )
    if not names:
        return _DEFAULT
    return frozenset(KINDS) if "all" in names else frozenset(names)


class JsonView:
    """Every event that is wanted as one JSON object a line; all log records.

    Args:
        kinds: what is written, of `KINDS`; the end and gaps always are.
    """

    def __init__(self, kinds: frozenset[str] = _DEFAULT) -> None:
        self._kinds = kinds
        self._patience = Patience()
        self._ascii = (getattr(sys.stdout, "encoding", None) or "").lower() not in ("utf-8", "utf8")

    @property
    def wants_deltas(self) -> bool:
        """Whether pieces of growing answers are wanted."""
        return "model_delta" in self._kinds

    def show(self, event: Event) -> None:
        """Any event."""
        try:
            self._write(document(event, payloads="payloads" in self._kinds))
        except RecursionError:  # nested as deep as can be read, which is too deep to be written
            if not isinstance(event, Envelope):
                raise
            text = event.payload.decode("utf-8", "replace")
            self._write({**document(event, payloads=False), "payload": text})

    def glance(self, waits: Sequence[Waiting]) -> None:
        """An event for each that takes long, now and then."""
        for wait in self._patience.due(waits):
            self.show(wait)

    def answer(self, text: str) -> None:
        """The answer is an event like others."""
        self._write({"event": "answer", "text": text})

    def fail(self, reason: str) -> None:
        """On stderr; the last event has it, too."""
        terminal.fail(reason)

    def ended(self, reason: str | None) -> None:
        """The last event."""
        self._write({"event": "stopped", "reason": reason})

    def summary(self, summary: Summary) -> None:
        """An event like others."""
        self._write({"event": "summary", **asdict(summary)})

    def _write(self, event: Mapping[str, Any]) -> None:
        if event["event"] in self._kinds or event["event"] in _ALWAYS:
            line = json.dumps(event, ensure_ascii=self._ascii, allow_nan=False)
            terminal.result(json_visible(line))


def document(event: Event, *, payloads: bool) -> Mapping[str, Any]:
    """An event as `schemas/event.schema.json` describes it; `payloads`: also the repeating ones."""
    match event:
        case Envelope():
            return {
                "event": "message",
                "sequence": event.sequence,
                "id": event.id,
                "type": event.message_type,
                "from_actor_id": event.from_actor_id,
                "from_scope": event.from_scope,
                "actor": event.sender,
                **_payload(event, payloads=payloads),
            }
        case LogRecord():
            return {
                "event": "log",
                "level": event.level,
                "actor": event.actor,
                "scope": event.scope,
                "id": event.id,
                "text": event.text,
            }
        case HttpRetry():
            return {"event": "http_retry", **asdict(event)}
        case ModelCall():
            return {"event": "model_call", **asdict(event)}
        case ModelRetry():
            return {"event": "model_retry", **asdict(event)}
        case ModelDelta():
            return {"event": "model_delta", **asdict(event)}
        case Waiting():
            return {"event": "waiting", **asdict(event), "seconds": round(event.seconds, 1)}
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
        case LeftOut():
            return {"event": "left_out", "count": event.count}
        case Stopped(reason=reason):
            return {"event": "stopped", "reason": reason}


def _payload(event: Envelope, *, payloads: bool) -> Mapping[str, Any]:
    """The payload of a message; of one that repeats the conversation only what identifies it."""
    if event.message_type in _REPEATING and not payloads:
        digest = hashlib.sha256(event.payload).hexdigest()
        return {"left_out": {"bytes": len(event.payload), "sha256": digest}}
    try:
        return {"payload": _decoded(event.payload)}
    except (ValueError, RecursionError):
        return {"payload": event.payload.decode("utf-8", "replace")}


def _decoded(payload: bytes) -> Any:
    """What JSON text says; ValueError for what JSON does not have, such as numbers without end."""
    return json.loads(payload, parse_constant=_refuse, parse_float=_finite)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"JSON has no {constant}")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("beyond every number")
    return number
