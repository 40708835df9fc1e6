"""The lockfile: a fixed point, kept to, refused with the place of every fault."""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.compiler.project import ABOUT_ACTORS, ECHO, ROOT, Project, app, listed
from tests.compiler.repositories import Repository
from wasmind_compiler import pipeline
from wasmind_compiler.diagnostics import Collector, Severity, Span
from wasmind_compiler.diagnostics.render_text import render_text
from wasmind_compiler.errors import CompilerFailure
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath
from wasmind_compiler.frontend.schemas import Schemas
from wasmind_compiler.frontend.source import GitRef
from wasmind_compiler.resolution.lock_reading import load_lock
from wasmind_compiler.resolution.lockfile import (
    Lock,
    LockedActor,
    LockedGit,
    read_lock,
    render_lock,
)
from wasmind_compiler.resolution.policy import LockPolicy, Widening

DESK = 'starting_actors = ["desk"]\n\n[actors.desk]\nsource = { path = "desk" }\n'
#: The same with an actor that is not below the config, and may have another author.
BESIDE = DESK.replace('path = "desk"', 'path = "../beside/desk"')

TEXT = st.text(min_size=1, max_size=8)
DIGEST = st.text("0123456789abcdef", min_size=64, max_size=64)
COMMIT = st.text("0123456789abcdef", min_size=40, max_size=40)
REF = st.none() | st.builds(GitRef, st.sampled_from(["branch", "tag"]), TEXT)
ACTORS = st.builds(
    LockedActor,
    name=TEXT,
    actor_id=TEXT,
    source=st.fixed_dictionaries({"path": TEXT})
    | st.fixed_dictionaries(
        {"git": TEXT, "git_ref": st.fixed_dictionaries({"branch": TEXT}), "sub_dir": TEXT},
        optional={"submodules": st.booleans()},
    ),
    digest=DIGEST,
    component=st.none() | DIGEST,
    capabilities=st.sets(TEXT, max_size=3).map(lambda each: tuple(sorted(each))),
    grants=st.fixed_dictionaries(
        {},
        optional={
            "agent": st.fixed_dictionaries({"depth": st.integers(0, 9)}),
            "command": st.fixed_dictionaries({"programs": st.lists(TEXT, max_size=2)}),
            "http": st.fixed_dictionaries({"ports": st.just([1, 2]), "private": st.booleans()}),
        },
    ),
    dependencies=st.sets(TEXT, max_size=3).map(lambda each: tuple(sorted(each))),
    contract=st.none() | DIGEST,
    config_schema=st.none() | DIGEST,
)
REPOSITORIES = st.builds(
    LockedGit,
    url=TEXT,
    ref=REF,
    revision=COMMIT,
    default_branch=st.none() | TEXT,
    tag_object=st.none() | COMMIT,
)
LOCKS = st.builds(
    Lock,
    config=TEXT,
    git=st.lists(REPOSITORIES, max_size=3, unique_by=lambda each: (each.url, each.ref)).map(tuple),
    actors=st.lists(ACTORS, max_size=4, unique_by=lambda each: each.name).map(tuple),
    interpreter=st.none() | DIGEST,
)
SCHEMA = Schemas(ROOT / "schemas").load("lock")


@pytest.fixture
def project(project: Project) -> Project:
    """A project of actors whose names, kinds and companions do not matter."""
    project.quiet |= ABOUT_ACTORS
    return project


@given(LOCKS)
def test_the_lockfile_is_a_fixed_point(lock: Lock) -> None:
    text = render_lock(lock)
    data = tomllib.loads(text)
    Draft202012Validator(SCHEMA).validate(data)
    read = read_lock(data)
    assert render_lock(read) == text
    assert {each.name: each for each in read.actors} == {each.name: each for each in lock.actors}
    assert set(read.git) == set(lock.git)
    assert read.interpreter == lock.interpreter


