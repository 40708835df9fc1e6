"""Real git repositories to fetch from, and servers for them on the loopback interface."""

from __future__ import annotations

import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent
from typing import Any

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z",
}


@dataclass
class Repository:
    """A work tree with a `.git`."""

    root: Path

    @classmethod
    def make(cls, root: Path, *options: str) -> Repository:
        root.mkdir(parents=True)
        repository = cls(root)
        repository.git("init", "--quiet", "--initial-branch=main", *options)
        return repository

    @property
    def url(self) -> str:
        return f"file://{self.root}"

    def git(self, *arguments: str, stdin: bytes | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=ENVIRONMENT,
            input=stdin,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def write(self, path: str, content: str | bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = dedent(content).encode()
        target.write_bytes(content)

    def actor(self, folder: str, manifest: str = "", **contract: Any) -> None:
        """A Python actor, not committed yet."""
        name = Path(folder).name if folder != "." else "root"
        self.write(f"{folder}/Wasmind.toml", f'actor_id = "test:{name}"\n{dedent(manifest)}')
        self.write(f"{folder}/actor.py", f"CONTRACT = {contract!r}\n")

    def commit(self, message: str = "change") -> str:
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.head()

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def tree(self, *items: tuple[str, str, str]) -> str:
        """A tree object from raw (mode, name, id), however malformed."""
        raw = b"".join(
            f"{mode} {name}".encode() + b"\0" + bytes.fromhex(oid) for mode, name, oid in items
        )
        return self.git("hash-object", "-t", "tree", "--literally", "-w", "--stdin", stdin=raw)

    def blob(self, content: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", stdin=content)

    def commit_tree(self, tree: str, branch: str = "main") -> str:
        commit = self.git("commit-tree", "-m", "raw", tree)
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return commit


class _Quiet(BaseHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Nothing."""


def smart_handler(
    root: Path, log: list[str], password: str | None, *, old: bool = False
) -> type[BaseHTTPRequestHandler]:
    """Answers for the repositories below a folder, to whoever knows the password.

    An `old` server speaks version 0 of git's protocol: it gives out what refs name, nothing less.
    """

    class Smart(_Quiet):
        """`git http-backend` as CGI."""

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            log.append(f"{self.command} {self.path}")
            if password is not None and not self._let_in():
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            environment = {
                **ENVIRONMENT,
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": "" if old else self.headers.get("Git-Protocol", ""),
                "REMOTE_ADDR": "127.0.0.1",
                "GIT_CONFIG_COUNT": "2",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
                "GIT_CONFIG_KEY_1": "uploadpack.allowFilter",
                "GIT_CONFIG_VALUE_1": "true",
            }
            done = subprocess.run(
                ["git", "http-backend"], input=body, capture_output=True, env=environment
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def _let_in(self) -> bool:
            if self.headers.get("Authorization") == password:
                return True
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return False

    return Smart


def _files(root: Path, log: list[str]) -> type[BaseHTTPRequestHandler]:
    class Files(SimpleHTTPRequestHandler):
        """A plain web server, which git calls dumb."""

        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(root))

        def do_GET(self) -> None:
            log.append(f"GET {self.path}")
            super().do_GET()

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    return Files


def _redirect(target: str) -> type[BaseHTTPRequestHandler]:
    class Redirect(_Quiet):
        """Sends everybody elsewhere."""

        def do_GET(self) -> None:
            self.send_response(301)
            self.send_header("Location", target + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Redirect


def _silent(log: list[str]) -> type[BaseHTTPRequestHandler]:
    class Silent(_Quiet):
        """Accepts and never answers."""

        def do_GET(self) -> None:
            log.append(self.path)
            threading.Event().wait(30)

    return Silent


def _endless(head: bytes, page: bytes) -> type[BaseHTTPRequestHandler]:
    class Endless(_Quiet):
        """Lists refs of a repository without end."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
            self.end_headers()
            self.wfile.write(head)
            while True:
                self.wfile.write(page)

    return Endless


@contextmanager
def serve(
    handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve on a free port; yields the beginning of all URLs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    # A client that was cut off is none of the test's business.
    server.handle_error = lambda request, address: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        scheme = "http" if tls is None else "https"
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def serve_smart(
    root: Path, log: list[str], password: str | None = None, tls: ssl.SSLContext | None = None
) -> Any:
    """`git http-backend` for the repositories below a folder."""
    return serve(smart_handler(root, log, password), tls)


def serve_old(root: Path, log: list[str]) -> Any:
    """The same as years ago; see `smart_handler`."""
    return serve(smart_handler(root, log, None, old=True))


def serve_files(root: Path, log: list[str]) -> Any:
    """The files below a folder, as they are."""
    return serve(_files(root, log))


def serve_redirect(target: str, tls: ssl.SSLContext | None = None) -> Any:
    """A redirect to another server."""
    return serve(_redirect(target), tls)


def serve_silence(log: list[str]) -> Any:
    """A server that hangs."""
    return serve(_silent(log))


def serve_endless_refs() -> Any:
    """A server of version 0 of git's protocol that has more refs than anybody can remember."""

    def packet(content: str) -> bytes:
        return f"{len(content) + 4:04x}{content}".encode()

    service = packet("# service=git-upload-pack\n") + b"0000"
    first = packet(f"{'1' * 40} HEAD\0agent=test\n")
    others = (packet(f"{'1' * 40} refs/heads/{number}\n") for number in range(20_000))
    return serve(_endless(service + first, b"".join(others)))


def ssh_to_here(script: Path, first: str) -> str:
    """What git is to take for ssh: runs commands here, and something else in the shell `first`.

    `first` finds the folder of the script in `$FOLDER` and whom git asked in `$host`.
    """
    script.write_text(
        f"FOLDER={script.parent}\n"
        'for word; do case "$word" in *127.0.0.1) host=$word;; esac; command=$word; done\n'
        f'export HOME\n{first}\nexec sh -c "$command"\n'
    )
    return f"sh {script}"
