"""Lockfiles, plans, pictures and bundles."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.compiler.project import ROOT, Project
from wasmind.plan import PlanError, RunPlan
from wasmind.runtime.bundle import open_bundle
from wasmind_compiler import pipeline
from wasmind_compiler.emit.svg import draw_reproducibly
from wasmind_compiler.errors import NotABundleError
from wasmind_compiler.resolution.policy import LockPolicy

TOOL = {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}
WORKERS = {
    "type": "object",
    "properties": {
        "workers": {"type": "array", "items": {"type": "string"}, "x-wasmind": "actors"},
        "level": {"type": "integer"},
    },
}
APP = """
    name = "office"
    starting_actors = ["desk"]

    [actors.desk]
    source = { path = "actors/desk" }
    config = { workers = ["worker"], level = 2 }
    grants = { agent = true, http = { hosts = ["e.org"] } }
    limits = { memory_mib = 64 }
    restart = { policy = "temporary", period_seconds = 5 }

    [actors.worker]
    source = { path = "actors/worker" }

    [actors.idle]
    source = { path = "actors/idle" }

    [models.demo]
    kind = "scripted"
    script = "rules.toml"

    [run]
    prompt = "hello"
    limits = { agents = 7 }

    [[run.credentials]]
    host = "api.e.org"
    variable = "E_KEY"
    """


@pytest.fixture
def office(project: Project) -> Path:
    """A system with a spawn list, a dependency, companions and an actor nobody needs."""
    project.actor(
        "actors/desk",
        """
        required_spawn_with = ["helper"]
        [dependencies.helper]
        source = { path = "../helper" }
        config = { level = 1 }
        """,
        config=WORKERS,
        capabilities=["agent", "http"],
        emits=[{"type": "c", "schema": {}}],
        handles=[{"type": "b", "scope": "any"}, {"type": "a", "scope": "own"}],
    )
    project.actor("actors/helper", config=WORKERS, tools=[TOOL])
    project.actor("actors/worker", tools=[TOOL])
    project.actor("actors/idle")
    project.write("actors/desk/lib/__init__.py", "")
    project.write("rules.toml", "[[rules]]\nanswer = { text = 'hi' }\n")
    return project.write("app.toml", APP)


def bundle(project: Project, config: Path, output: Path) -> str:
    outcome = pipeline.bundle(config, output, project.environment())
    assert outcome.bundle is not None, [found.message for found in outcome.report.diagnostics]
    return outcome.bundle.digest


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_plan_says_everything(project: Project, office: Path, tmp_path: Path) -> None:
    bundle(project, office, tmp_path / "out")
    text = (tmp_path / "out" / "plan.json").read_text()
    schema = json.loads((ROOT / "schemas" / "plan.schema.json").read_text())
    Draft202012Validator(schema).validate(json.loads(text))
    document = json.loads(text)
    assert document["must_understand"] == ["narrowed-grants", "python-actors", "scripted-models"]
    assert document["starting"] == ["desk", "helper"]
    assert document["interface"] == {"run": {"prompt": "hello"}}
    assert document["models"][0]["settings"] == {"rules": [{"answer": {"text": "hi"}}]}
    assert document["limits"]["agents"] == 7
    assert document["limits"]["depth"] == 16
    assert document["credentials"] == [
        {"host": "api.e.org", "header": "Authorization", "prefix": "Bearer ", "variable": "E_KEY"}
    ]
    assert [actor["name"] for actor in document["actors"]] == ["desk", "helper", "worker"]
    desk = document["actors"][0]
    assert tomllib.loads(desk["config"]) == {"workers": ["worker"], "level": 2}
    assert desk["grants"] == {"http": {"hosts": ["e.org"]}}
    assert desk["capabilities"] == ["agent", "http"]
    assert desk["limits"]["memory_mib"] == 64
    assert desk["limits"]["mailbox_mib"] == 256
    assert desk["restart"] == {"policy": "temporary", "intensity": 3, "period_seconds": 5.0}
    assert desk["emits"] == ["c"]
    assert desk["spawn_with"] == ["helper"]
    assert desk["may_spawn"] == ["worker"]
    assert desk["handles"] == [{"type": "a", "scope": "own"}, {"type": "b", "scope": "any"}]
    assert [module["name"] for module in desk["modules"]] == ["actor", "lib.__init__"]
    assert document["actors"][1]["tools"] == ["look"]


def test_the_runtime_reads_what_the_compiler_writes(
    project: Project, office: Path, tmp_path: Path
) -> None:
    digest = bundle(project, office, tmp_path / "out")
    opened = open_bundle(tmp_path / "out")
    assert opened.digest == digest
    assert isinstance(opened.plan, RunPlan)
    (module,) = opened.plan.actor("worker").modules
    assert opened.read(module.path)


def test_config_plan_and_its_reader_agree_on_limits(
    project: Project, office: Path, tmp_path: Path
) -> None:
    bundle(project, office, tmp_path / "out")
    text = (tmp_path / "out" / "plan.json").read_text()
    app, plan = (
        json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text())
        for name in ("app", "plan")
    )
    ours, theirs = app["$defs"]["limits"], app["properties"]["run"]["properties"]["limits"]
    actor = plan["properties"]["actors"]["items"]["properties"]["limits"]
    system = plan["properties"]["limits"]
    assert (ours["properties"], theirs["properties"]) == (actor["properties"], system["properties"])
    for table, limits in (("actor", actor), ("system", system)):
        for name, schema in limits["properties"].items():
            if "maximum" not in schema:
                continue
            document = json.loads(text)
            written = (document["actors"][0] if table == "actor" else document)["limits"]
            written[name] = schema["maximum"]
            RunPlan.from_json(json.dumps(document))
            written[name] += 1
            with pytest.raises(PlanError, match=f"{name}: must be at most {schema['maximum']}"):
                RunPlan.from_json(json.dumps(document))


def test_the_same_bytes_from_another_place_and_umask(
    project: Project, office: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bundle(project, office, tmp_path / "one")
    monkeypatch.chdir(project.root)
    previous = os.umask(0o077)
    try:
        elsewhere = project.environment()._replace(cache=tmp_path / "fresh cache")
        outcome = pipeline.bundle(Path("app.toml"), Path("two"), elsewhere)
    finally:
        os.umask(previous)
    assert outcome.bundle is not None
    assert outcome.bundle.digest == one
    assert contents(project.root / "two") == contents(tmp_path / "one")


def test_a_moved_project_gives_the_same_bytes(
    project: Project, office: Path, tmp_path: Path
) -> None:
    one = bundle(project, office, tmp_path / "one")
    moved = project.root.rename(tmp_path / "moved")
    project.root = moved
    assert bundle(project, moved / "app.toml", tmp_path / "two") == one


def test_only_bundles_are_overwritten(project: Project, office: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work")
    with pytest.raises(NotABundleError, match="exists and is no bundle"):
        bundle(project, office, precious)
    assert contents(precious) == {"thesis.txt": b"years of work"}
    (tmp_path / "empty").mkdir()
    digest = bundle(project, office, tmp_path / "empty")
    (tmp_path / "empty" / "stale").write_text("from an older bundle")
    assert bundle(project, office, tmp_path / "empty") == digest
    assert "stale" not in contents(tmp_path / "empty")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_list_of_files_alone_makes_no_bundle(
    project: Project, office: Path, tmp_path: Path
) -> None:
    """Other programs call theirs the same."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "MANIFEST.json").write_text("{}")
    with pytest.raises(NotABundleError, match="exists and is no bundle"):
        bundle(project, office, other)
    assert contents(other) == {"MANIFEST.json": b"{}"}


