"""Hosts: which are asked is said, and a list of the only ones is kept to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compiler.project import ABOUT_ACTORS, Project, app
from tests.compiler.repositories import Repository, serve_redirect, serve_smart
from wasmind_compiler.resolution.git.limits import GitLimits

EVIL = "https://evil.example/actors.git"


@pytest.fixture
def project(project: Project) -> Project:
    project.quiet |= ABOUT_ACTORS
    project.git_limits = GitLimits(hosts=("git.example.org", "*.example.com", "127.0.0.1"))
    return project


@pytest.fixture
def remote(tmp_path: Path) -> Repository:
    """An actor whose manifest names a source elsewhere."""
    remote = Repository.make(tmp_path / "served" / "remote")
    remote.actor("actors/desk", f'dependencies.tool.source.git = "{EVIL}"')
    remote.commit()
    return remote


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("git.example.org", True),
        ("example.org", False),
        ("a.git.example.org", False),
        ("eu.git.example.com", True),
        ("example.com", False),
        ("evilexample.com", False),
        ("", True),
    ],
)
def test_which_hosts_are_allowed(project: Project, host: str, allowed: bool) -> None:
    assert project.git_limits.allows(host) == allowed
    assert GitLimits().allows(host)


def test_another_host_is_refused_before_it_is_asked(project: Project) -> None:
    (found,) = project.check(app(EVIL, "")).diagnostics
    assert (found.code, str(found.span)) == ("WM1133", "app.toml:4:18")
    assert found.message == ("`evil.example` is not among the hosts that git sources may come from")
    assert found.help == ("`WASMIND_GIT_HOSTS` allows: git.example.org, *.example.com, 127.0.0.1")
    assert project.statuses == []


def test_the_way_to_another_host_is_shown(project: Project, remote: Repository) -> None:
    with serve_smart(remote.root.parent, []) as server:
        url = f"{server}/remote/.git"
        (found,) = project.check(app(url)).diagnostics
    manifest = f"{url}@{remote.head()[:7]}:actors/desk/Wasmind.toml"
    assert (found.code, str(found.span)) == ("WM1133", f"{manifest}:2:32")
    assert found.notes == ("needed by:\n  desk (app.toml:3)",)


def test_a_locked_source_is_refused_too(project: Project, tmp_path: Path) -> None:
    remote = Repository.make(tmp_path / "served" / "plain")
    remote.actor("actors/desk")
    remote.commit()
    with serve_smart(remote.root.parent, []) as server:
        text = app(f"{server}/plain/.git")
        assert project.lock(text) == []
    project.git_limits = GitLimits(hosts=("git.example.org",))
    assert [each[:6] for each in project.found(text)] == ["WM1133"]


def test_submodules_on_other_hosts(project: Project, tmp_path: Path) -> None:
    remote = Repository.make(tmp_path / "served" / "modules")
    remote.actor("desk")
    remote.write(".gitmodules", f'[submodule "x"]\n\tpath = desk/x\n\turl = {EVIL}\n')
    remote.git("add", ".")
    remote.git("update-index", "--add", "--cacheinfo", f"160000,{'12' * 20},desk/x")
    remote.git("commit", "--quiet", "--message", "x")
    with serve_smart(remote.root.parent, []) as server:
        url = f"{server}/modules/.git"
        (found,) = project.found(app(url, 'sub_dir = "desk", submodules = true'))
    assert found.startswith("WM1121 app.toml:4:18 the submodule `x` cannot be used: `evil.example`")


def test_a_redirect_could_lead_anywhere(project: Project, tmp_path: Path) -> None:
    remote = Repository.make(tmp_path / "served" / "plain")
    remote.actor("actors/desk")
    remote.commit()
    log: list[str] = []
    with (
        serve_smart(remote.root.parent, log) as new,
        serve_redirect(new.replace("127.0.0.1", "localhost")) as old,
    ):
        (found,) = project.check(app(f"{old}/plain/.git")).diagnostics
    assert (found.code, log) == ("WM1109", [])
    assert found.help == "it has moved, and with `WASMIND_GIT_HOSTS` no redirect is followed"


def test_the_hosts_that_were_asked_are_said(project: Project, tmp_path: Path) -> None:
    project.git_limits = GitLimits()
    remote = Repository.make(tmp_path / "served" / "plain")
    remote.actor("actors/desk")
    remote.commit()
    with (
        serve_smart(remote.root.parent, []) as new,
        serve_redirect(new.replace("127.0.0.1", "localhost")) as old,
    ):
        text = app(f"{old}/plain/.git")
        project.lock(text)
        assert project.statuses[-1] == "Contacted 127.0.0.1, localhost"
        project.statuses.clear()
        assert project.lock(text) == []
    assert project.statuses == [], "nobody was asked"


def test_a_mirror_is_said_and_not_the_host_it_stands_for(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = Repository.make(tmp_path / "served" / "plain")
    remote.actor("actors/desk")
    remote.commit()
    project.git_limits = GitLimits(hosts=("localhost",))
    with serve_smart(remote.root.parent, []) as server:
        config = tmp_path / "gitconfig"
        config.write_text(f'[url "{server}/"]\n  insteadOf = http://localhost:1/\n')
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
        assert project.lock(app("http://localhost:1/plain/.git")) == []
    assert project.statuses[-1] == "Contacted 127.0.0.1"


@pytest.mark.parametrize("place", ["{folder}/", "file://{folder}/"])
@pytest.mark.parametrize("scheme", ["https", "ssh"])
def test_the_users_own_git_may_have_a_folder_instead(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, scheme: str
) -> None:
    """As where there is no network, and a mirror on a disk."""
    remote = Repository.make(tmp_path / "a mirror" / "plain")
    remote.actor("actors/desk", 'dependencies.tool.source.path = "../tool"')
    remote.actor("actors/tool")
    remote.commit()
    use_instead(monkeypatch, tmp_path, f"{scheme}://git.invalid/", place, remote.root.parent)
    project.git_limits = GitLimits(hosts=("git.invalid",))
    url = f"{scheme}://git.invalid/plain"
    assert project.lock(app(url)) == []
    shown = remote.url.replace(" ", "%20")
    assert project.statuses[:2] == [f"Fetching {url}", f"Via {shown}"]
    assert f'url = "{url}"' in project.lockfile()
    assert str(remote.root) not in project.lockfile()
    remote.commit()
    project.statuses.clear()
    assert [line.split()[0] for line in project.lock(app(url), upgrade_all=True)] == ["WM1128"]
    assert f"Via {shown}" in project.statuses


def test_a_manifest_elsewhere_cannot_choose_the_folder(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.git_limits = GitLimits()
    private = Repository.make(tmp_path / "private")
    private.actor("tool")
    private.commit()
    remote = Repository.make(tmp_path / "mirror" / "plain")
    for climbing in ("..", "%2e%2e", ".%2E"):
        source = f"{{ git = 'https://git.invalid/{climbing}/private', sub_dir = 'tool' }}"
        remote.actor("actors/desk", f"dependencies.tool.source = {source}")
        remote.commit()
        for place in ("{folder}/", "file://{folder}/"):
            use_instead(monkeypatch, tmp_path, "https://git.invalid/", place, remote.root.parent)
            found = project.found(app("https://git.invalid/plain"))
            assert found, (climbing, place)
            assert found[0].split()[0] in {"WM1102", "WM1109"}, found
            assert "private" in found[0]


def use_instead(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, place: str, folder: Path
) -> None:
    """Tell the user's git to take what is at a place for what begins with a URL."""
    config = tmp_path / "gitconfig"
    text = place.replace("{folder}", str(folder))
    config.write_text(f'[url "{text}"]\n  insteadOf = {url}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))


def test_a_mirror_that_may_not_be_used_is_not_said(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.git_limits = GitLimits(hosts=("localhost",))
    config = tmp_path / "gitconfig"
    config.write_text('[url "git://127.0.0.1/"]\n  insteadOf = https://localhost:1/\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    (found,) = project.found(app("https://localhost:1/plain"))
    assert found.startswith("WM1102 ")
    assert not any(status.startswith("Contacted") for status in project.statuses)


@pytest.mark.parametrize(
    ("source", "message", "advice"),
    [
        ("{ git = '{private}', sub_dir = 'tool' }", "has no business with repositories of", "a `f"),
        ("{ git = 'http://host.invalid/r', insecure = true }", "nothing on `http://` proves", "[a"),
    ],
)
def test_what_only_the_user_may_allow(
    project: Project, tmp_path: Path, source: str, message: str, advice: str
) -> None:
    project.git_limits = GitLimits()
    private = Repository.make(tmp_path / "private")
    private.actor("tool")
    private.commit()
    remote = Repository.make(tmp_path / "served" / "remote")
    dependency = source.replace("{private}", private.url)
    remote.actor("actors/desk", f"dependencies.tool.source = {dependency}")
    remote.commit()
    with serve_smart(remote.root.parent, []) as server:
        (found,) = project.check(app(f"{server}/remote/.git")).diagnostics
    assert found.code == "WM1102"
    assert message in found.message
    assert advice in (found.help or "")
    # A repository of this machine may name its neighbours.
    assert project.found(app(remote.url)) == [] or "host.invalid" in source
