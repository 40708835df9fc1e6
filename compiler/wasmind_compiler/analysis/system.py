"""The whole system, linked: what every emitter starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wasmind.records import Record
from wasmind_compiler.analysis.agents import check_agents, report_never_spawned
from wasmind_compiler.analysis.capabilities import (
    Granted,
    files_not_granted,
    grant,
    may_use,
    promised,
)
from wasmind_compiler.analysis.config_schema import fault_of, without_slow_patterns
from wasmind_compiler.analysis.first_agent import check_first_agent
from wasmind_compiler.analysis.meanings import check_meanings
from wasmind_compiler.analysis.message_types import check_messages
from wasmind_compiler.analysis.models import ANY, check_parameters, model_names, used_models
from wasmind_compiler.analysis.overrides import check_overrides
from wasmind_compiler.analysis.settings import check_settings, doubt_misplaced
from wasmind_compiler.analysis.spawning import (
    Agent,
    Spawning,
    possible_agents,
    read_spawning,
)
from wasmind_compiler.analysis.tools import check_tools
from wasmind_compiler.build.artifact import Artifact
from wasmind_compiler.diagnostics import Collector
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.resolution.graph import Resolution, ResolvedActor

if TYPE_CHECKING:
    from wasmind_compiler.frontend.cassettes import Cassettes


class LinkedActor(Record):
    """An actor with its artifact, what it was granted, what it can spawn and whom it asks."""

    resolved: ResolvedActor
    artifact: Artifact
    granted: Granted
    spawning: Spawning
    models: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Logical name."""
        return self.resolved.name


class System(Record):
    """Everything that was found out about a config.

    Attributes:
        actors: those that could be built, by logical name, sorted.
        agents: those that can come to be, the root agent first.
        reached: names of the actors that can be in an agent; others are not bundled.
        scripts: rules files of scripted models, by model name.
        cassettes: what is recorded, by model name.
    """

    resolution: Resolution
    actors: Mapping[str, LinkedActor]
    agents: tuple[Agent, ...]
    reached: frozenset[str]
    scripts: Mapping[str, Document]
    cassettes: Cassettes

    @property
    def name(self) -> str:
        """Name of the system."""
        return self.resolution.config.name

    @property
    def needs_interpreter(self) -> bool:
        """Whether an actor that a bundle holds runs on the shared interpreter."""
        reached = (self.actors[name].artifact for name in self.reached)
        return any(artifact.is_built and artifact.component is None for artifact in reached)


def link(
    resolution: Resolution,
    artifacts: Mapping[str, Artifact],
    scripts: Mapping[str, Document],
    cassettes: Cassettes,
    collector: Collector,
    variables: Mapping[str, str],
    *,
    models_given: bool = False,
) -> System:
    """Check built actors against the config and each other.

    Args:
        resolution: the resolved config.
        artifacts: by logical name, for the actors that could be built.
        scripts: rules files of scripted models, by model name.
        cassettes: what is recorded, by model name.
        collector: takes what does not fit.
        variables: the environment.
        models_given: models come from elsewhere, so that any name may be one.
    """
    check_parameters(resolution.config, scripts.values(), collector)
    if resolution.config.tui is not None:
        # Loaded only for configs that bind keys.
        from wasmind_compiler.analysis import binding_findings

        collector.extend(binding_findings.explain(resolution.config.tui))
        binding_findings.report_misplaced_actions(resolution.config.tui, collector)
    if resolution.config.run is not None and "credentials" in resolution.config.run:
        # Loaded only for configs with credentials.
        from wasmind_compiler.analysis import credential_findings

        collector.extend(credential_findings.sent_in_the_open(resolution))
        collector.extend(credential_findings.not_for_models(resolution))
    check_overrides(resolution, collector)
    known_models = None if models_given else model_names(resolution.config)
    actors = {
        name: _link_actor(resolution, name, artifact, known_models, collector, variables)
        for name, artifact in artifacts.items()
    }
    if collector.failed:
        artifacts_known = ((name, actor.artifact) for name, actor in actors.items())
        known = {x for x, found in artifacts_known if found.is_built or found.contract.settings}
        doubt_misplaced(resolution, known, collector)
    spawning = {name: actor.spawning for name, actor in actors.items()}
    agents, reached = possible_agents(resolution, spawning)
    contracts = {name: actor.artifact.contract for name, actor in actors.items()}
    if len(actors) == len(resolution.named) and not collector.failed:
        report_never_spawned(resolution, reached, collector)
        check_agents(resolution, agents, contracts, collector)
    if len(actors) == len(resolution.named):
        reachable = {name: actors[name].artifact for name in actors if name in reached}
        check_messages(resolution, reachable, collector)
    check_tools(agents, resolution.actors, contracts, collector)
    check_first_agent(resolution, contracts, collector)
    return System(
        resolution=resolution,
        actors=actors,
        agents=agents,
        reached=reached,
        scripts=scripts,
        cassettes=cassettes,
    )


