"""`wasmind run` with real models behind it: what people see, and what nobody may see."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.models.zoo import (
    USAGE,
    Provider,
    Visit,
    answers,
    chunk,
    completion,
    event,
    in_turn,
    refuses,
    says,
    sse,
    tool_call,
)

ROOT = Path(__file__).parents[2]
SCRIPT = Path(sys.executable).with_name("wasmind")
KEY = "zk-9f8e7d6c5b4a39281706f5e4d3c2b1a0"
SYSTEM = """\
starting_actors = ["assistant"]

[actors.assistant]
source = { library = "assistant" }
config = { model_name = "smart" }
"""
MODELS = """
[models.smart]
kind = "endpoint"
base_url = "BASE"
model = "fake"
"""

pytestmark = pytest.mark.skipif(
    not SCRIPT.exists(), reason="wasmind is not installed beside this Python"
)


class Project:
    """A folder with a config, and `wasmind` in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, text: str, name: str = "app.toml") -> Path:
        (self.root / name).write_text(text)
        return self.root / name

    def wasmind(self, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SCRIPT, *map(str, arguments)],
            cwd=self.root,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )


def environment(**variables: str) -> dict[str, str]:
    """Ours, without the keys and addresses of real providers."""
    unwanted = re.compile(r"_API_KEY$|_BASE_URL$|^OLLAMA_|_proxy$", re.IGNORECASE)
    kept = {name: value for name, value in os.environ.items() if not unwanted.search(name)}
    return {**kept, **variables}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    return Project(root)


def models(provider: Provider, more: str = "") -> str:
    return MODELS.replace("BASE", provider.url) + more


def test_one_model_for_every_name_without_any_table(project: Project, provider) -> None:
    ollama = provider(says("hello from a laptop"))
    project.write(SYSTEM)
    asked = ("run", "app.toml", "--model", "ollama/llama3.2", "--prompt", "hi")
    done = project.wasmind(*asked, OLLAMA_HOST=f"127.0.0.1:{ollama.port}")
    assert (done.returncode, done.stdout) == (0, "hello from a laptop\n"), done.stderr
    assert ollama.asked[0]["model"] == "llama3.2"

    ollama.close()
    done = project.wasmind(*asked, OLLAMA_HOST=f"127.0.0.1:{ollama.port}")
    assert (done.returncode, done.stdout) == (1, "")
    [told] = [line.strip() for line in done.stderr.splitlines() if "nothing answers" in line]
    url = f"http://127.0.0.1:{ollama.port}/v1/chat/completions"
    assert told.startswith("error: ")
    assert f"nothing answers at {url}; start it with `ollama serve`" in told


def test_a_provider_in_a_config_is_noted_by_check_and_just_used_by_run(
    project: Project, provider
) -> None:
    ollama = provider(says("hi"))
    project.write(SYSTEM.replace("smart", "ollama/llama3.2"))
    checked = project.wasmind("check", "app.toml")
    assert (checked.returncode, checked.stderr.count("note[WM0610]")) == (0, 1)
    done = project.wasmind(
        "run", "app.toml", "--prompt", "x", OLLAMA_HOST=f"127.0.0.1:{ollama.port}"
    )
    assert (done.returncode, done.stdout) == (0, "hi\n")
    assert "WM0610" not in done.stderr


def test_a_conversation_with_a_tool(project: Project, provider) -> None:
    """Streamed, with reasoning that has to come back."""

    def thinks(visit: Visit) -> None:
        history = visit.body["messages"]
        if history[-1]["role"] == "tool":
            assert history[-2]["reasoning_content"] == "I should count"
            says(f"it says {json.loads(json.dumps(history[-1]['content']))[:3]}")(visit)
            return
        call = {**tool_call("execute_bash", '{"command": "echo 123"}'), "index": 0}
        with visit.stream() as send:
            send(event(chunk({"role": "assistant", "reasoning_content": "I should "})))
            send(event(chunk({"reasoning_content": "count"})))
            send(event(chunk({"tool_calls": [call]})))
            send(sse([chunk({}, finish="tool_calls", usage=USAGE)]))

    made = provider(thinks)
    bash = '\n[actors.bash]\nsource = { library = "execute_bash" }\n'
    text = SYSTEM.replace('["assistant"]', '["assistant", "bash"]') + bash
    project.write(text + models(made))
    done = project.wasmind("run", "app.toml", "--prompt", "hi", "--stats")
    assert (done.returncode, done.stdout) == (0, "it says 123\n"), done.stderr
    [row] = [line.split() for line in done.stderr.splitlines() if line.split()[:1] == ["smart"]]
    assert row[1:9] == ["2", "0", "0", "40", "0", "10", "0", "?"]


def test_models_of_another_file_for_a_config_and_a_bundle(project: Project, provider) -> None:
    made, other = provider(says("by the config")), provider(says("by the file"))
    project.write(SYSTEM + models(made))
    project.write(models(other), "other.toml")
    assert project.wasmind("bundle", "app.toml", "-o", "bundle").returncode == 0
    for target in ("app.toml", "bundle"):
        done = project.wasmind("run", target, "--models", "other.toml", "--prompt", "hi")
        assert (done.returncode, done.stdout) == (0, "by the file\n"), done.stderr
        done = project.wasmind("run", target, "--prompt", "hi")
        assert done.stdout == "by the config\n"
    project.write(models(other, "\n[run.budget]\ncalls = 0\n"), "faulty.toml")
    done = project.wasmind("run", "bundle", "--models", "faulty.toml", "--prompt", "hi")
    assert done.returncode == 1
    assert "run.budget.calls" in done.stderr


