"""What has moved at a remote: told without writing, and counted only where the count is certain."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.compiler.project import ABOUT_ACTORS, Project, app
from tests.compiler.repositories import Repository, serve_files, serve_smart
from wasmind_compiler.diagnostics import Diagnostic, Severity
from wasmind_compiler.reporter import Reporter
from wasmind_compiler.resolution.git.history import commits_between
from wasmind_compiler.resolution.git.limits import GitLimits
from wasmind_compiler.resolution.git.program import GitProgram
from wasmind_compiler.resolution.git.store import Repository as Store
from wasmind_compiler.resolution.git.url import GitUrl, read_git_url


@pytest.fixture
def project(project: Project) -> Project:
    project.quiet |= ABOUT_ACTORS
    return project


def outdated(project: Project, text: str) -> list[Diagnostic]:
    """What is said to have moved, without what else may be doubtful."""
    found = project.check(text, outdated=True).diagnostics
    return [each for each in found if each.code.startswith("WM11")]


def history(branch: str, commits: int) -> bytes:
    """Empty commits on a branch, for `git fast-import`."""
    commit = f"commit refs/heads/{branch}\ncommitter A <a@b> %d +0000\ndata 1\nx\n"
    return "".join(commit % number for number in range(commits)).encode()


# check --outdated


def test_nothing_is_said_of_what_is_up_to_date(project: Project, remote: Repository) -> None:
    text = app(remote.url)
    project.lock(text)
    assert outdated(project, text) == []


def test_a_branch_that_has_moved_on(project: Project, remote: Repository) -> None:
    text = app(remote.url)
    project.lock(text)
    before, lockfile = remote.head(), project.lockfile()
    after = remote.commit()
    (found,) = outdated(project, text)
    assert (found.code, found.severity, str(found.span)) == (
        "WM1128",
        Severity.NOTE,
        "app.toml:4:18",
    )
    assert found.message == f"the default branch has moved from {before[:7]} to {after[:7]}"
    assert found.notes == (f"locked: {before}\nnow:    {after}",)
    assert [label.span.file for label in found.labels] == ["app.lock"]
    assert project.lockfile() == lockfile
    assert project.found(text) == [], "nobody asked"


@pytest.mark.parametrize(
    ("ref", "severity", "message"),
    [
        ('tag = "v1"', Severity.WARNING, "the tag `v1` has moved from {} to {}"),
        ('branch = "side"', Severity.NOTE, "the branch `side` has moved from {} to {}"),
        ('rev = "refs/pull/7/head"', Severity.NOTE, "`refs/pull/7/head` has moved from {} to {}"),
    ],
)
def test_every_kind_of_ref_that_can_move(
    project: Project, remote: Repository, ref: str, severity: Severity, message: str
) -> None:
    def place(commit: str) -> None:
        remote.git("tag", "--force", "--annotate", "--message", "x", "v1", commit)
        remote.git("update-ref", "refs/heads/side", commit)
        remote.git("update-ref", "refs/pull/7/head", commit)

    before = remote.head()
    place(before)
    text = app(remote.url, f'git_ref = {{ {ref} }}, sub_dir = "actors/desk"')
    project.lock(text)
    after = remote.commit()
    place(after)
    report = project.check(text, outdated=True)
    (found,) = [each for each in report.diagnostics if each.code in {"WM1127", "WM1128"}]
    assert found.message == message.format(before[:7], after[:7])
    assert (found.severity, report.failed) == (severity, False)
    consent = " --accept-moved-tags" if found.code == "WM1127" else ""
    assert found.help == f"`wasmind lock --upgrade{consent}` follows it"


def test_a_branch_that_is_gone_and_a_default_that_was_renamed(
    project: Project, remote: Repository
) -> None:
    remote.git("branch", "side")
    text = app(remote.url, 'git_ref = { branch = "side" }, sub_dir = "actors/desk"')
    text += f'[actors.plain]\nsource = {{ git = "{remote.url}", sub_dir = "actors/tool" }}\n'
    project.lock(text)
    remote.git("branch", "--delete", "side")
    remote.git("branch", "--move", "trunk")
    gone, renamed = outdated(project, text)
    assert gone.help == f"{remote.head()[:7]} is kept until you name another"
    assert [gone.message, renamed.message] == [
        "the branch `side` is gone",
        "the default branch was `refs/heads/main` and is `refs/heads/trunk` now",
    ]


def test_commits_cannot_be_outdated_and_ask_nobody(project: Project, tmp_path: Path) -> None:
    remote = Repository.make(tmp_path / "served" / "remote")
    remote.actor("actors/desk")
    commit = remote.commit()
    shutil.copytree(remote.root, tmp_path / "served" / "other")
    log: list[str] = []
    with serve_smart(remote.root.parent, log) as server:
        rest = f'git_ref = {{ rev = "{commit}" }}, sub_dir = "actors/desk"'
        text = app(f"{server}/remote/.git", rest) + (
            f'[actors.other]\nsource = {{ git = "{server}/other/.git", {rest} }}\n'
        )
        project.lock(text)
        remote.commit()
        log.clear()
        assert outdated(project, text) == []
    assert log == []


def test_manifests_of_git_actors_are_asked_about_too(project: Project, tmp_path: Path) -> None:
    second = Repository.make(tmp_path / "second")
    second.actor(".")
    second.commit()
    first = Repository.make(tmp_path / "first")
    first.actor(".", f'dependencies.tool.source.git = "{second.url}"')
    commit = first.commit()
    text = app(first.url, "")
    project.lock(text)
    second.commit()
    (found,) = outdated(project, text)
    assert str(found.span) == f"{first.url}@{commit[:7]}:Wasmind.toml:2:32"


def test_a_remote_that_cannot_be_asked(project: Project, remote: Repository) -> None:
    text = app(remote.url)
    project.lock(text)
    remote.root.rename(remote.root.with_name("gone"))
    (found,) = outdated(project, text)
    assert found.code == "WM1109"


# How many commits


@pytest.fixture
def count(tmp_path: Path) -> Count:
    return Count(tmp_path)


class Count:
    """Asks a served repository how many commits lie between two."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self.remote = Repository.make(folder / "served" / "remote")
        self.log: list[str] = []

    def __call__(self, old: str, new: str, *, smart: bool = True) -> int | None:
        serve = serve_smart if smart else serve_files
        with serve(self.remote.root.parent, self.log) as server:
            url = read_git_url(f"{server}/remote/.git")
            assert isinstance(url, GitUrl)
            git = GitProgram(self.home, GitLimits())
            store = Store(url, self.home, git, Reporter())
            try:
                return commits_between(git, store, old, new)
            finally:
                store.close()


