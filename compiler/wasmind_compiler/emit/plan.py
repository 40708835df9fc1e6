"""A linked system as a run plan."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from wasmind import plan
from wasmind_compiler.analysis.models import ANY
from wasmind_compiler.analysis.system import LinkedActor, System
from wasmind_compiler.build.python import code_path
from wasmind_compiler.emit.litellm import litellm_models
from wasmind_compiler.emit.plain import plain
from wasmind_compiler.frontend.app_config import AppConfig, ModelEntry
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.tables import Table
from wasmind_compiler.resolution.layers import LayeredTable

if TYPE_CHECKING:
    from wasmind_compiler.frontend.cassettes import Cassettes


def make_plan(system: System, interpreter: str | None) -> plan.RunPlan:
    """The plan of a system without problems.

    Args:
        system: the system; actors that nothing spawns are left out.
        interpreter: sha256 of the interpreter component; None if no actor needs it.
    """
    actors = tuple(
        _actor(actor, system, interpreter)
        for name, actor in sorted(system.actors.items())
        if name in system.reached
    )
    config = system.resolution.config
    models = plan_models(config, system.scripts, system.cassettes)
    budget = plan_budget(config.run)
    return plan.RunPlan(
        name=system.name,
        actors=actors,
        starting=system.resolution.starting,
        models=models,
        budget=budget,
        limits=plan.SystemLimits(
            **_said(plan.SystemLimits, config.run and config.run.table("limits"))
        ),
        credentials=_credentials(config.run),
        interface=_interface(config),
        must_understand=_features(actors, models, budget),
    )


def actor_folder(actor: LinkedActor) -> str:
    """The folder of a Python actor inside a bundle."""
    return f"actors/{actor.artifact.tree.digest}"


def component_digest(actor: LinkedActor, interpreter: str | None) -> str:
    """sha256 of the component that runs an actor, in hex."""
    component = actor.artifact.component
    if component is not None:
        return hashlib.sha256(component).hexdigest()
    if interpreter is None:
        raise AssertionError("a Python actor needs the interpreter")
    return interpreter


def _actor(actor: LinkedActor, system: System, interpreter: str | None) -> plan.Actor:
    resolved, contract = actor.resolved, actor.artifact.contract
    return plan.Actor(
        name=actor.name,
        actor_id=resolved.manifest.actor_id,
        component=component_digest(actor, interpreter),
        modules=tuple(
            plan.Module(name=module.name, path=f"{actor_folder(actor)}/{code_path(module.source)}")
            for module in actor.artifact.modules
        ),
        config=_config_text(resolved.config),
        capabilities=actor.granted.capabilities,
        grants={name: plain(dict(table)) for name, table in actor.granted.narrowed.items()},
        limits=plan.Limits(**_said(plan.Limits, *(each.limits for each in resolved.entries))),
        restart=plan.Restart(**_said(plan.Restart, *(each.restart for each in resolved.entries))),
        auto_spawn=resolved.auto_spawn,
        spawn_with=resolved.spawn_with,
        handles=None
        if contract.handles is None
        else tuple(
            plan.Handled(type=each.type, scope=each.scope)
            for each in sorted(contract.handles, key=lambda each: (each.type, each.scope))
        ),
        emits=contract.emits,
        models=actor.models,
        tools=None if contract.tools is None else tuple(tool.name for tool in contract.tools),
        may_spawn=_may_spawn(actor, system),
        replayable=not set(actor.artifact.optional) & set(actor.granted.capabilities),
    )


def plan_models(
    config: AppConfig, scripts: Mapping[str, Document], cassettes: Cassettes
) -> tuple[plan.Model, ...]:
    """The models of a config.

    Args:
        config: the config.
        scripts: rules files of scripted models, by model name.
        cassettes: what is recorded, by model name.
    """
    models = [
        plan.Model(name=name, kind="scripted", settings=plain(dict(script.data)))
        for name, script in scripts.items()
    ]
    for model in config.models:
        name = model.name.text
        if name in cassettes:
            settings = {**plain(dict(model.settings)), "recorded": list(cassettes[name])}
            settings.setdefault("record", "missing" if "model" in settings else "never")
            models.append(plan.Model(name=name, kind="cassette", settings=settings))
        elif model.kind not in ("cassette", "scripted"):
            models.append(_endpoint(model))
    models += litellm_models(config)
    return tuple(sorted(models, key=lambda model: model.name))


def _endpoint(model: ModelEntry) -> plan.Model:
    settings = plain(dict(model.settings))
    for key in ("timeout_seconds", "first_byte_seconds"):
        if key in settings:
            settings[key] = float(settings[key])
    if model.name.text != ANY:
        settings.setdefault("model", model.name.text)
    if model.kind != "endpoint":
        settings["provider"] = model.kind
    return plan.Model(name=model.name.text, kind="endpoint", settings=settings)


def plan_budget(run: Table | None) -> plan.Budget | None:
    """What `[run.budget]` says; None if there is none."""
    whole = run.table("budget") if run is not None else None
    if whole is None:
        return None
    per_agent = whole.table("per_agent")
    return plan.Budget(whole=_allowance(whole), per_agent=_allowance(per_agent))


def _allowance(table: Table | None) -> plan.Allowance:
    values = {} if table is None else table.values
    usd = values.get("usd")
    return plan.Allowance(
        usd=None if usd is None else float(usd),
        tokens=values.get("tokens"),
        calls=values.get("calls"),
    )


def _config_text(config: LayeredTable) -> str:
    if not config.layers:
        return ""
    import tomlkit

    return tomlkit.dumps(config.merged)


_Settings: TypeAlias = plan.Limits | plan.SystemLimits | plan.Restart


def _said(settings: type[_Settings], *tables: Table | None) -> dict[str, Any]:
    """What tables say about the fields of a settings class, the last one having the last word.

    A whole number for a field of seconds becomes a float, so that equal settings give equal text.
    """
    said: dict[str, Any] = {}
    for table in tables:
        for name, default in settings._field_defaults.items():
            if table is not None and name in table:
                value = table.values[name]
                said[name] = float(value) if isinstance(default, float) else value
    return said


def _credentials(run: Table | None) -> tuple[plan.Credential, ...]:
    written: list[dict[str, str]] = list(run.values.get("credentials", ())) if run else []
    return tuple(
        plan.Credential(
            host=each["host"],
            header=each.get("header", "Authorization"),
            prefix=each.get("prefix", "Bearer "),
            variable=each["variable"],
        )
        for each in written
    )


def _interface(config: AppConfig) -> dict[str, Any]:
    """What `wasmind run` and the terminal interface need to know."""
    prompt = config.run.string("prompt") if config.run else None
    interface: dict[str, Any] = {} if prompt is None else {"run": {"prompt": prompt}}
    if config.tui is not None:
        interface["tui"] = plain(dict(config.tui.values))
    return interface


def _may_spawn(actor: LinkedActor, system: System) -> tuple[str, ...] | None:
    if actor.spawning.anything:
        return None
    members = {name for each in actor.spawning.lists for name in each.members}
    return tuple(sorted(members & system.reached))


def _features(
    actors: Iterable[plan.Actor], models: Iterable[plan.Model], budget: plan.Budget | None
) -> tuple[str, ...]:
    declared = {model.name for model in models}
    demanded = {f"{model.kind}-models" for model in models}
    if budget is not None:
        demanded.add("budget")
    for actor in actors:
        if ANY not in declared and not declared.issuperset(actor.models):
            # Names of providers, or models that are given when it runs.
            demanded.add("endpoint-models")
        if actor.modules:
            demanded.add("python-actors")
        if actor.grants:
            demanded.add("narrowed-grants")
    return tuple(sorted(demanded))
