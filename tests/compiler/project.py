"""A small project on disk, and the compiler over it with a CPython stand-in for the interpreter."""

from __future__ import annotations

import hashlib
import json
import marshal
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from threading import Lock
from typing import Any, Self

import wasmtime

from wasmind_actor import contract
from wasmind_actor.modules import ActorModules
from wasmind_compiler import pipeline
from wasmind_compiler.build.errors import GuestError, SourceError
from wasmind_compiler.diagnostics.render_text import render_text
from wasmind_compiler.reporter import Reporter
from wasmind_compiler.resolution.git.limits import GitLimits
from wasmind_compiler.resolution.policy import LockPolicy

ROOT = Path(__file__).parent.parent.parent
#: What is said of an actor that does nothing, where a test is about its source.
ABOUT_ACTORS = frozenset({"WM0311", "WM0332", "WM0441", "WM0442", "WM0444", "WM0446"})
ECHO = ROOT / "tests" / "runtime" / "components" / "echo.wat"


class CPythonGuest:
    """Compiles with the host's Python; an actor's contract is the constant CONTRACT of its module.

    Stands in for the interpreter component where a test is about something else. An actor that
    imports the SDK is described by it, as in the component.
    """

    def session(self) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def compile(self, name: str, source: str) -> bytes:
        try:
            return marshal.dumps(compile(source, f"{name}.py", "exec"))
        except SyntaxError as error:
            raise SourceError(error.msg, error.lineno, error.offset) from None

    def describe(self, modules: Sequence[tuple[str, bytes]]) -> str:
        if any(b"wasmind_actor" in content for _, content in modules):
            return _described_by_the_sdk(modules)
        scope: dict[str, Any] = {}
        try:
            exec(marshal.loads(dict(modules)["actor"]), scope)
        except Exception as error:  # noqa: BLE001
            raise GuestError(f"Traceback: {error}") from None
        return json.dumps({**EMPTY_CONTRACT, **scope.get("CONTRACT", {})})


def _described_by_the_sdk(modules: Sequence[tuple[str, bytes]]) -> str:
    handed_over = ActorModules(dict(modules))
    with _ONE_ACTOR:  # is importable at a time
        handed_over.install()
        try:
            return contract.describe(handed_over)
        finally:
            handed_over.uninstall()


_ONE_ACTOR = Lock()
EMPTY_CONTRACT: dict[str, Any] = {
    "contract": 1,
    "name": "Actor",
    "summary": "",
    # What a user says is heard.
    "handles": [{"type": "wasmind.common.assistant.AddMessage", "scope": "any"}],
    "emits": [],
    "tools": [],
    "config": None,
    "capabilities": [],
    "spawns": None,
}


@dataclass
class FixedInterpreter:
    """An interpreter component that is already there."""

    file: Path
    is_new: bool = False
    component: bytes = b"\0asm the interpreter"

    def key(self) -> str:
        return "fixed"

    def is_built(self) -> bool:
        return not self.is_new

    def digest(self) -> str | None:
        return None if self.is_new else hashlib.sha256(self.component).hexdigest()

    def path(self) -> Path:
        self.file.write_bytes(self.component)
        return self.file


@dataclass
class Project:
    """Files below `root`, and what the compiler makes of `app.toml`."""

    root: Path
    guests_started: int = 0
    statuses: list[str] = field(default_factory=list)
    git_limits: GitLimits = field(default_factory=GitLimits)
    #: Codes a test has nothing to say about.
    quiet: set[str] = field(default_factory=set)

    def write(self, path: str, content: str | bytes) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = dedent(content).lstrip("\n").encode()
        target.write_bytes(content)
        return target

    def actor(self, name: str, manifest: str = "", **contract: Any) -> Path:
        """A Python actor in a folder of that name."""
        self.write(
            f"{name}/Wasmind.toml",
            f'actor_id = "test:{name.removeprefix("../").replace("/", "_")}"\n{dedent(manifest)}',
        )
        self.write(f"{name}/actor.py", f"CONTRACT = {contract!r}\n")
        return self.root / name

    def environment(self) -> pipeline.Environment:
        def start() -> CPythonGuest:
            self.guests_started += 1
            return CPythonGuest()

        cache = self.root.parent / "cache"
        cache.mkdir(exist_ok=True)
        return pipeline.Environment(
            cache=cache,
            schemas=ROOT / "schemas",
            wit=ROOT / "schemas" / "wit",
            library=self.root / "library",
            working_directory=self.root,
            interpreter=FixedInterpreter(cache / "interpreter.wasm"),
            guest=start,
            reporter=_Remember(self.statuses),
            git_limits=self.git_limits,
        )

    def check(self, app: str, **policy: Any) -> pipeline.Report:
        """Check `app` as the config."""
        policy_made = LockPolicy(**policy)
        return pipeline.check(self.write("app.toml", app), self.environment(), policy_made)

    def report_about(self, name: str, **options: bool) -> pipeline.Report:
        """Check the actor in a folder by itself."""
        return pipeline.check_actor(self.root / name, self.environment(), **options)

    def about(self, name: str, **options: bool) -> list[str]:
        """What that finds, in the form of `found`."""
        return self._listed(self.report_about(name, **options))

    def lock(self, app: str, **policy: Any) -> list[str]:
        """Lock `app`, and what that found, in the form of `found`."""
        config = self.write("app.toml", app)
        outcome = pipeline.lock(config, self.environment(), LockPolicy(**policy))
        return self._listed(outcome.report)

    def lockfile(self) -> str:
        """The text of the lockfile."""
        return (self.root / "app.lock").read_text()

    def text(self, app: str) -> str:
        """What people see when `app` is checked."""
        report = self.check(app)
        return render_text(report.diagnostics, report.texts)

    def found(self, app: str) -> list[str]:
        """`CODE file:line:column message` for each problem of `app`."""
        return self._listed(self.check(app))

    def _listed(self, report: pipeline.Report) -> list[str]:
        return [line for line in listed(report) if line.split()[0] not in self.quiet]


def app(url: str, rest: str = 'sub_dir = "actors/desk"', name: str = "desk") -> str:
    """A config of one git actor; the URL's value begins at column 19, line 4."""
    extra = f", {rest}" if rest else ""
    return f'starting_actors = ["{name}"]\n\n[actors.{name}]\nsource = {{ git = "{url}"{extra} }}\n'


def revision(project: Project) -> str:
    """The one commit of the lockfile."""
    (git,) = tomllib.loads(project.lockfile())["git"]
    return str(git["revision"])


def listed(report: pipeline.Report) -> list[str]:
    """`CODE file:line:column message` for each problem."""
    return [f"{each.code} {each.span or '-'} {each.message}" for each in report.diagnostics]


class _Remember(Reporter):
    wants_hosts = True

    def __init__(self, statuses: list[str]) -> None:
        self._statuses = statuses

    def status(self, verb: str, text: str) -> None:
        self._statuses.append(f"{verb} {text}")


def component(imports: str = "", export: str = "wasmind:actor/actor@0.1.0") -> bytes:
    """A component with the given imports (WAT) that exports an empty instance under a name."""
    text = f'(component {imports} (instance $actor) (export "{export}" (instance $actor)))'
    return bytes(wasmtime.wat2wasm(text))