def test_commits_on_top(count: Count) -> None:
    old = count.remote.commit("old")
    for number in range(5):
        new = count.remote.commit(str(number))
    assert count(old, new) == 5
    assert list(count.home.glob("*/history")) == []


def test_a_long_history_is_not_fetched_to_count_its_end(count: Count) -> None:
    count.remote.git("fast-import", "--quiet", stdin=history("main", 3000))
    near, far, new = (
        count.remote.git("rev-parse", name) for name in ("main~7", "main~2000", "main")
    )
    assert count(near, new) == 7
    assert count(far, new) is None


def test_a_side_branch_from_before_counts_only_if_all_of_it_is_known(count: Count) -> None:
    """Cut off, nobody knows which of its commits the old one had already."""
    remote = count.remote
    remote.commit("first")
    remote.git("checkout", "--quiet", "-b", "side")
    remote.commit("aside")
    remote.git("checkout", "--quiet", "main")
    old = remote.commit("old")
    remote.git("merge", "--quiet", "--no-ff", "--message", "merge", "side")
    assert count(old, remote.head()) == 2
    remote.git("fast-import", "--quiet", stdin=history("long", 1200))
    remote.git("merge", "--quiet", "--allow-unrelated-histories", "--message", "m", "long")
    assert count(old, remote.head()) is None


def test_a_commit_that_was_forced_away_is_not_counted_from(count: Count) -> None:
    old = count.remote.commit("old")
    count.remote.git("checkout", "--quiet", "--orphan", "other")
    new = count.remote.commit("new")
    assert count(old, new) is None


def test_servers_of_plain_files_are_not_asked_for_all_of_it(count: Count) -> None:
    old, new = count.remote.commit("old"), count.remote.commit("new")
    count.remote.git("update-server-info")
    assert count(old, new, smart=False) is None
