"""What is said about sources that are written in a way that needs a closer look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from wasmind_compiler.diagnostics import Diagnostic, Fix, Span
from wasmind_compiler.diagnostics.masking import USER_INFO
from wasmind_compiler.diagnostics.rules import fetching, references
from wasmind_compiler.frontend.rewriting import replace_string
from wasmind_compiler.frontend.source import (
    PORTS,
    GitRef,
    GitSource,
    PathSource,
    Source,
    Written,
    is_port,
)

#: The transports of git that are authenticated or local, and need no helper program.
SCHEMES: Final = ("https", "ssh", "file")
#: Allowed where the user says so; that is judged when the source is looked up.
_INSECURE: Final = ("http", "git")

#: What a shell would expand in a path, and we do not.
UNEXPANDED: Final = re.compile(r"^~[^/]*|\$\{?\w+\}?|%\w+%")
_SCP: Final = re.compile(
    r"(?P<user>[\w.+-]+@)?(?P<host>[\w-]+(?:\.[\w-]+)*):(?!//)(?P<path>[^\s@]+)"
)
_EXAMPLE: Final = "for example `https://host/owner/repository.git`"
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(?:://|::)")
_PORT: Final = re.compile(r"[^/]*//(?:[^/?#]*@)?(?:\[[^/?#\]]*\]|[^/?#:@]*):([0-9]+)(?![^/?#])")
_TOKEN_USER: Final = re.compile(r"[A-Za-z0-9_-]{16,}")
_FULL_REVISION: Final = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
#: What git refuses in the name of a ref, see git-check-ref-format(1).
_BAD_IN_REF: Final = (
    (re.compile(r"^-"), "begins with `-`"),
    (re.compile(r"[\s\x00-\x1f\x7f]"), "contains a blank or control character"),
    (re.compile(r"[~^:?*\[\\]"), "contains a character that git refuses in names"),
    (re.compile(r"\.\.|@\{|//"), "contains a sequence that git refuses in names"),
    (re.compile(r"(?:^|/)\.|(?:/|\.lock|\.)$|^/"), "has a part that git refuses in names"),
)


def explain(source: Source) -> Iterator[Diagnostic]:
    """Everything about one source."""
    if isinstance(source, PathSource):
        yield from _portability(source.written, "path", source.path)
    elif isinstance(source, GitSource):
        yield from _url(source.written, source.git)
        if source.ref is not None:
            yield from _ref(source.written, source.ref)
        if source.sub_dir is not None:
            yield from _folder(source.written, source.sub_dir)


def _inside(written: Written, key: str, found: re.Match[str], group: int | str = 0) -> Span:
    return written.document.inside((*written.path, key), found.start(group), found.end(group))


def _portability(written: Written, key: str, text: str) -> Iterator[Diagnostic]:
    if (found := UNEXPANDED.search(text)) is not None:
        yield references.NOT_EXPANDED.at(
            _inside(written, key, found),
            f"`{found.group()}` is not expanded",
            help="write the folder out, best relative to this file",
        )
    if (backslash := re.search(r"\\", text)) is not None:
        fix = replace_string(
            written.document,
            (*written.path, key),
            text.replace("\\", "/"),
            title="use `/`, which works everywhere",
        )
        yield references.BACKSLASH.at(
            _inside(written, key, backslash),
            f"`{key}` has backslashes, which only Windows takes for separators",
            help=fix.title,
            fix=fix,
        )


def _url(written: Written, url: str) -> Iterator[Diagnostic]:
    span = written.span("git")
    scheme = _SCHEME.match(url)
    if scheme is None:
        yield _no_scheme(written, url)
        return
    if url.startswith(f"{scheme.group(1)}::") or scheme.group(1).lower() not in (
        *SCHEMES,
        *_INSECURE,
    ):
        listed = ", ".join(f"`{name}`" for name in SCHEMES)
        yield fetching.SCHEME_NOT_ALLOWED.at(
            _inside(written, "git", scheme, 1),
            f"git URLs with `{scheme.group(1)}` are not allowed",
            help=f"allowed: {listed}",
        )
        return
    port = _PORT.match(url)
    if port is not None and not is_port(port[1]):
        # The number is not repeated: it may be the beginning of a password with a slash.
        place = _inside(written, "git", port, 1)
        yield fetching.BAD_URL.at(place, "the git URL has no usable port", help=PORTS)
        yield from _credentials(written, url)
        return
    try:
        parts = urlsplit(url)
        complete = bool(parts.path.strip("/")) and (parts.scheme == "file" or bool(parts.hostname))
        # What is no number at all is noticed when the port is read.
        complete = complete and parts.port != 0
    except ValueError:
        # What is wrong would be said with a part of the text, which may be a password.
        yield fetching.BAD_URL.at(span, "the git URL has no usable host and port", help=_EXAMPLE)
        yield from _credentials(written, url)
        return
    if not complete or re.search(r"\s", url):
        what = "has a blank" if re.search(r"\s", url) else "names no repository"
        yield fetching.BAD_URL.at(span, f"the git URL {what}", help=_EXAMPLE)
    yield from _credentials(written, url)


def _no_scheme(written: Written, url: str) -> Diagnostic:
    path = (*written.path, "git")
    scp = _SCP.fullmatch(url)
    if scp is not None and not re.match(r"^[A-Za-z]:[\\/]", url):
        rewritten = f"ssh://{scp['user'] or ''}{scp['host']}/{scp['path'].lstrip('/')}"
        message = "a git URL needs a scheme; `host:path` is only known to ssh"
        if scp["host"].lower() in (*SCHEMES, *_INSECURE):
            slashes = "///" if scp["host"].lower() == "file" else "//"
            rewritten = f"{scp['host']}:{slashes}{scp['path'].lstrip('/')}"
            message = "after its scheme a git URL has `://`"
        title = f"write `{rewritten}`"
        return fetching.BAD_URL.at(
            written.span("git"),
            message,
            help=title,
            fix=replace_string(written.document, path, rewritten, title=title, sure=True),
        )
    if re.match(r"\.{0,2}/|~|[A-Za-z]:[\\/]", url):
        advice = "use `path` for a folder, or `file://` for a repository on this machine"
        local: Fix | None = None
        if url.startswith("/"):
            title = f"write `file://{url}`"
            local = replace_string(written.document, path, f"file://{url}", title=title)
        return fetching.BAD_URL.at(
            written.span("git"), "a folder is not a git URL", help=advice, fix=local
        )
    https = f"https://{url}"
    host = url.split("/", 1)[0]
    fix: Fix | None = None
    if "." in host and "/" in url and re.fullmatch(r"[\w./-]+", url) and not url.startswith("-"):
        fix = replace_string(written.document, path, https, title=f"write `{https}`")
    return fetching.BAD_URL.at(
        written.span("git"),
        "a git URL needs a scheme",
        help=fix.title if fix else _EXAMPLE,
        fix=fix,
    )


def _credentials(written: Written, url: str) -> Iterator[Diagnostic]:
    found = USER_INFO.search(url)
    if found is None:
        return
    group = "password" if found.group("password") else "user"
    if group == "user" and not _TOKEN_USER.fullmatch(found.group("user")):
        return
    yield fetching.URL_CREDENTIALS.at(
        _inside(written, "git", found, group),
        "the git URL carries a secret",
        label="masked here",
        help="use git's credential helper, `~/.netrc` or ssh, and change the secret",
    )


def _ref(written: Written, ref: GitRef) -> Iterator[Diagnostic]:
    inner = Written(document=written.document, path=(*written.path, "git_ref"))
    span = inner.span(ref.kind)
    if ref.kind == "rev" and not ref.text.startswith("refs/"):
        yield from _revision(span, ref.text)
        return
    for pattern, reason in _BAD_IN_REF:
        if (found := pattern.search(ref.text)) is not None:
            place = _inside(inner, ref.kind, found) if found.group() else span
            yield fetching.BAD_REF_NAME.at(
                place, f"`{ref.text}` cannot be the name of a {ref.kind}: it {reason}"
            )
            return


def _revision(span: Span, text: str) -> Iterator[Diagnostic]:
    if _FULL_REVISION.fullmatch(text):
        return
    # Anything but hex may be a ref of another kind, which whoever asks the repository can tell.
    if re.fullmatch(r"[0-9a-fA-F]{4,63}", text):
        yield fetching.ABBREVIATED_REV.at(
            span,
            f"`{text}` is only the beginning of a commit id",
            help=f"write all 40 digits: `git rev-parse {text}`",
        )


def _folder(written: Written, sub_dir: str) -> Iterator[Diagnostic]:
    leaving = re.search(r"(?:^|[/\\])(\.\.)(?=$|[/\\])|^([/\\]|[A-Za-z]:)", sub_dir)
    if leaving is not None:
        group = 1 if leaving.group(1) else 2
        yield fetching.SUB_DIR_LEAVES.at(
            _inside(written, "sub_dir", leaving, group),
            "`sub_dir` leads out of the repository",
            help="name a folder below the root of the repository, without `..`",
        )
    yield from _portability(written, "sub_dir", sub_dir)
