"""Tool calls that wait for an answer: whose actor fails, owes one for each it has begun."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

from wasmind.runtime import messages
from wasmind.runtime.instance import Instance
from wasmind.runtime.messages import Envelope

#: Request and id: names a call within its agent.
_Key = tuple[str, str]


class ToolCalls:
    """The open tool calls of all agents. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, dict[_Key, Any]] = {}
        self._gone: dict[str, dict[str, str]] = {}

    def note(self, envelope: Envelope) -> None:
        """A call is about to be delivered; the actor that it reaches may fail at once."""
        call = envelope.json()
        if (key := _key(call)) is not None:
            with self._lock:
                self._open.setdefault(envelope.from_scope, {})[key] = call

    def in_vain(self, envelope: Envelope) -> str | None:
        """For a call that was delivered to nobody, since its tool is gone: why. Tells it once."""
        call = envelope.json()
        key = _key(call)
        if key is None:
            return None
        with self._lock:
            reason = self._gone.get(envelope.from_scope, {}).get(messages.called_tool(call) or "")
            known = self._open.get(envelope.from_scope, {})
            return None if reason is None or known.pop(key, None) is None else reason

    def reported(self, scope: str, payload: bytes) -> None:
        """An actor is about to say how far a call is."""
        match messages.decode(payload):
            case {"status": {"Done": _}, "originating_request_id": str(request), "id": str(name)}:
                with self._lock:
                    self._open.get(scope, {}).pop((request, name), None)

    def owed(
        self, instance: Instance, handling: Envelope | None, reason: str, *, for_good: bool
    ) -> list[Any]:
        """The calls that a failed instance owes an answer; from now on it owes them no more.

        Nothing may be delivered meanwhile: what is noted waits, or has been begun.

        Args:
            instance: it failed.
            handling: the message it failed at.
            reason: why.
            for_good: it will not be restarted, so that what waits for it is owed as well.
        """
        tools = instance.actor.tools
        if tools is None:  # then only what it died of is known to be its own
            own = handling is not None and handling.from_scope == instance.scope
            known = own and handling is not None and _key(handling.json())
            return [handling.json()] if known and handling is not None else []
        waiting = () if for_good else _keys(instance.mailbox.waiting())
        with self._lock:
            if for_good:
                self._gone.setdefault(instance.scope, {}).update(dict.fromkeys(tools, reason))
            calls = self._open.get(instance.scope, {})
            owed = [
                key
                for key, call in calls.items()
                if messages.called_tool(call) in tools and key not in waiting
            ]
            return [calls.pop(key) for key in owed]

    def forget(self, scope: str) -> None:
        """An agent is gone."""
        with self._lock:
            self._open.pop(scope, None)
            self._gone.pop(scope, None)


def waiting_for(instance: Instance, envelope: Envelope, *, speaks: bool) -> Iterator[Any]:
    """The call that waits in vain, when a message does not reach an instance.

    Args:
        instance: whom it does not reach.
        envelope: the message.
        speaks: the instance holds the conversation, so that it waits for results.
    """
    if envelope.from_scope != instance.scope:
        return
    content, tools = envelope.json(), instance.actor.tools
    match content:
        case {"tool_call": {"function": {"name": str(name)}}} if tools is None or name in tools:
            yield content
        case {"status": {"Done": _}, "originating_request_id": str(request), "id": str(call)}:
            if speaks:
                yield {"originating_request_id": request, "tool_call": {"id": call}}


def _keys(envelopes: Iterable[Envelope]) -> set[_Key]:
    def found() -> Iterator[_Key]:
        for envelope in envelopes:
            if envelope.message_type == messages.EXECUTE_TOOL_CALL and (
                key := _key(envelope.json())
            ):
                yield key

    return set(found())


def _key(call: Any) -> _Key | None:
    match call:
        case {"originating_request_id": str(request), "tool_call": {"id": str(name)}}:
            return request, name
    return None