def _link_actor(
    resolution: Resolution,
    name: str,
    artifact: Artifact,
    known_models: frozenset[str] | None,
    collector: Collector,
    variables: Mapping[str, str],
) -> LinkedActor:
    resolved = resolution.actors[name]
    artifact = _with_usable_schema(resolved, artifact, collector)
    contract = artifact.contract
    models: tuple[str, ...] = ()
    if contract.settings is not None:
        schema, left_out = without_slow_patterns(contract.settings)
        if left_out:
            _report_slow_patterns(resolved, left_out, collector)
        proposed = (known_models or frozenset()) - {ANY}
        check_settings(resolved, schema, resolution, proposed, collector)
        check_meanings(resolved, schema, resolution, known_models, collector, variables)
        models = used_models(resolved, schema)
    granted = (
        grant(resolved, artifact.imported, artifact.optional, contract.capabilities, collector)
        if artifact.is_built
        else promised(resolved)
    )
    if artifact.opens_files:
        collector.extend(files_not_granted(resolved, granted))
    if resolved.config.merged.get("base_url") and "http" in granted.capabilities:
        # Loaded only for actors with an endpoint of their own.
        from wasmind_compiler.analysis.reach import check_endpoint

        collector.extend(check_endpoint(resolved, granted.narrowed.get("http", {})))
    if "command" in granted.narrowed:
        # Loaded only for actors that start programs, of which some are granted.
        from wasmind_compiler.analysis.programs import check_programs, check_starters

        check_programs(resolved, contract, collector)
        check_starters(resolved, collector)
    uses = granted.capabilities if artifact.is_built else may_use(resolved)
    spawning = read_spawning(resolved, artifact, uses, resolution, collector)
    return LinkedActor(
        resolved=resolved, artifact=artifact, granted=granted, spawning=spawning, models=models
    )


def _report_slow_patterns(
    actor: ResolvedActor, patterns: Sequence[str], collector: Collector
) -> None:
    from wasmind_compiler.diagnostics.rules import settings

    for pattern in patterns:
        message = f"the pattern `{pattern}` in the config schema of `{actor.name}` is not tried"
        collector.add(settings.PATTERN_NOT_TRIED.at(actor.source.span(), message))


def _with_usable_schema(actor: ResolvedActor, artifact: Artifact, collector: Collector) -> Artifact:
    """The artifact; without the schema of its settings if that is none, which is reported."""
    contract = artifact.contract
    fault = None if contract.settings is None else fault_of(contract.settings)
    if fault is None:
        return artifact
    # Loaded only for what is wrong.
    from wasmind_compiler.diagnostics.rules import settings

    message = f"the config schema of `{actor.name}` is invalid: {fault}"
    collector.add(settings.BAD_SCHEMA.at(actor.source.span(), message))
    return artifact._replace(contract=contract._replace(settings=None))
