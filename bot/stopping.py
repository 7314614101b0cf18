"""The stop button: it takes back a question that waits, and ends the writing of its answer."""

import secrets
import threading
from dataclasses import dataclass, field

from bot.errors import NotTheAsker
from bot.waiting import Ticket, WaitingLine


@dataclass(eq=False)
class Stop:
    """One question's button. `writing` is read by the thread that answers."""

    user: int
    key: str = field(default_factory=lambda: secrets.token_hex(6))
    writing: threading.Event = field(default_factory=threading.Event)
    ticket: Ticket | None = None


class Stops:
    """The buttons of all questions under way."""

    def __init__(self, line: WaitingLine) -> None:
        self._line = line
        self._stops: dict[str, Stop] = {}

    def add(self, user: int) -> Stop:
        stop = Stop(user)
        self._stops[stop.key] = stop
        return stop

    def remove(self, stop: Stop) -> None:
        self._stops.pop(stop.key, None)

    def press(self, key: str, user: int) -> None:
        """Someone pressed a button; NotTheAsker if it is someone else's."""
        stop = self._stops.get(key)
        if stop is None:
            return  # it is answered already
        if stop.user != user:
            raise NotTheAsker
        waited = stop.ticket is not None and self._line.stop(stop.ticket)
        if not waited:
            stop.writing.set()

    def end_writing(self) -> None:
        """Let every answer that is being written end with what stands."""
        for stop in self._stops.values():
            stop.writing.set()
