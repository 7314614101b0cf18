"""Which generation serves, as a Chroma server says it: looked at now and then, not by questions.

A thread looks every two seconds and fetches the files of a new generation before it tells of it,
so that a question neither asks the server which generation serves nor waits for files.
"""

import logging
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rag.chroma_server import Server
from rag.errors import BrokenGeneration, VectorsUnreachable
from rag.fetched import Fetched
from rag.journal import Journal, State
from rag.pointer import Pointer

_log = logging.getLogger(__name__)
EVERY = 2.0  # seconds between two looks
_FAREWELL = 1.0  # seconds for a look that is under way; it is a daemon's, and ends with us


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the server said, and what of it can be read here."""

    said: Pointer | None
    pointer: Pointer


class Follower:
    """The `Pointers` of a server. `deadline`: seconds that the first question may wait for it."""

    def __init__(self, server: Server, journal: Journal, fetched: Fetched, deadline: float) -> None:
        self._server, self._journal, self._fetched = server, journal, fetched
        self._deadline = deadline
        self._shown: _Shown | None = None
        self._looking, self._ended = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None
        self._writing = threading.local()
        self._trouble = ""
        self.builds_in: Callable[[], State] | None = None

    def stamp(self) -> Hashable | None:
        """What is served here; None while the server holds nothing.

        Asks the server only while nothing is known: VectorsUnreachable when it does not answer
        then, and nothing was ever fetched.
        """
        if self._shown is None:
            with self._looking:
                if self._shown is None:
                    self._look_first()
        return self._shown.pointer if self._shown is not None else None

    def read(self) -> Pointer | None:
        state: State | None = getattr(self._writing, "state", None)
        if state is not None:
            return state.pointer
        return self._shown.pointer if self._shown is not None else self._journal.state().pointer

    def write(self, pointer: Pointer) -> None:
        """Under the lock; Outpaced when another machine wrote since it was taken."""
        state: State = self._writing.state
        self._journal.append(state, pointer, state.builder)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Read once, write once. A builder that lost its lease gets BuilderFailed."""
        self._writing.state = (self.builds_in or self._journal.state)()
        try:
            yield
        finally:
            self._writing.state = None

    def look_again(self) -> None:
        """Look now, since this process knows that something has changed."""
        if self._shown is not None:
            with self._looking:
                self._try_to_look()

    def end(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join(_FAREWELL)

    def _look_first(self) -> None:
        try:
            self._look()
        except VectorsUnreachable as error:
            kept = self._fetched.kept.read()
            here = [name for name in kept.names if self._fetched.here(name)] if kept else []
            if not here:
                raise
            self._server.lost(error)
            self._shown = _Shown(None, Pointer(here[0], tuple(here[1:])))
        if self._shown is not None and self._thread is None and not self._ended.is_set():
            self._thread = threading.Thread(target=self._follow, name="chroma", daemon=True)
            self._thread.start()

    def _follow(self) -> None:
        while not self._ended.wait(EVERY):
            with self._looking:
                self._try_to_look()

    def _try_to_look(self) -> None:
        try:
            self._look()
            self._trouble = ""
        except VectorsUnreachable as error:
            self._server.lost(error)
        except Exception as error:  # whatever it was, the next look may find all well
            if str(error) != self._trouble:  # said once, not every two seconds
                _log.warning("%s", error)
            self._trouble = str(error)

    def _look(self) -> None:
        said = self._journal.state(self._deadline).pointer
        self._server.found()
        shown = self._shown
        if said is None:
            return
        if shown is None or said != shown.said:
            pointer = self._readable(said)
            self._fetched.kept.write(pointer)
            self._shown = _Shown(said, pointer)
        self._fetched.sweep(said.names)

    def _readable(self, said: Pointer) -> Pointer:
        """From the first generation on that can be fetched whole."""
        trouble: BrokenGeneration | None = None
        for at, name in enumerate(said.names):
            try:
                self._fetched.ensure(name)
                return Pointer(name, said.names[at + 1 :])
            except BrokenGeneration as error:
                _log.warning("%s", error)
                trouble = trouble or error
        assert trouble is not None
        raise trouble