def test_a_rules_file_instead_of_models(project: Project) -> None:
    project.write(SYSTEM)
    project.write('[[rules]]\nanswer = { text = "by rules" }\n', "rules.toml")
    done = project.wasmind("run", "app.toml", "--model", "rules.toml", "--prompt", "hi")
    assert (done.returncode, done.stdout) == (0, "by rules\n"), done.stderr


def test_a_model_that_is_none(project: Project) -> None:
    project.write(SYSTEM)
    done = project.wasmind("run", "app.toml", "--model", "olama/x", "--prompt", "hi")
    assert done.returncode == 2
    assert "did you mean `ollama/x`?" in done.stderr


def test_retries_and_failures_are_shown_at_once_and_once(project: Project, provider) -> None:
    busy = answers({"error": {"message": "too busy"}}, 503, Retry_After="0.1")
    made = provider(in_turn(busy, refuses(401, "Incorrect API key provided")))
    project.write(SYSTEM + models(made))
    done = project.wasmind("run", "app.toml", "--prompt", "hi")
    assert (done.returncode, done.stdout) == (1, "")
    where = f"from {made.url}/chat/completions"
    retry = f"assistant  retrying smart in 0.1 s (too busy (503 {where})): attempt 2 of 5"
    lines = [line.strip() for line in done.stderr.splitlines()]
    assert retry in lines[:-1]
    assert lines[-1].startswith("error: ")
    assert "check the key in `api_key` of the model" in lines[-1]
    assert done.stderr.count("Incorrect API key") == 1


def test_a_budget_ends_a_prompt_with_exit_code_1(project: Project, provider) -> None:
    made = provider(says("hi"))
    project.write(SYSTEM + models(made) + "\n[run.budget]\ntokens = 100\n")
    done = project.wasmind("run", "app.toml", "--prompt", "hi")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("the budget of the run (`run.budget`) has no room") == 1
    assert made.visits == []


def test_events_for_programs(project: Project, provider) -> None:
    busy = answers({"error": {"message": "too busy"}}, 503, Retry_After="0.1")
    made = provider(in_turn(busy, says("hello you")))
    project.write(SYSTEM + models(made))
    options = ("--format", "jsonl", "--events", "all", "--stats")
    done = project.wasmind("run", "app.toml", "--prompt", "hi", *options)
    assert done.returncode == 0, done.stderr
    schema = json.loads((ROOT / "schemas" / "event.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    for each in events:
        validator.validate(each)
    kinds = [each["event"] for each in events if each["event"].startswith("model")]
    assert kinds[:4] == ["model_call", "model_call", "model_retry", "model_call"]
    assert "".join(e["text"] for e in events if e["event"] == "model_delta") == "hello you"
    [summary] = [each for each in events if each["event"] == "summary"]
    assert summary["models"]["smart"]["retries"] == 1
    assert summary["model_agents"]["000000"]["prompt_tokens"] == 20


def test_a_terminal_shows_the_answer_growing_and_stdout_has_just_the_answer(
    project: Project, provider
) -> None:
    first_seen = threading.Event()

    def grows(visit: Visit) -> None:
        with visit.stream() as send:
            send(event(chunk({"content": "first "})))
            assert first_seen.wait(60)  # the rest comes once the first word is in sight
            send(event(chunk({"content": "second"})))
            send(sse([chunk({}, finish="stop")]))

    project.write(SYSTEM + models(provider(grows)))
    shown, output = on_terminal(
        project, "run", "app.toml", "--prompt", "hi",
        see=lambda text: first_seen.set() if "first" in text else None,
    )  # fmt: skip
    assert output == "first second\n"
    assert first_seen.is_set()
    # What was shown while it grew is written over at the end.
    assert shown.rindex("\r\x1b[K") > shown.rindex("first second")


def on_terminal(project: Project, *arguments: str, see: Any) -> tuple[str, str]:
    """What a terminal on stderr was sent, and stdout."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [SCRIPT, *arguments],
        cwd=project.root,
        env=environment(TERM="xterm"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the last writer is gone
            break
        shown += piece
        see(shown.decode("utf-8", "replace"))
    os.close(ours)
    output, _ = process.communicate(timeout=60)
    return shown.decode(), output.decode()


def test_the_key_is_nowhere(project: Project, provider) -> None:
    """Not in bundle, output, log, events, or the environment and arguments of children."""
    looks = {"command": "env; tr '\\0' ' ' < /proc/$PPID/cmdline"}

    def quotes(visit: Visit) -> None:
        assert visit.headers["authorization"] == f"Bearer {KEY}"
        if visit.number == 1:
            call = tool_call("execute_bash", json.dumps(looks))
            visit.json(completion(None, tool_calls=[call], finish="tool_calls"))
        else:
            refuses(401, f"Incorrect API key provided: {KEY}")(visit)

    made = provider(quotes)
    bash = '\n[actors.bash]\nsource = { library = "execute_bash" }\n'
    text = SYSTEM.replace('["assistant"]', '["assistant", "bash"]') + bash
    project.write(text + models(made, 'api_key = { env = "ZOO_KEY" }\n'))
    bundled = project.wasmind("bundle", "app.toml", "-o", "bundle", ZOO_KEY=KEY)
    assert bundled.returncode == 0, bundled.stderr
    seen = [bundled.stdout, bundled.stderr]
    for form in ("text", "jsonl"):
        made.visits.clear()
        log = project.root / f"{form}.log"
        options = ("--format", form, "--log-file", log, "--stats", "-v")
        done = project.wasmind("run", "bundle", "--prompt", "hi", *options, ZOO_KEY=KEY)
        assert len(made.visits) == 2, done.stderr
        assert done.returncode == 1
        seen += [done.stdout, done.stderr, log.read_text()]
    for path in project.root.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path
    assert "provided: ***" in seen[3]
    assert not any(KEY in text for text in seen)
