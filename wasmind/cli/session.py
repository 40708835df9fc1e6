"""One run at the command line, from the start of its agents to their end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from wasmind.cli import prompts, signals, terminal
from wasmind.cli.events import EventView
from wasmind.cli.logs import LogFile
from wasmind.runtime.errors import RuntimeFailure
from wasmind.runtime.events import Event, Stopped
from wasmind.system import Answer, NoAnswer, System

_STOP_SECONDS: Final = 1.5
#: How often the main thread looks up while something goes on beside it.
_GLANCE_SECONDS: Final = 0.05
#: What may wait for a stdout that nobody reads.
_UNREAD_MIB: Final = 64
#: How long last words may take after a signal.
_LAST_WORDS_SECONDS: Final = 2.0
#: How often people are told what is waited for.
_LOOK_SECONDS: Final = 0.5


class Session:
    """One run: the main thread only waits and prints, so that signals are heard at any moment.

    Args:
        system: not started yet.
        view: shows what happens.
        log: also keeps log records.
        timeout: seconds to wait for each answer.
        stats: whether to show at the end what was used.
    """

    def __init__(
        self,
        system: System,
        view: EventView,
        log: LogFile | None,
        timeout: float | None,
        *,
        stats: bool,
    ) -> None:
        self._timeout = timeout
        self._system = system
        self._view = view
        self._log = log
        self._stats = stats
        self._events = system.subscribe(_UNREAD_MIB, deltas=view.wants_deltas)
        self._looked = 0.0
        self._stopped: Stopped | None = None
        self._finished = False
        #: Why the exit code is not 0.
        self._reason: str | None = None

    def run(self, prompt: str | None) -> int:
        """Until the answer, the end of input or a signal; returns the exit code."""
        try:
            try:
                self._beside(self._system.start)
                if prompt is None:
                    self._converse()
                else:
                    self._ask(prompt)
                return 0 if self._reason is None else 1
            except (RuntimeFailure, ValueError) as error:
                self._drain()
                self._fail(error)
                return 1
            except signals.Ended as end:
                self._reason = f"ended by {end.name}"
                self._stop_unheard(end.code)
                return end.code
            finally:
                if not self._finished:
                    self._beside(lambda: self._system.stop(_STOP_SECONDS))
                    self._finish()
        except signals.Ended as end:
            os._exit(end.code)

    def _stop_unheard(self, code: int) -> None:
        """End all agents, although nobody may read what we write: a full pipe stops nothing here.

        The process ends when the last words are not taken.
        """
        self._finished = True
        _attempt(lambda: terminal.say("stopping; Ctrl-C once more ends at once"), _GLANCE_SECONDS)
        _attempt(lambda: self._system.stop(_STOP_SECONDS), None)
        if not _attempt(self._finish, _LAST_WORDS_SECONDS):
            os._exit(code)

    def _converse(self) -> None:
        """Lines of stdin are messages; answers are shown as they come."""
        self._system.require_listener()
        lines = prompts.Lines()
        while (line := self._next_line(lines)) is not None:
            try:
                self._ask(line)
            except NoAnswer as error:
                self._fail(error)
                if self._system.wait(0):
                    return
        self._drain()
        if self._stopped is not None and self._stopped.reason is not None:
            raise NoAnswer(self._stopped.reason)

    def _next_line(self, lines: prompts.Lines) -> str | None:
        """The next line of stdin, which is read beside: what happens meanwhile is shown."""
        lines.ask()
        while True:
            with suppress(TimeoutError):
                return lines.next(_GLANCE_SECONDS)
            self._drain()
            self._look()
            if self._stopped is not None:
                return None

    def _ask(self, prompt: str) -> None:
        if self._stopped is not None:
            raise NoAnswer(self._stopped.reason or "the system has ended")
        self._system.require_listener()
        self._system.tell(prompt)
        answer = Answer()
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        while deadline is None or time.monotonic() < deadline:
            event = self._events.get(self._patience(deadline))
            if event is not None:
                self._show(event)
                if answer.see(event):
                    self._view.answer(answer.text())
                    return
            self._look()
        raise NoAnswer(f"no answer within {self._timeout:g} s{self._meanwhile()}")

    def _meanwhile(self) -> str:
        """What was being waited for when the time was up."""
        waits = sorted(self._system.waits(), key=lambda wait: -wait.seconds)
        return f"; {waits[0].what} ({waits[0].seconds:.0f} s)" if waits else ""

    def _patience(self, deadline: float | None) -> float:
        if deadline is None:
            return _LOOK_SECONDS
        return max(0.0, min(_LOOK_SECONDS, deadline - time.monotonic()))

    def _beside(self, work: Callable[[], object]) -> None:
        """Do `work` beside the main thread, which alone receives signals and shows what happens.

        A signal handler must never run inside a guest's call: it would unwind through native code.
        """
        problem: list[BaseException] = []

        def attempt() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised again below
                problem.append(error)

        thread = threading.Thread(target=attempt, daemon=True)
        thread.start()
        while thread.is_alive():
            self._drain()
            self._look()
            thread.join(_GLANCE_SECONDS)
        if problem:
            raise problem[0]

    def _drain(self) -> None:
        """Show what has happened until now; it explains a failure."""
        while self._stopped is None and (event := self._events.get(timeout=0)) is not None:
            self._show(event)

    def _look(self) -> None:
        """Every now and then, tell people what is waited for."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            self._view.glance(self._system.waits())

    def _show(self, event: Event) -> None:
        if self._log is not None:
            self._log.see(event)
        if isinstance(event, Stopped):
            self._stopped = event  # shown at the very end, with the reason people are told
        else:
            self._view.show(event)

    def _fail(self, error: Exception) -> None:
        self._reason = str(error)
        self._view.fail(self._reason)

    def _finish(self) -> None:
        """What happened while stopping, the end, and the figures."""
        self._drain()
        self._view.ended(self._reason)
        if self._stats:
            self._view.summary(self._system.summary())
        if self._log is not None:
            self._log.close()


def _attempt(work: Callable[[], object], seconds: float | None) -> bool:
    """Do `work` on a thread; False if it is not done within `seconds`. Trouble is ignored."""

    def attempt() -> None:
        with suppress(Exception):
            work()

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()
