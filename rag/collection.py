"""The vectors of one generation, asked: a Chroma collection that was written once.

Asking goes to Chroma's own engine without its Python client, which takes 0.9 s and 55 MB to
import: opening and the first question take 0.1 s instead of 1.2 s. Where the engine is not as in
the pinned release, the client answers. Both read the same files (`rag.filling` writes them), and so
does LlamaIndex's ChromaVectorStore.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "passages"
PLACE = ("default_tenant", "default_database")
DATABASE = "chroma.sqlite3"
NOT_THIS_ENGINE = (ImportError, AttributeError, TypeError)  # another release of Chroma

_WAITS = (0.001, 0.005, 0.02)  # seconds

Answer = list[tuple[str, float]]


class Collection:
    """A collection opened for asking. Any thread may ask; queries release the GIL."""

    def __init__(self, count: Callable[[], int], query: Any, close: Callable[[], None]) -> None:
        self._count, self._query, self._close = count, query, close

    @classmethod
    def open(cls, directory: Path) -> "Collection":
        """Open the collection of a directory; whatever Chroma raises when it is damaged."""
        try:
            return _by_engine(directory)
        except NOT_THIS_ENGINE:
            return _by_client(directory)

    def __len__(self) -> int:
        return self._count()

    def nearest(self, vector: "NDArray[np.float32]", k: int) -> Answer:
        """The ids of the k nearest passages and their cosine similarities, in Chroma's order."""
        found = self._query([vector.tolist()], k)
        return [(i, 1.0 - d) for i, d in zip(found[0][0], found[1][0], strict=True)]

    def close(self) -> None:
        self._close()


def engine(directory: Path, *, writing: bool = False) -> Any:
    """Chroma's engine over a directory; some of NOT_THIS_ENGINE where it is not the pinned one."""
    import chromadb_rust_bindings as bindings

    modes = bindings.MigrationMode
    return bindings.Bindings(
        allow_reset=False,
        sqlite_db_config=bindings.SqliteDBConfig(
            hash_type=bindings.MigrationHash.MD5,
            migration_mode=modes.Apply if writing else modes.Validate,
            url=str(directory / DATABASE),
        ),
        persist_path=str(directory),
        hnsw_cache_size=8,
    )


def client(directory: Path) -> Any:
    """Chroma's own Python client."""
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(str(directory), Settings(anonymized_telemetry=False))


def _by_engine(directory: Path) -> Collection:
    opened = engine(directory)
    ident = str(opened.get_collection(NAME, *PLACE).id)
    held = [opened]
    del opened

    def query(vectors: list[list[float]], k: int) -> Any:
        asked = (ident, None, vectors, k, None, None, ["distances"], *PLACE)
        found = persistently(lambda: held[0].query(*asked))
        return found.ids, found.distances

    return Collection(lambda: held[0].count(ident, *PLACE), query, held.clear)


def _by_client(directory: Path) -> Collection:
    opened = client(directory)
    collection = opened.get_collection(NAME, embedding_function=None)

    def query(vectors: list[list[float]], k: int) -> Any:
        found = persistently(
            lambda: collection.query(query_embeddings=vectors, n_results=k, include=["distances"])
        )
        return found["ids"], found["distances"]

    return Collection(collection.count, query, opened.close)


def persistently(call: Callable[[], Any]) -> Any:
    """What a call of the engine returns; what it raised last where it never does.

    Chroma's pool holds a connection to a directory that has been removed and answers from it, but
    fails in 1 question of 300 for wanting another before that one is back. Of changes to a
    copied collection's settings 1 in 60 finds the database locked.
    """
    for wait in _WAITS:
        try:
            return call()
        except Exception:
            time.sleep(wait)
    return call()
