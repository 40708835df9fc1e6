"""The `http` capability against real servers on the loopback interface."""

from __future__ import annotations

import base64
import gzip
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from wasmind.plan import Actor, Limits
from wasmind.runtime.abi import Err, Ok
from wasmind.runtime.credentials import Credentials, Sealed
from wasmind.runtime.events import HttpRetry
from wasmind.runtime.host.connections import Connections
from wasmind.runtime.host.door import Host
from wasmind.runtime.host.egress import Policy, Refused
from wasmind.runtime.host.http import HTTP, retry_after
from wasmind.runtime.host.models import ModelReply, ModelRequest

Handle = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """An HTTP server whose behaviour a test sets."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.connections: set[Any] = set()
        self.handle: Handle = lambda handler: answer(handler, 200, b"ok")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_request(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.connections.add(self.client_address)
                headers = {key.lower(): value for key, value in self.headers.items()}
                outer.requests.append((self.command, self.path, headers, body))
                outer.handle(self)

            do_GET = do_POST = do_DELETE = handle_request

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        # A client that hangs up before it has read everything is what some tests are about.
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


class Gateway:
    """Answers for models, and keeps what it was asked."""

    def __init__(self, status: int = 200, body: bytes = b"{}") -> None:
        self.reply = ModelReply(status, body)
        self.asked: list[ModelRequest] = []

    def answer(self, request: ModelRequest) -> ModelReply:
        self.asked.append(request)
        return self.reply


class Around:
    """Surroundings with real clients."""

    def __init__(self) -> None:
        self.logged: list[str] = []
        self.given_up: list[int] = []
        self.gateway: Gateway | None = None
        self.retries: list[HttpRetry] = []
        self.sealed = Credentials([])
        self.pool = Connections()

    def log(self, host: Host, level: str, text: str) -> None:
        self.logged.append(f"{level}: {text}")

    def slot(self, limit: str) -> Any:
        return nullcontext(enter_result=True)

    def credentials(self, scheme: str, host: str, address: Any) -> Sealed:
        return self.sealed.for_request(scheme, host, address)

    def masked(self, text: str) -> str:
        return self.sealed.masked(text)

    def masked_bytes(self, data: bytes) -> bytes:
        return self.sealed.masked_bytes(data)

    def blocked(self) -> Any:
        return nullcontext()

    def connections(self) -> Connections:
        return self.pool

    def models(self) -> Gateway | None:
        return self.gateway

    def http_retry(self, host: Host, retry: HttpRetry) -> None:
        self.retries.append(retry)

    def http_failed(self, host: Host, attempts: int, reason: str) -> None:
        self.given_up.append(attempts)


@pytest.fixture
def make_host() -> Iterator[Callable[..., Host]]:
    made: list[Host] = []

    def make(**grant: Any) -> Host:
        grants = {"http": grant or {"hosts": ["127.0.0.1"]}}
        actor = Actor(name="web", actor_id="test:web", component="0" * 64, grants=grants)
        made.append(Host(actor, "000000", Around()))
        return made[-1]

    yield make
    for host in made:
        host.around.pool.close()


def call(host: Host, name: str, *values: Any) -> Any:
    return HTTP.functions[name].body(host, *values)


def send(host: Host, method: str, url: str, *steps: tuple[Any, ...]) -> Any:
    """Build a request by chaining and send it."""
    handle = call(host, "[constructor]request", method, url).rep
    for name, *values in steps:
        handle = call(host, f"[method]request.{name}", handle, *values).rep
    return call(host, "[method]request.send", handle)


def test_a_request_carries_method_headers_and_body(make_host, server: Server) -> None:
    response = send(
        make_host(),
        "POST",
        f"{server.url}/a?b=c",
        ("header", "X-One", "1"),
        ("headers", ([("X-Two", "2")],)),
        ("body", b"data"),
    )
    status, (headers,), body = response.value
    assert (status, body) == (200, b"ok")
    assert ("content-length", "2") in headers
    method, path, received, sent = server.requests[0]
    assert (method, path, sent) == ("POST", "/a?b=c", b"data")
    assert (received["x-one"], received["x-two"]) == ("1", "2")


def test_a_builder_method_leaves_the_old_handle_as_it_was(make_host, server: Server) -> None:
    host = make_host()
    first = call(host, "[constructor]request", "POST", server.url).rep
    call(host, "[method]request.body", first, b"changed")
    call(host, "[method]request.send", first)
    assert server.requests[0][3] == b""


@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_status_is_an_answer_not_an_error(make_host, server: Server, status: int) -> None:
    server.handle = lambda handler: answer(handler, status)
    assert send(make_host(), "GET", server.url).value[0] == status


def test_connections_are_reused(make_host, server: Server) -> None:
    host = make_host()
    for _ in range(5):
        send(host, "GET", server.url)
    assert len(server.connections) == 1


@pytest.mark.parametrize(
    ("method", "url", "header", "case"),
    [
        ("GET", "http://", ("a", "b"), "invalid-url"),
        ("GET", "not a url", ("a", "b"), "invalid-url"),
        ("GET", "http://[::1", ("a", "b"), "invalid-url"),
        ("GET", "ftp://example.com", ("a", "b"), "builder-error"),
        ("GE T", "http://127.0.0.1", ("a", "b"), "builder-error"),
        ("GET", "http://127.0.0.1", ("a b", "c"), "builder-error"),
        ("GET", "http://127.0.0.1", ("a", "b\r\nc: d"), "builder-error"),
    ],
)
def test_what_cannot_be_sent_is_told_apart(
    make_host, method: str, url: str, header: tuple[str, str], case: str
) -> None:
    response = send(make_host(), method, url, ("retry", 3, 1), ("header", *header))
    assert isinstance(response, Err)
    assert response.value[0] == case


def test_a_refused_connection_is_a_network_error(make_host) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        host = make_host()
        expected = ("network-error", "Connection refused")
        assert send(host, "GET", url, ("retry", 2, 1)).value == expected
    assert host.around.given_up == [2]


def test_zero_attempts_mean_one(make_host, server: Server) -> None:
    assert isinstance(send(make_host(), "GET", server.url, ("retry", 0, 0)), Ok)


def test_retryable_statuses_are_tried_again_in_any_builder_order(make_host, server: Server) -> None:
    server.handle = lambda handler: answer(handler, 503 if len(server.requests) < 3 else 200)
    steps = [("retry-on-status-codes", [503]), ("retry", 5, 1)]
    assert send(make_host(), "GET", server.url, *steps).value[0] == 200
    assert len(server.requests) == 3


def test_the_last_attempt_returns_a_retryable_status(make_host, server: Server) -> None:
    server.handle = lambda handler: answer(handler, 503)
    host = make_host()
    steps = [("retry", 2, 1), ("retry-on-status-codes", [503])]
    assert send(host, "GET", server.url, *steps).value[0] == 503
    assert host.around.given_up == []


class Patience(threading.Event):
    """Notes for how long it should be waited for, and lets nobody wait."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.asked.append(timeout)
        return False