def test_a_link_to_the_place_of_a_bundle_stays(
    project: Project, office: Path, tmp_path: Path
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for _ in range(2):
        bundle(project, office, tmp_path / "link")
        assert (tmp_path / "link").is_symlink()
        assert "plan.json" in contents(tmp_path / "real")
        assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


@pytest.mark.parametrize("output", [".", "..", "below/.."])
def test_the_current_folder_is_not_pulled_away(
    project: Project, office: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    here = tmp_path / "around" / "here"
    here.mkdir(parents=True)
    bundle(project, office, here)
    monkeypatch.chdir(here)
    with pytest.raises(NotABundleError, match="choose another place"):
        bundle(project, office, Path(output))


def test_nothing_is_written_for_a_config_with_errors(
    project: Project, office: Path, tmp_path: Path
) -> None:
    office.write_text(office.read_text() + "\ncolour = 1\n")
    outcome = pipeline.bundle(office, tmp_path / "out", project.environment())
    assert outcome.bundle is None
    assert not (tmp_path / "out").exists()
    assert not office.with_suffix(".lock").exists()


def test_what_a_killed_process_left_beside_a_bundle_is_removed(
    project: Project, office: Path, tmp_path: Path
) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    output = tmp_path / "made" / "out"
    left = [output.with_name(f".out.{gone.pid}.{kind}") for kind in ("new", "old")]
    # Of a process that runs, and of another bundle.
    stays = [output.with_name(f".out.{os.getppid()}.new"), output.with_name(f".in.{gone.pid}.new")]
    for folder in (*left, *stays):
        (folder / "components").mkdir(parents=True)
    assert pipeline.bundle(office, output, project.environment()).bundle is not None
    assert sorted(output.parent.iterdir()) == sorted((output, *stays))


def test_the_cache_finds_an_unchanged_system_again(project: Project, office: Path) -> None:
    first = pipeline.bundle_into_cache(office, project.environment())
    again = pipeline.bundle_into_cache(office, project.environment())
    assert first.bundle == again.bundle
    assert project.statuses.count("Bundling office") == 1
    project.write("rules.toml", "[[rules]]\nanswer = { text = 'bye' }\n")
    changed = pipeline.bundle_into_cache(office, project.environment())
    assert changed.bundle is not None
    assert first.bundle is not None
    assert changed.bundle.path != first.bundle.path


def test_what_a_bundle_was_made_from_is_known(project: Project, office: Path) -> None:
    outcome = pipeline.bundle_into_cache(office, project.environment())
    made_from = {os.path.realpath(each) for each in outcome.sources}
    assert {str(office.resolve()), str(office.with_suffix(".lock").resolve())} <= made_from
    assert str((project.root / "actors" / "desk").resolve()) in made_from


def test_the_lockfile(project: Project, office: Path) -> None:
    environment = project.environment()
    assert pipeline.lock(office, environment).changed
    text = office.with_suffix(".lock").read_text()
    locked = tomllib.loads(text)
    schema = json.loads((ROOT / "schemas" / "lock.schema.json").read_text())
    Draft202012Validator(schema).validate(locked)
    assert str(project.root) not in text
    assert [actor["name"] for actor in locked["actor"]] == ["desk", "helper", "idle", "worker"]
    assert locked["actor"][0]["source"] == {"path": "actors/desk"}
    assert locked["actor"][0]["dependencies"] == ["helper"]
    assert not pipeline.lock(office, environment).changed
    assert office.with_suffix(".lock").read_text() == text


def test_an_edited_actor_changes_few_lines_of_the_lockfile(project: Project, office: Path) -> None:
    environment = project.environment()
    pipeline.lock(office, environment)
    before = office.with_suffix(".lock").read_text().splitlines()
    project.write("actors/worker/note.txt", "changed")
    stale = pipeline.lock(office, environment, LockPolicy(locked=True))
    assert [
        found.code for found in stale.report.diagnostics if found.severity.value == "error"
    ] == ["WM1002"]
    assert office.with_suffix(".lock").read_text().splitlines() == before
    pipeline.lock(office, environment)
    after = office.with_suffix(".lock").read_text().splitlines()
    assert len(after) == len(before)
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1


def test_missing_and_newer_lockfiles(project: Project, office: Path) -> None:
    environment = project.environment()
    missing = pipeline.lock(office, environment, LockPolicy(locked=True))
    assert "WM1001" in [found.code for found in missing.report.diagnostics]
    newer = "version = 99\n"
    office.with_suffix(".lock").write_text(newer)
    outcome = pipeline.lock(office, environment)
    assert "WM1003" in [found.code for found in outcome.report.diagnostics]
    assert office.with_suffix(".lock").read_text() == newer


def test_the_picture_says_why_everybody_is_there(project: Project, office: Path) -> None:
    environment = project.environment()
    shape = json.loads(pipeline.graph(office, environment, "json").text or "")
    root, spawned = shape["agents"]
    assert [(each["name"], each["reasons"]) for each in root["members"]] == [
        ("desk", ["starting"]),
        ("helper", ["required by desk", "dependency of desk"]),
    ]
    assert (spawned["spawned_by"], spawned["setting"]) == ("desk", "workers")
    assert [(each["name"], each["reasons"]) for each in spawned["members"]] == [
        ("worker", ["spawnable"])
    ]
    assert root["members"][0]["capabilities"] == ["agent", "http"]
    mermaid = pipeline.graph(office, environment, "mermaid").text or ""
    assert mermaid.startswith("flowchart LR\n")
    assert "can: agent, http" in mermaid
    assert 'agent0_0 -. "spawns workers" .-> agent1' in mermaid


def test_the_drawing_is_svg(project: Project, office: Path) -> None:
    dot = pipeline.graph(office, project.environment(), "dot").text or ""
    svg = ET.fromstring(draw_reproducibly(dot))
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    texts = {element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {"root agent", "desk: workers", "desk", "helper", "worker"} <= texts


def test_names_cannot_break_the_drawing(project: Project) -> None:
    project.actor("desk")
    name = 'a "quoted" \\\\ <b> & : name'
    config = project.write(
        "app.toml", f"starting_actors = ['{name}']\nactors.'{name}'.source.path = 'desk'\n"
    )
    dot = pipeline.graph(config, project.environment(), "dot").text or ""
    texts = {element.text for element in ET.fromstring(draw_reproducibly(dot)).iter()}
    assert name in texts


def test_names_cannot_break_the_mermaid_drawing(project: Project) -> None:
    """In quotes, a backtick at the beginning starts Markdown, and `#96;` is a character."""
    project.actor("desk")
    name = '`a` "quoted" <b> & #96;'
    config = project.write(
        "app.toml", f"starting_actors = ['{name}']\nactors.'{name}'.source.path = 'desk'\n"
    )
    drawing = pipeline.graph(config, project.environment(), "mermaid").text or ""
    written = "#96;a#96; &quot;quoted&quot; &lt;b> &amp; #35;96;"
    assert f'    agent0_0["{written}<br/>test:desk' in drawing


def test_a_clean_check_loads_little(project: Project, office: Path) -> None:
    """Heavy packages are imported only by the runs that need them."""
    code = f"""
import sys
from pathlib import Path
sys.path[:0] = {sys.path!r}
from tests.compiler.project import Project
import tests.compiler.project
for name in ("wasmtime", "tomlkit", "jsonschema", "lark", "graphviz"):
    sys.modules.pop(name, None)
from wasmind_compiler import pipeline
project = Project(Path({str(project.root)!r}))
report = pipeline.check(Path({str(office)!r}), project.environment())
assert not report.failed
heavy = {{"jsonschema", "lark", "tomlkit", "graphviz", "wasmtime", "httpx", "wasmind.plan"}}
print(sorted(heavy & sys.modules.keys()))
"""
    pipeline.check(office, project.environment())
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stderr, done.stdout) == ("", "[]\n")
