"""The compiler's public face: one function for each thing the command line can ask of it.

All problems of a run are collected, and nothing stops at the first. What is wrong with the input is
in the report; what is wrong with the machine is raised as `CompilerFailure`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from wasmind.last_use import mark_used
from wasmind.records import Record
from wasmind_compiler.diagnostics import Collector, Diagnostic, Severity, TextIndex
from wasmind_compiler.diagnostics.rules import files
from wasmind_compiler.display import Display
from wasmind_compiler.errors import CompilerFailure
from wasmind_compiler.frontend.app_config import AppConfig, read_app_config
from wasmind_compiler.frontend.document import Document, parse
from wasmind_compiler.frontend.limits import read_bounded
from wasmind_compiler.frontend.manifest import FILE_NAME
from wasmind_compiler.frontend.schemas import Schemas
from wasmind_compiler.frontend.scripts import read_scripts
from wasmind_compiler.frontend.source import GitSource
from wasmind_compiler.locking import Locking
from wasmind_compiler.reporter import Reporter
from wasmind_compiler.resolution.git.limits import GitLimits
from wasmind_compiler.resolution.lockfile import Lock, lock_path, render_lock
from wasmind_compiler.resolution.pins import Pins
from wasmind_compiler.resolution.policy import LockPolicy
from wasmind_compiler.resolution.sources import Sources

if TYPE_CHECKING:
    from wasmind.plan import Budget, Model, RunPlan
    from wasmind_compiler.analysis.system import System
    from wasmind_compiler.build.builder import Builder
    from wasmind_compiler.build.python import InterpreterRecipe, PythonGuest
    from wasmind_compiler.emit.bundle import WrittenBundle
    from wasmind_compiler.frontend.cassettes import Cassettes
    from wasmind_compiler.resolution.git_sources import GitSources

#: How keys of well-known providers begin; see `diagnostics.masking`.
SECRET_BEGINNINGS: Final = (
    *("sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "AKIA", "AIza"),
    *("xox", "hf_", "gsk_", "r8_", "eyJ"),
)
#: What is loaded while repositories are fetched, in the order in which it is needed.
_LATER: Final = (
    *("resolution.resolver", "resolution.git.checkout"),
    *("build.builder", "analysis.interfaces", "analysis.system", "emit.lock"),
)
DrawingFormat = Literal["svg", "dot", "json", "mermaid"]


class Environment(Record):
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
        git_limits: what git sources may cost.
        variables: the process's environment, for references in configs.
        models_given: models come from elsewhere than the config, so that any name may be one.
        state: the user's folder for what was accepted; None to remember nothing.
    """

    cache: Path
    schemas: Path
    wit: Path
    library: Path
    working_directory: Path
    interpreter: InterpreterRecipe
    guest: Callable[[], PythonGuest]
    reporter: Reporter
    git_limits: GitLimits = GitLimits()
    variables: Mapping[str, str] = os.environ
    models_given: bool = False
    state: Path | None = None


class Report(Record):
    """The problems of a run, in the order to show them, and the texts for the excerpts."""

    diagnostics: tuple[Diagnostic, ...]
    texts: Mapping[str, TextIndex]

    @property
    def failed(self) -> bool:
        """Whether there is an error."""
        return any(found.severity is Severity.ERROR for found in self.diagnostics)

    def urgent(self) -> Report:
        """The same without notes, for whoever wants something else than to be told of them."""
        kept = (found for found in self.diagnostics if found.severity is not Severity.NOTE)
        return self._replace(diagnostics=tuple(kept))

    def strict(self) -> Report:
        """The same with warnings as errors."""
        return Report(
            diagnostics=tuple(
                found._replace(severity=Severity.ERROR)
                if found.severity is Severity.WARNING
                else found
                for found in self.diagnostics
            ),
            texts=self.texts,
        )


class LockOutcome(Record):
    """What `lock` did. `path` is None if the config has errors; `changed` says whether the lockfile
    differed."""

    report: Report
    path: Path | None = None
    changed: bool = False


class BundleOutcome(Record):
    """What `bundle` did. `bundle` is None if there were errors.

    `sources` are the files and folders it was made from: config, lockfile, folders of actors.
    """

    report: Report
    bundle: WrittenBundle | None = None
    sources: tuple[Path, ...] = ()


class ModelsOutcome(Record):
    """Models and a budget; None and nothing if the report has errors."""

    report: Report
    models: tuple[Model, ...] | None = None
    budget: Budget | None = None


