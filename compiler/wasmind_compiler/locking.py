"""The lockfile in the course of a run: read before resolution, compared and written after it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from wasmind_compiler.atomic import replace_file
from wasmind_compiler.diagnostics import Collector, Label, Severity, Span
from wasmind_compiler.diagnostics.rules import locking
from wasmind_compiler.diagnostics.suggestions import advice
from wasmind_compiler.display import Display
from wasmind_compiler.errors import CompilerFailure
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.schemas import Schemas
from wasmind_compiler.reporter import Reporter
from wasmind_compiler.resolution.lock_reading import LoadedLock, load_lock
from wasmind_compiler.resolution.lockfile import VERSION, Lock, lock_path, render_lock
from wasmind_compiler.resolution.pins import Pins, read_pins
from wasmind_compiler.resolution.policy import LockPolicy, Widening

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasmind_compiler.analysis.system import LinkedActor, System
    from wasmind_compiler.consent import Consent
    from wasmind_compiler.resolution.lock_changes import Change

_VERBS: Final = {"added": "Adding", "removed": "Removing", "changed": "Updating"}


class Locking:
    """The lockfile of one config.

    Args:
        config: the config's file.
        policy: what may be done with the lockfile.
        display: names of files for people.
        schemas: for the form of the lockfile.
        collector: takes what is wrong with it.
        reporter: hears what changes.
        state: the user's folder for what was accepted; None to remember nothing.
    """

    def __init__(
        self,
        config: Path,
        policy: LockPolicy,
        *,
        display: Display,
        schemas: Schemas,
        collector: Collector,
        reporter: Reporter,
        state: Path | None = None,
    ) -> None:
        self._state = state
        self._config = config
        self._path = lock_path(config)
        self._policy = policy
        self._display = display
        self._schemas = schemas
        self._collector = collector
        self._reporter = reporter
        self._loaded: LoadedLock | None = None

    def pins(self, document: Document) -> Pins | None:
        """What resolution has to keep to; None if the lockfile stands in the way of going on.

        Args:
            document: the config, which a missing lockfile is reported at.
        """
        shown = self._display(self._path)
        before = len(self._collector.diagnostics())
        self._loaded = load_lock(
            self._path, shown, self._config.name, self._schemas, self._collector
        )
        if self._loaded is not None:
            return self._read_pins(self._loaded)
        if len(self._collector.diagnostics()) > before:
            return None
        if self._policy.locked:
            message = f"the lockfile `{shown}` does not exist"
            self._collector.add(
                locking.LOCK_MISSING.at(document.whole(), message, help=self.advice())
            )
            return None
        self._refuse_unknown_names(frozenset(), document.whole())
        return Pins()

    def finish(self, system: System, lock: Lock, *, write: bool) -> bool:
        """Compare the lockfile with what it should be, and write it unless that is forbidden.

        Args:
            system: what the config resolved to.
            lock: what the lockfile should say.
            write: bring it up to date; a locked run reports differences instead.

        Returns:
            Whether it differed.

        Raises:
            CompilerFailure: it cannot be written.
        """
        text, loaded = render_lock(lock), self._loaded
        # Git may be set to check text files out with the line ends of Windows.
        if loaded is not None and loaded.content.replace(b"\r\n", b"\n") == text.encode():
            if write:
                self._remember(text)
            return False
        if self._policy.locked:
            self._report_stale(system, lock)
        elif write and self._may_widen(system, lock):
            self._announce(lock)
            self._write(text)
            self._remember(text)
        return True

    def _consent(self) -> Consent | None:
        from wasmind_compiler.consent import Consent  # not needed to check

        return None if self._state is None else Consent(self._state, self._config, self._schemas)

    def _remember(self, text: str) -> None:
        if consent := self._consent():
            consent.keep(text)

    def interpreter(self, present: Callable[[], str], *, renew: bool) -> str | None:
        """The interpreter's digest that the lockfile should record: what it does, if it does.

        Args:
            present: tells this machine's, and may take long where it has none yet.
            renew: record this machine's in any case.
        """
        recorded = None if self._loaded is None else self._loaded.lock.interpreter
        return present() if renew or recorded is None else recorded

    def compare_interpreter(self, present: str | None) -> None:
        """Note that this machine's interpreter is another one than the recorded one.

        Args:
            present: its digest; None if there is none yet, or no actor needs it.
        """
        recorded = None if self._loaded is None else self._loaded.lock.interpreter
        if self._loaded is None or None in (present, recorded) or present == recorded:
            return
        self._collector.add(
            locking.LOCK_INTERPRETER.at(
                self._loaded.document.value(("interpreter",)),
                "this Wasmind has another Python interpreter than the lockfile records",
                notes=(
                    f"here: sha256:{present}\nthe same system becomes a bundle with other bytes",
                ),
                help=f"install the release that wrote the lockfile, or {self.advice()}",
            )
        )

    def _read_pins(self, loaded: LoadedLock) -> Pins:
        document, policy = loaded.document, self._policy
        version = document.data.get("version")
        if version != VERSION and not policy.locked:
            message = f"the lockfile has the older format {version}"
            span = document.value(("version",))
            help_line = "`wasmind lock` rewrites it"
            self._collector.add(locking.LOCK_OLDER.at(span, message, help=help_line))
        self._refuse_unknown_names(
            frozenset(actor.name for actor in loaded.lock.actors), document.whole()
        )
        return read_pins(loaded.lock, document, policy.upgrade, upgrade_all=policy.upgrade_all)

    def _refuse_unknown_names(self, known: frozenset[str], span: Span) -> None:
        for name in sorted(self._policy.upgrade - known):
            message = f"`--upgrade {name}`: the lockfile has no actor `{name}`"
            help_line = advice(name, known, "actors")
            self._collector.add(locking.LOCK_STALE.at(span, message, help=help_line))

    def advice(self) -> str:
        """What brings the lockfile up to date."""
        import shlex

        return f"run `wasmind lock {shlex.quote(self._display(self._config))}`"

    def _report_stale(self, system: System, lock: Lock) -> None:
        """Every difference at the source it comes from, or at the lock entry without use."""
        # Not needed where the lockfile is current, as in the other places that import it.
        from wasmind_compiler.resolution.lock_changes import changes

        loaded, shown = self._loaded, self._display(self._path)
        if loaded is None:
            return
        found = list(changes(loaded.lock, lock))
        for change in found:
            span, labels = self._places(change, system, loaded.document)
            if change.kind == "removed":
                message = f"nothing uses the lock entry `{change.subject}`"
                self._collector.add(locking.LOCK_ORPHAN.at(span, message, help=self.advice()))
                continue
            what = "is not in" if change.kind == "added" else "differs from"
            notes = ("\n".join(change.facts),) if change.facts else ()
            message = f"the lockfile `{shown}` is stale: `{change.subject}` {what} it"
            self._collector.add(
                locking.LOCK_STALE.at(span, message, labels=labels, notes=notes, help=self.advice())
            )
        if not found:
            message = f"the lockfile `{shown}` is stale: its text is not what would be written"
            span = loaded.document.whole()
            self._collector.add(locking.LOCK_STALE.at(span, message, help=self.advice()))

    def _places(
        self, change: Change, system: System, document: Document
    ) -> tuple[Span, tuple[Label, ...]]:
        """Where a change is written, and the lock entry if there is one."""
        entry = None if change.index is None else document.header((change.table, change.index))
        actor = system.actors.get(change.subject)
        if actor is None or change.table == "git":
            return entry or document.whole(), ()
        labels = () if entry is None else (Label(entry, "locked here"),)
        return actor.resolved.source.span(), labels

    def _may_widen(self, system: System, lock: Lock) -> bool:
        from wasmind_compiler.resolution.lock_changes import widenings

        old = self._loaded or self._accepted()
        granted = {
            name
            for name, actor in system.actors.items()
            for entry in actor.resolved.entries
            if entry.grants is not None and entry.section != "dependencies"
        }
        if old is None:
            return True
        found = list(widenings(old.lock, lock, granted))
        # Whoever removed the lockfile may have changed the actors as well.
        lost = self._loaded is None
        foreign = [each for each in found if lost or not self._is_own(system.actors[each.actor])]
        if foreign and not self._policy.accept_capabilities(foreign):
            for widening in foreign:
                self._report_widening(widening, system, old)
            return False
        for widening in found:
            if widening not in foreign:
                self._report_widening(widening, system, old, own=True)
        return True

    def _accepted(self) -> LoadedLock | None:
        consent = self._consent()
        return consent.read() if consent else None

    def _is_own(self, actor: LinkedActor) -> bool:
        """Whether an actor lies below the config: who writes the one writes the other."""
        identity = actor.resolved.identity
        folder = self._config.parent.resolve()
        return identity.kind == "path" and Path(identity.key).is_relative_to(folder)

    def _report_widening(
        self, widening: Widening, system: System, old: LoadedLock, *, own: bool = False
    ) -> None:
        names = [actor.name for actor in old.lock.actors]
        labels: tuple[Label, ...] = ()
        had = "was not there"
        if widening.actor in names:
            had = ", ".join(widening.had) or "none"
            path = ("actor", names.index(widening.actor), "capabilities")
            if self._loaded is not None:
                labels = (Label(old.document.value(path), "locked with these"),)
        gains = " and ".join(f"`{name}`" for name in widening.gains)
        advice = "narrow it with `grants` if that is too much"
        if not own:
            advice = "confirm with `--accept-capabilities`, or narrow it with `grants`"
        found = locking.CAPABILITIES_WIDEN.at(
            system.actors[widening.actor].resolved.source.span(),
            f"`{widening.actor}` gains {gains}",
            labels=labels,
            notes=(f"had: {had}",) if self._loaded else (f"had: {had}", self._lost()),
            help=advice,
        )
        self._collector.add(found._replace(severity=Severity.NOTE) if own else found)

    def _lost(self) -> str:
        shown = self._display(self._path)
        return f"`{shown}` is missing; this is compared with what was accepted when it was there"

    def _announce(self, lock: Lock) -> None:
        """Say what becomes of an existing lockfile; moved refs have been announced already."""
        from wasmind_compiler.resolution.lock_changes import changes

        if self._loaded is None:
            return
        for change in changes(self._loaded.lock, lock):
            if change.table == "actor":
                self._reporter.status(_VERBS[change.kind], change.subject)
        if self._loaded.lock.interpreter not in (None, lock.interpreter):
            self._reporter.status("Recording", "another Python interpreter")

    def _write(self, text: str) -> None:
        """Replace the file at once: readers see the old or the new text. A link stays one."""
        path = self._path.resolve()
        try:
            replace_file(path, text.encode())
        except OSError as error:
            raise CompilerFailure(
                f"cannot write the lockfile `{self._display(self._path)}`: {error.strerror}"
            ) from error
