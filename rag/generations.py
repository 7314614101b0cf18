"""Which generation serves: each question holds one from beginning to end, whatever is built."""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rag.errors import BrokenGeneration, DataDirUnusable, DiskFull, NoIndex
from rag.generation import Generation
from rag.local_shelf import LocalShelf
from rag.manifest import Manifest
from rag.result import GenerationStatus
from rag.shelf import Shelf

__all__ = ["Generation", "GenerationStore"]

_log = logging.getLogger(__name__)
_RETRY = 30.0  # seconds until an index is opened again that found the disk full


class GenerationStore:
    """Serves the generations of a shelf, by default of a data directory. Any thread may ask."""

    def __init__(self, data_dir: Path, keep: int = 2, shelf: Shelf | None = None) -> None:
        self.data_dir = data_dir
        self.shelf: Shelf = shelf or LocalShelf(data_dir, keep)
        self._lock, self._switching = threading.Lock(), threading.Lock()
        self._current: Generation | None = None
        self._closed = False
        self._seen: Hashable | None = None
        self._retry_at = math.inf  # on the monotonic clock
        self._users: dict[Generation, int] = {}

    def current(self) -> Generation | None:
        """The generation that serves now, None when there is none; use `lease` to ask it."""
        if self._closed:
            return None
        stamp = self._stamp()
        if not self._is_settled(stamp):
            self._follow(stamp)
        return self._current

    @contextmanager
    def lease(self) -> Iterator[Generation]:
        """Hold one generation for a whole question; NoIndex when there is none."""
        generation = self._acquire()
        _log.info("leased", extra={"generation": generation.name})
        try:
            yield generation
        finally:
            self._release(generation)

    def list(self) -> Sequence[Manifest]:
        """The manifests of the generations kept, the serving one first; damaged ones left out."""
        return self.shelf.manifests()

    def status(self, model: str = "") -> GenerationStatus:
        """What serves now and what is kept; `model` is shown when nothing serves."""
        generation = self.current()
        kept = tuple(manifest.name for manifest in self.list())
        if generation is None:
            return GenerationStatus(None, None, 0, 0, model, kept)
        told = generation.manifest
        return GenerationStatus(
            told.name, told.built_at, told.articles, told.passages, told.model, kept
        )

    def rollback(self) -> str:
        """Let the generation before the serving one serve; its name, or NothingToRollBack."""
        name = self.shelf.rollback()
        self.shelf.look_again()
        return name

    def latest(self) -> Generation | None:
        """Open the newest whole generation, to be closed by the caller; None when none is."""
        for name in self.shelf.names():
            try:
                return self.shelf.open(name)
            except BrokenGeneration as error:
                _log.warning("%s", error)
        return None

    def close(self) -> None:
        """Close what no question uses; what one uses is closed when it ends. Serves no more."""
        with self._lock:
            self._closed = True
            old, self._current, self._seen = self._current, None, None
            idle = old is not None and not self._users.get(old)
        if old is not None and idle:
            old.close()
        self.shelf.close()

    def _acquire(self) -> Generation:
        self.current()
        with self._lock:
            generation = self._current
            if generation is None:
                raise NoIndex
            self._users[generation] = self._users.get(generation, 0) + 1
            return generation

    def _release(self, generation: Generation) -> None:
        with self._lock:
            self._users[generation] -= 1
            if self._users[generation]:
                return
            del self._users[generation]
            done = generation is not self._current
        if done:
            generation.close()

    def _is_settled(self, stamp: Hashable | None) -> bool:
        """Whether what serves is what CURRENT names, as far as it could be opened."""
        serving = self._current
        if serving is None or stamp != self._seen or serving.broken:
            return False
        return time.monotonic() < self._retry_at

    def _follow(self, stamp: Hashable | None) -> None:
        """Take up what CURRENT names; questions meanwhile go on with what serves."""
        if not self._switching.acquire(blocking=self._current is None):
            return
        try:
            if self._is_settled(stamp):
                return  # another thread was faster
            self._serve(*self._found(self._current))
        finally:
            self._switching.release()

    def _found(self, serving: Generation | None) -> tuple[Generation | None, Hashable | None]:
        """What should serve, and the stamp of the CURRENT that says so."""
        while True:
            stamp = self._stamp()
            try:
                return self._openable(serving), stamp
            except BrokenGeneration:
                if stamp == self._stamp():  # else it was swept away between reading and opening
                    raise

    def _serve(self, generation: Generation | None, stamp: Hashable | None) -> None:
        with self._lock:
            old, self._seen = self._current, stamp
            if generation is None or generation is old:
                return
            if self._closed:  # while another thread was opening it
                old, idle = generation, True
            else:
                self._current = generation
                idle = old is not None and not self._users.get(old)
        if old is not None and idle:
            old.close()

    def _openable(self, serving: Generation | None) -> Generation | None:
        """The first generation of CURRENT that opens; the serving one when nothing better does."""
        found, troubles = self._first_whole(serving)
        if found is None and serving is None and troubles:
            raise troubles[0]  # whoever asked says it
        for trouble in troubles:
            _log.warning("%s", trouble)
        wait = _RETRY if any(isinstance(trouble, DiskFull) for trouble in troubles) else math.inf
        self._retry_at = time.monotonic() + wait
        if found is None and serving is not None:
            serving.broken = None  # nothing else to turn to: do not look again with each question
        return found or serving

    def _first_whole(
        self, serving: Generation | None
    ) -> tuple[Generation | None, Sequence[BrokenGeneration | DiskFull]]:
        """The first generation that opens, and why those before it do not."""
        troubles: deque[BrokenGeneration | DiskFull] = deque()  # `list` is a method here
        for name in self.shelf.names():
            if serving is not None and serving.name == name and not serving.broken:
                return serving, troubles
            try:
                return self._open(name, warm=serving is not None), troubles
            except (BrokenGeneration, DiskFull) as error:
                troubles.append(error)
        return None, troubles

    def _open(self, name: str, *, warm: bool) -> Generation:
        generation = self.shelf.open(name)
        try:
            if warm:  # while the old one still answers
                generation.warm()
        except BaseException:
            generation.close()
            raise
        return generation

    def _stamp(self) -> Hashable | None:
        try:
            return self.shelf.pointers.stamp()
        except DataDirUnusable:
            if self._current is not None:
                return self._seen  # open files are enough to go on answering
            raise
