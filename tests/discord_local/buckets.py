"""Discord's rate limits: a number of requests in a window, for each channel or webhook."""

import re
import time
from dataclasses import dataclass, field

# Route -> requests, seconds. The figures are those that bots observe.
LIMITS = [
    (re.compile(r"(POST|PATCH) /channels/0/messages(/0)?"), 5, 5.0),
    (re.compile(r"(POST|PATCH|DELETE) /webhooks/0/\*(/messages/.*)?"), 5, 2.0),
]
OTHERS = (50, 1.0)
MAJOR = re.compile(r"/(channels|guilds)/\d+|/(webhooks|interactions)/\d+/[^/]+")


@dataclass
class _Window:
    ends: float = 0.0
    used: int = 0


@dataclass
class Buckets:
    """`exceeded` counts the requests that came although the window was used up."""

    enforced: bool = True
    exceeded: int = 0
    _windows: dict[str, _Window] = field(default_factory=dict)

    def headers(self, method: str, path: str) -> tuple[dict[str, str], float]:
        """The headers of the answer, and the seconds to wait (0.0: go on)."""
        route = _route(method, path)
        limit, seconds = next(((n, s) for p, n, s in LIMITS if p.fullmatch(route)), OTHERS)
        major, now = MAJOR.match(path), time.monotonic()
        window = self._windows.setdefault(f"{route} {major and major[0]}", _Window())
        if now >= window.ends:
            window.ends, window.used = now + seconds, 0
        window.used += 1
        left = window.ends - now
        over = self.enforced and window.used > limit
        self.exceeded += over
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - window.used) if self.enforced else limit),
            "X-RateLimit-Reset": f"{time.time() + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": f"{hash(route) & 0xFFFFFFFF:08x}",
        }, left if over else 0.0


def _route(method: str, path: str) -> str:
    path = re.sub(r"^/(webhooks|interactions)/\d+/[^/]+", r"/\1/0/*", path)
    return f"{method} " + re.sub(r"\d{15,}", "0", path)
