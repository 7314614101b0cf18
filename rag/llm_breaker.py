"""A server that keeps failing is left alone for a while, so that nobody waits for it in vain."""

import threading
import time

from rag.errors import LanguageModelFailed

_FAILURES = 3
_REST, _LONGEST_REST = 30.0, 300.0
# What says something of the server; a model that writes nonsense is not made better by rest.
_COUNTED = frozenset(
    {"unreachable", "dns", "tls", "unauthorized", "not_found", "rate_limited"}
    | {"server_error", "timeout", "invalid", "empty", "truncated"}
)


class Breaker:
    """Opens after three failures in a row; then one call at a time may try, less and less often."""

    def __init__(self, rest: float = _REST) -> None:
        self._first_rest = self._rest = rest
        self._failures, self._closed_until = 0, 0.0
        self._lock = threading.Lock()

    def pass_through(self) -> None:
        """Raises LanguageModelFailed("resting") while the server is left alone."""
        with self._lock:
            now = time.monotonic()
            if now < self._closed_until:
                raise LanguageModelFailed("resting")
            if self._failures >= _FAILURES:  # this call tries for all; the others wait for it
                self._closed_until = now + self._rest

    def succeeded(self) -> None:
        with self._lock:
            self._failures, self._closed_until, self._rest = 0, 0.0, self._first_rest

    def failed(self, trouble: LanguageModelFailed) -> None:
        if trouble.reason not in _COUNTED:
            return
        with self._lock:
            self._failures += 1
            now = time.monotonic()
            if self._failures >= _FAILURES:
                self._closed_until = now + self._rest
                self._rest = min(2 * self._rest, _LONGEST_REST)
            if trouble.retry_after:
                wait = min(trouble.retry_after, _LONGEST_REST)
                self._closed_until = max(self._closed_until, now + wait)
