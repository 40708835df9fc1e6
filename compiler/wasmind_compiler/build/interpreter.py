"""The shared interpreter component: from the release, or built once per machine in a checkout.

componentize-py starts CPython in WebAssembly, imports the app in `actors/sdk/interpreter` together
with the SDK, Jinja, the time zones and the standard library, and keeps a snapshot of that. Its
output differs from build to build (see `shipped`), so an interpreter built here is named by what
goes into it and pinned by the digest of what came out; one that a release brings along is named by
its digest.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wasmind.last_use import mark_used
from wasmind_compiler.build import shipped as releases
from wasmind_compiler.build.errors import InterpreterError
from wasmind_compiler.reporter import Reporter

WORLD: Final = "wasmind:ext/python-actor@0.1.0"

_APP: Final = "app"
_LIBRARIES: Final = ("jinja2", "markupsafe")
_ZONES: Final = "tzdata"
#: Part of the key: changes whenever this recipe does.
_RECIPE: Final = "1"
_RUN_COMPONENTIZE: Final = "import sys, componentize_py; sys.exit(componentize_py.script())"


class InterpreterBuildError(InterpreterError):
    """The interpreter could not be built; the text holds what componentize-py said."""


def interpreter_key(sdk: Path, wit: Path) -> str:
    """What names an interpreter: sha256, in hex, over everything that goes into it.

    Args:
        sdk: folder with `wasmind_actor/` and `interpreter/`.
        wit: folder with the WIT packages `actor/` and `ext/`.
    """
    digest = hashlib.sha256(f"interpreter {_RECIPE}\n".encode())
    for package in ("componentize_py", _ZONES):
        digest.update(f"{package} {_version(package)}\n".encode())
    for name, path in _inputs(sdk, wit):
        # Unbuffered and without objects made of paths: every `check` reads all of it.
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            content = file.read()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def interpreter_path(cache: Path, key: str) -> Path:
    """Where the interpreter with that key is, once it is built."""
    return cache / "interpreter" / f"{key}.wasm"


def build_interpreter(
    cache: Path,
    sdk: Path,
    wit: Path,
    reporter: Reporter,
    *,
    key: str | None = None,
    shipped: releases.ShippedInterpreter | None = None,
) -> Path:
    """The interpreter component for these inputs, made if the cache has none or a damaged one.

    Safe to call from several processes at once: one makes it, the others wait.

    Args:
        cache: the user's cache folder.
        sdk: see `interpreter_key`.
        wit: likewise.
        reporter: hears about a build.
        key: the interpreter's, if it is known already.
        shipped: the one of the release, which is unpacked; nothing is built then.

    Raises:
        InterpreterError: the one of the release is damaged, or componentize-py failed.
    """
    name = shipped.sha256 if shipped else key or interpreter_key(sdk, wit)
    target = interpreter_path(cache, name)
    if _is_sound(target):
        mark_used(target)
        return target
    from filelock import FileLock  # here, because checking a cached config must not pay for it

    folder = target.parent
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_suffix(".lock")):
        if not _is_sound(target):
            import tempfile  # not needed where the interpreter is there already

            with tempfile.TemporaryDirectory(prefix="build-", dir=folder) as scratch:
                if shipped:
                    made = Path(scratch) / "interpreter.wasm"
                    releases.unpack(shipped, made)
                else:
                    text = "the Python interpreter component (once per machine)"
                    reporter.status("Building", text)
                    made = _componentize(Path(scratch), sdk, wit)
                # First what is known about the component, so that it is never about another one.
                _digest_file(target).write_text(_digest(made), encoding="utf-8")
                made.replace(target)  # on the same file system, hence atomic
    return target


def interpreter_digest(component: Path) -> str:
    """The sha256, in hex, of what `build_interpreter` returned, as it was when it was built."""
    try:
        return _digest_file(component).read_text(encoding="utf-8")
    except FileNotFoundError:
        return _digest(component)


def _is_sound(component: Path) -> bool:
    """Whether it is there as it was made: disks fill up, and machines stop in between."""
    try:
        return _digest_file(component).read_text(encoding="utf-8") == _digest(component)
    except (OSError, UnicodeDecodeError):
        return False


def _digest_file(component: Path) -> Path:
    return component.with_suffix(".sha256")


def _digest(component: Path) -> str:
    with component.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _inputs(sdk: Path, wit: Path) -> Iterator[tuple[str, str]]:
    """Name and path of every source file, in a stable order."""
    roots = [
        ("interpreter", sdk / "interpreter", ".py"),
        ("wasmind_actor", sdk / "wasmind_actor", ".py"),
        *((library, _package_folder(library), ".py") for library in _LIBRARIES),
        ("wit", wit, ".wit"),
    ]
    for name, root, ending in roots:
        paths = {
            f"{folder[len(os.fspath(root)) :]}/{file}".replace(os.sep, "/"): f"{folder}/{file}"
            for folder, _, files in os.walk(root)
            for file in files
            if file.endswith(ending)
        }
        for relative in sorted(paths):
            yield f"{name}{relative}", paths[relative]


def _componentize(scratch: Path, sdk: Path, wit: Path) -> Path:
    app, output = scratch / "app", scratch / "interpreter.wasm"
    _copy_sources(sdk / "interpreter", app)
    _copy_sources(sdk / "wasmind_actor", app / "wasmind_actor")
    for library in _LIBRARIES:
        _copy_sources(_package_folder(library), app / library)
    _copy_zones(app / _ZONES)
    arguments = ["--quiet"]
    for package in ("actor", "ext"):  # a package comes after what it refers to
        arguments += ["--wit-path", str(wit / package)]
    arguments += ["--world", WORLD, "componentize", "--python-path", str(app)]
    arguments += ["--output", str(output), _APP]
    import subprocess  # not needed where the interpreter is built already

    finished = subprocess.run(
        [sys.executable, "-c", _RUN_COMPONENTIZE, *arguments],
        env={**os.environ, "VIRTUAL_ENV": str(_empty_environment(scratch))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode or not output.exists():
        said, _, _ = f"{finished.stdout}{finished.stderr}".partition("\nStack backtrace:")
        raise InterpreterBuildError(
            f"componentize-py failed with exit code {finished.returncode}:\n{said.rstrip()}"
        )
    return output


def _copy_sources(source: Path, target: Path) -> None:
    """Copy the Python files only: a guest can load neither extension modules nor caches."""
    for path in source.rglob("*.py"):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())


def _copy_zones(target: Path) -> None:
    """Copy the time zones, which are no modules."""
    import shutil  # not needed where the interpreter is built already

    source = _package_folder(_ZONES)
    shutil.copytree(source / "zoneinfo", target / "zoneinfo")
    shutil.copy(source / "zones", target / "zones")


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        # Only a checkout makes its interpreter itself.
        extra = "compiler" if name in _LIBRARIES else "build"
        raise InterpreterBuildError(f"`{name}` is not installed: install `wasmind[{extra}]`")
    return Path(spec.origin).parent


def _version(package: str) -> str:
    # Asked for on every `check`; importlib.metadata alone takes longer to import than the rest.
    site = _package_folder(package).parent
    found = sorted(path.name for path in site.glob(f"{package}-*.dist-info"))
    if found:
        return found[-1].removesuffix(".dist-info").partition("-")[2]
    from importlib.metadata import version

    return version(package)


def _empty_environment(scratch: Path) -> Path:
    """A virtual environment without packages, lest those of the host become importable."""
    environment = scratch / "environment"
    (environment / "lib" / "python3" / "site-packages").mkdir(parents=True)
    return environment
