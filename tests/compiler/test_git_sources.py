"""Actors from real repositories: what a source means, and what it is pinned to."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compiler.lfs import commit_large
from tests.compiler.project import ABOUT_ACTORS, Project, app, revision
from tests.compiler.repositories import (
    ENVIRONMENT,
    Repository,
    serve_files,
    serve_old,
    serve_smart,
)


@pytest.fixture
def project(project: Project) -> Project:
    """A project of actors whose names, kinds and companions do not matter."""
    project.quiet |= ABOUT_ACTORS
    return project


# What is fetched, and how often


def test_one_fetch_for_all_actors_of_a_repository(project: Project, remote: Repository) -> None:
    assert project.lock(app(remote.url)) == []
    assert project.statuses.count(f"Fetching {remote.url}") == 1
    locked = tomllib.loads(project.lockfile())
    assert locked["git"] == [
        {"url": remote.url, "revision": remote.head(), "default_branch": "refs/heads/main"}
    ]
    assert [(each["name"], each["source"]) for each in locked["actor"]] == [
        ("desk", {"git": remote.url, "sub_dir": "actors/desk"}),
        ("tool", {"git": remote.url, "sub_dir": "actors/tool"}),
    ]


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("", "main"),
        ('git_ref = { branch = "side" }, ', "side"),
        ('git_ref = { tag = "v1" }, ', "v1"),
        ('git_ref = { tag = "plain" }, ', "plain"),
        ('git_ref = { rev = "REV" }, ', "old"),
        ('git_ref = { rev = "refs/pull/7/head" }, ', "pull"),
    ],
)
@pytest.mark.parametrize("transport", ["file", "smart", "dumb"])
def test_every_kind_of_ref_over_every_transport(
    project: Project, tmp_path: Path, transport: str, ref: str, expected: str
) -> None:
    remote, commits = _forked(tmp_path / "served" / "remote")
    log: list[str] = []
    with _transport(remote, transport, log) as url:
        text = app(url, ref.replace("REV", commits["old"]) + 'sub_dir = "actors/desk"')
        found = project.lock(text)
    assert [each for each in found if not each.startswith("WM1107")] == []
    assert revision(project) == commits[expected]
    assert (transport == "file") == (not log)


def _forked(root: Path) -> tuple[Repository, dict[str, str]]:
    """Five different commits, and a tag that has the name of a branch."""
    remote = Repository.make(root)
    commits = {}
    remote.actor("actors/desk")
    commits["old"] = remote.commit("old")
    for name in ("side", "pull", "v1", "plain"):
        remote.git("checkout", "--quiet", "-B", name, commits["old"])
        remote.write("actors/desk/which.txt", name)
        commits[name] = remote.commit(name)
    remote.git("update-ref", "refs/pull/7/head", commits["pull"])
    remote.git("tag", "--annotate", "--message", "one", "v1", commits["v1"])
    remote.git("tag", "plain", commits["plain"])
    remote.git("tag", "side", commits["old"])
    remote.git("checkout", "--quiet", "-B", "main", commits["old"])
    remote.write("actors/desk/which.txt", "main")
    commits["main"] = remote.commit("main")
    for name in ("pull", "v1", "plain"):
        remote.git("branch", "--quiet", "-D", name)
    return remote, commits


def _transport(remote: Repository, transport: str, log: list[str]) -> Iterator[str]:
    from contextlib import contextmanager

    @contextmanager
    def opened() -> Iterator[str]:
        if transport == "file":
            yield remote.url
            return
        serve = serve_smart if transport == "smart" else serve_files
        remote.git("update-server-info")
        with serve(remote.root.parent, log) as server:
            yield f"{server}/{remote.root.name}/.git"

    return opened()


def test_a_big_file_comes_when_it_is_needed(project: Project, tmp_path: Path) -> None:
    remote = Repository.make(tmp_path / "served" / "remote")
    remote.actor("desk")
    remote.write("desk/big.bin", b"\1" * 2_000_000)
    remote.write("elsewhere/big.bin", b"\2" * 3_000_000)
    remote.commit()
    log: list[str] = []
    with serve_smart(remote.root.parent, log) as server:
        assert project.lock(app(f"{server}/remote/.git", 'sub_dir = "desk"')) == []
    assert _posts(log) == 5, "refs, refs and commit, small files, the one big file"


def _posts(log: list[str]) -> int:
    return sum(line.startswith("POST") for line in log)


def _fetched_files(project: Project) -> dict[str, int]:
    """Names and sizes of all files that the cache has of repositories."""
    (store,) = (project.root.parent / "cache" / "git").glob("*/HEAD")
    listed = subprocess.run(
        ["git", f"--git-dir={store.parent}", "cat-file", "--batch-all-objects", "--batch-check"],
        env=ENVIRONMENT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    found = (line.split() for line in listed.splitlines())
    return {oid: int(size) for oid, kind, size in found if kind == "blob"}


def test_only_the_files_of_actors_are_fetched_and_all_at_once(
    project: Project, tmp_path: Path
) -> None:
    remote = Repository.make(tmp_path / "served" / "remote")
    for number in range(4):
        manifest = f'[dependencies.a{number + 1}]\nsource.path = "../a{number + 1}"\n'
        remote.actor(f"actors/a{number}", manifest if number < 3 else "")
        remote.write(f"actors/a{number}/deep/file.txt", f"{number}")
        remote.write(f"elsewhere/{number}.txt", f"elsewhere {number}")
    remote.commit()
    log: list[str] = []
    with serve_smart(remote.root.parent, log) as server:
        assert project.lock(app(f"{server}/remote/.git", 'sub_dir = "actors/a0"')) == []
    assert _posts(log) == 4, "refs, refs and commit, the files of four actors"
    assert len(_fetched_files(project)) == 3 * 4 - 3, "actors that say the same share a file"


def test_a_server_that_gives_out_whole_commits_only(project: Project, tmp_path: Path) -> None:
    remote = Repository.make(tmp_path / "served" / "remote")
    remote.actor("desk")
    old = remote.commit()
    remote.write("desk/new.txt", "new")
    remote.commit()
    log: list[str] = []
    with serve_old(remote.root.parent, log) as server:
        assert project.lock(app(f"{server}/remote/.git", 'sub_dir = "desk"')) == []
        # Not even this, since no ref names it: it comes with everything.
        rev = f'git_ref = {{ rev = "{old}" }}, sub_dir = "desk"'
        assert project.lock(app(f"{server}/remote/.git", rev)) == []
    assert revision(project) == old


def test_submodules_are_named_in_a_file_that_was_left_out(project: Project, tmp_path: Path) -> None:
    inner = Repository.make(tmp_path / "served" / "inner")
    inner.write("lib.txt", "lib")
    inner.commit()
    outer = Repository.make(tmp_path / "served" / "outer")
    outer.actor("desk")
    with serve_smart(outer.root.parent, []) as server:
        url = f"{server}/inner/.git"
        outer.git("submodule", "--quiet", "add", url, "desk/inner")
        outer.commit()
        source = 'submodules = true, sub_dir = "desk"'
        assert project.lock(app(f"{server}/outer/.git", source)) == []
    (folder,) = (project.root.parent / "cache" / "sources").glob("*/tree")
    assert (folder / "inner" / "lib.txt").read_text() == "lib"


def test_several_repositories_at_once(project: Project, tmp_path: Path) -> None:
    text = "starting_actors = ['a0']\n"
    for number in range(4):
        remote = Repository.make(tmp_path / f"remote{number}")
        remote.actor(".")
        remote.commit()
        text += f"[actors.a{number}]\nsource.git = '{remote.url}'\nauto_spawn = true\n"
    assert project.lock(text) == []
    assert len(tomllib.loads(project.lockfile())["git"]) == 4


def test_what_editors_leave_behind_does_not_count_if_it_was_committed(
    project: Project, remote: Repository
) -> None:
    project.lock(app(remote.url))
    before = tomllib.loads(project.lockfile())["actor"][0]["digest"]
    remote.write("actors/desk/.actor.py.swp", "left behind")
    remote.write("actors/desk/.idea/workspace.xml", "left behind")
    remote.commit()
    project.lock(app(remote.url), upgrade_all=True)
    assert tomllib.loads(project.lockfile())["actor"][0]["digest"] == before
    remote.write("actors/desk/note", "written")
    remote.commit()
    project.lock(app(remote.url), upgrade_all=True)
    assert tomllib.loads(project.lockfile())["actor"][0]["digest"] != before


def test_two_refs_of_one_repository(project: Project, tmp_path: Path) -> None:
    remote, commits = _forked(tmp_path / "remote")
    text = (
        "starting_actors = ['a', 'b']\n"
        f"[actors.a]\nsource = {{ git = '{remote.url}', sub_dir = 'actors/desk' }}\n"
        f"[actors.b]\nsource = {{ git = '{remote.url}', sub_dir = 'actors/desk', "
        "git_ref = { tag = 'v1' } }\n"
    )
    old, new = commits["main"][:7], commits["v1"][:7]
    assert project.lock(text) == [
        f"WM0447 app.toml:5:18 `b` and `a` are one actor at two commits: {new} and {old}"
    ]
    assert project.statuses.count(f"Fetching {remote.url}") == 1
    (plain, tagged) = tomllib.loads(project.lockfile())["git"]
    assert plain["revision"] == commits["main"]
    assert tagged["revision"] == commits["v1"]
    assert tagged["tag_object"] == remote.git("rev-parse", "v1")


def test_manifests_lead_to_other_repositories(project: Project, tmp_path: Path) -> None:
    second = Repository.make(tmp_path / "second")
    second.actor("deep/tool")
    second.commit()
    first = Repository.make(tmp_path / "first")
    manifest = f'[dependencies.tool]\nsource = {{ git = "{second.url}", sub_dir = "deep/tool" }}'
    first.actor(".", manifest)
    first.commit()
    assert project.lock(app(first.url, "")) == []
    locked = tomllib.loads(project.lockfile())
    assert [each["url"] for each in locked["git"]] == [first.url, second.url]


# The lockfile decides


def test_a_branch_moves_only_on_request(project: Project, remote: Repository) -> None:
    text = app(remote.url)
    project.lock(text)
    before = remote.head()
    remote.write("actors/desk/new.txt", "new")
    after = remote.commit()
    assert project.lock(text) == []
    assert revision(project) == before
    (note,) = project.lock(text, upgrade=frozenset({"desk"}))
    assert note == (
        f"WM1128 app.toml:4:18 the default branch has moved from {before[:7]} to {after[:7]}"
    )
    assert revision(project) == after
    assert f"Updating {remote.url} {before[:7]} -> {after[:7]} (1 commit)" in project.statuses


def test_a_bump_touches_few_lines(project: Project, remote: Repository) -> None:
    text = app(remote.url)
    project.lock(text)
    before = project.lockfile().splitlines()
    remote.write("actors/desk/new.txt", "new")
    remote.commit()
    project.lock(text, upgrade_all=True)
    after = project.lockfile().splitlines()
    changed = [line for line in after if line not in before]
    assert [line.split(" = ")[0] for line in changed] == ["revision", "digest"]


def test_with_a_lock_no_ref_is_looked_up(project: Project, tmp_path: Path) -> None:
    remote = Repository.make(tmp_path / "served" / "remote")
    remote.actor("actors/desk")
    commit = remote.commit()
    log: list[str] = []
    with serve_smart(remote.root.parent, log) as server:
        text = app(f"{server}/remote/.git")
        assert project.lock(text) == []
        remote.write("actors/desk/new.txt", "new")
        remote.commit()
        shutil.rmtree(project.root.parent / "cache")
        log.clear()
        assert project.lock(text) == []
        assert revision(project) == commit
        assert _posts(log) == 2, "the commit, and the files of its actors"
        log.clear()
        assert project.lock(text) == []
        assert log == []


def test_the_default_branch_is_renamed(project: Project, remote: Repository) -> None:
    text = app(remote.url)
    project.lock(text)
    remote.git("branch", "--move", "trunk")
    assert project.lock(text, upgrade_all=True) == [
        "WM1129 app.toml:4:18 the default branch was `refs/heads/main` and is `refs/heads/trunk` "
        "now"
    ]
    assert '"refs/heads/trunk"' in project.lockfile()


def test_a_moved_tag_needs_consent(project: Project, remote: Repository) -> None:
    text = app(remote.url, 'git_ref = { tag = "v1" }, sub_dir = "actors/desk"')
    remote.git("tag", "v1")
    project.lock(text)
    before = remote.head()
    remote.write("actors/desk/evil.txt", "")
    after = remote.commit()
    remote.git("tag", "--force", "v1")
    (alarm,) = project.lock(text, upgrade_all=True)
    assert alarm.startswith(f"WM1127 app.toml:4:{text.splitlines()[3].index('v1')} ")
    assert alarm.endswith(f"the tag `v1` has moved from {before[:7]} to {after[:7]}")
    assert revision(project) == before
    assert project.lock(text, upgrade_all=True, accept_moved_tags=True) == []
    assert revision(project) == after


def test_a_tag_that_is_made_anew_at_its_commit(project: Project, remote: Repository) -> None:
    text = app(remote.url, 'git_ref = { tag = "v1" }, sub_dir = "actors/desk"')
    remote.git("tag", "--annotate", "--message", "first", "v1")
    project.lock(text)
    remote.git("tag", "--annotate", "--message", "second", "--force", "v1")
    assert project.lock(text, upgrade_all=True) == []
    assert f"Updating {remote.url}#v1, tagged anew at its commit" in project.statuses
    assert remote.git("rev-parse", "v1") in project.lockfile()


def test_absent_and_named_default_branch_are_one_actor(
    project: Project, remote: Repository
) -> None:
    url = f"git = '{remote.url}', sub_dir = 'actors/tool'"
    project.actor("one", f"[dependencies.tool]\nsource = {{ {url} }}")
    project.actor(
        "two", f"[dependencies.tool]\nsource = {{ {url}, git_ref = {{ branch = 'main' }} }}"
    )
    text = "starting_actors = ['one', 'two']\nactors.one.source.path = 'one'\n"
    assert project.lock(text + "actors.two.source.path = 'two'\n") == []


def test_spellings_of_one_url_are_one_actor(project: Project, remote: Repository) -> None:
    for name, url in [("one", remote.url), ("two", f"{remote.url}.git/")]:
        source = f"source = {{ git = '{url}', sub_dir = 'actors/tool' }}"
        project.actor(name, f"[dependencies.tool]\n{source}")
    (remote.root.parent / "remote.git").symlink_to(remote.root)
    text = "starting_actors = ['one', 'two']\nactors.one.source.path = 'one'\n"
    assert project.lock(text + "actors.two.source.path = 'two'\n") == []


def test_a_local_path_with_characters_that_mean_something_in_urls(
    project: Project, tmp_path: Path
) -> None:
    remote, inner = (Repository.make(tmp_path / "a#b?c d" / name) for name in ("remote#1", "inner"))
    inner.write("code.txt", "inner")
    inner.commit()
    remote.actor("desk")
    commit_large(remote, "desk/model.bin", b"big")
    remote.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../inner",
               "desk/inner")  # fmt: skip
    remote.commit()
    remote.write("desk/actor.py", "edited")
    url = remote.url.replace(" ", "%20")
    keys = 'sub_dir = "desk", lfs = true, submodules = true'
    assert project.lock(app(url, keys)) == [
        f"WM1131 app.toml:4:18 `{url}` has uncommitted changes, which are not used"
    ]
    (tree,) = (project.root.parent / "cache" / "sources").glob("*/tree")
    assert (tree / "model.bin").read_bytes() == b"big"
    assert (tree / "inner" / "code.txt").read_text() == "inner"


# Commits


def test_a_commit_that_no_ref_leads_to(project: Project, remote: Repository) -> None:
    remote.write("actors/desk/lost.txt", "")
    lost = remote.commit()
    remote.git("reset", "--quiet", "--hard", "HEAD~1")
    text = app(remote.url, f'git_ref = {{ rev = "{lost}" }}, sub_dir = "actors/desk"')
    assert project.lock(text) == []
    assert revision(project) == lost


def test_a_commit_that_does_not_exist(project: Project, remote: Repository) -> None:
    missing = "0123456789" * 4
    text = app(remote.url, f'git_ref = {{ rev = "{missing}" }}, sub_dir = "actors/desk"')
    assert project.lock(text) == [
        f"WM1113 app.toml:4:{text.splitlines()[3].index(missing)} `{remote.url}` has no commit "
        f"{missing}"
    ]


def test_a_locked_commit_that_was_forced_away(project: Project, tmp_path: Path) -> None:
    remote = Repository.make(tmp_path / "remote")
    remote.actor("actors/desk")
    old = remote.commit("one")
    text = app(remote.url)
    project.lock(text)
    remote.git("update-ref", "-d", "refs/heads/main")
    remote.write("actors/desk/other.txt", "")
    new = remote.commit("two")
    remote.git("reflog", "expire", "--expire=now", "--all")
    remote.git("gc", "--quiet", "--prune=now")
    # The cache still has it.
    assert project.lock(text) == []
    shutil.rmtree(project.root.parent / "cache")
    report = project.check(text)
    (found,) = report.diagnostics
    assert (found.code, str(found.span)) == ("WM1113", "app.toml:4:18")
    assert found.notes == (f"it was the default branch, which is now at {new[:7]}",)
    assert old in found.message


def test_a_digest_in_the_cache_needs_no_repository(project: Project, remote: Repository) -> None:
    text = app(remote.url)
    project.lock(text)
    shutil.rmtree(remote.root)
    shutil.rmtree(project.root.parent / "cache" / "git")
    assert project.lock(text, locked=True) == []


def test_an_abbreviated_revision(project: Project, remote: Repository) -> None:
    first = remote.head()
    for number in range(3):
        remote.commit(str(number))
    text = app(remote.url, f'git_ref = {{ rev = "{first[:9]}" }}, sub_dir = "actors/desk"')
    column = text.splitlines()[3].index(first[:9])
    warning = f"WM1106 app.toml:4:{column} `{first[:9]}` is only the beginning of a commit id"
    assert project.lock(text) == [warning]
    assert revision(project) == first
    (found,) = [each for each in project.check(text).diagnostics if each.code == "WM1106"]
    assert found.fix is not None
    assert found.fix.edits[0].replacement == f'"{first}"'


def test_a_branch_with_capitals_that_was_given_as_a_revision(
    project: Project, remote: Repository
) -> None:
    remote.git("branch", "Release")
    (found,) = project.check(app(remote.url, 'git_ref = { rev = "Release" }')).diagnostics
    assert found.message == f"`{remote.url}` has no rev `Release`"
    assert found.help == 'there is a branch of this name: `branch = "Release"`'


def test_an_ambiguous_revision(project: Project, tmp_path: Path) -> None:
    remote = Repository.make(tmp_path / "remote")
    remote.actor("actors/desk")
    begun: dict[str, str] = {}
    number = 0
    while True:
        commit = remote.commit(str(number))
        number += 1
        if commit[:4] in begun:
            break
        begun[commit[:4]] = commit
        if number > 40:
            # Waiting for chance would take long; look for a fitting message without committing.
            commit, begun = _collision(remote)
            break
    text = app(remote.url, f'git_ref = {{ rev = "{commit[:4]}" }}, sub_dir = "actors/desk"')
    found = project.check(text).diagnostics
    (error,) = [each for each in found if each.severity.value == "error"]
    assert error.code == "WM1114"
    assert commit in error.notes[0]
    assert begun[commit[:4]] in error.notes[0]


def _collision(remote: Repository) -> tuple[str, dict[str, str]]:
    """Two commits that begin alike, both on branches."""
    tree, begun = remote.git("rev-parse", "HEAD^{tree}"), {}
    for number in range(2000):
        commit = remote.git("commit-tree", "-m", str(number), tree)
        other = begun.get(commit[:4])
        if other is not None:
            remote.git("update-ref", "refs/heads/one", commit)
            remote.git("update-ref", "refs/heads/two", other)
            return commit, begun
        begun[commit[:4]] = commit
    raise AssertionError("no two commits begin alike")


@pytest.mark.parametrize(
    ("ref", "message", "help_line"),
    [
        ('branch = "mian"', "has no branch `mian`", "did you mean `main`?"),
        ('tag = "main"', "has no tag `main`", 'there is a branch of this name: `branch = "main"`'),
        ('branch = "v1"', "has no branch `v1`", 'there is a tag of this name: `tag = "v1"`'),
        ('rev = "main"', "has no rev `main`", 'there is a branch of this name: `branch = "main"`'),
    ],
)
def test_refs_that_do_not_exist(
    project: Project, remote: Repository, ref: str, message: str, help_line: str
) -> None:
    remote.git("tag", "v1")
    text = app(remote.url, f'git_ref = {{ {ref} }}, sub_dir = "actors/desk"')
    (found,) = project.check(text).diagnostics
    assert found.code == "WM1112"
    assert found.message.endswith(message)
    assert found.help == help_line
    assert found.span is not None
    assert found.span.start.column == text.splitlines()[3].index(ref.split('"')[1])


@pytest.mark.parametrize("name", ["a b", "-x", "a..b", "x.lock", "*", "a:b", "refs/heads/*", "@{"])
def test_names_that_git_forbids(project: Project, remote: Repository, name: str) -> None:
    text = app(remote.url, f'git_ref = {{ branch = "{name}" }}')
    (found,) = project.found(text)
    assert found.startswith("WM1105 app.toml:4:")
    assert not (project.root.parent / "cache" / "git").exists()


# Folders


def test_a_folder_that_is_missing(project: Project, remote: Repository) -> None:
    text = app(remote.url, 'sub_dir = "actors/dsk"')
    (found,) = project.check(text).diagnostics
    assert (found.code, str(found.span)) == (
        "WM1116",
        f"app.toml:4:{text.splitlines()[3].index('actors/dsk')}",
    )
    commit = remote.head()[:7]
    assert found.message == f"`{remote.url}` has no folder `actors/dsk` in commit {commit}"
    assert found.help == "did you mean `actors/desk`?"


def test_a_folder_without_manifest(project: Project, remote: Repository) -> None:
    remote.write("actors/Cargo.toml", "[package]\n")
    commit = remote.commit()
    (found,) = project.check(app(remote.url, 'sub_dir = "actors"')).diagnostics
    assert found.code == "WM1117"
    assert found.message == f"`{remote.url}@{commit[:7]}:actors` has no `Wasmind.toml`"
    assert found.help == "folders in it that have one: `actors/desk`, `actors/tool`"
    assert found.notes == ("there is a `Cargo.toml`, so this may be a package that is no actor",)


@pytest.mark.parametrize("folder", ["/etc", "../x", "a/../../x", "a\\\\b", "actors/desk/.."])
def test_folders_outside_are_refused_before_any_fetch(
    project: Project, remote: Repository, folder: str
) -> None:
    project.quiet.add("WM1708")
    (found,) = project.found(app(remote.url, f'sub_dir = "{folder}"'))
    assert found.startswith("WM1104 app.toml:4:")
    assert project.statuses == []


@pytest.mark.parametrize("path", ["../../../outside", "/etc", "../.."])
def test_manifests_cannot_leave_the_repository(project: Project, tmp_path: Path, path: str) -> None:
    remote = Repository.make(tmp_path / "remote")
    remote.actor("desk", f'dependencies.tool.source.path = "{path}"')
    remote.actor(".")
    commit = remote.commit()
    found = project.found(app(remote.url, 'sub_dir = "desk"'))
    shown = f"{remote.url}@{commit[:7]}:desk/Wasmind.toml:2:33"
    assert found == [f"WM1130 {shown} `{path}` leads out of the repository `{remote.url}`"]


def test_mistakes_in_a_fetched_manifest_are_shown_there(
    project: Project, remote: Repository
) -> None:
    remote.write("actors/tool/Wasmind.toml", 'actor_id = "x"\nrequired_spawn = []\n')
    commit = remote.commit()
    (found,) = project.found(app(remote.url))
    assert found.startswith(f"WM0201 {remote.url}@{commit[:7]}:actors/tool/Wasmind.toml:2:1 ")


# Submodules and what git would do to files


def test_submodules(project: Project, tmp_path: Path) -> None:
    inner = Repository.make(tmp_path / "inner")
    inner.write("code.txt", "inner")
    inner.commit()
    remote = Repository.make(tmp_path / "remote")
    remote.actor("desk")
    remote.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../inner",
               "desk/inner")  # fmt: skip
    remote.commit()
    (left_out,) = project.lock(app(remote.url, 'sub_dir = "desk"'))
    assert left_out.startswith("WM1120 app.toml:4:18 submodules are left out: `inner`")
    without = project.lockfile()
    text = app(remote.url, 'sub_dir = "desk", submodules = true')
    assert project.lock(text) == []
    digests = [re.findall(r'^digest = "sha256:(.*)"', each, re.M)[0]
               for each in (without, project.lockfile())]  # fmt: skip
    sources = project.root.parent / "cache" / "sources"
    assert not (sources / digests[0] / "tree" / "inner").exists()
    assert (sources / digests[1] / "tree" / "inner" / "code.txt").read_text() == "inner"


def test_a_submodule_that_cannot_be_had(project: Project, tmp_path: Path) -> None:
    remote = Repository.make(tmp_path / "remote")
    remote.actor("desk")
    remote.write(
        ".gitmodules", '[submodule "x"]\n\tpath = desk/x\n\turl = ext::sh -c touch% pwned\n'
    )
    remote.git("add", ".")
    remote.git("update-index", "--add", "--cacheinfo", f"160000,{'12' * 20},desk/x")
    remote.git("commit", "--quiet", "--message", "x")
    (found,) = project.found(app(remote.url, 'sub_dir = "desk", submodules = true'))
    assert found.startswith("WM1121 app.toml:4:18 the submodule `x` cannot be used: ")
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize(("path", "code"), [("actor.py", "WM1122"), ("photo.png", "WM1123")])
def test_lfs_pointers(project: Project, remote: Repository, path: str, code: str) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    remote.write(f"actors/desk/{path}", pointer)
    remote.commit()
    (found,) = project.found(app(remote.url))
    assert found.startswith(f"{code} app.toml:4:18 `{path}` is a Git LFS pointer")


def test_filters_and_line_ends_of_the_repository_do_not_count(
    project: Project, remote: Repository
) -> None:
    remote.write("actors/desk/.gitattributes", "* text eol=crlf ident export-subst\n")
    remote.write("actors/desk/text.txt", "$Id$\nline\n$Format:%H$\n")
    remote.git("add", "--renormalize", ".")
    remote.commit()
    project.lock(app(remote.url))
    digest = tomllib.loads(project.lockfile())["actor"][0]["digest"].removeprefix("sha256:")
    written = project.root.parent / "cache" / "sources" / digest / "tree" / "text.txt"
    assert written.read_bytes() == b"$Id$\nline\n$Format:%H$\n"
    assert written.stat().st_mode & 0o222 == 0
