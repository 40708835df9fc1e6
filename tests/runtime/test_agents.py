"""Agents that start agents: atomic spawns, readiness, replay, Exit, restarts and limits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.observing import DEADLINE, wait_for
from tests.runtime.conftest import PYTHON_ACTOR, message, until
from wasmind.plan import Handled, Limits, Restart, SystemLimits
from wasmind.runtime.events import Failure, LogRecord, Stopped
from wasmind.runtime.messages import Envelope

READY = "wasmind.common.actors.ActorReady"
ALL_READY = "wasmind.common.actors.AllActorsReady"
SPAWNED = "wasmind.common.actors.AgentSpawned"
EXIT = "wasmind.common.actors.Exit"
BASE_URL = "wasmind.common.litellm.BaseUrlUpdate"

BOSS = """
    from wasmind_actor import Actor, Message, agents, on
    from wasmind_actor.messages import Exit

    class Spawn(Message):
        message_type = "test.Spawn"
        actors: tuple[str, ...]

    class Spawned(Message):
        message_type = "test.Spawned"
        text: str

    class Leave(Message):
        message_type = "test.Leave"
        scope: str

    class Boss(Actor):
        @on(Spawn, reach="any")
        def spawn(self, message: Spawn):
            try:
                text = agents.spawn(message.actors, "Helper")
            except agents.SpawnError as error:
                text = f"error: {error}"
            self.broadcast(Spawned(text=text))

        @on(Leave, reach="any")
        def leave(self, message: Leave):
            if message.scope == self.scope:
                self.broadcast(Exit())

        def stop(self):
            self.broadcast(Spawned(text=f"stopped {self.scope}"))
"""

WORKER = """
    from wasmind_actor import Actor, Message, on
    from wasmind_actor.messages import AllActorsReady, BaseUrlUpdate

    class Ask(Message):
        message_type = "test.Ask"

    class Saw(Message):
        message_type = "test.Saw"
        text: str

    class Worker(Actor):
        def start(self):
            self.broadcast(Saw(text=f"constructed {self.scope}"))

        @on(AllActorsReady)
        def ready(self):
            self.broadcast(Saw(text=f"ready {self.scope}"))

        @on(BaseUrlUpdate)
        def url(self, message: BaseUrlUpdate):
            self.broadcast(Saw(text=f"url {self.scope}"))

        @on(Ask, reach="any")
        def ask(self):
            self.broadcast(Saw(text=f"done {self.scope}"))
"""

BROKEN = """
    from wasmind_actor import Actor

    class Broken(Actor):
        def start(self):
            raise RuntimeError("broken")
