"""Cold `wasmind lock` of a delegation network of 31 actors from one repository, against plain git.

Two repositories are made here, both with 31 prebuilt actors: one with nothing else, one with a
workspace's worth of other files and some history. Everything is timed in the same run, rounds
interleaved, medians shown:

* `clone`: `git clone --bare --depth 1`, the yardstick;
* `lock`: the whole command on an empty cache, Python's start included;
* `start`: the same command where there is nothing to fetch, so that the difference is what fetching
  and reading cost;
* `clones`: one clone per actor, which is what the reference does.
"""

from __future__ import annotations

import random
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import wasmtime

from benchmarks.measuring import WASMIND
from tests.compiler.project import ECHO
from tests.compiler.repositories import ENVIRONMENT, Repository, serve_smart

ROUNDS = 7
ACTORS = 31
OTHER_FILES = 900
COMMITS = 40


def make_repository(root: Path, others: int) -> Repository:
    """A tree of managers and workers, each in a folder of its own, and other files."""
    remote, chance = Repository.make(root), random.Random(1)
    component = bytes(wasmtime.wat2wasm(ECHO.read_text()))
    for number in range(ACTORS):
        name = f"actor{number:02}"
        children = [f"actor{child:02}" for child in range(2 * number + 1, 2 * number + 3)]
        workers = [child for child in children if child < f"actor{ACTORS:02}"]
        manifest = f'actor_id = "bench:{name}"\nbuild.component = "{name}.wasm"\n'
        manifest += f"required_spawn_with = {workers}\n"
        for worker in workers:
            manifest += f'[dependencies.{worker}]\nsource.path = "../{worker}"\n'
        remote.write(f"actors/{name}/Wasmind.toml", manifest)
        remote.write(f"actors/{name}/{name}.wasm", component)
        remote.write(f"actors/{name}/README.md", f"# {name}\n")
    for number in range(others):
        remote.write(f"crates/{number % 30}/src/{number}.rs", chance.randbytes(6000).hex())
    remote.commit()
    for number in range(COMMITS):
        remote.write(f"crates/0/src/{number}.rs", chance.randbytes(6000).hex())
        remote.commit(str(number))
    remote.git("gc", "--quiet")
    return remote


class Bench:
    """The commands, each in a folder that knows nothing of the others."""

    def __init__(self, base: Path) -> None:
        self._base = base

    def clear(self) -> None:
        """Remove what the commands leave behind."""
        for name in ("clones", "work", "cache"):
            shutil.rmtree(self._base / name, ignore_errors=True)
            (self._base / name).mkdir()

    def clone(self, url: str, name: str = "clone") -> None:
        target = str(self._base / "clones" / name)
        self._run(["git", "clone", "--quiet", "--bare", "--depth", "1", url, target])

    def clones(self, url: str) -> None:
        for number in range(ACTORS):
            self.clone(url, str(number))

    def lock(self, url: str) -> None:
        source = f'{{ git = "{url}", sub_dir = "actors/actor00" }}'
        self._lock(f'starting_actors = ["actor00"]\n[actors.actor00]\nsource = {source}\n')

    def start(self, _url: str) -> None:
        folder = self._base / "local"
        if not folder.exists():
            self._run(["git", "clone", "--quiet", str(self._base / "served" / "remote"), "local"])
        path = folder / "actors" / "actor00"
        text = f'starting_actors = ["actor00"]\n[actors.actor00]\nsource = {{ path = "{path}" }}\n'
        self._lock(text)

    def _lock(self, config: str) -> None:
        path = self._base / "work" / "app.toml"
        path.write_text(config)
        self._run([*WASMIND, "lock", str(path)])

    def _run(self, arguments: list[str]) -> None:
        environment = {
            **ENVIRONMENT,
            "HOME": str(self._base),
            "WASMIND_CACHE_DIR": str(self._base / "cache"),
        }
        subprocess.run(arguments, cwd=self._base, env=environment, check=True, capture_output=True)


def measure(bench: Bench, names: Sequence[str], url: str, rounds: int = ROUNDS) -> dict[str, float]:
    """Median seconds of each command, rounds interleaved."""
    commands: dict[str, Callable[[str], None]] = {name: getattr(bench, name) for name in names}
    taken: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        for name, command in commands.items():
            bench.clear()
            began = time.perf_counter()
            command(url)
            if number:  # the first round warms the disk
                taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(each) for name, each in taken.items()}


def show(transport: str, seconds: dict[str, float]) -> None:
    """One line for each command, as a multiple of the clone."""
    clone = seconds["clone"]
    print(f"{transport}: {ACTORS} actors from one repository")
    for name, each in seconds.items():
        target = "   target 2 x" if name == "lock" else ""
        print(f"  {name:<8} {each * 1000:8.0f} ms   {each / clone:5.2f} x clone{target}")
    fetching = seconds["lock"] - seconds["start"]
    print(f"  fetching and reading alone: {fetching / clone:.2f} x clone")


def main() -> None:
    """Measure over `file://` and over HTTP."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        bench = Bench(base)
        lean = make_repository(base / "served" / "lean", 0)
        remote = make_repository(base / "served" / "remote", OTHER_FILES)
        names = ("clone", "lock", "start")
        show("file, actors only", measure(bench, names, lean.url))
        show("file, monorepo", measure(bench, names, remote.url))
        with serve_smart(remote.root.parent, []) as server:
            url = f"{server}/remote/.git"
            show("http, actors only", measure(bench, names, f"{server}/lean/.git"))
            show("http, monorepo", measure(bench, names, url))
            show("http, a clone per actor", measure(bench, (*names, "clones"), url, 1))


if __name__ == "__main__":
    main()