def test_retry_after_is_honoured(make_host, server: Server) -> None:
    server.handle = lambda handler: (
        answer(handler, 429, Retry_After="30")
        if len(server.requests) == 1
        else answer(handler, 200)
    )
    host = make_host()
    host.cancelled = Patience()
    send(host, "GET", server.url, ("retry", 2, 1), ("retry-on-status-codes", [429]))
    assert host.cancelled.asked == [pytest.approx(30, abs=3)]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3.5"}, 3.5),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after-ms": "3000"}, 3.0),
        ({"retry-after-ms": "250.5", "retry-after": "9"}, 0.2505),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "3s"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_how_long_a_server_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_each_attempt_that_fails_is_told_with_its_wait(make_host, server: Server) -> None:
    server.handle = lambda handler: (
        answer(handler, 429, retry_after_ms="20")
        if len(server.requests) < 3
        else answer(handler, 200)
    )
    host = make_host()
    steps = [("retry", 4, 1), ("retry-on-status-codes", [429])]
    assert send(host, "GET", server.url, *steps).value[0] == 200
    assert [
        (retry.target, retry.attempt, retry.attempts, retry.reason, retry.wait_seconds)
        for retry in host.around.retries
    ] == [
        (f"127.0.0.1:{server.port}", 1, 4, "status 429", 0.02),
        (f"127.0.0.1:{server.port}", 2, 4, "status 429", 0.02),
    ]


