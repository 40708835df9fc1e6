"""What answers chat completions: a gateway in this process, and what stands behind it."""

from __future__ import annotations

from collections.abc import Callable

from wasmind.models.budget import Ledger
from wasmind.models.call import Surroundings
from wasmind.models.choice import Choice
from wasmind.models.gateway import Gateway
from wasmind.models.resolve import Directory
from wasmind.plan import ROOT_SCOPE
from wasmind.runtime.events import Events, LogRecord

__all__ = ["Choice", "Gateway", "open_gateway"]


def open_gateway(choice: Choice, events: Events, parent_of: Callable[[str], str | None]) -> Gateway:
    """A gateway for the models of a run.

    Args:
        choice: which models answer.
        events: where calls are told.
        parent_of: the scope that spawned a scope.

    Raises:
        UnusableModel: a model of the plan that this wasmind cannot ask.
    """
    budget = choice.budget
    ledger = None if budget is None else Ledger(budget, parent_of)

    def report(text: str) -> None:
        events.emit(LogRecord(level="info", actor="litellm", scope=ROOT_SCOPE, text=text))

    directory = Directory(choice.models, choice.needed, choice.instead, report)
    return Gateway(directory, Surroundings(events=events, ledger=ledger))
