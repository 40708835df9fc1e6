"""Commands: through the host, from a Python actor, against the same started by `subprocess`."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from benchmarks.measuring import beside
from benchmarks.systems import python_bundle, running, temporary
from wasmind.runtime.host.command import COMMAND
from wasmind.runtime.host.door import Host
from wasmind.runtime.messages import Envelope
from wasmind.runtime.runtime import Runtime

_COMMAND: Final = ("bash", "-c", "true")
_ROUNDS: Final = 20
_AT_ONCE: Final = 50
_ACTOR: Final = """
    from wasmind_actor import Actor, Message, command, on

    class Run(Message):
        message_type = "benchmark.Run"
        times: int

    class Ran(Message):
        message_type = "benchmark.Ran"
        failed: int

    class Runs(Actor):
        @on(Run, reach="any")
        def run(self, message: Run):
            outputs = [command.run("bash", "-c", "true") for _ in range(message.times)]
            self.broadcast(Ran(failed=sum(each.status != command.Exited(0) for each in outputs)))
"""


def main() -> None:
    """Print the figures."""
    with temporary() as root, running(python_bundle(root, runs=_ACTOR)) as runtime:
        _through_an_actor(runtime, 1)  # starts the launcher
        print(f"{'`bash -c true`':<34}{'bare':>9} {'ours':>9} {'more':>9} {'ratio':>6}")
        _row("one after the other", _ROUNDS, _bare, lambda n: _through_an_actor(runtime, n))
        (instance,) = runtime._coordinator._agents.instances()
        host = instance.host
        assert host is not None
        _row("without the actor's share", _ROUNDS, _bare, lambda n: _through_the_host(host, n))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            _row(
                f"{_AT_ONCE} at once, each",
                _AT_ONCE,
                lambda n: _at_once(pool, lambda: _bare(1), n),
                lambda n: _at_once(pool, lambda: _through_the_host(host, 1), n),
            )


def _row(name: str, times: int, bare: Callable[[int], float], ours: Callable[[int], float]) -> None:
    taken = beside(lambda: bare(times), lambda: ours(times))
    mine = taken.seconds / times * 1000
    other = mine / taken.ratio
    print(f"{name:<34}{other:>6.2f} ms {mine:>6.2f} ms {mine - other:>6.2f} ms {taken.ratio:>6.2f}")


def _bare(times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        subprocess.run(_COMMAND, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return time.perf_counter() - started


def _through_an_actor(runtime: Runtime, times: int) -> float:
    events = runtime.subscribe()
    started = time.perf_counter()
    runtime.send("benchmark.Run", {"times": times})
    for event in events:
        if isinstance(event, Envelope) and event.message_type == "benchmark.Ran":
            taken = time.perf_counter() - started
            runtime.unsubscribe(events)
            if event.json() == {"failed": 0}:
                return taken
            break
    raise RuntimeError("a command failed")


def _through_the_host(host: Host, times: int) -> float:
    functions = COMMAND.functions
    started = time.perf_counter()
    for _ in range(times):
        handle = functions["[constructor]cmd"].body(host, _COMMAND[0]).rep
        functions["[method]cmd.args"].body(host, handle, list(_COMMAND[1:]))
        answer = functions["[method]cmd.run"].body(host, handle).value
        if answer[2] != ("exited", 0):
            raise RuntimeError(f"a command failed: {answer}")
    return time.perf_counter() - started


def _at_once(pool: ThreadPoolExecutor, run: Callable[[], float], times: int) -> float:
    started = time.perf_counter()
    for future in [pool.submit(run) for _ in range(times)]:
        future.result()
    return time.perf_counter() - started
