"""`ssh://` from a real server: fetched, refused without a prompt, and never hanging."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compiler.project import ABOUT_ACTORS, Project, app, revision
from tests.compiler.repositories import Repository, serve_smart
from tests.compiler.ssh_host import SSHD
from tests.compiler.ssh_server import SshServer, protect, replace_host_key, serve_ssh

pytestmark = pytest.mark.skipif(SSHD is None, reason="needs OpenSSH's server (openssh-server)")


@pytest.fixture
def project(project: Project) -> Project:
    project.quiet |= ABOUT_ACTORS
    return project


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with serve_ssh(tmp_path / "ssh") as server:
        yield server


def test_a_fetch(
    project: Project, remote: Repository, server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", server.client())
    url = server.url(remote.root)
    before = remote.head()
    assert project.lock(app(url)) == []
    assert revision(project) == before
    assert project.statuses[-1] == "Contacted 127.0.0.1"
    after = remote.commit()
    (moved,) = project.lock(app(url), upgrade_all=True)
    assert moved.endswith(f"moved from {before[:7]} to {after[:7]}")


def test_the_users_ssh_settings_are_honoured(
    project: Project,
    remote: Repository,
    server: SshServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Through git's configuration, as people have it."""
    config = tmp_path / "gitconfig"
    config.write_text(f'[core]\n  sshCommand = "{server.client()}"\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    assert project.lock(app(server.url(remote.root))) == []


@pytest.mark.parametrize("changed", [False, True])
def test_an_unknown_or_changed_host_key_is_refused_without_a_question(
    project: Project,
    remote: Repository,
    server: SshServer,
    monkeypatch: pytest.MonkeyPatch,
    changed: bool,
) -> None:
    if changed:
        replace_host_key(server)
    monkeypatch.setenv("GIT_SSH_COMMAND", server.client(known=changed))
    url = server.url(remote.root)
    (found,) = project.check(app(url)).diagnostics
    assert (found.code, str(found.span)) == ("WM1111", "app.toml:4:18")
    assert found.message == f"unknown or changed host key: `{url}`"
    assert "Host key verification failed" in found.notes[0]
    assert found.help is not None
    assert found.help.startswith("verify the host's fingerprint")
    assert not (server.folder / "no_hosts").exists(), "nothing was added"


def test_a_key_that_the_server_does_not_know(
    project: Project, remote: Repository, server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", server.client(key="stranger"))
    url = server.url(remote.root)
    (found,) = project.check(app(url)).diagnostics
    assert (found.code, found.message) == ("WM1110", f"authentication failed: `{url}`")
    assert "Permission denied (publickey)" in found.notes[0]


def test_a_key_with_a_passphrase_asks_nobody(
    project: Project, remote: Repository, server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    protect(server.folder / "user", "secret")
    trap = server.folder / "asked"
    askpass = server.folder / "askpass"
    askpass.write_text(f"#!/bin/sh\ntouch {trap}\necho secret\n")
    askpass.chmod(0o755)
    monkeypatch.setenv("SSH_ASKPASS", str(askpass))
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("GIT_ASKPASS", str(askpass))
    monkeypatch.setenv("GIT_SSH_COMMAND", server.client())
    (found,) = project.check(app(server.url(remote.root))).diagnostics
    assert found.code == "WM1110"
    assert not trap.exists()


def test_one_repository_over_two_transports(
    project: Project, remote: Repository, server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never merged silently, but said."""
    monkeypatch.setenv("GIT_SSH_COMMAND", server.client())
    with serve_smart(Path("/"), []) as http:
        urls = [server.url(remote.root / ".git"), f"{http}{remote.root}/.git"]
        for name, url in zip(("one", "two"), urls, strict=True):
            source = f'{{ git = "{url}", sub_dir = "actors/tool" }}'
            project.actor(name, f"[dependencies.tool]\nsource = {source}")
        text = "starting_actors = ['one', 'two']\nactors.one.source.path = 'one'\n"
        found = project.check(text + "actors.two.source.path = 'two'\n").diagnostics
    (conflict,) = [each for each in found if each.code == "WM0408"]
    assert conflict.help == (
        "both URLs seem to lead to one repository: write the same in both manifests"
    )


def test_no_repository_there(
    project: Project, tmp_path: Path, server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", server.client())
    (found,) = project.check(app(server.url(tmp_path / "nothing"))).diagnostics
    assert found.code == "WM1109"
    assert "does not appear to be a git repository" in found.notes[0]
