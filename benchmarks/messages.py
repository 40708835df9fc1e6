"""Messages: our delivery against the bare C calls it consists of, broadcasts, and AutoGen core.

The actor is a component of WebAssembly text that ignores what it is sent, so that what is measured
is ours and not the guest's.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Callable
from functools import partial
from textwrap import dedent

from benchmarks.systems import echo_bundle, python_bundle, running, temporary
from wasmind.plan import Actor, Handled
from wasmind.runtime import abi, messages
from wasmind.runtime.runtime import Runtime

_KIND = "benchmark.Message"
_COUNTS = (1, 10, 100, 1_000)
_SIZES = (2, 1_000, 10_000, 1_000_000)
#: In all arguments of the bare calls together, each byte of which takes 32.
_MOST_BYTES = 20_000_000
_LARGE = 15 << 20
_HANDLES = (Handled(type=_KIND, scope="any"),)


def main() -> None:
    """Print the figures."""
    _delivery()
    _large()
    _broadcast()
    _autogen()


def _actors(count: int, interested: int) -> list[Actor]:
    return [
        Actor(
            name=f"a{number}",
            actor_id="benchmark:echo",
            component="0" * 64,
            capabilities=("messaging",),
            handles=_HANDLES if number < interested else (),
        )
        for number in range(count)
    ]


def _delivery() -> None:
    print("delivery of one message, microseconds (ratio to the bare C call of `handle-message`)")
    print(f"{'instances':>10} {'payload':>8} {'bare call':>10} {'ours':>8} {'ratio':>6}")
    for count in _COUNTS:
        actors = _actors(count, count)
        with (
            temporary() as root,
            temporary() as other,
            running(echo_bundle(actors, root)) as runtime,
            running(echo_bundle(actors, other, text=False)) as reference,
        ):
            for size in _SIZES:
                if count * size > _MOST_BYTES:
                    continue
                rounds = max(3, 20_000 // count // (1 + size // 1_000))
                bare = min(_bare(reference, size, rounds) for _ in range(3))
                ours = min(_ours(runtime, count, size, rounds) for _ in range(3))
                print(
                    f"{count:>10} {size:>7}B {bare * 1e6:>10.1f} {ours * 1e6:>8.1f} "
                    f"{ours / bare:>6.2f}"
                )


_LISTENER = """
    from wasmind_actor import Actor, Message, on

    class Go(Message, type="benchmark.Go"):
        size: int

    class Big(Message, type="benchmark.Big"):
        text: str

    class Listener(Actor):
        @on(Go, reach="any")
        def go(self, message: Go):
            if TALKS:
                self.broadcast(Big(text="x" * message.size))

        @on(Big, reach="any")
        def big(self, message: Big):
            self.size = len(message.text)
"""


def _large() -> None:
    """A broadcast near the limit to ten actors, and the memory the process has for it."""
    print(f"\nbroadcast of {_LARGE >> 20} MiB to 10 actors")
    with temporary() as root, running(echo_bundle(_actors(10, 10), root)) as runtime:
        payload = b"x" * _LARGE
        before = _resident()
        seconds = _until_handled(runtime, lambda: _publish(runtime, payload), 1, 10)
        print(f"   that ignore it:  {seconds:>6.2f} s, {_resident() - before:>5} MiB at most")
    sources = {f"a{number}": f"TALKS = {not number}\n{dedent(_LISTENER)}" for number in range(10)}
    with temporary() as root, running(python_bundle(root, every=True, **sources)) as runtime:
        before = _resident()

        def send() -> None:
            runtime.send("benchmark.Go", {"size": _LARGE})

        # Each handles the word to go, and what the first one sends then.
        seconds = _until_handled(runtime, send, 1, 10, each=2)
        print(
            f"   in Python, sent by one, read by all: {seconds:>6.2f} s, "
            f"{_resident() - before:>5} MiB at most"
        )


def _resident() -> int:
    """The most memory the process has had so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _bare(runtime: Runtime, size: int, rounds: int) -> float:
    """Seconds a call, over all instances in turn, with arguments made beforehand."""
    guests = [instance._guest for instance in runtime._coordinator._agents.instances()]
    prepared = []
    for guest in guests:
        assert guest is not None
        export = guest._linked.actor["[method]actor.handle-message"]
        function = guest._function(export, "[method]actor.handle-message")
        fields = ("root:abcdef", _KIND, "benchmark", "000000", b"x" * size)
        value = abi.Value(export.signature.parameters[1], fields)
        arguments = abi.arguments_of([guest._keep[0], value])
        guest._watch.start()
        prepared.append((function, guest._store._context(), export.signature, arguments, value))
    started = time.perf_counter()
    for _ in range(rounds):
        for function, context, signature, arguments, _value in prepared:
            abi.call(function, context, signature, arguments)
    return (time.perf_counter() - started) / rounds / len(prepared)


