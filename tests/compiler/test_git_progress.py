"""Progress of fetches: found in what git prints however it comes, and kept out of its errors."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compiler.lfs import LfsServer, commit_large
from tests.compiler.repositories import Repository, serve_smart
from wasmind_compiler.reporter import Reporter
from wasmind_compiler.resolution.git.lfs import Pointer, fetch_large_files, read_pointer
from wasmind_compiler.resolution.git.limits import GitLimits
from wasmind_compiler.resolution.git.program import GitCommandError, GitProgram
from wasmind_compiler.resolution.git.progress import ProgressReader, without_progress
from wasmind_compiler.resolution.git.store import Repository as Store
from wasmind_compiler.resolution.git.url import GitUrl, read_git_url

PRINTED = (
    b"remote: Enumerating objects: 5, done.        \n"
    b"remote: Counting objects:  20% (1/5)        \r"
    b"remote: Counting objects: 100% (5/5), done.        \n"
    b"Receiving objects:  42% (21/50), 12.30 MiB | 4.00 MiB/s\r"
    b"Receiving objects: 100% (50/50), 512 bytes | 512.00 KiB/s, done.\n"
    b"Resolving deltas: 100% (7/7), done.\n"
    b"fatal: the remote end hung up: 50% (1/2)\n"
)
STEPS = [
    "Counting objects: 20% (1/5)",
    "Counting objects: 100% (5/5)",
    "Receiving objects: 42% (21/50), 12.30 MiB | 4.00 MiB/s",
    "Receiving objects: 100% (50/50), 512 bytes | 512.00 KiB/s",
    "Resolving deltas: 100% (7/7)",
]


class Listener(Reporter):
    """Somebody at a terminal."""

    shows_progress = True

    def __init__(self) -> None:
        self.heard: list[str] = []

    def progress(self, text: str) -> None:
        self.heard.append(text)


@given(st.lists(st.integers(0, len(PRINTED)), max_size=20))
def test_steps_are_found_wherever_they_are_cut(cuts: list[int]) -> None:
    steps: list[str] = []
    reader = ProgressReader(steps.append)
    places = [0, *sorted(cuts), len(PRINTED)]
    for start, end in itertools.pairwise(places):
        reader.feed(PRINTED[start:end])
    assert steps == STEPS


@given(st.lists(st.binary(max_size=2000)))
def test_anything_may_be_printed(pieces: list[bytes]) -> None:
    reader = ProgressReader(lambda _: None)
    for piece in pieces:
        reader.feed(piece)
    without_progress(b"".join(pieces).decode("utf-8", "replace"))


def test_a_line_without_end_is_not_kept() -> None:
    steps: list[str] = []
    reader = ProgressReader(steps.append)
    for _ in range(1000):
        reader.feed(b"x" * 1000)
    reader.feed(b"\n" + PRINTED)
    assert steps == STEPS


def test_errors_do_not_contain_progress() -> None:
    left = without_progress(PRINTED.decode()).split("\n")
    assert [line for line in left if line] == [
        "remote: Enumerating objects: 5, done.        ",
        "fatal: the remote end hung up: 50% (1/2)",
    ]


def store(folder: Path, url: str, reporter: Reporter) -> Store:
    read = read_git_url(url)
    assert isinstance(read, GitUrl)
    home = folder / "home"
    home.mkdir()
    return Store(read, home, GitProgram(home, GitLimits()), reporter)


@pytest.mark.parametrize("transport", ["file", "http"])
def test_bytes_of_a_fetch_are_said(tmp_path: Path, transport: str) -> None:
    remote = Repository.make(tmp_path / "served" / "remote")
    for number in range(8):
        remote.write(f"{number}.bin", os.urandom(500_000))
    commit, listener = remote.commit(), Listener()
    with serve_smart(remote.root.parent, []) as server:
        url = remote.url if transport == "file" else f"{server}/remote/.git"
        fetched = store(tmp_path, url, listener)
        fetched.fetch([commit], commit)
        fetched.fetch_folders([remote.git("rev-parse", "HEAD^{tree}")])
        fetched.close()
    received = [text for text in listener.heard if "Receiving objects: 100% (9/9), " in text]
    assert received[-1].startswith(f"{url}: Receiving objects: 100% (9/9), 3.8")
    assert " MiB" in received[-1]
    assert listener.heard[-1] == "", "the line is cleared"


def test_an_error_of_a_fetch_that_shows_progress(tmp_path: Path) -> None:
    remote = Repository.make(tmp_path / "served" / "remote")
    commit, listener = remote.commit(), Listener()
    fetched = store(tmp_path, remote.url, listener)
    with pytest.raises(GitCommandError) as caught:
        fetched.fetch(["refs/heads/gone"], commit)
    assert str(caught.value) == "fatal: couldn't find remote ref refs/heads/gone"


def test_bytes_of_big_files_are_said(tmp_path: Path) -> None:
    big = os.urandom(3 * 2**20)
    remote = Repository.make(tmp_path / "served" / "remote")
    commit_large(remote, "model.bin", big)
    server, listener = LfsServer(remote.root.parent), Listener()
    server.add(big)
    pointer = read_pointer((remote.root / "model.bin").read_bytes())
    assert isinstance(pointer, Pointer)
    with server.serve() as place:
        repository = store(tmp_path, f"{place}/remote/.git", listener)
        found = fetch_large_files(repository, remote.head(), [pointer], offline=False)
    assert found == {pointer: big}
    assert listener.heard[-2:] == [f"{place}/remote/.git: Receiving big files: 3.0 MiB", ""]
