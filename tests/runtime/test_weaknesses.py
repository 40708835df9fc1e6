"""The known weaknesses of the reference implementation, and the tests that show we lack them.

The table names, for each of K1 to K23 of the protocol specification, where to look; what has no
better place is tested here.
"""

from __future__ import annotations

import importlib
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.observing import DEADLINE
from tests.runtime import test_host_http
from tests.runtime.conftest import PYTHON_ACTOR, message, until
from tests.runtime.test_host_http import Server
from wasmind.models import Choice, open_gateway
from wasmind.plan import Credential, Model
from wasmind.runtime import agents, engine
from wasmind.runtime.abi import Err, Ok
from wasmind.runtime.credentials import Credentials, MissingSecret
from wasmind.runtime.errors import RuntimeFailure
from wasmind.runtime.events import Events, LogRecord
from wasmind.runtime.host.door import Host
from wasmind.runtime.host.models import ModelRequest

TESTS = {
    "K1 silent message loss": "test_agents.test_thousands_behind_arrive_all_and_in_order",
    "K2 everybody gets everything": (
        "test_lifecycle.test_an_actor_with_a_contract_is_given_only_what_it_handles"
    ),
    "K3 long host calls": "test_agents.test_stop_interrupts_blocked_calls",
    "K4 replay hits everyone": "test_agents.test_models_are_replayed_to_new_agents_only",
    "K5 compilation at each spawn": "test_weaknesses.test_a_component_is_compiled_once",
    "K6 no resource limits": "test_failures.test_an_endless_loop_is_ended_and_the_actor_restarted",
    "K7 readiness is miscounted": "test_agents.test_two_actors_of_one_kind_are_counted_as_two",
    "K8 failures are silent and final": (
        "test_failures.test_a_tool_call_its_actor_dies_of_is_answered_with_an_error"
    ),
    "K9 identifiers can collide": "test_weaknesses.test_scopes_never_repeat",
    "K10 spawning is not atomic": "test_agents.test_a_failing_member_leaves_nothing_of_the_agent",
    "K11 exit is not a shutdown": (
        "test_agents.test_exit_reaches_descendants_first_and_runs_destructors"
    ),
    "K12 Done does not end an agent": "test_weaknesses.test_done_ends_the_agent",
    "K13 lifecycle is untested": "test_agents.test_a_spawned_agent_is_announced_and_ready_once",
    "K14 command output": (
        "test_host_command.test_a_flood_on_stderr_does_not_block_while_stdout_is_open"
    ),
    "K15 env-clear has no effect": (
        "test_host_command.test_env_clear_starts_from_nothing_and_keeps_what_follows"
    ),
    "K16 HTTP errors are wrong or fatal": "test_host_http.test_what_cannot_be_sent_is_told_apart",
    "K17 HTTP politeness": "test_host_http.test_retry_after_is_honoured",
    "K18 whole file system": "test_host_filesystem.test_nothing_outside_the_grant_is_read",
    "K19 import equals permission": (
        "test_failures.test_what_is_not_granted_is_refused_with_the_line_to_add"
    ),
    "K20 no authority check": "test_failures.test_messages_of_the_host_cannot_be_forged",
    "K21 senders are ambiguous": "test_weaknesses.test_every_message_names_its_sender",
    "K22 secrets in logs": "test_weaknesses.test_a_flood_of_log_records_is_slowed_down",
    "K23 gateway exposure": "test_weaknesses.test_models_answer_without_a_socket",
}


def test_all_are_covered() -> None:
    assert [name.partition(" ")[0] for name in TESTS] == [f"K{number}" for number in range(1, 24)]
    for place in TESTS.values():
        module, _, name = place.partition(".")
        assert callable(getattr(importlib.import_module(f"tests.runtime.{module}"), name)), place


IDLE = """
    from wasmind_actor import Actor

    class Idle(Actor):
        pass
"""


def test_a_component_is_compiled_once(python_bundle, run, monkeypatch) -> None:
    loaded = []
    monkeypatch.setattr(
        engine.Engine, "_load", _recording(engine.Engine._load, loaded), raising=True
    )
    runtime, _ = run(python_bundle(a=IDLE, b=IDLE))
    host = runtime._coordinator._agents.instances()[0].host
    for _ in range(5):
        runtime._coordinator.spawn(host, ["a", "b"], "more")
    assert len(loaded) == 1


def _recording(function: Any, calls: list[Any]) -> Any:
    def record(*arguments: Any) -> Any:
        calls.append(arguments)
        return function(*arguments)

    return record


def test_scopes_never_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["000000", "aaaaaa", "aaaaaa", "000000", "bbbbbb"])
    monkeypatch.setattr(agents, "short_id", lambda: next(drawn))
    tree = agents.Agents(deepest=9, most=9)
    root = tree.open("root", None)
    first = tree.open("first", root.scope)
    tree.discard(first)  # also the scope of an agent that has ended is not used again
    second = tree.open("second", root.scope)
    assert [root.scope, first.scope, second.scope] == ["000000", "aaaaaa", "bbbbbb"]


FINISHES = """
    from wasmind_actor import Actor, Message, on
    from wasmind_actor.messages import Exit

    class Finish(Message):
        message_type = "test.Finish"

    class Finishes(Actor):
        @on(Finish, reach="any")
        def finish(self):
            self.broadcast(Exit())
"""


def test_done_ends_the_agent(python_bundle, run) -> None:
    # The assistant broadcasts Exit on every way to Done; its own tests show that. Exit ends it.
    runtime, _ = run(python_bundle(finishes=FINISHES))
    runtime.send("test.Finish", None)
    assert runtime.wait(DEADLINE)


def test_every_message_names_its_sender(python_bundle, run) -> None:
    says = """
        from wasmind_actor import Actor, Message

        class Hello(Message):
            message_type = "test.Hello"

        class Says(Actor):
            def start(self):
                self.broadcast(Hello())
    """
    bundle = python_bundle(one=(says, PYTHON_ACTOR._replace(spawn_with=("two",))), two=says)
    same = tuple(actor._replace(actor_id="test:same") for actor in bundle.plan.actors)
    _, events = run(replace(bundle, plan=bundle.plan._replace(actors=same)))
    senders = [until(events, message("test.Hello")).sender for _ in range(2)]
    assert senders == ["one", "two"]


FLOODS = """
    from wasmind_actor import Actor, Message, log, on

    class Go(Message):
        message_type = "test.Go"

    class Floods(Actor):
        @on(Go, reach="any")
        def go(self):
            for number in range(5000):
                log.info(f"line {number}")
"""


def test_a_flood_of_log_records_is_slowed_down(python_bundle, run) -> None:
    runtime, events = run(python_bundle(floods=FLOODS))
    runtime.send("test.Go", None)
    runtime.stop(timeout=DEADLINE)
    records = [event for event in events if isinstance(event, LogRecord)]
    assert 2_000 <= len(records) < 5_000


def test_models_answer_without_a_socket() -> None:
    def listening() -> set[str]:
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        inodes = {line.split()[9] for line in lines if line.split()[3] == "0A"}
        links = Path("/proc/self/fd").iterdir()
        own = (str(link.readlink()) for link in links if link.is_symlink())
        return inodes & {name.removeprefix("socket:[").rstrip("]") for name in own}

    before = listening()
    script = {"rules": [{"answer": {"text": "hello"}}]}
    choice = Choice((Model(name="m", kind="scripted", settings=script),))
    gateway = open_gateway(choice, Events(), lambda _: None)
    body = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
    request = ModelRequest(
        method="POST",
        path="/v1/chat/completions",
        body=body,
        actor="a",
        scope="000000",
        message_id=None,
        cancelled=threading.Event(),
        largest=1 << 20,
    )
    answer = json.loads(gateway.answer(request).body)
    assert answer["choices"][0]["message"]["content"] == "hello"
    assert listening() == before


# Secrets and TLS


class Secure:
    """An HTTPS server on the loopback interface that keeps what it was sent."""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []
        self.redirect: str | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.headers.append({key.lower(): value for key, value in self.headers.items()})
                self.send_response(302 if outer.redirect and self.path == "/" else 200)
                if outer.redirect:
                    self.send_header("Location", outer.redirect)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


TLS = Path(__file__).parents[1] / "tls"
make_host = test_host_http.make_host
server = test_host_http.server


@pytest.fixture
def secure() -> Iterator[Secure]:
    running = Secure()
    yield running
    running.server.shutdown()
    running.server.server_close()


def test_a_certificate_nobody_vouches_for_is_refused(make_host, secure: Secure) -> None:
    host = make_host(hosts=["localhost"])
    answer = test_host_http.send(
        host, "GET", f"https://localhost:{secure.port}/", ("retry", 7, 60_000)
    )
    assert isinstance(answer, Err)
    assert host.around.retries == []  # it would be no better the next time
    assert "certificate of `localhost:" in answer.value[1]
    assert "`SSL_CERT_FILE`" in answer.value[1]
    assert secure.headers == []