@given(LOCKS, st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(lock: Lock, random: Any) -> None:
    git, actors = list(lock.git), list(lock.actors)
    random.shuffle(git)
    random.shuffle(actors)
    shuffled = lock._replace(git=tuple(git), actors=tuple(actors))
    assert render_lock(shuffled) == render_lock(lock)


def test_locking_again_changes_nothing(project: Project, remote: Repository) -> None:
    text = app(remote.url)
    project.lock(text)
    before = project.lockfile()
    for policy in ({}, {"locked": True, "offline": True}, {"upgrade_all": True}):
        assert project.lock(text, **policy) == []
        assert project.lockfile() == before


def test_untouched_entries_keep_their_bytes(project: Project, remote: Repository) -> None:
    project.lock(app(remote.url))
    before = project.lockfile()
    remote.write("actors/desk/new.txt", "moved on")
    remote.commit()
    project.actor("extra")
    more = app(remote.url) + "[actors.extra]\nsource.path = 'extra'\nauto_spawn = true\n"
    assert project.lock(more) == []
    entries = {entry.rstrip() for entry in project.lockfile().split("\n\n")}
    assert {entry.rstrip() for entry in before.split("\n\n")} <= entries
    assert "Adding extra" in project.statuses


def test_line_ends_of_windows_are_no_difference(project: Project) -> None:
    project.actor("desk")
    project.lock(DESK)
    windows = project.lockfile().encode().replace(b"\n", b"\r\n")
    project.write("app.lock", windows)
    for policy in ({}, {"locked": True}):
        assert project.lock(DESK, **policy) == []
        assert (project.root / "app.lock").read_bytes() == windows
    project.actor("desk", "# changed")
    (found,) = project.lock(DESK, locked=True)
    assert found.startswith("WM1002 ")


def test_links_and_permissions_stay(project: Project) -> None:
    project.actor("desk")
    project.lock(DESK)
    elsewhere, lockfile = project.root / "shared.lock", project.root / "app.lock"
    lockfile.rename(elsewhere)
    lockfile.symlink_to(elsewhere.name)
    elsewhere.chmod(0o640)
    before = project.lockfile()
    project.actor("desk", "# changed")
    assert project.lock(DESK) == []
    assert lockfile.is_symlink()
    assert elsewhere.read_text() != before
    assert elsewhere.stat().st_mode & 0o777 == 0o640


def test_a_new_lockfile_has_the_permissions_of_new_files(project: Project) -> None:
    project.actor("desk")
    before = os.umask(0o027)
    try:
        project.lock(DESK)
    finally:
        os.umask(before)
    assert (project.root / "app.lock").stat().st_mode & 0o777 == 0o640


def test_a_lockfile_that_may_not_be_written_stays(project: Project) -> None:
    project.actor("desk")
    project.actor("other")
    project.lock(DESK)
    (project.root / "app.lock").chmod(0o444)
    before = project.lockfile()
    assert project.lock(DESK) == []
    with pytest.raises(CompilerFailure, match=r"`app\.lock`: Permission denied"):
        project.lock(DESK + "\n[actors.other]\nsource = { path = 'other' }\n")
    assert project.lockfile() == before
    assert sorted(path.name for path in project.root.glob("*.lock*")) == ["app.lock"]


# Modes


@pytest.mark.parametrize("policy", [{"locked": True}, {"locked": True, "offline": True}])
def test_a_missing_lockfile(project: Project, policy: dict[str, bool]) -> None:
    project.actor("desk")
    assert project.lock(DESK, **policy) == [
        "WM1001 app.toml:1:1 the lockfile `app.lock` does not exist"
    ]
    assert not (project.root / "app.lock").exists()


def test_offline_without_lockfile_is_fine_for_folders(project: Project) -> None:
    project.actor("desk")
    assert project.lock(DESK, offline=True) == []


def test_a_stale_lockfile_lists_what_differs(project: Project) -> None:
    project.actor("desk")
    project.actor("old")
    project.lock(DESK + "[actors.old]\nsource.path = 'old'\nauto_spawn = true\n")
    project.actor("desk", capabilities=["http"])
    project.actor("new")
    text = DESK + "[actors.new]\nsource.path = 'new'\nauto_spawn = true\n"
    report = project.check(text, locked=True)
    shown = render_text(report.diagnostics, report.texts)
    found = [(each.code, str(each.span)) for each in report.diagnostics]
    assert found == [
        ("WM1002", "app.toml:4:19"),
        ("WM1002", "app.toml:6:15"),
        ("WM1008", "app.lock:16:1"),
    ]
    assert "capabilities: messaging -> http" in shown or "capabilities: none -> http" in shown
    assert "`new` is not in it" in shown
    assert "nothing uses the lock entry `old`" in shown


def test_a_source_that_changed_is_shown_as_the_lockfile_has_it(
    project: Project, remote: Repository
) -> None:
    remote.git("tag", "v1")
    source = f'git = "{remote.url}", git_ref = {{ tag = "v1" }}, sub_dir = "actors/tool"'
    project.lock(f'starting_actors = ["desk"]\n\n[actors.desk]\nsource = {{ {source} }}\n')
    project.actor("desk")
    found = project.check(DESK, locked=True).diagnostics[0]
    locked = f'{{git = "{remote.url}", git_ref = {{tag = "v1"}}, sub_dir = "actors/tool"}}'
    assert f'source: {locked} -> {{path = "desk"}}' in found.notes[0].splitlines()


def test_a_tag_and_a_branch_of_one_name_are_told_apart(
    project: Project, remote: Repository
) -> None:
    remote.git("branch", "v1")
    remote.git("tag", "v1")
    text, folder = "starting_actors = ['branch']\n", 'sub_dir = "actors/tool"'
    for kind in ("branch", "tag"):
        text += f"[actors.{kind}]\nauto_spawn = true\n"
        text += f"source = {{ git = '{remote.url}', git_ref = {{ {kind} = 'v1' }}, {folder} }}\n"
    project.lock(text)
    only_the_branch = text.partition("[actors.tag]")[0]
    assert project.lock(only_the_branch, locked=True) == [
        f"WM1008 app.lock:11:1 nothing uses the lock entry `{remote.url}#v1`",
        "WM1008 app.lock:26:1 nothing uses the lock entry `tag`",
    ]


def test_a_locked_run_looks_no_ref_up(project: Project, remote: Repository) -> None:
    project.actor("desk")
    project.lock(DESK)
    (found,) = project.lock(app(remote.url), locked=True)
    assert found.startswith("WM1002 app.toml:4:18 git `file://")
    assert found.endswith("is not in the lockfile")
    assert not [status for status in project.statuses if status.startswith("Fetching")]


def test_offline_lists_everything_that_is_missing(project: Project, remote: Repository) -> None:
    text = app(remote.url, 'sub_dir = "actors/tool"', "tool") + (
        f'[actors.other]\nsource = {{ git = "{remote.url}", git_ref = {{ branch = "x" }} }}\n'
    )
    project.lock(app(remote.url))
    shutil.rmtree(project.root.parent / "cache")
    found = project.check(text, offline=True).diagnostics
    assert [(each.code, str(each.span)) for each in found] == [
        ("WM1124", "app.toml:4:18"),
        ("WM1124", "app.toml:6:18"),
    ]
    assert found[0].help == "run `wasmind lock` once with the network"
    assert not [status for status in project.statuses[1:] if status.startswith("Fetching")]


def test_upgrading_what_is_not_locked(project: Project) -> None:
    project.actor("desk")
    project.lock(DESK)
    assert project.lock(DESK, upgrade=frozenset({"dsk"})) == [
        "WM1002 app.lock:1:1 `--upgrade dsk`: the lockfile has no actor `dsk`"
    ]


def test_upgrading_one_actor_leaves_other_repositories_alone(
    project: Project, tmp_path: Path
) -> None:
    made = [Repository.make(tmp_path / f"remote{number}") for number in range(2)]
    text = "starting_actors = ['a0', 'a1']\n"
    for number, each in enumerate(made):
        each.actor(".")
        each.commit()
        text += f"[actors.a{number}]\nsource.git = '{each.url}'\n"
    project.lock(text)
    before = [each["revision"] for each in tomllib.loads(project.lockfile())["git"]]
    for each in made:
        each.commit()
    project.lock(text, upgrade=frozenset({"a1"}))
    after = [each["revision"] for each in tomllib.loads(project.lockfile())["git"]]
    assert after == [before[0], made[1].head()]


# Trust


def test_content_that_is_not_what_was_locked(project: Project, remote: Repository) -> None:
    text = app(remote.url)
    project.lock(text)
    shutil.rmtree(project.root.parent / "cache")
    (actor, *_) = tomllib.loads(project.lockfile())["actor"]
    faked = project.lockfile().replace(actor["digest"], "sha256:" + "0" * 64)
    (project.root / "app.lock").write_text(faked)
    (found,) = project.check(text).diagnostics
    assert (found.code, found.span.file if found.span else "") == ("WM1010", "app.lock")
    assert found.span is not None
    assert faked.splitlines()[found.span.start.line - 1].startswith("digest = ")
    assert [str(label.span) for label in found.labels] == ["app.toml:4:18"]
    project.lock(text)
    assert project.lockfile() == faked


def test_a_cache_that_was_tampered_with_is_not_used(project: Project, remote: Repository) -> None:
    text = app(remote.url)
    project.lock(text)
    for file in (project.root.parent / "cache" / "sources").rglob("actor.py"):
        file.chmod(0o644)
        file.write_text("evil = 1\n")
    assert project.lock(text) == []
    for file in (project.root.parent / "cache" / "sources").rglob("actor.py"):
        assert "evil" not in file.read_text()


def test_more_capabilities_need_consent(project: Project) -> None:
    project.actor("../beside/desk", "[capabilities]\nlogger = true")
    project.lock(BESIDE)
    before = project.lockfile()
    project.actor("../beside/desk", capabilities=["command", "http", "logger"])
    report = pipeline.lock(project.write("app.toml", BESIDE), project.environment()).report
    (found,) = report.diagnostics
    assert (found.code, str(found.span)) == ("WM1011", "app.toml:4:19")
    assert found.message == "`desk` gains `command` and `http`"
    assert [label.span.file for label in found.labels] == ["app.lock"]
    assert project.lockfile() == before
    asked: list[Widening] = []

    def accept(found: Any) -> bool:
        asked.extend(found)
        return True

    assert project.lock(BESIDE, accept_capabilities=accept) == []
    assert [(each.actor, each.gains) for each in asked] == [("desk", ("command", "http"))]
    assert project.lockfile() != before
    project.actor("../beside/desk", capabilities=["http"])
    assert project.lock(BESIDE) == [], "less needs no consent"


_OWN = 'starting_actors = ["desk"]\n\n[actors.desk]\nsource = { path = "desk" }\n'


def _remembering(project: Project, **policy: Any) -> list[str]:
    """Lock a config of an actor beside it, as a user with a state folder."""
    environment = project.environment()._replace(state=project.root.parent / "state")
    config = project.write("app.toml", _OWN)
    report = pipeline.lock(config, environment, LockPolicy(**policy)).report
    return [line for line in listed(report) if line.split()[0] not in project.quiet]


def test_a_lockfile_that_was_removed_is_no_fresh_start(project: Project) -> None:
    project.actor("desk", capabilities=["filesystem"])
    assert _remembering(project) == []
    project.actor("desk", capabilities=["command", "filesystem"])
    (project.root / "app.lock").unlink()
    (found,) = _remembering(project)
    assert found.startswith("WM1011 ")
    assert found.endswith("`desk` gains `command`")
    assert not (project.root / "app.lock").exists()
    (again,) = _remembering(project)
    assert again == found
    asked: list[Widening] = []

    def accept(found: Any) -> bool:
        asked.extend(found)
        return True

    assert _remembering(project, accept_capabilities=accept) == []
    assert [(each.actor, each.gains) for each in asked] == [("desk", ("command",))]
    (project.root / "app.lock").unlink()
    assert _remembering(project) == [], "it was accepted meanwhile"


def test_a_lockfile_that_came_with_the_project_is_remembered_when_it_is_used(
    project: Project,
) -> None:
    project.actor("desk", capabilities=["filesystem"])
    assert project.lock(_OWN) == []
    assert _remembering(project) == []
    project.actor("desk", capabilities=["command", "filesystem"])
    (project.root / "app.lock").unlink()
    assert [each.split()[0] for each in _remembering(project)] == ["WM1011"]


def test_without_gains_or_memory_a_lockfile_is_simply_written(project: Project) -> None:
    project.actor("desk", capabilities=["filesystem"])
    assert _remembering(project) == []
    (project.root / "app.lock").unlink()
    assert _remembering(project) == []
    (accepted,) = (project.root.parent / "state" / "accepted").iterdir()
    accepted.write_text("damaged")
    (project.root / "app.lock").unlink()
    assert _remembering(project) == []


@pytest.mark.parametrize(
    ("before", "after", "gains"),
    [
        ('command.programs = ["true"]', "command = true", "`command`"),
        (
            'command.programs = ["true"]',
            'command.programs = ["false", "true"]',
            "`command.programs`",
        ),
        ('command.programs = ["a", "b"]', 'command.programs = ["b"]', ""),
        ('command.programs = ["a"]', 'command.directories = ["a"]', "`command.programs`"),
        ('command.programs = ["a"]', 'command = { programs = ["a"], directories = ["a"] }', ""),
        (
            'command.environment = ["A"]',
            'command.environment = ["A", "B"]',
            "`command.environment`",
        ),
        ("command = true", 'command.programs = ["a"]', ""),
        ('http.hosts = ["a"]', 'http = { hosts = ["a"], private = true }', "`http.private`"),
        ("agent = { depth = 1, number = 2 }", "agent = { depth = 2, number = 1 }", "`agent.depth`"),
        ("agent.depth = 2", "agent.number = 1", "`agent.depth`"),
        ('filesystem.read = ["a"]', 'filesystem.read_write = ["a"]', "`filesystem.read_write`"),
        ('filesystem.read_write = ["a"]', 'filesystem.read = ["a"]', ""),
    ],
)
def test_narrowing_less_needs_consent(
    project: Project, before: str, after: str, gains: str
) -> None:
    project.actor("../beside/desk", f"[capabilities]\n{before}")
    project.lock(BESIDE)
    project.actor("../beside/desk", f"[capabilities]\n{after}")
    found = project.lock(BESIDE)
    assert [each.partition("gains ")[2] for each in found] == ([gains] if gains else [])


def test_what_the_user_narrows_less_needs_none(project: Project) -> None:
    project.actor("../beside/desk", "[capabilities]\ncommand = true")
    grants = "grants.command.programs = "
    project.lock(f'{BESIDE}{grants}["true"]\n')
    assert 'grants = {command = {programs = ["true"]}}\n' in project.lockfile()
    assert project.lock(f'{BESIDE}{grants}["true", "false"]\n') == []


def test_the_order_of_what_narrows_says_nothing(project: Project) -> None:
    project.actor(
        "../beside/desk", "[capabilities]\ncommand = { programs = ['b', 'a'], directories = [] }"
    )
    project.lock(BESIDE)
    assert 'grants = {command = {directories = [], programs = ["a", "b"]}}' in project.lockfile()


def test_an_older_lockfile_does_not_know_what_was_narrowed(project: Project) -> None:
    project.actor("../beside/desk", "[capabilities]\ncommand.programs = ['a']")
    project.lock(BESIDE)
    new = project.lockfile()
    lines = [line for line in new.splitlines(keepends=True) if not line.startswith("grants")]
    project.write("app.lock", "".join(lines).replace("version = 4", "version = 2"))
    (found,) = project.lock(BESIDE)
    assert found.startswith("WM1006 ")
    assert project.lockfile() == new


def test_another_interpreter_is_noted_and_recorded_by_lock(project: Project) -> None:
    project.actor("desk")
    project.lock(DESK)
    current = project.lockfile()
    assert project.lock(DESK, locked=True) == []
    (recorded,) = (line for line in current.splitlines() if line.startswith("interpreter"))
    other = current.replace(recorded, f'interpreter = "sha256:{"0" * 64}"')
    project.write("app.lock", other)
    note = (
        "WM1012 app.lock:4:15 this Wasmind has another Python interpreter than the lockfile records"
    )
    assert project.lock(DESK, locked=True) == [note]
    report = project.check(DESK, locked=True)
    assert not report.failed
    assert [each.code for each in report.diagnostics] == ["WM1012"]
    assert [each.code for each in project.check(DESK).diagnostics] == []
    config, place = project.root / "app.toml", project.root / "bundle"
    outcome = pipeline.bundle(config, place, project.environment())
    assert [each.code for each in outcome.report.diagnostics] == ["WM1012"]
    assert project.lockfile() == other, "only `lock` records another one"
    assert project.lock(DESK) == []
    assert project.lockfile() == current
    assert "Recording another Python interpreter" in project.statuses


def test_a_system_without_python_records_no_interpreter(project: Project) -> None:
    project.write("desk/Wasmind.toml", 'actor_id = "a:b"\nbuild.component = "x.wasm"\n')
    project.write("desk/x.wasm", bytes(wasmtime.wat2wasm(ECHO.read_text())))
    project.lock(DESK)
    assert "interpreter" not in project.lockfile()


def test_the_third_format_named_no_interpreter(project: Project) -> None:
    project.actor("desk")
    project.lock(DESK)
    new = project.lockfile()
    lines = [line for line in new.splitlines(keepends=True) if not line.startswith("interpreter")]
    project.write("app.lock", "".join(lines).replace("version = 4", "version = 3"))
    (found,) = project.lock(DESK)
    assert found.startswith("WM1006 ")
    assert project.lockfile() == new


def test_a_dependency_that_was_brought_along_needs_consent(project: Project) -> None:
    project.actor("../beside/desk")
    project.lock(BESIDE)
    project.actor("../beside/tool", capabilities=["command"])
    project.actor("../beside/desk", 'dependencies.tool.source.path = "../tool"')
    (found,) = project.lock(BESIDE)
    assert found.startswith("WM1011 ")
    assert found.endswith("`tool` gains `command`")


def test_what_a_dependency_brings_along_needs_consent_too(project: Project) -> None:
    project.actor("../beside/desk")
    project.lock(BESIDE)
    project.actor("../beside/shell", capabilities=["command"])
    project.actor("../beside/tool", 'dependencies.shell.source.path = "../shell"')
    project.actor("../beside/desk", 'dependencies.tool.source.path = "../tool"')
    (found,) = project.lock(BESIDE)
    assert found.startswith("WM1011 ")
    assert found.endswith("`shell` gains `command`")


def test_what_the_user_adds_needs_none(project: Project) -> None:
    project.actor("../beside/desk")
    project.lock(BESIDE)
    project.actor("../beside/shell", capabilities=["command"])
    text = BESIDE + "[actors.shell]\nsource.path = '../beside/shell'\nauto_spawn = true\n"
    assert project.lock(text) == []


def test_what_the_config_grants_needs_no_further_consent(project: Project) -> None:
    project.actor("../beside/desk")
    project.lock(BESIDE)
    project.actor("../beside/desk", capabilities=["command", "http"])
    granted = "[actors.desk.grants]\ncommand.programs = ['true']\nhttp = true\n"
    assert project.lock(BESIDE + granted) == []
    assert "http" in project.lockfile()


def test_what_the_config_grants_to_who_was_brought_along_needs_none(project: Project) -> None:
    project.actor("../beside/desk")
    project.lock(BESIDE)
    project.actor("../beside/tool", capabilities=["command"])
    project.actor("../beside/desk", 'dependencies.tool.source.path = "../tool"')
    assert [line.split()[0] for line in project.lock(BESIDE)] == ["WM1011"]
    grants = "grants.command.programs = ['true']\n"
    assert project.lock(f"{BESIDE}[actor_overrides.tool]\n{grants}") == []


def test_ones_own_actor_may_gain_capabilities_which_is_noted(project: Project) -> None:
    project.actor("desk")
    project.lock(DESK)
    project.actor("desk", "[capabilities]\nhttp = true", capabilities=["command"])
    config = project.write("app.toml", DESK)
    outcome = pipeline.lock(config, project.environment())
    assert outcome.changed
    (found,) = outcome.report.diagnostics
    assert (found.code, found.severity, found.message) == (
        "WM1011",
        Severity.NOTE,
        "`desk` gains `command` and `http`",
    )
    assert "http" in project.lockfile()
    assert project.lock(DESK) == [], "it is news once"


def test_ones_own_actor_brings_along_a_foreign_one(project: Project) -> None:
    project.actor("desk")
    project.lock(DESK)
    before = project.lockfile()
    project.actor("../beside/tool", capabilities=["command"])
    own = 'dependencies.tool.source.path = "../../beside/tool"'
    project.actor("desk", own, capabilities=["http"])
    (found,) = project.lock(DESK)
    assert found.endswith("`tool` gains `command`")
    assert project.lockfile() == before


# Faults

ENTRY = """\
[[actor]]
name = "desk"
actor_id = "test:desk"
source = {path = "desk"}
digest = "sha256:%s"
capabilities = []
dependencies = []
""" % ("0" * 64)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version = \n", "WM1004 app.lock:1:9 the lockfile is corrupt: TOML syntax error"),
        ("versio = 2\n", "WM1004 app.lock:1:1 the lockfile is corrupt: unknown key `versio`"),
        ('version = "2"\n', "WM1004 app.lock:1:11 the lockfile is corrupt: `version` must be"),
        (
            "version = 4\n" + ENTRY.replace("000", "", 1),
            "WM1004 app.lock:6:10 the lockfile is corrupt: `actor[0].digest`",
        ),
        (
            "version = 4\n" + ENTRY + ENTRY,
            "WM1004 app.lock:9:1 the lockfile is corrupt: two entries for `desk`",
        ),
        (
            'version = 4\n[[git]]\nurl = "https://e.org/r"\nrevision = "abc"\n',
            "WM1004 app.lock:4:12 the lockfile is corrupt: `git[0].revision`",
        ),
        (
            "version = 4\n" + "".join(ENTRY.splitlines(keepends=True)[:4]) + ENTRY[-36:],
            "WM1007 app.lock:2:1 the lock entry of `desk` has no digest",
        ),
        ("version = 5\n[new]\n", "WM1003 app.lock:1:11 the lockfile `app.lock` was written by"),
        (
            'version = 4\nconfig = "other.toml"\n',
            "WM1009 app.lock:2:10 the lockfile belongs to `other.toml`, not to `app.toml`",
        ),
        (
            "version = 4\n<<<<<<< ours\na = 1\n=======\na = 2\n>>>>>>> theirs\n",
            "WM1005 app.lock:2:1 the lockfile has unresolved merge conflicts",
        ),
    ],
)
def test_faulty_lockfiles_are_shown_and_kept(project: Project, text: str, expected: str) -> None:
    project.actor("desk")
    (project.root / "app.lock").write_text(text)
    for policy in ({}, {"locked": True}):
        found = project.lock(DESK, **policy)
        assert found[0].startswith(expected), found
    assert project.lockfile() == text


