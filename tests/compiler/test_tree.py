"""The tree digest depends on what an author wrote and on nothing else."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wasmind_compiler.frontend.limits import read_up_to
from wasmind_compiler.resolution.tree import (
    LinkLeavesTreeError,
    TreeLimits,
    TreeTooLargeError,
    is_ignored,
    read_tree,
)

NAMES = st.text("abz._ é", min_size=1, max_size=4).filter(
    lambda name: name not in {".", ".."} and not is_ignored(name)
)
FILES = st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.binary())


def write(root: Path, files: dict[str, bytes], order: int) -> None:
    paths = sorted(files)
    random.Random(order).shuffle(paths)
    for path in paths:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(files[path])
        os.utime(target, (order, order))


def is_writable(files: dict[str, bytes]) -> bool:
    """No path is both a file and a folder."""
    return not any(other.startswith(f"{path}/") for path in files for other in files)


@settings(max_examples=60, deadline=None)
@given(FILES.filter(is_writable))
def test_order_time_place_umask_and_working_directory_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    write(one, files, 1)
    previous = os.umask(0o077)
    try:
        write(two, files, 2)
    finally:
        os.umask(previous)
    (two / "__pycache__").mkdir()
    (two / "__pycache__" / "x.pyc").write_bytes(b"x")
    digest = read_tree(one).digest
    assert read_tree(two).digest == digest
    for folder, seen_from_there in [(two, "."), (one.parent, one.name), (two, f"../{one.name}")]:
        with contextlib.chdir(folder):
            assert read_tree(Path(seen_from_there)).digest == digest
    assert {entry.path: entry.content for entry in read_tree(one).entries} == files


def test_the_digest_is_the_documented_one(tmp_path: Path) -> None:
    write(tmp_path, {"b/c": b"2", "a": b"1"}, 1)
    (tmp_path / "b" / "c").chmod(0o755)
    (tmp_path / "link").symlink_to("b/c")
    lines = ["wasmind tree 1"]
    for kind, path, content in [("f", "a", b"1"), ("x", "b/c", b"2"), ("l", "link", b"b/c")]:
        lines.append(f"{kind} {len(path)} {hashlib.sha256(content).hexdigest()} {path}")
    expected = hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    assert read_tree(tmp_path).digest == expected


def test_every_change_changes_it(tmp_path: Path) -> None:
    file, link = tmp_path / "a", tmp_path / "link"
    changes: list[Callable[[], object]] = [
        lambda: file.write_text("1"),
        lambda: file.write_text("2"),
        lambda: file.chmod(0o755),
        lambda: file.rename(tmp_path / "b"),
        lambda: link.symlink_to("b"),
        lambda: (link.unlink(), link.symlink_to("./b")),
        lambda: (tmp_path / ".hidden").write_text(""),
    ]
    digests = []
    for change in changes:
        change()
        digests.append(read_tree(tmp_path).digest)
    assert len(set(digests)) == len(changes)


@pytest.mark.parametrize("target", ["/etc/hostname", "../outside", "sub/../../outside"])
def test_links_out_of_the_folder_are_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "outside").write_text("secret")
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "link").symlink_to(target)
    with pytest.raises(LinkLeavesTreeError) as caught:
        read_tree(root)
    assert caught.value.path == "link"


LEFT_BEHIND = [
    *(".swp", ".actor.py.swp", ".actor.py.swn", "actor.py.swo", "actor.py~", "#actor.py#"),
    *(".#actor.py", ".actor.py.kate-swp", "actor.py___jb_tmp___", ".idea/workspace.xml"),
    *(".vscode/settings.json", ".coverage", ".coverage.host.123.456", "htmlcov/index.html"),
    *(".hypothesis/examples/x", ".tox/log", ".nox/log", ".ipynb_checkpoints/a", "actor.pyc"),
    *("weather.egg-info/PKG-INFO", "Thumbs.db", "sub/Thumbs.db", "sub/desktop.ini", ".directory"),
    *("._actor.py", ".nfs0000001", ".fuse_hidden0001", ".env", ".envrc", ".direnv/x"),
]
KEPT = [
    *("swp", "x.swf", "tilde~.py", "#notes", "notes#", "#", "coverage", ".coveragerc", "env"),
    *(".gitignore", ".env.example", "idea/x", "egg-info", "sub/.editorconfig", "x.swift", "nfs"),
]


@pytest.mark.parametrize("path", LEFT_BEHIND)
def test_what_editors_and_tools_leave_behind_is_no_part_of_it(tmp_path: Path, path: str) -> None:
    write(tmp_path, {"actor.py": b"", "sub/data": b""}, 1)
    before = read_tree(tmp_path)
    write(tmp_path, {path: b"x"}, 1)
    assert read_tree(tmp_path) == before


@pytest.mark.parametrize("path", KEPT)
def test_what_only_looks_like_it_is_part_of_it(tmp_path: Path, path: str) -> None:
    write(tmp_path, {"actor.py": b"", "sub/data": b""}, 1)
    before = read_tree(tmp_path).digest
    write(tmp_path, {path: b"x"}, 1)
    assert read_tree(tmp_path).digest != before


def test_a_gitignore_has_no_say(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": b"data\n", "data": b"1"}, 1)
    before = read_tree(tmp_path).digest
    write(tmp_path, {"data": b"2"}, 1)
    assert read_tree(tmp_path).digest != before


def test_links_inside_are_followed_for_content(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "real.py").write_text("code")
    (tmp_path / "alias.py").symlink_to("sub/real.py")
    tree = read_tree(tmp_path)
    assert tree.content("alias.py") == b"code"
    assert tree.content("missing.py") is None


def test_links_to_links_and_over_folders(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(b"found")
    (tmp_path / "folder").symlink_to("a/./b")
    (tmp_path / "one").symlink_to("folder/file")
    (tmp_path / "a" / "two").symlink_to("../one")
    (tmp_path / "nothing").symlink_to("a/missing")
    tree = read_tree(tmp_path)
    for path in ("one", "a/two", "folder/file", "a/b/file"):
        assert tree.content(path) == b"found"
    for path in ("nothing", "folder", "a", "a/b", "one/file", "missing"):
        assert tree.content(path) is None


def test_a_link_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(LinkLeavesTreeError):
        read_tree(tmp_path)


@pytest.mark.parametrize(
    ("limits", "message", "path"),
    [
        (TreeLimits(files=3), "more than 3 files", "."),
        (TreeLimits(size=3 * 2**20), "more than 3 MiB", "big"),
        (TreeLimits(depth=4), "folders nested more than 4 deep", "a/b/c/d/e"),
    ],
)
def test_limits(tmp_path: Path, limits: TreeLimits, message: str, path: str) -> None:
    write(tmp_path, {"x": b"", "y": b"", "a/b/c/d/e/f": b"", "big": bytes(4 * 2**20)}, 1)
    with pytest.raises(TreeTooLargeError, match=message) as caught:
        read_tree(tmp_path, limits)
    assert caught.value.path == path or limits.files == 3


def test_a_folder_full_of_files_is_given_up_early(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / str(number)).touch()
    with pytest.raises(TreeTooLargeError):
        read_tree(tmp_path, TreeLimits(files=299))
    assert len(read_tree(tmp_path, TreeLimits(files=300)).entries) == 300


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read_tree(tmp_path).entries == ()


@pytest.mark.parametrize("told", [0, 3, 6, 100])
def test_a_file_is_read_whole_whatever_size_it_tells(told: int) -> None:
    assert read_up_to(io.BytesIO(b"abcdef"), 10, told) == b"abcdef"
    assert read_up_to(io.BytesIO(b"abcdef"), 4, told) == b"abcd"
