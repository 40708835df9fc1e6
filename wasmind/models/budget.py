"""What a run may spend: reserved before a call is made, settled after it.

A call is let through only if the most it can use fits beside what is spent and what is reserved, so
the caps hold however many agents ask at once. What a call used that nobody counted, because it was
cut off, is taken to be all it could have used.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from wasmind.models.errors import Code, ModelError
from wasmind.models.usage import Tokens
from wasmind.plan import Allowance, Budget
from wasmind.prices import Price

#: How long an answer may become if nobody says, once there is a budget.
_ANSWER: Final = 8_192
#: An answer shorter than this is not worth asking for.
_SHORT_ANSWER: Final = 256
_USD_DIGITS: Final = 4


@dataclass(slots=True)
class Spent:
    """So much is spent or reserved."""

    calls: int = 0
    tokens: int = 0
    usd: float = 0.0


@dataclass(slots=True)
class Reservation:
    """The most that an attempt can use, and where it counts."""

    tokens: int
    usd: float
    most_answer: int
    places: list[Spent] = field(default_factory=list)


class Ledger:
    """Keeps a budget. Safe to use from any thread.

    Args:
        budget: of the run.
        parent_of: the scope that spawned a scope; what an agent spends counts for its ancestors.
    """

    def __init__(self, budget: Budget, parent_of: Callable[[str], str | None]) -> None:
        self._budget = budget
        self._parent_of = parent_of
        self._lock = threading.Lock()
        self._run = Spent()
        self._agents: dict[str, Spent] = {}
        self._by_model: dict[str, Spent] = {}

    def reserve(
        self, scope: str, model: str, prompt: int, declared: int | None, price: Price | None
    ) -> Reservation:
        """Room for one attempt.

        Args:
            scope: of the agent that asks.
            model: what it asks, for people.
            prompt: tokens that the prompt can have at most.
            declared: tokens that the answer can have at most; None if nobody has limited it.
            price: of the model.

        Raises:
            ModelError: it does not fit, or cannot be known to fit.
        """
        if price is None and self._counts_usd():
            raise _refused(
                f"the price of `{model}` is unknown, so `run.budget.usd` cannot be kept",
                "give the model a `price`",
            )
        with self._lock:
            accounts = list(self._accounts(scope))
            answer = self._answer(accounts, prompt, declared)
            usd = price.cost(prompt, answer) if price is not None else 0.0
            wanted = Spent(1, prompt + answer, usd)
            for allowance, spent, whose in accounts:
                if short := _short(allowance, spent, wanted):
                    raise _refused(self._refusal(model, short, whose))
            held = [spent for _, spent, _ in accounts]
            held.append(self._by_model.setdefault(model, Spent()))
            for spent in held:
                _add(spent, wanted)
        return Reservation(wanted.tokens, usd, answer, held)

    def settle(self, held: Reservation, used: Tokens | None, price: Price | None) -> None:
        """An attempt has ended; `used` is None if nobody counted."""
        tokens = held.tokens if used is None else used.total
        usd = held.usd if used is None or price is None else used.cost(price)
        self._correct(held, Spent(0, tokens - held.tokens, usd - held.usd))

    def release(self, held: Reservation) -> None:
        """An attempt was refused and cost nothing."""
        self._correct(held, Spent(-1, -held.tokens, -held.usd))

    def _correct(self, held: Reservation, by: Spent) -> None:
        with self._lock:
            for spent in held.places:
                _add(spent, by)

    def _counts_usd(self) -> bool:
        per_agent = self._budget.per_agent
        return self._budget.whole.usd is not None or per_agent.usd is not None

    def _accounts(self, scope: str) -> Iterator[tuple[Allowance, Spent, str]]:
        yield self._budget.whole, self._run, ""
        if self._budget.per_agent == Allowance():
            return
        found: str | None = scope
        while found is not None:
            spent = self._agents.setdefault(found, Spent())
            yield self._budget.per_agent, spent, found
            found = self._parent_of(found)

    def _answer(
        self, accounts: list[tuple[Allowance, Spent, str]], prompt: int, declared: int | None
    ) -> int:
        """The most an answer can have; where nobody says, at most what is left."""
        if declared is not None:
            return declared
        left = [
            allowance.tokens - spent.tokens - prompt
            for allowance, spent, _ in accounts
            if allowance.tokens is not None
        ]
        return max(_SHORT_ANSWER, min([_ANSWER, *left]))

    def _refusal(self, model: str, short: str, whose: str) -> str:
        budget = f"the budget of agent {whose}" if whose else "the budget of the run"
        name = "run.budget.per_agent" if whose else "run.budget"
        spent = sorted(self._by_model.items(), key=lambda item: -item[1].tokens)
        shown = ", ".join(f"{name} {_shown(each)}" for name, each in spent if each.calls)
        return (
            f"{budget} (`{name}`) has no room for a call of `{model}`: {short}; "
            f"spent and reserved: {shown or 'nothing'}"
        )


def _short(allowance: Allowance, spent: Spent, wanted: Spent) -> str:
    """Which cap would be passed, for people; empty if none."""
    if allowance.calls is not None and spent.calls + wanted.calls > allowance.calls:
        return f"{spent.calls} of {allowance.calls} calls are made"
    if allowance.tokens is not None and spent.tokens + wanted.tokens > allowance.tokens:
        return (
            f"it can use {wanted.tokens} tokens, and {spent.tokens} of {allowance.tokens} are used"
        )
    if allowance.usd is not None and spent.usd + wanted.usd > allowance.usd:
        return (
            f"it can cost ${wanted.usd:.{_USD_DIGITS}f}, and ${spent.usd:.{_USD_DIGITS}f} of "
            f"${allowance.usd:g} are spent"
        )
    return ""


def _shown(spent: Spent) -> str:
    usd = f", ${spent.usd:.{_USD_DIGITS}f}" if spent.usd else ""
    return f"{spent.tokens} tokens in {spent.calls} calls{usd}"


def _add(spent: Spent, more: Spent) -> None:
    spent.calls += more.calls
    spent.tokens += more.tokens
    spent.usd += more.usd


def _refused(message: str, advice: str = "") -> ModelError:
    return ModelError(402, message, Code.BUDGET, advice=advice)


class Estimates:
    """How many tokens a prompt can have at most.

    No token is shorter than a byte. Where a prompt only continues one whose tokens are known, only
    what is new is counted by bytes.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], tuple[int, bytes, int]] = {}

    def bound(self, key: tuple[str, str, str], prompt: bytes) -> int:
        """For a prompt as JSON; `key` is whose it is: scope, actor, model."""
        length, digest, tokens = self._known.get(key, (0, b"", 0))
        if length and len(prompt) >= length and _digest(prompt[:length]) == digest:
            return tokens + len(prompt) - length
        return len(prompt)

    def learn(self, key: tuple[str, str, str], prompt: bytes, tokens: int) -> None:
        """A prompt had so many tokens."""
        # Without the brackets at the end, after which the next one goes on.
        length = len(prompt.rstrip(b"]}"))
        self._known[key] = (length, _digest(prompt[:length]), tokens)


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()
