"""The child that serves `[litellm]`, with the real proxy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from tests.models.litellm_environment import Unavailable, litellm_script
from wasmind.litellm_program import ProxyError, find_program, installed_version, is_unsafe
from wasmind.models.litellm.proxy import Proxy, ProxySettings, environment, free_port

KEY = "sk-upstream-key-of-the-user"
MODEL = {
    "model_name": "small",
    "litellm_params": {
        "model": "openai/some-model",
        "api_base": "http://127.0.0.1:9/v1",
        "api_key": "os.environ/UPSTREAM_KEY",
    },
}


def probe(url: str, key: str) -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture(scope="module")
def script() -> str:
    try:
        return str(litellm_script())
    except Unavailable as error:
        pytest.skip(str(error))


def settings(**changes: Any) -> ProxySettings:
    given: dict[str, Any] = {"models": (MODEL,), "port": 0, "env_overrides": {}}
    return ProxySettings(**{**given, **changes})


def proxy(told: list[str], **changes: Any) -> Proxy:
    variables = {**os.environ, "UPSTREAM_KEY": KEY, "OTHER_KEY": "never for the proxy"}
    return Proxy(settings(**changes), variables, told.append, probe)


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that must happen; a hang is ended by whoever runs the tests."""
    pause = Event()
    while not condition():
        pause.wait(0.05)


def descendants(pid: int) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if parent == pid:
            yield int(folder.name)
            yield from descendants(int(folder.name))


def servers(port: int) -> list[int]:
    """Processes of this machine that were told to listen on `port`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--port" in words and words[words.index(b"--port") + 1] == str(port).encode():
            found.append(int(folder.name))
    return found


@pytest.mark.slow
def test_a_proxy_serves_restarts_after_it_was_killed_and_ends(script: str) -> None:
    told: list[str] = []
    child = proxy(told, command=(script,))
    try:
        address = child.address()
        port = int(address.base_url.rpartition(":")[2])
        assert probe(f"{address.base_url}/v1/models", address.key) == 200
        assert child.address() == address, "it is started once"
        assert address.key not in repr(address)
        for pid in servers(port):
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
            variables = Path(f"/proc/{pid}/environ").read_bytes()
            assert KEY.encode() not in arguments
            assert address.key.encode() not in arguments
            assert b"never for the proxy" not in variables
        leash = min(servers(port))
        for pid in descendants(leash):
            os.kill(pid, signal.SIGKILL)
        until(lambda: child.ended() is not None)
        ended = child.ended() or ""
        assert "killed by signal 9" in ended
        assert KEY not in ended
        again = child.address()
        assert probe(f"{again.base_url}/v1/models", again.key) == 200
    finally:
        child.close()
    assert not servers(port)
    assert any("killed by signal 9; starting it again" in line for line in told)
    assert sum("is ready after" in line for line in told) == 2


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_nothing_is_left_when_the_run_is_killed(script: str, tmp_path: Path) -> None:
    program = tmp_path / "run.py"
    program.write_text(
        "import sys\n"
        "from tests.models.test_litellm_proxy import proxy\n"
        f"child = proxy([], command=({script!r},))\n"
        "print(child.address().base_url, flush=True)\n"
        "sys.stdin.read()\n"
    )
    run = subprocess.Popen(
        [sys.executable, program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    assert run.stdout is not None
    assert run.stdin is not None
    port = int(run.stdout.readline().rpartition(":")[2])
    assert servers(port)
    run.kill()
    run.wait()
    until(lambda: not servers(port))
    run.stdin.close()
    run.stdout.close()


def test_the_environment_of_the_proxy_is_chosen() -> None:
    variables = {
        "PATH": "/bin",
        "UPSTREAM_KEY": KEY,
        "HOST": "0.0.0.0",
        "PORT": "1",
        "OPENAI_API_KEY": "not named",
    }
    chosen = environment(settings(env_overrides={"EXTRA": "yes"}), variables, "sk-run")
    assert chosen["UPSTREAM_KEY"] == KEY
    assert chosen["EXTRA"] == "yes"
    assert chosen["LITELLM_MASTER_KEY"] == "sk-run"
    assert not {"HOST", "PORT", "OPENAI_API_KEY", "DATABASE_URL"} & chosen.keys()


def test_a_program_that_ends_at_once_is_told_with_its_last_lines(tmp_path: Path) -> None:
    program = tmp_path / "litellm"
    program.write_text(f"#!/bin/sh\necho 'bad key {KEY}'\necho 'no module prisma' >&2\nexit 3\n")
    program.chmod(0o755)
    child = proxy([], command=(str(program),))
    with pytest.raises(ProxyError) as caught:
        child.address()
    child.close()
    assert "ended with status 3" in str(caught.value)
    assert "no module prisma" in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_program_that_never_gets_ready_can_be_given_up(tmp_path: Path) -> None:
    program = tmp_path / "litellm"
    program.write_text("#!/bin/sh\nsleep 1000\n")
    program.chmod(0o755)
    told: list[str] = []
    child = proxy(told, command=(str(program),))
    failures: list[str] = []

    def call() -> None:
        try:
            child.address()
        except ProxyError as error:
            failures.append(str(error))

    caller = Thread(target=call)
    caller.start()
    until(lambda: bool(told))
    child.close()
    caller.join()
    assert failures == ["the run has ended"]


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = str(tmp_path)
    monkeypatch.setattr("sysconfig.get_path", lambda name: nowhere)
    with pytest.raises(ProxyError, match=r"LiteLLM is not installed.*wasmind\[litellm\]"):
        find_program((), None, "c", nowhere)
    with pytest.raises(ProxyError, match="neither LiteLLM nor Docker is installed"):
        find_program((), "image:1", "c", nowhere)
    with pytest.raises(ProxyError, match=r"`nope` of `litellm\.command`"):
        find_program(("nope",), None, "c", nowhere)
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\nexit 1\n")
    docker.chmod(0o755)
    with pytest.raises(ProxyError, match="its daemon is not running"):
        find_program((), "image:1", "c", nowhere)


@pytest.mark.parametrize(
    ("version", "unsafe", "refused"),
    [("1.82.7", True, True), ("1.83.6", True, False), ("1.83.7", False, False)],
)
def test_releases_with_holes_are_known(
    tmp_path: Path, version: str, unsafe: bool, refused: bool
) -> None:
    script = tmp_path / "bin" / "litellm"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    (packages / f"litellm-{version}.dist-info").mkdir(parents=True)
    found = installed_version(script)
    assert found is not None
    assert is_unsafe(found) is unsafe
    if refused:
        with pytest.raises(ProxyError, match="sends your credentials to strangers"):
            find_program((), None, "c", str(script.parent))
    else:
        assert find_program((), None, "c", str(script.parent)).arguments == (str(script),)


def test_a_taken_port_is_not_used() -> None:
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    try:
        assert free_port(server.server_port) != server.server_port
    finally:
        server.server_close()
