"""Embeddings by content: what was embedded once, by the same model, is never embedded again."""

import hashlib
import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

_log = logging.getLogger(__name__)
_VARIABLES = 500
# About 200 MB of 256-dimensional vectors; below that, old ones are kept for a text that returns.
ROOM = 200_000


def key_of(fingerprint: str, text: str) -> bytes:
    """The key of a text's embedding by the model of this fingerprint."""
    return hashlib.sha256(f"{fingerprint}\0{text}".encode("utf-8", "surrogatepass")).digest()


class EmbeddingCache:
    """Vectors in one SQLite file. A damaged file is set aside and a new one begun."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = _open(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # full, locked, unwritable: not damage
                raise
            self._start_anew(error)

    @classmethod
    @contextmanager
    def glance(cls, path: Path) -> Iterator["EmbeddingCache | None"]:
        """Look into a cache without writing a byte; None when there is none to look into."""
        live = path.with_name(path.name + "-wal").exists()
        uri = f"{path.resolve().as_uri()}?mode=ro{'' if live else '&immutable=1'}"
        try:
            database = sqlite3.connect(uri, uri=True)
        except sqlite3.Error:
            yield None
            return
        cache = cls.__new__(cls)
        cache._path, cache._database = path, database
        with closing(database):
            yield cache

    def get_many(self, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        """The vectors that are there, by key; float32, shape (dimensions,)."""
        try:
            return {key: np.frombuffer(blob, dtype="<f4") for key, blob in self._read(keys)}
        except (sqlite3.DatabaseError, ValueError) as error:
            self._database.close()
            self._start_anew(error)
            return {}

    def put_many(self, vectors: Mapping[bytes, Vector]) -> None:
        """Keep vectors; whole or not at all when the process is killed."""
        rows = ((key, vector.astype("<f4").tobytes()) for key, vector in vectors.items())
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO embeddings VALUES (?, ?)", rows)

    def __len__(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM embeddings").fetchone()[0])

    def prune(self, used: Iterable[bytes], room: int = ROOM) -> int:
        """Forget what `used` does not name, once there are more than `room`; says how many."""
        before = len(self)
        if before <= room:
            return 0
        with self._database:
            self._database.execute("CREATE TEMP TABLE used (key BLOB PRIMARY KEY)")
            self._database.executemany(
                "INSERT OR IGNORE INTO used VALUES (?)", ((key,) for key in used)
            )
            self._database.execute("DELETE FROM embeddings WHERE key NOT IN (SELECT key FROM used)")
        self._database.execute("DROP TABLE used")
        self._database.execute("VACUUM")
        return before - len(self)

    def close(self) -> None:
        self._database.close()

    def _read(self, keys: Sequence[bytes]) -> Iterable[tuple[bytes, bytes]]:
        for start in range(0, len(keys), _VARIABLES):
            chunk = keys[start : start + _VARIABLES]
            marks = ", ".join("?" * len(chunk))
            query = f"SELECT key, vector FROM embeddings WHERE key IN ({marks})"
            yield from self._database.execute(query, chunk)

    def _start_anew(self, error: Exception) -> None:
        aside = self._path.with_name(f"{self._path.name}.damaged-{time.time_ns()}")
        _log.warning("The embedding cache is damaged (%s): set aside as %s.", error, aside.name)
        for old in self._path.parent.glob(f"{self._path.name}.damaged-*"):
            old.unlink()  # one is kept to look at, so that damage does not fill the disk
        self._path.rename(aside)
        for suffix in ("-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        self._database = _open(self._path)


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=10)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(
            "CREATE TABLE IF NOT EXISTS embeddings (key BLOB PRIMARY KEY, vector BLOB NOT NULL)"
        )
        database.execute("SELECT key, vector FROM embeddings LIMIT 1").fetchall()
    except BaseException:
        database.close()
        raise
    return database
