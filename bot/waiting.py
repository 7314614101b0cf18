"""Who is answered when: a cooldown for each person, and a bounded line with the place shown."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bot.errors import CoolingDown, QueueFull, ShuttingDown, Stopped, TooManyWaiting, WaitedTooLong

_PATIENCE = 1.0  # seconds after which a waiting person is told their place
_BETWEEN = 2.5  # seconds between two tellings; Discord takes few edits


class Cooldown:
    """`questions` a person may ask within `seconds`."""

    def __init__(self, questions: int, seconds: float) -> None:
        self._questions, self._seconds = questions, seconds
        self._asked: dict[str, deque[float]] = {}
        self._told: set[str] = set()

    def take(self, person: str) -> None:
        """Count a question; CoolingDown when it comes too early."""
        now = time.monotonic()
        self._sweep(now)
        asked = self._asked.setdefault(person, deque())
        if len(asked) >= self._questions:
            repeated = person in self._told
            self._told.add(person)
            raise CoolingDown(self._seconds - (now - asked[0]), repeated)
        self._told.discard(person)
        if self._seconds:
            asked.append(now)

    def _sweep(self, now: float) -> None:
        """Let go of what is over, so that nobody is remembered longer than needed."""
        for person, asked in list(self._asked.items()):
            while asked and now - asked[0] >= self._seconds:
                asked.popleft()
            if not asked:
                del self._asked[person]
                self._told.discard(person)


@dataclass(eq=False)
class Ticket:
    """One question in the line. `turn` is set when it may be answered."""

    person: str
    turn: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def refuse(self, why: Exception) -> bool:
        if self.turn.done():
            return False
        self.turn.set_exception(why)
        return True


Tell = Callable[[Ticket, int], Awaitable[None]]


class WaitingLine:
    """First come, first served, `workers` at a time."""

    def __init__(self, depth: int, per_person: int, workers: int, patience: float) -> None:
        self._depth, self._per_person = depth, per_person
        self._workers, self._patience = workers, patience
        self._waiting: deque[Ticket] = deque()
        self._people: Counter[str] = Counter()
        self._closed = False
        self.working = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def check(self, person: str) -> None:
        """Raise when this person cannot be taken into the line now."""
        if self._closed:
            raise ShuttingDown
        if len(self._waiting) >= self._depth:
            raise QueueFull(self._depth)
        if self._people[person] >= self._per_person:
            raise TooManyWaiting(self._per_person)

    @asynccontextmanager
    async def turn(self, person: str, tell: "Tell") -> AsyncIterator[None]:
        """Stand in line, be told the place meanwhile, and hold the turn."""
        ticket = self._enter(person)
        try:
            await self._wait(ticket, tell)
            yield
        finally:
            self._leave(ticket)

    def stop(self, ticket: Ticket) -> bool:
        """Take a waiting question out of the line; False when it is being answered."""
        return ticket.refuse(Stopped())

    async def close(self, within: float) -> None:
        """Refuse who waits, and give what is being answered some seconds to end."""
        self._closed = True
        for ticket in list(self._waiting):
            ticket.refuse(ShuttingDown())
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self.working or self._waiting:  # noqa: ASYNC110 - it is over in a moment
                    await asyncio.sleep(0.05)

    def _enter(self, person: str) -> Ticket:
        self.check(person)
        ticket = Ticket(person)
        self._people[person] += 1
        self._waiting.append(ticket)
        self._advance()
        return ticket

    async def _wait(self, ticket: Ticket, tell: Tell) -> None:
        deadline = time.monotonic() + self._patience
        told: asyncio.Task[None] | None = None
        pause = _PATIENCE
        while not ticket.turn.done():
            left = deadline - time.monotonic()
            if left <= 0 and ticket.refuse(WaitedTooLong(self._patience)):
                break
            await asyncio.wait({ticket.turn}, timeout=min(pause, left))
            if not ticket.turn.done() and (told is None or told.done()):
                told = asyncio.create_task(_telling(tell, ticket, self._waiting.index(ticket)))
                pause = _BETWEEN
        if told is not None:  # an edit under way must not come after the answer
            await told
        ticket.turn.result()

    def _leave(self, ticket: Ticket) -> None:
        if ticket in self._waiting:
            self._waiting.remove(ticket)
        else:  # its turn had come
            self.working -= 1
        self._people[ticket.person] -= 1
        self._people += Counter()  # drops who has none
        self._advance()

    def _advance(self) -> None:
        while self._waiting and self.working < self._workers:
            ticket = self._waiting.popleft()
            if ticket.turn.done():
                self._waiting.appendleft(ticket)
                return
            self.working += 1
            ticket.turn.set_result(None)


async def _telling(tell: Tell, ticket: Ticket, place: int) -> None:
    with suppress(Exception):  # a place not shown is no reason to lose the answer
        await tell(ticket, place)
