"""Running a bundle from Python: start it, send, subscribe, stop. No globals.

with System.open("bundle") as system:
    print(system.ask("How many Python files are in src?"))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from wasmind.models import Choice, open_gateway
from wasmind.paths import cache_dir
from wasmind.plan import ROOT_SCOPE
from wasmind.runtime import messages
from wasmind.runtime.bundle import Bundle, open_bundle
from wasmind.runtime.engine import Report
from wasmind.runtime.errors import RuntimeFailure
from wasmind.runtime.events import Event, Events, Failure, Stopped, Subscription, Waiting
from wasmind.runtime.host.models import BASE_URL
from wasmind.runtime.messages import Envelope
from wasmind.runtime.metrics import Summary
from wasmind.runtime.runtime import Runtime


class NoAnswer(RuntimeFailure):
    """The root agent came to rest without an answer, or ended."""


class System:
    """A running system of agents, with the models its plan declares.

    Args:
        bundle: what to run.
        cache: folder for native code; the user's cache by default.
        report: called before a compilation to native code that takes seconds.
        models: what answers instead of the models of the plan.
        sources: what the bundle was made from on this machine, which no actor may change.

    Raises:
        UnusableModel: a model cannot be asked.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        cache: Path | None = None,
        report: Report | None = None,
        models: Choice | None = None,
        sources: Sequence[Path] = (),
    ) -> None:
        self.bundle = bundle
        self._models = models or Choice.of(bundle.plan)
        events = Events()
        self._gateway = open_gateway(self._models, events, self._parent_of)
        gateway = self._gateway if self._models.answers else None
        self._runtime = Runtime(bundle, cache or cache_dir(), report, gateway, events, sources)

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        cache: Path | None = None,
        report: Report | None = None,
        models: Choice | None = None,
    ) -> System:
        """A system for the bundle at `path`, which is verified first.

        Raises:
            BundleError: it is damaged, was changed, or needs another runtime.
            UnusableModel: a model cannot be asked.
        """
        return cls(open_bundle(Path(path)), cache=cache, report=report, models=models)

    def start(self) -> None:
        """Start the root agent and announce the models.

        Raises:
            SpawnError: an actor of it could not be started.
            EngineError: an actor's component cannot be used.
            FolderError: a granted folder is more than it looks on this machine.
        """
        self._gateway.prepare()
        self._runtime.start()
        if self._models.answers:
            self._runtime.announce_models(BASE_URL, list(self._gateway.names))

    def stop(self, timeout: float = 5.0) -> bool:
        """End all agents; True if none had to be interrupted after `timeout` seconds."""
        try:
            return self._runtime.stop(timeout)
        finally:
            self._gateway.close()

    def send(self, message_type: str, payload: Any) -> Envelope:
        """Broadcast a message in the name of the host program; `payload` is anything JSON has."""
        return self._runtime.send(message_type, payload)

    def tell(self, text: str, scope: str = ROOT_SCOPE) -> None:
        """Send a user message to an agent's assistant."""
        message = {"role": "user", "content": text}
        self.send(messages.ADD_MESSAGE, {"agent": scope, "message": message})

    def subscribe(self, limit_mib: int | None = None, *, deltas: bool = False) -> Subscription:
        """All events from now on.

        Args:
            limit_mib: beyond it, what is not read is left out; None keeps everything.
            deltas: whether pieces of growing answers are among them.
        """
        return self._runtime.subscribe(limit_mib, deltas=deltas)

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription."""
        self._runtime.unsubscribe(subscription)

    def waits(self) -> list[Waiting]:
        """What actors are busy with now, one entry for each that is."""
        return self._runtime.waits()

    def summary(self) -> Summary:
        """What the run has used so far: messages, time, tokens and money."""
        return self._gateway.figures(self._runtime.summary())

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the root agent has ended; False after `timeout` seconds."""
        return self._runtime.wait(timeout)

    def ask(self, text: str) -> str:
        """Send a user message to the root agent and wait until it rests again.

        Raises:
            NoAnswer: it came to rest without an answer, or ended.
        """
        self.require_listener()
        subscription = self.subscribe()
        try:
            self.tell(text)
            answer = Answer()
            for event in subscription:
                if answer.see(event):
                    return answer.text()
        finally:
            self.unsubscribe(subscription)
        raise NoAnswer("the system has ended")

    def require_listener(self) -> None:
        """Make sure that somebody in the root agent handles user messages; NoAnswer if not."""
        if not self._runtime.hears(ROOT_SCOPE, messages.ADD_MESSAGE):
            raise NoAnswer("no actor of the root agent handles user messages; start an assistant")

    def _parent_of(self, scope: str) -> str | None:
        return self._runtime.parent_of(scope)

    def __enter__(self) -> System:
        try:
            self.start()
        except BaseException:
            self.stop(timeout=1.0)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class Answer:
    """Follows the root agent from a user message to its rest.

    Feed it every event since the message was sent; `see` says when the answer is complete.
    """

    def __init__(self) -> None:
        self._content: str | None = None
        self._problem = "the agent came to rest without an answer"
        self._processed = False
        self._done = False

    def see(self, event: Event) -> bool:
        """Take note of an event; True once the agent rests or has ended."""
        if isinstance(event, Stopped):
            self._problem = event.reason or self._problem
            return True
        if isinstance(event, Failure) and event.lost and event.scope == ROOT_SCOPE:
            self._lose(event)
        if isinstance(event, Envelope) and event.from_scope == ROOT_SCOPE:
            payload = event.json()
            if isinstance(payload, dict):
                self._see_message(event.message_type, payload)
        return self._done

    def text(self) -> str:
        """The answer.

        Raises:
            NoAnswer: there is none; says why.
        """
        if self._content is None:
            raise NoAnswer(self._problem)
        return self._content

    def _see_message(self, message_type: str, payload: Mapping[str, Any]) -> None:
        match message_type, payload:
            case messages.RESPONSE, {"message": {"content": str(content), **others}} if content:
                if not others.get("tool_calls"):
                    self._content = content
            case messages.USER_NOTIFICATION, {"level": "Error", "message": str(text)}:
                self._problem = text
            case messages.STATUS_UPDATE, {"status": {"Processing": _}}:
                self._processed, self._content = True, None
            case messages.STATUS_UPDATE, {"status": {"Wait": {"reason": reason}}}:
                self._done = self._processed and _rests(reason)
            case messages.STATUS_UPDATE, {"status": {"Done": {"result": result}}}:
                self._finish(result)

    def _lose(self, failure: Failure) -> None:
        """The message went with its actor: the next rest is one without an answer."""
        self._content, self._problem = None, f"{failure.reason}; {failure.outcome}"
        self._processed, self._done = True, not failure.restarted

    def _finish(self, result: Any) -> None:
        self._done = True
        match result:
            case {"Ok": {"summary": str(summary)}}:
                self._content = summary
            case {"Err": str(error)}:
                self._problem = error


def _rests(reason: Any) -> bool:
    """Whether an assistant that waits for this needs somebody else to go on."""
    return reason == "WaitingForUserInput" or (
        isinstance(reason, dict) and "WaitingForSystemInput" in reason
    )
