"""Time and waiting: a clock that a test can move, and a pulse that wakes whoever waits."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

T = TypeVar("T")

DISCORD_EPOCH_MS = 1_420_070_400_000


class Clock:
    """Wall time in seconds. `advance` ages everything that Discord lets expire."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._counter = 0

    def now(self) -> float:
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += seconds

    def iso(self) -> str:
        return datetime.fromtimestamp(self.now(), UTC).isoformat()

    def snowflake(self) -> str:
        """A new id: its upper bits are the time, as Discord's are."""
        self._counter += 1
        return str((int(self.now() * 1000) - DISCORD_EPOCH_MS << 22) | self._counter & 0x3FFFFF)


class Pulse:
    """Every change of the local Discord beats; waiters look again at each beat."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def beat(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, look: Callable[[], T | None], within: float) -> T:
        """The first thing that `look` finds. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while (found := look()) is None:
                await self._next()
        return found

    async def _next(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)
