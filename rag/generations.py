"""The generations of a data directory: which one serves, which are kept, which are swept away.

    <data_dir>/
    ├── CURRENT              names the generation that serves and those before it
    ├── generations/<name>/  one directory each, never changed after it has this name
    │   └── .building-*      half-built, of no interest to a reader
    └── embeddings.sqlite    what was embedded once

A reader looks at CURRENT's inode with each question, so it follows what another process built.
"""

import logging
import secrets
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rag.errors import BrokenGeneration, DataDirUnusable, NoIndex, NothingToRollBack
from rag.generation import Generation, Hold
from rag.manifest import Manifest, ManifestError, check_files, read_manifest, sync_directory
from rag.pointer import Pointer, PointerFile, Stamp
from rag.result import GenerationStatus

__all__ = ["Generation", "GenerationStore"]

_log = logging.getLogger(__name__)
_BUILDING, _SWEPT = ".building-", ".swept-"


class GenerationStore:
    """The generations under one data directory. Any thread may ask; processes may share it."""

    def __init__(self, data_dir: Path, keep: int = 2) -> None:
        self.data_dir, self._keep = data_dir, keep
        self.directory = data_dir / "generations"
        self._pointers = PointerFile(data_dir)
        self._lock, self._switching = threading.Lock(), threading.Lock()
        self._current: Generation | None = None
        self._closed = False
        self._seen: Stamp | None = None
        self._users: dict[Generation, int] = {}

    def current(self) -> Generation | None:
        """The generation that serves now, None when there is none; use `lease` to ask it."""
        if self._closed:
            return None
        stamp = self._stamp()
        serving = self._current
        if serving is None or stamp != self._seen or serving.broken:
            self._follow(stamp)
        return self._current

    @contextmanager
    def lease(self) -> Iterator[Generation]:
        """Hold one generation for a whole question; NoIndex when there is none."""
        generation = self._acquire()
        try:
            yield generation
        finally:
            self._release(generation)

    def list(self) -> Sequence[Manifest]:
        """The manifests of the generations kept, the serving one first; damaged ones left out."""
        manifests = []
        for name in self._names():
            try:
                manifests.append(read_manifest(self.directory / name))
            except ManifestError as error:
                _log.warning("The generation %s is skipped: %s.", name, error)
        return manifests

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
        with self._pointers.lock():
            pointer = self._pointers.read()
            history = pointer.history if pointer else ()
            for at, name in enumerate(history):
                if self.whole(name) is not None:
                    self._pointers.write(Pointer(name, history[at + 1 :]))
                    return name
        raise NothingToRollBack

    def latest(self) -> Generation | None:
        """Open the newest whole generation, to be closed by the caller; None when none is."""
        for name in self._names():
            try:
                return Generation.open(self.directory / name)
            except BrokenGeneration as error:
                _log.warning("%s", error)
        return None

    def whole(self, name: str, *, thorough: bool = False) -> Manifest | None:
        """The manifest of a generation whose files are as they were written, else None."""
        try:
            manifest = read_manifest(self.directory / name)
            check_files(self.directory / name, manifest, thorough=thorough)
        except (ManifestError, OSError) as error:
            _log.warning("The generation %s is damaged: %s.", name, error)
            return None
        return manifest

    def close(self) -> None:
        """Close what no question uses; what one uses is closed when it ends. Serves no more."""
        with self._lock:
            self._closed = True
            old, self._current, self._seen = self._current, None, None
            idle = old is not None and not self._users.get(old)
        if old is not None and idle:
            old.close()

    # For the builder, which holds the builder's lock.

    def serving(self) -> str | None:
        """The name that CURRENT gives, whole or not."""
        return next(iter(self._names()), None)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """The directory of a generation to be, removed unless it is published."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        staged = self.directory / f"{_BUILDING}{name}"
        staged.mkdir(parents=True)
        try:
            yield staged
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    def mend(self) -> None:
        """Write CURRENT anew from what is on disk when it is lost or damaged."""
        with self._pointers.lock():
            if self._pointers.read() is None:
                whole = [name for name in self._on_disk() if self.whole(name)]
                if whole:
                    self._pointers.write(Pointer(whole[0], tuple(whole[1 : self._keep])))

    def publish(self, staged: Path) -> str:
        """Give a staged generation with its manifest its name and let it serve."""
        name = staged_name(staged)
        for directory in (staged, *(path for path in staged.rglob("*") if path.is_dir())):
            sync_directory(directory)
        staged.rename(self.directory / name)
        sync_directory(self.directory)
        with self._pointers.lock():
            before = tuple(known for known in self._names() if known != name and self.whole(known))
            self._pointers.write(Pointer(name, before[: self._keep - 1]))
        return name

    def clean(self) -> Sequence[str]:
        """Remove what is half-built or not kept, unless someone reads it; the names of it."""
        with self._pointers.lock():
            kept = self._names()[: self._keep]
            return [p.name for p in self._directories() if p.name not in kept and _sweep(p)]

    def clean_half_built(self) -> Sequence[str]:
        """Remove what a builder left behind that was killed; the names of it."""
        return [p.name for p in self._directories() if p.name.startswith(".") and _sweep(p)]

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

    def _follow(self, stamp: Stamp | None) -> None:
        """Take up what CURRENT names; questions meanwhile go on with what serves."""
        if not self._switching.acquire(blocking=self._current is None):
            return
        try:
            serving = self._current
            if serving is not None and stamp == self._seen and not serving.broken:
                return  # another thread was faster
            self._serve(*self._found(serving))
        finally:
            self._switching.release()

    def _found(self, serving: Generation | None) -> tuple[Generation | None, Stamp | None]:
        """What should serve, and the stamp of the CURRENT that says so."""
        while True:
            stamp = self._stamp()
            try:
                return self._openable(serving), stamp
            except BrokenGeneration:
                if stamp == self._stamp():  # else it was swept away between reading and opening
                    raise

    def _serve(self, generation: Generation | None, stamp: Stamp | None) -> None:
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
        trouble: BrokenGeneration | None = None
        for name in self._names():
            if serving is not None and serving.name == name and not serving.broken:
                return serving
            try:
                return self._open(name, warm=serving is not None)
            except BrokenGeneration as error:
                trouble = error
                _log.warning("%s", error)
        if serving is None and trouble is not None:
            raise trouble
        if serving is not None:
            serving.broken = None  # nothing else to turn to: do not look again with each question
        return serving

    def _open(self, name: str, *, warm: bool) -> Generation:
        generation = Generation.open(self.directory / name)
        try:
            if warm:  # while the old one still answers
                generation.warm()
        except BaseException:
            generation.close()
            raise
        return generation

    def _stamp(self) -> Stamp | None:
        try:
            return self._pointers.stamp()
        except DataDirUnusable:
            if self._current is not None:
                return self._seen  # open files are enough to go on answering
            raise

    def _names(self) -> tuple[str, ...]:
        """Kept generations, the serving one first: as CURRENT says or, without it, by age."""
        pointer = self._pointers.read()
        return pointer.names if pointer else self._on_disk()

    def _on_disk(self) -> tuple[str, ...]:
        found = []
        for path in self._directories():
            if not path.name.startswith("."):
                try:
                    found.append((read_manifest(path).built_at, path.name))
                except ManifestError:
                    continue
        return tuple(name for _, name in sorted(found, reverse=True))

    def _directories(self) -> Sequence[Path]:
        try:
            return [*self.directory.iterdir()]
        except FileNotFoundError:
            return []


def staged_name(staged: Path) -> str:
    """The name that a staged generation will have."""
    return staged.name.removeprefix(_BUILDING)


def _sweep(path: Path) -> bool:
    """Remove a directory that nobody reads; renamed first, so that nobody can open it."""
    if not path.name.startswith("."):
        hold = Hold.exclusive(path)
        if hold is None:
            return False
        path = path.rename(path.with_name(f"{_SWEPT}{path.name}"))
        hold.release()
    shutil.rmtree(path, ignore_errors=True)
    return not path.exists()
