"""Keeps a conversation short: summarises its older part when it has become too long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from summariser import Summariser, SummaryError
from summary import boundary_of, summary_message

from wasmind_actor import I32, Actor, Config, Param, log, on
from wasmind_actor.chat import ChatState, HistoryMessage
from wasmind_actor.messages import (
    BaseUrlUpdate,
    ChatStateUpdated,
    CompactedConversation,
    QueueStatusChange,
    Response,
)
from wasmind_actor.status import IDLE, CompactingConversation, Wait

_COMPACTING = Wait(reason=CompactingConversation())


class CompactionConfig(Config):
    """When to compact, and what summarises."""

    token_threshold: Annotated[
        I32, Param("Compact once a request and its answer have this many tokens.", minimum=1)
    ]
    model_name: Annotated[str, Param("The model that summarises.", refers="model")]
    base_url: Annotated[
        str | None, Param("Its endpoint, without `/v1`; what the host announces by default.")
    ] = None


class ConversationCompaction(Actor[CompactionConfig]):
    """Watches the token counts of its agent and replaces old messages by a summary."""

    state: ChatState | None
    announced: str | None

    def start(self) -> None:
        """Nothing has been said yet."""
        self.state = None
        self.announced = None

    @on(BaseUrlUpdate)
    def endpoint_found(self, message: BaseUrlUpdate) -> None:
        """The host has announced where models answer."""
        self.announced = message.base_url

    @on(ChatStateUpdated)
    def conversation_changed(self, message: ChatStateUpdated) -> None:
        """Remember the conversation as it stands."""
        self.state = message.chat_state

    @on(Response)
    def answered(self, message: Response) -> None:
        """Compact if the conversation is too long now."""
        if message.usage.total_tokens >= self.config.token_threshold:
            self._compact()

    def _compact(self) -> None:
        base_url = self.config.base_url or self.announced
        if base_url is None or self.state is None:
            log.warn("the conversation is too long, but there is no model yet to summarise it")
            return
        history = self.state.messages
        boundary = boundary_of(history)
        if boundary is None:
            log.warn("the conversation is too long, but nothing before the last answer is old")
            return
        # From here on the assistant waits for us, whatever happens.
        self.broadcast(QueueStatusChange(agent=self.scope, status=_COMPACTING))
        try:
            self._replace(Summariser(self.config.model_name, base_url), history, boundary)
        except SummaryError as error:
            log.error(f"the conversation could not be summarised: {error}")
            self.broadcast(QueueStatusChange(agent=self.scope, status=IDLE))

    def _replace(
        self, summariser: Summariser, history: Sequence[HistoryMessage], boundary: int
    ) -> None:
        old = history[:boundary]
        summary = summariser.summarise(old)
        last = history[boundary]
        self.broadcast(
            CompactedConversation(
                agent=self.scope,
                messages=(summary_message(old, summary),),
                compacted_to=getattr(last, "originating_request_id", ""),
            )
        )
        log.info(f"replaced {len(old)} messages by a summary of {len(summary)} characters")