def test_a_server_that_says_not_to_retry_is_asked_once(make_host, server: Server) -> None:
    server.handle = lambda handler: answer(handler, 500, x_should_retry="false")
    host = make_host()
    steps = [("retry", 7, 1), ("retry-on-status-codes", [500])]
    assert send(host, "GET", server.url, *steps).value[0] == 500
    assert (len(server.requests), host.around.retries) == (1, [])


def test_what_is_cut_off_has_not_failed_as_often_as_it_might_have(
    make_host, server: Server
) -> None:
    """Nobody is told of seven attempts where the first was not even over."""
    host = make_host()

    def stop_meanwhile(handler: BaseHTTPRequestHandler) -> None:
        host.cancelled.set()
        answer(handler, 503)

    server.handle = stop_meanwhile
    steps = [("retry", 7, 60_000), ("retry-on-status-codes", [503])]
    assert send(host, "GET", server.url, *steps).value == ("network-error", "the actor is ending")
    assert (len(server.requests), host.around.given_up, host.around.retries) == (1, [], [])


def test_a_plain_server_asked_for_tls_is_named_and_asked_once(make_host, server: Server) -> None:
    host = make_host()
    case, text = send(host, "GET", f"https://127.0.0.1:{server.port}/", ("retry", 7, 60_000)).value
    assert case == "network-error"
    assert text == f"`127.0.0.1:{server.port}` does not speak TLS; is it `http://` that is meant?"


def test_what_a_request_waits_for_can_be_seen_meanwhile(make_host, server: Server) -> None:
    host = make_host()
    seen = []
    server.handle = lambda handler: (seen.append(host.doing), answer(handler, 200))
    send(host, "GET", server.url)
    assert [what for what, _ in seen] == [f"waiting for 127.0.0.1:{server.port}"]
    host.around.gateway = Gateway()
    send(host, "GET", "http://models.internal/v1/models")
    [asked] = host.around.gateway.asked
    asked.doing("waiting for fake at 127.0.0.1:1")
    assert host.doing[0] == "waiting for fake at 127.0.0.1:1"


def test_what_is_told_of_a_url_holds_no_password(make_host) -> None:
    response = send(make_host(), "GET", "http://me:s3cret@[::1/")
    assert response.value == ("invalid-url", "http://***@[::1/")


def test_a_slow_answer_is_a_time_out_even_when_it_drips(make_host, server: Server) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        with suppress(ConnectionError):  # when the client has gone
            while True:
                handler.wfile.write(b".")
                time.sleep(0.1)

    server.handle = drip
    assert send(make_host(), "GET", server.url, ("timeout", 1)).value == ("timeout", None)


def test_a_cancelled_actor_does_not_wait_for_an_answer(make_host, server: Server) -> None:
    host, over = make_host(), threading.Event()

    def cancel(handler: BaseHTTPRequestHandler) -> None:
        host.cancelled.set()
        over.wait()

    server.handle = cancel
    answered = send(host, "GET", server.url, ("retry", 7, 1000))
    over.set()
    reason = "the actor is ending"
    assert answered == Err(("network-error", reason))
    assert len(server.requests) == 1, "nor does it ask again"
    assert host.around.given_up == [], "nobody gave up: it was cut off"


