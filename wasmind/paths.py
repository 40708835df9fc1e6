"""Where things live: the user's cache and configuration, and the data shipped with Wasmind."""

from __future__ import annotations

import os
from pathlib import Path

_SHIPPED = Path(__file__).parent / "share"


def shipped(part: str) -> Path:
    """A folder shipped with Wasmind: `schemas` or `actors`.

    In an installed wheel it lies inside the package, in a checkout beside it.
    """
    installed = _SHIPPED / part
    return installed if installed.is_dir() else Path(__file__).parent.parent / part


def cache_dir() -> Path:
    """The user's cache: `WASMIND_CACHE_DIR`, else `wasmind` below the platform's cache folder."""
    if explicit := os.environ.get("WASMIND_CACHE_DIR"):
        return Path(explicit).absolute()
    return _base("XDG_CACHE_HOME", ".cache", "LOCALAPPDATA", "cache")


def config_dir() -> Path:
    """The folder of the user-level `config.toml`."""
    return _base("XDG_CONFIG_HOME", ".config", "APPDATA", "config")


def state_dir() -> Path:
    """What Wasmind remembers of its user's decisions; unlike the cache, nothing makes it anew."""
    return _base("XDG_STATE_HOME", ".local/state", "LOCALAPPDATA", "state")


def _base(xdg: str, below_home: str, windows: str, windows_part: str) -> Path:
    # The reference uses the XDG layout on every system but Windows, macOS included.
    if os.name == "nt":
        return Path(os.environ.get(windows, Path.home())) / "wasmind" / "wasmind" / windows_part
    value = Path(os.environ.get(xdg, ""))
    base = value if value.is_absolute() else Path.home() / below_home
    return base / "wasmind"
