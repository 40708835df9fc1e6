"""A linked system as a lockfile."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wasmind_compiler.analysis.contract import contract_digest
from wasmind_compiler.analysis.system import LinkedActor, System
from wasmind_compiler.frontend.source import GitRef
from wasmind_compiler.resolution.lockfile import Lock, LockedActor, LockedGit
from wasmind_compiler.resolution.provider import GitOrigin, Identity


def make_lock(system: System, config: Path, interpreter: str | None) -> Lock:
    """The lockfile of a system.

    Args:
        system: the system.
        config: its config; paths in the lockfile are relative to its folder.
        interpreter: sha256 of the interpreter component, in hex; None if no actor needs it.
    """
    actors = system.actors.values()
    origins = [actor.resolved.identity.origin for actor in actors]
    return Lock(
        config=config.name,
        git=tuple(_repositories(origin for origin in origins if origin is not None)),
        actors=tuple(_locked(actor, config.parent) for actor in actors),
        interpreter=interpreter,
    )


def _repositories(origins: Iterable[GitOrigin]) -> Iterable[LockedGit]:
    """One entry for each URL and ref, however many actors come from it."""
    found: dict[tuple[str, GitRef | None], LockedGit] = {}
    for origin in origins:
        entry = LockedGit(
            url=origin.url,
            ref=origin.ref,
            revision=origin.revision,
            default_branch=origin.default_branch,
            tag_object=origin.tag_object,
        )
        found.setdefault((origin.url, origin.ref), entry)
    return found.values()


def _locked(actor: LinkedActor, config_folder: Path) -> LockedActor:
    contract, component = actor.artifact.contract, actor.artifact.component
    dependencies = (entry.name for entry in actor.resolved.manifest.dependencies)
    return LockedActor(
        name=actor.name,
        actor_id=actor.resolved.manifest.actor_id,
        source=_source(actor.resolved.identity, config_folder),
        digest=actor.artifact.tree.digest,
        component=None if component is None else hashlib.sha256(component).hexdigest(),
        capabilities=tuple(sorted(actor.granted.capabilities)),
        grants={name: _sorted(limits) for name, limits in actor.granted.narrowed.items()},
        dependencies=tuple(sorted(dependencies)),
        contract=contract_digest(contract) if actor.artifact.is_built else None,
        config_schema=contract.settings_digest,
    )


def _sorted(limits: Mapping[str, Any]) -> Mapping[str, Any]:
    """A table that narrows a capability: its keys and the items of its lists have no order."""
    return {
        key: sorted(limits[key]) if isinstance(limits[key], list | tuple) else limits[key]
        for key in sorted(limits)
    }


def _source(identity: Identity, config_folder: Path) -> dict[str, Any]:
    if identity.origin is not None:
        return _git_source(identity.origin)
    if identity.kind != "path":
        return {identity.kind: identity.key}
    # Both ends are real paths, so that links on the way do not lead astray.
    relative = os.path.relpath(identity.key, config_folder.resolve())
    return {"path": Path(relative).as_posix()}


def _git_source(origin: GitOrigin) -> dict[str, Any]:
    source: dict[str, Any] = {"git": origin.url}
    if origin.ref is not None:
        source["git_ref"] = {origin.ref.kind: origin.ref.text}
    if origin.sub_dir:
        source["sub_dir"] = origin.sub_dir
    if origin.submodules:
        source["submodules"] = True
    if origin.lfs:
        source["lfs"] = True
    return source
