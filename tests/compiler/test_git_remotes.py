"""Remotes of git sources: who is asked and believed, with which credentials, under which URLs."""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from tests.compiler.project import ABOUT_ACTORS, Project, app, listed, revision
from tests.compiler.repositories import (
    Repository,
    serve_redirect,
    serve_silence,
    serve_smart,
    ssh_to_here,
)
from tests.observing import FOR_EVER
from wasmind_compiler.diagnostics.render_text import render_text
from wasmind_compiler.resolution.git.limits import GitLimits
from wasmind_compiler.resolution.git.url import GitUrl, read_git_url


@pytest.fixture
def project(project: Project) -> Project:
    """A project of actors whose names, kinds and companions do not matter."""
    project.quiet |= ABOUT_ACTORS
    return project


# Remotes


def test_a_repository_without_commits(project: Project, tmp_path: Path) -> None:
    remote = Repository.make(tmp_path / "remote")
    assert project.found(app(remote.url)) == [
        f"WM1115 app.toml:4:18 the repository `{remote.url}` has no commits"
    ]


def test_an_unborn_default_branch(project: Project, remote: Repository) -> None:
    remote.git("symbolic-ref", "HEAD", "refs/heads/elsewhere")
    (found,) = project.check(app(remote.url)).diagnostics
    assert (found.code, found.help) == ("WM1115", "branches: `main`")


def test_sha256_repositories(project: Project, tmp_path: Path) -> None:
    remote = Repository.make(tmp_path / "remote", "--object-format=sha256")
    remote.actor("actors/desk")
    commit = remote.commit()
    assert len(commit) == 64
    text = app(remote.url)
    assert project.lock(text) == []
    assert revision(project) == commit
    shutil.rmtree(project.root.parent / "cache")
    assert project.lock(text) == []


def test_no_repository_there(project: Project, tmp_path: Path) -> None:
    (found,) = project.check(app(f"file://{tmp_path}/nothing")).diagnostics
    assert (found.code, str(found.span)) == ("WM1109", "app.toml:4:18")
    assert "nothing" in found.notes[0]


def test_nobody_answers(project: Project) -> None:
    (found,) = project.found(app("http://127.0.0.1:9/r"))
    assert found == "WM1109 app.toml:4:18 cannot fetch from `http://127.0.0.1:9/r`"


def test_a_remote_that_hangs_is_given_up_on(project: Project) -> None:
    project.git_limits = GitLimits(seconds=1)
    with serve_silence([]) as server:
        (found,) = project.check(app(f"{server}/r")).diagnostics
    assert (found.code, found.help) == ("WM1125", "the limit is `WASMIND_GIT_SECONDS`")


