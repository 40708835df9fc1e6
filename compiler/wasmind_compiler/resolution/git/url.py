"""URLs of git repositories: what they mean, which are refused, and what may be shown of them."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

from wasmind.records import Record
from wasmind_compiler.frontend.source import PORTS, USER_INFO, is_port

#: Schemes that need no consent, and those that carry no proof of who answers.
SAFE_SCHEMES: Final = frozenset({"https", "ssh", "file"})
INSECURE_SCHEMES: Final = frozenset({"http", "git"})

_PORTS: Final = {"https": "443", "http": "80", "ssh": "22", "git": "9418"}
#: Hosts that do not tell `Owner/Repo` from `owner/repo`.
_CASELESS: Final = frozenset({"github.com", "gitlab.com", "bitbucket.org", "codeberg.org"})
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:(?P<user>[^/@]*)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|"
    r"[^/:@]*)(?::(?P<port>[0-9]*))?(?P<path>/.*)?"
)
_SCP: Final = re.compile(r"(?:([\w.+-]+)@)?([\w.-]{2,}):(?!//)([^@]+)")
_HOST: Final = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]*)")
#: What a `git` key has before its host where the scheme was forgotten. A user alone is no secret in
#: the form of ssh, `git@host:path`.
_BARE_USER_INFO: Final = re.compile(
    r"""(?P<key>\bgit["']?\s*=\s*["']+)(?![\w+.-]+://|[\w.+-]+@[\w.-]+:)(?P<user>[^\s"']+)@"""
)
_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class Secret:
    """What proves to a host who asks. Never shown, written or hashed."""

    user: str = field(repr=False)
    password: str = field(repr=False)


class GitUrl(Record):
    """A URL that may be fetched from.

    Attributes:
        shown: as written but without secrets; for messages, the lockfile and git itself.
        canonical: equal for all spellings of one repository.
        host: lower-case, without port; empty for `file`.
        place: the host with its port, if that is not the usual one.
        secret: what the URL carried.
    """

    shown: str
    canonical: str
    scheme: str
    host: str
    place: str
    secret: Secret | None = None

    @property
    def path(self) -> str:
        """The canonical path on the host."""
        return _path(self.canonical)

    @property
    def folder(self) -> Path:
        """Where a `file` URL leads on this machine; to git, `#` and `?` are parts of the path."""
        return Path(os.fsdecode(unquote_to_bytes(_path(self.shown))))

    @property
    def climbs(self) -> bool:
        """Whether its path leads out of a folder that git's `insteadOf` puts before it."""
        return ".." in unquote(_path(self.shown)).replace("\\", "/").split("/")

    @property
    def is_insecure(self) -> bool:
        """Whether anybody on the way could answer instead of the host."""
        return self.scheme in INSECURE_SCHEMES and self.host not in _LOOPBACK


class UrlFault(Record):
    """Why a URL is refused. `replacement` is what was probably meant."""

    message: str
    help: str | None = None
    replacement: str | None = None
    is_scheme: bool = False


def mask_credentials(text: str) -> str:
    """A text with the user information of all URLs in it starred out, length unchanged.

    That of a `git` key is found without a scheme too.
    """
    if "@" not in text:
        return text
    return _BARE_USER_INFO.sub(_all_stars, USER_INFO.sub(_stars, text))


def _all_stars(found: re.Match[str]) -> str:
    return f"{found['key']}{'*' * len(found['user'])}@"


def _stars(found: re.Match[str]) -> str:
    text = found.group()[:-1]
    before = found.string[: found.start()]
    if before.endswith("ssh://"):
        user, colon, password = text.partition(":")
        return f"{user}{colon}{'*' * len(password)}@"
    return "*" * len(text) + "@"


def read_git_url(text: str) -> GitUrl | UrlFault:
    """Judge a URL as written."""
    if (found := _UNPRINTABLE.search(text)) is not None:
        return UrlFault(message=f"the git URL contains the character {found.group()!r}")
    parts = _URL.fullmatch(text)
    if parts is None:
        return _not_a_url(text)
    scheme = parts["scheme"].lower()
    if scheme not in SAFE_SCHEMES | INSECURE_SCHEMES:
        return UrlFault(
            message=f"git sources cannot use `{scheme}://`",
            help="use `https://`, `ssh://` or `file://`",
            is_scheme=True,
        )
    host, path = parts["host"].lower(), parts["path"] or ""
    if (fault := _fault(scheme, host, path)) is not None:
        return fault
    port = parts["port"] or ""
    if port and not is_port(port):
        return UrlFault(message="the git URL has no usable port", help=PORTS)
    place = host if port in {"", _PORTS.get(scheme)} else f"{host}:{port}"
    user, secret = _user_info(scheme, parts["user"])
    canonical_path = _canonical_path(host, path)
    # `~` is the home folder of the user, elsewhere it does not matter who asks.
    owner = user if canonical_path.startswith("/~") else ""
    return GitUrl(
        shown=f"{scheme}://{user}{place}{path}",
        canonical=f"{scheme}://{owner}{place}{canonical_path}",
        scheme=scheme,
        host=host,
        place=place,
        secret=secret,
    )


def _fault(scheme: str, host: str, path: str) -> UrlFault | None:
    if scheme == "file":
        if host not in {"", "localhost"}:
            advice = "write `file:///` and the absolute path"
            return UrlFault(message="a `file://` URL cannot name a host", help=advice)
    elif _HOST.fullmatch(host) is None:
        return UrlFault(message=f"the git URL has no usable host: `{host}`")
    if not path.strip("/"):
        return UrlFault(message="the git URL names no repository", help="add its path")
    return None


def _not_a_url(text: str) -> UrlFault:
    shown = mask_credentials(text)
    if text.startswith("-"):
        return UrlFault(message=f"a git URL cannot begin with `-`: `{shown}`")
    if (helper := re.match(r"[A-Za-z0-9_+-]+::", text)) is not None:
        return UrlFault(
            message=f"git's remote helpers such as `{helper.group()}` run programs and are refused",
            help="use `https://`, `ssh://` or `file://`",
            is_scheme=True,
        )
    if text.startswith(("/", "./", "../", "~")) or re.match(r"[A-Za-z]:[\\/]", text):
        return UrlFault(
            message=f"`{shown}` is a path, not a git URL",
            help="use `path = …` for a folder, or `file:///…` for a repository on this machine",
            replacement=f"file://{text}" if text.startswith("/") else None,
        )
    if (scp := _SCP.fullmatch(text)) is not None:
        user, host, path = scp.groups()
        rewritten = f"ssh://{user + '@' if user else ''}{host}/{path.lstrip('/')}"
        return UrlFault(
            message="the form `user@host:path` is no URL",
            help=f"write `{rewritten}`",
            replacement=rewritten,
        )
    return UrlFault(message=f"`{shown}` is no git URL", help="write `https://HOST/PATH`")


def _user_info(scheme: str, written: str | None) -> tuple[str, Secret | None]:
    """The user to keep in the URL, and what has to be kept out of sight."""
    if not written:
        return "", None
    user, _, password = written.partition(":")
    if scheme == "ssh":
        # ssh takes no password from git; the account is part of the address.
        return f"{user}@", Secret(user, unquote(password)) if password else None
    # A user without password is how tokens are written.
    return "", Secret(unquote(user), unquote(password))


def _path(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]


def _canonical_path(host: str, path: str) -> str:
    path = posixpath.normpath("/" + unquote(path).lstrip("/")).removesuffix(".git").rstrip("/")
    return path.lower() if host in _CASELESS else path