"""


def spawn(runtime, events, *actors: str) -> str:
    return spawning(runtime, events, *actors)[-1].json()["text"]


def spawning(runtime, events, *actors: str) -> list:
    """All events until the answer of who should spawn."""
    runtime.send("test.Spawn", {"actors": actors})
    return through(events, message("test.Spawned"))


def through(events, matches) -> list:
    """All events up to the first one that matches."""
    seen: list = []
    until(events, lambda event: seen.append(event) or matches(event))
    return seen


def texts(events: list) -> list[str]:
    """What was seen by those who say so."""
    return [event.json()["text"] for event in events if message("test.Saw")(event)]


def test_a_spawned_agent_is_announced_and_ready_once(python_bundle, run) -> None:
    runtime, events = run(python_bundle(boss=BOSS, worker=WORKER))
    until(events, message(ALL_READY))
    runtime.send("test.Spawn", {"actors": ["worker"]})
    seen = through(events, message("test.Spawned"))
    scope = seen[-1].json()["text"]
    kinds = [event.message_type for event in seen if isinstance(event, Envelope)]
    assert kinds.count(READY) == kinds.count(SPAWNED) == kinds.count(ALL_READY) == 1
    spawned = next(event for event in seen if message(SPAWNED)(event))
    assert spawned.json() == {
        "agent_id": scope,
        "name": "Helper",
        "parent_agent": "000000",
        "actors": ["worker"],
    }
    assert len(scope) == 6
    assert scope.isalnum()


def test_two_actors_of_one_kind_are_counted_as_two(python_bundle, run) -> None:
    # K7: the reference counts kinds, so the second worker would be missed.
    bundle = python_bundle(boss=BOSS, worker=WORKER, other=WORKER)
    actors = tuple(actor._replace(actor_id="test:same") for actor in bundle.plan.actors)
    bundle = replace(bundle, plan=bundle.plan._replace(actors=actors))
    runtime, events = run(bundle)
    until(events, message(ALL_READY))
    runtime.send("test.Spawn", {"actors": ["worker", "other"]})
    seen = through(events, message(ALL_READY))
    assert [event.message_type for event in seen].count(READY) == 2


def test_a_failing_member_leaves_nothing_of_the_agent(python_bundle, run) -> None:
    # K10: all of an agent's actors or none.
    runtime, events = run(python_bundle(boss=BOSS, worker=WORKER, broken=BROKEN))
    until(events, message(ALL_READY))
    seen = spawning(runtime, events, "worker", "broken")
    assert "broken" in seen[-1].json()["text"]
    kinds = [event.message_type for event in seen if isinstance(event, Envelope)]
    assert SPAWNED not in kinds
    assert ALL_READY not in kinds
    assert [each.scope for each in runtime._coordinator._agents.instances()] == ["000000"]
    scope = spawn(runtime, events, "worker")
    runtime.announce_models("http://127.0.0.1:1", [])
    runtime.send("test.Ask", None)
    heard = through(events, lambda event: texts([event]) == [f"done {scope}"])
    assert {text.split()[1] for text in texts(heard)} == {scope}


@pytest.mark.parametrize("names", [("nobody",), ("worker", "nobody")])
def test_an_unknown_name_is_an_error_for_the_caller(python_bundle, run, names) -> None:
    runtime, events = run(python_bundle(boss=BOSS, worker=WORKER))
    until(events, message(ALL_READY))
    seen = spawning(runtime, events, *names)
    assert "Attempt to spawn non-existent actor: nobody" in seen[-1].json()["text"]
    assert not [event for event in seen if message(SPAWNED)(event)]


def test_an_agent_without_actors_is_ready(python_bundle, run) -> None:
    runtime, events = run(python_bundle(boss=BOSS))
    until(events, message(ALL_READY))
    runtime.send("test.Spawn", {"actors": []})
    until(events, message(ALL_READY))


def test_models_are_replayed_to_new_agents_only(python_bundle, run) -> None:
    # K4: the reference sends them to everybody again.
    runtime, events = run(python_bundle(boss=BOSS, worker=WORKER))
    first = spawn(runtime, events, "worker")
    runtime.announce_models("http://127.0.0.1:1", ["m"])
    until(events, lambda event: texts([event]) == [f"url {first}"])
    seen = spawning(runtime, events, "worker")
    second = seen[-1].json()["text"]
    runtime.send("test.Ask", None)
    done = {f"done {first}", f"done {second}"}
    # Everybody has said all that came before.
    seen += through(events, lambda event: done.difference_update(texts([event])) or not done)
    assert texts(seen).count(f"url {second}") == 1
    assert f"url {first}" not in texts(seen)
    assert not [event for event in seen if message(BASE_URL)(event)]


def test_exit_reaches_descendants_first_and_runs_destructors(python_bundle, run) -> None:
    # K11: in the reference child agents live on.
    runtime, events = run(python_bundle(boss=BOSS))
    child = spawn(runtime, events, "boss")
    runtime.send("test.Leave", {"scope": "000000"})
    seen = list(events)
    exits = [event.from_scope for event in seen if message(EXIT)(event)]
    assert exits == [child, "000000"]
    texts = {event.json()["text"] for event in seen if message("test.Spawned")(event)}
    assert {f"stopped {child}", "stopped 000000"} <= texts
    assert seen[-1] == Stopped(None)


def test_the_exit_of_a_child_leaves_its_parent_alone(python_bundle, run) -> None:
    runtime, events = run(python_bundle(boss=BOSS))
    child = spawn(runtime, events, "boss")
    runtime.send("test.Leave", {"scope": child})
    until(events, lambda event: message("test.Spawned")(event) and child in event.json()["text"])
    assert len(spawn(runtime, events)) == 6  # the root still answers


SLOW = """
    from wasmind_actor import Actor, Message, command, on

    class Go(Message):
        message_type = "test.Go"

    class Done(Message):
        message_type = "test.Done"

    class Slow(Actor):
        @on(Go, reach="any")
        def go(self):
            command.run("sh", "-c", "echo > BEGUN; exec sleep 3600")

        def stop(self):
            self.broadcast(Done())
