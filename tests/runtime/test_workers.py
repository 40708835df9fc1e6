"""Threads for guests: order, limits, and who may hold up whom."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from tests.observing import DEADLINE, wait_for
from wasmind.runtime.workers import Workers

LONG = DEADLINE


@pytest.fixture
def make_workers() -> Iterator[Callable[[int], Workers]]:
    made: list[Workers] = []

    def make(active: int) -> Workers:
        made.append(Workers(active))
        return made[-1]

    yield make
    for workers in made:
        workers.close(timeout=LONG)


def test_tasks_start_in_the_order_they_came(make_workers) -> None:
    workers, seen, done = make_workers(1), [], threading.Event()
    workers.submit_all([lambda number=number: seen.append(number) for number in range(500)])
    workers.submit(done.set)
    assert done.wait(LONG)
    assert seen == list(range(500))


def test_tasks_that_compute_for_long_run_side_by_side(make_workers) -> None:
    workers, meeting, met = make_workers(2), threading.Barrier(2), threading.Semaphore(0)

    def meet() -> None:
        meeting.wait(LONG)
        met.release()

    workers.submit_all([meet, meet])
    assert met.acquire(timeout=LONG)
    assert met.acquire(timeout=LONG)


class Brisk(Workers):
    """Has done many pieces of work whenever somebody looks."""

    looks = 0

    @property
    def pieces(self) -> int:
        self.looks += 1
        return 10 * self.looks

    @pieces.setter
    def pieces(self, number: int) -> None:
        """Does not matter."""


def test_another_thread_joins_only_when_the_work_gets_slow() -> None:
    """Short pieces of work stay with one thread as long as they go on briskly."""
    workers, release, joined = Brisk(4), threading.Event(), threading.Event()
    first = threading.Event()

    def work() -> None:
        first.set()
        release.wait(LONG)

    workers.submit(work)
    assert first.wait(LONG)
    workers.submit(joined.set)
    wait_for(lambda: workers.looks > 20)
    assert not joined.is_set(), "it was watched again and again"
    release.set()
    assert joined.wait(LONG)
    assert workers.close(timeout=LONG)


def test_no_more_compute_at_once_than_may(make_workers) -> None:
    workers, lock, done = make_workers(2), threading.Lock(), threading.Semaphore(0)
    meeting = threading.Barrier(2)
    now, most = 0, 0

    def task() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        meeting.wait(LONG)  # the other one that may compute
        with lock:
            now -= 1
        done.release()

    workers.submit_all([task] * 20)
    for _ in range(20):
        assert done.acquire(timeout=LONG)
    assert most == 2


def test_a_blocked_task_gives_its_place_to_the_next(make_workers) -> None:
    workers, answered, done = make_workers(1), threading.Event(), threading.Event()

    def ask() -> None:
        with workers.blocked():
            if answered.wait(LONG):
                done.set()

    workers.submit_all([ask, answered.set])
    assert done.wait(LONG)


def test_hundreds_blocked_at_once_hold_up_nobody(make_workers) -> None:
    workers, release, done = make_workers(2), threading.Event(), threading.Semaphore(0)

    def wait() -> None:
        with workers.blocked():
            release.wait(LONG)
        done.release()

    workers.submit_all([wait] * 300)
    workers.submit(release.set)
    for _ in range(300):
        assert done.acquire(timeout=LONG)


def test_closing_waits_for_what_runs_and_forgets_the_rest(make_workers) -> None:
    workers, started, release = make_workers(1), threading.Event(), threading.Event()
    ended, forgotten = [], []

    def task() -> None:
        started.set()
        release.wait(LONG)
        ended.append(1)

    workers.submit_all([task, lambda: forgotten.append(1)])
    assert started.wait(LONG)
    assert not workers.close(timeout=0), "it is still at work"
    release.set()
    assert workers.close(timeout=LONG)
    assert (ended, forgotten) == ([1], [])


def test_closing_gives_up_on_a_task_that_hangs(make_workers) -> None:
    workers, started, release = make_workers(1), threading.Event(), threading.Event()

    def hang() -> None:
        started.set()
        release.wait(LONG)

    workers.submit(hang)
    assert started.wait(LONG)
    assert not workers.close(timeout=0.05)
    release.set()
