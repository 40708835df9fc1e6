"""What can happen to a git source, and the tests that show what comes of it.

`CASES` is the table: each case with its tests, named by module and function. Not covered:

* Submodules are pinned by the digest of the folder they are in. Their commits, which the commit of
  the parent names, have no entries of their own in the lockfile.
* Times of files in the cache are not normalised. Nothing reads them.
* Names that some file system would confuse are refused on every system, not only where it would.
* Windows and macOS: all of this ran on Linux only.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.compiler.project import ABOUT_ACTORS, ROOT, Project, app, revision
from tests.compiler.repositories import Repository, serve_smart

CASES: Final[Mapping[str, str]] = {
    "branch moves": """
        git_sources.a_branch_moves_only_on_request git_sources.with_a_lock_no_ref_is_looked_up
        git_moves.a_branch_that_has_moved_on git_moves.commits_on_top""",
    "default branch renamed, or no ref given": """
        git_sources.the_default_branch_is_renamed
        git_sources.absent_and_named_default_branch_are_one_actor""",
    "tag re-pointed": """
        git_sources.a_moved_tag_needs_consent git_moves.every_kind_of_ref_that_can_move
        git_sources.two_refs_of_one_repository""",
    "tag and branch of one name": """
        git_sources.every_kind_of_ref_over_every_transport git_sources.refs_that_do_not_exist""",
    "revision unreachable or forced away": """
        git_sources.a_commit_that_no_ref_leads_to git_sources.a_commit_that_does_not_exist
        git_sources.a_locked_commit_that_was_forced_away
        git_sources.a_digest_in_the_cache_needs_no_repository
        git_sources.every_kind_of_ref_over_every_transport""",
    "abbreviated revision": """
        git_sources.an_abbreviated_revision git_sources.an_ambiguous_revision""",
    "revision that is a ref path": """
        git_sources.every_kind_of_ref_over_every_transport
        git_moves.every_kind_of_ref_that_can_move""",
    "submodules": """
        git_sources.submodules git_sources.a_submodule_that_cannot_be_had
        git_cases.submodules_of_submodules_with_the_credentials_of_their_host
        git_cases.credentials_do_not_go_to_a_submodule_elsewhere""",
    "LFS": """
        git_lfs.without_the_key_pointers_are_left_and_reported
        git_lfs.with_the_key_the_files_themselves_are_fetched
        git_lfs.content_that_is_not_what_the_pointer_promises git_sources.lfs_pointers""",
    "folder missing": "git_sources.a_folder_that_is_missing",
    "folder without manifest": "git_sources.a_folder_without_manifest",
    "folder absolute or climbing": "git_sources.folders_outside_are_refused_before_any_fetch",
    "symlink escape": """
        git_hostile.links_out_of_the_folder git_hostile.a_folder_behind_a_link
        git_cases.a_manifest_that_is_a_link""",
    "clashing and reserved names": """
        git_hostile.names_that_some_file_systems_confuse git_hostile.names_that_windows_refuses""",
    "URL with credentials": """
        git_remotes.credentials_are_used_and_never_shown
        git_remotes.without_credentials_nobody_is_asked git_cases.credentials_are_an_error_if_strict
        git_lfs.credentials_are_used_at_the_server_only""",
    "ssh and scp forms": """
        git_ssh.a_fetch git_ssh.an_unknown_or_changed_host_key_is_refused_without_a_question
        git_ssh.one_repository_over_two_transports git_remotes.urls_that_are_refused""",
    "other transports": """
        git_remotes.urls_that_are_refused git_cases.an_insecure_transport_needs_consent""",
    "offline": """
        lockfile.offline_lists_everything_that_is_missing
        git_cases.offline_takes_commits_from_the_store""",
    "partial and shallow stores": """
        git_sources.a_big_file_comes_when_it_is_needed
        git_moves.a_side_branch_from_before_counts_only_if_all_of_it_is_known""",
    "huge repository": """
        git_sources.one_fetch_for_all_actors_of_a_repository git_hostile.a_hundred_thousand_files
        git_hostile.a_repository_that_is_too_big git_remotes.a_remote_that_hangs_is_given_up_on
        git_progress.bytes_of_a_fetch_are_said""",
    "concurrent processes": """
        lock_git.sixteen_at_once_on_an_empty_cache lock_git.a_fetch_that_outlives_its_killed_parent
        clean.nothing_is_removed_while_a_command_uses_the_cache""",
    "interrupted fetch": """
        killed.killed_before_every_change git_cases.what_a_killed_process_left_is_swept""",
    "repository moved": """
        git_remotes.a_remote_that_has_moved git_remotes.credentials_do_not_follow_a_redirect""",
    "repository gone, mirror wanted": """
        git_remotes.a_mirror_is_used_for_the_fetch_only
        git_hosts.a_mirror_is_said_and_not_the_host_it_stands_for""",
    "path dependency of a git actor": """
        git_sources.one_fetch_for_all_actors_of_a_repository
        git_sources.manifests_cannot_leave_the_repository""",
    "manifest names another git source": """
        git_sources.manifests_lead_to_other_repositories git_hosts.the_way_to_another_host_is_shown
        git_hosts.the_hosts_that_were_asked_are_said""",
    "local repository": "git_remotes.uncommitted_changes_are_not_used",
    "empty repository, unborn branch": """
        git_remotes.a_repository_without_commits git_remotes.an_unborn_default_branch""",
    "SHA-256 repositories": """
        git_remotes.sha256_repositories lockfile.faulty_lockfiles_are_shown_and_kept""",
    "attributes and filters": """
        git_sources.filters_and_line_ends_of_the_repository_do_not_count
        git_hostile.hooks_and_programs_of_the_repository_do_not_run""",
    "one repository at two commits": "git_sources.two_refs_of_one_repository",
    "clock and times": """
        tree.order_time_place_umask_and_working_directory_do_not_matter""",
    "git missing or too old": "lock_git.git_is_missing_or_old",
}


@pytest.mark.parametrize("case", CASES)
def test_the_tests_of_the_table_exist(case: str) -> None:
    for name in CASES[case].split():
        module, function = name.split(".")
        (file,) = (ROOT / "tests").glob(f"*/test_{module}.py")
        assert re.search(rf"^def test_{function}\(", file.read_text(), re.M), name


@pytest.fixture
def project(project: Project) -> Project:
    project.quiet |= ABOUT_ACTORS
    return project


def submodule(parent: Repository, path: str, url: str, commit: str) -> None:
    """Commit a submodule without having its repository at hand."""
    parent.write(".gitmodules", f'[submodule "x"]\n\tpath = {path}\n\turl = {url}\n')
    parent.git("add", ".")
    parent.git("update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
    parent.git("commit", "--quiet", "--message", "submodule")


def test_submodules_of_submodules_with_the_credentials_of_their_host(
    project: Project, tmp_path: Path
) -> None:
    innermost = Repository.make(tmp_path / "served" / "innermost")
    innermost.write("deep.txt", "deep")
    inner = Repository.make(tmp_path / "served" / "inner")
    inner.write("code.txt", "inner")
    submodule(inner, "below", "../../innermost/.git", innermost.commit())
    remote = Repository.make(tmp_path / "served" / "remote")
    remote.actor("desk")
    submodule(remote, "desk/inner", "../../inner/.git", inner.head())
    password = "Basic " + base64.b64encode(b"user:s3cret").decode()
    with serve_smart(remote.root.parent, [], password) as server:
        url = f"{server.replace('//', '//user:s3cret@')}/remote/.git"
        found = project.lock(app(url, 'sub_dir = "desk", submodules = true'))
    assert [each.split()[0] for each in found] == ["WM1103"]
    (deep,) = (project.root.parent / "cache" / "sources").glob("*/tree/inner/below/deep.txt")
    assert deep.read_text() == "deep"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_credentials_do_not_go_to_a_submodule_elsewhere(
    project: Project, tmp_path: Path, host: str
) -> None:
    """To another host, or to another port of the same host."""
    inner = Repository.make(tmp_path / "served" / "inner")
    commit = inner.commit()
    password = "Basic " + base64.b64encode(b"user:s3cret").decode()
    with (
        serve_smart(inner.root.parent, [], password) as server,
        serve_smart(inner.root.parent, [], password) as other,
    ):
        elsewhere = other.replace("127.0.0.1", host)
        remote = Repository.make(tmp_path / "served" / "remote")
        remote.actor("desk")
        submodule(remote, "desk/inner", f"{elsewhere}/inner/.git", commit)
        url = f"{server.replace('//', '//user:s3cret@')}/remote/.git"
        found = project.found(app(url, 'sub_dir = "desk", submodules = true'))
    assert (
        "WM1121 app.toml:4:18 the submodule `inner` cannot be used: authentication failed: "
        f"`{elsewhere}/inner/.git`"
    ) in found


@pytest.mark.parametrize(("target", "expected"), [("real.toml", None), ("../../x", "WM0406")])
def test_a_manifest_that_is_a_link(
    project: Project, tmp_path: Path, target: str, expected: str | None
) -> None:
    remote = Repository.make(tmp_path / "remote")
    remote.actor("desk")
    manifest = remote.root / "desk" / "Wasmind.toml"
    manifest.rename(manifest.with_name("real.toml"))
    manifest.symlink_to(target)
    remote.commit()
    found = project.found(app(remote.url, 'sub_dir = "desk"'))
    assert [each.split()[0] for each in found] == ([expected] if expected else [])


def test_credentials_are_an_error_if_strict(project: Project, tmp_path: Path) -> None:
    remote = Repository.make(tmp_path / "served" / "remote")
    remote.actor("actors/desk")
    remote.commit()
    with serve_smart(remote.root.parent, []) as server:
        report = project.check(app(f"{server.replace('//', '//user:s3cret@')}/remote/.git"))
    assert not report.failed
    assert report.strict().failed


def test_an_insecure_transport_needs_consent(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = Repository.make(tmp_path / "served" / "remote")
    remote.actor("actors/desk")
    commit = remote.commit()
    url, rest = "http://git.example.org/remote/.git", 'sub_dir = "actors/desk"'
    (refused,) = project.found(app(url, rest))
    assert refused == (
        "WM1102 app.toml:4:19 nothing on `http://` proves that `git.example.org` answers"
    )
    with serve_smart(remote.root.parent, []) as server:
        config = tmp_path / "gitconfig"
        config.write_text(f'[url "{server}/"]\n  insteadOf = http://git.example.org/\n')
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
        assert project.lock(app(url, f"{rest}, insecure = true")) == []
    assert revision(project) == commit


def test_offline_takes_commits_from_the_store(project: Project, remote: Repository) -> None:
    text = app(remote.url)
    project.lock(text)
    shutil.rmtree(project.root.parent / "cache" / "sources")
    remote.root.rename(remote.root.with_name("gone"))
    project.statuses.clear()
    assert project.lock(text, offline=True) == []
    assert project.statuses == []


def test_what_a_killed_process_left_is_swept(project: Project, remote: Repository) -> None:
    sources = project.root.parent / "cache" / "sources"
    ended = subprocess.Popen(["true"])
    ended.wait()
    for pid in (ended.pid, os.getpid()):
        (sources / f".new-{pid}-x" / "tree").mkdir(parents=True)
    project.lock(app(remote.url))
    assert [path.name for path in sources.glob(".new-*")] == [f".new-{os.getpid()}-x"]
