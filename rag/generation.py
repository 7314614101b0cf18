"""One generation: articles, passages, words and vectors of one moment, which never change.

<name>/
├── manifest.json   written last: counts, fingerprints, checksums
├── content.sqlite  articles and passages
├── lexical/        the words
├── chroma/         the vectors
└── lock            held shared by every process that has the generation open
"""

import errno
import os
import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rag.collection import Collection
from rag.content import Content
from rag.errors import BrokenGeneration, DiskFull, VectorsUnreachable
from rag.full_disk import is_full
from rag.manifest import Manifest, ManifestError, check_files, read_manifest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.lexical import LexicalIndex

_T = TypeVar("_T")
LOCK, CHROMA = "lock", "chroma"
Opener = Callable[[], Collection]


class Generation:
    """A generation opened for reading. Every method may be called from any thread.

    Words and vectors are loaded when first asked for, or all at once by `warm`.
    """

    def __init__(
        self,
        directory: Path,
        manifest: Manifest,
        content: Content,
        hold: "Hold",
        collection: Opener,
    ) -> None:
        self.directory, self.manifest, self.content = directory, manifest, content
        self.broken: str | None = None
        self._open_collection = collection
        self._hold, self._loading = hold, threading.Lock()
        self._lexical: LexicalIndex | None = None
        self._collection: Collection | None = None

    @classmethod
    def open(cls, directory: Path, collection: Opener | None = None) -> "Generation":
        """Check the manifest and the files and open the content; BrokenGeneration says why not.

        `collection` opens the vectors where they do not lie in the directory.
        """
        hold = Hold.shared(directory)
        try:
            manifest = read_manifest(directory)
            check_files(directory, manifest)
            opener = collection or (lambda: Collection.open(directory / CHROMA))
            content = Content.open(directory / "content.sqlite")
            return cls(directory, manifest, content, hold, opener)
        except (ManifestError, OSError, sqlite3.Error) as error:
            hold.release()  # not only when the error is forgotten
            raise BrokenGeneration(directory.name, str(error)) from error

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def lexical(self) -> "LexicalIndex":
        """The words; position i is row i."""
        with self._loading:
            if self._lexical is None:
                self._lexical = self._guarded(self._load_lexical)
            return self._lexical

    def nearest(self, vector: "NDArray[np.float32]", k: int) -> list[tuple[int, float]]:
        """The k rows nearest to a unit vector and their cosine similarities, best first.

        Equal similarities stand in row order. BrokenGeneration when the store cannot answer,
        DiskFull when it could not be opened for want of space.
        """
        wanted = min(k, len(self.content))
        if wanted <= 0:
            return []
        collection = self._opened()
        found = self._guarded(lambda: collection.nearest(vector, wanted))
        rows = self.content.rows_of([ident for ident, _ in found])
        pairs = [(rows[ident], cosine) for ident, cosine in found if ident in rows]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    def vectors(self) -> int:
        """How many vectors the store holds."""
        return len(self._opened())

    def warm(self) -> None:
        """Load words and vectors, so that the first question does not wait for them."""
        _ = self.lexical
        self._opened()
        # Chroma loads its graph with the first query, whatever it asks.
        with suppress(VectorsUnreachable):
            self._guarded(lambda: self._opened().nearest(_any(self.manifest.dimensions), 1))

    def close(self) -> None:
        """Free files and memory. No method may be called afterwards."""
        with self._loading:
            if self._collection is not None:
                self._collection.close()
            self._collection = self._lexical = None
        self.content.close()
        self._hold.release()

    def _opened(self) -> Collection:
        with self._loading:
            if self._collection is None:
                self._collection = self._guarded(self._open_collection)
            return self._collection

    def _load_lexical(self) -> "LexicalIndex":
        from rag.lexical import LexicalIndex

        index = LexicalIndex.load(self.directory / "lexical")
        if len(index) != len(self.content):
            raise ValueError(f"{len(index)} passages have words, {len(self.content)} have text")
        return index

    def _guarded(self, action: Callable[[], _T]) -> _T:
        try:
            return action()
        except VectorsUnreachable:
            raise  # a server that is away breaks nothing
        except BaseException as error:
            # A panic inside Chroma's engine is no Exception, but is as much a damaged file.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            if is_full(self.directory, error):  # opening Chroma writes; nothing is damaged
                raise DiskFull(self.directory) from error
            self.broken = f"{type(error).__name__}: {error}"
            raise BrokenGeneration(self.name, self.broken) from error


class Hold:
    """A lock on a generation's directory: shared to read it, exclusive to remove it.

    It falls when it is released, forgotten, or its process ends.
    """

    def __init__(self, handle: int | None) -> None:
        self._handle = handle

    @classmethod
    def shared(cls, directory: Path) -> "Hold":
        """Hold for reading; BrokenGeneration when the directory is gone or being removed."""
        try:
            return cls(_locked(directory / LOCK, exclusive=False))
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                return cls(None)  # whoever may not write here need not fear a cleaner
            raise BrokenGeneration(directory.name, f"it was removed: {error}") from error

    @classmethod
    def exclusive(cls, directory: Path) -> "Hold | None":
        """Hold for removing; None while anyone reads."""
        try:
            return cls(_locked(directory / LOCK, exclusive=True))
        except OSError:
            return None

    def release(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def __del__(self) -> None:
        self.release()


def _locked(path: Path, *, exclusive: bool) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        if sys.platform != "win32":  # there, files in use cannot be removed in the first place
            import fcntl

            fcntl.flock(handle, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        if path.stat().st_ino != os.fstat(handle).st_ino:
            raise FileNotFoundError(f"{path} was replaced")
    except BaseException:
        os.close(handle)
        raise
    return handle


def _any(dimensions: int) -> "NDArray[np.float32]":
    import numpy as np

    return np.full(dimensions, dimensions**-0.5, dtype=np.float32)
