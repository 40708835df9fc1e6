"""`wasmind lock` over git: no socket where none is promised, many at once, interrupted."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.conftest import MAIN, HeldFetch, Wasmind, command, environment, write_app
from tests.compiler.repositories import Repository, serve_smart
from tests.observing import DEADLINE


@pytest.mark.parametrize("verb", [["lock", "--check"], ["check", "--frozen"]])
def test_no_socket_and_no_git(
    wasmind: Wasmind, remote: Repository, tmp_path: Path, verb: list[str]
) -> None:
    """Counted by the interpreter itself, which sees every socket and every process."""
    work = tmp_path / "work"
    with serve_smart(remote.root.parent, []) as server:
        write_app(work, f"{server}/remote/.git")
        assert wasmind("lock", "app.toml").returncode == 0
    audited = (
        "import sys\n"
        "def hook(event, _):\n"
        "    if event.startswith(('socket.', 'subprocess.', 'os.exec', 'os.posix_', 'os.fork')):\n"
        "        print('AUDIT', event, file=sys.stderr)\n"
        f"sys.addaudithook(hook)\n{MAIN}"
    )
    done = subprocess.run(
        [sys.executable, "-c", audited, *verb, "app.toml"],
        cwd=work,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_the_kernel_sees_no_socket_either(
    wasmind: Wasmind, remote: Repository, tmp_path: Path
) -> None:
    work, trace = tmp_path / "work", tmp_path / "trace"
    write_app(work, remote.url)
    assert wasmind("lock", "app.toml").returncode == 0
    watched = ["strace", "-f", "-qq", "-e", "trace=socket,connect,execve", "-o", str(trace)]
    done = subprocess.run(
        [*watched, *command("lock", "--check", "app.toml")],
        cwd=work,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
    )
    if "ptrace" in done.stderr.lower():
        pytest.skip("this machine does not let strace in")
    assert done.returncode == 0
    calls = re.findall(r"\b(socket|connect|execve)\(", trace.read_text())
    assert calls == ["execve"], "Python itself, and nothing after it"


def test_frozen_on_every_verb(wasmind: Wasmind, remote: Repository, tmp_path: Path) -> None:
    work = tmp_path / "work"
    write_app(work, remote.url)
    for verb in (["check"], ["lock"], ["bundle", "-o", "out"], ["run", "--prompt", "hello"]):
        done = wasmind(verb[0], *verb[1:], "--frozen", "app.toml")
        assert done.returncode == 1, verb
        assert "error[WM1001]" in done.stderr
    assert wasmind("lock", "app.toml").returncode == 0
    shutil.rmtree(remote.root)
    for verb in (["check"], ["lock"], ["bundle", "-o", "out"]):
        assert wasmind(verb[0], *verb[1:], "--frozen", "app.toml").returncode == 0


def test_upgrade_from_the_command_line(
    wasmind: Wasmind, remote: Repository, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    write_app(work, remote.url)
    wasmind("lock", "app.toml")
    before = remote.head()
    remote.write("a3/new.txt", "")
    after = remote.commit()
    assert wasmind("lock", "app.toml").stdout == "app.lock: up to date\n"
    moved = f"    Updating {remote.url} {before[:7]} -> {after[:7]} (1 commit)\n    Updating a3\n"
    done = wasmind("lock", "--upgrade", "app.toml")
    assert (done.returncode, done.stdout) == (0, "app.lock: written\n")
    assert moved in done.stderr
    wrong = wasmind("lock", "app.toml", "--upgrade", "a9")
    assert wrong.returncode == 1
    assert "the lockfile has no actor `a9`" in wrong.stderr
    assert "= help: did you mean `a0`, `a1` or `a2`?" in wrong.stderr
    assert wasmind("lock", "--upgrade", "--check", "app.toml").returncode == 2
    assert wasmind("lock", "--accept-moved-tags", "app.toml").returncode == 2


def test_outdated_sources_on_the_command_line(
    wasmind: Wasmind, remote: Repository, tmp_path: Path
) -> None:
    write_app(tmp_path / "work", remote.url)
    wasmind("lock", "app.toml")
    before, after = remote.head(), remote.commit()
    done = wasmind("check", "app.toml", "--outdated")
    assert (done.returncode, done.stdout) == (0, "app.toml: no errors\n")
    moved = f"the default branch has moved from {before[:7]} to {after[:7]}"
    assert f"note[WM1128]: {moved}" in done.stderr
    told = wasmind("check", "app.toml", "--outdated", "--format", "json")
    (found,) = [each for each in json.loads(told.stdout)["diagnostics"] if each["code"] == "WM1128"]
    assert found["notes"] == [f"locked: {before}\nnow:    {after}"]
    assert wasmind("check", "app.toml", "--outdated", "--offline").returncode == 2
    assert wasmind("lock", "--check", "app.toml").returncode == 0, "nothing was written"


def test_hosts_on_the_command_line(wasmind: Wasmind, remote: Repository, tmp_path: Path) -> None:
    said = "   Contacted 127.0.0.1\n"
    with serve_smart(remote.root.parent, []) as server:
        write_app(tmp_path / "work", f"{server}/remote/.git")
        assert wasmind("check", "app.toml").stderr.endswith(said)
        assert "Contacted" not in wasmind("lock", "app.toml").stderr
        assert said in wasmind("lock", "app.toml", "--upgrade", "-v").stderr
        assert "Contacted" not in wasmind("check", "app.toml").stderr, "nobody was asked"


def test_limits_come_from_the_environment(
    wasmind: Wasmind, remote: Repository, tmp_path: Path
) -> None:
    write_app(tmp_path / "work", remote.url)
    assert "WM1125" in wasmind("lock", "app.toml", WASMIND_GIT_FILES="1").stderr
    write_app(tmp_path / "work", "https://example.org/actors.git")
    assert "WM1133" in wasmind("lock", "app.toml", WASMIND_GIT_HOSTS="a.org, *.b.org").stderr
    wrong = wasmind("lock", "app.toml", WASMIND_GIT_FILES="many")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "error: `WASMIND_GIT_FILES` must be a whole number above 0, not `many`\n",
    )


def test_git_is_missing_or_old(wasmind: Wasmind, remote: Repository, tmp_path: Path) -> None:
    work, empty = tmp_path / "work", tmp_path / "bin"
    empty.mkdir()
    write_app(work, remote.url)
    missing = wasmind("lock", "app.toml", PATH=str(empty))
    assert missing.returncode == 1
    assert "error[WM1108]: git is not installed; 2.29 or newer is needed" in missing.stderr
    write_app(work, "https://git.example.org/actors")
    assert "Contacted" not in wasmind("check", "app.toml", PATH=str(empty)).stderr
    write_app(work, remote.url)
    (empty / "git").write_text("#!/bin/sh\necho git version 2.1.0\n")
    (empty / "git").chmod(0o755)
    old = wasmind("lock", "app.toml", PATH=f"{empty}:/usr/bin:/bin")
    assert "error[WM1108]: git version 2.1.0 is too old; 2.29 or newer is needed" in old.stderr
    # Nobody misses it once everything is in the cache.
    assert wasmind("lock", "app.toml").returncode == 0
    assert wasmind("check", "app.toml", PATH=str(empty)).returncode == 0


@pytest.mark.slow
def test_sixteen_at_once_on_an_empty_cache(
    wasmind: Wasmind, remote: Repository, tmp_path: Path
) -> None:
    running = []
    for number in range(16):
        work = tmp_path / f"work{number % 12}"
        work.mkdir(exist_ok=True)
        write_app(work, remote.url)
        running.append(
            subprocess.Popen(
                command("lock", "app.toml"),
                cwd=work,
                env=environment(tmp_path),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    results = [(each.communicate(), each.returncode) for each in running]
    assert [code for _, code in results] == [0] * 16, results
    locks = {(tmp_path / f"work{number}" / "app.lock").read_bytes() for number in range(12)}
    assert len(locks) == 1
    cache = tmp_path / "home" / ".cache" / "wasmind"
    assert len([path for path in (cache / "git").iterdir() if path.is_dir()]) == 1
    assert not list(cache.glob("*/.new-*"))


@pytest.mark.slow
def test_a_fetch_that_outlives_its_killed_parent(
    wasmind: Wasmind, remote: Repository, tmp_path: Path, held_fetch: HeldFetch
) -> None:
    """Its git holds the lock, so that the next process waits instead of clearing up under it."""
    write_app(tmp_path / "work", remote.url)
    first = held_fetch.start(tmp_path)
    first.kill()
    first.wait()
    waiting = "Waiting for another fetch"
    assert held_fetch.let_go_when(waiting, tmp_path, "lock", "app.toml")[0] == 0


def test_json_has_the_fetching_diagnostics(wasmind: Wasmind, tmp_path: Path) -> None:
    write_app(tmp_path / "work", "git@example.org:owner/repo")
    done = wasmind("check", "app.toml", "--format", "json")
    (found,) = json.loads(done.stdout)["diagnostics"]
    assert (found["code"], found["fix"]["edits"][0]["replacement"]) == (
        "WM1101",
        '"ssh://git@example.org/owner/repo"',
    )


@pytest.mark.skipif(sys.platform == "win32", reason="locks files like POSIX")
def test_ctrl_c_ends_waiting_for_another_fetch(
    wasmind: Wasmind, remote: Repository, tmp_path: Path
) -> None:
    import fcntl

    write_app(tmp_path / "work", remote.url)
    wasmind("lock", "app.toml")
    (lock,) = (tmp_path / "home" / ".cache" / "wasmind" / "git").glob("*.lock")
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        running = subprocess.Popen(
            command("lock", "app.toml", "--upgrade"),
            cwd=tmp_path / "work",
            env=environment(tmp_path, PYTHONUNBUFFERED="1"),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert running.stderr is not None
        while "Waiting for another fetch" not in running.stderr.readline():
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        try:
            _, said = running.communicate(timeout=DEADLINE)
        finally:
            running.kill()
    assert running.returncode == 1
    assert said.splitlines()[-1] == "Aborted!"


def test_ctrl_c_ends_git_too(tmp_path: Path, wasmind: Wasmind) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        write_app(tmp_path / "work", f"http://{place}/x")
        running = subprocess.Popen(
            command("lock", "app.toml"),
            cwd=tmp_path / "work",
            env=environment(tmp_path),
            stderr=subprocess.PIPE,
        )
        asked, _ = silent.accept()  # by git
        with asked:
            # Again as a person would: CPython loses one that comes while it forgets an import lock.
            for _ in range(3):
                running.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    _, said = running.communicate(timeout=30)
                    break
            assert running.returncode == 1
            assert said.splitlines()[-1] == b"Aborted!"
            asked.settimeout(DEADLINE)
            while asked.recv(4096):
                pass  # until git is gone, which would wait for an answer
