"""Decoding gzip while it is read: RFC 1952, section 2.2, members one after the other."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

_WINDOW: Final = zlib.MAX_WBITS | 16
_PIECE: Final = 1 << 20
_OVERHEAD: Final = 4_096


class GzipError(Exception):
    """What is read is not gzip, or not all of it."""


class GzipTooLong(GzipError):
    """More was sent than a body of the allowed size needs."""


def gunzip(chunks: Iterable[bytes], largest: int) -> Iterator[bytes]:
    """The content, in pieces of at most a MiB.

    A few bytes can stand for a gigabyte, so who reads has to count. What stands for nothing is
    counted here: empty members, and zeros after the last one, which are the only padding allowed.

    Args:
        chunks: as they come.
        largest: bytes of content that the reader takes at most.

    Raises:
        GzipTooLong: more comes than that can be the content of.
        GzipError: it does not decode, goes on with something else, or ends too early.
    """
    # What cannot be compressed grows by five bytes for each block.
    most, size = largest + largest // 1_000 + _OVERHEAD, 0
    member = _Member()
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise GzipTooLong("more is sent than its content can need")
        rest = chunk
        while rest:
            if member.ended:
                rest = rest.lstrip(b"\0")
                if not rest:
                    break
                member = _Member()
            yield from member.read(rest)
            rest = member.rest
    if size and not member.ended:
        raise GzipError("the body ends before its compressed data does")


class _Member:
    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(_WINDOW)

    @property
    def ended(self) -> bool:
        return self._decoder.eof

    @property
    def rest(self) -> bytes:
        """What comes behind it."""
        return self._decoder.unused_data

    def read(self, chunk: bytes) -> Iterator[bytes]:
        """Content of it, until `chunk` or the member is at its end."""
        while True:
            try:
                piece = self._decoder.decompress(chunk, _PIECE)
            except zlib.error as error:
                raise GzipError(f"the body cannot be decoded: {error}") from None
            if piece:
                yield piece
            chunk = self._decoder.unconsumed_tail
            # A full piece may have more behind it, although all that was sent has been read.
            if self.ended or not (chunk or len(piece) == _PIECE):
                return
