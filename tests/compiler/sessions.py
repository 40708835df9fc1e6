"""Plays the shell sessions of the documentation: real commands, real git, real servers.

A session is Markdown. A code block below a line like "`app.toml`:" is a file, which is written when
the session comes to it. A block `console` has commands behind `$ `, lines that go on with `> `, and
what they print, where `...` stands for anything.

`python -m tests.compiler.sessions WM1001 …` writes what commands print now into the documentation.
"""

from __future__ import annotations

import doctest
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cli.conftest import MAIN
from tests.compiler import repositories
from tests.compiler.given import APP, ECHO, lay_out
from tests.compiler.repositories import Repository, serve_redirect, serve_smart
from tests.compiler.ssh_host import SSHD, ssh_config
from wasmind.paths import cache_dir
from wasmind_compiler.diagnostics.explain import SESSIONS

#: What `Authorization` has to say at the private host: `reader`, `s3cret`.
PASSWORD = "Basic cmVhZGVyOnMzY3JldA=="
DESK = 'actor_id = "example:desk"\nbuild.component = "desk.wasm"\n'

TLS = Path(__file__).parents[1] / "tls"

_BLOCK = re.compile(
    r"^(?:`(?P<path>[^`\n]+)`:\n\n```\w+|```console)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_COMMAND = re.compile(
    r"^\$ (?P<command>.*\n(?:> .*\n)*)(?P<printed>(?:(?!\$ ).*\n)*)", re.MULTILINE
)
_WASMIND = f'#!/bin/sh\nexec {sys.executable} -c "{MAIN}" "$@"\n'


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a session plays: its folder, the home of its user, and the hosts of example.org.

    The folder has what all examples take for granted, and the repository `actors` with the actor
    `desk`, which `https://git.example.org/actors` serves.
    """

    folder: Path
    home: Path
    hosts: Mapping[str, str]

    def play(self, session: str) -> str:
        """The session as it really goes; the same text if all commands print what they should."""
        return _BLOCK.sub(self._block, session)

    def _block(self, block: re.Match[str]) -> str:
        if block["path"] is None:
            return f"```console\n{_COMMAND.sub(self._command, block['text'])}```"
        lay_out(self.folder, {block["path"]: block["text"]})
        return block[0]

    def _command(self, command: re.Match[str]) -> str:
        printed = self._run(command["command"].replace("\n> ", "\n"))
        expected = command["printed"]
        same = doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS)
        return f"$ {command['command']}{expected if same else printed}"

    def _run(self, command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env={
                **repositories.ENVIRONMENT,
                "GIT_CONFIG_GLOBAL": str(self.home / ".gitconfig"),
                # ssh takes the home of the user from elsewhere.
                "GIT_SSH_COMMAND": f"ssh -F {self.home / 'ssh.config'}",
                "HOME": str(self.home),
                "PATH": f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        printed = done.stdout.decode()
        for name, address in self.hosts.items():
            printed = printed.replace(address, f"https://{name}")
        return printed


@contextmanager
def stage(root: Path) -> Iterator[Stage]:
    """A stage in an empty folder."""
    folder, home = root / "work", root / "home"
    lay_out(
        folder,
        {
            "app.toml": APP,
            "echo/Wasmind.toml": ECHO,
            "actors/desk/Wasmind.toml": DESK,
        },
    )
    actors = Repository(folder / "actors")
    actors.git("init", "--quiet", "--initial-branch=main")
    actors.commit("first")
    _furnish(home)
    tls = _trust(home)
    with ExitStack() as servers:
        git = servers.enter_context(serve_smart(folder, [], tls=tls))
        private = servers.enter_context(serve_smart(folder, [], PASSWORD, tls))
        old = servers.enter_context(serve_redirect(git, tls))
        hosts = {"git.example.org": git, "private.example.org": private, "old.example.org": old}
        with (home / ".gitconfig").open("a") as config:
            for name, address in hosts.items():
                config.write(f'[url "{address}/"]\n  insteadOf = https://{name}/\n')
        if SSHD is not None:
            ssh = servers.enter_context(ssh_config("git.example.org", home / "known_hosts"))
            (home / "ssh.config").write_text(ssh)
        yield Stage(folder, home, hosts)


def _furnish(home: Path) -> None:
    """A home with `wasmind`, and with the interpreter if this machine has built it already."""
    program = home / "bin" / "wasmind"
    program.parent.mkdir(parents=True)
    program.write_text(_WASMIND)
    program.chmod(0o755)
    cache = home / ".cache" / "wasmind"
    cache.mkdir(parents=True)
    for part in ("interpreter", "native"):
        if (cache_dir() / part).is_dir():
            (cache / part).symlink_to(cache_dir() / part)


def _trust(home: Path) -> ssl.SSLContext:
    """Make git in this home believe the servers here."""
    (home / ".gitconfig").write_text(f"[http]\n  sslCAInfo = {TLS / 'cert.pem'}\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    return context


def main() -> None:
    """Play sessions by code and write down how they went."""
    for code in sys.argv[1:]:
        path = SESSIONS / f"{code}.md"
        with TemporaryDirectory() as root, stage(Path(root)) as made:
            path.write_text(made.play(path.read_text()))


if __name__ == "__main__":
    main()
