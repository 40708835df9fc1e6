"""`[litellm]`: what the gateway answers by itself, and what the real proxy answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.models.litellm_environment import Unavailable, litellm_script
from tests.models.test_litellm_proxy import servers, until
from tests.models.zoo import Provider, Visit, chunk, completion, says, sse, streams, tool_call
from wasmind.litellm_params import endpoint_settings
from wasmind.models.litellm.proxy import free_port
from wasmind.models.ping import ping
from wasmind.models.resolve import Directory
from wasmind.plan import Model

KEY = "sk-a-secret-key-of-the-user-0123456789"
CONFIG = """\
starting_actors = ["assistant", "bash"]

[actors.assistant]
source = {{ library = "assistant" }}
config = {{ model_name = "small" }}

[actors.bash]
source = {{ library = "execute_bash" }}

[litellm]
{proxy}
port = 4123

[[litellm.models]]
model_name = "small"

[litellm.models.litellm_params]
model = "openai/some-model"
api_base = "{url}"
api_key = "os.environ/UPSTREAM_KEY"
temperature = 0.5
"""


@pytest.mark.parametrize(
    ("parameters", "settings"),
    [
        (
            {"model": "openai/gpt-5-mini", "api_key": "os.environ/OPENAI_API_KEY"},
            {
                "provider": "openai",
                "model": "gpt-5-mini",
                "api_key": {"env": "OPENAI_API_KEY"},
            },
        ),
        (
            {
                "model": "openrouter/qwen/qwen3-coder",
                "api_key": "os.environ/OPENROUTER_API_KEY",
                "provider": {"only": ["fireworks", "cerebras"]},
            },
            {
                "provider": "openrouter",
                "model": "qwen/qwen3-coder",
                "api_key": {"env": "OPENROUTER_API_KEY"},
                "params": {"provider": {"only": ["fireworks", "cerebras"]}},
            },
        ),
        (
            {"model": "ollama_chat/llama3.2", "api_base": "http://127.0.0.1:11434/"},
            {"provider": "ollama", "model": "llama3.2", "base_url": "http://127.0.0.1:11434/v1"},
        ),
        (
            {"model": "hosted_vllm/x", "api_base": "http://127.0.0.1:8000/v1", "api_key": "none"},
            {
                "provider": "vllm",
                "model": "x",
                "base_url": "http://127.0.0.1:8000/v1",
                "headers": {"Authorization": "Bearer none"},
            },
        ),
        (
            {"model": "gpt-4o", "timeout": 30, "num_retries": 2, "rpm": 60, "extra_body": {"a": 1}},
            {
                "provider": "openai",
                "model": "gpt-4o",
                "timeout_seconds": 30.0,
                "retries": 2,
                "requests_per_minute": 60,
                "params": {"a": 1},
            },
        ),
    ],
)
def test_plain_entries_need_no_proxy(parameters: Any, settings: Any) -> None:
    assert endpoint_settings(parameters) == settings


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"model": "some-model"},
        {"model": "bedrock/some-model"},
        {"model": "openai/x", "mock_response": "hi"},
        {"model": "openai/x", "aws_region_name": "eu"},
        {"model": "openai/x", "api_key": KEY},
        {"model": "openai/x", "api_key": 5},
        {"model": "openai/x", "api_base": "os.environ/BASE"},
        {"model": "openai/x", "api_base": "localhost:1"},
        {"model": "openai/x", "provider": {"only": ["a"]}},
        {"model": "openai/x", "timeout": "soon"},
        {"model": "azure/x", "api_key": "os.environ/AZURE_API_KEY"},
    ],
)
def test_what_is_not_understood_is_left_to_the_proxy(parameters: Any) -> None:
    assert endpoint_settings(parameters) is None


@pytest.fixture
def providers() -> Iterator[tuple[Provider, Provider]]:
    pair = Provider(says("one")), Provider(says("two"))
    yield pair
    for each in pair:
        each.close()


def balanced(*providers: Provider) -> Model:
    targets = [{"base_url": each.url, "model": "m", "retries": 0} for each in providers]
    return Model(name="m", kind="balanced", settings={"targets": targets})


def test_entries_of_one_name_are_asked_in_turn(
    providers: tuple[Provider, Provider], run: Any
) -> None:
    gateway = run(balanced(*providers))
    assert [gateway.text() for _ in range(4)] == ["one", "two", "one", "two"]


def test_an_entry_that_fails_is_stood_in_for(
    providers: tuple[Provider, Provider], run: Any
) -> None:
    providers[0].behave = lambda visit: visit.json({"error": {"message": "down"}}, 503)
    gateway = run(balanced(*providers))
    assert [gateway.text() for _ in range(2)] == ["two", "two"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_proxy_that_nobody_has_asked_ends_with_the_run() -> None:
    port = free_port(0)
    shared = {"command": [sys.executable, "-c", "import time; time.sleep(600)"], "port": port}
    settings = {"entries": [{"model": "bedrock/some-model"}], "proxy": shared}
    directory = Directory([Model(name="m", kind="litellm", settings=settings)], report=str)
    directory.prepare()
    try:
        until(lambda: bool(servers(port)))
    finally:
        directory.close()
    assert not servers(port)


def converses(visit: Visit) -> None:
    """Calls a tool, then repeats what it said."""
    last = visit.body["messages"][-1]
    if last["role"] == "tool":
        says(f"It says {last['content']}")(visit)
        return
    call = tool_call("execute_bash", json.dumps({"command": "echo seven"}))
    if visit.streamed:
        pieces = [chunk({"role": "assistant", "tool_calls": [{**call, "index": 0}]})]
        streams(sse([*pieces, chunk({}, finish="tool_calls")]))(visit)
    else:
        visit.json(completion(None, tool_calls=[call], finish="tool_calls"))


def wasmind(config: Path, home: Path, *options: str, **more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "HOME": str(home), "UPSTREAM_KEY": KEY, **more}
    command = [sys.executable, "-m", "wasmind", "run", str(config), *options]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


@pytest.fixture
def upstream() -> Iterator[Provider]:
    provider = Provider(converses)
    yield provider
    provider.close()


def write(tmp_path: Path, url: str, proxy: str) -> Path:
    config = tmp_path / "app.toml"
    config.write_text(CONFIG.format(url=url, proxy=proxy))
    return config


def everything_kept(config: Path, home: Path) -> bytes:
    """All files that a run has left: lockfile, cached bundle, plan."""
    folders = (config.parent, home)
    paths = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    return b"\n".join(path.read_bytes() for path in paths if path.stat().st_size < 1 << 22)


def test_a_config_of_the_reference_needs_no_proxy(tmp_path: Path, upstream: Provider) -> None:
    config = write(tmp_path, upstream.url, "")
    nothing = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    run = wasmind(config, Path.home(), "--prompt", "go", **nothing)
    stdout, stderr = run.communicate()
    assert (run.returncode, stdout) == (0, "It says seven\n\n"), stderr
    assert "litellm" not in stderr.lower()
    assert {each.headers["authorization"] for each in upstream.visits} == {f"Bearer {KEY}"}
    assert {each["temperature"] for each in upstream.asked} == {0.5}
    assert KEY not in stderr
    assert KEY.encode() not in everything_kept(config, tmp_path)


@pytest.mark.slow
def test_the_real_proxy_carries_a_conversation_with_a_tool(
    tmp_path: Path, upstream: Provider
) -> None:
    try:
        script = litellm_script()
    except Unavailable as error:
        pytest.skip(str(error))
    config = write(tmp_path, upstream.url, f'proxy = "always"\ncommand = ["{script}"]')
    run = wasmind(config, Path.home(), "--prompt", "go", "-v")
    stdout, stderr = run.communicate()
    assert (run.returncode, stdout) == (0, "It says seven\n\n"), stderr
    assert "the LiteLLM proxy is ready" in stderr
    assert {each.headers["authorization"] for each in upstream.visits} == {f"Bearer {KEY}"}
    assert KEY not in stderr
    assert KEY.encode() not in everything_kept(config, tmp_path)


@pytest.mark.slow
def test_a_ping_through_the_real_proxy(upstream: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        script = litellm_script()
    except Unavailable as error:
        pytest.skip(str(error))
    monkeypatch.setenv("UPSTREAM_KEY", KEY)
    upstream.behave, told, port = says("hi"), [], free_port(0)
    entry = {"model": "openai/x", "api_base": upstream.url, "api_key": "os.environ/UPSTREAM_KEY"}
    settings = {"entries": [entry], "proxy": {"command": [str(script)], "port": port}}
    pongs = ping([Model(name="m", kind="litellm", settings=settings)], told.append, print)
    assert pongs["m"].problem is None, told
    assert any("is ready" in line for line in told)
    assert len(upstream.asked) == 1
    until(lambda: not servers(port))


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_proxy_that_dies_is_told_and_started_again_and_ends_with_the_run(
    tmp_path: Path, upstream: Provider
) -> None:
    try:
        script = litellm_script()
    except Unavailable as error:
        pytest.skip(str(error))
    killed: list[int] = []

    def kills_the_proxy_once(visit: Visit) -> None:
        if not killed and visit.path.endswith("/chat/completions"):
            killed.append(_peer(visit))
            os.kill(killed[0], signal.SIGKILL)
        converses(visit)

    upstream.behave = kills_the_proxy_once
    config = write(tmp_path, upstream.url, f'proxy = "always"\ncommand = ["{script}"]')
    run = wasmind(config, Path.home(), "--prompt", "go", "-v")
    stdout, stderr = run.communicate()
    assert (run.returncode, stdout) == (0, "It says seven\n\n"), stderr
    assert killed
    assert "killed by signal 9" in stderr
    assert stderr.count("the LiteLLM proxy is ready") == 2, stderr
    until(lambda: not servers(4123))


def _peer(visit: Visit) -> int:
    """The process that opened a connection: the last child that listens where the config says."""
    return max(servers(4123))
