"""What an instance is busy with outside of its guest, for people who wait for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wasmind.runtime.host.door import Host


@contextmanager
def doing(host: Host, what: str) -> Iterator[None]:
    """Inside the `with`, the instance does `what`, in words like `running bash`."""
    host.doing = (what, time.perf_counter())
    try:
        yield
    finally:
        host.doing = None