class OutlineOutcome(Record):
    """What a bundle would do. `plan` is None if there were errors."""

    report: Report
    plan: RunPlan | None = None


class DrawingOutcome(Record):
    """What `graph` did. `text` is None if there were errors."""

    report: Report
    text: str | None = None


#: No mode was asked for: the lockfile is kept to, and brought up to date by what writes it.
DEFAULT_POLICY: Final = LockPolicy()


def check(
    config: Path,
    environment: Environment,
    policy: LockPolicy = DEFAULT_POLICY,
    *,
    strict: bool = False,
    lenient: bool = False,
) -> Report:
    """Find every problem of a config. Nothing is written beside it.

    Args:
        config: the config.
        environment: the surroundings.
        strict: warnings are errors.
        lenient: keys that are unknown or misplaced are warnings.

    Raises:
        CompilerFailure: an actor has to be built and this machine cannot.
    """
    with _Run(config, environment, policy, lenient=lenient) as run:
        system = run.system()
        if system is not None and policy.locked and not run.collector.failed:
            run.finish_lock(system, run.lock(system), write=False)
            run.compare_interpreter(system)
        report = run.report()
    return report.strict() if strict else report


def check_actor(
    folder: Path,
    environment: Environment,
    policy: LockPolicy = DEFAULT_POLICY,
    *,
    strict: bool = False,
    lenient: bool = False,
) -> Report:
    """Find every problem of one actor, without a config that uses it. Nothing is written.

    Args:
        folder: the actor's, with its manifest.
        environment: the surroundings.
        policy: whether the network may be asked for what the actor depends on.
        strict: warnings are errors.
        lenient: keys that are unknown or misplaced are warnings.

    Raises:
        CompilerFailure: an actor has to be built and this machine cannot.
    """
    from wasmind_compiler import lone_actor

    name = lone_actor.name_of((environment.working_directory / folder).resolve())
    config = folder / lone_actor.CONFIG_NAME
    with _Run(config, environment, policy, lenient=lenient) as run:
        system = run.system(lone_actor.config_of(name))
        report = run.report()
    found = None if system is None else system.resolution.actors.get(name)
    place = None if found is None else found.manifest.document.value(("actor_id",))
    shown = Display(environment.working_directory)
    about = lone_actor.about_actor(
        report.diagnostics, shown(config), shown(folder / FILE_NAME), place
    )
    report = Report(diagnostics=tuple(about), texts=report.texts)
    return report.strict() if strict else report


def lock(
    config: Path, environment: Environment, policy: LockPolicy = DEFAULT_POLICY
) -> LockOutcome:
    """Write the lockfile beside a config, unless it says the same already.

    Args:
        config: the config.
        environment: the surroundings.
        policy: what may be done. A locked run writes nothing, and reports a stale or missing
            lockfile as an error.

    Raises:
        CompilerFailure: the lockfile cannot be written, or an actor cannot be built here.
    """
    with _Run(config, environment, policy) as run:
        system = run.system()
        if system is None or run.collector.failed:
            return LockOutcome(report=run.report())
        lock = run.lock(system, renew=not policy.locked)
        changed = run.finish_lock(system, lock, write=True)
        if policy.locked:
            run.compare_interpreter(system)
        return LockOutcome(report=run.report(), path=lock_path(config), changed=changed)


def bundle(
    config: Path, output: Path, environment: Environment, policy: LockPolicy = DEFAULT_POLICY
) -> BundleOutcome:
    """Link a config into a bundle folder, and bring its lockfile up to date.

    Raises:
        NotABundleError: something else is at `output`.
        CompilerFailure: bundle or lockfile cannot be written, or an actor cannot be built here.
    """
    return _bundle(config, environment, policy, lambda _key: output, keep=False)


def bundle_into_cache(
    config: Path,
    environment: Environment,
    policy: LockPolicy = DEFAULT_POLICY,
    *,
    anew: bool = False,
) -> BundleOutcome:
    """Link a config into the cache, where an unchanged system is found again.

    Args:
        config: the config.
        environment: the surroundings.
        policy: see `bundle`.
        anew: what the cache has is damaged, and is replaced.

    Raises:
        CompilerFailure: see `bundle`.
    """
    bundles = environment.cache / "bundles"
    return _bundle(config, environment, policy, lambda key: bundles / key, keep=True, anew=anew)


