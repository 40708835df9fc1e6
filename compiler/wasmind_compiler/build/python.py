"""Python actors: compiled and described by the interpreter they will run on.

Nothing of an actor runs on the host. Code objects come from the interpreter itself, so they always
fit it; the contract comes from loading the actor in a sandbox. Both are cached under the digest of
the actor's folder and the key of the interpreter.
"""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from wasmind_compiler.build.artifact import PythonModule
from wasmind_compiler.build.errors import SourceError
from wasmind_compiler.reporter import Reporter
from wasmind_compiler.resolution.tree import Tree

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_CONTRACT: Final = "contract.json"
ENTRY_POINTS: Final = ("actor.py", "actor/__init__.py")


class PythonGuest(Protocol):
    """A running interpreter component."""

    def compile(self, sources: Iterable[tuple[str, str]]) -> Iterator[bytes]:
        """The marshalled code objects of an actor's modules, given by name and source text.

        Made one after the other, in order. Asked from several threads. Raises `SourceError`.
        """
        ...

    def describe(self, modules: Sequence[tuple[str, bytes]]) -> str:
        """The contract of an actor as JSON text. Raises `GuestError`."""
        ...


class InterpreterRecipe(Protocol):
    """The interpreter component: cheap to name, expensive to have."""

    def key(self) -> str:
        """Changes whenever the component would."""
        ...

    def path(self) -> Path:
        """The component's file, built first if need be. Raises `InterpreterError`."""
        ...


class ModuleError(SourceError):
    """A `SourceError` that knows its file in the actor's folder."""

    def __init__(self, path: str, error: SourceError) -> None:
        super().__init__(error.message, error.line, error.column)
        self.path = path


class _Compiled(NamedTuple):
    """A module with its path in the actor's folder and its code object."""

    name: str
    path: str
    code: bytes


class PythonBuilder:
    """Compiles Python actors, each once per content and interpreter.

    Args:
        cache: folder for the results.
        interpreter: names the interpreter.
        guest: starts it; called only when something is not cached.
        reporter: hears about work that takes a while.
    """

    def __init__(
        self,
        cache: Path,
        interpreter: InterpreterRecipe,
        guest: Callable[[], PythonGuest],
        reporter: Reporter,
    ) -> None:
        self._cache = cache
        self._interpreter = interpreter
        self._start_guest = guest
        self._reporter = reporter
        self._under_way: dict[Path, Future[None]] = {}
        self._pools: list[ThreadPoolExecutor] = []

    def start(self, actors: Iterable[tuple[Tree, str]]) -> None:
        """Begin with the actors that are not in the cache, side by side; `build` waits for them.

        Args:
            actors: their folders and names.

        Raises:
            InterpreterError: there is no interpreter to compile with.
        """
        missing: dict[Path, tuple[Tree, str]] = {}
        for tree, name in actors:
            folder = self._folder(tree)
            if not (folder / _CONTRACT).is_file():
                missing.setdefault(folder, (tree, name))
        if not missing:
            return
        # Most runs find everything in the cache.
        from concurrent.futures import ThreadPoolExecutor

        guest = self._start_guest()
        pool = ThreadPoolExecutor(os.cpu_count())
        self._pools.append(pool)
        for folder, (tree, name) in missing.items():
            self._reporter.status("Compiling", name)
            self._under_way[folder] = pool.submit(_fill, guest, folder, tree)
        pool.shutdown(wait=False)

    def close(self) -> None:
        """Begin with nothing more; what nobody waited for is given up."""
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)

    def build(self, tree: Tree, name: str) -> tuple[tuple[PythonModule, ...], str]:
        """The modules of an actor's folder and its contract as JSON text.

        Args:
            tree: the folder.
            name: the actor's name, for progress.

        Raises:
            ModuleError: a module does not compile.
            GuestError: the actor cannot be loaded.
            InterpreterError: there is no interpreter to compile with.
        """
        folder = self._folder(tree)
        self.start([(tree, name)] if folder not in self._under_way else [])
        if folder in self._under_way:
            self._under_way[folder].result()
        modules = tuple(
            PythonModule(name=module, source=path, code=folder / code_path(path))
            for module, path in python_modules(tree)
        )
        return modules, (folder / _CONTRACT).read_text(encoding="utf-8")

    def _folder(self, tree: Tree) -> Path:
        key = f"{tree.digest}\n{self._interpreter.key()}\n"
        return self._cache / hashlib.sha256(key.encode()).hexdigest()


def _fill(guest: PythonGuest, folder: Path, tree: Tree) -> None:
    """Compile an actor into the cache. Of two processes that do so at once, one is first."""
    compiled = _compile(guest, tree)
    aside = folder.with_name(f"{folder.name}.{os.urandom(8).hex()}")
    aside.mkdir(parents=True)
    try:
        for module in compiled:
            file = aside / code_path(module.path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(module.code)
        contract = guest.describe([(module.name, module.code) for module in compiled])
        (aside / _CONTRACT).write_text(contract, encoding="utf-8")
        aside.rename(folder)
    except BaseException as error:
        import shutil  # here, because only failures need it

        shutil.rmtree(aside, ignore_errors=True)
        if not (isinstance(error, OSError) and (folder / _CONTRACT).is_file()):
            raise


def _compile(guest: PythonGuest, tree: Tree) -> list[_Compiled]:
    compiled = []
    codes = guest.compile((name, _source(tree, path)) for name, path in python_modules(tree))
    for name, path in python_modules(tree):
        try:
            compiled.append(_Compiled(name, path, next(codes)))
        except SourceError as error:
            raise ModuleError(path, error) from None
    return compiled


def python_modules(tree: Tree) -> Iterator[tuple[str, str]]:
    """Name and path of every Python module of an actor's folder.

    Folders that are hidden or called `tests` hold none, nor do files whose names cannot be
    imported. A package is named `package.__init__`.
    """
    for entry in tree.entries:
        path = PurePosixPath(entry.path)
        parts = path.with_suffix("").parts
        folders = parts[:-1]
        importable = path.suffix == ".py" and all(part.isidentifier() for part in parts)
        if importable and "tests" not in folders:
            yield ".".join(parts), entry.path


def code_path(source: str) -> str:
    """Where the code object of a source file is kept, relative to the same root."""
    return source.removesuffix(".py") + ".code"


def _source(tree: Tree, path: str) -> str:
    content = (tree.content(path) or b"").removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SourceError("the file is not UTF-8", line, 1) from None


def is_python(tree: Tree) -> bool:
    """Whether the folder holds a Python actor."""
    return any(entry.path in ENTRY_POINTS for entry in tree.entries)
