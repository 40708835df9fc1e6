"""The example of every rule does what the documentation says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.compiler.given import APP, ECHO, lay_out
from tests.compiler.project import Project
from tests.compiler.sessions import stage
from tests.compiler.ssh_host import SSHD
from wasmind.cli.compiling import python_guest
from wasmind_compiler import pipeline
from wasmind_compiler.diagnostics.explain import SESSIONS
from wasmind_compiler.diagnostics.registry import Example, Rule, all_rules
from wasmind_compiler.fixing import plan_changes, write_changes

RULES = [pytest.param(rule, id=rule.code) for rule in all_rules() if rule.example is not None]
PLAYED = sorted(path.stem for path in SESSIONS.glob("*.md"))
SLOW = {
    "WM0443",  # ten thousand actors
}


def prepare(project: Project, example: Example, content: str | bytes) -> None:
    taken_for_granted = {"app.toml": APP, "echo/Wasmind.toml": ECHO}
    lay_out(project.root, {**taken_for_granted, **example.others, example.file: content})


def run(project: Project, example: Example) -> pipeline.Report:
    config = project.root / "app.toml"
    if example.command == ("check",):
        return pipeline.check(config, project.environment())
    if example.command == ("bundle",):
        return pipeline.bundle(config, project.root / "bundle", project.environment()).report
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
    prepare(project, rule.example, rule.example.failing)
    found = run(project, rule.example).diagnostics
    assert rule.code in {each.code for each in found}, found
    assert all(each.span for each in found if each.code == rule.code), "names no place"


@pytest.mark.usefixtures("_only_named_variables")
@pytest.mark.parametrize("rule", RULES)
def test_the_fixed_example_has_no_errors(project: Project, rule: Rule) -> None:
    assert rule.example is not None
    prepare(project, rule.example, rule.example.fixed)
    report = run(project, rule.example)
    assert rule.code not in {each.code for each in report.diagnostics}
    assert not report.failed, report.diagnostics


@pytest.mark.usefixtures("_only_named_variables")
@pytest.mark.parametrize("rule", RULES)
def test_a_certain_fix_mends_the_failing_example(project: Project, rule: Rule) -> None:
    assert rule.example is not None
    prepare(project, rule.example, rule.example.failing)
    found = [each for each in run(project, rule.example).diagnostics if each.code == rule.code]
    if not any(each.fix and each.fix.applicability == "always" for each in found):
        return
    changes = plan_changes(found, project.root)
    assert changes, "the fix was refused"
    write_changes(changes, project.root)
    after = run(project, rule.example).diagnostics
    assert rule.code not in {each.code for each in after}, changes[0].diff()


@pytest.mark.parametrize(
    "code",
    [pytest.param(code, marks=[pytest.mark.slow] if code in SLOW else []) for code in PLAYED],
)
def test_a_session_goes_as_documented(tmp_path: Path, code: str) -> None:
    """Else: `python -m tests.compiler.sessions CODE`, and look at what differs."""
    session = (SESSIONS / f"{code}.md").read_text(encoding="utf-8")
    if "ssh://" in session and SSHD is None:
        pytest.skip("there is no sshd")
    if "```python" in session:
        python_guest()  # so that the session does not tell how the interpreter is built
    with stage(tmp_path) as made:
        assert made.play(session) == session
    _, *commands = session.split("\n$ ")
    reporting = [command for command in commands if f"[{code}]: " in command]
    assert len(reporting) == 1, "one command reports it"
    assert reporting != commands[-1:], "the last one does not"
    assert {*re.findall(r"error\[(\w+)\]", session)} <= {code}


def test_every_rule_has_an_example() -> None:
    shown = [rule.code for rule in all_rules() if rule.example is not None]
    assert sorted(shown + PLAYED) == [rule.code for rule in all_rules()]