def models(file: Path, environment: Environment) -> ModelsOutcome:
    """The models and the budget that a file declares; the rest of it is looked at, and left out.

    Args:
        file: a config, or just its `[models]`, `[litellm]` and `[run.budget]`.
        environment: what the compiler needs from outside.
    """
    with _Run(file, environment, LockPolicy()) as run:
        read = run.models()
        report = run.report()
    if read is None or report.failed:
        return ModelsOutcome(report=report)
    from wasmind_compiler.emit.plan import plan_budget, plan_models

    config, scripts, cassettes = read
    models = plan_models(config, scripts, cassettes)
    return ModelsOutcome(report, models, plan_budget(config.run))


def script(file: Path, environment: Environment) -> ModelsOutcome:
    """A model that a file of rules is.

    Args:
        file: a document of `schemas/model-script.schema.json`.
        environment: what the compiler needs from outside.
    """
    with _Run(file, environment, LockPolicy()) as run:
        document = run.script()
        report = run.report()
    if document is None or report.failed:
        return ModelsOutcome(report=report)
    from wasmind.plan import Model
    from wasmind_compiler.emit.plain import plain

    settings = plain(dict(document.data))
    return ModelsOutcome(report, (Model(name=file.name, kind="scripted", settings=settings),))


def graph(config: Path, environment: Environment, form: DrawingFormat) -> DrawingOutcome:
    """Draw the agents of a config.

    Raises:
        CompilerFailure: the drawing cannot be made, or an actor cannot be built here.
    """
    with _Run(config, environment, DEFAULT_POLICY) as run:
        system = run.system()
        if system is None or run.collector.failed:
            return DrawingOutcome(report=run.report())
        return DrawingOutcome(report=run.report(), text=_draw(system, form))


def outline(config: Path, environment: Environment) -> OutlineOutcome:
    """The plan that a bundle of a config would have, without digests of what is not built for it.

    Nothing is written beside the config.

    Raises:
        CompilerFailure: an actor has to be described and this machine cannot.
    """
    with _Run(config, environment, DEFAULT_POLICY) as run:
        system = run.system()
        if system is None or run.collector.failed:
            return OutlineOutcome(report=run.report())
        from wasmind_compiler.emit.plan import make_plan

        return OutlineOutcome(report=run.report(), plan=make_plan(system, ""))


class WhyOutcome(Record):
    """What `why` found out. `system` is None if the config could not be read."""

    report: Report
    system: System | None


def why(config: Path, environment: Environment) -> WhyOutcome:
    """The linked system, for questions about it; a config with errors is answered for as well.

    Raises:
        CompilerFailure: an actor has to be built and this machine cannot.
    """
    with _Run(config, environment, DEFAULT_POLICY) as run:
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
    config: Path,
    environment: Environment,
    policy: LockPolicy,
    place: Callable[[str], Path],
    *,
    keep: bool,
    anew: bool = False,
) -> BundleOutcome:
    from wasmind_compiler.emit.bundle import (
        Interpreter,
        existing_bundle,
        system_key,
        write_bundle,
    )

    with _Run(config, environment, policy, needs_components=True) as run:
        system = run.system()
        if system is None or run.collector.failed:
            return BundleOutcome(report=run.report())
        lock = run.lock(system)
        run.finish_lock(system, lock, write=True)
        if policy.locked or not keep:
            run.compare_interpreter(system)
        report, sources = run.report(), run.sources(system)
    if report.failed:
        return BundleOutcome(report=report)
    text, interpreter = render_lock(lock), None
    if system.needs_interpreter:
        path = environment.interpreter.path()
        interpreter = Interpreter(path=path, sha256=_known(environment.interpreter.digest()))
    output = place(system_key(system, text, interpreter))
    written = existing_bundle(output) if keep and not anew else None
    if keep and written is None:
        _discard(output)
    if written is None:
        from wasmind_compiler.emit.sharing import SharedFiles

        environment.reporter.status("Bundling", system.name)
        shared = SharedFiles(environment.cache / "components") if keep else None
        written = write_bundle(system, text, interpreter, output, shared)
    elif keep:
        mark_used(output)
    return BundleOutcome(report=report, bundle=written, sources=sources)


def _known(digest: str | None) -> str:
    if digest is None:
        raise AssertionError("an interpreter that was just built has no digest")
    return digest


def _discard(folder: Path) -> None:
    """Remove an entry of the cache; renamed first, so that no half of one is found."""
    import shutil  # few runs need it

    aside = folder.with_name(f".removing-{os.urandom(8).hex()}")
    try:
        folder.rename(aside)
    except FileNotFoundError:
        return
    except OSError as error:
        raise CompilerFailure(f"cannot replace `{folder}`: {error.strerror}") from error
    shutil.rmtree(aside, ignore_errors=True)


