"""Python actors: compiled and described by the interpreter they will run on.

Nothing of an actor runs on the host. Code objects come from the interpreter itself, so they always
fit it; the contract comes from loading the actor in a sandbox. Both are cached under the digest of
the actor's folder and the key of the interpreter.
"""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, Protocol, Self

from wasmind.last_use import mark_used
from wasmind.records import Record
from wasmind_compiler.build.artifact import PythonModule
from wasmind_compiler.build.errors import ActorFault, SourceError
from wasmind_compiler.frontend.manifest import FILE_NAME
from wasmind_compiler.reporter import Reporter
from wasmind_compiler.resolution.tree import (
    LinkLeavesTreeError,
    Tree,
    TreeTooLargeError,
    read_tree,
)

if TYPE_CHECKING:
    from wasmind_compiler.task import Task

_CONTRACT: Final = "contract.json"
#: Over everything else in an entry of the cache, in hex.
_DIGEST: Final = "sha256"
#: Part of what names a result: changes whenever other bytecode is made of the same source.
_RECIPE: Final = "4"
#: Before the name of a module whose source text is handed over.
_SOURCE: Final = "source:"
#: Bytes of source from which on it is worth compiling in two instances.
_LARGE: Final = 20_000
ENTRY_POINTS: Final = ("actor.py", "actor/__init__.py")


class PythonSession(Protocol):
    """An instance of the interpreter, for one actor; left when it is not needed any more."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def compile(self, name: str, source: str) -> bytes:
        """The marshalled code object of a module. Raises `SourceError`, `GuestError`."""
        ...

    def describe(self, modules: Sequence[tuple[str, bytes]]) -> str:
        """The contract of an actor as JSON text, with what is wrong with it. Raises `GuestError`.

        Args:
            modules: names and code objects, and `source:` before a name with its source text.
        """
        ...


class PythonGuest(Protocol):
    """The interpreter component, ready to run."""

    def session(self) -> PythonSession:
        """A fresh instance. Asked for by several threads."""
        ...


class InterpreterRecipe(Protocol):
    """The interpreter component: cheap to name, expensive to have."""

    def key(self) -> str:
        """Changes whenever the component would."""
        ...

    def is_built(self) -> bool:
        """Whether this machine has it."""
        ...

    def digest(self) -> str | None:
        """The component's sha256 in hex; None if this machine has yet to build it."""
        ...

    def path(self) -> Path:
        """The component's file, built first if there is none or a damaged one.

        Raises `InterpreterError`.
        """
        ...


class ModuleError(SourceError):
    """A `SourceError` that knows its file in the actor's folder."""

    def __init__(self, path: str, error: SourceError) -> None:
        super().__init__(error.message, error.line, error.column)
        self.path = path


class _StoppedError(Exception):
    """Nobody waits for this actor any more."""


class _Compiled(Record):
    """A module with its path in the actor's folder and its code object."""

    name: str
    path: str
    code: bytes


class PythonBuilder:
    """Compiles Python actors, each once per content and interpreter.

    Args:
        cache: folder for the results.
        library: folder of the actors shipped with Wasmind. They are built along with the
            interpreter, so that whoever uses one finds it ready.
        interpreter: names the interpreter.
        guest: starts it; called only when something is not cached.
        reporter: hears about work that takes a while.
    """

    def __init__(
        self,
        cache: Path,
        library: Path,
        interpreter: InterpreterRecipe,
        guest: Callable[[], PythonGuest],
        reporter: Reporter,
    ) -> None:
        self._cache = cache
        self._library = library
        self._interpreter = interpreter
        self._start_guest = guest
        self._reporter = reporter
        self._under_way: dict[Path, Task[None]] = {}
        self._whole: set[Path] = set()
        self._crew: _Crew | None = None

    def start(self, actors: Iterable[tuple[Tree, str]]) -> None:
        """Begin with the actors that are not in the cache, side by side; `build` waits for them.

        Args:
            actors: their folders and names.

        Raises:
            InterpreterError: there is no interpreter to compile with.
        """
        missing = self._missing(actors)
        if not missing:
            return
        is_new = not self._interpreter.is_built()
        crew = self._crew = self._crew or _Crew(self._start_guest())
        for folder, (tree, name) in missing.items():
            self._reporter.status("Compiling", name)
            self._under_way[folder] = crew.begin(folder, tree)
        if is_new:
            self._build_library(crew)

    def close(self) -> None:
        """Begin with nothing more; what nobody waited for is given up."""
        if self._crew is not None:
            self._crew.stop()

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
        self.start([(tree, name)])
        if folder in self._under_way:
            self._under_way[folder].wait()
        mark_used(folder)
        modules = tuple(
            PythonModule(name=module, source=path, code=folder / code_path(path))
            for module, path in python_modules(tree)
        )
        return modules, (folder / _CONTRACT).read_text(encoding="utf-8")

    def _missing(self, actors: Iterable[tuple[Tree, str]]) -> Mapping[Path, tuple[Tree, str]]:
        """Those that are neither in the cache nor under way, by their folders there."""
        missing: dict[Path, tuple[Tree, str]] = {}
        for tree, name in actors:
            folder = self._folder(tree)
            if folder in self._under_way or folder in self._whole:
                continue
            if _is_whole(folder, tree):
                self._whole.add(folder)
            else:
                missing.setdefault(folder, (tree, name))
        return missing

    def _build_library(self, crew: _Crew) -> None:
        missing = self._missing(_python_actors(self._library))
        if missing:
            self._reporter.status("Compiling", "the actor library")
        for task in [crew.begin(folder, tree) for folder, (tree, _) in missing.items()]:
            # What is wrong with an actor is the business of those who use it.
            with suppress(ActorFault):
                task.wait()

    def _folder(self, tree: Tree) -> Path:
        interpreter = self._interpreter.key()
        key = f"{_RECIPE}\n{tree.digest}\n{interpreter}\n"
        return self._cache / (made_by(interpreter) + hashlib.sha256(key.encode()).hexdigest())


