"""Fake providers: real HTTP servers on the loopback interface, one for each behaviour.

They are written from public descriptions of providers' APIs. A behaviour is a function that gets a
`Visit` and answers it; what was asked is kept for the test.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Visit"], None]
USAGE = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}


@dataclass
class Visit:
    """One request, and the means to answer it."""

    handler: BaseHTTPRequestHandler
    path: str
    headers: dict[str, str]
    body: Any
    number: int

    @property
    def streamed(self) -> bool:
        return bool(isinstance(self.body, dict) and self.body.get("stream"))

    def json(self, document: Any, status: int = 200, **headers: str) -> None:
        self.raw(json.dumps(document).encode(), status, **headers)

    def raw(
        self,
        body: bytes,
        status: int = 200,
        content_type: str = "application/json",
        **headers: str,
    ) -> None:
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", content_type)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.send_header("Content-Length", str(len(body)))
        self.handler.end_headers()
        self.handler.wfile.write(body)

    @contextmanager
    def stream(self) -> Iterator[Callable[[bytes], None]]:
        """A chunked event stream; each call sends a piece of it at once."""
        self.handler.send_response(200)
        self.handler.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.handler.send_header("Transfer-Encoding", "chunked")
        self.handler.end_headers()

        def send(piece: bytes) -> None:
            self.handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.handler.wfile.flush()

        yield send
        self.handler.wfile.write(b"0\r\n\r\n")

    def vanish(self) -> None:
        """Cut the connection."""
        self.handler.wfile.flush()
        self.handler.connection.shutdown(socket.SHUT_RDWR)
        self.handler.close_connection = True


class Provider:
    """A server with one behaviour. `gone` is set when a client went away too soon."""

    def __init__(self, behave: Behaviour) -> None:
        self.visits: list[Visit] = []
        self.behave = behave
        self.visited = threading.Event()
        self.gone = threading.Event()
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                outer.visit(self)

            do_GET = do_POST

            def log_message(self, *_: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: self.gone.set()  # type: ignore[method-assign]
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def visit(self, handler: BaseHTTPRequestHandler) -> None:
        raw = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        headers = {key.lower(): value for key, value in handler.headers.items()}
        body = json.loads(raw) if raw else None
        with self._lock:
            visit = Visit(handler, handler.path, headers, body, len(self.visits) + 1)
            self.visits.append(visit)
            self.visited.set()
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            self.behave(visit)
        finally:
            with self._lock:
                self.at_once -= 1

    def wrap(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def asked(self) -> list[Any]:
        """Bodies of the completions that were asked for."""
        return [visit.body for visit in self.visits if visit.path.endswith("/chat/completions")]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024


def completion(
    text: str | None = "hello", *, finish: str = "stop", usage: Any = USAGE, **message: Any
) -> dict[str, Any]:
    """A whole answer."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "fake",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, **message},
                "finish_reason": finish,
            }
        ],
        "usage": usage,
    }


def tool_call(name: str, arguments: str, call_id: str = "call_1", **more: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function, **more}


