"""What README and docs/MODELS.md say about models is so, and what they show works."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.models.zoo import Provider, says
from wasmind.models.errors import Code
from wasmind.providers import providers

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GUIDE = ROOT / "docs" / "MODELS.md"
MAIN = "from wasmind.__main__ import main; main()"
#: What other programs do is not ours to run.
FOREIGN = {"ollama pull llama3.2", "make demo", "make test", "make try-model"}


def blocks(document: Path, language: str, section: str = "") -> list[str]:
    text = document.read_text()
    if section:
        text = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def lines(document: Path, section: str = "") -> list[str]:
    return [
        line.partition("  #")[0].strip()
        for block in blocks(document, "sh", section)
        for line in block.splitlines()
    ]


@pytest.fixture
def upstream() -> Iterator[Provider]:
    provider = Provider(says("hello yourself"))
    yield provider
    provider.close()


class Shell:
    """Runs lines of a document, with all addresses of providers led to `upstream`."""

    def __init__(self, folder: Path, upstream: Provider) -> None:
        self._folder = folder
        self._variables = {
            "HOME": str(Path.home()),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "OPENAI_BASE_URL": upstream.url,
            "OLLAMA_HOST": f"127.0.0.1:{upstream.port}",
        }

    def run(self, line: str) -> str | None:
        """stdout of a command; None for what is only a setting."""
        words = shlex.split(line, comments=True)
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            self._variables[name] = value if value.isascii() else "a-key-of-a-test"
            return None
        assert words[0] == "wasmind", line
        done = subprocess.run(
            [sys.executable, "-c", MAIN, *words[1:]],
            cwd=self._folder,
            env=self._variables,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        return done.stdout


def test_the_ways_to_a_real_model_in_the_readme(upstream: Provider) -> None:
    shell, answers = Shell(ROOT, upstream), []
    commands = lines(README, "Talk to a real model")
    assert len(commands) == 6
    for line in commands:
        if line not in FOREIGN and (answer := shell.run(line)) is not None:
            answers.append(answer)
    assert answers == ["hello yourself\n"] * 3
    assert [each["model"] for each in upstream.asked] == ["gpt-5-mini", "llama3.2", "gpt-5-mini"]


def test_the_readme_begins_with_two_commands_and_a_real_model() -> None:
    headings = re.findall(r"^## (.*)$", README.read_text(), flags=re.MULTILINE)
    assert headings[0] == "Talk to a real model"
    assert [line.partition(" #")[0].strip() for line in blocks(README, "sh")[0].splitlines()] == [
        "make demo",
        "make test",
    ]


def test_extras_in_the_readme_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    section = README.read_text().split("\n## Install\n")[1].split("\n## ")[0]
    named = _first_column(section) - {"none"}
    assert sorted(named) == sorted(set(extras) - {"bench", "dev"})
    assert extras["all"] == ["wasmind[compiler]"]
    installed = {
        name for line in lines(README, "Install") for name in re.findall(r"\[(.*?)\]", line)
    }
    assert installed <= set(extras)


def test_the_configs_and_commands_of_the_guide(tmp_path: Path, upstream: Provider) -> None:
    """A config is written where its first line says; the others are checked as files of models."""
    for number, block in enumerate(blocks(GUIDE, "toml")):
        title = re.match(r"# (\S+\.toml)\n", block)
        (tmp_path / (title[1] if title else f"block{number}.toml")).write_text(block)
    shell = Shell(tmp_path, upstream)
    for file in sorted(tmp_path.glob("*.toml")):
        if "starting_actors" not in file.read_text():
            shell.run(f"wasmind models system.toml --models {file.name} --model ollama/llama3.2")
    ran = [line for line in lines(GUIDE) if line not in FOREIGN]
    assert any(line.startswith("wasmind run") for line in ran)
    for line in ran:
        shell.run(line)
    assert upstream.asked


def provider_rows() -> list[str]:
    """The table of providers in the guide."""
    rows = []
    for name, provider in sorted(providers().items()):
        keys = " or ".join(f"`{key}`" for key in provider.keys)
        needed = keys if provider.needs_key else f"none, or {keys}"
        address = provider.base_url or "of your resource"
        others = "".join(f", or `{each}`" for each in provider.base_url_variables)
        start = f"`{provider.start}`" if provider.start else f"<{provider.key_page}>"
        rows.append(f"| `{name}` | {needed} | {address}{others} | {start} |")
    return rows


def test_the_table_of_providers() -> None:
    section = GUIDE.read_text().split("\n## Providers\n")[1].split("\n## ")[0]
    shown = [line for line in section.splitlines() if line.startswith("| `")]
    assert shown == provider_rows()
    assert "seventeen" in README.read_text()
    assert len(shown) == 17


def test_the_keys_of_a_model_are_those_of_the_schema() -> None:
    schema = json.loads((ROOT / "schemas" / "app.schema.json").read_text())["$defs"]
    known: set[str] = set()
    for branch in schema["model"]["oneOf"]:
        known |= set(branch["properties"])
    section = GUIDE.read_text().split("\n## Models of a config\n")[1].split("\n## ")[0]
    assert _first_column(section) == known
    litellm = GUIDE.read_text().split("\n## LiteLLM\n")[1].split("\n## ")[0]
    assert _first_column(litellm) == set(schema["litellm"]["properties"])


def _first_column(section: str) -> set[str]:
    """Names in backticks in the first cells of tables."""
    cells = re.findall(r"^\| ([^|]*) \|", section, flags=re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_defaults_in_the_guide_are_those_of_the_schema() -> None:
    schema = json.loads((ROOT / "schemas" / "app.schema.json").read_text())["$defs"]
    properties: dict[str, Any] = {}
    for branch in schema["model"]["oneOf"]:
        properties |= branch["properties"]
    section = GUIDE.read_text().split("\n## Models of a config\n")[1].split("\n## ")[0]
    for names, shown in re.findall(r"^\| (`[^|]*) \| ([^|]*) \|", section, flags=re.MULTILINE):
        found = re.findall(r"`(\w+)`", names)
        for name, value in zip(found, shown.split(", "), strict=False):
            default = properties[name].get("default")
            if default not in (None, 0):
                assert json.loads(value) == default, name


def test_codes_and_events_in_the_guide() -> None:
    text = GUIDE.read_text()
    assert [code for code in Code if f"`{code.value}`" not in text] == []
    schema = json.loads((ROOT / "schemas" / "event.schema.json").read_text())
    kinds = {each["properties"]["event"]["const"] for each in schema["oneOf"]}
    events = text.split("\n## Events\n")[1].split("\n## ")[0]
    assert _first_column(events) == {kind for kind in kinds if kind.startswith("model_")}
