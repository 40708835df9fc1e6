"""What a hostile actor can do: real Python in the real sandbox, trying the obvious and the less so.

The probe actor runs whatever source a test sends it and tells what came of it.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.observing import FOR_EVER
from tests.runtime.conftest import (  # noqa: F401 - fixtures
    PYTHON_ACTOR,
    interpreter,
    message,
    python_bundle,
    run,
    until,
)
from wasmind.plan import Limits
from wasmind.runtime.messages import Envelope


def test_the_environment_of_the_host_is_not_there(probe, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    text = probe().attempt("import os; result = dict(os.environ)")
    assert "OPENAI_API_KEY" not in text
    assert str(Path.home()) not in text


@pytest.mark.parametrize(
    "source",
    [
        "result = open('/etc/passwd').read()",
        "import os; result = os.listdir('/')",
        "open('/tmp/from-sandbox', 'w').write('x'); result = 'written'",
        "import socket; socket.create_connection(('127.0.0.1', 80), 1); result = 'connected'",
        "import socket; result = socket.getaddrinfo('localhost', 80)",
        "import subprocess; result = subprocess.run(['id'], capture_output=True)",
        "import os; result = os.fork()",
        "import ctypes; result = ctypes.CDLL(None)",
        "import urllib.request; result = urllib.request.urlopen('http://127.0.0.1/').read()",
        "import os; os.kill(1, 9); result = 'killed'",
    ],
)
def test_wasi_leads_nowhere(probe, source: str) -> None:
    text = probe().attempt(source)
    assert not text.startswith("result:"), text
    assert not Path("/tmp/from-sandbox").exists()


def test_an_actor_that_exits_is_reported_and_the_rest_goes_on(probe) -> None:
    running = probe()
    assert not running.attempt("import os; os._exit(0)").startswith("result:")
    assert running.attempt("result = 1") == "result: 1"


@pytest.mark.parametrize("name", ["http", "command", "files", "host", "agents"])
def test_nothing_works_without_its_grant(probe, name: str) -> None:
    calls = {
        "http": "result = http.get('http://example.com')",
        "command": "result = command.run('id')",
        "files": "result = files.read('/etc/passwd')",
        "host": "result = host.working_directory()",
        "agents": "result = agents.spawn(['probe'], 'x')",
    }
    capability = {"files": "filesystem", "host": "host-info", "agents": "agent"}.get(name, name)
    text = probe(capabilities=("messaging", "logger")).attempt(calls[name])
    assert f"was not granted `{capability}`" in text


@pytest.mark.parametrize("path", ["../secret", "link/secret", "/etc/passwd", "a/../../secret"])
def test_files_outside_the_grant_are_refused_and_the_attempt_is_visible(
    probe, tmp_path: Path, path: str
) -> None:
    (tmp_path / "secret").write_text("s3cret")
    folder = tmp_path / "granted"
    (folder / "a").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path)
    running = probe(grants={"filesystem": {"read": [str(folder)]}})
    text = running.attempt(f"result = files.read({str(folder / path)!r})")
    assert text.startswith("DeniedError")
    assert "s3cret" not in text


@pytest.fixture
def local_server() -> Iterator[tuple[str, list[str]]]:
    """A server on the loopback interface and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if self.path == "/redirect":
                self.send_response(302)
                self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
                self.end_headers()
                return
            self.send_response(200)
            self.end_headers()
            if self.path == "/flood":
                try:
                    for _ in range(1000):
                        self.wfile.write(b"x" * (1 << 20))
                except OSError:
                    return

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "http://metadata.google.internal@127.0.0.1/",
        "http://127.0.0.1:1/",
        "http://0x7f000001/",
        "http://[::ffff:127.0.0.1]/",
    ],
)
def test_addresses_that_are_not_public_are_refused_and_the_attempt_is_visible(
    probe, url: str
) -> None:
    running = probe()
    text = running.attempt(f"result = http.get({url!r}, timeout=100)")
    assert not text.startswith("result:"), text
    assert "refused" in running.logged() or "InvalidUrl" in text


