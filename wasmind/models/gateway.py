"""One OpenAI-compatible endpoint on the loopback interface for all models of a plan."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Protocol

_LARGEST_REQUEST: Final = 256 << 20


class ModelError(Exception):
    """A refusal, with the HTTP status to refuse with."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ChatModel(Protocol):
    """Something that answers chat completions."""

    def complete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The response to a request, both in OpenAI's form; raises ModelError to refuse."""


class Gateway:
    """Serves models by name on a free port of 127.0.0.1, from `with` to the end of it.

    Args:
        models: name to model.
        failed: told about requests that a model refused, for people.
    """

    def __init__(
        self, models: Mapping[str, ChatModel], failed: Callable[[str], None] | None = None
    ) -> None:
        handler = type("Handler", (_Handler,), {"models": models, "failed": failed})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="gateway", daemon=True
        )

    @property
    def base_url(self) -> str:
        """Where it listens; without a path and a trailing slash."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Gateway:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is none of our business."""


class _Handler(BaseHTTPRequestHandler):
    models: Mapping[str, ChatModel]
    failed: Callable[[str], None] | None
    protocol_version = "HTTP/1.1"
    # An answer is two writes; without this, the second would wait for the client's delayed ACK.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path.rstrip("/") != "/v1/models":
            self._refuse(HTTPStatus.NOT_FOUND, f"there is no {self.path}")
            return
        listed = [{"id": name, "object": "model"} for name in self.models]
        self._answer(HTTPStatus.OK, {"object": "list", "data": listed})

    def do_POST(self) -> None:
        try:
            request = self._request()
            name = str(request.get("model"))
            if name not in self.models:
                known = ", ".join(sorted(self.models))
                raise ModelError(404, f"unknown model `{name}`; known: {known}")
            self._answer(HTTPStatus.OK, self.models[name].complete(request))
        except ModelError as error:
            handler = type(self)
            if handler.failed is not None:
                handler.failed(str(error))
            self._refuse(error.status, str(error))

    def _request(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _LARGEST_REQUEST:
            self.close_connection = True
            raise ModelError(411, "a request needs a `Content-Length` within limits")
        body = self.rfile.read(int(length))
        if self.path != "/v1/chat/completions":
            raise ModelError(404, f"there is no {self.path}")
        try:
            request = json.loads(body)
        except (ValueError, RecursionError):
            raise ModelError(400, "the request is not JSON") from None
        if not isinstance(request, dict):
            raise ModelError(400, "the request is not a JSON object")
        return request

    def _refuse(self, status: int, message: str) -> None:
        self._answer(status, {"error": {"message": message, "type": "wasmind", "code": status}})

    def _answer(self, status: int, document: Mapping[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class' name
        """Requests are not logged: they are full of prompts."""
