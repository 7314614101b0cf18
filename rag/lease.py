"""One builder at a time over a Chroma server: a lease that expires when its holder falls silent.

Time is the server's own, so the clocks of the machines need not agree. A builder that slept past
its lease finds in the journal that another one holds it, and may not publish any more; one that
slept while nobody came goes on.
"""

import logging
import os
import secrets
import socket
import threading
from datetime import datetime
from types import TracebackType

from rag.chroma_server import Server
from rag.errors import BuilderBusy, BuilderFailed, VectorsUnreachable
from rag.journal import Holder, Journal, Outpaced, State
from rag.pointer import Pointer

_log = logging.getLogger(__name__)
LEASE = 60.0  # seconds without a sign of life after which another builder may begin
_BEATS = 4  # signs of life in that time


class Lease:
    """Held while the block runs; BuilderBusy, at once, when another builder holds it.

    `home` names the data directory, whose own lock is held: a holder of the same home is dead.
    """

    def __init__(
        self, server: Server, journal: Journal, home: str, command: str, seconds: float = LEASE
    ) -> None:
        self._server, self._journal, self._seconds = server, journal, seconds
        self.holder = Holder(secrets.token_hex(8), home, _told(command))
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._live, daemon=True)

    def __enter__(self) -> "Lease":
        state = self._journal.state()
        if state.builder is not None and self._alive(state, state.builder):
            raise BuilderBusy(state.builder.told)
        self._beat()
        try:
            self._journal.append(state, state.pointer, self.holder)
        except Outpaced:
            faster = self._journal.state().builder
            raise BuilderBusy(faster.told if faster else "it has just ended") from None
        self._beat()  # who wrote before us may have cleared the first away
        self._heart.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._heart.join()
        try:
            self._release()
        except VectorsUnreachable as trouble:
            _log.warning("%s The lease ends by itself in %g s.", trouble, self._seconds)

    def held(self) -> State:
        """The state of the journal, in which we build; BuilderFailed when another one does."""
        state = self._journal.state()
        if state.builder is None or state.builder.token != self.holder.token:
            other = state.builder.told if state.builder else "nobody now"
            raise BuilderFailed(f"it fell silent and lost its turn to {other}")
        return state

    def point(self, state: State, pointer: Pointer) -> None:
        """Let another generation serve; Outpaced when the state is not the newest any more."""
        self._journal.append(state, pointer, self.holder)

    def _release(self) -> None:
        while True:
            state = self._journal.state(self._seconds)
            if state.builder is None or state.builder.token != self.holder.token:
                return
            try:
                self._journal.append(state, state.pointer, None, self._seconds)
                return
            except Outpaced:
                continue

    def _alive(self, state: State, builder: Holder) -> bool:
        if builder.home == self.holder.home:
            return False
        left = state.beats.get(builder.token, 0.0) - self._server.now()
        return 0 < left <= 2 * self._seconds  # more, where the server's clock was set back

    def _live(self) -> None:
        while not self._ended.wait(self._seconds / _BEATS):
            try:
                self._beat()
            except VectorsUnreachable as trouble:
                _log.warning("%s", trouble)

    def _beat(self) -> None:
        now = self._server.now(self._seconds)
        self._journal.beat(self.holder.token, now + self._seconds, self._seconds)


def _told(command: str) -> str:
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    return f"`{command}`, process {os.getpid()} on {socket.gethostname()}, since {since}"
