"""Which LiteLLM to start: a command, a `litellm` of this machine, or a container."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: The first release without CVE-2026-42208 and CVE-2026-42271.
OLDEST_SAFE: Final = (1, 83, 7)
#: Releases that sent credentials to strangers; they are never started.
STOLEN: Final = frozenset({(1, 82, 7), (1, 82, 8)})

_VERSION: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_DAEMON_SECONDS: Final = 10.0
_PORT_INSIDE: Final = 4000
_HOW: Final = "install it with `pip install 'wasmind[litellm]'`, or set `litellm.command`"


class ProxyError(Exception):
    """The proxy cannot be started, or ended; says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """How to start the proxy.

    Attributes:
        name: for people.
        arguments: the command, to which the configuration is appended.
        container: container name, for a proxy that Docker runs.
    """

    name: str
    arguments: tuple[str, ...]
    container: str | None = None

    def command(self, config: Path, port: int, names: Sequence[str]) -> list[str]:
        """The whole command line.

        Args:
            config: the proxy's configuration file.
            port: on the loopback interface.
            names: environment variables it needs; their values are never arguments.
        """
        if self.container is None:
            where = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
            return [*self.arguments, *where]
        run = ["docker", "run", "--rm", "--name", self.container, "--label", "wasmind=litellm"]
        run += ["-p", f"127.0.0.1:{port}:{_PORT_INSIDE}", "-v", f"{config}:/wasmind.yaml:ro"]
        for name in names:
            run += ["-e", name]
        # Inside the container; only a loopback port of this machine leads there.
        inside = ["--config", "/wasmind.yaml", "--host", "0.0.0.0", "--port", str(_PORT_INSIDE)]  # noqa: S104
        return [*run, *self.arguments, *inside]


def find_program(
    command: Sequence[str] | None,
    image: str | None,
    container: str,
    path: str | None = None,
    *,
    ask_docker: bool = True,
) -> Program:
    """The first of: the configured command, a `litellm` of this machine, Docker.

    Args:
        command: `litellm.command`.
        image: `litellm.image`, if the config has one.
        container: name for the container.
        path: where to look for programs; the `PATH` of the environment by default.
        ask_docker: find out whether its daemon answers, which can take seconds.

    Raises:
        ProxyError: none of them is there, or what is there must not be started.
    """
    if command:
        if shutil.which(command[0], path=path) is None:
            raise ProxyError(f"`{command[0]}` of `litellm.command` is not on this machine")
        return Program(name=command[0], arguments=tuple(command))
    if (script := installed_script(path)) is not None:
        _refuse_stolen(script)
        return Program(name="litellm", arguments=(str(script),))
    if image is None:
        raise ProxyError(f"LiteLLM is not installed; {_HOW}")
    _require_docker(path, ask=ask_docker)
    return Program(name=f"Docker image {image}", arguments=(image,), container=container)


def installed_script(path: str | None = None) -> Path | None:
    """The console script of LiteLLM: on `PATH`, else in this Python's own environment."""
    found = shutil.which("litellm", path=path)
    if found is None:
        found = shutil.which("litellm", path=sysconfig.get_path("scripts"))
    return None if found is None else Path(found)


def installed_version(script: Path) -> tuple[int, int, int] | None:
    """The version of the LiteLLM that `script` belongs to, read from its metadata; None if that
    is somewhere else than usual."""
    prefix = script.resolve().parent.parent
    for found in prefix.glob("lib/python3*/site-packages/litellm-*.dist-info"):
        if match := _VERSION.search(found.name):
            return int(match[1]), int(match[2]), int(match[3])
    return None


def is_unsafe(version: tuple[int, int, int]) -> bool:
    """Whether a version has holes that are known to be used."""
    return version < OLDEST_SAFE


def _refuse_stolen(script: Path) -> None:
    version = installed_version(script)
    if version is not None and version in STOLEN:
        shown = ".".join(map(str, version))
        raise ProxyError(
            f"`{script}` is LiteLLM {shown}, a release that sends your credentials to strangers; "
            f"remove it, change every key it has seen, and {_HOW}"
        )


def _require_docker(path: str | None, *, ask: bool) -> None:
    docker = shutil.which("docker", path=path)
    if docker is None:
        raise ProxyError(f"neither LiteLLM nor Docker is installed; {_HOW}")
    if not ask:
        return
    try:
        answer = subprocess.run(
            [docker, "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            timeout=_DAEMON_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ProxyError("the Docker daemon does not answer; start it, or " + _HOW) from None
    if answer.returncode != 0:
        raise ProxyError(f"Docker is installed but its daemon is not running; start it, or {_HOW}")
