"""What people can do about a refusal."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from wasmind.models.errors import Code, ModelError
from wasmind.models.refusal import is_unknown_model

if TYPE_CHECKING:
    from wasmind.models.endpoint import Target

_LIST_SECONDS: Final = 5.0
_MOST_NAMES: Final = 8
_TOKENS: Final = re.compile(r"\b(\d{3,9})\b")


class Advice:
    """For the errors of one target.

    Args:
        target: what was asked.
        fetch: gets the provider's list of models within so many seconds; may raise ModelError.
    """

    def __init__(self, target: Target, fetch: Callable[[float], Any]) -> None:
        self._target = target
        self._fetch = fetch
        self._names: tuple[str, ...] | None = None

    def add(self, error: ModelError) -> None:
        """Put advice into an error that has none."""
        if error.advice:
            return
        if error.code is Code.AUTHENTICATION:
            error.advice = self._about_key()
        elif error.code is Code.CONTEXT_LENGTH:
            # Without the status and the address, whose numbers are none of tokens.
            error.advice = _about_length(str(error).rpartition(f" ({error.status} from ")[0])
        elif is_unknown_model(error.status, str(error)):
            error.advice = self._about_names()

    def _about_key(self) -> str:
        provider = self._target.provider
        page = f"; keys are made at {provider.key_page}" if provider.key_page else ""
        named = f" in `{provider.keys[0]}`" if provider.keys else " in `api_key` of the model"
        return f"check the key{named}{page}"

    def _about_names(self) -> str:
        names, provider = self._listed(), self._target.provider
        if provider.name == "ollama":
            have = f"; there are: {', '.join(names[:_MOST_NAMES])}" if names else ""
            return f"`ollama pull {self._target.model}` gets it{have}"
        if not names:
            return ""
        near = difflib.get_close_matches(self._target.model, names, _MOST_NAMES, 0.5)
        shown = ", ".join(near or names[:_MOST_NAMES])
        return f"the provider has: {shown}" + (" and others" if len(names) > _MOST_NAMES else "")

    def _listed(self) -> tuple[str, ...]:
        if self._names is None:
            self._names = ()
            try:
                found = self._fetch(_LIST_SECONDS)
            except ModelError:
                return ()
            data = found.get("data") if isinstance(found, dict) else None
            ids = [each.get("id") for each in data or () if isinstance(each, dict)]
            self._names = tuple(sorted(name for name in ids if isinstance(name, str)))
        return self._names


def _about_length(words: str) -> str:
    """How much too long a conversation is, if the words say so."""
    numbers = sorted({int(found) for found in _TOKENS.findall(words)})
    over = f"it is {numbers[-1] - numbers[0]} tokens too long; " if len(numbers) == 2 else ""
    return f"{over}shorten the conversation, or give the model a `fallback` that can read more"
