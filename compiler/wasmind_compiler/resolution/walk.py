"""The walk from the config through all manifests: every actor once, cycles and conflicts found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wasmind.records import Record
from wasmind_compiler.diagnostics import Collector, Diagnostic
from wasmind_compiler.diagnostics.rules import graph, sources
from wasmind_compiler.frontend.actor_entry import ActorEntry
from wasmind_compiler.frontend.app_config import AppConfig
from wasmind_compiler.frontend.key_path import KeyPath, dotted
from wasmind_compiler.frontend.manifest import Manifest
from wasmind_compiler.frontend.source import LibrarySource, Source
from wasmind_compiler.resolution import contradictions
from wasmind_compiler.resolution.found import Found, chain
from wasmind_compiler.resolution.layers import deep_merge
from wasmind_compiler.resolution.provider import Identity, SourceProblem, SourceProvider


class Limits(Record):
    """How large a system may become before it is taken for a mistake."""

    actors: int = 100_000
    depth: int = 10_000
    companions: int = 1_000_000


class Walk:
    """Own actors first, in the order written, then dependencies, depth first.

    Attributes:
        found: actors by name.
        named: every declared name, those that could not be loaded included.
        overrides: those in force, by name.
        complete: every manifest could be read.
    """

    def __init__(
        self, config: AppConfig, provider: SourceProvider, collector: Collector, limits: Limits
    ) -> None:
        self._config = config
        self._provider = provider
        self._collector = collector
        self._limits = limits
        self._active: dict[str, Found] = {}
        self._active_sources: dict[Identity, Found] = {}
        self._closing: set[int] = set()
        self.found: dict[str, Found] = {}
        self.named: dict[str, None] = {}
        # Where the section is misspelled or of another kind, nobody knows what is in it.
        self.complete = "actors" not in config.doubtful
        own = {entry.name for entry in config.actors}
        self.overrides = {entry.name: entry for entry in config.overrides if entry.name not in own}

    def run(self) -> None:
        """Walk the whole system."""
        for entry in self._config.actors:
            self._load(entry, None)
        for entry in self._config.actors:
            found = self.found.get(entry.name)
            if found is not None and not found.walked:
                self._descend(found)

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
        known = self.found.get(entry.name)
        if known is None:
            failed_before = entry.name in self.named
            return None if failed_before else self._load(entry, parent)
        if not self._agrees(known, entry, parent):
            return None
        known.declarations.append(entry)
        again = self._active.get(known.name) or self._active_sources.get(known.identity)
        if again is not None:
            self._report_cycle(entry, again)
        elif known.is_own:
            self._collector.add(contradictions.own_actor_coincides(known, entry))
        return None if again is not None or known.walked else known

    def _load(self, entry: ActorEntry, parent: Found | None) -> Found | None:
        self.named[entry.name] = None
        source, declared_in = self._source_in_force(entry, parent)
        if source is None or self._is_unclear(source) or self._is_too_large(entry, parent):
            self.complete = False
            return None
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
            entry=entry,
            source=source,
            identity=identity,
            manifest=manifest,
            parent=parent,
            depth=parent.depth + 1 if parent is not None else 0,
        )
        if not found.is_own:
            found.declarations.append(entry)
        self.found[entry.name] = found
        self.complete = self.complete and manifest.complete
        return found

    def _source_in_force(
        self, entry: ActorEntry, parent: Found | None
    ) -> tuple[Source | None, Identity | None]:
        """The source of an actor, and the actor whose folder its relative paths start at."""
        override = self.overrides.get(entry.name)
        if override is not None and override.has_source:
            return override.source, None
        return entry.source, parent.identity if parent is not None else None

    def _is_unclear(self, source: Source) -> bool:
        """Whether it is not certain which folder is meant, because of keys nobody knows."""
        if isinstance(source, LibrarySource) or self._collector.lenient:
            return False
        return not source.is_clear

    def _is_too_large(self, entry: ActorEntry, parent: Found | None) -> bool:
        limits = self._limits
        if len(self.found) >= limits.actors:
            what = f"the system has more than {limits.actors} actors"
        elif parent is not None and parent.depth >= limits.depth:
            what = f"dependencies are nested more than {limits.depth} deep"
        else:
            return False
        # Once is enough: every further dependency is beyond the limit too.
        if self.complete:
            notes = ("reached by:\n" + chain(parent, entry),) if parent is not None else ()
            self._collector.add(graph.TOO_LARGE.at(entry.header(), what, notes=notes))
        return True

    def _refuse(self, source: Source, problem: SourceProblem | None, parent: Found | None) -> None:
        self.complete = False
        if problem is None:
            return
        notes = () if parent is None else ("needed by:\n" + chain(parent),)
        found = problem.at(source, *notes)
        if problem.escalates:
            self._collector.replace(problem.rule, found)
        else:
            self._collector.add(found)

    def _agrees(self, known: Found, entry: ActorEntry, parent: Found) -> bool:
        """Whether a name that is taken means the same actor here; if not, that is reported."""
        override = self.overrides.get(entry.name)
        if override is None or not override.has_source:
            if entry.source is None:
                return False
            identity = self._provider.identify(entry.source, parent.identity)
            if isinstance(identity, SourceProblem):
                self._refuse(entry.source, identity, parent)
                return False
            if identity != known.identity:
                self._collector.add(self._conflict(known, entry, parent, identity))
                return False
        if not known.is_own:
            self._compare_settings(known, entry, parent)
        return True

    def _conflict(
        self, known: Found, entry: ActorEntry, parent: Found, identity: Identity
    ) -> Diagnostic:
        manifest = self._provider.manifest(identity)
        place = None
        if isinstance(manifest, Manifest):
            place = manifest.document.file.rpartition("/")[0] or "."
        if known.is_own:
            return contradictions.own_actor_clash(known, parent, entry, place)
        return contradictions.conflict(known, parent, entry, place, self._config.document)

    def _compare_settings(self, known: Found, entry: ActorEntry, parent: Found) -> None:
        override, first = self.overrides.get(entry.name), known.declarations[0]
        if "actor_overrides" in self._config.doubtful or not (
            first.is_readable and entry.is_readable
        ):
            return
        upper = (override.config if override is not None else None) or {}
        one, two = (deep_merge(each.config or {}, upper) for each in (first, entry))
        differing: list[KeyPath] = [("config", *path) for path in _differences(one, two)]
        decided = override is not None and override.auto_spawn is not None
        if not decided and bool(first.auto_spawn) != bool(entry.auto_spawn):
            differing.append(("auto_spawn",))
        if differing:
            self._collector.add(
                contradictions.conflicting_settings(known, parent, entry, differing)
            )

    def _report_cycle(self, closing: ActorEntry, again: Found) -> None:
        # One manifest under two names would close the same cycle twice.
        if id(closing) in self._closing:
            return
        self._closing.add(id(closing))
        active = list(self._active.values())
        loop = active[active.index(again) :]
        self._collector.add(contradictions.cycle(loop, closing))

    def _report_ignored_list(self, entry: ActorEntry) -> None:
        if entry.required_spawn_with is not None:
            message = f"`required_spawn_with` has no effect in `{dotted(entry.path)}`"
            span = entry.key("required_spawn_with")
            help_line = f"list them in the manifest of `{entry.name}`"
            self._collector.add(sources.REQUIRED_LIST_IGNORED.at(span, message, help=help_line))


def _differences(one: dict[str, Any], two: dict[str, Any]) -> Sequence[KeyPath]:
    """Paths of the settings that differ, in order."""
    found: list[KeyPath] = []
    for key in sorted(one.keys() | two.keys()):
        left, right = one.get(key), two.get(key)
        if isinstance(left, dict) and isinstance(right, dict):
            found += [(key, *inner) for inner in _differences(left, right)]
        elif left != right:
            found.append((key,))
    return found
