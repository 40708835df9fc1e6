"""A Git LFS server on the loopback interface, beside `git http-backend` for the repositories."""

from __future__ import annotations

import hashlib
import json
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.compiler.repositories import Repository, serve, smart_handler


def pointer(content: bytes) -> bytes:
    """What stands in a repository for a file."""
    digest = hashlib.sha256(content).hexdigest()
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"
    ).encode()


def commit_large(remote: Repository, path: str, content: bytes) -> None:
    """Commit a file as Git LFS does, and keep it where the repository itself can hand it out."""
    remote.write(path, pointer(content))
    remote.commit()
    keep(remote, content)


def keep(remote: Repository, content: bytes, instead: bytes | None = None) -> Path:
    """Put an object into the store of a repository, or something else into its place."""
    digest = hashlib.sha256(content).hexdigest()
    path = remote.root / ".git" / "lfs" / "objects" / digest[:2] / digest[2:4] / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if instead is None else instead)
    return path


@dataclass
class LfsServer:
    """Serves the repositories below `root` and their big files.

    Attributes:
        objects: what it hands out, by sha256; may differ from what it should.
        password: value of the `Authorization` header that it wants; git wants none.
        href: where objects are said to be; None for this server.
        header: what is to be sent along when they are fetched.
        scheme: what the URLs of objects begin with.
        log: a line for each request: method, path and what `Authorization` it had.
    """

    root: Path
    objects: dict[str, bytes] = field(default_factory=dict)
    password: str | None = None
    href: Callable[[str, str], str] | None = None
    header: dict[str, str] = field(default_factory=dict)
    scheme: str = "http"
    log: list[str] = field(default_factory=list)

    def add(self, content: bytes, instead: bytes | None = None) -> str:
        """Have an object, or something else in its place; returns its id."""
        digest = hashlib.sha256(content).hexdigest()
        self.objects[digest] = content if instead is None else instead
        return digest

    def fetched(self) -> list[str]:
        """Ids of the objects that were fetched."""
        return [line.split("/")[-1].split()[0] for line in self.log if " /objects/" in line]

    def serve(self, tls: ssl.SSLContext | None = None) -> AbstractContextManager[str]:
        """Serve; yields the beginning of all URLs."""
        return serve(_handler(self), tls)


def _handler(server: LfsServer) -> type[BaseHTTPRequestHandler]:
    git: Any = smart_handler(server.root, [], None)

    class Handler(git):  # type: ignore[misc]
        """Big files here, everything else is git's."""

        def do_GET(self) -> None:
            if self.path.startswith("/objects/"):
                self._note()
                self._object(self.path.removeprefix("/objects/"))
            elif self.path.startswith("/elsewhere/"):
                self._note()
                self._send(302, b"", Location=f"/objects/{self.path.split('/')[-1]}")
            else:
                super().do_GET()

        def do_POST(self) -> None:
            if not self.path.endswith("/info/lfs/objects/batch"):
                super().do_GET()
                return
            self._note()
            if server.password not in {None, self.headers.get("Authorization")}:
                self._send(401, b"")
                return
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert question["operation"] == "download"
            answer = {"transfer": "basic", "objects": list(map(self._place, question["objects"]))}
            self._send(200, json.dumps(answer).encode())

        def _note(self) -> None:
            shown = self.headers.get("Authorization", "-")
            server.log.append(f"{self.command} {self.path} {shown}")

        def _place(self, wanted: dict[str, Any]) -> dict[str, Any]:
            oid = wanted["oid"]
            if oid not in server.objects:
                return {**wanted, "error": {"code": 404, "message": "no such object"}}
            here = f"{server.scheme}://{self.headers['Host']}"
            href = server.href(here, oid) if server.href else f"{here}/objects/{oid}"
            return {**wanted, "actions": {"download": {"href": href, "header": server.header}}}

        def _object(self, oid: str) -> None:
            self._send(200, server.objects[oid])

        def _send(self, status: int, content: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler
