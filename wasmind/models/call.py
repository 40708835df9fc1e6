"""One request of an actor, from its name of a model to an answer: places, budget, attempts."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from wasmind.models.budget import Estimates, Ledger, Reservation
from wasmind.models.deltas import Deltas
from wasmind.models.errors import ModelError, cancelled
from wasmind.models.model import Model
from wasmind.models.reporting import Reporter
from wasmind.models.upstream import Completion, Request, Stop, Watch
from wasmind.models.usage import Tokens, tokens_of
from wasmind.prices import FREE
from wasmind.runtime.events import Events
from wasmind.runtime.host.models import ModelRequest
from wasmind.runtime.metrics import ModelUsage

#: A provider that wants to be left alone for longer is given up.
_LONGEST_WAIT: Final = 60.0
_JITTER: Final = 0.25
_LIMITS: Final = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all calls of a gateway share.

    Attributes:
        events: where people are told.
        ledger: keeps the budget, if there is one.
        first_wait: seconds before the first further attempt; doubles every time.
    """

    events: Events
    ledger: Ledger | None = None
    first_wait: float = 1.0
    estimates: Estimates = field(default_factory=Estimates)


class Call:
    """Answers one request; used once, on one thread.

    Args:
        number: names the call in events.
        asked: the request of the actor.
        request: its body.
        candidates: the model, then its fallbacks.
        around: what it shares with others.
        stop: ends it.
    """

    def __init__(
        self,
        number: str,
        asked: ModelRequest,
        request: Request,
        candidates: Sequence[Model],
        around: Surroundings,
        stop: Stop,
    ) -> None:
        self._asked = asked
        self._stop = stop
        self._request = request
        self._candidates = candidates
        self._around = around
        self._report = Reporter(number, asked, around.events.emit)
        self._shown = False
        self.used = ModelUsage(calls=1)
        #: The one that answered, or was asked last.
        self.model = candidates[0]

    def answer(self) -> Completion:
        """The answer, however many attempts it takes.

        Raises:
            ModelError: there is none; the last attempt says why.
        """
        started = time.monotonic()
        try:
            for position, model in enumerate(self._candidates, 1):
                self.model = model
                following = self._candidates[position:]
                try:
                    return self._attempts(model, last=not following)
                except ModelError as error:
                    if not following or not error.elsewhere:
                        raise
                    self.used.retries += 1
                    self._report.falls_back(model, following[0], error, discarded=self._shown)
            raise AssertionError("the last model answers or raises")
        except ModelError:
            self.used.failures += 1
            raise
        finally:
            self.used.seconds += time.monotonic() - started

    def _attempts(self, model: Model, *, last: bool) -> Completion:
        waits = _waits(self._around.first_wait)
        for attempt in range(1, model.retries + 2):
            try:
                return self._attempt(model, attempt)
            except _Failed as failed:
                error = failed.error
                wait = next(waits) if error.after is None else error.after
                again = error.again and attempt <= model.retries and wait <= _LONGEST_WAIT
                if error.again and wait > _LONGEST_WAIT:
                    error.advice = f"it wants {wait:.0f} s of rest, too long to wait for"
                final = not again and (last or not error.elsewhere)
                self._report.failed(model, attempt, error, failed.seconds, final=final)
                if not again:
                    raise error from None
                self.used.retries += 1
                self._report.retries(model, attempt + 1, error, wait, discarded=self._shown)
                self._sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _sleep(self, seconds: float) -> None:
        self._asked.doing(f"pausing before another attempt at {self.model.upstream.label}")
        if self._stop.wait(seconds):
            raise cancelled()

    def _attempt(self, model: Model, attempt: int) -> Completion:
        asked = self._asked
        asked.doing(f"waiting for a place at {model.upstream.label}")
        with model.places.take(self._stop, self._report.warn):
            asked.doing(f"waiting for {model.upstream.label}")
            prompt = self._prompt() if self._around.ledger is not None else b""
            try:
                held = self._reserve(model, prompt)
            except ModelError as error:
                raise _Failed(error, 0.0) from None
            deltas = self._deltas()
            watch = Watch(
                cancelled=self._stop,
                largest=asked.largest,
                delta=deltas,
                idle=None if deltas is None else deltas.flush,
                warn=self._report.warn,
                most_tokens=model.max_output_tokens if held is None else held.most_answer,
            )
            self._report.started(model, attempt)
            started = time.monotonic()
            try:
                completion = model.upstream.ask(self._request, watch)
            except ModelError as error:
                self._settle(held, None, model, billed=error.billed)
                raise _Failed(error, time.monotonic() - started) from None
            except BaseException:
                self._settle(held, None, model)
                raise
            finally:
                if deltas is not None:
                    deltas.flush(whole=True)
                    self._shown = deltas.shown
        seconds = time.monotonic() - started
        tokens = tokens_of(completion)
        if tokens is not None and prompt:
            self._around.estimates.learn(self._key(model), prompt, tokens.prompt)
        self._settle(held, tokens, model)
        first = None if watch.first_token is None else watch.first_token - started
        cost = self._count(tokens, model, first)
        self._report.ended(model, attempt, tokens, cost=cost, first=first, seconds=seconds)
        return completion

    def _deltas(self) -> Deltas | None:
        events = self._around.events
        return Deltas(events.emit, self._report.who) if events.wants_deltas else None

    def _prompt(self) -> bytes:
        """What of the request counts as prompt; a longer conversation begins like a shorter."""
        content = [self._request.get("tools") or [], self._request.get("messages") or []]
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")

    def _key(self, model: Model) -> tuple[str, str, str]:
        return self._asked.scope, self._asked.actor, model.name

    def _reserve(self, model: Model, prompt: bytes) -> Reservation | None:
        ledger = self._around.ledger
        if ledger is None:
            return None
        bound = self._around.estimates.bound(self._key(model), prompt)
        limits = [self._request.get(key) for key in _LIMITS] + [model.max_output_tokens]
        known = [each for each in limits if type(each) is int]
        declared = min(known) if known else None
        return ledger.reserve(self._asked.scope, model.name, bound, declared, model.price)

    def _settle(
        self, held: Reservation | None, tokens: Tokens | None, model: Model, *, billed: bool = True
    ) -> None:
        """What a provider refused costs nothing; what was cut off may have cost all of it."""
        ledger = self._around.ledger
        if held is None or ledger is None:
            return
        if billed:
            ledger.settle(held, tokens, model.price)
        else:
            ledger.release(held)

    def _count(self, tokens: Tokens | None, model: Model, first: float | None) -> float | None:
        """Add an answer to what was used; returns its cost, if that is known."""
        used = self.used
        used.first_token_seconds += first or 0.0
        if tokens is None:
            used.uncounted += 1
            used.unpriced += model.price != FREE
            return None
        used.prompt_tokens += tokens.prompt
        used.cached_tokens += tokens.cached
        used.completion_tokens += tokens.completion
        used.reasoning_tokens += tokens.reasoning
        if model.price is None:
            used.unpriced += 1
            return None
        cost = tokens.cost(model.price)
        used.cost += cost
        return cost


class _Failed(Exception):
    """An attempt failed, after so many seconds."""

    def __init__(self, error: ModelError, seconds: float) -> None:
        super().__init__(str(error))
        self.error = error
        self.seconds = seconds


def _waits(first: float) -> Iterator[float]:
    wait = first
    while True:
        spread = 1 + random.uniform(0, _JITTER)  # noqa: S311 - spreads load, keeps no secret
        yield min(_LONGEST_WAIT, wait * spread)
        wait *= 2
