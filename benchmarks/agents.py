"""Agents: spawning, starting a bundle, memory when idle, and many calls blocked at once."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.systems import bundle_of, python_bundle, running, temporary
from wasmind.runtime.runtime import Runtime

_IDLE = """
    from wasmind_actor import Actor, Message, on

    class Idle(Actor):
        pass
"""
_ASKS = """
    from wasmind_actor import Actor, Message, http, on

    class Ask(Message):
        message_type = "benchmark.Ask"
        url: str

    class Asks(Actor):
        @on(Ask, reach="any")
        def ask(self, message: Ask):
            http.get(message.url, timeout=60)
"""
_SLOW = """
import asyncio

async def answer(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    await asyncio.sleep(1)
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
    writer.close()

async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
_COLD = """
import json, sys, time
started = time.perf_counter()
from wasmind.system import System
system = System.open(sys.argv[1])
system.start()
print(json.dumps(time.perf_counter() - started))
system.stop()
"""
_MEMORY = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from wasmind.paths import cache_dir
from wasmind.runtime.bundle import open_bundle
from wasmind.runtime.runtime import Runtime

def pss():
    text = Path("/proc/self/smaps_rollup").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1])

runtime = Runtime(open_bundle(Path(sys.argv[1])), cache_dir())
runtime.start()
before = pss()
root = runtime._coordinator._agents.instances()[0].host
for number in range(int(sys.argv[2])):
    runtime._coordinator.spawn(root, ["idle"], "more")
print(json.dumps([before, pss()]))
runtime.stop(timeout=60)
"""


def main() -> None:
    """Print the figures."""
    with temporary() as root:
        bundle = python_bundle(root / "idle", idle=_IDLE)
        _cold_start(root, bundle.root)
        with running(bundle) as runtime:
            _spawn(runtime)
        _memory(bundle.root, 1_000)
        with running(python_bundle(root / "asks", asks=_ASKS)) as runtime:
            _blocked(runtime, 1)  # loads the HTTP client
            for count in (200, 1_000):
                first, later = _blocked(runtime, count), _blocked(runtime, count)
                print(
                    f"{count} calls blocked for 1 s each: {first:.2f} s by agents that are new, "
                    f"{later:.2f} s by the same once more (target for 200: 1.5)"
                )


def _spawn(runtime: Runtime) -> None:
    host = runtime._coordinator._agents.instances()[0].host
    assert host is not None
    times = []
    for _ in range(120):
        started = time.perf_counter()
        runtime._coordinator.spawn(host, ["idle"], "more")
        times.append((time.perf_counter() - started) * 1e3)
    cut = statistics.quantiles(times[20:], n=20)
    print(f"spawn of one more Python actor: p50 {cut[9]:.1f} ms, p95 {cut[18]:.1f} ms (target 10)")


def _cold_start(root: Path, bundle: Path) -> None:
    """A process that starts six actors from a bundle, beside a Python that only imports json."""
    from wasmind.plan import RunPlan
    from wasmind.runtime.bundle import MANIFEST

    plan = RunPlan.from_json((bundle / "plan.json").read_text())
    files = {
        path.relative_to(bundle).as_posix(): path.read_bytes()
        for path in bundle.rglob("*")
        if path.is_file() and path.name not in (MANIFEST, "plan.json")
    }

    actors = tuple(plan.actors[0]._replace(name=f"idle{number}") for number in range(6))
    names = tuple(actor.name for actor in actors)
    six = bundle_of(plan._replace(actors=actors, starting=names), files, root / "six").root
    inside, whole, floor = [], [], []
    for _ in range(6):
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", _COLD, six], capture_output=True, text=True, check=True
        )
        whole.append(time.perf_counter() - started)
        inside.append(json.loads(done.stdout))
        started = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-c", "import json, tomllib, hashlib"], check=True)
        floor.append(time.perf_counter() - started)
    ready, base = statistics.median(inside[1:]), statistics.median(floor[1:])
    print(
        f"six actors from a bundle: ready after {ready:.2f} s (target 0.7), process "
        f"{statistics.median(whole[1:]):.2f} s, {ready / base:.1f} times a bare Python"
    )


def _memory(bundle: Path, count: int) -> None:
    repository = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", _MEMORY, bundle, str(count), repository],
        capture_output=True,
        text=True,
        check=True,
    )
    before, after = json.loads(done.stdout)
    print(
        f"memory of {count} idle agents: {(after - before) / 1024 / 1024:.2f} GiB PSS "
        f"(target 5), {(after - before) / count / 1024:.2f} MiB each"
    )


def _blocked(runtime: Runtime, count: int) -> float:
    """Agents that all wait for an answer that takes a second."""
    with _slow_server() as url:
        return all_asking(runtime, count, url)


def all_asking(runtime: Runtime, count: int, url: str) -> float:
    """Seconds until so many agents with an actor `asks` have each had an answer of `url`."""
    host = runtime._coordinator._agents.instances()[0].host
    assert host is not None
    missing = count - len(runtime._coordinator._agents.instances())
    for _ in range(missing):
        runtime._coordinator.spawn(host, ["asks"], "more")
    before = runtime.summary().deliveries
    started = time.perf_counter()
    runtime.send("benchmark.Ask", {"url": url})
    while runtime.summary().deliveries - before < count:
        time.sleep(0.01)
    return time.perf_counter() - started


@contextmanager
def _slow_server() -> Iterator[str]:
    """A process that answers every request after a second, however many there are."""
    command = [sys.executable, "-I", "-c", _SLOW]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        process.kill()


if __name__ == "__main__":
    main()
