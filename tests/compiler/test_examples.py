"""The example of every rule does what the documentation says."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import wasmtime

from tests.compiler.project import Project, component
from wasmind_compiler import pipeline
from wasmind_compiler.diagnostics.registry import Example, Rule, all_rules
from wasmind_compiler.fixing import plan_changes, write_changes
from wasmind_compiler.frontend.manifest import FILE_NAME

#: Rules whose problem a few files cannot show. Those about lockfiles and repositories are shown
#: with real ones, in `test_lockfile`, `test_git_sources` and `test_git_hostile`.
WITHOUT_EXAMPLE = frozenset(
    {
        *(f"WM{number}" for number in range(1001, 1012)),
        *(f"WM{number}" for number in range(1107, 1132)),
        "WM0406",  # needs a symbolic link
        "WM0443",  # needs thousands of folders
        "WM0445",  # needs thousands of files
        "WM0901",  # needs an actor of another version of the SDK
    }
)
RULES = [pytest.param(rule, id=rule.code) for rule in all_rules() if rule.example is not None]

ECHO = 'actor_id = "example:echo"\nbuild.component = "echo.wasm"\n'
APP = 'starting_actors = ["echo"]\n\n[actors.echo]\nsource = { path = "echo" }\n'


def lay_out(root: Path, example: Example, content: str | bytes) -> None:
    """Write the files of an example, and what it takes for granted."""
    files: dict[str, str | bytes] = {"app.toml": APP, f"echo/{FILE_NAME}": ECHO}
    files |= {**example.others, example.file: content}
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(".wasm") and isinstance(text, str):
            text = bytes(wasmtime.wat2wasm(text))
        target.write_bytes(text.encode() if isinstance(text, str) else text)
    for path in files:
        if path.endswith(f"/{FILE_NAME}"):
            complete_actor(root / path)


def complete_actor(manifest: Path) -> None:
    """Give an actor something to run, as far as its manifest asks for it."""
    try:
        build = tomllib.loads(manifest.read_text()).get("build")
    except ValueError:
        return
    if isinstance(build, dict) and isinstance(build.get("component"), str):
        target = manifest.parent / build["component"]
        if "/" not in build["component"] and not target.exists():
            target.write_bytes(component())
    elif build is None and not list(manifest.parent.glob("actor*")):
        manifest.with_name("actor.py").write_text("")


def run(project: Project, example: Example) -> pipeline.Report:
    config = project.root / "app.toml"
    if example.command == ("check",):
        return pipeline.check(config, project.environment())
    if example.command == ("lock", "--check"):
        return pipeline.lock(config, project.environment(), dry_run=True).report
    raise AssertionError(f"no way to run {example.command}")


@pytest.fixture
def _only_named_variables(monkeypatch: pytest.MonkeyPatch, rule: Rule) -> None:
    assert rule.example is not None
    for name, value in rule.example.environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("_only_named_variables")
@pytest.mark.parametrize("rule", RULES)
def test_the_failing_example_breaks_the_rule(project: Project, rule: Rule) -> None:
    assert rule.example is not None
    lay_out(project.root, rule.example, rule.example.failing)
    found = run(project, rule.example).diagnostics
    assert rule.code in {each.code for each in found}, found
    assert all(each.span for each in found if each.code == rule.code), "names no place"


@pytest.mark.usefixtures("_only_named_variables")
@pytest.mark.parametrize("rule", RULES)
def test_the_fixed_example_has_no_errors(project: Project, rule: Rule) -> None:
    assert rule.example is not None
    lay_out(project.root, rule.example, rule.example.fixed)
    report = run(project, rule.example)
    assert rule.code not in {each.code for each in report.diagnostics}
    assert not report.failed, report.diagnostics


@pytest.mark.usefixtures("_only_named_variables")
@pytest.mark.parametrize("rule", RULES)
def test_a_certain_fix_mends_the_failing_example(project: Project, rule: Rule) -> None:
    assert rule.example is not None
    lay_out(project.root, rule.example, rule.example.failing)
    found = [each for each in run(project, rule.example).diagnostics if each.code == rule.code]
    if not any(each.fix and each.fix.applicability == "always" for each in found):
        return
    changes = plan_changes(found, project.root)
    assert changes, "the fix was refused"
    write_changes(changes, project.root)
    after = run(project, rule.example).diagnostics
    assert rule.code not in {each.code for each in after}, changes[0].diff()


def test_every_rule_has_an_example() -> None:
    without = {rule.code for rule in all_rules() if rule.example is None}
    assert without <= WITHOUT_EXAMPLE
