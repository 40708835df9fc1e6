"""An actor's modules, imported from memory.

The host hands them over as marshalled code objects, so that a guest needs no file system. They take
precedence over everything but built-in modules and this library, as a folder at the head of
`sys.path` would.
"""

from __future__ import annotations

import importlib
import inspect
import marshal
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from wasmind_actor.actor import Actor

ENTRY: Final = "actor"
#: What the names of source texts begin with, which are handed over only to describe an actor.
SOURCE: Final = "source:"
_PACKAGE: Final = ".__init__"


class EntryError(Exception):
    """The modules hold no actor, or more than one."""


class ActorModules(MetaPathFinder, Loader):
    """The modules of one actor, by name; the name of a package ends in `.__init__`.

    Args:
        handed_over: code objects by name, and source texts by name behind `source:`.
    """

    def __init__(self, handed_over: Mapping[str, bytes]) -> None:
        names = sorted(handed_over)
        self._code = {name: handed_over[name] for name in names if not name.startswith(SOURCE)}
        self._loaded: dict[str, CodeType] = {}
        #: Source texts by name of the module, as far as they were handed over.
        self.sources = {
            name.removeprefix(SOURCE): handed_over[name].decode("utf-8", "replace")
            for name in names
            if name.startswith(SOURCE)
        }

    def install(self) -> None:
        """Make the modules importable, hiding modules of the same name that are already loaded."""
        for name in {name.partition(".")[0] for name in self._code} - _untouchable():
            _forget(name)
        sys.meta_path.insert(0, self)

    def uninstall(self) -> None:
        """Undo `install`; modules that are in use stay alive but can be imported no more."""
        sys.meta_path.remove(self)
        self.reset()

    def reset(self) -> None:
        """Import the modules anew when they are asked for the next time."""
        for name in {name.partition(".")[0] for name in self._code}:
            _forget(name)

    def has(self, name: str) -> bool:
        """Whether a module, called as it is imported, is one of these."""
        return name in self._code or name + _PACKAGE in self._code

    def code(self) -> Iterable[tuple[str, CodeType]]:
        """Name and code object of every module, imported or not, in the order of names."""
        for name, data in self._code.items():
            if name not in self._loaded:
                self._loaded[name] = _load(data)
            yield name, self._loaded[name]

    def entry(self) -> type[Actor[Any]]:
        """The one concrete subclass of `Actor` that module `actor` defines.

        Raises:
            EntryError: there is none, or more than one.
        """
        if not self.has(ENTRY):
            raise EntryError("there is no module `actor`: add `actor.py` or `actor/__init__.py`")
        found = self.actors()
        if len(found) != 1:
            names = ", ".join(f"`{cls.__name__}`" for cls in found) or "none"
            raise EntryError(
                f"module `actor` must define exactly one subclass of `Actor`, found: {names}"
            )
        return found[0]

    def actors(self) -> list[type[Actor[Any]]]:
        """All concrete subclasses of `Actor` that module `actor` defines."""
        from wasmind_actor.actor import Actor

        found = [
            value
            for value in vars(importlib.import_module(ENTRY)).values()
            if isinstance(value, type)
            and issubclass(value, Actor)
            and value.__module__.partition(".")[0] == ENTRY
            and not inspect.isabstract(value)
        ]
        return list(dict.fromkeys(found))

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of one of the actor's modules, None for any other name."""
        if fullname in self._code:
            return ModuleSpec(fullname, self)
        if fullname + _PACKAGE in self._code:
            return ModuleSpec(fullname, self, is_package=True)
        if any(name.startswith(fullname + ".") for name in self._code):
            return ModuleSpec(fullname, None, is_package=True)  # a namespace package
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Leave it to the import system."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code object."""
        name = module.__name__
        name = name if name in self._code else name + _PACKAGE
        code = self._loaded.get(name) or _load(self._code[name])
        exec(code, module.__dict__)  # noqa: S102 - this is what importing means


def _load(data: bytes) -> CodeType:
    code: CodeType = marshal.loads(data)  # noqa: S302 - made by this interpreter
    return code


def _forget(name: str) -> None:
    if name not in sys.modules:
        return  # nor is anything below it, and looking at all names would copy a page for each
    for loaded in [key for key in sys.modules if key == name or key.startswith(name + ".")]:
        del sys.modules[loaded]


def _untouchable() -> set[str]:
    return {*sys.builtin_module_names, "builtins", "wasmind_actor", "importlib"}
