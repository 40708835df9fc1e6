"""Secrets never leave the file they stand in: what is shown of it is covered, width for width."""

from __future__ import annotations

import re
from typing import Final

_COVER: Final = "*"
_NOT_LINE_END: Final = re.compile(r"[^\r\n]")
#: Keys of well-known services, by how they begin.
SECRET: Final = re.compile(
    r"\b(?:sk-(?:ant-|proj-|or-)?[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|AKIA[0-9A-Z]{16}"
    r"|AIza[0-9A-Za-z_-]{30,}|xox[abprs]-[A-Za-z0-9-]{10,}|hf_[A-Za-z0-9]{20,}"
    r"|gsk_[A-Za-z0-9]{20,}|r8_[A-Za-z0-9]{20,}"
    r"|eyJ[A-Za-z0-9_-]{10,1000}\.eyJ[A-Za-z0-9_-]{1,9000}\.[\w-]+)"
)
#: The secret of a URL's user part: the password, or a token in the place of the user. What should
#: have been escaped in a password counts too: `@`, or a `/` where no port comes before it.
USER_INFO: Final = re.compile(
    r"//(?P<user>[^\s/@:\"'`]*)(?::(?P<password>(?!\d*/)[^\s\"]{,100}|[^\s/\"]*))?@"
)
#: A name that promises a secret, up to its value. Bounds, here and below, are for hostile texts.
_NAME: Final = (
    r"(?:api[_-]?key|secret|password|passwd|token|authorization)[\w.-]{0,80}[\"']?"
    r"[ \t]{0,80}[=:][ \t]*"
)
_REFERENCE: Final = r"(?!os\.environ/)"
_STRING: Final = re.compile(
    rf"{_NAME}(?:"
    rf"\"{{3}}{_REFERENCE}(?P<long>(?:\\.|[^\\])*?)(?:\"{{3}}|\Z)"
    rf"|'{{3}}{_REFERENCE}(?P<raw>.*?)(?:'{{3}}|\Z)"
    rf"|\"{_REFERENCE}(?P<text>(?:\\[^\n]|[^\"\\\n])*)"
    rf"|'{_REFERENCE}(?P<literal>[^'\n]*))",
    re.IGNORECASE | re.DOTALL,
)
#: What else may follow it in a file: several strings, or one whose quotes were forgotten.
_BARE: Final = re.compile(
    rf"{_NAME}(?:\[(?P<array>[^\]]{{0,1000}}[\"'][^\]]{{0,1000}})"
    r"|(?!(?:[+-]?(?:[0-9][0-9a-fox_.:tz+-]{0,60}|nan|inf)|true|false)(?:[\s,\]}#]|\Z))"
    r"(?P<bare>[^\s\"'\[\]{},#][^\s,\]}#]*))",
    re.IGNORECASE,
)
_ORDINARY_USERS: Final = frozenset({"", "git"})


def masked(text: str) -> str:
    """The text with secrets covered, as long as before."""
    if "//" in text:
        text = USER_INFO.sub(_cover_user_info, text)
    text = SECRET.sub(lambda found: _COVER * len(found.group()), text)
    return _STRING.sub(_cover_value, text)


def masked_file(text: str) -> str:
    """The same for a whole TOML file, faulty ones included; lines stay where they are."""
    return _BARE.sub(_cover_value, masked(text))


def has_secret(text: str) -> bool:
    """Whether something in the text would be covered."""
    return masked(text) != text


def _cover_user_info(found: re.Match[str]) -> str:
    if found.group("password") is not None:
        return _cover(found, "password")
    # Over ssh the user is part of the address, and what proves it is a key.
    over_ssh = found.string.endswith("ssh:", 0, found.start())
    if over_ssh or found.group("user").lower() in _ORDINARY_USERS:
        return found.group()
    return _cover(found, "user")


def _cover_value(found: re.Match[str]) -> str:
    return _cover(found, found.lastgroup or "")


def _cover(found: re.Match[str], group: str) -> str:
    start, end = (offset - found.start() for offset in found.span(group))
    whole = found.group()
    covered = _NOT_LINE_END.sub(_COVER, whole[start:end])
    return whole[:start] + covered + whole[end:]
