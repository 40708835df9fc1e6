"""Watches the conversation of its agent, and has it judged by an agent made for that."""

from __future__ import annotations

import time
from typing import Annotated

from transcript import transcript_of

from wasmind_actor import U32, Actor, Config, Param, agents, log, on
from wasmind_actor.chat import HistoryMessage, SystemMessage, UserMessage
from wasmind_actor.messages import AddMessage, Request, Response

_ANALYZER = ("check_health_assistant", "flag_issue", "report_normal")


class CheckHealthConfig(Config):
    """When to check."""

    check_interval: Annotated[U32, Param("Seconds between two checks, at least.")]


class CheckHealth(Actor[CheckHealthConfig]):
    """Has its agent judged whenever it has answered and the interval is over."""

    spawns = _ANALYZER

    history: tuple[HistoryMessage, ...]
    checked: float

    def start(self) -> None:
        """The first check comes an interval from now."""
        self.history = ()
        self.checked = time.monotonic()

    @on(Request)
    def requested(self, message: Request) -> None:
        """Remember what the model is asked."""
        state = message.chat_state
        self.history = (SystemMessage(content=state.system.content), *state.messages)

    @on(Response)
    def answered(self, message: Response) -> None:
        """Add the answer, and have everything judged if it is time."""
        self.history = (*self.history, message.message)
        if time.monotonic() - self.checked >= self.config.check_interval:
            self._check()

    def _check(self) -> None:
        try:
            analyzer = agents.spawn(_ANALYZER, "Check Health")
        except agents.SpawnError as error:
            log.warn(f"the health of this agent could not be checked: {error}")
            return
        text = (
            "Decide from this transcript whether the agent makes progress or is stuck.\n\n"
            f"<transcript>\n{transcript_of(self.history)}\n</transcript>\n\n"
            "Call `flag_issue` if it is in trouble, `report_normal` otherwise."
        )
        self.broadcast(AddMessage(agent=analyzer, message=UserMessage(content=text)))
        self.checked = time.monotonic()
