"""Events that nobody reads do not fill the memory, and what waits for an answer misses nothing."""

from __future__ import annotations

import json

from wasmind.runtime import messages
from wasmind.runtime.events import Events, LeftOut, LogRecord, Stopped, Subscription
from wasmind.runtime.messages import Envelope

MIB = 1 << 20


def record(text: str) -> LogRecord:
    return LogRecord(level="info", actor="a", scope="000000", text=text)


def status(number: int) -> Envelope:
    payload = json.dumps({"status": number}).encode()
    return Envelope(number, "a:b", messages.STATUS_UPDATE, "test:a", "000000", payload, "a")


def read(subscription: Subscription) -> list[object]:
    found = []
    while (event := subscription.get(timeout=0)) is not None:
        found.append(event)
    return found


def test_without_a_limit_everything_is_kept() -> None:
    events = Events()
    subscription = events.subscribe()
    for number in range(100):
        events.emit(record(f"{number}" + "x" * MIB))
    assert len(read(subscription)) == 100


def test_beyond_a_limit_events_are_counted() -> None:
    events = Events()
    subscription = events.subscribe(limit_mib=1)
    for _ in range(10):
        events.emit(record("x" * (MIB // 4)))
    first = [subscription.get(timeout=0) for _ in range(3)]
    assert all(isinstance(event, LogRecord) for event in first)
    events.emit(record("there is room again"))
    assert read(subscription) == [LeftOut(7), record("there is room again")]


def test_what_tells_how_agents_fare_is_kept_longer_and_the_end_always() -> None:
    events = Events()
    subscription = events.subscribe(limit_mib=1)
    for number in range(1, 6):
        events.emit(record("x" * (MIB // 2)))
        events.emit(status(number))
    kept = read(subscription)
    statuses = [event.sequence for event in kept if isinstance(event, Envelope)]
    assert statuses == [1, 2, 3, 4, 5]
    assert sum(event.count for event in kept if isinstance(event, LeftOut)) == 4
    for number in range(5000):
        events.emit(status(number))
    events.emit(Stopped())
    kept = read(subscription)
    assert len(kept) < 4500
    assert kept[-1] == Stopped()
    assert sum(event.count for event in kept if isinstance(event, LeftOut)) > 500
