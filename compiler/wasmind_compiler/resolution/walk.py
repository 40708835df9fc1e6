"""The walk from the config through all manifests: every actor once, cycles and conflicts found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from wasmind_compiler.diagnostics import Collector, Label, Rule
from wasmind_compiler.diagnostics.rules import names, sources
from wasmind_compiler.diagnostics.suggestions import advice
from wasmind_compiler.frontend.actor_entry import ActorEntry
from wasmind_compiler.frontend.app_config import AppConfig
from wasmind_compiler.frontend.manifest import Manifest
from wasmind_compiler.frontend.source import Source
from wasmind_compiler.resolution.provider import Identity, SourceProblem, SourceProvider


@dataclass(slots=True, kw_only=True)
class Found:
    """An actor the walk has reached.

    Attributes:
        entry: the table it was reached by.
        source: the one in force: the entry's, or its override's.
        parent: the actor whose manifest led here.
        declarations: the tables of manifests that declare it, as far as met.
    """

    entry: ActorEntry
    source: Source
    identity: Identity
    manifest: Manifest
    parent: Found | None
    declarations: list[ActorEntry] = field(default_factory=list)
    walked: bool = False

    @property
    def name(self) -> str:
        """Logical name."""
        return self.entry.name

    @property
    def is_own(self) -> bool:
        """Whether the config defines it."""
        return self.entry.section == "actors"


class Walk:
    """Own actors first, in the order written, then dependencies, depth first.

    Attributes:
        found: actors by name.
        named: every declared name, those that could not be loaded included.
        overrides: those in force, by name.
        complete: every manifest could be read.
    """

    def __init__(self, config: AppConfig, provider: SourceProvider, collector: Collector) -> None:
        self._config = config
        self._provider = provider
        self._collector = collector
        self._active: dict[str, Found] = {}
        self._active_sources: dict[Identity, Found] = {}
        self.found: dict[str, Found] = {}
        self.named: dict[str, None] = {}
        self.complete = True
        own = {entry.name: entry for entry in config.actors}
        self._report_overridden_actors(own)
        self.overrides = {entry.name: entry for entry in config.overrides if entry.name not in own}

    def run(self) -> None:
        """Walk the whole system."""
        for entry in self._config.actors:
            self._load(entry, None)
        for entry in self._config.actors:
            found = self.found.get(entry.name)
            if found is not None and not found.walked:
                self._descend(found)
        self._report_overrides_of_nothing()

    def _descend(self, start: Found) -> None:
        path: list[Iterator[ActorEntry]] = [self._enter(start)]
        while path:
            entry = next(path[-1], None)
            if entry is None:
                path.pop()
                self._leave()
            elif (child := self._dependency(entry)) is not None:
                path.append(self._enter(child))

    def _enter(self, found: Found) -> Iterator[ActorEntry]:
        found.walked = True
        self._active[found.name] = found
        self._active_sources.setdefault(found.identity, found)
        return iter(found.manifest.dependencies)

    def _leave(self) -> None:
        _, found = self._active.popitem()
        if self._active_sources.get(found.identity) is found:
            del self._active_sources[found.identity]

    def _dependency(self, entry: ActorEntry) -> Found | None:
        """One dependency of the innermost active actor; returns what is to be walked next."""
        parent = next(reversed(self._active.values()))
        self._report_ignored_list(entry)
        if entry.name in self._active:
            self._report_cycle(entry, self._active[entry.name])
            return None
        known = self.found.get(entry.name)
        if known is None:
            failed_before = entry.name in self.named
            return None if failed_before else self._load(entry, parent)
        self._meet_again(known, entry, parent)
        known.declarations.append(entry)
        return None if known.walked else known

    def _load(self, entry: ActorEntry, parent: Found | None) -> Found | None:
        self.named[entry.name] = None
        override = self.overrides.get(entry.name)
        replaced = override is not None and override.has_source
        source = override.source if override is not None and replaced else entry.source
        if source is None:
            self.complete = False
            return None
        declared_in = None if replaced or parent is None else parent.identity
        identity = self._provider.identify(source, declared_in)
        if isinstance(identity, SourceProblem):
            self._refuse(source, identity, parent)
            return None
        if identity in self._active_sources:
            self._report_cycle(entry, self._active_sources[identity])
            return None
        manifest = self._provider.manifest(identity)
        if manifest is None or isinstance(manifest, SourceProblem):
            self._refuse(source, manifest, parent)
            return None
        found = Found(
            entry=entry, source=source, identity=identity, manifest=manifest, parent=parent
        )
        if not found.is_own:
            found.declarations.append(entry)
        self.found[entry.name] = found
        return found

    def _refuse(self, source: Source, problem: SourceProblem | None, parent: Found | None) -> None:
        self.complete = False
        if problem is None:
            return
        notes = () if parent is None else ("needed by:\n" + chain(parent),)
        self._collector.add(problem.at(source, *notes))

    def _meet_again(self, known: Found, entry: ActorEntry, parent: Found) -> None:
        """A name that is taken: fine if both mean the same actor with the same settings."""
        override = self.overrides.get(entry.name)
        if entry.source is None or (override is not None and override.has_source):
            return
        identity = self._provider.identify(entry.source, parent.identity)
        if isinstance(identity, SourceProblem):
            self._refuse(entry.source, identity, parent)
        elif identity != known.identity:
            self._report_conflict(known, entry, parent)
        elif known.is_own:
            self._report_coincidence(known, entry)
        else:
            self._compare_settings(known, entry, parent)

    def _compare_settings(self, known: Found, entry: ActorEntry, parent: Found) -> None:
        override = self.overrides.get(entry.name)
        first = known.declarations[0]
        for key in ("config", "auto_spawn"):
            settled = override is not None and getattr(override, key) is not None
            if not settled and getattr(first, key) != getattr(entry, key):
                message = f"`{entry.name}` is shared, but with different `{key}`"
                self._report_pair(
                    sources.CONFLICTING_SETTINGS,
                    message,
                    (known, first),
                    (parent, entry),
                    f"decide with `[actor_overrides.{entry.name}]`",
                )

    def _report_conflict(self, known: Found, entry: ActorEntry, parent: Found) -> None:
        if known.is_own:
            rule = sources.OWN_ACTOR_CLASH
            message = f"own actor `{entry.name}` clashes with a dependency of `{parent.name}`"
            help_line = f"rename it, or use `[actor_overrides.{entry.name}]` to replace the source"
        else:
            rule = sources.CONFLICTING_SOURCES
            message = f"`{entry.name}` means two actors: {known.source} and {entry.source}"
            help_line = f"decide with `[actor_overrides.{entry.name}]`, or rename one of them"
        self._report_pair(rule, message, (known, known.entry), (parent, entry), help_line)

    def _report_pair(
        self,
        rule: Rule,
        message: str,
        first: tuple[Found, ActorEntry],
        second: tuple[Found, ActorEntry],
        help_line: str,
    ) -> None:
        """A contradiction between two tables, with both ways that lead there."""
        (known, earlier), (parent, later) = first, second
        notes = ("first reached by:\n" + chain(known), "then by:\n" + chain(parent, later))
        labels = (Label(earlier.header(), "first declared here"),)
        self._collector.add(
            rule.at(later.header(), message, labels=labels, notes=notes, help=help_line)
        )

    def _report_coincidence(self, known: Found, entry: ActorEntry) -> None:
        self._collector.add(
            sources.OWN_ACTOR_COINCIDES.at(
                known.entry.header(),
                f"own actor `{entry.name}` is also a dependency with the same source",
                labels=(Label(entry.header(), "declared here"),),
                help=f"use `[actor_overrides.{entry.name}]` to change its settings",
            )
        )

    def _report_cycle(self, closing: ActorEntry, again: Found) -> None:
        active = list(self._active.values())
        loop = active[active.index(again) :]
        steps = [found.name for found in loop] + [closing.name]
        labels = tuple(
            Label(found.entry.header(), f"{number}: `{found.name}`")
            for number, found in enumerate(loop, 1)
        )
        notes = ["entered through:\n" + chain(again)]
        if closing.name != again.name:
            notes.append(f"`{closing.name}` has the same source as `{again.name}`")
        self._collector.add(
            sources.CYCLE.at(
                closing.header(),
                "dependency cycle: " + " → ".join(f"`{step}`" for step in steps),
                label="closes the cycle",
                labels=labels,
                notes=tuple(notes),
                help="remove one of these dependencies",
            )
        )

    def _report_ignored_list(self, entry: ActorEntry) -> None:
        if entry.required_spawn_with is not None:
            message = f"`required_spawn_with` has no effect in `[dependencies.{entry.name}]`"
            span = entry.key("required_spawn_with")
            help_line = f"list them in the manifest of `{entry.name}`"
            self._collector.add(sources.REQUIRED_LIST_IGNORED.at(span, message, help=help_line))

    def _report_overridden_actors(self, own: dict[str, ActorEntry]) -> None:
        for entry in self._config.overrides:
            if entry.name in own:
                message = f"`{entry.name}` is an own actor and cannot be overridden"
                labels = (Label(own[entry.name].header(), "defined here"),)
                help_line = f"change `[actors.{entry.name}]` itself"
                self._collector.add(
                    names.ACTOR_AND_OVERRIDE.at(
                        entry.header(), message, labels=labels, help=help_line
                    )
                )

    def _report_overrides_of_nothing(self) -> None:
        # A manifest that could not be read may declare anything.
        if not self.complete:
            return
        known = [name for name, found in self.found.items() if not found.is_own]
        for name, entry in self.overrides.items():
            if name not in self.named:
                message = f"no manifest declares a dependency called `{name}`"
                help_line = advice(name, known, "dependencies")
                self._collector.add(
                    names.OVERRIDE_OF_NOTHING.at(entry.header(), message, help=help_line)
                )


def chain(found: Found, last: ActorEntry | None = None) -> str:
    """The way from an own actor to this one, a line for each step with its place."""
    steps = [last] if last is not None else []
    step: Found | None = found
    while step is not None:
        steps.append(step.entry)
        step = step.parent
    lines = []
    for number, entry in enumerate(reversed(steps)):
        span = entry.header()
        arrow = "→ " if number else "  "
        lines.append(f"{arrow}{entry.name} ({span.file}:{span.start.line})")
    return "\n".join(lines)
