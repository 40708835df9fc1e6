"""A host that proves who it is over ssh, and lets nobody in."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_PROGRAMS = ("ssh", "ssh-keygen", "setpriv")
SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
if not all(map(shutil.which, _PROGRAMS)):
    SSHD = None
#: sshd started by root wants a folder of the system, started by anybody else it does not.
_AS_NOBODY = "" if os.geteuid() else "setpriv --reuid=65534 --regid=65534 --clear-groups "


@contextmanager
def ssh_config(host: str, known_hosts: Path) -> Iterator[str]:
    """A configuration of ssh, as text, in which `host` is an sshd that each connection starts."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        key = Path(folder) / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        if _AS_NOBODY:
            key.chmod(0o644)
        yield (
            f"Host {host}\n"
            f"  ProxyCommand {_AS_NOBODY}{SSHD} -i -f /dev/null -o UsePAM=no -o HostKey={key}\n"
            f"  UserKnownHostsFile {known_hosts}\n"
            "  GlobalKnownHostsFile /dev/null\n"
        )