"""


@pytest.fixture
def slow(tmp_path: Path) -> str:
    """An actor whose command ends only when it is ended."""
    return SLOW.replace("BEGUN", str(tmp_path / "begun"))


def start_command(runtime, tmp_path: Path) -> None:
    runtime.send("test.Go", None)
    wait_for((tmp_path / "begun").exists)


def test_stop_interrupts_blocked_calls(python_bundle, run, slow: str, tmp_path: Path) -> None:
    # K3: in the reference nothing can be stopped during a call.
    runtime, events = run(python_bundle(slow=slow))
    start_command(runtime, tmp_path)
    assert runtime.stop(timeout=DEADLINE)
    assert [event for event in events if message("test.Done")(event)]


SPINS = """
    from wasmind_actor import Actor, Message, on

    class Go(Message):
        message_type = "test.Go"

    class Spinning(Message):
        message_type = "test.Spinning"

    class Spins(Actor):
        @on(Go, reach="any")
        def go(self):
            self.broadcast(Spinning())
            while True:
                pass
"""


def test_stop_interrupts_endless_computing(python_bundle, run) -> None:
    for_long = PYTHON_ACTOR._replace(limits=Limits(compute_seconds=1000))
    runtime, events = run(python_bundle(spins=(SPINS, for_long)))
    (instance,) = runtime._coordinator._agents.instances()
    runtime.send("test.Go", None)
    until(events, message("test.Spinning"))
    assert not runtime.stop(timeout=0.5)
    assert instance.ended.wait(DEADLINE)


STATEFUL = """
    from wasmind_actor import Actor, Message, on, tool
    from wasmind_actor.messages import AllActorsReady, BaseUrlUpdate, ToolsAvailable

    class Crash(Message):
        message_type = "test.Crash"

    class Saw(Message):
        message_type = "test.Saw"
        text: str

    class Stateful(Actor):
        @on(ToolsAvailable)
        def tools(self, message: ToolsAvailable):
            self.broadcast(Saw(text="tools " + message.tools[0].function.name))

        @on(BaseUrlUpdate)
        def url(self):
            self.broadcast(Saw(text="url"))

        @on(AllActorsReady)
        def ready(self):
            self.broadcast(Saw(text="ready"))

        @on(Crash, reach="any")
        def crash(self):
            while True:
                pass
"""

HELPER = """
    from wasmind_actor import Actor, tool

    class Helper(Actor):
        @tool
        def help(self) -> str:
            '''Helps.'''
            return "helped"
"""


def test_a_restarted_actor_learns_what_it_knew_at_the_start(python_bundle, run) -> None:
    actor = PYTHON_ACTOR._replace(limits=Limits(compute_seconds=1), spawn_with=("helper",))
    runtime, events = run(python_bundle(stateful=(STATEFUL, actor), helper=HELPER))
    runtime.announce_models("http://127.0.0.1:1", [])
    expected = {"tools help", "url", "ready"}
    assert {until(events, message("test.Saw")).json()["text"] for _ in range(3)} == expected
    runtime.send("test.Crash", None)
    until(events, lambda event: isinstance(event, Failure))
    assert {until(events, message("test.Saw")).json()["text"] for _ in range(3)} == expected
    runtime.stop()
    assert texts(list(events)) == [], "each of it once"


def test_a_temporary_actor_is_dropped_and_its_agent_goes_on(python_bundle, run) -> None:
    actor = PYTHON_ACTOR._replace(
        limits=Limits(compute_seconds=1),
        restart=Restart(policy="temporary"),
        spawn_with=("worker",),
    )
    runtime, events = run(python_bundle(spins=(SPINS, actor), worker=WORKER))
    runtime.send("test.Go", None)
    failure = until(events, lambda event: isinstance(event, Failure))
    assert failure.outcome == "its agent goes on without it"
    runtime.announce_models("http://127.0.0.1:1", [])
    assert until(events, message("test.Saw")).sender == "worker"


def test_a_root_agent_without_actors_ends_the_run_with_a_reason(python_bundle, run) -> None:
    actor = PYTHON_ACTOR._replace(
        limits=Limits(compute_seconds=1), restart=Restart(policy="temporary")
    )
    runtime, events = run(python_bundle(spins=(SPINS, actor)))
    runtime.send("test.Go", None)
    stopped = until(events, lambda event: isinstance(event, Stopped))
    assert stopped.reason == "the last actor of the root agent, `spins`, failed"


def test_a_spawn_that_fails_on_the_machine_leaves_nothing_behind(python_bundle, run) -> None:
    bundle = python_bundle(boss=BOSS, worker=WORKER)
    runtime, events = run(bundle)
    (bundle.root / bundle.plan.actor("worker").modules[0].path).unlink()
    reason = spawn(runtime, events, "worker")
    assert "actor `worker`: cannot use the code of `worker`" in reason
    runtime.send("test.Leave", {"scope": "000000"})
    assert list(events)[-1] == Stopped(None)


MIDDLE = """
    from wasmind_actor import Actor, Message, agents, on
    from wasmind_actor.messages import AllActorsReady

    class Go(Message):
        message_type = "test.Go"

    class Middle(Actor):
        @on(AllActorsReady)
        def ready(self, message: AllActorsReady):
            agents.spawn(("worker",), "Leaf")

        @on(Go, reach="any")
        def go(self, message: Go):
            while True:
                pass
"""


def test_an_agent_that_fails_takes_its_descendants_along(python_bundle, run) -> None:
    middle = PYTHON_ACTOR._replace(
        limits=Limits(compute_seconds=1), restart=Restart(policy="temporary")
    )
    runtime, events = run(python_bundle(boss=BOSS, middle=(MIDDLE, middle), worker=WORKER))
    spawn(runtime, events, "middle")
    leaf = until(events, message(SPAWNED)).json()["agent_id"]
    runtime.send("test.Go", None)
    assert until(events, message(EXIT)).from_scope == leaf
    runtime.send("test.Leave", {"scope": "000000"})
    exits = [event.from_scope for event in events if message(EXIT)(event)]
    assert exits == ["000000"]


def test_a_failure_comes_with_the_last_log_lines(python_bundle, run) -> None:
    source = SPINS.replace(
        "while True", "from wasmind_actor import log; log.info('here')\n            while True"
    )
    actor = PYTHON_ACTOR._replace(limits=Limits(compute_seconds=1))
    runtime, events = run(python_bundle(spins=(source, actor)))
    runtime.send("test.Go", None)
    failure = until(events, lambda event: isinstance(event, Failure))
    assert failure.log == ("info: here",)


def test_a_slow_actor_loses_nothing_and_a_full_mailbox_fails_visibly(
    python_bundle, run, slow: str, tmp_path: Path
) -> None:
    # K1: the reference drops what is more than 1024 messages behind.
    narrow = PYTHON_ACTOR._replace(limits=Limits(mailbox_mib=1))
    runtime, events = run(python_bundle(slow=(slow, narrow)))
    start_command(runtime, tmp_path)
    for _ in range(30):
        runtime.send("test.Filler", "x" * 100_000)
    record = until(events, lambda event: isinstance(event, LogRecord))
    assert "half of what may (limit `mailbox_mib`: 1 MiB)" in record.text
    failure = until(events, lambda event: isinstance(event, Failure))
    assert failure.reason == "more than 1 MiB of messages wait for it (limit `mailbox_mib`)"
    assert until(events, lambda event: isinstance(event, Stopped)).reason is not None


def test_the_budget_of_all_mailboxes_ends_the_run(
    python_bundle, run, slow: str, tmp_path: Path
) -> None:
    bundle = python_bundle(slow=slow)
    limits = SystemLimits(waiting_mib=1)
    runtime, events = run(replace(bundle, plan=bundle.plan._replace(limits=limits)))
    start_command(runtime, tmp_path)
    for _ in range(12):
        runtime.send("test.Filler", "x" * 100_000)
    stopped = until(events, lambda event: isinstance(event, Stopped))
    assert stopped.reason == "more than 1 MiB of messages wait (limit `waiting_mib`)"


def test_thousands_behind_arrive_all_and_in_order(python_bundle, run) -> None:
    counting = """
        from wasmind_actor import Actor, Message, on

        class Tick(Message):
            message_type = "test.Tick"
            number: int

        class Done(Message):
            message_type = "test.Done"
            numbers: tuple[int, ...]

        class Counts(Actor):
            def start(self):
                self.numbers = []

            @on(Tick, reach="any")
            def tick(self, message: Tick):
                self.numbers.append(message.number)
                if len(self.numbers) == 5000:
                    self.broadcast(Done(numbers=tuple(self.numbers)))
    """
    runtime, events = run(python_bundle(counts=counting))
    for number in range(5000):
        runtime.send("test.Tick", {"number": number})
    done = until(events, message("test.Done"))
    assert done.json()["numbers"] == list(range(5000))


def test_agents_and_depth_have_limits(python_bundle, run) -> None:
    bundle = python_bundle(boss=BOSS)
    runtime, events = run(
        replace(bundle, plan=bundle.plan._replace(limits=SystemLimits(agents=3, depth=9)))
    )
    assert len(spawn(runtime, events)) == 6
    assert "limit" not in spawn(runtime, events, "boss")
    # Two bosses answer now; both are refused.
    assert "at most 3 agents" in spawn(runtime, events)


def test_blocked_calls_hold_up_nobody(python_bundle, run, tmp_path: Path) -> None:
    waits = """
        from wasmind_actor import Actor, Message, command, on

        class Go(Message):
            message_type = "test.Go"

        class Done(Message):
            message_type = "test.Done"

        class Waits(Actor):
            @on(Go, reach="any")
            def go(self):
                if self.scope == "000000":
                    self.broadcast(Done())
                else:
                    command.run("sleep", "3600")
    """
    boss = PYTHON_ACTOR._replace(spawn_with=("waits",))
    runtime, events = run(python_bundle(boss=(BOSS, boss), waits=waits))
    for _ in range(40):
        spawn(runtime, events, "waits")
    runtime.send("test.Go", None)
    until(events, message("test.Done"))
    runtime.stop()


def test_delivery_follows_the_contract_after_a_restart_too(python_bundle, run) -> None:
    handles = (Handled(type="test.Go", scope="any"),)
    actor = PYTHON_ACTOR._replace(
        limits=Limits(compute_seconds=1),
        handles=handles,
        restart=Restart(intensity=9),
    )
    runtime, events = run(python_bundle(spins=(SPINS, actor)))
    runtime.send("test.Go", None)
    until(events, lambda event: isinstance(event, Failure))
    runtime.send("test.Go", None)
    assert until(events, lambda event: isinstance(event, Failure)).outcome == "it was restarted"
