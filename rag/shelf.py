"""Where generations lie: what a place must provide for them to be read, followed and built there.

`GenerationStore` serves from a shelf, `rag.rebuild` builds on one; neither knows which it is.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from rag.errors import NothingToRollBack
from rag.generation import Generation
from rag.manifest import Manifest, ManifestError
from rag.pointer import Pointer

_log = logging.getLogger(__name__)


class Pointers(Protocol):
    """What says which generation serves; every process over the same shelf follows it."""

    def stamp(self) -> Hashable | None:
        """What changes with every writing; None when nothing was ever written.

        Asked with each question, so it answers at once. DataDirUnusable when it cannot be known.
        """
        ...

    def read(self) -> Pointer | None:
        """What is said; None when nothing is, or what is said is damaged."""
        ...

    def write(self, pointer: Pointer) -> None:
        """Say something else, whole or not at all."""
        ...

    def lock(self) -> AbstractContextManager[None]:
        """Held, for moments, by whoever reads in order to write."""
        ...


class Shelf(ABC):
    """The generations of one community. Any thread may ask, processes may share it."""

    pointers: Pointers
    keep: int

    # For readers.

    @abstractmethod
    def present(self) -> Sequence[str]:
        """The names of the generations with a readable manifest, the newest first."""

    @abstractmethod
    def manifest(self, name: str) -> Manifest:
        """What a generation says about itself; ManifestError says why it does not."""

    @abstractmethod
    def open(self, name: str) -> Generation:
        """Open a generation for reading; BrokenGeneration says why it cannot be."""

    @abstractmethod
    def damage(self, name: str, *, thorough: bool = False) -> str | None:
        """What of a generation is not as it was written, in a few words; None: it is whole."""

    def look_again(self) -> None:  # noqa: B027
        """Take notice of what this process has just built or rolled back."""

    def close(self) -> None:  # noqa: B027
        """Free what the shelf itself holds; asked for nothing afterwards."""

    # For the builder, which holds the builder's lock.

    @abstractmethod
    def builder_lock(self, command: str) -> AbstractContextManager[None]:
        """Held by the one builder there may be; BuilderBusy, at once, when there is another."""

    @abstractmethod
    def staging(self) -> AbstractContextManager[Path]:
        """A local directory of a generation to be; what was staged is gone unless published."""

    @abstractmethod
    def collection(
        self, staged: Path, passages: int, copy_of: str | None = None
    ) -> AbstractContextManager[Any]:
        """The Chroma collection to write the vectors of a staged generation into, at first empty.

        `passages` is how many it will hold at the end, by which it is set how far it is searched.
        With `copy_of`, which only a shelf that `copies` is given, it first holds what that
        generation's holds.
        """

    @property
    @abstractmethod
    def copies(self) -> bool:
        """Whether copying a generation's vectors is much cheaper than writing them anew."""

    @abstractmethod
    def open_staged(self, staged: Path) -> Generation:
        """Open a staged generation with its manifest as a reader will, to verify it."""

    @abstractmethod
    def publish(self, staged: Path) -> str:
        """Give a staged generation with its manifest its name and let it serve."""

    @abstractmethod
    def clean(self) -> Sequence[str]:
        """Remove what is half-built or not kept, unless someone reads it; the names of it."""

    @abstractmethod
    def clean_half_built(self) -> Sequence[str]:
        """Remove what a builder left behind that was killed; the names of it."""

    # The same everywhere.

    def names(self) -> Sequence[str]:
        """Kept generations, the serving one first: as the pointer says or, without it, by age."""
        pointer = self.pointers.read()
        return pointer.names if pointer else self.present()

    def serving(self) -> str | None:
        """The name that the pointer gives, whole or not."""
        return next(iter(self.names()), None)

    def whole(self, name: str, *, thorough: bool = False) -> bool:
        """Whether a generation's files are as they were written; a warning says if not."""
        found = self.damage(name, thorough=thorough)
        if found is not None:
            _log.warning("The generation %s is damaged: %s.", name, found)
        return found is None

    def manifests(self) -> Sequence[Manifest]:
        """Of the generations kept, the serving one first; damaged ones are left out."""
        manifests = []
        for name in self.names():
            try:
                manifests.append(self.manifest(name))
            except ManifestError as error:
                _log.warning("The generation %s is skipped: %s.", name, error)
        return manifests

    def point(self, name: str) -> None:
        """Let a generation serve, and those of before be there to roll back to."""
        with self.pointers.lock():
            before = tuple(known for known in self.names() if known != name and self.whole(known))
            self.pointers.write(Pointer(name, before[: self.keep - 1]))

    def rollback(self) -> str:
        """Let the generation before the serving one serve; its name, or NothingToRollBack."""
        with self.pointers.lock():
            pointer = self.pointers.read()
            history = pointer.history if pointer else ()
            for at, name in enumerate(history):
                if self.whole(name):
                    self.pointers.write(Pointer(name, history[at + 1 :]))
                    return name
        raise NothingToRollBack

    def mend(self) -> None:
        """Write the pointer anew from what is there when it is lost or damaged."""
        with self.pointers.lock():
            if self.pointers.read() is None:
                whole = [name for name in self.present() if self.whole(name)]
                if whole:
                    self.pointers.write(Pointer(whole[0], tuple(whole[1 : self.keep])))
