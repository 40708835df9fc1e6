"""Repositories made to do harm: a clear error, bounded cost, nothing written outside the cache."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.compiler.project import Project, app
from tests.compiler.repositories import Repository, serve_endless_refs
from tests.observing import wait_for
from wasmind_compiler.resolution.git.folder import Count, find_folder, list_folder
from wasmind_compiler.resolution.git.limits import GitLimits
from wasmind_compiler.resolution.git.objects import Objects
from wasmind_compiler.resolution.git.program import GitCommandError, GitProgram
from wasmind_compiler.resolution.provider import SourceFailure

MANIFEST = b'actor_id = "test:evil"\n'


@pytest.fixture
def remote(tmp_path: Path) -> Repository:
    return Repository.make(tmp_path / "remote")


def outside(project: Project, remote: Repository) -> set[str]:
    """Everything that is neither cache, project nor remote."""
    base = project.root.parent
    kept = {"cache", project.root.name, remote.root.name}
    return {path.name for path in base.iterdir()} - kept


def actor_with(remote: Repository, *items: tuple[str, str, str]) -> str:
    """A commit whose root is an actor with further entries, however malformed."""
    files = [
        ("100644", "Wasmind.toml", remote.blob(MANIFEST)),
        ("100644", "actor.py", remote.blob(b"")),
    ]
    return remote.commit_tree(remote.tree(*files, *items))


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../outside", "sub/../../outside", "up/../..", "loop"]
)
def test_links_out_of_the_folder(project: Project, remote: Repository, target: str) -> None:
    remote.actor("desk")
    (remote.root / "desk" / "sub").mkdir()
    remote.write("desk/sub/x", "")
    (remote.root / "desk" / "up").symlink_to("sub")
    (remote.root / "desk" / "loop").symlink_to("loop")
    (remote.root / "desk" / "evil").symlink_to(target)
    remote.commit()
    (found,) = project.found(app(remote.url, 'sub_dir = "desk"'))
    assert found.startswith("WM0406 app.toml:4:18 `")
    assert "which leads out of the folder" in found
    assert not list((project.root.parent / "cache" / "sources").glob("*"))


def test_links_inside_are_kept(project: Project, remote: Repository) -> None:
    remote.actor("desk")
    remote.write("desk/sub/real.txt", "real")
    (remote.root / "desk" / "alias").symlink_to("sub/../sub/real.txt")
    remote.commit()
    assert project.lock(app(remote.url, 'sub_dir = "desk"')) == []
    (alias,) = (project.root.parent / "cache" / "sources").rglob("alias")
    assert alias.is_symlink()
    assert alias.read_text() == "real"


def test_a_folder_behind_a_link(project: Project, remote: Repository) -> None:
    remote.actor("desk")
    (remote.root / "alias").symlink_to("desk")
    remote.commit()
    (found,) = project.found(app(remote.url, 'sub_dir = "alias"'))
    assert found.startswith("WM1116 ")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("File.txt", "file.TXT"),
        ("\u00e9.txt", "e\u0301.txt"),
        ("Sub/a", "sub/b"),
        ("straße", "STRASSE"),
    ],
)
def test_names_that_some_file_systems_confuse(
    project: Project, remote: Repository, first: str, second: str
) -> None:
    remote.actor(".")
    remote.write(first, "1")
    remote.write(second, "2")
    remote.commit()
    (found,) = project.found(app(remote.url, ""))
    assert found.startswith("WM1118 app.toml:4:18 the repository holds two paths")


@pytest.mark.parametrize("name", ["..", ".", ".GIT", "a/b", "../../escaped"])
def test_names_that_git_would_never_make(project: Project, remote: Repository, name: str) -> None:
    actor_with(remote, ("100644", name, remote.blob(b"evil")))
    found = project.found(app(remote.url, ""))
    assert [each[:6] for each in found] == ["WM1118"]
    assert outside(project, remote) == set()


def test_a_name_that_is_a_link_and_a_folder(project: Project, remote: Repository) -> None:
    link = remote.blob(b"sub")
    evil = remote.tree(("100644", "evil", remote.blob(b"evil")))
    actor_with(remote, ("120000", "x", link), ("40000", "x", evil))
    (found,) = project.found(app(remote.url, ""))
    assert found.startswith("WM1118 ")
    assert outside(project, remote) == set()


@pytest.mark.parametrize("name", ["aux.txt", "COM1", "trailing.", "a:b", "what?"])
def test_names_that_windows_refuses(project: Project, remote: Repository, name: str) -> None:
    remote.actor(".")
    remote.write(name, "")
    remote.commit()
    (found,) = project.found(app(remote.url, ""))
    assert found == f"WM1119 app.toml:4:18 Windows cannot have a file called `{name}`"


def many_files(remote: Repository, count: int) -> None:
    """An actor with many files, made without a work tree."""
    blob = remote.blob(b"x")
    lines = [
        f"M 100644 {blob} many/{number % 100}/{number}.txt\n".encode() for number in range(count)
    ]
    data = b"data %d\n%s\n" % (len(MANIFEST), MANIFEST)
    stream = (
        b"commit refs/heads/main\ncommitter A <a@b> 0 +0000\ndata 1\nx\n"
        b"M 100644 inline Wasmind.toml\n" + data + b"M 100644 inline small/Wasmind.toml\n" + data
        + b"M 100644 inline actor.py\ndata 0\n\nM 100644 inline small/actor.py\ndata 0\n\n"
        + b"".join(lines)
    )  # fmt: skip
    remote.git("fast-import", "--quiet", stdin=stream)


def test_a_hundred_thousand_files(project: Project, remote: Repository) -> None:
    many_files(remote, 100_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (found,) = project.check(app(remote.url, "")).diagnostics
    assert found.code == "WM1125"
    assert "more than 10000 files and folders" in found.message
    assert found.help == "the limit is `WASMIND_GIT_FILES`"
    # An actor beside them is not bothered.
    assert project.found(app(remote.url, 'sub_dir = "small"')) == []
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000, "KiB"


def test_a_tree_that_unfolds_for_ever(project: Project, remote: Repository) -> None:
    """Ten folders that are the same ten folders, twelve levels deep: a billion files."""
    tree = remote.tree(("100644", "x", remote.blob(b"x")))
    for _ in range(12):
        tree = remote.tree(*((("40000", f"d{number}", tree)) for number in range(10)))
    actor_with(remote, ("40000", "bomb", tree))
    (found,) = project.found(app(remote.url, ""))
    assert found.startswith("WM1125 app.toml:4:18 ")


def test_folders_nested_very_deeply(project: Project, remote: Repository) -> None:
    tree = remote.tree(("100644", "x", remote.blob(b"x")))
    for _ in range(1500):
        tree = remote.tree(("40000", "d", tree))
    actor_with(remote, ("40000", "deep", tree))
    (found,) = project.found(app(remote.url, ""))
    assert found.startswith("WM1118 ")


@pytest.mark.parametrize(("depth", "fits"), [(100, True), (101, False)])
def test_folders_as_deep_as_they_may_be(
    project: Project, remote: Repository, depth: int, fits: bool
) -> None:
    tree = remote.tree(("100644", "x", remote.blob(b"x")))
    for _ in range(depth - 1):
        tree = remote.tree(("40000", "d", tree))
    actor_with(remote, ("40000", "d", tree))
    text = app(remote.url, "")
    for _ in range(2):
        found = project.lock(text)
        assert [each[:6] for each in found] == ([] if fits else ["WM1118"])


def test_limits_that_were_raised_hold_for_the_cache_too(
    project: Project, remote: Repository
) -> None:
    many_files(remote, 20_100)
    project.git_limits = GitLimits(files=30_000)
    text = app(remote.url, "")
    assert project.lock(text) == []
    remote.root.rename(remote.root.with_name("gone"))
    assert project.lock(text, offline=True, locked=True) == []


def test_a_folder_in_the_cache_that_has_grown_beyond_limits(
    project: Project, remote: Repository
) -> None:
    """It is damaged, and made anew."""
    remote.actor(".")
    remote.commit()
    text = app(remote.url, "")
    project.lock(text)
    (tree,) = (project.root.parent / "cache" / "sources").glob("*/tree")
    grown = tree / "/".join(["d"] * 101)
    grown.mkdir(parents=True)
    assert project.lock(text) == []
    assert not (tree / "d").exists()


def test_an_actor_that_is_too_big(project: Project, remote: Repository) -> None:
    project.git_limits = GitLimits(folder_mib=1)
    remote.actor(".")
    remote.write("big.bin", b"\0" * (2 * 2**20))
    remote.commit()
    (found,) = project.check(app(remote.url, "")).diagnostics
    assert found.code == "WM1125"
    assert "larger than 1 MiB at `big.bin`" in found.message


def test_a_folder_that_is_named_and_missing(project: Project, remote: Repository) -> None:
    """No server of ours gives that out, so the repository itself stands for the store."""
    commit = actor_with(remote, ("40000", "lost", "12" * 20))
    objects = Objects(GitProgram(project.root, GitLimits()), remote.root / ".git")
    with closing(objects):
        with pytest.raises(SourceFailure, match="lacks the content of `lost/`"):
            list_folder(objects, commit, Count(100))
        with pytest.raises(SourceFailure, match="lacks the content of `lost/inner`"):
            find_folder(objects, commit, "lost/inner")


@pytest.mark.parametrize("cut", [6, 7, 19, 20, 39, 43])
def test_a_damaged_tree(project: Project, remote: Repository, cut: int) -> None:
    """A tree that ends in the middle of an entry; see `test_a_folder_that_is_named_and_missing`."""
    whole = b"100644 Wasmind.toml\0" + bytes(20) + b"100644 x\0" + bytes(20)
    arguments = ("hash-object", "-t", "tree", "--literally", "-w", "--stdin")
    tree = remote.git(*arguments, stdin=whole[:cut])
    objects = Objects(GitProgram(project.root, GitLimits()), remote.root / ".git")
    with closing(objects), pytest.raises(GitCommandError, match=f"damaged tree {tree}"):
        objects.tree(tree)


def test_one_file_under_many_names(project: Project, remote: Repository) -> None:
    project.git_limits = GitLimits(folder_mib=1)
    big = remote.blob(os.urandom(400 * 2**10))
    actor_with(remote, *(("100644", f"big{number}", big) for number in range(3)))
    (found,) = project.check(app(remote.url, "")).diagnostics
    assert (found.code, found.help) == ("WM1125", "the limit is `WASMIND_GIT_FOLDER_MIB`")
    assert "larger than 1 MiB at `big2`" in found.message


def test_submodules_count_as_files_of_the_actor(
    project: Project, remote: Repository, tmp_path: Path
) -> None:
    module = Repository.make(tmp_path / "module")
    for number in range(20):
        module.write(f"{number}.txt", "")
    commit = module.commit()
    places = (f'[submodule "{name}"]\npath = {name}\nurl = {module.url}\n' for name in "ab")
    modules = ("100644", ".gitmodules", remote.blob("".join(places).encode()))
    actor_with(remote, modules, ("160000", "a", commit), ("160000", "b", commit))
    text = app(remote.url, "submodules = true")
    project.git_limits = GitLimits(files=45)
    assert project.found(text) == []
    project.git_limits = GitLimits(files=44)
    (found,) = project.found(text)
    assert found.startswith("WM1121 app.toml:4:18 the submodule `b` cannot be used: ")
    assert found.endswith("the actor's folder has more than 44 files and folders")


def test_a_repository_that_is_too_big(project: Project, remote: Repository) -> None:
    project.git_limits = GitLimits(fetched_mib=4)
    remote.actor(".")
    for number in range(40):
        remote.write(f"noise/{number}.bin", os.urandom(900_000))
    remote.commit()
    (found,) = project.check(app(remote.url, "")).diagnostics
    assert (found.code, found.help) == ("WM1125", "the limit is `WASMIND_GIT_MIB`")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the memory of a process")
def test_refs_without_end(project: Project) -> None:
    project.git_limits = GitLimits(fetched_mib=16)
    with serve_endless_refs() as server:
        (found,) = project.check(app(f"{server}/r")).diagnostics
    assert found.message.endswith("what the remote sends fills more than 256 MiB of memory")
    assert (found.code, found.help) == ("WM1125", "the limit is `WASMIND_GIT_MIB`")


def test_hooks_and_programs_of_the_repository_do_not_run(
    project: Project, remote: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "project" / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    remote.actor(".")
    remote.write(".gitattributes", "* filter=trap\n")
    remote.commit()
    for name in ("filter.trap.clean", "filter.trap.smudge", "core.fsmonitor",
                 "core.sshCommand", "uploadpack.packObjectsHook"):  # fmt: skip
        remote.git("config", name, str(trap))
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc", "post-index-change"):
        (remote.root / ".git" / "hooks").mkdir(exist_ok=True)
        (remote.root / ".git" / "hooks" / hook).symlink_to(trap)
    hooks = tmp_path / "project" / "hooks"
    hooks.mkdir()
    (hooks / "reference-transaction").symlink_to(trap)
    config = tmp_path / "project" / "gitconfig"
    config.write_text(f"[core]\n  hooksPath = {hooks}\n  fsmonitor = {trap}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(trap))
    assert project.lock(app(remote.url, "")) == []
    assert outside(project, remote) == set()


def test_a_repository_around_the_cache_has_no_say(
    project: Project, remote: Repository, tmp_path: Path
) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    subprocess.run(
        ["git", "-C", str(tmp_path), "config", "remote.wasmind.url", "file:///nowhere"], check=True
    )
    remote.actor(".")
    remote.commit()
    assert project.lock(app(remote.url, "")) == []


def test_nothing_lingers(project: Project, remote: Repository) -> None:
    """No process of ours outlives the run."""
    remote.actor(".")
    remote.commit()
    project.lock(app(remote.url, ""))

    def children() -> str:
        listed = ["ps", "--no-headers", "-o", "comm", "--ppid", str(os.getpid())]
        return subprocess.run(listed, capture_output=True, text=True).stdout

    wait_for(lambda: "git" not in children())
