"""A linked system as lockfile entries."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from wasmind_compiler.analysis.contract import contract_digest
from wasmind_compiler.analysis.system import LinkedActor, System
from wasmind_compiler.resolution.lockfile import LockedActor, render_lock
from wasmind_compiler.resolution.provider import Identity


def lock_text(system: System, config_folder: Path) -> str:
    """The lockfile of a system.

    Args:
        system: the system.
        config_folder: what paths in the lockfile are relative to.
    """
    return render_lock(_locked(actor, config_folder) for actor in system.actors.values())


def _locked(actor: LinkedActor, config_folder: Path) -> LockedActor:
    contract, component = actor.artifact.contract, actor.artifact.component
    dependencies = (entry.name for entry in actor.resolved.manifest.dependencies)
    return LockedActor(
        name=actor.name,
        actor_id=actor.resolved.manifest.actor_id,
        source=_source(actor.resolved.identity, config_folder),
        digest=actor.artifact.tree.digest,
        component=None if component is None else hashlib.sha256(component).hexdigest(),
        capabilities=actor.granted.capabilities,
        dependencies=tuple(dependencies),
        contract=contract_digest(contract),
        config_schema=contract.settings_digest,
    )


def _source(identity: Identity, config_folder: Path) -> dict[str, str]:
    if identity.kind != "path":
        return {identity.kind: identity.key}
    # Both ends are real paths, so that links on the way do not lead astray.
    relative = os.path.relpath(identity.key, config_folder.resolve())
    return {"path": Path(relative).as_posix()}
