"""`wasmind info`: versions, folders and installed parts."""

from __future__ import annotations

import platform
import shutil
from importlib import metadata, util
from typing import Final

import click

from wasmind import __version__
from wasmind.cli import terminal
from wasmind.cli.sizes import human, tree_size
from wasmind.paths import cache_dir, config_dir, shipped

#: Extra to a module that is there only when the extra is installed.
_EXTRAS: Final = {"compiler": "lark"}
_PACKAGES: Final = (
    "wasmtime",
    "httpx",
    "click",
    "componentize-py",
    "jsonschema",
    "tomlkit",
    "lark",
)
_PROGRAMS: Final = {"git": "git sources", "dot": "faster drawings", "docker": "[litellm] in Docker"}


@click.command(name="info")
def command() -> None:
    """Show versions, folders, the size of the cache and which optional parts are installed."""
    system = f"{platform.system()} {platform.machine()}"
    terminal.result(f"wasmind {__version__}, Python {platform.python_version()}, {system}")
    _section("packages", {name: _version(name) for name in _PACKAGES})
    _section("optional parts", {extra: _extra(extra, module) for extra, module in _EXTRAS.items()})
    programs = {name: _program(name, purpose) for name, purpose in _PROGRAMS.items()}
    _section("programs", programs)
    files, size = tree_size(cache_dir()) if cache_dir().is_dir() else (0, 0)
    _section(
        "folders",
        {
            "cache": f"{cache_dir()}  ({human(size)} in {files} files)",
            "configuration": str(config_dir()),
            "actor library": str(shipped("actors")),
            "schemas": str(shipped("schemas")),
        },
    )


def _section(title: str, lines: dict[str, str]) -> None:
    terminal.result(f"\n{title}")
    for name, text in lines.items():
        terminal.result(f"  {name:<16} {text}")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _extra(extra: str, module: str) -> str:
    if util.find_spec(module) is not None:
        return "installed"
    return f"not installed; pip install 'wasmind[{extra}]'"


def _program(name: str, purpose: str) -> str:
    return shutil.which(name) or f"not found; only for {purpose}"
