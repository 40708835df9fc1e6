"""Time zones from memory: they are read before the snapshot, a running guest has no files."""

from __future__ import annotations

import io
import zoneinfo
from pathlib import Path
from typing import BinaryIO, Final

#: Copies of the package `tzdata`, beside this module while the snapshot is taken.
_FOLDER: Final = Path(__file__).parent / "tzdata"
_zones: dict[str, bytes] = {}


def load() -> None:
    """Make `zoneinfo` find every zone of the IANA database."""
    same: dict[bytes, bytes] = {}  # a third of the names are aliases
    for name in (_FOLDER / "zones").read_text("utf-8").split():
        content = (_FOLDER / "zoneinfo" / name).read_bytes()
        _zones[name] = same.setdefault(content, content)
    zoneinfo._common.load_tzdata = _open  # type: ignore[attr-defined]
    zoneinfo.available_timezones = lambda: set(_zones)


def _open(key: str) -> BinaryIO:
    try:
        return io.BytesIO(_zones[key])
    except KeyError:
        raise zoneinfo.ZoneInfoNotFoundError(f"No time zone found with key {key}") from None
