"""Faults that a test injects into the REST side, by method and path."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.discord_local.errors import ApiError


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong. `after` lets the request take effect and spoils only the answer."""

    status: int = 0
    code: int = 0
    retry_after: float = 0.0
    everywhere: bool = False
    wait: float = 0.0
    cut: bool = False
    after: bool = False

    @property
    def error(self) -> ApiError | None:
        return ApiError(self.code) if self.code else None


def rate_limited(retry_after: float, everywhere: bool = False) -> Fault:
    """429. `everywhere` makes it the global limit."""
    return Fault(status=429, retry_after=retry_after, everywhere=everywhere)


def broken(status: int = 500, after: bool = False) -> Fault:
    """A 5xx from in front of Discord, without JSON."""
    return Fault(status=status, after=after)


def refused(code: int) -> Fault:
    """One of Discord's JSON errors: 10062, 40060, 50013, 10003, 10008, ..."""
    return Fault(code=code)


def dropped(after: bool = False) -> Fault:
    """The connection is cut; with `after` the request did its work first."""
    return Fault(cut=True, after=after)


def late(seconds: float) -> Fault:
    """The work is done at once, its answer comes late."""
    return Fault(wait=seconds, after=True)


@dataclass
class _Rule:
    fault: Fault
    method: str
    path: str
    times: int


class Faults:
    """Rules in the order in which they were added; each serves `times` requests."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []
        self.served = 0

    def add(self, fault: Fault, method: str, path: str, times: int = 1) -> None:
        """`path` is a pattern over the part behind /api/v10; `*` also spans slashes."""
        self._rules.append(_Rule(fault, method, path, times))

    def clear(self) -> None:
        self._rules.clear()

    def take(self, method: str, path: str) -> Fault | None:
        for rule in self._rules:
            if rule.times and rule.method == method and fnmatchcase(path, rule.path):
                rule.times -= 1
                self.served += 1
                return rule.fault
        return None


Answer = tuple[int, object]


async def suffer(fault: Fault | None, work: Callable[[], Awaitable[Answer]]) -> Answer:
    """Run `work` under the fault. The status 0 means: cut the connection."""
    if fault is None:
        return await work()
    answer = await work() if fault.after else None
    await asyncio.sleep(fault.wait)
    if fault.cut:
        return 0, None
    if fault.error:
        raise fault.error
    if fault.status == 429:
        told = {"message": "You are being rate limited.", "retry_after": fault.retry_after}
        return 429, told | {"global": fault.everywhere}
    return (fault.status, "upstream error") if fault.status else (answer or (204, None))
