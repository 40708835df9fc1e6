"""Memory per actor: what a guest has for itself, as the kernel counts it."""

from __future__ import annotations

import sys
import threading

import pytest
from wasmtime import Engine, Limits, Memory, MemoryType, Store

from tests.observing import DEADLINE
from wasmind.runtime import messages
from wasmind.runtime.instance import Instance
from wasmind.runtime.memory import AddressSpace, Footprint
from wasmind.runtime.runtime import Runtime

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells about single mappings"
)

MIB = 1 << 20
HOARDS = """
    from wasmind_actor import Actor, Message, on

    class Go(Message):
        message_type = "test.Go"

    class Hoards(Actor):
        @on(Go, reach="any")
        def go(self):
            self.hoard = bytearray(b"x" * 1000) * 40_000
"""
SMALL = """
    from wasmind_actor import Actor

    class Small(Actor):
        pass
"""


def spawn(runtime: Runtime, actor: str) -> Instance:
    """Start an agent of one actor below the root."""
    root = runtime._coordinator._agents.instances()[0].host
    scope = runtime._coordinator.spawn(root, [actor], "more")
    instances = runtime._coordinator._agents.instances()
    return next(instance for instance in instances if instance.scope == scope)


def test_the_summary_tells_what_each_actor_had_for_itself(python_bundle, run) -> None:
    runtime, _ = run(python_bundle(hoards=HOARDS, small=SMALL))
    spawn(runtime, "small")
    runtime.send("test.Go", None)
    assert runtime.stop(timeout=DEADLINE)
    actors = runtime.summary().actors
    assert 38 * MIB < actors["hoards"].memory_bytes < 60 * MIB
    assert MIB // 4 < actors["small"].memory_bytes < 12 * MIB


def test_a_limit_beyond_all_addresses_is_no_obstacle() -> None:
    space, guest, store = AddressSpace(), Footprint(1 << 90), Store(Engine())
    with space.instantiating(guest):
        memory = Memory(store, MemoryType(Limits(1, None)))
    memory.write(store, b"x")
    assert guest.private_bytes() > 0


def test_memory_is_told_apart_after_others_have_come_and_gone(python_bundle, run) -> None:
    """Addresses are used again: a new guest may lie where one was that has ended."""
    runtime, _ = run(python_bundle(small=SMALL))
    for _ in range(5):
        instance = spawn(runtime, "small")
        assert instance._guest.private_bytes() > MIB // 4
        runtime._coordinator._bus.publish(
            id=messages.root_id(),
            message_type=messages.EXIT,
            from_actor_id="test",
            from_scope=instance.scope,
            payload=b"null",
        )
        assert instance.ended.wait(DEADLINE)
        assert instance.usage.memory_bytes > MIB // 4


def test_guests_that_come_at_the_same_time_are_not_mistaken_for_each_other(
    python_bundle, run
) -> None:
    runtime, _ = run(python_bundle(hoards=HOARDS, small=SMALL))
    names = ("hoards", "small") * 4
    threads = [threading.Thread(target=spawn, args=(runtime, name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runtime.send("test.Go", None)
    assert runtime.stop(timeout=DEADLINE)
    assert runtime.summary().actors["small"].memory_bytes < 12 * MIB


def test_what_came_in_a_crowd_is_forgotten_when_it_has_gone() -> None:
    """Else guests that come to lie there later would never be measured."""
    space, guests = AddressSpace(), [Footprint(MIB), Footprint(MIB)]
    store = Store(Engine())
    with space.instantiating(guests[0]), space.instantiating(guests[1]):
        memory = Memory(store, MemoryType(Limits(1, None)))
    assert memory.size(store) == 1
    assert [guest.starts for guest in guests] == [set(), set()]
    assert len(space._doubtful) == 1
    store.close()
    space.forget(guests[0])
    assert space._doubtful == set()