def test_an_actor_that_is_cancelled_between_attempts_is_not_said_to_give_up(
    make_host, server: Server
) -> None:
    host = make_host()

    def busy(handler: BaseHTTPRequestHandler) -> None:
        answer(handler, 503)
        host.cancelled.set()

    server.handle = busy
    steps = [("retry", 7, 60_000), ("retry-on-status-codes", [503])]
    answered = send(host, "GET", server.url, *steps)
    assert isinstance(answered, Ok) or answered.value[1] == "the actor is ending"
    assert host.around.given_up == []


def test_redirects_are_followed_and_limited(make_host, server: Server) -> None:
    server.handle = lambda handler: (
        answer(handler, 302, Location="/end") if handler.path == "/" else answer(handler, 200, b"x")
    )
    assert send(make_host(), "GET", server.url + "/").value[2] == b"x"
    server.handle = lambda handler: answer(handler, 302, Location="/")
    assert "redirects" in send(make_host(), "GET", server.url + "/").value[1]


@pytest.mark.parametrize(
    ("status", "method", "expected"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "DELETE", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
    ],
)
def test_a_redirect_says_whether_method_and_body_go_along(
    make_host, server: Server, status: int, method: str, expected: str
) -> None:
    server.handle = lambda handler: (
        answer(handler, status, Location="end") if handler.path == "/a/" else answer(handler, 200)
    )
    steps = (("body", b"data"), ("header", "Content-Type", "text/plain"))
    host = make_host()
    send(host, method, server.url + "/a/", *steps)
    lost = [line for line in host.around.logged if "without the body" in line]
    assert len(lost) == (expected == "GET")
    method, path, headers, body = server.requests[1]
    assert (method, path) == (expected, "/a/end")
    assert (body, "content-type" in headers) == ((b"", False), (b"data", True))[expected != "GET"]


def test_a_redirect_to_another_origin_takes_no_secret_along(make_host, server: Server) -> None:
    other = Server()
    server.handle = lambda handler: answer(handler, 302, Location=f"{other.url}/")
    steps = [("header", name, "secret") for name in ("Authorization", "Cookie", "X-Plain")]
    send(make_host(), "GET", server.url, *steps)
    other.close()
    _, _, headers, _ = other.requests[0]
    assert headers["x-plain"] == "secret"
    assert not headers.keys() & {"authorization", "cookie"}


@pytest.mark.parametrize("target", ["ftp://127.0.0.1/", "http://", "//[::1", "javascript:x"])
def test_a_redirect_to_nowhere_is_an_error(make_host, server: Server, target: str) -> None:
    server.handle = lambda handler: answer(handler, 302, Location=target)
    response = send(make_host(), "GET", server.url)
    assert response.value[0] == "network-error"
    assert "redirect" in response.value[1]


def test_the_host_header_is_that_of_the_url(make_host, server: Server) -> None:
    """Behind a shared address, another name would reach another server than was granted."""
    send(make_host(), "GET", server.url, ("header", "Host", "other.example"))
    assert server.requests[0][2]["host"] == f"127.0.0.1:{server.port}"


def test_credentials_in_a_url_become_basic_authentication(make_host, server: Server) -> None:
    url = f"http://user:p%40ss@127.0.0.1:{server.port}/"
    send(make_host(), "GET", url)
    expected = base64.b64encode(b"user:p@ss").decode()
    assert server.requests[0][2]["authorization"] == f"Basic {expected}"


def test_no_cookie_is_kept(make_host, server: Server) -> None:
    server.handle = lambda handler: answer(handler, 200, Set_Cookie="session=1")
    host = make_host()
    for _ in range(2):
        send(host, "GET", server.url)
    assert "cookie" not in server.requests[1][2]


def test_a_compressed_body_arrives_as_it_was(make_host, server: Server) -> None:
    packed = gzip.compress(b"text" * 1000)
    server.handle = lambda handler: answer(handler, 200, packed, Content_Encoding="gzip")
    _, (headers,), body = send(make_host(), "GET", server.url).value
    assert body == b"text" * 1000
    assert not {key for key, _ in headers} & {"content-encoding", "content-length"}


