"""The `filesystem` capability on real folders."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from wasmind.plan import Actor, RunPlan
from wasmind.runtime.abi import Err, Ok
from wasmind.runtime.errors import FolderError
from wasmind.runtime.folders import require_narrow
from wasmind.runtime.host.door import Host
from wasmind.runtime.host.filesystem import FILESYSTEM


class Around:
    """Surroundings that keep what is logged; no others are touched."""

    def __init__(self) -> None:
        self.logged: list[str] = []

    def log(self, host: Host, level: str, text: str) -> None:
        self.logged.append(f"{level}: {text}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A granted folder beside a secret one."""
    (tmp_path / "granted").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("secret")
    return tmp_path / "granted"


def make_host(*, read: list[Path] | None = None, write: list[Path] | None = None) -> Host:
    grant = {
        "read": [str(path) for path in read or []],
        "read_write": [str(p) for p in write or []],
    }
    actor = Actor(
        name="files", actor_id="test:files", component="0" * 64, grants={"filesystem": grant}
    )
    return Host(actor, "000000", Around())


def call(host: Host, name: str, path: Path | str, *values: Any) -> Any:
    return FILESYSTEM.functions[name].body(host, str(path), *values)


def test_write_read_list_stat_remove(folder: Path) -> None:
    host = make_host(write=[folder])
    assert call(host, "make-directory", folder / "a" / "b") == Ok()
    assert call(host, "write", folder / "a" / "b" / "f.txt", b"hello") == Ok()
    assert call(host, "read", folder / "a" / "b" / "f.txt") == Ok(b"hello")
    assert call(host, "read-range", folder / "a" / "b" / "f.txt", 1, 3) == Ok(b"ell")
    assert call(host, "list-directory", folder / "a") == Ok([("b", "directory")])
    kind, size, modified = call(host, "stat", folder / "a" / "b" / "f.txt").value
    assert (kind, size) == ("file", 5)
    assert modified > 1_600_000_000_000
    assert call(host, "remove", folder / "a" / "b" / "f.txt") == Ok()
    assert call(host, "remove", folder / "a" / "b") == Ok()
    assert list((folder / "a").iterdir()) == []


@pytest.mark.parametrize(
    "path",
    ["../secret/key", "/etc/passwd", "link/key", "file-link", "a/../../secret/key", "\0"],
)
def test_nothing_outside_the_grant_is_read(folder: Path, path: str) -> None:
    (folder / "link").symlink_to(folder.parent / "secret")
    (folder / "file-link").symlink_to(folder.parent / "secret" / "key")
    (folder / "a").mkdir()
    host = make_host(read=[folder])
    answer = call(host, "read", folder / path)
    assert isinstance(answer, Err)
    assert answer.value[0] == "denied"
    if path != "\0":
        (told,) = host.around.logged
        assert told.startswith("warn: refused a file: ")
        assert f'grants = {{ filesystem = {{ read = ["{folder}", ' in told


def test_links_that_stay_inside_are_followed(folder: Path) -> None:
    (folder / "real").write_text("inside")
    (folder / "link").symlink_to("real")
    assert call(make_host(read=[folder]), "read", folder / "link") == Ok(b"inside")


def test_a_link_swapped_in_after_the_check_is_not_followed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "d").mkdir()
    (folder / "d" / "key").write_text("mine")
    real = os.path.realpath

    def swapping(path: Any, **options: Any) -> str:
        answer = real(path, **options)
        if str(path).endswith("d/key"):
            (folder / "d" / "key").unlink()
            (folder / "d").rmdir()
            (folder / "d").symlink_to(folder.parent / "secret")
        return answer

    monkeypatch.setattr(os.path, "realpath", swapping)
    answer = call(make_host(read=[folder]), "read", folder / "d" / "key")
    assert isinstance(answer, Err)
    assert b"secret" not in str(answer.value).encode()


def test_read_does_not_grant_write(folder: Path) -> None:
    answer = call(make_host(read=[folder]), "write", folder / "new", b"x")
    assert isinstance(answer, Err)
    assert answer.value[0] == "denied"
    folders = f'read = ["{folder}"], read_write = ["{folder}"]'
    write = f"write `grants = {{ filesystem = {{ {folders} }} }}` in `[actors.files]`"
    assert write in answer.value[1]


def test_writing_replaces_at_once_and_keeps_permissions(folder: Path) -> None:
    script = folder / "run.sh"
    script.write_text("old")
    script.chmod(0o755)
    assert call(make_host(write=[folder]), "write", script, b"new") == Ok()
    assert script.read_text() == "new"
    assert stat.S_IMODE(script.stat().st_mode) == 0o755
    assert [path.name for path in folder.iterdir()] == ["run.sh"]


def test_a_named_pipe_does_not_hold_the_call(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    answer = call(make_host(read=[folder]), "read", folder / "pipe")
    assert answer.value[0] == "wrong-kind"


def test_removing_a_link_leaves_its_target(folder: Path) -> None:
    (folder / "link").symlink_to(folder.parent / "secret")
    assert call(make_host(write=[folder]), "remove", folder / "link") == Ok()
    assert (folder.parent / "secret" / "key").read_text() == "secret"


@pytest.mark.parametrize(
    ("name", "case"),
    [("missing", "not-found"), (".", "wrong-kind")],
)
def test_errors_have_a_kind(folder: Path, name: str, case: str) -> None:
    assert call(make_host(read=[folder]), "read", folder / name).value[0] == case


def test_large_files_are_read_in_ranges(folder: Path) -> None:
    with (folder / "big").open("wb") as file:
        file.truncate(20 << 20)
    host = make_host(read=[folder])
    assert call(host, "read", folder / "big").value[0] == "too-large"
    assert len(call(host, "read-range", folder / "big", (20 << 20) - 5, 100).value) == 5


def plan_of(**grant: list[str]) -> RunPlan:
    actor = Actor(
        name="notes",
        actor_id="test:notes",
        component="0" * 64,
        capabilities=("filesystem",),
        grants={"filesystem": grant} if grant else {},
    )
    return RunPlan(name="test", actors=(actor,), starting=("notes",))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "people" / "me"
    (home / "project").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.mark.parametrize(
    ("started_in", "grant"),
    [
        (".", {}),
        (".", {"read": ["."]}),
        ("project", {"read_write": [".."]}),
        ("project", {"read": ["../.."]}),
        ("/", {"read": ["."]}),
        ("project", {"read": ["link"]}),
    ],
)
def test_a_grant_that_comes_out_as_the_home_folder_or_more_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, started_in: str, grant: dict[str, list[str]]
) -> None:
    (home / "project" / "link").symlink_to("/")
    monkeypatch.chdir(home / started_in)
    with pytest.raises(
        FolderError, match=r"`notes` may .* in another folder, or with `--directory"
    ):
        require_narrow(plan_of(**grant))


@pytest.mark.parametrize(
    ("started_in", "grant"),
    [
        ("project", {}),
        ("project", {"read": ["."]}),
        ("project", {"read": ["/"]}),
        (".", {"read": ["project"]}),
        (".", {"read_write": ["{home}"]}),
        (".", {"read": ["{home}/.."]}),
    ],
)
def test_a_grant_that_says_what_it_means_is_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch, started_in: str, grant: dict[str, list[str]]
) -> None:
    monkeypatch.chdir(home / started_in)
    require_narrow(
        plan_of(**{key: [text.format(home=home) for text in grant[key]] for key in grant})
    )
