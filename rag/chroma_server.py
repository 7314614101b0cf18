"""A Chroma server as the rest of us sees it: calls with a deadline, failures with our names.

A question waits for it once; after that it is left alone until someone has heard of it again.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from rag.chroma_address import Address
from rag.errors import (
    ChromaMismatch,
    ChromaUnreachable,
    VectorsGone,
    VectorsUnreachable,
)

if TYPE_CHECKING:
    from rag.chroma_http import Deadlines, HttpClient

_T = TypeVar("_T")
_log = logging.getLogger(__name__)
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 2.0  # seconds between two tries
PATIENCE = 60.0  # seconds that a builder waits for a server that is restarted
_PAGE = 500  # names of collections that are listed at once


class Missing(Exception):
    """A collection, database or tenant is not on the server."""


class Server:
    """One server. Any thread may call; connects when first called.

    `patience`: seconds for each call that no question waits for.
    """

    def __init__(self, address: Address, patience: float = PATIENCE) -> None:
        self.address, self.patience = address, patience
        self.down: VectorsUnreachable | None = None
        self._lock = threading.Lock()
        self._client: tuple[HttpClient, Deadlines] | None = None
        self._checked = False
        self._handles: dict[str, Any] = {}

    def call(self, action: Callable[["HttpClient"], _T], seconds: float | None = None) -> _T:
        """Do something with the client, again until it works or the time is over.

        Raises Missing, and VectorsUnreachable with its kinds; so everything it does twice must be
        as good as once.
        """
        import tenacity

        seconds = self.patience if seconds is None else seconds

        client, deadlines = self._made()
        trying = tenacity.Retrying(
            stop=tenacity.stop_before_delay(seconds),
            wait=tenacity.wait_random_exponential(_FIRST_WAIT, _LONGEST_WAIT),
            retry=tenacity.retry_if_exception_type(ChromaUnreachable),
            reraise=True,
        )
        with deadlines.within(seconds):
            found: _T = trying(self._once, client, action)
        return found

    def on(self, name: str, action: Callable[[Any], _T], seconds: float | None = None) -> _T:
        """Do something with a collection; Missing when it is not there."""

        def with_handle(client: "HttpClient") -> _T:
            handle = self._handles.get(name)
            if handle is None:
                handle = client.get_collection(name, embedding_function=None)
                self._handles[name] = handle
            return action(handle)

        try:
            return self.call(with_handle, seconds)
        except Missing:
            if self._handles.pop(name, None) is None:
                raise
        return self.call(with_handle, seconds)  # it was made anew since we last asked

    def ask(self, name: str, action: Callable[[Any], _T], seconds: float) -> _T:
        """The same for a question, which does not wait where another one has waited in vain."""
        if self.down is not None:
            raise self.down
        try:
            return self.on(name, action, seconds)
        except Missing:
            raise VectorsGone(name) from None
        except VectorsUnreachable as error:
            self.lost(error)
            raise

    def lost(self, error: VectorsUnreachable) -> None:
        if self.down is None:
            _log.warning("%s Meanwhile only the words of the passages are searched.", error)
        self.down, self._checked = error, False

    def found(self) -> None:
        if self.down is not None:
            _log.info("The Chroma server at %s answers again.", self.address.url)
        self.down = None

    def names(self) -> Sequence[str]:
        """The names of all collections; none where the database is not there."""
        found: list[str] = []

        def page(client: "HttpClient") -> Sequence[Any]:
            part: Sequence[Any] = client.list_collections(_PAGE, len(found))
            return part

        with suppress(Missing):
            while part := self.call(page):
                found += [collection.name for collection in part]
        return found

    def drop(self, name: str, seconds: float | None = None) -> None:
        """Delete a collection, if it is there."""
        self._handles.pop(name, None)
        with suppress(Missing):
            self.call(lambda client: client.delete_collection(name), seconds)

    def now(self, seconds: float | None = None) -> float:
        """The server's clock, in seconds: the one that all machines agree on."""
        return float(self.call(lambda client: client.heartbeat(), seconds)) / 1e9

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
            self._handles.clear()
        if client is not None:
            client[0].close()

    def _once(self, client: "HttpClient", action: Callable[["HttpClient"], _T]) -> _T:
        import httpx
        from chromadb.errors import ChromaError, NotFoundError

        try:
            if not self._checked:
                client.require_version()
                self._checked = True
            return action(client)
        except VectorsUnreachable:
            raise
        except NotFoundError as error:
            raise Missing(str(error)) from None
        except httpx.TimeoutException:
            raise ChromaUnreachable(self.address.url, "it does not answer in time") from None
        except httpx.HTTPError as error:
            raise ChromaUnreachable(self.address.url, _told(error)) from None
        except (ChromaError, ValueError, KeyError, TypeError) as error:
            told = f"a reply that we cannot use, {type(error).__name__}"
            raise ChromaMismatch(self.address.url, told) from error
        except RuntimeError as error:  # another thread has closed the client
            raise ChromaUnreachable(self.address.url, _told(error)) from error

    def _made(self) -> "tuple[HttpClient, Deadlines]":
        """The client, made outside of any deadline: that takes a second, and no network."""
        from rag.chroma_http import Deadlines, HttpClient

        with self._lock:
            if self._client is None:
                deadlines = Deadlines()
                self._client = HttpClient(self.address, deadlines), deadlines
            return self._client


def _told(error: Exception) -> str:
    return str(error) or type(error).__name__