def test_what_ssh_leaves_behind_is_not_waited_for(
    project: Project, remote: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.git("config", "uploadpack.allowFilter", "true")
    left = f"{FOR_EVER} <&- >/dev/null & echo $! >>$FOLDER/left"
    monkeypatch.setenv("GIT_SSH_COMMAND", ssh_to_here(tmp_path / "ssh", left))
    monkeypatch.setenv("GIT_SSH_VARIANT", "ssh")
    found = project.lock(app(f"ssh://127.0.0.1{remote.root}"))
    for process in (tmp_path / "left").read_text().split():
        os.kill(int(process), signal.SIGTERM)
    assert found == [], "else the time for git would have run out"


def test_a_remote_that_has_moved(project: Project, tmp_path: Path) -> None:
    remote = Repository.make(tmp_path / "served" / "remote")
    remote.actor("actors/desk")
    remote.commit()
    with serve_smart(remote.root.parent, []) as new, serve_redirect(new) as old:
        url = f"{old}/remote/.git"
        report = project.check(app(url))
    (found,) = report.diagnostics
    assert found.code == "WM1126"
    assert found.message == f"`{url}` has moved to `{new}/remote/.git`"
    assert found.fix is not None
    assert found.fix.edits[0].replacement == f'"{new}/remote/.git"'


def test_a_mirror_is_used_for_the_fetch_only(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = Repository.make(tmp_path / "served" / "remote")
    remote.actor("actors/desk")
    remote.commit()
    with serve_smart(remote.root.parent, []) as server:
        config = tmp_path / "gitconfig"
        config.write_text(f'[url "{server}/"]\n  insteadOf = http://localhost:1/\n')
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
        assert project.lock(app("http://localhost:1/remote/.git")) == []
    assert "http://localhost:1/remote/.git" in project.lockfile()
    assert server not in project.lockfile()


def test_uncommitted_changes_are_not_used(project: Project, remote: Repository) -> None:
    remote.write("actors/desk/actor.py", "a syntax error\n")
    assert project.lock(app(remote.url)) == [
        f"WM1131 app.toml:4:18 `{remote.url}` has uncommitted changes, which are not used"
    ]


# Credentials


def test_credentials_are_used_and_never_shown(
    project: Project, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    remote = Repository.make(tmp_path / "served" / "remote")
    remote.actor("actors/desk", 'unknown = "key"')
    remote.commit()
    password = "Basic " + base64.b64encode(b"user:s3cret").decode()
    with serve_smart(remote.root.parent, [], password) as server:
        url = f"{server.replace('//', '//user:s3cret@')}/remote/.git"
        report = project.check(app(url))
        remote.write("actors/desk/Wasmind.toml", "actor_id = 'test:x'\n")
        remote.commit()
        found = project.lock(app(url))
        wrong = project.check(app(url.replace("s3cret", "s3cret2"), 'sub_dir = "x"'))
    shown = render_text(report.diagnostics, report.texts)
    assert [each.code for each in report.diagnostics] == ["WM1103", "WM0201"]
    assert "***********@127.0.0.1" in shown
    assert found == ["WM1103 app.toml:4:31 the git URL carries a secret"]
    assert "s3cret" not in shown + project.lockfile() + repr(found) + "".join(project.statuses)
    assert "s3cret" not in render_text(wrong.diagnostics, wrong.texts)
    for path in (project.root.parent / "cache").rglob("*"):
        assert not path.is_file() or b"s3cret" not in path.read_bytes()


def test_wrong_credentials_are_tried_once(project: Project, tmp_path: Path) -> None:
    remote = Repository.make(tmp_path / "served" / "remote")
    remote.actor("actors/desk")
    remote.commit()
    log: list[str] = []
    with serve_smart(remote.root.parent, log, "Basic right") as server:
        url = f"{server.replace('//', '//user:wrong@')}/remote/.git"
        found = project.found(app(url))
    assert sorted(each[:6] for each in found) == ["WM1103", "WM1110"]
    # Without them, because git does not know that they are wanted, and with them.
    assert len(log) == 2


@pytest.mark.parametrize(
    "user_info", ["me:s3cr@et", "me:s3cr/et", "me:s3cr'et", "me:s3cr@e't", "me:s3cret@e.org:x"]
)
def test_passwords_that_should_be_escaped_are_not_shown_either(
    project: Project, user_info: str
) -> None:
    report = project.check(app(f"https://{user_info}@127.0.0.1:1/x"))
    said = render_text(report.diagnostics, report.texts) + repr(listed(report))
    assert not re.search(r"s3cr|\bet\b", said), said


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("me:s3cret@127.0.0.1/x", "*********@127.0.0.1/x"),
        ("me:s3cr@et@127.0.0.1:1/x", "**********@127.0.0.1:1/x"),
        ("s3cret@127.0.0.1/x", "******@127.0.0.1/x"),
        ("git@127.0.0.1:x", "git@127.0.0.1:x"),
    ],
)
def test_credentials_are_not_shown_where_the_scheme_is_missing(
    project: Project, url: str, shown: str
) -> None:
    report = project.check(app(url))
    said = render_text(report.diagnostics, report.texts)
    assert f'git = "{shown}"' in said
    assert "s3cr" not in said + repr(listed(report))


def test_without_credentials_nobody_is_asked(project: Project, tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    with serve_smart(tmp_path / "served", [], "Basic never") as server:
        (found,) = project.check(app(f"{server}/remote/.git")).diagnostics
    assert (found.code, str(found.span)) == ("WM1110", "app.toml:4:18")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_credentials_do_not_follow_a_redirect(project: Project, tmp_path: Path, host: str) -> None:
    """To another host, or to another port of the same host."""
    seen: list[str] = []
    (tmp_path / "served").mkdir()
    with (
        serve_smart(tmp_path / "served", seen, "Basic never") as other,
        serve_redirect(other.replace("127.0.0.1", host)) as server,
    ):
        url = f"{server.replace('//', '//user:s3cret@')}/remote/.git"
        found = project.found(app(url))
    assert sorted(each[:6] for each in found) == ["WM1103", "WM1110"]
    assert len(seen) == 1, "asked once, never answered with a password"


# URLs


@pytest.mark.parametrize(
    ("url", "code", "replacement"),
    [
        ("git@github.com:owner/repo.git", "WM1101", "ssh://git@github.com/owner/repo.git"),
        ("host.org:owner/repo", "WM1101", "ssh://host.org/owner/repo"),
        ("https:/host.org/owner/repo", "WM1101", "https://host.org/owner/repo"),
        ("file:/abs/repo", "WM1101", "file:///abs/repo"),
        ("user:word@host.org:owner/repo", "WM1101", None),
        ("--upload-pack=touch x", "WM1101", None),
        ("-oProxyCommand=x", "WM1101", None),
        ("ssh://-oProxyCommand=x/r", "WM1101", None),
        ("ext::sh -c touch% x", "WM1102", None),
        ("ext::sh", "WM1102", None),
        ("fd::17", "WM1102", None),
        ("ftp://host/r", "WM1102", None),
        ("http://host.org/r", "WM1102", None),
        ("git://host.org/r", "WM1102", None),
        ("/abs/repo", "WM1101", "file:///abs/repo"),
        ("./repo", "WM1101", None),
        ("C:\\\\repo", "WM1101", None),
        ("https://host.org", "WM1101", None),
        ("https:///owner/repo", "WM1101", None),
        ("file://host/repo", "WM1101", None),
        ("https://host.org/a\\nb", "WM1101", None),
        ("repo", "WM1101", None),
    ],
)
def test_urls_that_are_refused(
    project: Project, url: str, code: str, replacement: str | None
) -> None:
    (found,) = project.check(app(url)).diagnostics
    assert found.code == code
    # A scheme is underlined alone, the rest as a whole.
    assert str(found.span) in ("app.toml:4:18", "app.toml:4:19")
    assert (found.fix.edits[0].replacement if found.fix else None) == (
        f'"{replacement}"' if replacement else None
    )
    assert project.statuses == []


@pytest.mark.parametrize(
    ("before", "port"),
    [
        ("https://127.0.0.1:", "99999"),
        ("https://127.0.0.1:", "0"),
        ("https://[::1]:", "65536"),
        ("ssh://git@127.0.0.1:", "000"),
        ("file://localhost:", "1" * 5000),
    ],
)
def test_ports_that_are_none_are_shown_and_not_asked(
    project: Project, before: str, port: str
) -> None:
    (found,) = project.check(app(f"{before}{port}/owner/repo")).diagnostics
    assert (found.code, found.message) == ("WM1101", "the git URL has no usable port")
    assert found.help == "ports are numbers from 1 to 65535"
    start = 19 + len(before)
    assert found.span is not None
    assert (found.span.start.column, found.span.end.column) == (start, start + len(port))
    assert project.statuses == []


def test_a_port_that_is_no_number_is_not_repeated(project: Project) -> None:
    (found,) = project.check(app("https://127.0.0.1:abc/owner/repo")).diagnostics
    assert found.message == "the git URL has no usable host and port"


@pytest.mark.parametrize("port", ["1", "65535", "0443"])
def test_ports_that_may_be_asked(port: str) -> None:
    assert isinstance(read_git_url(f"https://127.0.0.1:{port}/owner/repo"), GitUrl)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ssh://alice@h/~/actors", "ssh://bob@h/~/actors", False),
        ("ssh://alice@h/~/actors", "ssh://h/~/actors", False),
        ("ssh://alice@h/%7E/actors", "ssh://bob@h/~/actors", False),
        ("ssh://alice@h/~/actors.git", "ssh://alice@H:22/~/actors/", True),
        ("ssh://alice@h/srv/~/actors", "ssh://bob@h/srv/~/actors", True),
        ("https://alice@h/~/actors", "https://bob@h/~/actors", True),
    ],
)
def test_home_folders_are_those_of_a_user(one: str, other: str, same: bool) -> None:
    first, second = read_git_url(one), read_git_url(other)
    assert isinstance(first, GitUrl)
    assert isinstance(second, GitUrl)
    assert (first.canonical == second.canonical) == same


def test_home_folders_of_two_users_are_two_repositories(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = ssh_to_here(tmp_path / "ssh", 'HOME="$FOLDER/${host%@*}"')
    monkeypatch.setenv("GIT_SSH_COMMAND", ssh)
    monkeypatch.setenv("GIT_SSH_VARIANT", "ssh")
    for user in ("alice", "bob"):
        remote = Repository.make(tmp_path / user / "actors")
        remote.actor("tool", "", name=user)
        remote.commit()
        source = f'{{ git = "ssh://{user}@127.0.0.1/~/actors", sub_dir = "tool" }}'
        project.actor(user, f"[dependencies.tool]\nsource = {source}")
    text = "starting_actors = ['alice', 'bob']\nactors.alice.source.path = 'alice'\n"
    found = project.check(text + "actors.bob.source.path = 'bob'\n").diagnostics
    (conflict,) = [each for each in found if each.code == "WM0408"]
    assert conflict.help is not None
    assert conflict.help.startswith("decide with a `source`")
