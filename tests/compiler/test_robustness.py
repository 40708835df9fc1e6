"""Whatever stands in a config: problems with places, never an exception, and fixes that apply."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.compiler.project import Project, component
from wasmind_compiler import pipeline
from wasmind_compiler.diagnostics.render_github import render_github
from wasmind_compiler.diagnostics.render_json import render_json
from wasmind_compiler.diagnostics.render_sarif import render_sarif
from wasmind_compiler.diagnostics.render_text import render_text
from wasmind_compiler.fixing import plan_changes

CONFIG = """\
name = "team"  # 名前
starting_actors = ["desk", "shell"]

[actors.desk]
source = { path = "desk" }
required_spawn_with = ["shell"]
config.workers = ["shell"]
config.model_name = "small"
grants = { http = { hosts = ["example.org"] }, logger = true }
limits = { memory_mib = 64 }
restart.policy = "transient"

[actors.shell]
source.path = 'shell'
auto_spawn = false

[actor_overrides.tail.config]
level = \"\"\"
many
lines\"\"\"

[run.limits]
agents = 10

[tui.chat]
clear_defaults = true
key_bindings = { "ctrl-g" = "Assist", "ctrl-alt-t" = "ToggleToolExpansion" }

[litellm]
port = 4100

[[litellm.models]]
model_name = "small"
[litellm.models.litellm_params]
model = "openai/some-model"
api_key = "os.environ/HOME"
api_base = "https://user:secret@example.org"
"""
MANIFEST = """\
actor_id = "test:desk"
version = "1.0"
build.component = "actor.wasm"
config_schema = "settings.json"
required_spawn_with = ["shell"]

[dependencies.tail]
source = { path = "../shell" }
config = { level = "low" }

[[contract.handles]]
type = "wasmind.common.assistant.AddMessage"
scope = "own"
"""
SCHEMA = {
    "type": "object",
    "properties": {
        "model_name": {"type": "string", "x-wasmind": "model"},
        "workers": {"type": "array", "items": {"type": "string"}, "x-wasmind": "actors"},
    },
}
#: What is put into the texts, beside parts of themselves.
INSERTED = st.sampled_from(
    [
        *(
            '"',
            "'",
            "[",
            "]]",
            "{",
            "}",
            "=",
            ".",
            ",",
            "\n",
            "#",
            "\\",
            "\t",
            "日",
            "\u202e",
            "\0",
        ),
        *('"""', "true", "0", "-1", "nan", "1979-05-27", "[]", "{}", '"x"', "git = ", "[[actors]]"),
        *("\n[actors]\n", "\nactors = 1\n", "source", "\r\n", "~", "$HOME", "branch = 'x', "),
    ]
)


def lay_out(project: Project) -> None:
    for name in ("desk", "shell"):
        project.write(f"{name}/actor.wasm", component())
        project.write(f"{name}/settings.json", json.dumps(SCHEMA))
    project.write("shell/Wasmind.toml", 'actor_id = "test:shell"\nbuild.component = "actor.wasm"\n')
    project.write("desk/Wasmind.toml", MANIFEST)
    project.write("app.toml", CONFIG)


@st.composite
def mutated(draw: st.DrawFn, text: str) -> str:
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        kind = draw(st.sampled_from(["insert", "remove", "replace", "copy line"]))
        if kind == "insert":
            text = text[:start] + draw(INSERTED) + text[start:]
        elif kind == "remove":
            text = text[:start] + text[end:]
        elif kind == "replace":
            text = text[:start] + draw(INSERTED) + text[end:]
        else:
            lines = text.splitlines(keepends=True) or [""]
            line = draw(st.sampled_from(lines))
            lines.insert(draw(st.integers(0, len(lines))), line)
            text = "".join(lines)
    return text