def chunk(delta: Mapping[str, Any], *, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """A piece of a streamed answer."""
    choice = {"index": 0, "delta": dict(delta), "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "fake",
        "choices": [choice],
        **more,
    }


def event(document: Any) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def sse(chunks: Iterable[Any], *, done: bool = True) -> bytes:
    """Chunks as server-sent events."""
    return b"".join(event(each) for each in chunks) + (b"data: [DONE]\n\n" if done else b"")


def words(*texts: str, finish: str = "stop", usage: Any = USAGE) -> list[dict[str, Any]]:
    """A streamed text, word by word, as OpenAI streams it."""
    pieces = [chunk({"role": "assistant", "content": ""})]
    pieces += [chunk({"content": text}) for text in texts]
    pieces.append(chunk({}, finish=finish))
    if usage is not None:
        pieces.append({**chunk({}), "choices": [], "usage": usage})
    return pieces


def says(text: str = "hello", **more: Any) -> Behaviour:
    """Streams when asked to, like most providers."""

    def behave(visit: Visit) -> None:
        if visit.path.endswith("/models"):
            visit.json({"object": "list", "data": [{"id": "fake"}, {"id": "fake-large"}]})
        elif visit.streamed:
            with visit.stream() as send:
                send(sse(words(*re.findall(r"\S+\s*", text), **more)))
        else:
            visit.json(completion(text, **more))

    return behave


def streams(*pieces: bytes, pause: float = 0.0) -> Behaviour:
    """Sends bytes as they are, in these pieces."""

    def behave(visit: Visit) -> None:
        with visit.stream() as send:
            for piece in pieces:
                send(piece)
                time.sleep(pause)

    return behave


def answers(document: Any, status: int = 200, **headers: str) -> Behaviour:
    """Always the same document."""
    return lambda visit: visit.json(document, status, **headers)


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One after the other; the last one for ever."""

    def behave(visit: Visit) -> None:
        behaviours[min(visit.number, len(behaviours)) - 1](visit)

    return behave


def refuses(status: int, message: str = "no", **error: Any) -> Behaviour:
    """An error as OpenAI words it."""
    return answers({"error": {"message": message, "type": "error", **error}}, status)


def dies_after(pieces: bytes) -> Behaviour:
    """A stream that breaks off."""

    def behave(visit: Visit) -> None:
        visit.handler.send_response(200)
        visit.handler.send_header("Content-Type", "text/event-stream")
        visit.handler.send_header("Transfer-Encoding", "chunked")
        visit.handler.end_headers()
        visit.handler.wfile.write(b"%x\r\n%b\r\n" % (len(pieces), pieces))
        visit.vanish()

    return behave


def hangs(released: threading.Event) -> Behaviour:
    """Takes a request and never answers, until the test is over."""
    return lambda _: void(released.wait(60))


def void(_: object) -> None:
    """Nothing."""


@dataclass
class Strict:
    """A server that refuses what strict ones refuse; `problems` says why."""

    text: str = "fine"
    alternates: bool = False
    problems: list[str] = field(default_factory=list)

    def __call__(self, visit: Visit) -> None:
        problem = next(faults(visit.body["messages"], alternates=self.alternates), None)
        if problem is not None:
            self.problems.append(problem)
            visit.json({"error": {"message": problem, "type": "invalid_request_error"}}, 400)
        else:
            says(self.text)(visit)


def faults(messages: list[Any], *, alternates: bool = False) -> Iterator[str]:
    """What a strict provider finds wrong with a history."""
    waiting: list[str] = []
    role_before = ""
    for number, message in enumerate(messages):
        where = f"messages[{number}]"
        role = message.get("role")
        if role not in ("system", "developer", "user", "assistant", "tool"):
            yield f"{where}: unknown role {role!r}"
        if "content" not in message:
            yield f"{where}: missing field content"
        if waiting and role != "tool":
            yield f"{where}: tool calls without answers: {waiting}"
        if role == "tool":
            if message.get("tool_call_id") not in waiting:
                yield f"{where}: an answer to no call"
            else:
                waiting.remove(message["tool_call_id"])
            if not isinstance(message.get("content"), str | list):
                yield f"{where}: a tool's content is text"
        if role == "assistant":
            calls = message.get("tool_calls")
            if "tool_calls" in message and not calls:
                yield f"{where}: empty tool_calls"
            if not calls and not message.get("content"):
                yield f"{where}: neither text nor calls"
            for call in calls or ():
                if not isinstance(json.loads(call["function"]["arguments"]), dict):
                    yield f"{where}: arguments are not an object"
                waiting.append(call["id"])
            if len(set(waiting)) != len(waiting):
                yield f"{where}: ids are not unique"
        if alternates and role in ("user", "assistant") and role == role_before:
            yield f"{where}: roles must alternate"
        role_before = (
            role if role in ("user", "assistant") else role_before if role == "system" else ""
        )
    if waiting:
        yield f"tool calls without answers: {waiting}"
    json.dumps(messages, allow_nan=False, ensure_ascii=False).encode()