def test_a_coding_we_do_not_know_is_left_to_the_actor(make_host, server: Server) -> None:
    server.handle = lambda handler: answer(handler, 200, b"\x0b\x00", Content_Encoding="br")
    _, (headers,), body = send(make_host(), "GET", server.url).value
    assert body == b"\x0b\x00"
    assert ("content-encoding", "br") in headers


@pytest.mark.parametrize(
    "spoilt",
    [
        b"not gzip",
        gzip.compress(b"text" * 1000)[:-9],
        gzip.compress(b"text") + b"junk behind it",
        gzip.compress(b"text") + gzip.compress(b"more")[:-9],
    ],
    ids=["other", "cut off", "junk behind", "second cut off"],
)
def test_a_body_that_does_not_decode_is_an_error(make_host, server: Server, spoilt: bytes) -> None:
    server.handle = lambda handler: answer(handler, 200, spoilt, Content_Encoding="gzip")
    assert send(make_host(), "GET", server.url).value[0] == "network-error"


@pytest.mark.parametrize(
    ("packed", "content"),
    [
        ([b"one", b"two", b"three"], b"onetwothree"),
        ([b"", b"two", b""], b"two"),
        ([b"x" * 3_000_000, b"y" * 10], b"x" * 3_000_000 + b"y" * 10),
    ],
    ids=["three", "empty ones", "large"],
)
@pytest.mark.parametrize("padding", [b"", b"\0" * 100])
def test_all_members_of_a_compressed_body_arrive(
    make_host, server: Server, packed: list[bytes], content: bytes, padding: bytes
) -> None:
    sent = b"".join(map(gzip.compress, packed)) + padding
    server.handle = lambda handler: answer(handler, 200, sent, Content_Encoding="gzip")
    assert send(make_host(), "GET", server.url).value[2] == content


@pytest.mark.parametrize(
    "tail", [b"\0" * (1 << 20), gzip.compress(b"") * 50_000], ids=["zeros", "empty members"]
)
def test_what_stands_for_nothing_counts_against_the_limit_of_a_body(
    make_host, server: Server, tail: bytes
) -> None:
    """An endless response, of which nothing is content."""

    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.end_headers()
        handler.wfile.write(gzip.compress(b"text"))
        with suppress(OSError):
            while True:
                handler.wfile.write(tail)

    server.handle = flood
    response = send(make_host(), "GET", server.url)
    assert response.value[1].startswith("the body is larger than 16 MiB")


def test_bytes_behind_a_response_do_not_answer_the_next_request(make_host, server: Server) -> None:
    def twice(handler: BaseHTTPRequestHandler) -> None:
        body = b"own" if handler.path == "/first" else b"true"
        both = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        if handler.path == "/first":
            both += b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
        handler.wfile.write(both)

    server.handle = twice
    host = make_host()
    assert send(host, "GET", f"{server.url}/first").value[2] == b"own"
    assert send(host, "GET", f"{server.url}/second").value[2] == b"true"
    assert len(server.connections) == 2


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_a_body_beyond_the_limit_is_not_read(make_host, server: Server, coding: str) -> None:
    body = bytes(80 << 20)
    sent = gzip.compress(body, 1) if coding == "gzip" else body
    server.handle = lambda handler: answer(handler, 200, sent, Content_Encoding=coding)
    response = send(make_host(), "GET", server.url, ("retry", 3, 1))
    assert response.value[1] == (
        "the body is larger than 16 MiB, the most that components of this kind can take"
    )
    assert len(server.requests) == 1


def test_the_framing_of_a_body_is_not_the_actors_business(make_host, server: Server) -> None:
    framing = (("header", "Content-Length", "4"), ("header", "Transfer-Encoding", "chunked"))
    send(make_host(), "POST", server.url, ("body", b"data and more"), *framing)
    assert server.requests[0][3] == b"data and more"
    assert "transfer-encoding" not in server.requests[0][2]


