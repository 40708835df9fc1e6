"""Gateways over fake providers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.models.zoo import Behaviour, Provider
from wasmind.models.budget import Ledger
from wasmind.models.call import Surroundings
from wasmind.models.gateway import Gateway
from wasmind.models.resolve import Directory
from wasmind.plan import Budget, Model
from wasmind.runtime.events import Event, Events, ModelCall, ModelDelta, ModelRetry, Subscription
from wasmind.runtime.host.models import ModelReply, ModelRequest
from wasmind.runtime.metrics import Summary

HELLO = [{"role": "user", "content": "hi"}]


class Run:
    """A gateway, and what an actor and people see of it."""

    def __init__(
        self,
        models: tuple[Model, ...],
        *,
        deltas: bool = False,
        budget: Budget | None = None,
        parents: dict[str, str] | None = None,
        instead: Model | None = None,
    ) -> None:
        self._events = Events()
        self._subscription = self._events.subscribe(deltas=deltas)
        ledger = None if budget is None else Ledger(budget, (parents or {}).get)
        self.around = Surroundings(self._events, ledger, first_wait=0.01)
        self.gateway = Gateway(Directory(models, (), instead), self.around)

    def send(
        self,
        body: Any,
        *,
        path: str = "/v1/chat/completions",
        method: str = "POST",
        actor: str = "assistant",
        scope: str = "000000",
        cancelled: threading.Event | None = None,
        largest: int = 64 << 20,
    ) -> ModelReply:
        return self.gateway.answer(
            ModelRequest(
                method=method,
                path=path,
                body=body if isinstance(body, bytes) else json.dumps(body).encode(),
                actor=actor,
                scope=scope,
                message_id="root:abcdef",
                cancelled=cancelled or threading.Event(),
                largest=largest,
            )
        )

    def ask(
        self, messages: Any = HELLO, *, model: str = "m", more: Any = None, **options: Any
    ) -> tuple[int, Any]:
        """Status and document of an answer."""
        reply = self.send({"model": model, "messages": messages, **(more or {})}, **options)
        return reply.status, json.loads(reply.body)

    def text(self, *arguments: Any, **options: Any) -> str:
        status, document = self.ask(*arguments, **options)
        assert status == 200, document
        return document["choices"][0]["message"]["content"]

    def message(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        status, document = self.ask(*arguments, **options)
        assert status == 200, document
        return document["choices"][0]["message"]

    def error(self, *arguments: Any, **options: Any) -> tuple[int, str, str]:
        """Status, code and words of a refusal."""
        status, document = self.ask(*arguments, **options)
        assert status != 200, document
        return status, document["error"]["code"], document["error"]["message"]

    def events(self) -> list[Event]:
        """Everything since the last time."""
        return list(drained(self._subscription))

    def ended(self) -> list[ModelCall]:
        """The ends of attempts."""
        return [
            each for each in self.events() if isinstance(each, ModelCall) and each.phase == "end"
        ]

    def retries(self) -> list[ModelRetry]:
        return [each for each in self.events() if isinstance(each, ModelRetry)]

    def deltas(self) -> list[ModelDelta]:
        return [each for each in self.events() if isinstance(each, ModelDelta)]

    @property
    def figures(self) -> Summary:
        return self.gateway.figures(Summary())


def drained(subscription: Subscription) -> Iterator[Event]:
    while (event := subscription.get(timeout=0)) is not None:
        yield event


def endpoint(provider: Provider, name: str = "m", **settings: Any) -> Model:
    """A model at a fake provider, as the compiler writes it."""
    given = {"model": "fake", "base_url": provider.url, **settings}
    return Model(name=name, kind="endpoint", settings=given)


@pytest.fixture
def provider() -> Iterator[Callable[[Behaviour], Provider]]:
    """Starts fake providers."""
    started: list[Provider] = []

    def start(behave: Behaviour) -> Provider:
        started.append(Provider(behave))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def run() -> Iterator[Callable[..., Run]]:
    """Makes gateways."""
    made: list[Run] = []

    def make(*models: Model, **options: Any) -> Run:
        made.append(Run(models, **options))
        return made[-1]

    yield make
    for each in made:
        each.gateway.close()


@pytest.fixture
def at(provider: Any, run: Any) -> Callable[..., tuple[Provider, Run]]:
    """A gateway with one model `m` at a provider that behaves so."""

    def make(behave: Behaviour, *, deltas: bool = False, **settings: Any) -> tuple[Provider, Run]:
        made = provider(behave)
        return made, run(endpoint(made, **settings), deltas=deltas)

    return make
