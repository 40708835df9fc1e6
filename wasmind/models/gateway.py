"""The gateway: answers actors' requests to models, in this process and without a socket.

`host/http` hands requests to the announced origin over. A call blocks the thread of the actor that
makes it, which has given its place to others; the gateway has no thread of its own.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from wasmind.models import finite_json
from wasmind.models.call import Call, Surroundings
from wasmind.models.errors import Code, ModelError
from wasmind.models.resolve import Directory
from wasmind.models.upstream import Stop
from wasmind.models.usage import Tally
from wasmind.runtime.host.models import ModelReply, ModelRequest
from wasmind.runtime.metrics import Summary

_COMPLETIONS: Final = ("/v1/chat/completions", "/chat/completions")
_MODELS: Final = ("/v1/models", "/models")


class Gateway:
    """Answers for all models of a run.

    Args:
        directory: names to models.
        around: what calls share.
    """

    def __init__(self, directory: Directory, around: Surroundings) -> None:
        self._directory = directory
        self._around = around
        self._tally = Tally()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._under_way: dict[str, set[Stop]] = {}

    def answer(self, request: ModelRequest) -> ModelReply:
        """The response to a request of an actor; refusals are responses too."""
        try:
            document = self._route(request)
            return ModelReply(200, json.dumps(document, allow_nan=False).encode())
        except ModelError as error:
            return ModelReply(error.status, error.body())
        except RecursionError:
            deep = ModelError(400, "the request, or the answer to it, is nested too deeply")
            return ModelReply(deep.status, deep.body())

    def interrupt(self, scope: str) -> None:
        """End the calls that an agent makes now."""
        with self._lock:
            for stop in self._under_way.get(scope, ()):
                stop.set()

    def figures(self, summary: Summary) -> Summary:
        """The summary of a run, with what models have used."""
        return self._tally.into(summary)

    @property
    def names(self) -> Sequence[str]:
        """Names to announce."""
        return self._directory.names

    def prepare(self) -> None:
        """Begin what takes long; returns at once."""
        self._directory.prepare()

    def close(self) -> None:
        """End what stands behind the models."""
        self._directory.close()

    def _route(self, request: ModelRequest) -> Mapping[str, Any]:
        path = request.path.rstrip("/")
        if path in _MODELS and request.method == "GET":
            listed = [{"id": name, "object": "model"} for name in self._directory.names]
            return {"object": "list", "data": listed}
        if path not in _COMPLETIONS:
            raise ModelError(404, f"there is no {request.path[:100]}", Code.INVALID_REQUEST)
        if request.method != "POST":
            raise ModelError(405, f"{request.path} wants POST", Code.INVALID_REQUEST)
        return self._complete(request, _decoded(request.body))

    def _complete(self, request: ModelRequest, document: Mapping[str, Any]) -> Mapping[str, Any]:
        name = document.get("model")
        candidates = self._directory.candidates(name if isinstance(name, str) else "")
        number = f"call-{next(self._numbers)}"
        stop = Stop(request.cancelled)
        call = Call(number, request, document, candidates, self._around, stop)
        with self._lock:
            self._under_way.setdefault(request.scope, set()).add(stop)
        try:
            return call.answer()
        finally:
            with self._lock:
                others = self._under_way[request.scope]
                others.discard(stop)
                if not others:
                    del self._under_way[request.scope]
            self._tally.add(call.model.name, request.actor, request.scope, call.used)


def _decoded(body: bytes) -> Mapping[str, Any]:
    try:
        document = finite_json.loads(body)
    except (ValueError, RecursionError):
        raise ModelError(400, "the request is not JSON") from None
    if not isinstance(document, dict):
        raise ModelError(400, "the request is not a JSON object")
    messages = document.get("messages")
    if not isinstance(messages, list) or not messages:
        raise ModelError(400, "the request has no messages")
    return document