def test_connections_are_not_shared_between_policies(make_host, server: Server) -> None:
    one, other = make_host(), make_host(hosts=["127.0.0.1"], ports=[server.port])
    other.around = one.around
    for host in (one, other, one):
        send(host, "GET", server.url)
    assert len(server.connections) == 2


def test_a_connection_the_server_closed_meanwhile_is_not_used(make_host, server: Server) -> None:
    server.handle = lambda handler: answer(handler, 200, Connection="close")
    host = make_host()
    for _ in range(3):
        assert isinstance(send(host, "GET", server.url), Ok)
    assert len(server.connections) == 3


def test_loopback_is_refused_unless_granted(make_host, server: Server) -> None:
    for name in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0177.0.0.1", "2130706433"):
        host = make_host(ports=[])
        response = send(host, "GET", f"http://{name}:{server.port}/")
        assert isinstance(response, Err), name
        assert response.value[0] in ("network-error", "invalid-url"), name
    assert server.requests == []


def test_a_redirect_to_a_refused_address_is_not_followed(make_host, server: Server) -> None:
    target = "http://169.254.169.254/latest/meta-data/"
    server.handle = lambda handler: answer(handler, 302, Location=target)
    host = make_host()
    response = send(host, "GET", server.url)
    assert response.value[0] == "network-error"
    assert "169.254.169.254" in response.value[1]
    assert any("refused" in line for line in host.around.logged)


@pytest.mark.parametrize(
    "url", ["http://models.internal", "http://models.internal:80", "http://MODELS.internal"]
)
def test_models_are_asked_in_this_process_whatever_hosts_are_granted(make_host, url: str) -> None:
    host = make_host(hosts=["example.com"])
    host.around.gateway = Gateway(body=b'{"id": 1}')
    host.message_id = "root:abc123"
    response = send(host, "POST", f"{url}/v1/chat/completions", ("body", b"{}"))
    assert response == Ok((200, ([("content-type", "application/json")],), b'{"id": 1}'))
    [asked] = host.around.gateway.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/v1/chat/completions", b"{}")
    assert (asked.actor, asked.scope, asked.message_id) == ("web", "000000", "root:abc123")
    assert asked.cancelled is host.cancelled


def test_models_are_asked_once_whatever_retries_the_guest_wants(make_host) -> None:
    host = make_host()
    host.around.gateway = Gateway(status=503)
    steps = [("retry", 5, 1), ("retry-on-status-codes", [503])]
    response = send(host, "POST", "http://models.internal/v1/chat/completions", *steps)
    assert response.value[0] == 503
    assert len(host.around.gateway.asked) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://models.internal/v1/models",
        "http://models.internal:8080/v1/models",
        "http://models.internal.example.com/",
        "http://user@example.com/?http://models.internal/",
    ],
)
def test_other_origins_are_not_taken_for_the_models(make_host, url: str) -> None:
    host = make_host(hosts=["nowhere"])
    host.around.gateway = Gateway()
    response = send(host, "GET", url)
    assert isinstance(response, Err)
    assert "http.hosts" in response.value[1]
    assert host.around.gateway.asked == []


def test_an_answer_of_a_model_larger_than_the_limit_is_refused(make_host) -> None:
    host = make_host()
    host.actor = host.actor._replace(limits=Limits(response_mib=1))
    host.around.gateway = Gateway(body=b"x" * (1 << 20) + b"x")
    response = send(host, "GET", "http://models.internal/v1/models")
    assert isinstance(response, Err)
    assert "response_mib" in response.value[1]


@pytest.mark.parametrize(
    ("grant", "method", "refused"),
    [
        ({"methods": ["GET"]}, "DELETE", "http.methods"),
        ({"hosts": ["example.com"]}, "GET", "http.hosts"),
        ({"ports": [443]}, "GET", "http.ports"),
    ],
)
def test_a_grant_narrows(make_host, server: Server, grant, method: str, refused: str) -> None:
    host = make_host(**{"hosts": ["127.0.0.1"], **grant})
    response = send(host, method, server.url)
    assert refused in response.value[1]
    assert server.requests == []


def addresses(*texts: str) -> list[Any]:
    return [ipaddress.ip_address(text) for text in texts]


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "fe80::1",
        "fd00:ec2::254",
        "fc00::1",
        "224.0.0.1",
    ],
)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    with pytest.raises(Refused):
        Policy().choose("example.com", 80, addresses(address))


def test_a_public_address_is_chosen_over_a_private_one() -> None:
    found = addresses("10.0.0.1", "93.184.216.34")
    assert Policy().choose("example.com", 80, found) == found[1:]


def test_private_does_not_open_the_metadata_service() -> None:
    policy = Policy(private=True)
    assert policy.choose("intranet", 80, addresses("10.0.0.1"))
    with pytest.raises(Refused):
        policy.choose("intranet", 80, addresses("169.254.169.254"))


@pytest.mark.parametrize(
    ("entry", "address", "allowed"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "172.16.1.2", False),
        ("localhost", "127.0.0.1", True),
        ("localhost", "10.0.0.1", False),
        ("169.254.169.254", "169.254.169.254", True),
        ("*.example.com", "10.0.0.1", False),
    ],
)
def test_only_an_address_opens_an_address(entry: str, address: str, allowed: bool) -> None:
    policy = Policy(hosts=(entry,))
    if allowed:
        assert policy.choose("a.example.com", 80, addresses(address))
    else:
        with pytest.raises(Refused):
            policy.choose("a.example.com", 80, addresses(address))


def test_a_name_that_changes_between_check_and_connection_gains_nothing(
    make_host, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["93.184.216.34", "127.0.0.1"])
    lookups = []

    def changing(host: str, port: int, *_: Any, **__: Any) -> Any:
        lookups.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    monkeypatch.setattr(
        socket,
        "create_connection",
        lambda address, *_, **__: (
            pytest.fail(str(address))
            if address[0] != "93.184.216.34"
            else (_ for _ in ()).throw(OSError("unreachable"))
        ),
    )
    send(make_host(hosts=["rebind.example"]), "GET", f"http://rebind.example:{server.port}/")
    assert lookups == ["rebind.example"]
    assert server.requests == []


def test_old_connections_do_not_keep_new_ones_from_being_kept(
    make_host, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wasmind.runtime.host.connections._MOST_KEPT", 1)
    host, other = make_host(), Server()
    send(host, "GET", other.url)
    other.handle = lambda handler: answer(handler, 200, Connection="close")
    kept = next(iter(host.around.pool._kept.values()))[0]
    monkeypatch.setattr(type(kept), "reusable", property(lambda each: each is not kept))
    for _ in range(3):
        send(host, "GET", server.url)
    other.close()
    assert len(server.connections) == 1


def test_what_is_given_back_after_the_end_is_closed(make_host, server: Server) -> None:
    host = make_host()

    def close_meanwhile(handler: BaseHTTPRequestHandler) -> None:
        host.around.pool.close()
        answer(handler, 200)

    server.handle = close_meanwhile
    assert isinstance(send(host, "GET", server.url), Ok)
    assert host.around.pool._kept == {}


def test_an_upgrade_is_answered_like_any_status(make_host, server: Server) -> None:
    server.handle = lambda handler: (
        handler.send_response(101),
        handler.send_header("Upgrade", "x"),
        handler.end_headers(),
        setattr(handler, "close_connection", True),
    )
    steps = (("header", "Connection", "Upgrade"), ("header", "Upgrade", "x"), ("timeout", 5))
    response = send(make_host(), "GET", server.url, *steps)
    assert isinstance(response, Ok | Err)
