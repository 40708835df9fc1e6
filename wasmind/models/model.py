"""A model as actors name it: what answers, how often it is tried, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from wasmind.models.places import Places
from wasmind.models.upstream import Upstream
from wasmind.prices import Price

RETRIES: Final = 4


@dataclass(slots=True)
class Model:
    """A name and what stands behind it.

    Attributes:
        retries: further attempts after one that failed.
        fallback: names to try when this one is out of attempts, or refuses for a reason of its own.
        context_window: in tokens; None where it is not known.
        max_output_tokens: how long an answer may become, as far as that is declared.
        price: None where it is not known.
        places: who may ask when.
    """

    name: str
    upstream: Upstream
    retries: int = RETRIES
    fallback: Sequence[str] = ()
    context_window: int | None = None
    max_output_tokens: int | None = None
    price: Price | None = None
    places: Places = field(default_factory=Places)