def test_a_credential_is_added_to_its_host_and_goes_no_further(
    make_host, secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", "s3cret")
    credentials = Credentials(
        [Credential(host="localhost", header="X-Token", prefix="Bearer ", variable="API_TOKEN")]
    )
    host = make_host(hosts=["localhost", "127.0.0.1"])
    host.around.sealed = credentials
    host.around.pool._context = ssl.create_default_context(cafile=str(TLS / "cert.pem"))
    secure.redirect = f"https://127.0.0.1:{secure.port}/elsewhere"
    answer = test_host_http.send(host, "GET", f"https://localhost:{secure.port}/")
    assert isinstance(answer, Ok)
    assert [headers.get("x-token") for headers in secure.headers] == ["Bearer s3cret", None]
    assert "s3cret" not in repr(credentials)


def test_over_plain_http_a_credential_goes_to_near_addresses_only(
    make_host, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", "s3cret")
    host = make_host(hosts=["127.0.0.1"])
    host.around.sealed = credentials = Credentials(
        [Credential(host="127.0.0.1", header="X-Token", prefix="", variable="API_TOKEN")]
    )
    assert isinstance(test_host_http.send(host, "GET", server.url), Ok)
    assert server.requests[0][2]["x-token"] == "s3cret"
    for near in ("10.1.2.3", "fd00::1", "::1"):
        sealed = credentials.for_request("http", "127.0.0.1", ipaddress.ip_address(near))
        assert sealed.headers == (("X-Token", "s3cret"),), near
    for far in ("8.8.8.8", "100.64.0.1", "169.254.169.254", "2606:4700::1111"):
        sealed = credentials.for_request("http", "127.0.0.1", ipaddress.ip_address(far))
        assert sealed.headers == (), far
        # Said once, or every request would say it.
        assert (sealed.withheld is not None) is (far == "8.8.8.8"), far


def test_a_credential_without_its_variable_is_an_error_at_the_start() -> None:
    missing = Credential(host="h", header="X", prefix="", variable="SURELY_NOT_SET")
    with pytest.raises(MissingSecret, match="`SURELY_NOT_SET`"):
        Credentials([missing])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("sk-one\nsk-two", "character 7 of it is a line end"),
        ("sk-\x1bkey", "a control character"),
        ("\u201csk-key\u201d", "not in Latin-1"),
        ("'sk-key'", "in quotes"),
        ('"sk-key"', "in quotes"),
        (" \r\n", "is empty"),
        ("sk-key\udcff", "not UTF-8"),
    ],
)
def test_a_secret_no_header_can_hold_is_an_error_at_the_start(
    value: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", value)
    with pytest.raises(RuntimeFailure) as caught:
        Credentials([Credential(host="h", header="X", prefix="Bearer ", variable="API_TOKEN")])
    assert "`API_TOKEN`" in str(caught.value)
    assert reason in str(caught.value)
    assert "sk-" not in str(caught.value)


@pytest.mark.parametrize("value", ["sk-key-1\n", "sk-key-1\r\n", " sk-key-1 ", "\tsk-key-1"])
def test_blanks_around_a_secret_are_not_part_of_it(
    make_host, server: Server, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", value)
    host = sealed_host(make_host)
    assert isinstance(test_host_http.send(host, "GET", server.url), Ok)
    assert server.requests[0][2]["authorization"] == "Bearer sk-key-1"


def sealed_host(make_host) -> Host:
    """A host whose requests to 127.0.0.1 get the secret in `API_TOKEN`."""
    host = make_host(hosts=["127.0.0.1"])
    host.around.sealed = Credentials(
        [
            Credential(
                host="127.0.0.1", header="Authorization", prefix="Bearer ", variable="API_TOKEN"
            )
        ]
    )
    return host


def test_a_server_that_quotes_a_secret_does_not_give_it_to_the_actor(
    make_host, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", "sk-k\\ey-1")
    host = sealed_host(make_host)

    def quote(handler: BaseHTTPRequestHandler) -> None:
        given = handler.headers["Authorization"]
        test_host_http.answer(handler, 401, f"bad key: {given}".encode(), X_Key=given)

    server.handle = quote
    status, (headers,), body = test_host_http.send(host, "GET", server.url).value
    assert (status, body) == (401, b"bad key: Bearer ***")
    assert dict(headers)["x-key"] == "Bearer ***"

    def break_off(handler: BaseHTTPRequestHandler) -> None:
        line = f"HTTP/1.1 200 OK\r\n{handler.headers['Authorization']}\r\n\r\n"
        handler.wfile.write(line.encode())
        handler.close_connection = True

    server.handle = break_off
    answer = test_host_http.send(host, "GET", server.url)
    assert isinstance(answer, Err)
    assert "ey-1" not in str(answer.value)


def test_what_a_library_says_about_a_header_does_not_quote_it(
    make_host, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if a secret passed that the library refuses."""
    monkeypatch.setenv("API_TOKEN", "sk-key-1")
    host = sealed_host(make_host)
    host.around.sealed._headers["127.0.0.1"] = [("Authorization", "Bearer sk-key-1\n")]
    answer = test_host_http.send(host, "GET", server.url)
    assert answer.value == ("builder-error", "Illegal header value")
    host.around.sealed._headers["127.0.0.1"] = [("Authorization", "Bearer sk-key-1\u201d")]
    answer = test_host_http.send(host, "GET", server.url)
    assert answer.value == ("network-error", "the request failed: UnicodeEncodeError")