def judge(project: Project) -> None:
    """Check, render in all ways, apply fixes: nothing raises and every place exists."""
    report = pipeline.check(project.root / "app.toml", project.environment())
    for found in report.diagnostics:
        for span in [found.span, *(label.span for label in found.labels)]:
            if span is not None and span.file in report.texts:
                index = report.texts[span.file]
                assert span.start.byte <= span.end.byte
                assert span.start.line <= len(index.text.split("\n"))
    texts = [
        render_text(report.diagnostics, report.texts),
        render_json(report.diagnostics),
        render_sarif(report.diagnostics, "1"),
        render_github(report.diagnostics),
    ]
    assert all("\x00" not in text for text in texts)
    before = {path: path.read_bytes() for path in project.root.rglob("*.toml")}
    for change in plan_changes(report.diagnostics, project.root):
        assert before[Path(project.root / change.file)] == change.before


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("robust") / "project"
    root.mkdir()
    project = Project(root)
    lay_out(project)
    return project


SOME = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


DEEP = (
    "WM0506 desk/Wasmind.toml:4:17 the config schema `settings.json` cannot be read: "
    "nested more than 128 deep"
)
SCRIPTED = """
[models.m]
kind = "scripted"
script = "a\\u0000b/rules.toml"
"""


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        (
            "desk/Wasmind.toml",
            MANIFEST.replace("actor.wasm", r"a\u0000b.wasm"),
            r'WM0802 desk/Wasmind.toml:3:19 no file can be called `"a\u0000b.wasm"`',
        ),
        (
            "app.toml",
            CONFIG + SCRIPTED,
            r'WM0602 app.toml:41:10 no file can be called `"a\u0000b/rules.toml"`',
        ),
        ("desk/settings.json", '{"a":' * 100_000, DEEP),
        ("desk/settings.json", '{"a":' * 200 + "1" + "}" * 200, DEEP),
        (
            "desk/settings.json",
            r'{"type": "object", "title": "\ud800"}',
            "WM0506 desk/Wasmind.toml:4:17 the config schema `settings.json` cannot be read: "
            r"'utf-8' codec can't encode character '\ud800' in position 29: surrogates not allowed",
        ),
    ],
    ids=["component", "script", "open", "deep", "surrogate"],
)
def test_what_no_file_can_hold(project: Project, file: str, text: str, expected: str) -> None:
    lay_out(project)
    project.write(file, text.encode())
    judge(project)
    assert expected in project.found((project.root / "app.toml").read_text())


def test_the_unchanged_project_is_fine(project: Project) -> None:
    lay_out(project)
    report = pipeline.check(project.root / "app.toml", project.environment())
    assert not report.failed, render_text(report.diagnostics, report.texts)


@SOME
@given(mutated(CONFIG))
def test_any_config(laid_out: Project, text: str) -> None:
    lay_out(laid_out)
    laid_out.write("app.toml", text.encode("utf-8", "surrogatepass"))
    judge(laid_out)


@SOME
@given(mutated(MANIFEST))
def test_any_manifest(laid_out: Project, text: str) -> None:
    lay_out(laid_out)
    laid_out.write("desk/Wasmind.toml", text.encode())
    judge(laid_out)


KEYS = st.sampled_from(
    [
        *("source", "path", "git", "git_ref", "branch", "tag", "rev", "sub_dir", "config", "x"),
        *("model_name", "litellm_params", "key_bindings", "kind", "script", "desk", "chat"),
        *("grants", "limits", "http", "hosts", "name", "models", "library"),
    ]
)
TOP_KEYS = st.sampled_from(
    [
        *("name", "starting_actors", "actors", "actor_overrides", "models", "run", "tui"),
        *("litellm", "actor_id", "dependencies", "build", "capabilities", "contract"),
        *("required_spawn_with", "config_schema"),
    ]
)
#: Values of every kind under every key.
ANY = st.recursive(
    st.sampled_from([0, -1, 1.5, True, "", "x", "desk", "https://e.org", float("nan")]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)
TOP = st.dictionaries(TOP_KEYS, ANY, max_size=5)


@SOME
@given(TOP, TOP)
def test_any_values(
    laid_out: Project, config: dict[str, object], manifest: dict[str, object]
) -> None:
    lay_out(laid_out)
    own = {"desk": {"source": {"path": "desk"}}}
    actors = config.get("actors")
    config["actors"] = {**own, **actors} if isinstance(actors, dict) else own
    laid_out.write("app.toml", tomlkit.dumps(config).encode())
    laid_out.write("desk/Wasmind.toml", tomlkit.dumps(manifest).encode())
    judge(laid_out)