@pytest.mark.parametrize(
    "answers",
    [["169.254.169.254"], ["127.0.0.1"], ["fd00:ec2::254"], ["169.254.169.254", "127.0.0.1"]],
)
def test_a_name_that_leads_inside_is_refused_and_the_attempt_is_visible(
    probe, monkeypatch, answers: list[str]
) -> None:
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, *_, **__: [
            (0, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers
        ],
    )
    running = probe()
    text = running.attempt("result = http.get('http://metadata.google.internal/', timeout=100)")
    assert not text.startswith("result:"), text
    assert "which is not public" in running.logged()


def test_a_name_that_changes_between_check_and_connection_gains_nothing(
    probe, local_server, monkeypatch
) -> None:
    base, asked = local_server
    port = int(base.rpartition(":")[2])
    lookups: list[str] = []

    def changing(host: str, port: int, *_: Any, **__: Any) -> Any:
        lookups.append(host)
        # Public at the first look, the machine itself at every further one.
        address = "192.0.2.1" if len(lookups) > 1 else "93.184.216.34"
        return [(0, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> Any:
        assert address[0] == "93.184.216.34", "connected to an address nobody judged"
        raise OSError("unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    monkeypatch.setattr(socket, "create_connection", connect)
    text = probe().attempt(f"result = http.get('http://rebind.example:{port}/', timeout=100)")
    assert "NetworkError" in text
    assert lookups == ["rebind.example"]
    assert asked == []


def test_a_redirect_does_not_lead_out_of_the_grant(probe, local_server) -> None:
    base, asked = local_server
    running = probe(grants={"http": {"hosts": ["127.0.0.1"]}})
    text = running.attempt(f"result = http.get('{base}/redirect', timeout=100)")
    assert asked == ["/redirect"]
    assert not text.startswith("result:")
    assert "169.254.169.254" in running.logged()


def test_an_endless_body_is_cut_off(probe, local_server) -> None:
    base, _ = local_server
    limits = Limits(response_mib=2)
    running = probe(grants={"http": {"hosts": ["127.0.0.1"]}}, limits=limits)
    text = running.attempt(f"result = http.get('{base}/flood')")
    assert "larger than 2 MiB (limit `response_mib`)" in text


def test_an_oversized_message_is_refused_with_its_limit(probe) -> None:
    running = probe(limits=Limits(payload_mib=1))
    text = running.attempt("actor.broadcast(Outcome(text='x' * (2 << 20)))")
    assert "(limit `payload_mib`)" in text


def test_a_flood_of_output_is_kept_to_its_limit(probe) -> None:
    running = probe(limits=Limits(output_mib=1))
    source = (
        "out = command.run('head', '-c', '50000000', '/dev/zero', max_output_bytes=4000000000)\n"
        "result = (len(out.stdout), out.stdout_truncated)"
    )
    assert running.attempt(source) == f"result: ({1 << 20}, True)"


def test_children_do_not_outlive_the_call(probe, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = (
        f"setsid sh -c 'echo $$ >> {pid_file}; exec {FOR_EVER}' & "
        f"env -i sh -c 'echo $$ >> {pid_file}; exec {FOR_EVER}' & "
        f"until [ $(wc -l < {pid_file}) = 2 ]; do :; done"
    )
    running = probe()
    pid_file.touch()
    running.attempt(f"result = command.run('sh', '-c', {script!r})")
    assert [pid for pid in pid_file.read_text().split() if Path(f"/proc/{pid}").exists()] == []
    assert "ended what `sh` had left behind: " in running.logged()


def test_an_actor_hears_what_it_left_behind_and_how_its_output_ended(probe) -> None:
    outcome = probe().attempt(
        "out = command.run('sh', '-c', 'sleep 60 & seq 1 5000', max_output_bytes=9)\n"
        "result = (out.left_behind, out.stdout, out.stdout_missing, out.stdout_end)"
    )
    assert outcome == r"result: (('sleep 60',), b'1\n2\n3\n4\n5', 23875, b'999\n5000\n')"


@pytest.mark.parametrize("signal", ["KILL", "STOP"])
def test_a_command_that_turns_on_its_keeper_costs_its_call_only(
    probe, tmp_path: Path, signal: str
) -> None:
    pid_file = tmp_path / "pid"
    attack = (
        f"setsid sh -c 'echo $$ > {pid_file}; exec sleep 77' & "
        f"until [ -s {pid_file} ]; do :; done; kill -{signal} $PPID; sleep 77"
    )
    running = probe()
    outcome = running.attempt(f"result = command.run('bash', '-c', {attack!r}).status")
    assert outcome == "result: Signaled(signal=9)"
    assert not Path(f"/proc/{pid_file.read_text().strip()}").exists()
    assert "stdout=b'on\\n'" in running.attempt("result = command.run('echo', 'on')")
    assert running.runtime.stop(10)


@pytest.mark.parametrize(
    "kind",
    [
        "wasmind.common.actors.ActorReady",
        "wasmind.common.actors.AllActorsReady",
        "wasmind.common.actors.AgentSpawned",
        "wasmind.common.litellm.BaseUrlUpdate",
    ],
)
def test_messages_of_the_host_cannot_be_forged(probe, kind: str) -> None:
    running = probe()
    source = (
        "from wit_world.imports import messaging\n"
        "from wit_world.imports.types import Content_Text\n"
        f"messaging.broadcast({kind!r}, Content_Text('null'))\n"
        "result = 'sent'"
    )
    assert "only the host may" in running.attempt(source)
    assert f"refused to send `{kind}`: only the host may" in running.logged()
    forged = [
        event
        for event in running.seen
        if isinstance(event, Envelope) and event.message_type == kind and event.sender == "probe"
    ]
    assert len(forged) <= (kind.endswith("ActorReady"))  # the host's own, in the actor's name


def test_a_type_the_contract_does_not_name_is_refused(probe) -> None:
    running = probe(emits=("test.Outcome",))
    source = (
        "class Other(Message, type='other'):\n    n: int\nactor.broadcast(Other(n=1))\n"
        "result = 'sent'"
    )
    assert running.attempt(source).startswith("BroadcastError: refused to send `other`")
    assert "refused to send `other`" in running.logged()


def test_spawning_without_end_reaches_a_limit(probe) -> None:
    running = probe(grants={"agent": {"number": 3}}, may_spawn=("probe",))
    source = "result = [agents.spawn(['probe'], 'more') for _ in range(10)]"
    assert "may spawn 3 agents" in running.attempt(source)


def test_nesting_without_end_reaches_a_limit(probe) -> None:
    running = probe(grants={"agent": {"depth": 0}})
    assert "limit `agent.depth`" in running.attempt("agents.spawn(['probe'], 'child')")


def test_only_listed_actors_can_be_spawned(probe) -> None:
    running = probe(may_spawn=())
    assert "may not spawn `probe`" in running.attempt("agents.spawn(['probe'], 'child')")


def test_a_secret_of_the_host_is_in_no_event(probe, monkeypatch) -> None:
    monkeypatch.setenv("API_TOKEN", "s3cr3t-token")
    running = probe()
    running.attempt("result = command.run('env')")
    running.attempt("result = command.run('sh', '-c', 'echo $API_TOKEN')")
    running.attempt("raise RuntimeError('look around')")
    everything = json.dumps([str(event) for event in running.seen])
    assert "s3cr3t-token" not in everything


def test_control_characters_in_logs_do_not_reach_the_terminal(probe, capsys) -> None:
    from wasmind.cli.events import TextView
    from wasmind.cli.logs import LogLevels

    running = probe()
    running.attempt("from wasmind_actor import log; log.warn('\\x1b[2J\\x07boo'); result = 1")
    view = TextView(LogLevels())
    for event in running.seen:
        view.show(event)
    notes = capsys.readouterr().err
    assert "boo" in notes
    assert "\x1b" not in notes