def test_an_entry_without_digest_is_mended_as_advised(project: Project) -> None:
    project.actor("desk")
    project.lock(DESK)
    complete = project.lockfile()
    lines = complete.splitlines(keepends=True)
    project.write("app.lock", "".join(line for line in lines if "digest" not in line))
    (found,) = project.check(DESK).diagnostics
    assert found.help == "remove the entry and run `wasmind lock`"
    project.write("app.lock", complete.partition("\n[[actor]]")[0])
    assert project.lock(DESK) == []
    assert project.lockfile() == complete


def test_all_entries_without_digest_are_found_in_one_go(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking for the entry of each fault among all of them would take minutes."""
    count, located = 50, 0
    header = Document.header

    def counted(document: Document, path: KeyPath) -> Span:
        nonlocal located
        located += 1
        return header(document, path)

    monkeypatch.setattr(Document, "header", counted)
    entries = "".join(f'[[actor]]\nname = "a{number}"\n' for number in range(count))
    project.write("app.lock", f"version = 2\n{entries}")
    project.actor("desk")
    found = [each for each in project.check(DESK).diagnostics if each.code == "WM1007"]
    assert len(found) == count
    assert located < 10 * count


def test_every_conflict_marker_is_shown(project: Project) -> None:
    project.actor("desk")
    text = "a\n<<<<<<< ours\n=======\n>>>>>>> theirs\nb\n<<<<<<< x\n=======\n>>>>>>> y\n"
    (project.root / "app.lock").write_text(text)
    (found,) = project.check(DESK).diagnostics
    lines = [label.span.start.line for label in found.labels]
    assert (found.span.start.line if found.span else 0, lines) == (2, [3, 4, 6, 7, 8])


def test_binary_lockfiles(project: Project) -> None:
    project.actor("desk")
    (project.root / "app.lock").write_bytes(b"\xff\xfe\x00lock")
    (found,) = project.lock(DESK)
    assert found.startswith("WM1004 app.lock:1:1 the lockfile is corrupt: not UTF-8")


def test_lockfiles_that_would_never_end(project: Project) -> None:
    project.actor("desk")
    lockfile = project.root / "app.lock"
    os.mkfifo(lockfile)
    with pytest.raises(CompilerFailure, match=r"cannot read the lockfile.*not a regular file"):
        project.lock(DESK)
    lockfile.unlink()
    with lockfile.open("wb") as file:
        file.truncate(65 * 2**20)
    assert project.lock(DESK) == [
        "WM1004 - the lockfile is corrupt: `app.lock` is larger than 64 MiB"
    ]


def test_a_lockfile_of_many_actors_may_be_larger_than_a_config(tmp_path: Path) -> None:
    (tmp_path / "app.lock").write_text("version = 4\n" + ("#" * 99 + "\n") * 50_000)
    collector = Collector()
    schemas = Schemas(ROOT / "schemas")
    assert load_lock(tmp_path / "app.lock", "app.lock", "app.toml", schemas, collector)
    assert collector.diagnostics() == ()


def test_the_first_format_is_read_and_rewritten(project: Project) -> None:
    project.actor("desk")
    project.lock(DESK)
    new = project.lockfile()
    old = new.replace("version = 4\n", "version = 1\n").replace('config = "app.toml"\n', "")
    (project.root / "app.lock").write_text(old)
    assert project.lock(DESK) == ["WM1006 app.lock:2:11 the lockfile has the older format 1"]
    assert project.lockfile() == new


def test_a_lockfile_that_cannot_be_written(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.actor("desk")
    (project.root / "app.lock").mkdir()
    with pytest.raises(CompilerFailure, match="cannot read the lockfile"):
        pipeline.lock(project.write("app.toml", DESK), project.environment(), LockPolicy())