def _ours(runtime: Runtime, count: int, size: int, rounds: int) -> float:
    """Seconds a delivery, from sending until all are handled."""
    payload = b"x" * size
    send = partial(_publish, runtime, payload)
    return _until_handled(runtime, send, rounds, count) / rounds / count


def _publish(runtime: Runtime, payload: bytes) -> None:
    runtime._coordinator._bus.publish(
        id=messages.root_id(),
        message_type=_KIND,
        from_actor_id="benchmark",
        from_scope="000000",
        payload=payload,
    )


def _until_handled(
    runtime: Runtime, send: Callable[[], object], rounds: int, receivers: int, each: int = 1
) -> float:
    # Their own counters: a summary of a thousand instances would compete for the interpreter.
    usages = [
        instance.usage
        for instance in runtime._coordinator._agents.instances()
        if instance.actor.handles
    ]
    assert len(usages) == receivers
    wanted = sum(usage.handled for usage in usages) + rounds * receivers * each
    started = time.perf_counter()
    for _ in range(rounds):
        send()
    while sum(usage.handled for usage in usages) < wanted:
        time.sleep(0.001)
    return time.perf_counter() - started


def _broadcast() -> None:
    print("\nbroadcast of 2 bytes, microseconds (ratio to a system of 3 actors)")
    reference = 0.0
    for count, interested in ((3, 3), (1_000, 3), (1_000, 50), (1_000, 1_000)):
        bundle_actors = _actors(count, interested)
        with temporary() as root, running(echo_bundle(bundle_actors, root)) as runtime:
            rounds = 2_000 if interested < 1_000 else 20

            def send(runtime: Runtime = runtime) -> None:
                runtime.send(_KIND, 1)

            seconds = min(_until_handled(runtime, send, rounds, interested) for _ in range(3))
            each = seconds / rounds
            reference = reference or each
            print(
                f"{count:>6} actors, {interested:>5} interested: {each * 1e6:>9.1f} "
                f"{each / reference:>8.2f}"
            )


def _autogen() -> None:
    """The same pattern on AutoGen core: a topic, N agents subscribed, a burst of messages."""
    try:
        from benchmarks.autogen_burst import burst
    except ImportError:
        print("\nAutoGen core is not installed: pip install autogen-core")
        return
    print("\nburst of 200 messages to N agents, microseconds a delivery (ratio AutoGen to ours)")
    for count in (1, 10, 100):
        with temporary() as root, running(echo_bundle(_actors(count, count), root)) as runtime:
            ours = min(_ours(runtime, count, 2, 200) for _ in range(3))
        theirs = min(asyncio.run(burst(count, 200)) for _ in range(3))
        print(
            f"{count:>6} agents: AutoGen {theirs * 1e6:>8.1f}, ours {ours * 1e6:>8.1f} "
            f"{theirs / ours:>6.2f}"
        )


if __name__ == "__main__":
    main()
