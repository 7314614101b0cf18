"""A response body that ends, even where the server does not stop. Imports httpx: import it late."""

from collections.abc import Iterator

import httpx

from rag.llm_faults import TooMuch

# An answer of 1,000 tokens, one event each, is 300 kB.
_MOST_BYTES = 8_000_000


class _Measured(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        seen = 0
        for chunk in self._stream:
            seen += len(chunk)
            if seen > _MOST_BYTES:
                raise TooMuch
            yield chunk

    def close(self) -> None:
        self._stream.close()


def measured(stream: httpx.SyncByteStream) -> httpx.SyncByteStream:
    """The same body, ending in TooMuch where it would go on and on."""
    return _Measured(stream)
