"""A Git LFS server, asked through its batch API.

https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md

What a server answers is not trusted: it may send us only to hosts and transports that the source
itself may use, what it sends is measured while it comes, and credentials go to the repository's own
host alone. A `.lfsconfig` in the repository has no say.
"""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from wasmind_compiler.resolution.git.lfs import LfsError, Pointer
from wasmind_compiler.resolution.git.program import GitCommandError
from wasmind_compiler.resolution.git.store import Repository
from wasmind_compiler.resolution.git.url import GitUrl, UrlFault, read_git_url

_MEDIA_TYPE: Final = "application/vnd.git-lfs+json"
_AT_ONCE: Final = 100
_MOST_ANSWER: Final = 4 * 2**20
_MOST_HOPS: Final = 5
_FAILURES: Final = (httpx.HTTPError, httpx.InvalidURL)
_TIMEOUT: Final = httpx.Timeout(60, connect=30)


@dataclass(frozen=True, slots=True)
class _Download:
    """Where an object is. The headers may hold a secret of their own."""

    href: str
    header: Mapping[str, str] = field(repr=False)


class LfsServer:
    """The server of a repository.

    Args:
        repository: the repository; its git tells credentials and keeps the time.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._endpoint = _endpoint(repository.address())
        self._authorization: str | None = None

    def download(self, wanted: Iterable[Pointer]) -> Iterator[tuple[Pointer, bytes]]:
        """Fetch objects and check what comes.

        Raises:
            LfsError: an object cannot be had, or is not what its pointer says.
            GitCommandError: the server wants credentials and has got none, or wrong ones.
            LimitExceededError: it takes too long.
        """
        left = iter(wanted)
        with httpx.Client(timeout=_TIMEOUT, verify=self._trust()) as client:
            while batch := list(islice(left, _AT_ONCE)):
                places = self._ask(client, batch)
                for pointer in batch:
                    try:
                        yield pointer, pointer.check(self._get(client, pointer, places[pointer]))
                    except (httpx.LocalProtocolError, httpx.InvalidURL, ValueError):
                        # A header or URL that cannot be sent, such as one with odd characters. The
                        # library quotes it, and it may hold a secret.
                        message = "what the server says of its place cannot be used"
                        raise LfsError(pointer, message) from None
                    except _FAILURES as error:
                        raise LfsError(pointer, f"the server does not answer: {error}") from error
                    finally:
                        self._repository.progress("")

    def _ask(self, client: httpx.Client, batch: list[Pointer]) -> Mapping[Pointer, _Download]:
        """Where the objects of a batch are."""
        question = {
            "operation": "download",
            "transfers": ["basic"],
            "hash_algo": "sha256",
            "objects": [{"oid": pointer.oid, "size": pointer.size} for pointer in batch],
        }
        url = f"{self._endpoint}/objects/batch"
        try:
            answer = self._post(client, url, question)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                self._authorization = self._credentials()
                answer = self._post(client, url, question)
        except _FAILURES as error:
            raise LfsError(None, f"`{url}` does not answer: {error}") from error
        if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            # In git's words, so that it is explained like a refusal to git.
            raise GitCommandError(f"`{url}`: the returned error: {answer.status_code}")
        if answer.status_code != httpx.codes.OK:
            raise LfsError(None, f"`{url}` answers with status {answer.status_code}")
        return _read_answer(answer.content, batch)

    def _post(self, client: httpx.Client, url: str, question: Any) -> httpx.Response:
        self._judge(url, None)
        headers = {"Accept": _MEDIA_TYPE, "Content-Type": _MEDIA_TYPE, **self._own_headers(url)}
        with client.stream("POST", url, content=json.dumps(question), headers=headers) as answer:
            content = self._body(answer, _MOST_ANSWER, None)
            return httpx.Response(answer.status_code, content=content)

    def _get(self, client: httpx.Client, pointer: Pointer, place: _Download) -> bytes:
        url, headers = place.href, None
        for _ in range(_MOST_HOPS):
            self._judge(url, pointer)
            if headers is None:
                headers = {**self._own_headers(url), **place.header}
            with client.stream("GET", url, headers=headers) as answer:
                if answer.has_redirect_location:
                    target = str(answer.url.join(answer.headers["location"]))
                    headers = headers if _origin(target) == _origin(url) else {}
                    url = target
                elif answer.status_code == httpx.codes.OK:
                    return self._body(answer, pointer.size, pointer)
                else:
                    raise LfsError(pointer, f"the server answers with status {answer.status_code}")
        raise LfsError(pointer, "the server redirects without end")

    def _body(self, answer: httpx.Response, most: int, pointer: Pointer | None) -> bytes:
        """What comes, given up on when it is more than it may be."""
        content = bytearray()
        for chunk in answer.iter_raw():
            self._repository.check_time()
            content += chunk
            self._repository.progress(f"Receiving big files: {len(content) / 2**20:.1f} MiB")
            if len(content) > most:
                raise LfsError(pointer, f"the server sends more than {most} bytes")
        return bytes(content)

    def _judge(self, url: str, pointer: Pointer | None) -> None:
        """Refuse places that the source itself could not name."""
        read = read_git_url(url)
        own = self._repository.url
        if isinstance(read, UrlFault) or read.scheme not in {"https", "http"}:
            raise LfsError(pointer, "the server names a place that cannot be fetched from")
        if read.is_insecure and not own.is_insecure:
            message = f"the server names a place without encryption: `{read.shown}`"
            raise LfsError(pointer, message)
        if not self._repository.allows(read.host):
            message = f"the server names `{read.host}`, which `WASMIND_GIT_HOSTS` does not allow"
            raise LfsError(pointer, message)
        self._repository.further_hosts.add(read.host)

    def _own_headers(self, url: str) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}
        if self._authorization is not None and _origin(url) == _origin(self._endpoint):
            headers["Authorization"] = self._authorization
        return headers

    def _trust(self) -> ssl.SSLContext:
        """Whose certificates count: those that count for git."""
        return ssl.create_default_context(cafile=self._repository.certificates(self._endpoint))

    def _credentials(self) -> str:
        """What git knows about the endpoint, from the URL or from its credential programs."""
        parts = urlsplit(self._endpoint)
        user, password = self._repository.credentials(parts.scheme, parts.netloc, parts.path)
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _endpoint(address: GitUrl) -> str:
    """Where Git LFS looks for the server of a repository that says nothing about it."""
    parts = urlsplit(address.shown)
    # Over ssh and git:// only git itself can be reached.
    scheme = address.scheme if address.scheme in {"http", "https"} else "https"
    place = parts.netloc if scheme == address.scheme else address.host
    path = parts.path.rstrip("/")
    suffix = "/info/lfs" if path.endswith(".git") else ".git/info/lfs"
    return f"{scheme}://{place}{path}{suffix}"


def _read_answer(content: bytes, batch: list[Pointer]) -> Mapping[Pointer, _Download]:
    try:
        answer = json.loads(content)
        said = {each["oid"]: each for each in answer["objects"]}
    except (ValueError, TypeError, KeyError, RecursionError):
        raise LfsError(None, "the answer of the server is not of the batch API") from None
    return {pointer: _read_place(pointer, said.get(pointer.oid)) for pointer in batch}


def _read_place(pointer: Pointer, said: Any) -> _Download:
    error = said.get("error") if isinstance(said, dict) else {"message": "it says nothing of it"}
    if isinstance(error, dict):
        code, message = error.get("code", ""), str(error.get("message", ""))
        raise LfsError(pointer, f"the server does not have it: {code} {message[:200]}".rstrip())
    try:
        action = said["actions"]["download"]
        header = action.get("header") or {}
        return _Download(str(action["href"]), {str(key): str(header[key]) for key in header})
    except (KeyError, TypeError, AttributeError):
        raise LfsError(pointer, "the server does not say where it is") from None


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
