"""Brings agents to life and to their end: spawning, readiness, replay, Exit and failures.

Invariants: an agent is started whole or not at all; its readiness is announced once, after every
instance of it; an Exit reaches descendants before the agent itself; every failure is reported.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

from wasmind.plan import ROOT_SCOPE, Actor, RunPlan
from wasmind.runtime import messages
from wasmind.runtime.agents import Agent, Agents, members, speaks
from wasmind.runtime.bus import Bus
from wasmind.runtime.credentials import Credentials, Sealed
from wasmind.runtime.errors import GuestFailure, NotSent, RuntimeFailure, SpawnError
from wasmind.runtime.events import Events, Failure, HttpRetry, LogRecord, Stopped, Waiting
from wasmind.runtime.guest import Guest
from wasmind.runtime.host.door import Host
from wasmind.runtime.instance import Instance
from wasmind.runtime.messages import Envelope
from wasmind.runtime.metrics import Metrics, Summary
from wasmind.runtime.notices import Notices
from wasmind.runtime.slots import Slots
from wasmind.runtime.supervision import Decision
from wasmind.runtime.tool_calls import ToolCalls, waiting_for
from wasmind.runtime.turns import Turns
from wasmind.runtime.workers import Workers

if TYPE_CHECKING:
    from wasmind.runtime.host.connections import Connections
    from wasmind.runtime.host.egress import Address
    from wasmind.runtime.host.launch import Launchers
    from wasmind.runtime.host.models import ModelGateway

_MIB: Final = 1 << 20


class Coordinator:
    """The runtime of one plan.

    Args:
        plan: what can be spawned.
        make_guest: a guest for an actor, acting on the given host; not yet constructed.
        workers: threads for the actors.
        events: where to report.
        computing: entered while guests run.
        models: what answers for models, if there are any.
    """

    def __init__(
        self,
        plan: RunPlan,
        make_guest: Callable[[Actor, Host], Guest],
        modules: Callable[[Actor], tuple[tuple[str, bytes], ...]],
        workers: Workers,
        events: Events,
        computing: Callable[[], AbstractContextManager[None]],
        models: ModelGateway | None = None,
    ) -> None:
        self._computing = computing
        self._models = models
        self._plan = plan
        self._make_guest = make_guest
        self._modules = modules
        self._workers = workers
        self._events = events
        self._agents = Agents(plan.limits.depth, plan.limits.agents)
        self._replayable: list[Envelope] = []
        self._reason: str | None = None
        self._root_ended = False
        self._connections: Connections | None = None
        self._launchers: Launchers | None = None
        self._shared_lock = threading.Lock()
        self._credentials = Credentials(plan.credentials)
        limits = {"processes": plan.limits.processes, "requests": plan.limits.requests}
        self._slots = Slots(limits)
        self.stopped = threading.Event()
        self._settling = threading.Lock()
        self._metrics = Metrics()
        self._turns = Turns(plan.limits.turns)
        self._tool_calls = ToolCalls()
        budget = plan.limits.waiting_mib * _MIB
        self._bus = Bus(workers.submit_all, budget, lambda: workers.submit(self._exhausted))
        self._bus.tap(self._note)
        self._notices = Notices(self._bus, self._agents)

    # Starting agents

    def start(self, name: str) -> None:
        """Start the root agent.

        Raises:
            SpawnError: an actor of it could not be started.
        """
        self._start(self._agents.open(name, None), list(self._plan.starting))

    def spawn(self, host: Host, actors: list[str], name: str) -> str:
        """Start an agent below the one `host` belongs to and return its scope."""
        allowed = host.actor.may_spawn
        if allowed is not None and (refused := sorted(set(actors) - set(allowed))):
            raise SpawnError(f"`{host.actor.name}` may not spawn `{refused[0]}`")
        grant = host.actor.grants.get("agent", {})
        number = grant.get("number")
        if number is not None and host.usage.spawned >= number:
            raise SpawnError(f"`{host.actor.name}` may spawn {number} agents (`agent.number`)")
        agent = self._agents.open(name, host.scope, grant.get("depth"))
        host.usage.spawned += 1
        self._start(agent, actors)
        return agent.scope

    def _start(self, agent: Agent, requested: list[str]) -> None:
        try:
            instances = [
                self._instance(name, agent.scope) for name in members(self._plan, requested)
            ]
        except SpawnError:
            self._discard(agent)
            raise
        agent.instances = {instance.actor.name: instance for instance in instances}
        # Everybody listens before anybody speaks: no message of a constructor is missed.
        self._bus.subscribe(instance.mailbox for instance in instances)
        if agent.exiting:  # and was told so before it listened
            self._roll_back(agent, instances, [])
            raise SpawnError("the spawning agent is ending")
        self._construct(agent, instances)
        for instance in instances:
            self._notices.say_as(
                instance.actor, agent.scope, messages.ACTOR_READY, messages.encode(None)
            )
        self._announce(agent, instances)
        self._metrics.spawned()
        agent.starting = False
        for instance in instances:
            instance.activate()

    def _construct(self, agent: Agent, instances: list[Instance]) -> None:
        constructed: list[Instance] = []
        for instance in instances:
            try:
                instance.construct()
            except Exception as error:
                self._roll_back(agent, instances, constructed)
                if not isinstance(error, RuntimeFailure):
                    raise
                traceback = error.traceback if isinstance(error, GuestFailure) else ""
                outcome = f"the agent `{agent.name}` was not started"
                self._report(instance, str(error), traceback, outcome)
                raise SpawnError(f"actor `{instance.actor.name}`: {error}") from None
            constructed.append(instance)

    def _roll_back(
        self, agent: Agent, instances: list[Instance], constructed: list[Instance]
    ) -> None:
        for instance in instances:
            self._bus.unsubscribe(instance.mailbox)
        self._discard(agent)
        for instance in constructed:
            instance.abandon()

    def _discard(self, agent: Agent) -> None:
        self._agents.discard(agent)
        self._settle()

    def _announce(self, agent: Agent, instances: list[Instance]) -> None:
        spawned = {
            "agent_id": agent.scope,
            "name": agent.name,
            "parent_agent": agent.parent,
            "actors": [instance.actor.name for instance in instances],
        }
        told = self._publish(
            messages.AGENT_SPAWNED, spawned, actor_id=messages.CONTEXT, scope=ROOT_SCOPE
        )
        if agent.scope != ROOT_SCOPE:  # a restarted member has to learn whose agent it is
            agent.preamble.append(told)
        self._publish(
            messages.ALL_ACTORS_READY, None, actor_id=messages.READINESS, scope=agent.scope
        )
        for instance in instances:
            self._bus.replay(instance.mailbox, self._replayable)

    def _note(self, envelope: Envelope) -> None:
        """Sees every message, in order."""
        self._events.emit(envelope)
        self._metrics.published(envelope)
        self._turns.note(envelope)
        agent = self._agents.get(envelope.from_scope)
        if agent is not None and agent.starting:
            agent.preamble.append(envelope)
        if envelope.message_type == messages.EXECUTE_TOOL_CALL:
            self._tool_calls.note(envelope)
        if envelope.message_type == messages.QUEUE_STATUS_CHANGE and self._models is not None:
            interrupted = messages.interrupted_agent(envelope)
            if interrupted is not None:
                self._models.interrupt(interrupted)
        if agent is not None and envelope.message_type == messages.STATUS_UPDATE:
            agent.speaker = envelope.sender

    def _instance(self, name: str, scope: str) -> Instance:
        actor = self._plan.actor(name)

        def make() -> Guest:
            host = Host(actor, scope, self, modules=self._modules(actor))
            return self._make_guest(actor, host)

        return Instance(actor, scope, make, self._workers, self, self._computing)

    # Messages

    def send(self, message_type: str, payload: Any) -> Envelope:
        """Broadcast a message of the host."""
        return self._publish(message_type, payload, actor_id=messages.CONTEXT, scope=ROOT_SCOPE)

    def announce_models(self, base_url: str, names: list[str]) -> None:
        """Tell all agents, also later ones, where models answer."""
        payload = {"base_url": base_url, "models_available": names}
        self._replayable.append(
            self._publish(
                messages.BASE_URL_UPDATE,
                payload,
                actor_id=messages.COORDINATOR,
                scope=ROOT_SCOPE,
            )
        )

    def broadcast(self, host: Host, message_type: str, payload: bytes) -> None:
        """A guest's broadcast."""
        if refusal := _refusal(host.actor, message_type, payload):
            raise NotSent(f"refused to send `{message_type}`: {refusal}")
        cause = host.message_id
        identifier = messages.root_id() if cause is None else messages.child_id(cause)
        if message_type == messages.EXIT:
            self._leave(host.scope, identifier, host.actor)
            return
        answered = message_type == messages.RESPONSE
        if answered and self._turns.used_up(host.scope) and messages.calls_tools(payload):
            self._notices.halt(host.actor, host.scope, self._turns)
        if message_type == messages.TOOL_CALL_STATUS:
            self._tool_calls.reported(host.scope, payload)
        envelope = self._bus.publish(
            id=identifier,
            message_type=message_type,
            from_actor_id=host.actor.actor_id,
            from_scope=host.scope,
            payload=payload,
            sender=host.actor.name,
        )
        if message_type == messages.EXECUTE_TOOL_CALL and (
            reason := self._tool_calls.in_vain(envelope)
        ):
            self._notices.answer(host.actor, host.scope, envelope.json(), reason)
        if message_type == messages.REQUEST and self._turns.runs_away(host.scope):
            reason = f"it went on after its {self._turns.most} turns (limit `turns`)"
            self._notices.tell_parent(host.scope, f"{reason}; the agent was ended")
            if host.scope == ROOT_SCOPE:
                self._reason = f"actor `{host.actor.name}` was ended: {reason}"
            self._leave(host.scope, messages.root_id(), None)

    def _publish(self, message_type: str, payload: Any, *, actor_id: str, scope: str) -> Envelope:
        return self._bus.publish(
            id=messages.root_id(),
            message_type=message_type,
            from_actor_id=actor_id,
            from_scope=scope,
            payload=messages.encode(payload),
        )

    # What host functions need besides

    def log(self, host: Host, level: str, text: str) -> None:
        """A log record in an actor's name."""
        host.recent.append(f"{level}: {text}")
        allowed, left_out = host.log_rate.take(time.monotonic())
        if left_out:
            self._record(host, "warn", f"{left_out} log records left out: they came too fast")
        if allowed:
            self._record(host, level, text)

    def _record(self, host: Host, level: str, text: str) -> None:
        self._events.emit(
            LogRecord(
                level=level,
                actor=host.actor.name,
                scope=host.scope,
                text=self._credentials.masked(text),
                id=host.message_id,
            )
        )

    def parent_of(self, scope: str) -> str | None:
        """The scope that spawned this one."""
        return self._agents.parent_of(scope)

    def blocked(self) -> AbstractContextManager[None]:
        """The calling thread waits for something outside."""
        return self._workers.blocked()

    def slot(self, limit: str) -> AbstractContextManager[bool]:
        """A place among those a system limit allows at once."""
        return self._slots.take(limit)

    def credentials(self, scheme: str, host: str, address: Address) -> Sealed:
        """Headers with secrets for a request to this host."""
        return self._credentials.for_request(scheme, host, address)

    def masked(self, text: str) -> str:
        """A text without the secrets of the run."""
        return self._credentials.masked(text)

    def masked_bytes(self, data: bytes) -> bytes:
        """The same for bytes."""
        return self._credentials.masked_bytes(data)

    def connections(self) -> Connections:
        """HTTP connections, shared by the whole system; loaded when the first request is made."""
        from wasmind.runtime.host.connections import Connections

        with self._shared_lock:
            if self._connections is None:
                self._connections = Connections()
            return self._connections

    def launchers(self) -> Launchers:
        """What starts commands, shared by the whole system; loaded for the first command."""
        from wasmind.runtime.host.launch import Launchers

        with self._shared_lock:
            if self._launchers is None:
                self._launchers = Launchers()
            return self._launchers

    def models(self) -> ModelGateway | None:
        """What answers for models."""
        return self._models

    def http_retry(self, host: Host, retry: HttpRetry) -> None:
        """Tell the user that an attempt failed and another one follows."""
        self._events.emit(retry)

    def http_failed(self, host: Host, attempts: int, reason: str) -> None:
        """Tell the user that a request was given up after more than one attempt."""
        self._notices.http_failed(host, attempts, reason)

    def hears(self, scope: str, message_type: str) -> bool:
        """Whether an actor of an agent still handles what is sent to it."""
        return self._agents.hears(scope, message_type)

    def waits(self) -> list[Waiting]:
        """What instances are busy with now."""
        return [wait for instance in self._agents.instances() if (wait := instance.waits())]

    def summary(self) -> Summary:
        """What the run has used so far."""
        living = [(item.actor.name, item.usage) for item in self._agents.instances()]
        return self._metrics.summary(living)

    # Ends

    def stop(self, timeout: float) -> bool:
        """Let every agent end, destructors included; True if all did within `timeout` seconds."""
        self._leave(ROOT_SCOPE, messages.root_id(), None)
        deadline = time.monotonic() + timeout
        waiting = self._agents.instances()
        orderly = all(item.ended.wait(max(0.0, deadline - time.monotonic())) for item in waiting)
        if self._connections is not None:
            self._connections.close()
        if self._launchers is not None:
            self._launchers.close()
        return orderly

    def _leave(self, scope: str, identifier: str, actor: Actor | None) -> None:
        """Send Exit to an agent's descendants, deepest first, and then to the agent itself."""
        for agent in self._agents.leaving(scope):
            own = agent.scope == scope
            self._bus.publish(
                id=identifier if own else messages.child_id(identifier),
                message_type=messages.EXIT,
                from_actor_id=actor.actor_id if actor and own else messages.CONTEXT,
                from_scope=agent.scope,
                payload=messages.encode(None),
                sender=actor.name if actor and own else None,
            )
            # After that message: what a call that is cut off makes an actor say is explained by it.
            for instance in list(agent.instances.values()):
                instance.cancel()

    def failed(
        self,
        instance: Instance,
        failure: GuestFailure,
        handling: Envelope | None,
        decision: Decision,
    ) -> None:
        """An instance failed: tell everybody concerned, and end its agent if so decided."""
        agent = self._agents.get(instance.scope)
        leaving = agent is None or agent.exiting
        restarted = decision is Decision.RESTART
        # One that fails again while it is restarted had nothing to lose.
        again = handling is None and restarted
        lost = not leaving and not again and speaks(instance, agent)
        outcome = _OUTCOMES[decision]
        self._report(
            instance, failure.reason, failure.traceback, outcome, lost=lost, restarted=restarted
        )
        if not leaving:
            self._settle_debts(instance, failure.reason, handling, restarted=restarted)
        if lost or (not leaving and decision is Decision.END_AGENT):
            text = f"its actor `{instance.actor.name}` failed: {failure.reason}; {outcome}"
            self._notices.tell_parent(instance.scope, text)
        if decision is Decision.END_AGENT:
            if instance.scope == ROOT_SCOPE:
                self._reason = f"actor `{instance.actor.name}` failed: {failure.reason}"
            self._leave(instance.scope, messages.root_id(), None)

    def _settle_debts(
        self, instance: Instance, reason: str, handling: Envelope | None, *, restarted: bool
    ) -> None:
        """Answer the tool calls that a failed instance will not answer any more."""
        reason = f"the tool's actor failed: {reason}"
        with self._bus.still():
            owed = self._tool_calls.owed(instance, handling, reason, for_good=not restarted)
        for call in owed:
            self._notices.answer(instance.actor, instance.scope, call, reason)

    def refused(self, instance: Instance, envelope: Envelope, reason: str) -> None:
        """A message was too large for an instance: tell people and whoever waits."""
        name, scope = instance.actor.name, instance.scope
        text = f"`{envelope.message_type}`: {reason}"
        spoken = speaks(instance, self._agents.get(scope))
        if spoken and envelope.message_type == messages.ADD_MESSAGE:
            outcome = "the message is lost"
            self._events.emit(
                Failure(
                    actor=name, scope=scope, reason=text, traceback="", outcome=outcome, lost=True
                )
            )
            self._notices.tell_parent(scope, f"{text}; {outcome}")
        else:
            self._events.emit(
                LogRecord(level="error", actor=name, scope=scope, text=text, id=envelope.id)
            )
        notice = messages.notification(f"Actor `{name}` could not be told", text, "Runtime")
        self._notices.say_as(instance.actor, scope, messages.USER_NOTIFICATION, notice)
        for call in waiting_for(instance, envelope, speaks=spoken):
            self._notices.answer(instance.actor, scope, call, reason)

    def restarted(self, instance: Instance) -> None:
        """Tell a restarted instance what it was told before: siblings, models, readiness."""
        agent = self._agents.get(instance.scope)
        if agent is not None:
            others = [item for item in agent.preamble if item.sender != instance.actor.name]
            self._bus.replay(instance.mailbox, [*others, *self._replayable], first=True)

    def lags(self, instance: Instance, waiting: int) -> None:
        """Warn about an instance that does not keep up."""
        limit = instance.actor.limits.mailbox_mib
        text = f"{waiting} messages wait, half of what may (limit `mailbox_mib`: {limit} MiB)"
        self._events.emit(
            LogRecord(level="warn", actor=instance.actor.name, scope=instance.scope, text=text)
        )

    def _exhausted(self) -> None:
        """Rather than lose a message, end the run."""
        mib = self._plan.limits.waiting_mib
        self._reason = f"more than {mib} MiB of messages wait (limit `waiting_mib`)"
        self._leave(ROOT_SCOPE, messages.root_id(), None)

    def _report(
        self,
        instance: Instance,
        reason: str,
        traceback: str,
        outcome: str,
        *,
        lost: bool = False,
        restarted: bool = False,
    ) -> None:
        name, scope = instance.actor.name, instance.scope
        reason, traceback = self.masked(reason), self.masked(traceback)
        self._events.emit(
            Failure(
                actor=name,
                scope=scope,
                reason=reason,
                traceback=traceback,
                outcome=outcome,
                log=instance.recent,
                lost=lost,
                restarted=restarted,
            )
        )
        text = f"{reason}; {outcome}"
        self._notices.say_as(
            instance.actor,
            scope,
            messages.USER_NOTIFICATION,
            messages.notification(f"Actor `{name}` failed", text, "Runtime"),
        )

    def ended(self, instance: Instance) -> None:
        """An instance is gone."""
        self._bus.unsubscribe(instance.mailbox)
        discarded = instance.mailbox.clear()
        self._metrics.ended(instance.actor.name, instance.usage, instance.mailbox, discarded)
        agent = self._agents.remove(instance)
        if agent is None:
            return
        self._tool_calls.forget(agent.scope)
        if agent.scope == ROOT_SCOPE:
            self._root_ended = True
            if not agent.exiting:
                self._reason = f"the last actor of the root agent, `{instance.actor.name}`, failed"
        if not agent.exiting:  # nobody has told its descendants yet
            self._leave(agent.scope, messages.root_id(), None)
        self._settle()

    def _settle(self) -> None:
        """Say so once the root agent and all its descendants have ended."""
        if not self._root_ended or self._agents.any_alive():
            return
        with self._settling:
            if not self.stopped.is_set():
                self._events.emit(Stopped(self._reason))
                self.stopped.set()


def _refusal(actor: Actor, message_type: str, payload: bytes) -> str | None:
    """Why an actor may not send this message, or None."""
    if message_type in messages.HOST_ONLY:
        return "only the host may"
    if actor.emits is not None and message_type not in actor.emits:
        return f"the contract of `{actor.name}` does not say that it does"
    most = actor.limits.payload_mib
    if len(payload) > most * _MIB:
        size = math.ceil(len(payload) * 10 / _MIB) / 10  # never "16.0" of at most 16
        return f"a message of {size:.1f} MiB; at most {most} MiB (limit `payload_mib`)"
    return None


_OUTCOMES: Final = {
    Decision.RESTART: "it was restarted",
    Decision.DROP: "its agent goes on without it",
    Decision.END_AGENT: "its agent was ended",
}