class _Crew:
    """Builds actors side by side, with as many instances at work as there are processors."""

    def __init__(self, guest: PythonGuest) -> None:
        # Most runs find everything in the cache and need no crew.
        from threading import Semaphore

        self._guest = guest
        self._room = Semaphore(os.cpu_count() or 1)
        self._stopped = False

    def begin(self, folder: Path, tree: Tree) -> Task[None]:
        """Put an actor into the cache. Of two processes that do so at once, one is first."""
        from wasmind_compiler.task import Task

        first, *others = _parts(tree)
        # Without room of its own while it waits for those that need it.
        helpers = [Task(partial(self._help, tree, part), self._room) for part in others]
        return Task(partial(self._fill, folder, tree, first, helpers))

    def stop(self) -> None:
        """Begin with nothing more."""
        self._stopped = True

    def _session(self) -> PythonSession:
        if self._stopped:
            raise _StoppedError
        return self._guest.session()

    def _help(self, tree: Tree, modules: Sequence[tuple[str, str]]) -> list[_Compiled]:
        with self._session() as session:
            return _compile(session, tree, modules)

    def _fill(
        self,
        folder: Path,
        tree: Tree,
        modules: Sequence[tuple[str, str]],
        helpers: Sequence[Task[list[_Compiled]]],
    ) -> None:
        with ExitStack() as stack:
            with self._room:
                session = stack.enter_context(self._session())
                compiled = _compile(session, tree, modules)
            for helper in helpers:
                compiled += helper.wait()
            with self._room:
                contract = session.describe(
                    [
                        *((module.name, module.code) for module in compiled),
                        *((_SOURCE + name, text) for name, text in _texts(tree)),
                    ]
                )
        _keep(folder, tree, compiled, contract)


def _keep(folder: Path, tree: Tree, compiled: Iterable[_Compiled], contract: str) -> None:
    """Put an actor into the cache, unless another process was faster."""
    aside = folder.with_name(f"{folder.name}.{os.urandom(8).hex()}")
    aside.mkdir(parents=True)
    try:
        for module in compiled:
            file = aside / code_path(module.path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(module.code)
        (aside / _CONTRACT).write_text(contract, encoding="utf-8")
        (aside / _DIGEST).write_text(_digest(aside, tree), encoding="utf-8")
        aside.rename(folder)
    except BaseException as error:
        import shutil  # here, because only failures need it

        if isinstance(error, OSError) and folder.is_dir() and not _is_whole(folder, tree):
            # What is left of an entry that was deleted in part, or damaged.
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):
                aside.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)
        if not (isinstance(error, OSError) and _is_whole(folder, tree)):
            raise


def _is_whole(folder: Path, tree: Tree) -> bool:
    """Whether an entry of the cache has everything, as it was made."""
    try:
        return (folder / _DIGEST).read_text(encoding="utf-8") == _digest(folder, tree)
    except (OSError, UnicodeDecodeError):
        return False


def _digest(folder: Path, tree: Tree) -> str:
    digest = hashlib.sha256()
    for name in (_CONTRACT, *(code_path(path) for _, path in python_modules(tree))):
        content = (folder / name).read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _compile(
    session: PythonSession, tree: Tree, modules: Sequence[tuple[str, str]]
) -> list[_Compiled]:
    compiled = []
    for name, path in modules:
        try:
            compiled.append(_Compiled(name, path, session.compile(name, _source(tree, path))))
        except SourceError as error:
            raise ModuleError(path, error) from None
    return compiled


def _texts(tree: Tree) -> Iterator[tuple[str, bytes]]:
    for name, path in python_modules(tree):
        yield name, _source(tree, path).encode()


def _parts(tree: Tree) -> list[list[tuple[str, str]]]:
    """The modules of an actor in one or two parts of about the same size.

    It depends on nothing but the actor, because bytecode depends a little on what the same instance
    compiled before.
    """
    modules = list(python_modules(tree))
    sizes = {module: len(tree.content(module[1]) or b"") for module in modules}
    if sum(sizes.values()) < _LARGE:
        return [modules]
    parts: tuple[list[tuple[str, str]], ...] = ([], [])
    for module in sorted(modules, key=sizes.__getitem__, reverse=True):
        min(parts, key=lambda part: sum(sizes[each] for each in part)).append(module)
    return [part for part in parts if part]


def _python_actors(library: Path) -> Iterator[tuple[Tree, str]]:
    """Folder and name of every Python actor in a folder of actors."""
    for manifest in sorted(library.glob(f"*/{FILE_NAME}")):
        with suppress(OSError, LinkLeavesTreeError, TreeTooLargeError):
            tree = read_tree(manifest.parent)
            if is_python(tree):
                yield tree, manifest.parent.name


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
        # A link to nothing is no module, nor is one to a folder.
        if importable and "tests" not in folders and tree.content(entry.path) is not None:
            yield ".".join(parts), entry.path


def made_by(interpreter: str) -> str:
    """How the names of folders begin that hold what the interpreter with this key made."""
    return f"{interpreter[:16]}-"


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
