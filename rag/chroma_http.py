"""Chroma's own HTTP client with deadlines. Imports chromadb, which takes 0.9 s: import it late.

`chromadb.HttpClient` waits for ever, already while it is being made: its session has no timeout.
This is the same client, whose session is told before each request how long it may wait.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
from chromadb.api.client import Client
from chromadb.auth import UserIdentity
from chromadb.config import Settings
from chromadb.errors import ChromaError

from rag.chroma_address import Address
from rag.errors import ChromaMismatch, ChromaRefused, ChromaUnreachable

_VERSION = "1"  # the major version that a server of the pinned client's protocol reports
_REFUSED = frozenset({401, 403})
_BUSY = 429
_FOREVER = 300.0  # seconds, for a caller that set no deadline


class HttpClient(Client):  # type: ignore[misc]
    """A client for one address. Any thread may use it; each has a deadline of its own."""

    def __init__(self, address: Address, deadlines: "Deadlines") -> None:
        self._address, self._deadlines = address, deadlines
        settings = Settings(
            _env_file=None,  # ours, whose names are not Chroma's
            anonymized_telemetry=False,
            chroma_api_impl="chromadb.api.fastapi.FastAPI",
            chroma_server_host=address.host,
            chroma_server_http_port=address.port,
            chroma_server_ssl_enabled=address.tls,
            chroma_server_headers=address.headers(),
        )
        super().__init__(tenant=address.tenant, database=address.database, settings=settings)

    def get_user_identity(self) -> UserIdentity:
        """Chroma's first request, which we do not make: a client is made without the network."""
        self._session.event_hooks = {"request": [self._limited], "response": [self._judged]}
        return UserIdentity(user_id="")

    def require_version(self) -> None:
        """ChromaMismatch unless the server speaks as this client does."""
        found = self._server.get_version()
        if not isinstance(found, str) or found.split(".")[0] != _VERSION:
            raise ChromaMismatch(self._address.url, f"version {found!s:.20}")

    def make_place(self) -> None:
        """Create the tenant and the database unless they are there."""
        with suppress(ChromaError):  # it is there
            self._server.create_tenant(self._address.tenant)
        with suppress(ChromaError):
            self._server.create_database(self._address.database, self._address.tenant)

    def close(self) -> None:
        super().close()
        self._session.close()

    def _validate_tenant_database(self, tenant: str, database: str) -> None:
        """What is not there shows when it is asked for; Chroma would ask over another session."""

    @property
    def _session(self) -> httpx.Client:
        session: httpx.Client = self._server._session
        return session

    def _limited(self, request: httpx.Request) -> None:
        left = self._deadlines.left()
        if left <= 0:
            raise httpx.ReadTimeout("no time is left", request=request)
        names = ("connect", "read", "write", "pool")
        request.extensions = {**request.extensions, "timeout": dict.fromkeys(names, left)}

    def _judged(self, response: httpx.Response) -> None:
        """Raise what Chroma's client would make an Exception without a status."""
        status, url = response.status_code, self._address.url
        if status in _REFUSED:
            raise ChromaRefused(url, status)
        if status == _BUSY or status >= 500:
            raise ChromaUnreachable(url, f"it answers with status {status}")
        if status >= 300:
            response.read()
            if not _speaks_chroma(response):
                raise ChromaMismatch(url, f"status {status} to a request of Chroma's")


class Deadlines:
    """Until when each thread may wait for a server."""

    def __init__(self) -> None:
        self._local = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Give the requests of this block so many seconds, all together."""
        before = getattr(self._local, "until", None)
        until = time.monotonic() + seconds
        self._local.until = until if before is None else min(before, until)
        try:
            yield
        finally:
            self._local.until = before

    def left(self) -> float:
        until = getattr(self._local, "until", None)
        return _FOREVER if until is None else until - time.monotonic()


def _speaks_chroma(response: httpx.Response) -> bool:
    try:
        return "error" in json.loads(response.text)
    except (ValueError, TypeError):
        return False
