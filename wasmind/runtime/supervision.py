"""What to do about a failed actor: a decision, made from its policy and its recent failures."""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Final

from wasmind.plan import Restart

_FIRST_BACKOFF: Final = 0.05
_LONGEST_BACKOFF: Final = 5.0


class Decision(Enum):
    """What happens to a failed instance."""

    RESTART = "restart it"
    DROP = "go on without it"
    END_AGENT = "end its agent"


class Record:
    """The failures of one instance under its restart policy. Times in seconds."""

    def __init__(self, policy: Restart) -> None:
        self._policy = policy
        self._times: deque[float] = deque()

    def failed(self, now: float) -> Decision:
        """Note a failure at `now` and decide."""
        if self._policy.policy == "temporary":
            return Decision.DROP
        while self._times and now - self._times[0] > self._policy.period_seconds:
            self._times.popleft()
        self._times.append(now)
        if len(self._times) > self._policy.intensity:
            return Decision.END_AGENT
        return Decision.RESTART

    def backoff(self) -> float:
        """How long to wait before the restart that was just decided."""
        return min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** (len(self._times) - 1))
