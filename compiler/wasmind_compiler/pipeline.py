"""The compiler's public face: one function for each thing the command line can ask of it.

All problems of a run are collected, and nothing stops at the first. What is wrong with the input is
in the report; what is wrong with the machine is raised as `CompilerFailure`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from wasmind_compiler.analysis.system import System, link
from wasmind_compiler.build.builder import Builder
from wasmind_compiler.build.python import InterpreterRecipe, PythonBuilder, PythonGuest
from wasmind_compiler.diagnostics import Collector, Diagnostic, Severity, TextIndex
from wasmind_compiler.diagnostics.rules import files, locking
from wasmind_compiler.display import Display
from wasmind_compiler.errors import CompilerFailure
from wasmind_compiler.frontend.app_config import AppConfig, read_app_config
from wasmind_compiler.frontend.document import parse
from wasmind_compiler.frontend.limits import read_bounded
from wasmind_compiler.frontend.schemas import Schemas
from wasmind_compiler.frontend.scripts import read_scripts
from wasmind_compiler.reporter import Reporter
from wasmind_compiler.resolution.resolver import resolve
from wasmind_compiler.resolution.sources import LocalSources

if TYPE_CHECKING:
    from wasmind_compiler.emit.bundle import WrittenBundle
    from wasmind_compiler.resolution.lockfile import LockState

#: How keys of well-known providers begin; see `diagnostics.masking`.
SECRET_BEGINNINGS: Final = (
    *("sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "AKIA", "AIza"),
    *("xox", "hf_", "gsk_", "r8_", "eyJ"),
)
DrawingFormat = Literal["svg", "dot", "json", "mermaid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the compiler needs from outside.

    Attributes:
        cache: the user's cache folder.
        schemas: folder of the JSON Schemas.
        wit: folder of the WIT packages.
        library: folder of the actors shipped with Wasmind.
        working_directory: what names of files are shown relative to.
        interpreter: the interpreter component.
        guest: starts the interpreter; called only when an actor is not in the cache.
        reporter: hears about work that takes a while.
        variables: the process's environment, for references in configs.
    """

    cache: Path
    schemas: Path
    wit: Path
    library: Path
    working_directory: Path
    interpreter: InterpreterRecipe
    guest: Callable[[], PythonGuest]
    reporter: Reporter
    variables: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The problems of a run, in the order to show them, and the texts for the excerpts."""

    diagnostics: tuple[Diagnostic, ...]
    texts: Mapping[str, TextIndex]

    @property
    def failed(self) -> bool:
        """Whether there is an error."""
        return any(found.severity is Severity.ERROR for found in self.diagnostics)

    def strict(self) -> Report:
        """The same with warnings as errors."""
        return Report(
            diagnostics=tuple(
                replace(found, severity=Severity.ERROR)
                if found.severity is Severity.WARNING
                else found
                for found in self.diagnostics
            ),
            texts=self.texts,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOutcome:
    """What `lock` did. `path` is None if the config has errors; `changed` says whether the lockfile
    differed."""

    report: Report
    path: Path | None = None
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleOutcome:
    """What `bundle` did. `bundle` is None if there were errors."""

    report: Report
    bundle: WrittenBundle | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawingOutcome:
    """What `graph` did. `text` is None if there were errors."""

    report: Report
    text: str | None = None


def check(
    config: Path, environment: Environment, *, strict: bool = False, lenient: bool = False
) -> Report:
    """Find every problem of a config.

    Args:
        config: the config.
        environment: the surroundings.
        strict: warnings are errors.
        lenient: keys nobody knows are warnings.

    Raises:
        CompilerFailure: an actor has to be built and this machine cannot.
    """
    run = _Run(config, environment, lenient=lenient)
    run.system()
    report = run.report()
    return report.strict() if strict else report


def lock(config: Path, environment: Environment, *, dry_run: bool = False) -> LockOutcome:
    """Write the lockfile beside a config, unless it says the same already.

    Args:
        config: the config.
        environment: the surroundings.
        dry_run: write nothing, and report a stale or missing lockfile as an error.

    Raises:
        CompilerFailure: the lockfile cannot be written, or an actor cannot be built here.
    """
    run = _Run(config, environment)
    system = run.system()
    if system is None or run.collector.failed:
        return LockOutcome(report=run.report())
    from wasmind_compiler.resolution.lockfile import lock_path

    changed = run.update_lock(run.lock_text(system), dry_run=dry_run)
    return LockOutcome(report=run.report(), path=lock_path(config), changed=changed)


def bundle(config: Path, output: Path, environment: Environment) -> BundleOutcome:
    """Link a config into a bundle folder, and bring its lockfile up to date.

    Raises:
        NotABundleError: something else is at `output`.
        CompilerFailure: bundle or lockfile cannot be written, or an actor cannot be built here.
    """
    return _bundle(config, environment, lambda _key: output, keep=False)


def bundle_into_cache(config: Path, environment: Environment) -> BundleOutcome:
    """Link a config into the cache, where an unchanged system is found again.

    Raises:
        CompilerFailure: see `bundle`.
    """
    bundles = environment.cache / "bundles"
    return _bundle(config, environment, lambda key: bundles / key, keep=True)


def graph(config: Path, environment: Environment, form: DrawingFormat) -> DrawingOutcome:
    """Draw the agents of a config.

    Raises:
        CompilerFailure: the drawing cannot be made, or an actor cannot be built here.
    """
    run = _Run(config, environment)
    system = run.system()
    if system is None or run.collector.failed:
        return DrawingOutcome(report=run.report())
    return DrawingOutcome(report=run.report(), text=_draw(system, form))


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyOutcome:
    """What `why` found out. `system` is None if the config could not be read."""

    report: Report
    system: System | None


def why(config: Path, environment: Environment) -> WhyOutcome:
    """The linked system, for questions about it; a config with errors is answered for as well.

    Raises:
        CompilerFailure: an actor has to be built and this machine cannot.
    """
    run = _Run(config, environment)
    system = run.system()
    return WhyOutcome(report=run.report(), system=system)


def _draw(system: System, form: DrawingFormat) -> str:
    from wasmind_compiler.emit import drawing
    from wasmind_compiler.emit.topology import make_topology

    topology = make_topology(system)
    if form == "json":
        return drawing.to_json(topology)
    if form == "mermaid":
        return drawing.to_mermaid(topology)
    dot = drawing.to_dot(topology)
    if form == "dot":
        return dot
    from wasmind_compiler.emit.svg import draw

    return draw(dot)


def _bundle(
    config: Path, environment: Environment, place: Callable[[str], Path], *, keep: bool
) -> BundleOutcome:
    from wasmind_compiler.emit.bundle import (
        existing_bundle,
        load_interpreter,
        system_key,
        write_bundle,
    )
    from wasmind_compiler.emit.plan import needs_interpreter

    run = _Run(config, environment)
    system = run.system()
    if system is None or run.collector.failed:
        return BundleOutcome(report=run.report())
    text = run.lock_text(system)
    run.update_lock(text, dry_run=False)
    report = run.report()
    if report.failed:
        return BundleOutcome(report=report)
    interpreter = None
    if needs_interpreter(system):
        interpreter = load_interpreter(environment.interpreter.path())
    output = place(system_key(system, text, interpreter))
    written = existing_bundle(output) if keep else None
    if written is None:
        environment.reporter.status("Bundling", system.name)
        written = write_bundle(system, text, interpreter, output)
    return BundleOutcome(report=report, bundle=written)


def _check_models(config: AppConfig, variables: Mapping[str, str], collector: Collector) -> None:
    text = config.document.index.text
    suspicious = any(beginning in text for beginning in SECRET_BEGINNINGS)
    if config.proxied_models or suspicious:
        # Loaded only for configs with a proxy or with what may be a secret.
        from wasmind_compiler.analysis import proxy_findings

        collector.extend(proxy_findings.explain(config, variables))
        collector.extend(proxy_findings.secrets(config))


def _write_aside(path: Path, text: str) -> None:
    """Replace a file at once: readers see the old or the new text."""
    aside = path.with_name(f".{path.name}.new")
    aside.write_text(text, encoding="utf-8", newline="\n")
    aside.replace(path)


class _Run:
    """One run over one config: reads, resolves, builds and links, collecting problems."""

    def __init__(self, config: Path, environment: Environment, *, lenient: bool = False) -> None:
        self._config = environment.working_directory / config
        self._environment = environment
        self._display = Display(environment.working_directory)
        self.collector = Collector(lenient=lenient)

    def report(self) -> Report:
        """What was found so far."""
        return Report(diagnostics=self.collector.diagnostics(), texts=self.collector.texts)

    def system(self) -> System | None:
        """The linked system; None if there is no config to speak of."""
        environment, collector = self._environment, self.collector
        shown = self._display(self._config)
        try:
            content = read_bounded(self._config)
        except OSError as error:
            message = f"cannot read `{shown}`: {error.strerror}"
            collector.add(files.UNREADABLE.at(None, message))
            return None
        document = parse(shown, content, collector)
        if document is None:
            return None
        schemas, folder = Schemas(environment.schemas), self._config.parent
        config = read_app_config(document, schemas, collector)
        _check_models(config, environment.variables, collector)
        scripts = read_scripts(config, folder, schemas, self._display, collector)
        sources = LocalSources(folder, environment.library, schemas, self._display, collector)
        resolution = resolve(config, sources, collector)
        builder = self._builder()
        artifacts = {}
        for name, actor in resolution.actors.items():
            artifact = builder.build(actor, sources.folder(actor.identity))
            if artifact is not None:
                artifacts[name] = artifact
        return link(resolution, artifacts, scripts, collector)

    def lock_text(self, system: System) -> str:
        """The lockfile of the system."""
        from wasmind_compiler.emit.lock import lock_text

        return lock_text(system, self._config.parent)

    def update_lock(self, text: str, *, dry_run: bool) -> bool:
        """Bring the lockfile up to date, or report that it is not.

        A lockfile of a newer format is reported and never touched.

        Returns:
            Whether it differed.
        """
        from wasmind_compiler.resolution.lockfile import LockState, lock_path, lock_state

        path = lock_path(self._config)
        shown = self._display(path)
        try:
            state = lock_state(path, text)
            if state is LockState.NEWER:
                message = f"the lockfile `{shown}` was written by a newer Wasmind"
                self.collector.add(locking.LOCK_NEWER.at(None, message, help="update Wasmind"))
            elif dry_run:
                self._report_lock(state, shown)
            elif state is not LockState.CURRENT:
                _write_aside(path, text)
        except OSError as error:
            raise CompilerFailure(
                f"cannot update the lockfile `{shown}`: {error.strerror}"
            ) from error
        return state is not LockState.CURRENT

    def _report_lock(self, state: LockState, shown: str) -> None:
        from wasmind_compiler.resolution.lockfile import LockState

        advice = f"run `wasmind lock {self._display(self._config)}`"
        if state is LockState.MISSING:
            message = f"the lockfile `{shown}` does not exist"
            self.collector.add(locking.LOCK_MISSING.at(None, message, help=advice))
        elif state is LockState.STALE:
            message = f"the lockfile `{shown}` is stale"
            self.collector.add(locking.LOCK_STALE.at(None, message, help=advice))

    def _builder(self) -> Builder:
        environment = self._environment
        python = PythonBuilder(
            environment.cache / "actors",
            environment.interpreter,
            environment.guest,
            environment.reporter,
        )
        return Builder(python, self._offered, self._display, self.collector)

    def _offered(self) -> Iterable[str]:
        from wasmind_compiler.analysis.wit import offered_interfaces

        return [interface.name for interface in offered_interfaces(self._environment.wit)]
