"""How a script reaches bash, however long it is."""

from __future__ import annotations

from typing import Final

#: Linux passes on arguments of at most 131,071 bytes; UTF-8 may cut a piece three bytes earlier.
LONGEST_ARGUMENT: Final = 131_071
_PIECE_BYTES: Final = 120_000


def bash_arguments(script: str) -> tuple[str, ...]:
    """Arguments with which bash runs `script`.

    A script that is too long for one argument comes in pieces that bash puts together before it
    runs any of it. `set --` takes the pieces from the script's own `$@`; the rest is as with `-c`.
    """
    if len(script.encode()) <= LONGEST_ARGUMENT:
        return ("-c", script)
    pieces = _pieces(script)
    joined = "".join(f"${{{number}}}" for number in range(1, len(pieces) + 1))
    return ("-c", f'eval "set --; {joined}"', "bash", *pieces)


def _pieces(script: str) -> list[str]:
    """The script in pieces of whole characters."""
    data = script.encode()
    pieces = []
    start = 0
    while start < len(data):
        end = min(start + _PIECE_BYTES, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        pieces.append(data[start:end].decode())
        start = end
    return pieces
