"""What people and programs are told about one call of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wasmind.models.errors import Code, ModelError
from wasmind.models.model import Model
from wasmind.models.usage import Tokens
from wasmind.runtime.events import Event, LogRecord, ModelCall, ModelRetry
from wasmind.runtime.host.models import ModelRequest


class Reporter:
    """Emits the events of a call.

    Args:
        number: names the call.
        asked: the request of the actor.
        emit: takes the events.
    """

    def __init__(self, number: str, asked: ModelRequest, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        #: Fields that all events about a call have.
        self.who: dict[str, Any] = {
            "call": number,
            "actor": asked.actor,
            "scope": asked.scope,
            "id": asked.message_id,
        }

    def started(self, model: Model, attempt: int) -> None:
        """An attempt begins."""
        self._emit(ModelCall(phase="start", **self._attempt(model, attempt)))

    def failed(
        self, model: Model, attempt: int, error: ModelError, seconds: float, *, final: bool
    ) -> None:
        """An attempt failed; `final` if nothing else is tried."""
        self._emit(
            ModelCall(
                phase="end",
                **self._attempt(model, attempt),
                status=error.status,
                code=error.code.value,
                error=None if error.code is Code.CANCELLED else str(error),
                final=final,
                seconds=seconds,
            )
        )

    def ended(
        self,
        model: Model,
        attempt: int,
        tokens: Tokens | None,
        *,
        cost: float | None,
        first: float | None,
        seconds: float,
    ) -> None:
        """An attempt brought an answer."""
        counted: dict[str, Any] = {}
        if tokens is not None:
            counted = {
                "prompt_tokens": tokens.prompt,
                "cached_tokens": tokens.cached,
                "completion_tokens": tokens.completion,
                "reasoning_tokens": tokens.reasoning,
            }
        self._emit(
            ModelCall(
                phase="end",
                **self._attempt(model, attempt),
                **counted,
                status=200,
                final=True,
                cost=cost,
                first_token_seconds=first,
                seconds=seconds,
            )
        )

    def retries(
        self, model: Model, attempt: int, error: ModelError, wait: float, *, discarded: bool
    ) -> None:
        """The same is asked again, for the `attempt`th time."""
        self._emit(
            ModelRetry(
                **self._attempt(model, attempt),
                wait_seconds=round(wait, 3),
                attempts=model.retries + 1,
                reason=str(error),
                discarded=discarded,
            )
        )

    def falls_back(self, model: Model, other: Model, error: ModelError, *, discarded: bool) -> None:
        """Another model is asked instead."""
        self._emit(
            ModelRetry(
                **{**self._attempt(model, 1), "upstream": other.upstream.label},
                wait_seconds=0.0,
                attempts=other.retries + 1,
                reason=str(error),
                fallback=other.name,
                discarded=discarded,
            )
        )

    def warn(self, text: str) -> None:
        """Something was done differently from how it was asked for, or not done yet."""
        actor, scope, cause = self.who["actor"], self.who["scope"], self.who["id"]
        self._emit(LogRecord(level="warn", actor=actor, scope=scope, text=text, id=cause))

    def _attempt(self, model: Model, attempt: int) -> dict[str, Any]:
        upstream = model.upstream.label
        return {**self.who, "model": model.name, "upstream": upstream, "attempt": attempt}
