"""TOML values as JSON has them."""

from __future__ import annotations

import datetime
from typing import Any


def plain(value: Any) -> Any:
    """A TOML value as JSON: dates and times become strings."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return value
