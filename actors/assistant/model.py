"""The conversation with a model: what it was told is kept in its own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from answer import Answer, read_answer
from endpoint import Endpoint
from history import SystemRole, messages

from wasmind_actor.chat import AssistantReply, HistoryMessage, Tool
from wasmind_actor.wire import to_json


class Model:
    """A model, with the messages it gave."""

    def __init__(self, name: str, system_messages_as: SystemRole) -> None:
        self._name = name
        self._system_role = system_messages_as
        self._words: dict[str, Mapping[str, Any]] = {}

    def ask(
        self,
        endpoint: Endpoint,
        request_id: str,
        system_prompt: str,
        history: Sequence[HistoryMessage],
        tools: Sequence[Tool],
    ) -> Answer:
        """Ask and wait.

        Raises:
            ModelError: no answer came, or none that can be used.
        """
        self._forget_all_but(history)
        document: dict[str, Any] = {
            "model": self._name,
            "messages": messages(system_prompt, history, self._words, self._system_role),
        }
        if tools:  # providers reject an empty list
            document["tools"] = [to_json(tool) for tool in tools]
        body = endpoint.complete(document)
        answer = read_answer(body, request_id, [tool.function.name for tool in tools])
        self._words[request_id] = answer.raw
        return answer

    def _forget_all_but(self, history: Sequence[HistoryMessage]) -> None:
        needed = {
            each.originating_request_id for each in history if isinstance(each, AssistantReply)
        }
        self._words = {key: value for key, value in self._words.items() if key in needed}