def _check_environment(
    config: AppConfig, variables: Mapping[str, str], collector: Collector, *, models_given: bool
) -> None:
    if not models_given and any(model.kind != "scripted" for model in config.models):
        # Loaded only for configs with real models.
        from wasmind_compiler.analysis import model_findings

        collector.extend(model_findings.explain(config, variables))
    text = config.document.index.text
    suspicious = any(beginning in text for beginning in SECRET_BEGINNINGS)
    if config.proxied_models or suspicious:
        # Loaded only for configs with a proxy or with what may be a secret.
        from wasmind_compiler.analysis import proxy_findings

        collector.extend(proxy_findings.explain(config, variables))
        collector.extend(proxy_findings.secrets(config))
    if config.run is not None and "credentials" in config.run:
        # Loaded only for configs with credentials.
        from wasmind_compiler.analysis.variables import unset_credentials

        collector.extend(unset_credentials(config.document, variables))


def _load_the_rest() -> None:
    """Load what comes next, while repositories are fetched."""
    for name in _LATER:
        import_module(f"wasmind_compiler.{name}")


class _Run:
    """One run over one config: reads, resolves, builds and links, collecting problems."""

    def __init__(
        self,
        config: Path,
        environment: Environment,
        policy: LockPolicy,
        *,
        lenient: bool = False,
        needs_components: bool = False,
    ) -> None:
        self._needs_components = needs_components
        self._config = environment.working_directory / config
        self._environment = environment
        self._policy = policy
        self._display = Display(environment.working_directory)
        self._schemas = Schemas(environment.schemas)
        self.collector = Collector(lenient=lenient)
        self._locking = Locking(
            self._config,
            policy,
            display=self._display,
            schemas=self._schemas,
            collector=self.collector,
            reporter=environment.reporter,
            state=environment.state,
        )
        self._git: GitSources | None = None
        self._folders: Sources | None = None
        self._building: Builder | None = None

    def __enter__(self) -> _Run:
        return self

    def __exit__(self, *_: object) -> None:
        if self._building is not None:
            self._building.close()
        if self._git is None:
            return
        reporter = self._environment.reporter
        if reporter.wants_hosts and (hosts := self._git.hosts()):
            reporter.status("Contacted", ", ".join(hosts))
        self._git.close()

    def report(self) -> Report:
        """What was found so far."""
        return Report(
            diagnostics=self.collector.diagnostics(),
            texts={name: _masked(text) for name, text in self.collector.texts.items()},
        )

    def system(self, content: bytes | None = None) -> System | None:
        """The linked system; None if there is no config to speak of, or no lockfile to keep to.

        Args:
            content: of the config, where it is not read from its file.
        """
        collector, schemas = self.collector, self._schemas
        document = self._document(content)
        if document is None:
            return None
        config = read_app_config(document, schemas, collector)
        environment = self._environment
        _check_environment(
            config, environment.variables, collector, models_given=environment.models_given
        )
        scripts = read_scripts(config, self._config.parent, schemas, self._display, collector)
        cassettes = self._cassettes(config)
        pins = self._locking.pins(document)
        if pins is None:
            return None
        sources = self._folders = self._sources(config, pins)
        if any(isinstance(entry.source, GitSource) for entry in config.actors):
            self._git_sources(config, pins).meanwhile(_load_the_rest)
        # Not loaded before the first fetch has begun.
        from wasmind_compiler.resolution.resolver import resolve

        builder = self._building = self._builder()
        resolution = resolve(config, sources, collector)
        identities = ((actor, actor.identity) for actor in resolution.actors.values())
        builder.start((actor, sources.folder(key), sources.tree(key)) for actor, key in identities)
        # Loaded while actors are built.
        from wasmind_compiler.analysis.system import link

        artifacts = {}
        for name, actor in resolution.actors.items():
            artifact = builder.build(actor, sources.folder(actor.identity))
            if artifact is not None:
                artifacts[name] = artifact
        return link(
            resolution,
            artifacts,
            scripts,
            cassettes,
            collector,
            environment.variables,
            models_given=environment.models_given,
        )

    def sources(self, system: System) -> tuple[Path, ...]:
        """The files and folders that a linked system was made from."""
        actors = system.resolution.actors.values()
        folders = [self._folders.folder(each.identity) for each in actors] if self._folders else []
        return (self._config, lock_path(self._config), *folders)

    def models(self) -> tuple[AppConfig, Mapping[str, Document], Cassettes] | None:
        """A config of which only models matter, and their files; None if it cannot be read."""
        document, collector = self._document(None), self.collector
        if document is None:
            return None
        config = read_app_config(document, self._schemas, collector)
        _check_environment(config, self._environment.variables, collector, models_given=False)
        scripts = read_scripts(config, self._config.parent, self._schemas, self._display, collector)
        # Loaded for such files only.
        from wasmind_compiler.analysis.models import check_parameters

        check_parameters(config, scripts.values(), collector)
        return config, scripts, self._cassettes(config)

    def _cassettes(self, config: AppConfig) -> Cassettes:
        """What is recorded for the models of a config."""
        if not any(model.kind == "cassette" for model in config.models):
            return {}
        # Loaded only for configs with cassettes.
        from wasmind_compiler.frontend.cassettes import read_cassettes

        return read_cassettes(config, self._config.parent, self._display, self.collector)

    def script(self) -> Document | None:
        """The rules of a scripted model; None if they cannot be read."""
        document = self._document(None)
        if document is not None:
            self._schemas.check(document, "model-script", self.collector)
        return document

    def _document(self, content: bytes | None) -> Document | None:
        """The file this run is about; None if it cannot be read, which is reported."""
        shown = self._display(self._config)
        try:
            content = read_bounded(self._config) if content is None else content
        except OSError as error:
            message = f"cannot read `{shown}`: {error.strerror}"
            self.collector.add(files.UNREADABLE.at(None, message))
            return None
        return parse(shown, content, self.collector)

    def lock(self, system: System, *, renew: bool = False) -> Lock:
        """What the lockfile should say.

        Args:
            system: the linked system.
            renew: it should name this machine's interpreter, whichever it names now.
        """
        from wasmind_compiler.emit.lock import make_lock

        interpreter = None
        if system.needs_interpreter:
            interpreter = self._locking.interpreter(self._present_interpreter, renew=renew)
        return make_lock(system, self._config, interpreter)

    def compare_interpreter(self, system: System) -> None:
        """Note that bundles made here differ from those the lockfile was written with."""
        if system.needs_interpreter:
            self._locking.compare_interpreter(self._environment.interpreter.digest())

    def _present_interpreter(self) -> str:
        recipe = self._environment.interpreter
        digest = recipe.digest()
        if digest is None:
            recipe.path()
            digest = recipe.digest()
        return _known(digest)

    def finish_lock(self, system: System, lock: Lock, *, write: bool) -> bool:
        """Compare the lockfile with what it should say, and write it; see `Locking.finish`."""
        return self._locking.finish(system, lock, write=write)

    def _sources(self, config: AppConfig, pins: Pins) -> Sources:
        return Sources(
            lambda: self._git_sources(config, pins),
            self._config.parent,
            self._environment.library,
            self._schemas,
            self._display,
            self.collector,
        )

    def _git_sources(self, config: AppConfig, pins: Pins) -> GitSources:
        """The part of git, made for the first git source; begins to fetch what the config names."""
        if self._git is None:
            from wasmind_compiler.resolution.git_sources import GitSources

            environment = self._environment
            self._git = GitSources(
                cache=environment.cache,
                limits=environment.git_limits,
                pins=pins,
                policy=self._policy,
                schemas=self._schemas,
                collector=self.collector,
                reporter=environment.reporter,
                advice=self._locking.advice,
            )
            entries = (*config.actors, *config.overrides)
            written = [entry.source for entry in entries if isinstance(entry.source, GitSource)]
            self._git.announce([source for source in written if source.is_clear])
        return self._git

    def _builder(self) -> Builder:
        from wasmind_compiler.build.builder import Builder
        from wasmind_compiler.build.python import PythonBuilder

        environment = self._environment
        python = PythonBuilder(
            environment.cache / "actors",
            environment.library,
            environment.interpreter,
            environment.guest,
            environment.reporter,
        )
        return Builder(
            python,
            self._offered,
            self._display,
            self.collector,
            needs_components=self._needs_components,
        )

    def _offered(self) -> Iterable[str]:
        from wasmind_compiler.analysis.wit import offered_interfaces

        return [interface.name for interface in offered_interfaces(self._environment.wit)]


def _masked(index: TextIndex) -> TextIndex:
    """A text for excerpts, without the credentials of URLs in it."""
    if "@" not in index.text:
        return index
    # Not needed where nothing has a user.
    from wasmind_compiler.resolution.git.url import mask_credentials

    text = mask_credentials(index.text)
    return index if text == index.text else TextIndex(index.file, text)
