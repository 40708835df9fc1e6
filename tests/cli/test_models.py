"""`wasmind models`: exit code, stdout, stderr."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.conftest import MAIN
from tests.models.zoo import Behaviour, Provider, refuses, says

KEY = "sk-a-secret-key-of-the-user-0123456789"
CONFIG = """\
starting_actors = ["assistant"]

[actors.assistant]
source = {{ library = "assistant" }}
config = {{ model_name = "{name}" }}
{more}
"""
SCHEMA = Path(__file__).parents[2] / "schemas" / "models.schema.json"
#: A Wasmind without the extra `compiler`.
BASE = f"""
import sys

class NotInstalled:
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in ("wasmind_compiler", "lark", "tomlkit", "jsonschema"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NotInstalled())
{MAIN}
"""
Models = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def models(tmp_path: Path) -> Models:
    """Runs a verb where no key is set; it shares the user's cache and so the interpreter."""

    def run(*arguments: str, program: str = MAIN, **more: str) -> subprocess.CompletedProcess[str]:
        kept = ("HOME", "PATH", "XDG_CACHE_HOME")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": os.pathsep.join(sys.path), **more},
            capture_output=True,
            text=True,
        )
        assert KEY not in done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., str]:
    def write(name: str, more: str = "") -> str:
        (tmp_path / "app.toml").write_text(CONFIG.format(name=name, more=more))
        return "app.toml"

    return write


@pytest.fixture
def provider() -> Iterator[Callable[[Behaviour], Provider]]:
    started: list[Provider] = []

    def start(behave: Behaviour) -> Provider:
        started.append(Provider(behave))
        return started[-1]

    yield start
    for each in started:
        each.close()


def described(text: str) -> list[dict[str, Any]]:
    """The models of a JSON document, which is as its schema says."""
    document = json.loads(text)
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    found: list[dict[str, Any]] = document["models"]
    return found


def gone() -> str:
    """The address of a server that has ended."""
    provider = Provider(says("hi"))
    provider.close()
    return provider.url


def test_a_key_that_is_missing_and_then_set(
    models: Models, config: Callable[..., str], tmp_path: Path
) -> None:
    config("openai/gpt-5-mini")
    done = models("models", "app.toml")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        "openai/gpt-5-mini\n"
        "  used by   assistant\n"
        "  why       its name begins with a provider\n"
        "  answers   openai: gpt-5-mini at https://api.openai.com/v1/chat/completions\n"
        "  key       OPENAI_API_KEY is not set: export OPENAI_API_KEY=…; keys are made at "
        "https://platform.openai.com/api-keys\n"
        "  reads     400,000 tokens\n"
        "  price     $0.25 in, $0.025 cached, $2 out, per million tokens\n"
    )
    [model] = described(models("models", "app.toml", "--format", "json").stdout)
    assert len(model["problems"]) == 1
    assert model["answers"][0]["keys"] == [
        {"variable": "OPENAI_API_KEY", "file": None, "set": False}
    ]
    done = models("models", "app.toml", OPENAI_API_KEY=KEY)
    assert done.returncode == 0, done.stdout
    assert "  key       OPENAI_API_KEY is set\n" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["app.toml"]


@pytest.mark.parametrize(
    ("kind", "start"),
    [
        ("ollama", "ollama serve"),
        ("lmstudio", "lms server start"),
        ("llamacpp", "llama-server -m MODEL.gguf --jinja"),
        ("vllm", "vllm serve MODEL"),
    ],
)
def test_a_server_of_this_machine_that_does_not_run(
    models: Models, config: Callable[..., str], kind: str, start: str
) -> None:
    url = gone()
    config("m", f'[models.m]\nkind = "{kind}"\nbase_url = "{url}"')
    advice = f"nothing answers at {url}/chat/completions; start it with `{start}`"
    done = models("models", "app.toml")
    assert (done.returncode, done.stdout.count(advice)) == (1, 1), done.stdout
    if kind == "ollama":
        pinged = models("models", "app.toml", "--ping")
        assert (pinged.returncode, pinged.stdout.count(start)) == (1, 1), pinged.stdout


def test_ping(
    models: Models, config: Callable[..., str], provider: Callable[[Behaviour], Provider]
) -> None:
    there, strict = provider(says("hi there")), provider(refuses(401, "Incorrect API key"))
    config(
        "m",
        f'[models.m]\nkind = "endpoint"\nbase_url = "{there.url}"\nfallback = ["spare"]\n'
        f'[models.spare]\nkind = "groq"\nbase_url = "{strict.url}"\n',
    )
    done = models("models", "app.toml", "--ping", GROQ_API_KEY=KEY)
    assert done.returncode == 1
    first, second = done.stdout.split("\n\n")
    assert "  ping      answered after " in first
    assert "first token after" in first
    assert "  fallback  of m\n" in second
    assert "Incorrect API key" in second
    assert [len(each.asked) for each in (there, strict)] == [1, 1]
    strict.behave = says("hi")
    assert models("models", "app.toml", "--ping", GROQ_API_KEY=KEY).returncode == 0


def test_a_bundle_needs_no_compiler(
    models: Models, config: Callable[..., str], provider: Callable[[Behaviour], Provider]
) -> None:
    there = provider(says("hi"))
    config("m", f'[models.m]\nkind = "endpoint"\nbase_url = "{there.url}"\n')
    made = models("bundle", "app.toml", "-o", "out")
    assert made.returncode == 0, made.stderr
    done = models("models", "out", "--ping", "--format", "json", program=BASE)
    assert done.returncode == 0, done.stderr
    [model] = described(done.stdout)
    [answer] = model["answers"]
    assert (model["name"], model["used_by"], model["problems"]) == ("m", ["assistant"], [])
    assert answer["url"] == f"{there.url}/chat/completions"
    assert answer["ping"]["seconds"] > 0
    there.close()
    host = there.url.removeprefix("http://").removesuffix("/v1")
    instead = models("models", "out", "--model", "ollama/x", program=BASE, OLLAMA_HOST=host)
    assert instead.returncode == 1
    assert "why       `--model`\n" in instead.stdout
    assert f"nothing answers at {there.url}" in instead.stdout


def test_models_of_another_file(models: Models, config: Callable[..., str], tmp_path: Path) -> None:
    config("m")  # which nothing in there answers
    script = tmp_path / "rules.toml"
    script.write_text('[[rules]]\nanswer = { text = "hi" }\n')
    (tmp_path / "models.toml").write_text('[models.m]\nkind = "scripted"\nscript = "rules.toml"\n')
    for options in (("--models", "models.toml"), ("--model", "rules.toml")):
        done = models("models", "app.toml", *options, "--ping")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert "  answers   a script of rules\n" in done.stdout


def test_what_is_at_fault_decides_the_exit_code(
    models: Models, config: Callable[..., str], tmp_path: Path
) -> None:
    config("no-such-model")
    wrong = models("models", "app.toml")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "WM0601" in wrong.stderr
    (tmp_path / "empty").mkdir()
    for arguments in (["none.toml"], ["empty"], ["app.toml", "--model", "no-such-thing"]):
        done = models("models", *arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments
