"""An OpenSSH server of our own on the loopback interface, for whoever runs the tests."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.compiler.ssh_host import SSHD

#: Where a server that is started by root locks itself up.
_PRIVILEGE_SEPARATION = Path("/run/sshd")


@dataclass
class SshServer:
    """A running server.

    Attributes:
        folder: holds keys, settings and the log.
        port: where it listens.
    """

    folder: Path
    port: int

    @property
    def user(self) -> str:
        """Whom it lets in."""
        return getpass.getuser()

    def url(self, path: Path) -> str:
        """The URL of a repository on this machine."""
        return f"ssh://{self.user}@127.0.0.1:{self.port}{path}"

    def client(self, *, known: bool = True, key: str = "user") -> str:
        """The `ssh` command of a user.

        Args:
            known: whether the user knows the server's key.
            key: `user`, which the server knows, or `stranger`.
        """
        hosts = self.folder / ("known_hosts" if known else "no_hosts")
        return f"ssh -F none -o UserKnownHostsFile={hosts} -o IdentitiesOnly=yes " + (
            f"-o GlobalKnownHostsFile=none -i {self.folder / key}"
        )


@contextmanager
def serve_ssh(folder: Path) -> Iterator[SshServer]:
    """Serve with keys made for the occasion."""
    folder.mkdir()
    for name in ("host", "user", "stranger", "other"):
        _make_key(folder / name)
    shutil.copy(folder / "user.pub", folder / "authorized_keys")
    server = SshServer(folder, _free_port())
    _know(server, "host")
    settings = {
        "ListenAddress": "127.0.0.1",
        "Port": server.port,
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "authorized_keys",
        "PidFile": "none",
        "UsePAM": "no",
        "StrictModes": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
    }
    (folder / "config").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    if os.getuid() == 0:
        _PRIVILEGE_SEPARATION.mkdir(exist_ok=True)
    command = [str(SSHD), "-D", "-f", str(folder / "config"), "-E", str(folder / "log")]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        _wait_for(server, process)
        yield server
    finally:
        process.terminate()
        process.wait()


def replace_host_key(server: SshServer) -> None:
    """Let the user know another key for the server than the one it has."""
    _know(server, "other")


def protect(key: Path, passphrase: str) -> None:
    """Lock a key."""
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", passphrase, "-f", key], check=True)


def _know(server: SshServer, key: str) -> None:
    kind, public, *_ = (server.folder / f"{key}.pub").read_text().split()
    line = f"[127.0.0.1]:{server.port} {kind} {public}\n"
    (server.folder / "known_hosts").write_text(line)


def _make_key(path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(command, check=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(server: SshServer, process: subprocess.Popen[bytes]) -> None:
    """Until it listens."""
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", server.port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError((server.folder / "log").read_text())
