"""Everything a plan needs to run, put together: engine, workers, bundle, coordinator."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from wasmind.plan import ROOT_SCOPE, Actor
from wasmind.runtime import folders
from wasmind.runtime.bundle import Bundle
from wasmind.runtime.coordinator import Coordinator
from wasmind.runtime.engine import TICK_SECONDS, Engine, Report, require_engine
from wasmind.runtime.errors import BundleError, EngineError, SpawnError
from wasmind.runtime.events import Events, LogRecord, Subscription, Waiting
from wasmind.runtime.guest import Guest
from wasmind.runtime.host import INTERFACES
from wasmind.runtime.host.door import Host
from wasmind.runtime.host.models import ModelGateway
from wasmind.runtime.linking import Linked, imports_files, link
from wasmind.runtime.messages import Envelope
from wasmind.runtime.metrics import Summary
from wasmind.runtime.protected import protected
from wasmind.runtime.workers import Workers

_ROOT_AGENT: Final = "Root Agent"
#: Python code of guests takes turns on the GIL only in host calls; two per core keep cores busy.
_ACTIVE: Final = 2 * (os.cpu_count() or 1)


class Runtime:
    """Executes the plan of a bundle.

    Args:
        bundle: a verified bundle.
        cache: the user's cache folder, for native code.
        report: called before a compilation to native code that takes seconds.
        models: what answers for models, if there are any.
        events: where to tell what happens; one of its own by default.
        sources: what the bundle was made from on this machine, which no actor may change.

    Raises:
        EngineError: the installed wasmtime is older than the plan allows.
    """

    def __init__(
        self,
        bundle: Bundle,
        cache: Path,
        report: Report | None = None,
        models: ModelGateway | None = None,
        events: Events | None = None,
        sources: Sequence[Path] = (),
    ) -> None:
        require_engine(bundle.plan.engine)
        self._bundle = bundle
        self._protected = protected(bundle.root, cache, sources)
        self._engine = Engine(cache, report)
        self._linked: dict[tuple[str, bool], Linked] = {}
        self._modules: dict[str, tuple[tuple[str, bytes], ...]] = {}
        self._linking = threading.Lock()
        self._events = events or Events()
        self._workers = Workers(_ACTIVE)
        self._coordinator = Coordinator(
            bundle.plan,
            self._make_guest,
            self._modules_of,
            self._workers,
            self._events,
            self._engine.running,
            models,
        )

    def prepare(self) -> None:
        """Compile and link every component of the plan, so that spawning is quick.

        Raises:
            EngineError: an actor's component cannot be used; the text names the actor.
        """
        for actor in self._bundle.plan.actors:
            self._link(actor)

    def start(self) -> None:
        """Start the root agent.

        Raises:
            SpawnError: an actor of it could not be started.
            EngineError: an actor's component cannot be used.
            FolderError: a granted folder is more than it looks.
        """
        folders.require_narrow(self._bundle.plan)
        for actor, folder in folders.missing(self._bundle.plan):
            text = f"the granted folder `{folder}` does not exist"
            self._events.emit(
                LogRecord(level="warn", actor=actor.name, scope=ROOT_SCOPE, text=text)
            )
        self.prepare()
        with self._workers.blocked():
            self._coordinator.start(_ROOT_AGENT)

    def parent_of(self, scope: str) -> str | None:
        """The scope that spawned this one."""
        return self._coordinator.parent_of(scope)

    def subscribe(self, limit_mib: int | None = None, *, deltas: bool = False) -> Subscription:
        """All events from now on; see `Subscription`."""
        return self._events.subscribe(limit_mib, deltas=deltas)

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription."""
        self._events.unsubscribe(subscription)

    def send(self, message_type: str, payload: Any) -> Envelope:
        """Broadcast a message of the host program."""
        return self._coordinator.send(message_type, payload)

    def announce_models(self, base_url: str, names: list[str]) -> None:
        """Tell all agents, also later ones, at which endpoint models answer."""
        self._coordinator.announce_models(base_url, names)

    def waits(self) -> list[Waiting]:
        """What actors are busy with now, one entry for each that is."""
        return self._coordinator.waits()

    def hears(self, scope: str, message_type: str) -> bool:
        """Whether an actor of an agent still handles what is sent to it."""
        return self._coordinator.hears(scope, message_type)

    def summary(self) -> Summary:
        """What the run has used so far."""
        return self._coordinator.summary()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the root agent has ended; False after `timeout` seconds."""
        return self._coordinator.stopped.wait(timeout)

    def stop(self, timeout: float = 5.0) -> bool:
        """End all agents and free everything; True if none had to be interrupted.

        Actors get `timeout` seconds for what they are doing and their destructors; then whatever
        still computes is interrupted.
        """
        orderly = self._coordinator.stop(timeout)
        if not orderly:
            self._interrupt()
        self._workers.close(timeout=0.5)
        self._engine.close()
        return orderly

    def _interrupt(self) -> None:
        """Use up every guest's compute time at once."""
        longest = max(actor.limits.compute_seconds for actor in self._bundle.plan.actors)
        for _ in range(int(longest / TICK_SECONDS) + 1):
            self._engine.native.increment_epoch()

    def _make_guest(self, actor: Actor, host: Host) -> Guest:
        host.protected = self._protected
        return Guest(self._engine, self._link(actor), host, actor.limits)

    def _link(self, actor: Actor) -> Linked:
        # Python actors reach files through our interface; for others WASI is the way they know.
        wants_files = not actor.modules and "filesystem" in actor.capabilities
        key = (actor.component, wants_files)
        with self._linking:
            if key not in self._linked:
                try:
                    path = self._bundle.component(actor.component)
                    component = self._engine.component(path, actor.component)
                    files = wants_files and imports_files(self._engine.native, component)
                    linked = link(self._engine.native, component, INTERFACES, files=files)
                except EngineError as error:
                    raise EngineError(f"actor `{actor.name}`: {error}") from None
                self._linked[key] = linked
            return self._linked[key]

    def _modules_of(self, actor: Actor) -> tuple[tuple[str, bytes], ...]:
        if actor.name not in self._modules:
            try:
                self._modules[actor.name] = tuple(
                    (module.name, self._bundle.read(module.path)) for module in actor.modules
                )
            except BundleError as error:
                raise SpawnError(f"cannot use the code of `{actor.name}`: {error}") from None
        return self._modules[actor.name]
