"""Whatever a client library raises becomes one word: what was wrong with the server."""

import json
import socket
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from rag.errors import LanguageModelFailed

_BY_STATUS = {
    400: "bad_request",
    401: "unauthorized",
    403: "unauthorized",
    404: "not_found",
    408: "timeout",
    413: "bad_request",
    422: "bad_request",
    429: "rate_limited",
}


class TooMuch(Exception):
    """A server that does not stop sending."""


def failure_of(error: BaseException) -> LanguageModelFailed:
    """The failure that an exception means; its message is left behind, for it may hold a key."""
    if isinstance(error, LanguageModelFailed):
        return error
    import httpx
    import openai

    if isinstance(error, openai.APIStatusError):
        reason = _BY_STATUS.get(error.status_code, "server_error")
        return LanguageModelFailed(reason, _retry_after(error.response))
    causes = list(_causes(error))
    kinds: tuple[tuple[str, tuple[type[BaseException], ...]], ...] = (
        ("too_long", (TooMuch,)),
        ("dns", (socket.gaierror,)),
        ("tls", (ssl.SSLError,)),
        ("timeout", (httpx.TimeoutException, TimeoutError)),
        ("truncated", (httpx.RemoteProtocolError, httpx.ReadError, ConnectionResetError)),
        ("unreachable", (httpx.TransportError, OSError)),
        ("invalid", (json.JSONDecodeError, UnicodeError, ValueError)),
        ("server_error", (openai.APIError,)),
    )
    for reason, classes in kinds:
        if any(isinstance(cause, classes) for cause in causes):
            return LanguageModelFailed(reason)
    return LanguageModelFailed("invalid")


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in seen:
        seen.append(at)
        yield at
        at = at.__cause__ or at.__context__


def _retry_after(response: Any) -> float | None:
    """Seconds of a Retry-After header, in either of its forms."""
    value = response.headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
