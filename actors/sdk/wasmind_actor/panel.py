"""Panels: agents made to give their opinion on one thing, each once, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from wasmind_actor import agents, log
from wasmind_actor.actor import Actor, ConfigT
from wasmind_actor.chat import ChatMessage, Scope, SystemMessage
from wasmind_actor.handlers import Envelope, on
from wasmind_actor.messages import AddMessage, Exit, QueueStatusChange, StatusUpdate
from wasmind_actor.status import (
    Done,
    Processing,
    TaskResponse,
    Wait,
    WaitingForSystemInput,
    WaitingForUserInput,
)
from wasmind_actor.tools import Call, ToolError
from wasmind_actor.wire import Ok

#: Stands between opinions where they are joined.
SEPARATOR: Final = "\n\n--------\n\n"


class Member:
    """An agent of a panel.

    Attributes:
        name: of the agent, for people.
        opinion: what it said; None if it has not, or never will.
        silent: it has ended, failed or come to rest without saying anything.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.opinion: Any = None
        self.silent = False
        self.worked = False

    @property
    def heard(self) -> bool:
        """Whether nothing more is to be expected of it."""
        return self.silent or self.opinion is not None


class Panel:
    """The agents that were asked about one call.

    Attributes:
        number: panels are counted in the order they are convened.
        call: the call that waits for their opinions.
        subject: whatever the actor needs to go on; the panel does not look at it.
        members: by agent, in the order of the configuration.
    """

    def __init__(self, number: int, call: Call, subject: Any) -> None:
        self.number = number
        self.call = call
        self.subject = subject
        self.members: dict[Scope, Member] = {}

    @property
    def complete(self) -> bool:
        """Whether every member has been heard, or never will be."""
        return all(member.heard for member in self.members.values())

    @property
    def silent(self) -> tuple[str, ...]:
        """Names of the members without an opinion."""
        return tuple(each.name for each in self.members.values() if each.opinion is None)

    def progress(self) -> str:
        """How many have been heard, for people."""
        heard = sum(member.heard for member in self.members.values())
        return f"{heard}/{len(self.members)}"


class PanelActor(Actor[ConfigT]):
    """Base of actors that ask panels; `concluded` says what happens in the end.

    A member that ends or comes to rest without an opinion counts as one that has none, so a panel
    always comes to its end.
    """

    #: What people see while a panel deliberates, before the count.
    waiting_for = "waiting for opinions:"

    panels: list[Panel]

    def start(self) -> None:
        """No panel is at work."""
        self.panels = []
        self.convened = 0

    def concluded(self, panel: Panel) -> None:
        """Every member has been heard: answer the call."""
        raise NotImplementedError

    def convene(
        self,
        call: Call,
        groups: Mapping[str, Sequence[str]],
        tools: Sequence[str],
        question: ChatMessage,
        subject: Any = None,
    ) -> Panel:
        """Make one agent for each group and ask all of them.

        Args:
            call: what waits for the outcome.
            groups: name of the agent to its actors.
            tools: actors that every member has besides.
            question: the message each of them gets.
            subject: kept in the panel.

        Raises:
            ToolError: an agent could not be made; those made before it are dismissed.
        """
        self.convened += 1
        panel = Panel(self.convened, call, subject)
        for name, actors in groups.items():
            try:
                scope = agents.spawn([*actors, *tools], name)
            except agents.SpawnError as error:
                for made in panel.members:
                    self._dismiss(made)
                raise ToolError(f"the reviewer `{name}` could not be spawned: {error}") from None
            panel.members[scope] = Member(name)
        self.panels.append(panel)
        for scope in panel.members:
            self.broadcast(AddMessage(agent=scope, message=question))
        self._proceed(panel)
        return panel

    def give_opinion(self, scope: Scope, opinion: Any) -> None:
        """Note what a member thinks; a second opinion of the same member replaces the first."""
        if (panel := self._panel_of(scope)) is not None:
            panel.members[scope].opinion = opinion
            self._proceed(panel)

    @on(Exit, reach="any")
    def member_ended(self, message: Exit, envelope: Envelope) -> None:
        """A member that ends has said all it will."""
        self._silence(envelope.from_scope)

    @on(StatusUpdate, reach="any")
    def member_status(self, message: StatusUpdate, envelope: Envelope) -> None:
        """A member that rests after it has worked will not speak by itself any more."""
        panel = self._panel_of(envelope.from_scope)
        if panel is None:
            return
        member = panel.members[envelope.from_scope]
        match message.status:
            case Processing():
                member.worked = True
            case Wait(reason=WaitingForSystemInput() | WaitingForUserInput()) if member.worked:
                if not member.heard:
                    log.warn(f"the reviewer `{member.name}` came to rest without an opinion")
                    self._dismiss(envelope.from_scope)
                self._silence(envelope.from_scope)
            case _:
                pass

    def _silence(self, scope: Scope) -> None:
        panel = self._panel_of(scope)
        if panel is not None and not panel.members[scope].heard:
            panel.members[scope].silent = True
            self._proceed(panel)

    def _proceed(self, panel: Panel) -> None:
        if panel.complete:
            self.panels.remove(panel)
            self.concluded(panel)
        else:
            panel.call.progress(f"{self.waiting_for} {panel.progress()}")

    def _panel_of(self, scope: Scope) -> Panel | None:
        return next((panel for panel in self.panels if scope in panel.members), None)

    def _dismiss(self, scope: Scope) -> None:
        """End an agent that nobody listens to any more."""
        result = TaskResponse(summary="The review is over.", success=False)
        self.broadcast(QueueStatusChange(agent=scope, status=Done(result=Ok(result))))
        self.broadcast(
            AddMessage(agent=scope, message=SystemMessage(content="The review is over."))
        )
