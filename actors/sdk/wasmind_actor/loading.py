"""Loading an actor to look at it: what is wrong is noted, and loading goes on as far as it can."""

from __future__ import annotations

import importlib.abc
import sys
import traceback
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType, TracebackType
from typing import Any, Final

from wasmind_actor.actor import Actor
from wasmind_actor.findings import CANNOT_LOAD, Finding, StandIn, Subject, refuse, subject_of
from wasmind_actor.modules import ENTRY, ActorModules

#: So many missing modules are told at once.
_MOST_MISSING: Final = 100


def load(modules: ActorModules) -> type[Actor[Any]] | None:
    """The actor's class; None if there is none to be had. Mistakes are refused, see `findings`."""
    missing = _Missing()
    sys.meta_path.append(missing)
    try:
        while True:
            try:
                return _only(modules.actors())
            except ModuleNotFoundError as error:
                name = (error.name or "").partition(".")[0]
                _refuse_import(error, modules)
                if not missing.add(name):
                    return None
                modules.reset()
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever strangers raise
                if not missing.names:  # else it is likely to follow from what is missing
                    _refuse_error(error, modules)
                return None
    finally:
        sys.meta_path.remove(missing)
        missing.forget()


class _Missing(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules that are missing, and makes something that stands in for them."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def add(self, name: str) -> bool:
        """Find a module from now on; False if that would be of no help."""
        if not name or name in self.names or len(self.names) >= _MOST_MISSING:
            return False
        self.names.append(name)
        return True

    def forget(self) -> None:
        """Nothing of it can be imported any more."""
        for name in [x for x in sys.modules if x.partition(".")[0] in self.names]:
            del sys.modules[name]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in self.names:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__getattr__"] = lambda name: getattr(StandIn("module", (), {}), name)


def _only(found: Sequence[type[Actor[Any]]]) -> type[Actor[Any]] | None:
    if not found:
        refuse(
            Finding(
                code=CANNOT_LOAD,
                message="module `actor` defines no actor",
                subject=Subject(module=ENTRY),
                help="add one subclass of `wasmind_actor.Actor`",
            )
        )
        return None
    if len(found) > 1:
        names = " and ".join(f"`{cls.__name__}`" for cls in found)
        refuse(
            Finding(
                code=CANNOT_LOAD,
                message=f"module `actor` defines more than one actor: {names}",
                subject=subject_of(found[1]),
                help="give each actor a folder of its own",
                others=tuple(
                    (subject_of(cls), "another one") for cls in found if cls is not found[1]
                ),
            )
        )
    return found[0]


def _refuse_import(error: ModuleNotFoundError, modules: ActorModules) -> None:
    refuse(
        Finding(
            code=CANNOT_LOAD,
            message=f"there is no module `{error.name}`",
            subject=_origin(error, modules),
            help="actors have the standard library, `wasmind_actor` and what is in their folder:"
            " put a pure-Python package there, or do without",
        )
    )


def _refuse_error(error: BaseException, modules: ActorModules) -> None:
    origin = _origin(error, modules)
    ways = [
        f"`{frame.f_globals['__name__']}`, line {line}"
        for frame, line in _own_frames(error.__traceback__, modules)
        if frame.f_globals["__name__"] != origin.module
    ]
    reason = traceback.format_exception_only(error)[-1].strip()
    refuse(
        Finding(
            code=CANNOT_LOAD,
            message=f"loading the actor failed: {reason}",
            subject=origin,
            notes=(f"reached by way of: {', '.join(ways)}",) if ways else (),
        )
    )


def _origin(error: BaseException, modules: ActorModules) -> Subject:
    """The innermost line of the actor's own code."""
    frames = _own_frames(error.__traceback__, modules)
    if not frames:
        return Subject(module=ENTRY)
    frame, line = frames[-1]
    return Subject(module=frame.f_globals["__name__"], line=line)


def _own_frames(trace: TracebackType | None, modules: ActorModules) -> list[tuple[Any, int]]:
    return [
        (frame, line)
        for frame, line in traceback.walk_tb(trace)
        if modules.has(frame.f_globals.get("__name__", ""))
    ]
