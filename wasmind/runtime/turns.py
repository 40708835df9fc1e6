"""How often agents ask their models, so that none does so for ever."""

from __future__ import annotations

from collections import Counter

from wasmind.runtime.messages import ADD_MESSAGE, REQUEST, Envelope


class Turns:
    """The turns of every agent since the user last spoke to any of them.

    Only the host program speaks for the user here: what actors say to each other starts nothing
    anew. Sees every message under the bus' lock.

    Args:
        most: how many turns an agent has for one message of the user's.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._turns: Counter[str] = Counter()
        self._told: set[str] = set()

    def note(self, envelope: Envelope) -> None:
        """A message was put on the bus."""
        if envelope.message_type == REQUEST:
            self._turns[envelope.from_scope] += 1
        elif envelope.message_type == ADD_MESSAGE and _is_the_users(envelope):
            self._turns.clear()
            self._told.clear()

    def used_up(self, scope: str) -> bool:
        """Whether an agent has had all its turns."""
        return self._turns[scope] >= self.most

    def runs_away(self, scope: str) -> bool:
        """Whether an agent has gone on for long after it was told to stop."""
        return self._turns[scope] > 2 * self.most + 10

    def first_time(self, scope: str) -> bool:
        """Whether nobody has been told of this agent yet; somebody has, from now on."""
        told = scope in self._told
        self._told.add(scope)
        return not told


def _is_the_users(envelope: Envelope) -> bool:
    match None if envelope.sender else envelope.json():
        case {"message": {"role": "user"}}:
            return True
    return False
